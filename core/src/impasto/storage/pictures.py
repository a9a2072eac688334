"""Pictures as bytes and as Pillow images: the one place where the core opens them.

Imports neither the database nor NumPy, so that a worker may use it as it is. What is decoded is checked first:
bytes that are no picture, that stop short, or that would unpack to more pixels than memory should hold raise
`UnreadableImageError`.
"""

import io
import struct
import zlib
from dataclasses import dataclass

from PIL import Image, ImageOps, UnidentifiedImageError

from impasto.errors import UnreadableImageError

__all__ = [
    "MAX_PIXELS",
    "PictureInfo",
    "decode",
    "encode_png",
    "encode_preview",
    "encode_thumbnail",
    "inspect",
]

#: Most pixels that a picture may have: 9,459 × 9,459, a quarter of a gigabyte once it is unpacked.
MAX_PIXELS = 89_478_485
#: Longest side of a thumbnail and of a preview, in pixels.
THUMBNAIL_SIDE = 256
PREVIEW_SIDE = 512

# by Pillow's name; MPO is what phones write: a JPEG with a second picture behind it
_FILE_TYPES = {"PNG": "png", "JPEG": "jpg", "MPO": "jpg", "WEBP": "webp"}
_TAKEN = ("PNG", "JPEG", "WEBP")
#: EXIF tag of the orientation, and the values by which width and height trade places.
_ORIENTATION = 0x0112
_SIDEWAYS = frozenset({5, 6, 7, 8})

# what Pillow's decoders raise on broken data, by their own account and by experience
_BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    OverflowError,
    IndexError,
    MemoryError,
    struct.error,
    zlib.error,
    UnidentifiedImageError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)


@dataclass(frozen=True, slots=True)
class PictureInfo:
    """What the head of a picture says."""

    #: Ending of its file: ``png``, ``jpg`` or ``webp``.
    file_type: str
    #: Size in pixels as it is shown, with the orientation that a camera noted applied.
    width: int
    height: int


def inspect(data: bytes) -> PictureInfo:
    """Type and size, without unpacking the pixels. Raises `UnreadableImageError`."""
    with _opened(data) as image:
        width, height = image.size
        try:
            sideways = image.getexif().get(_ORIENTATION) in _SIDEWAYS
        except _BROKEN:  # a broken note about the camera does not spoil the picture
            sideways = False
        return PictureInfo(_FILE_TYPES[image.format or ""], *((height, width) if sideways else (width, height)))


def decode(data: bytes) -> Image.Image:
    """The picture, unpacked and the right way up. Raises `UnreadableImageError`."""
    with _opened(data) as image:
        try:
            image.load()
            upright = ImageOps.exif_transpose(image)
        except _BROKEN as error:
            raise UnreadableImageError(f"the picture is broken or incomplete ({error})") from error
        # a copy of its own: the opened one goes with its file
        return upright if upright is not image else image.copy()


def encode_png(image: Image.Image) -> bytes:
    """The picture as PNG, lossless; packed lightly, as harder packing costs more time than it saves bytes."""
    return _encoded(image, "PNG", compress_level=1)


def encode_preview(image: Image.Image) -> bytes:
    """A look at a picture in the making: JPEG of at most 512 px a side, small and quick, without transparency."""
    return _encoded(_shrunk(image.convert("RGB"), PREVIEW_SIDE), "JPEG", quality=75)


def encode_thumbnail(image: Image.Image) -> bytes:
    """The picture as WebP of at most 256 px a side, with its transparency."""
    mode = "RGBA" if image.mode in {"RGBA", "LA", "PA"} or "transparency" in image.info else "RGB"
    return _encoded(_shrunk(image.convert(mode), THUMBNAIL_SIDE), "WEBP", quality=80, method=3)


def _opened(data: bytes) -> Image.Image:
    try:
        image = Image.open(io.BytesIO(data), formats=_TAKEN)
    except UnidentifiedImageError as error:
        raise UnreadableImageError("the bytes are no picture") from error
    except _BROKEN as error:
        raise UnreadableImageError(f"the picture cannot be opened ({error})") from error
    width, height = image.size
    if width * height > MAX_PIXELS or width < 1 or height < 1:
        image.close()
        raise UnreadableImageError(
            f"the picture has {width} × {height} pixels, and at most {MAX_PIXELS:,} are unpacked"
        )
    return image


def _shrunk(image: Image.Image, side: int) -> Image.Image:
    if max(image.size) <= side:
        return image
    small = image.copy()
    small.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=3.0)
    return small


def _encoded(image: Image.Image, file_format: str, **options: int) -> bytes:
    out = io.BytesIO()
    image.save(out, file_format, **options)
    return out.getvalue()
