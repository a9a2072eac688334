"""The plugin `crash-toys`: nodes whose every execution leaves a line in a file, and whose pictures can be told apart.

Written into a folder for `PYTHONPATH` by the test that kills workers and servers. Nothing here is quick on purpose: a
kill is to find nodes at work.
"""

import os
import time
from collections.abc import Generator

from PIL import Image

from impasto_sdk import (
    BaseInvocation,
    ImageCollectionOutput,
    ImageField,
    ImageOutput,
    InputField,
    IntegerOutput,
    InvocationContext,
    Lane,
    hookimpl,
    invocation,
)


def note(trace: str, context: InvocationContext) -> None:
    """Say that an execution begins, in one write, so that lines of several threads do not mix."""
    identity = context.identity
    file = os.open(trace, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, f"{identity.item_id} {identity.node_id}\n".encode())
    os.close(file)


def picture(red: int, green: int) -> Image.Image:
    return Image.new("RGB", (16, 16), (red % 256, green % 256, 128))


@invocation("crash_paint", use_cache=False)
class Paint(BaseInvocation):
    """Paint a picture."""

    trace: str = InputField(description="File for the lines")
    value: int = InputField(description="What the picture shows")

    def invoke(self, context: InvocationContext) -> ImageOutput:
        note(self.trace, context)
        time.sleep(0.004 * (1 + self.value % 3))
        painted = context.images.save(picture(self.value, 0))
        time.sleep(0.004)
        return painted


@invocation("crash_frames", use_cache=False)
class Frames(BaseInvocation):
    """Give picture after picture."""

    trace: str = InputField(description="File for the lines")
    count: int = InputField(description="How many")

    def invoke(self, context: InvocationContext) -> Generator[ImageField, None, ImageCollectionOutput]:
        note(self.trace, context)
        frames: list[ImageField] = []
        for number in range(self.count):
            time.sleep(0.008)
            frames.append(context.images.save(picture(number, 255)).image)
            yield frames[-1]
        return ImageCollectionOutput(collection=frames)


@invocation("crash_tint", use_cache=False, lane=Lane.IO)
class Tint(BaseInvocation):
    """Paint a picture over, beside others."""

    trace: str = InputField(description="File for the lines")
    image: ImageField = InputField(description="The picture")

    def invoke(self, context: InvocationContext) -> ImageOutput:
        note(self.trace, context)
        red, green, _ = context.images.load(self.image).getpixel((0, 0))
        time.sleep(0.012)
        return context.images.save(picture(red, green - 1))


@invocation("crash_count", use_cache=False)
class Count(BaseInvocation):
    """Count pictures, each of which has to be there."""

    trace: str = InputField(description="File for the lines")
    images: list[ImageField] = InputField(description="The pictures")
    others: list[ImageField] = InputField(description="More of them")

    def invoke(self, context: InvocationContext) -> IntegerOutput:
        note(self.trace, context)
        images = [*self.images, *self.others]
        return IntegerOutput(value=len({context.images.record(image).image_name for image in images}))


@hookimpl
def register_invocations() -> list[type[BaseInvocation]]:
    """The nodes."""
    return [Paint, Frames, Tint, Count]
