"""Pictures out of nothing, and out of two: a blank canvas, one picture pasted onto another."""

from typing import Literal

from PIL import Image, ImageChops

from impasto_image.pixels import paste, require_size, workable
from impasto_sdk.context import InvocationContext
from impasto_sdk.errors import InvalidInputError
from impasto_sdk.fields import ColorField, ImageField, ImageOutput, InputField
from impasto_sdk.node import BaseInvocation, WithBoard, WithMetadata, invocation

__all__ = ["BlankImage", "PasteImage"]


@invocation("blank_image", title="Blank Image", category="image", tags=["image"], version="1.2.2")
class BlankImage(BaseInvocation, WithMetadata, WithBoard):
    """A picture of one colour."""

    width: int = InputField(512, description="Width in pixels")
    height: int = InputField(512, description="Height in pixels")
    mode: Literal["RGB", "RGBA"] = InputField("RGB", description="Without or with opacity")
    color: ColorField = InputField(
        ColorField(r=0, g=0, b=0, a=255), description="The colour; its opacity counts for RGBA only"
    )

    def invoke(self, context: InvocationContext) -> ImageOutput:
        """The picture. Raises `InvalidInputError` for no pixels, or too many."""
        require_size(self.width, self.height)
        colour = self.color.tuple() if self.mode == "RGBA" else self.color.tuple()[:3]
        return context.images.save(Image.new(self.mode, (self.width, self.height), colour))


@invocation("img_paste", title="Paste Image", category="image", tags=["image", "paste"], version="1.2.2")
class PasteImage(BaseInvocation, WithMetadata, WithBoard):
    """Paste a picture onto another. The result grows where the pasted one sticks out, unless `crop` is set.

    Where the mask is black the pasted picture shows, where it is white the base stays; grey mixes them. Without a mask
    the pasted picture replaces what is below it, its own opacity included.
    """

    base_image: ImageField = InputField(description="The image to paste onto")
    image: ImageField = InputField(description="The image to paste")
    mask: ImageField | None = InputField(
        None, description="Where the base stays (white) and where it is covered (black), as large as the pasted image"
    )
    x: int = InputField(0, description="Left edge of the pasted image on the base, in pixels")
    y: int = InputField(0, description="Top edge of the pasted image on the base, in pixels")
    crop: bool = InputField(False, description="Whether the result is cut to the size of the base")

    def invoke(self, context: InvocationContext) -> ImageOutput:
        """The composed picture: RGBA when a part of it may be clear, else RGB.

        Raises `ImageNotFoundError`, or `InvalidInputError` when the mask and the pasted picture differ in size or the
        result would be too large.
        """
        base = workable(context.images.load(self.base_image))
        pasted = workable(context.images.load(self.image))
        mask = self._mask(context, pasted.size)
        left, top = min(0, self.x), min(0, self.y)
        size = (max(base.width, self.x + pasted.width) - left, max(base.height, self.y + pasted.height) - top)
        if self.crop:
            left, top, size = 0, 0, base.size
        require_size(*size, width_field="x", height_field="y")
        clear = size != base.size or "RGBA" in (base.mode, pasted.mode)
        canvas = Image.new("RGBA" if clear else "RGB", size)
        canvas.paste(base, (-left, -top))
        paste(canvas, pasted, self.x - left, self.y - top, mask)
        return context.images.save(canvas)

    def _mask(self, context: InvocationContext, size: tuple[int, int]) -> Image.Image | None:
        """The mask as Pillow takes it, which is the other way round: white where the pasted picture shows."""
        if self.mask is None:
            return None
        mask = workable(context.images.load(self.mask)).convert("L")
        if mask.size != size:
            raise InvalidInputError(
                "mask",
                self.mask.image_name,
                f"the mask has {mask.width} x {mask.height} pixels, the pasted image {size[0]} x {size[1]}",
                "resize one of them",
            )
        return ImageChops.invert(mask)
