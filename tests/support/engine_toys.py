"""The plugin `engine-toys`: nodes for tests of the engine. Installed by `support.engine_room`, run in real workers."""

import os
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

from PIL import Image
from pydantic import BaseModel

from impasto_sdk.context import InvocationContext
from impasto_sdk.contributions import SecretDeclaration, SettingsDeclaration
from impasto_sdk.errors import CanceledError, DeviceError, InvocationError
from impasto_sdk.extensions import DenoiseExtension, DenoiseExtensionFactory
from impasto_sdk.fields import (
    BaseInvocationOutput,
    FieldValue,
    ImageField,
    ImageOutput,
    InputField,
    IntegerCollectionOutput,
    IntegerOutput,
    LatentsField,
    LatentsOutput,
    MetadataField,
    MetadataOutput,
    ModelIdentifierField,
    OutputField,
    StringOutput,
    WorkflowReturnOutput,
    WorkflowReturnValueField,
    WorkflowReturnValueOutput,
    invocation_output,
)
from impasto_sdk.hookspecs import hookimpl
from impasto_sdk.models import DeviceInfo, LoadRequest, ModelRecord
from impasto_sdk.node import BaseInvocation, Lane, NodeKind, WithBoard, WithMetadata, invocation

NODES: list[type[BaseInvocation]] = []


def toy(node_type: str, **facts: Any) -> Any:
    """Declare a node and list it."""

    def declare(cls: type[BaseInvocation]) -> type[BaseInvocation]:
        declared = invocation(node_type, **facts)(cls)
        NODES.append(declared)
        return declared

    return declare


def note(path: str, line: str) -> None:
    """Add a line to a file that a test reads."""
    if path:
        with Path(path).open("a") as file:
            file.write(line + "\n")


@toy("add")
class Add(BaseInvocation):
    """The sum; says in a file that it ran."""

    a: int = InputField(0, ge=-1000)
    b: int = InputField(0)
    diary: str = InputField("")

    def invoke(self, context: InvocationContext) -> IntegerOutput:
        note(self.diary, context.identity.node_id)
        return IntegerOutput(value=self.a + self.b)


@toy("gate", use_cache=False)
class Gate(BaseInvocation):
    """Waits until it is let go, deaf to everything else."""

    a: int = InputField(0)
    path: str = InputField("")
    diary: str = InputField("")

    def invoke(self, context: InvocationContext) -> IntegerOutput:
        note(self.diary, context.identity.node_id)
        Path(self.path).read_text()
        context.models.search()  # its answer comes after all that the server had sent before the gate was opened
        return IntegerOutput(value=self.a)


@toy("errand", lane=Lane.IO, use_cache=False)
class Errand(BaseInvocation):
    """Waits for something outside until it is let go, as a node of a paid service does; without a gate for nothing."""

    a: int = InputField(0)
    path: str = InputField("")

    def invoke(self, context: InvocationContext) -> IntegerOutput:
        if self.path:
            Path(self.path).read_text()
        return IntegerOutput(value=self.a)


@toy("on_device", lane=Lane.DEVICE)
class OnDevice(BaseInvocation):
    """Runs where models do."""

    def invoke(self, context: InvocationContext) -> IntegerOutput:
        return IntegerOutput(value=1)


@toy("polite", use_cache=False)
class Polite(BaseInvocation):
    """Works for ever, and stops when it is cancelled."""

    steps: int = InputField(0)

    def invoke(self, context: InvocationContext) -> IntegerOutput:
        step = 0
        while True:
            step += 1
            context.progress(None, f"step {step}")
            context.raise_if_cancelled()
            time.sleep(0.01)


@toy("gives_up", use_cache=False)
class GivesUp(BaseInvocation):
    """Cancels itself, once it is let go."""

    path: str = InputField("")

    def invoke(self, context: InvocationContext) -> IntegerOutput:
        if self.path:
            Path(self.path).read_text()
        raise CanceledError


