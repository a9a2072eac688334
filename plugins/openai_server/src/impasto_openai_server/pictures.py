"""What is done to the bytes of pictures: masks read, pictures and previews brought to the format that was asked for."""

import io
from collections.abc import Mapping
from typing import TYPE_CHECKING

from impasto_openai_server.errors import InvalidRequestError
from impasto_openai_server.image_request import OutputFormat

if TYPE_CHECKING:  # Pillow is imported where it is used: the server starts without it
    from PIL.Image import Image as Picture

__all__ = ["edit_mask", "encoded", "extension_of", "size_of"]

#: Pixels of the largest mask that is unpacked: the most that Pillow opens without a warning.
_MOST_PIXELS = 89_478_485
_SIGNATURES: Mapping[bytes, OutputFormat] = {b"\x89PNG\r\n\x1a\n": "png", b"\xff\xd8\xff": "jpeg"}


def extension_of(data: bytes, param: str) -> OutputFormat:
    """Which format a file is in, by its first bytes: what a client says of it is often wrong.

    Raises `InvalidRequestError` that names `param` for anything but PNG, JPEG and WebP.
    """
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return "webp"
    for signature, extension in _SIGNATURES.items():
        if data.startswith(signature):
            return extension
    what = "there is nothing in it" if not data else "it is no PNG, JPEG or WebP file"
    raise InvalidRequestError(f"{param}: {what}; send a picture", param=param, code="invalid_image_file")


def edit_mask(data: bytes, size: tuple[int, int]) -> bytes:
    """The mask of a panel, a greyscale PNG that is white where the picture may change, of one of OpenAI's.

    OpenAI's is as large as its picture, `size`, and transparent where that may change. Raises `InvalidRequestError` for
    any other.
    """
    from PIL import Image, ImageChops

    extension_of(data, "mask")
    try:
        with Image.open(io.BytesIO(data)) as picture:
            if picture.size != size or picture.width * picture.height > _MOST_PIXELS:
                found, wanted = f"{picture.width}x{picture.height}", f"{size[0]}x{size[1]}"
                raise _bad_mask(f"it has {found} pixels and the image {wanted}; make them equal")
            if not picture.has_transparency_data:
                raise _bad_mask("nothing in it is transparent; make transparent what is to be changed")
            changed = ImageChops.invert(picture.convert("RGBA").getchannel("A"))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise _bad_mask(f"it cannot be read: {error}") from error
    if changed.getbbox() is None:
        raise _bad_mask("nothing in it is transparent; make transparent what is to be changed")
    return _saved(changed, "png", 100)


def encoded(
    data: bytes, output_format: OutputFormat, compression: int, *, size: tuple[int, int] | None = None
) -> bytes:
    """A picture of the server's in the format that was asked for; itself when it is in it, and of the size, already.

    `compression`: 0 to 100, for JPEG and WebP. `size`: what it is brought to, in pixels; None: it is left.
    """
    if output_format == "png" and data.startswith(b"\x89PNG") and size is None:
        return data
    from PIL import Image

    with Image.open(io.BytesIO(data)) as picture:
        shown = picture if size is None else picture.convert("RGB").resize(size, Image.Resampling.BICUBIC)
        if output_format == "jpeg" and shown.mode != "RGB":
            # what is clear is shown on white, as on most pages
            under = Image.new("RGBA", shown.size, (255, 255, 255, 255))
            shown = Image.alpha_composite(under, shown.convert("RGBA")).convert("RGB")
        return _saved(shown, output_format, compression)


def size_of(data: bytes) -> tuple[int, int]:
    """Width and height of a picture of the server's, in pixels."""
    from PIL import Image

    with Image.open(io.BytesIO(data)) as picture:
        return picture.size


def _saved(picture: "Picture", output_format: OutputFormat, compression: int) -> bytes:
    data = io.BytesIO()
    picture.save(data, output_format, **({} if output_format == "png" else {"quality": compression}))
    return data.getvalue()


def _bad_mask(problem: str) -> InvalidRequestError:
    return InvalidRequestError(f"mask: {problem}", param="mask", code="invalid_mask")
