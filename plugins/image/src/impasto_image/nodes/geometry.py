"""Pictures brought to another size: resized, scaled, cropped."""

from collections.abc import Mapping
from typing import Literal

from PIL import Image

from impasto_image.pixels import MAX_PIXELS, paste, require_size, workable
from impasto_sdk.context import InvocationContext
from impasto_sdk.errors import InvalidInputError
from impasto_sdk.fields import ImageField, ImageOutput, InputField
from impasto_sdk.node import BaseInvocation, WithBoard, WithMetadata, invocation

__all__ = ["CropImage", "ResampleMode", "ResizeImage", "ScaleImage"]

#: How the colour of a new pixel is worked out from the old ones.
ResampleMode = Literal["nearest", "box", "bilinear", "hamming", "bicubic", "lanczos"]

_FILTERS: Mapping[ResampleMode, Image.Resampling] = {
    "nearest": Image.Resampling.NEAREST,
    "box": Image.Resampling.BOX,
    "bilinear": Image.Resampling.BILINEAR,
    "hamming": Image.Resampling.HAMMING,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


@invocation("img_resize", title="Resize Image", category="image", tags=["image", "resize"], version="1.2.2")
class ResizeImage(BaseInvocation, WithMetadata, WithBoard):
    """Bring a picture to an exact size, whatever becomes of its proportions."""

    image: ImageField = InputField(description="The image to resize")
    width: int = InputField(512, gt=0, description="Width in pixels")
    height: int = InputField(512, gt=0, description="Height in pixels")
    resample_mode: ResampleMode = InputField("bicubic", description="How new pixels are worked out from old ones")

    def invoke(self, context: InvocationContext) -> ImageOutput:
        """The resized picture. Raises `ImageNotFoundError`, or `InvalidInputError` for a size beyond all reason."""
        require_size(self.width, self.height)
        picture = workable(context.images.load(self.image))
        return context.images.save(picture.resize((self.width, self.height), _FILTERS[self.resample_mode]))


@invocation("img_scale", title="Scale Image", category="image", tags=["image", "scale"], version="1.2.2")
class ScaleImage(BaseInvocation, WithMetadata, WithBoard):
    """Make a picture larger or smaller by a factor; fractions of a pixel are cut off."""

    image: ImageField = InputField(description="The image to scale")
    scale_factor: float = InputField(2.0, gt=0, description="The factor; 2 doubles width and height")
    resample_mode: ResampleMode = InputField("bicubic", description="How new pixels are worked out from old ones")

    def invoke(self, context: InvocationContext) -> ImageOutput:
        """The scaled picture. Raises `ImageNotFoundError`, or `InvalidInputError` for no pixels or too many."""
        picture = workable(context.images.load(self.image))
        width, height = picture.width * self.scale_factor, picture.height * self.scale_factor
        if not (min(width, height) >= 1 and width * height <= MAX_PIXELS):
            raise InvalidInputError(
                "scale_factor",
                self.scale_factor,
                f"makes {width:g} x {height:g} pixels of {picture.width} x {picture.height}",
                f"a picture has at least one pixel each way and at most {MAX_PIXELS} in all",
            )
        size = int(width), int(height)
        return context.images.save(picture.resize(size, _FILTERS[self.resample_mode]))


@invocation("img_crop", title="Crop Image", category="image", tags=["image", "crop"], version="1.2.2")
class CropImage(BaseInvocation, WithMetadata, WithBoard):
    """Cut a box out of a picture. The box may reach beyond the picture; what it finds there is clear."""

    image: ImageField = InputField(description="The image to crop")
    x: int = InputField(0, description="Left edge of the box in pixels; negative: left of the picture")
    y: int = InputField(0, description="Top edge of the box in pixels; negative: above the picture")
    width: int = InputField(512, gt=0, description="Width of the box in pixels")
    height: int = InputField(512, gt=0, description="Height of the box in pixels")

    def invoke(self, context: InvocationContext) -> ImageOutput:
        """The box's content: RGBA when the box reaches beyond the picture, else in the picture's mode.

        Raises `ImageNotFoundError`, or `InvalidInputError` for a size beyond all reason.
        """
        require_size(self.width, self.height)
        picture = workable(context.images.load(self.image))
        box = (self.x, self.y, self.x + self.width, self.y + self.height)
        inside = box[0] >= 0 and box[1] >= 0 and box[2] <= picture.width and box[3] <= picture.height
        if inside:
            return context.images.save(picture.crop(box))
        canvas = Image.new("RGBA", (self.width, self.height), (0, 0, 0, 0))
        paste(canvas, picture, -self.x, -self.y)
        return context.images.save(canvas)
