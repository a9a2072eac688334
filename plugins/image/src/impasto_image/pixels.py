"""What the nodes of this plugin ask of a picture before they work on it: a mode they know, and a size that is sane.

Library pictures come in many Pillow modes (palettes, 16 bits, CMYK). The nodes keep greyscale, RGB and RGBA as they
are and bring everything else to the nearest of these.
"""

from PIL import Image

from impasto_sdk.errors import InvalidInputError

__all__ = ["MAX_PIXELS", "paste", "require_size", "workable"]

#: Pixels of the largest picture that is made: the most that Pillow opens again without a warning.
MAX_PIXELS = 89_478_485

_GREY_MODES = frozenset({"1", "I", "F"})


def workable(picture: Image.Image) -> Image.Image:
    """The picture as ``L``, ``RGB`` or ``RGBA``, whichever loses least; itself when it is one of these."""
    if picture.mode in {"L", "RGB", "RGBA"}:
        return picture
    if picture.mode.startswith("I;16"):
        return picture.convert("I").point(lambda value: value / 256).convert("L")  # 16 bits to 8
    if picture.mode in _GREY_MODES:
        return picture.convert("L")
    if picture.has_transparency_data:
        return picture.convert("RGBA")
    return picture.convert("RGB")


def paste(canvas: Image.Image, picture: Image.Image, x: int, y: int, mask: Image.Image | None = None) -> None:
    """Paste what of `picture` lies on the canvas; Pillow itself takes no position beyond 32 bits."""
    if -picture.width < x < canvas.width and -picture.height < y < canvas.height:
        canvas.paste(picture, (x, y), mask)


def require_size(width: int, height: int, *, width_field: str = "width", height_field: str = "height") -> None:
    """Raise `InvalidInputError` for a picture of no pixels, or of more than `MAX_PIXELS`."""
    for field, value in ((width_field, width), (height_field, height)):
        if value < 1:
            raise InvalidInputError(field, value, "a picture needs at least one pixel", "use 1 or more")
    if width * height > MAX_PIXELS:
        field, value = (width_field, width) if width >= height else (height_field, height)
        raise InvalidInputError(
            field,
            value,
            f"a picture of {width} x {height} pixels is larger than {MAX_PIXELS} pixels",
            "use a smaller one",
        )
