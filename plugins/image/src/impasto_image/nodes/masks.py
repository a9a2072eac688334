"""Masks: greyscale pictures in which black means one thing and white the other."""

from PIL import ImageChops

from impasto_image.pixels import workable
from impasto_sdk.context import InvocationContext
from impasto_sdk.errors import InvalidInputError
from impasto_sdk.fields import ImageField, ImageOutput, InputField
from impasto_sdk.node import BaseInvocation, WithBoard, WithMetadata, invocation

__all__ = ["CombineMasks"]


@invocation("mask_combine", title="Combine Masks", category="mask", tags=["image", "mask", "multiply"], version="1.2.2")
class CombineMasks(BaseInvocation, WithMetadata, WithBoard):
    """Multiply two masks: white where both are white, black where either is black."""

    mask1: ImageField = InputField(description="The first mask")
    mask2: ImageField = InputField(description="The second mask, of the same size")

    def invoke(self, context: InvocationContext) -> ImageOutput:
        """The combined mask, greyscale, of category ``mask``.

        Raises `ImageNotFoundError`, or `InvalidInputError` when the masks differ in size.
        """
        first = workable(context.images.load(self.mask1)).convert("L")
        second = workable(context.images.load(self.mask2)).convert("L")
        if first.size != second.size:
            raise InvalidInputError(
                "mask2",
                self.mask2.image_name,
                f"it has {second.width} x {second.height} pixels, mask1 {first.width} x {first.height}",
                "resize one of them",
            )
        return context.images.save(ImageChops.multiply(first, second), category="mask")
