"""Filters that mix neighbouring pixels: softer, sharper."""

from typing import Literal

from PIL import Image, ImageFilter

from impasto_image.pixels import MAX_PIXELS, workable
from impasto_sdk.context import InvocationContext
from impasto_sdk.fields import ImageField, ImageOutput, InputField
from impasto_sdk.node import BaseInvocation, WithBoard, WithMetadata, invocation

__all__ = ["BlurImage", "UnsharpMask"]


@invocation("img_blur", title="Blur Image", category="image", tags=["image", "blur"], version="1.2.2")
class BlurImage(BaseInvocation, WithMetadata, WithBoard):
    """Make a picture softer. What is clear does not tint what is not."""

    image: ImageField = InputField(description="The image to blur")
    radius: float = InputField(8.0, ge=0, description="How far colours spread, in pixels")
    blur_type: Literal["gaussian", "box"] = InputField("gaussian", description="A soft fall-off, or an even mean")

    def invoke(self, context: InvocationContext) -> ImageOutput:
        """The blurred picture, in the mode it had. Raises `ImageNotFoundError`."""
        picture = workable(context.images.load(self.image))
        blur = ImageFilter.GaussianBlur if self.blur_type == "gaussian" else ImageFilter.BoxBlur
        radius = min(self.radius, MAX_PIXELS)  # no picture is wider, and Pillow fails on what is far beyond it
        if picture.mode == "RGBA":
            # with colours multiplied by their opacity, so that the unseen colour of clear pixels stays unseen
            return context.images.save(picture.convert("RGBa").filter(blur(radius)).convert("RGBA"))
        return context.images.save(picture.filter(blur(radius)))


@invocation(
    "unsharp_mask", title="Unsharp Mask", category="image", tags=["image", "sharpen", "unsharp_mask"], version="1.2.2"
)
class UnsharpMask(BaseInvocation, WithMetadata, WithBoard):
    """Make a picture sharper: add to each pixel what sets it off from its blurred neighbourhood."""

    image: ImageField = InputField(description="The image to sharpen")
    radius: float = InputField(2, gt=0, description="Size of the details that are brought out, in pixels")
    strength: float = InputField(50, ge=0, description="How much is added, in per cent")

    def invoke(self, context: InvocationContext) -> ImageOutput:
        """The sharpened picture, in the mode it had; its opacity is left as it is. Raises `ImageNotFoundError`."""
        import numpy as np

        picture = workable(context.images.load(self.image))
        opacity = picture.getchannel("A") if picture.mode == "RGBA" else None
        colours = picture.convert("RGB") if opacity else picture
        blurred = np.asarray(colours.filter(ImageFilter.GaussianBlur(min(self.radius, MAX_PIXELS))), dtype=np.float32)
        sharp = np.asarray(colours, dtype=np.float32)
        sharp = sharp + (sharp - blurred) * np.float32(self.strength / 100)
        result = Image.fromarray(np.rint(sharp).clip(0, 255).astype(np.uint8))
        if opacity:
            result.putalpha(opacity)
        return context.images.save(result)
