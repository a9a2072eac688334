"""What is taken as a picture, and what is refused before it can do harm."""

import io
import struct
import subprocess
import sys
import zlib
from contextlib import suppress

import pytest
from PIL import Image

from impasto.errors import UnreadableImageError
from impasto.storage.pictures import decode, encode_png, encode_preview, encode_thumbnail, inspect

ORIENTATION = 0x0112


def picture(mode: str = "RGB", size: tuple[int, int] = (64, 32)) -> Image.Image:
    return Image.linear_gradient("L").resize(size).convert(mode)


def encoded(image: Image.Image, file_format: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, file_format, **options)
    return out.getvalue()


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few hundred bytes that claims any size."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I4s", len(body), kind) + body + struct.pack(">I", zlib.crc32(kind + body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1", "I;16"])
def test_png_keeps_every_pixel(mode: str) -> None:
    original = picture().convert("L").convert("I;16") if mode == "I;16" else picture(mode)
    again = decode(encode_png(original))
    assert again.size == original.size
    assert again.convert("RGBA").tobytes() == original.convert("RGBA").tobytes()


@pytest.mark.parametrize(("file_format", "file_type"), [("PNG", "png"), ("JPEG", "jpg"), ("WEBP", "webp")])
def test_type_and_size_are_told_without_unpacking(file_format: str, file_type: str) -> None:
    info = inspect(encoded(picture(), file_format))
    assert (info.file_type, info.width, info.height) == (file_type, 64, 32)


def test_a_photo_taken_sideways_is_shown_upright() -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    data = encoded(picture(), "JPEG", exif=exif)
    info = inspect(data)
    assert (info.width, info.height) == decode(data).size == (32, 64)


@pytest.mark.parametrize(
    "data", [b"", b"no picture", b"GIF89a" + b"\0" * 100, b"\x89PNG\r\n\x1a\n", b"RIFF\0\0\0\0WEBP"]
)
def test_what_is_no_picture_is_refused(data: bytes) -> None:
    with pytest.raises(UnreadableImageError, match="PNG, JPEG and WebP are taken"):
        inspect(data)


def test_other_picture_formats_are_refused() -> None:
    for file_format in ("GIF", "BMP", "TIFF"):
        with pytest.raises(UnreadableImageError, match="no picture"):
            inspect(encoded(picture(), file_format))


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "WEBP"])
def test_a_picture_that_stops_short_is_refused(file_format: str) -> None:
    data = encoded(Image.effect_noise((128, 128), 60).convert("RGB"), file_format)
    with pytest.raises(UnreadableImageError):
        decode(data[: len(data) // 2])


@pytest.mark.parametrize("size", [(9_460, 9_460), (14_000, 14_000), (2**31 - 1, 2**31 - 1), (60_000, 60_000)])
def test_a_picture_too_large_to_unpack_is_refused_by_its_head(size: tuple[int, int]) -> None:
    with pytest.raises(UnreadableImageError):
        inspect(bomb(*size))
    with pytest.raises(UnreadableImageError):
        decode(bomb(*size))


def test_damaged_bytes_never_raise_anything_else() -> None:
    for file_format in ("PNG", "JPEG", "WEBP"):
        whole = encoded(Image.effect_noise((48, 48), 60).convert("RGB"), file_format)
        for place in range(0, len(whole), 37):
            damaged = bytearray(whole)
            damaged[place] ^= 0xFF
            with suppress(UnreadableImageError):
                decode(bytes(damaged))


def test_a_preview_is_a_small_jpeg() -> None:
    with Image.open(io.BytesIO(encode_preview(picture("RGBA", (2048, 1024))))) as preview:
        assert (preview.format, preview.size, preview.mode) == ("JPEG", (512, 256), "RGB")


def test_a_thumbnail_is_a_small_webp_with_its_transparency() -> None:
    original = picture("RGBA", (1000, 500))
    original.putalpha(0)
    with Image.open(io.BytesIO(encode_thumbnail(original))) as thumbnail:
        assert (thumbnail.format, thumbnail.size) == ("WEBP", (256, 128))
        assert thumbnail.getchannel("A").getextrema() == (0, 0)


def test_a_small_picture_is_not_blown_up() -> None:
    with Image.open(io.BytesIO(encode_thumbnail(picture("L", (40, 20))))) as thumbnail:
        assert thumbnail.size == (40, 20)


def test_pictures_are_opened_without_a_database_library() -> None:
    program = "import sys, impasto.storage.pictures; print({'sqlalchemy', 'alembic', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "set()"