@toy("exits", use_cache=False)
class Exits(BaseInvocation):
    """Ends the process it runs in, the first `times` times."""

    status: int = InputField(3)
    diary: str = InputField("")
    times: int = InputField(1000)

    def invoke(self, context: InvocationContext) -> IntegerOutput:
        note(self.diary, context.identity.node_id)
        if len(Path(self.diary).read_text().splitlines()) > self.times:
            return IntegerOutput(value=self.times)
        print("about to leave", flush=True)
        os._exit(self.status)


@toy("raises", use_cache=False)
class Raises(BaseInvocation):
    """Fails in the way that is asked for, once it is let go."""

    how: str = InputField("value")
    path: str = InputField("")

    def invoke(self, context: InvocationContext) -> IntegerOutput:
        if self.path:
            Path(self.path).read_text()
        if self.how == "invocation":
            raise InvocationError("the mask is as large as a stamp; draw a larger one")
        if self.how == "exit":
            raise SystemExit(7)
        if self.how == "output":
            return "7"  # type: ignore[return-value]
        if self.how == "json":
            return IntegerOutput.model_construct(value=object())
        raise ValueError("boom")


@toy("paint")
class Paint(WithMetadata, WithBoard, BaseInvocation):
    """A picture of one colour."""

    colour: str = InputField("red")
    size: int = InputField(8)

    def invoke(self, context: InvocationContext) -> ImageOutput:
        return context.images.save(Image.new("RGB", (self.size, self.size // 2), self.colour))


@toy("sketch", use_cache=False)
class Sketch(BaseInvocation):
    """Saves a picture, says its name, and then waits: at a gate, or for as long as it is wanted."""

    path: str = InputField("")

    def invoke(self, context: InvocationContext) -> ImageOutput:
        saved = context.images.save(Image.new("RGB", (8, 4), "white"))
        context.progress(None, saved.image.image_name)
        while not self.path:
            context.raise_if_cancelled()
            time.sleep(0.01)
        Path(self.path).read_text()
        return saved


@invocation_output("sketches_output")
class SketchesOutput(BaseInvocationOutput):
    """Pictures, and the one that stands for them."""

    collection: list[ImageField] = OutputField()
    cover: ImageField | None = OutputField()


@toy("sketches")
class Sketches(BaseInvocation):
    """Yields pictures that are smaller and smaller, and waits at a gate before one of them."""

    count: int = InputField(3)
    path: str = InputField("")
    before: int = InputField(-1)
    covered: bool = InputField(False)
    diary: str = InputField("")

    def invoke(self, context: InvocationContext) -> Generator[ImageField, None, SketchesOutput]:
        note(self.diary, "begin")
        saved: list[ImageField] = []
        try:
            for place in range(self.count):
                saved.append(context.images.save(Image.new("RGB", (64 - place, 4), "white")).image)
                if place == self.before:
                    Path(self.path).read_text()
                yield saved[-1]
            if self.before == self.count:
                Path(self.path).read_text()
        finally:
            note(self.diary, "close")
        return SketchesOutput(collection=saved, cover=saved[0] if self.covered else None)


@toy("facts")
class Facts(BaseInvocation):
    """Metadata for a picture."""

    seed: int = InputField(0)

    def invoke(self, context: InvocationContext) -> MetadataOutput:
        return MetadataOutput(metadata=MetadataField({"seed": self.seed, "by": "node"}))


@toy("pixel")
class Pixel(BaseInvocation):
    """The red part of a picture's first pixel, and other facts of it."""

    image: ImageField = InputField()

    def invoke(self, context: InvocationContext) -> IntegerOutput:
        record = context.images.record(self.image)
        assert (record.width, record.height) == context.images.load(self.image).size
        assert context.images.load_bytes(self.image).startswith(b"\x89PNG")
        return IntegerOutput(value=int(context.images.load(self.image, "L").convert("RGB").getpixel((0, 0))[0]))


@toy("save_bytes")
class SaveBytes(BaseInvocation):
    """Saves a text as a picture."""

    text: str = InputField("")

    def invoke(self, context: InvocationContext) -> ImageOutput:
        return context.images.save_bytes(self.text.encode())


@toy("store")
class Store(BaseInvocation):
    """Bytes as latents."""

    text: str = InputField("")
    diary: str = InputField("")

    def invoke(self, context: InvocationContext) -> LatentsOutput:
        note(self.diary, context.identity.node_id)
        name = context.tensors.save(self.text.encode())
        return LatentsOutput(latents=LatentsField(latents_name=name), width=8, height=8)


@toy("fetch", use_cache=False)
class Fetch(BaseInvocation):
    """Latents as text."""

    latents: LatentsField = InputField()

    def invoke(self, context: InvocationContext) -> StringOutput:
        return StringOutput(value=context.tensors.load(self.latents).decode())


@toy("numbers")
class Numbers(BaseInvocation):
    """0, 1, 2 …"""

    count: int = InputField(3)

    def invoke(self, context: InvocationContext) -> IntegerCollectionOutput:
        return IntegerCollectionOutput(collection=list(range(self.count)))


@invocation_output("item_output")
class ItemOutput(BaseInvocationOutput):
    """An item of a list."""

    item: Any = OutputField()
    index: int = OutputField()
    total: int = OutputField()


@toy("each", kind=NodeKind.ITERATE)
class Each(BaseInvocation):
    """Goes through a list."""

    collection: list[Any] = InputField(default_factory=list)

    def invoke(self, context: InvocationContext) -> ItemOutput:
        raise NotImplementedError


@invocation_output("collection_output")
class CollectionOutput(BaseInvocationOutput):
    """A list."""

    collection: list[Any] = OutputField()


@toy("gather", kind=NodeKind.COLLECT)
class Gather(BaseInvocation):
    """Brings items together."""

    item: Any = InputField(None)
    collection: list[Any] = InputField(default_factory=list)

    def invoke(self, context: InvocationContext) -> CollectionOutput:
        raise NotImplementedError


@toy("call", kind=NodeKind.CALL, use_cache=False)
class Call(BaseInvocation):
    """Runs a graph."""

    workflow_id: str = InputField("")
    workflow_inputs: dict[str, Any] = InputField(default_factory=dict)

    def invoke(self, context: InvocationContext) -> WorkflowReturnOutput:
        raise NotImplementedError


@toy("returned")
class Returned(BaseInvocation):
    """A value under a key."""

    key: str = InputField("")
    value: Any = InputField(None)

    def invoke(self, context: InvocationContext) -> WorkflowReturnValueOutput:
        return WorkflowReturnValueOutput(value=WorkflowReturnValueField(key=self.key, value=self.value))


@toy("return", kind=NodeKind.RETURN, use_cache=False)
class Return(BaseInvocation):
    """What a called graph gives back."""

    values: list[WorkflowReturnValueField] = InputField(default_factory=list)

    def invoke(self, context: InvocationContext) -> WorkflowReturnOutput:
        return WorkflowReturnOutput(values={each.key: each.value for each in self.values})


class Rubbish:
    """No picture."""

    width = height = 8

    def copy(self) -> "Rubbish":
        return self


@toy("progress", use_cache=False)
class Progress(BaseInvocation):
    """Reports, far too often, how far it is."""

    steps: int = InputField(1000)
    preview: str = InputField("")

    def invoke(self, context: InvocationContext) -> IntegerOutput:
        picture: Any = {"picture": Image.new("RGB", (64, 32), "blue"), "rubbish": Rubbish()}.get(self.preview)
        for step in range(self.steps):
            context.progress((step + 1) / self.steps, f"step {step + 1}", picture)
        return IntegerOutput(value=self.steps)


class ToySettings(BaseModel):
    """Settings of this plugin."""

    tile: int = 64


class OtherSettings(BaseModel):
    """Settings that nobody registered."""


@toy("ask", use_cache=False)
class Ask(BaseInvocation):
    """What the context says about something."""

    about: str = InputField("")

    def invoke(self, context: InvocationContext) -> StringOutput:
        return StringOutput(value=getattr(self, f"_{self.about}")(context))

    def _settings(self, context: InvocationContext) -> str:
        return str(context.settings(ToySettings).tile)

    def _other_settings(self, context: InvocationContext) -> str:
        return str(context.settings(OtherSettings))

    def _secret(self, context: InvocationContext) -> str:
        # backwards, since as it is it would be hidden
        return context.secrets.get("toy_key")[::-1] + str(any("SECRET" in name for name in os.environ))

    def _undeclared_secret(self, context: InvocationContext) -> str:
        return context.secrets.get("other_key")

    def _unset_secret(self, context: InvocationContext) -> str:
        return context.secrets.get("unset_key")

    def _log(self, context: InvocationContext) -> str:
        context.logger.warning("the %s is high", "noise")
        return ""

    def _device(self, context: InvocationContext) -> str:
        return f"{context.device.name} {context.device.precision} {context.device.requested}"

    def _metadata(self, context: InvocationContext) -> str:
        return str(dict(context.metadata))

    def _identity(self, context: InvocationContext) -> str:
        who = context.identity
        return f"{who.queue_id} {who.session_id} {who.node_id} {who.source_id} {who.node_type} {who.user_id}"

    def _missing_image(self, context: InvocationContext) -> str:
        return str(context.images.load(ImageField(image_name="nothing.png")))

    def _missing_model(self, context: InvocationContext) -> str:
        return str(context.models.record(ModelIdentifierField(key="nothing")))

    def _models(self, context: InvocationContext) -> str:
        return ",".join(record.name for record in context.models.search(type="main"))

    def _modules(self, context: InvocationContext) -> str:
        import sys

        heavy = ("torch", "sqlalchemy", "fastapi", "uvicorn", "starlette", "numpy", "typer", "httpx", "networkx")
        return ",".join(sorted(set(heavy) & sys.modules.keys()))

    def _extensions(self, context: InvocationContext) -> str:
        made = context.extensions.denoise([Tint(order=2), Tint(order=1)])
        return ",".join(str(extension.order) for extension in made)

    def _child(self, context: InvocationContext) -> str:
        import subprocess

        return str(subprocess.Popen(["sleep", "1000"]).pid)


class Tint(FieldValue):
    """Data that becomes an extension."""

    order: int


def make_tint(value: Tint, context: InvocationContext) -> DenoiseExtension[Any]:
    extension: DenoiseExtension[Any] = DenoiseExtension()
    extension.order = value.order
    return extension


class Words:
    """A loaded model: the text of a file."""

    def __init__(self, request: LoadRequest) -> None:
        self.model = request.path.read_text()
        self.size_bytes = len(self.model)
        self.device = "cpu"

    def move_to(self, device: str) -> None:
        self.device = device

    def release(self) -> None:
        pass


class WordsLoader:
    """Loads text files."""

    name = "toys.words"

    def accepts(self, record: ModelRecord, submodel: str | None) -> bool:
        return record.format == "words"

    def load(self, request: LoadRequest) -> Words:
        return Words(request)


@toy("read_model", use_cache=False)
class ReadModel(BaseInvocation):
    """The text of a model."""

    model: ModelIdentifierField = InputField()

    def invoke(self, context: InvocationContext) -> StringOutput:
        with context.models.load(self.model, str) as text:
            return StringOutput(value=text)


@hookimpl
def register_invocations() -> list[type[BaseInvocation]]:
    return NODES


@hookimpl
def register_settings() -> list[SettingsDeclaration]:
    return [SettingsDeclaration(section="toys", model=ToySettings)]


@hookimpl
def register_secrets() -> list[SecretDeclaration]:
    return [SecretDeclaration(name=name, title=name) for name in ("toy_key", "unset_key")]


@hookimpl
def register_denoise_extensions() -> list[DenoiseExtensionFactory]:
    return [DenoiseExtensionFactory(field_type=Tint, create=make_tint)]


@hookimpl
def register_model_loaders() -> list[WordsLoader]:
    return [WordsLoader()]


@hookimpl
def find_device(requested: str, precision: str) -> DeviceInfo:
    note(os.environ.get("TOYS_THAT_LOOKED_FOR_DEVICES", ""), requested)
    if requested == "nothing":
        raise DeviceError(requested, "there is no such device")
    return DeviceInfo(name="cpu", kind="cpu", requested=requested, notes=(f"asked for {precision}",))
