"""Bytes of pictures: what they are, masks, and formats."""

import io
from typing import Any

import pytest
from PIL import Image

from impasto_openai_server.errors import InvalidRequestError
from impasto_openai_server.pictures import edit_mask, encoded, extension_of, size_of


def file(picture: Image.Image, form: str = "PNG", **options: Any) -> bytes:
    data = io.BytesIO()
    picture.save(data, form, **options)
    return data.getvalue()


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


CLEAR_LEFT = Image.new("RGBA", (4, 2), (9, 9, 9, 255))
CLEAR_LEFT.paste((0, 0, 0, 0), (0, 0, 1, 2))


@pytest.mark.parametrize("form", ["png", "jpeg", "webp"])
def test_a_file_is_what_its_first_bytes_say(form: str) -> None:
    assert extension_of(file(Image.new("RGB", (2, 2)), form), "image") == form


@pytest.mark.parametrize(
    ("data", "words"), [(b"", "nothing in it"), (b"GIF89a", "no PNG"), (b"RIFF1234WAVE", "no PNG")]
)
def test_anything_else_is_refused_by_name(data: bytes, words: str) -> None:
    with pytest.raises(InvalidRequestError, match=f"image: .*{words}"):
        extension_of(data, "image")


@pytest.mark.parametrize(
    "mask",
    [
        file(CLEAR_LEFT),
        file(CLEAR_LEFT, "WEBP", lossless=True),
        file(CLEAR_LEFT.convert("LA")),
        file(CLEAR_LEFT.quantize(), transparency=CLEAR_LEFT.quantize().getpixel((0, 0))),
    ],
    ids=["rgba", "webp", "grey", "palette"],
)
def test_what_is_transparent_becomes_white(mask: bytes) -> None:
    made = opened(edit_mask(mask, (4, 2)))
    assert made.mode == "L"
    assert made.tobytes() == bytes([255, 0, 0, 0]) * 2


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        (file(Image.new("RGBA", (2, 2))), "it has 2x2 pixels and the image 4x2"),
        (file(Image.new("RGB", (4, 2))), "nothing in it is transparent"),
        (file(Image.new("RGBA", (4, 2), (0, 0, 0, 255))), "nothing in it is transparent"),
        (file(CLEAR_LEFT)[:50], "it cannot be read"),
        (b"no picture", "it is no PNG, JPEG or WebP file"),
    ],
    ids=["another size", "no alpha", "nothing clear", "broken off", "no picture"],
)
def test_a_mask_that_says_nothing_is_refused_with_the_reason(mask: bytes, words: str) -> None:
    with pytest.raises(InvalidRequestError, match=f"mask: {words}") as caught:
        edit_mask(mask, (4, 2))
    assert caught.value.param == "mask"


def test_a_png_stays_byte_for_byte() -> None:
    data = file(CLEAR_LEFT)
    assert encoded(data, "png", 0) is data


def test_a_jpeg_shows_what_is_clear_on_white_and_weighs_what_was_asked_for() -> None:
    noise = Image.effect_noise((64, 64), 60)
    fine, rough = (encoded(file(noise), "jpeg", compression) for compression in (95, 10))
    assert len(rough) < len(fine)
    made = opened(encoded(file(Image.new("RGBA", (8, 8), (0, 0, 0, 0))), "jpeg", 100))
    assert (made.format, made.getpixel((0, 0))) == ("JPEG", (255, 255, 255))


def test_a_webp_keeps_what_is_clear() -> None:
    made = opened(encoded(file(CLEAR_LEFT.resize((64, 32))), "webp", 100))
    assert (made.format, made.mode) == ("WEBP", "RGBA")


def test_a_preview_is_brought_to_the_size_of_the_picture() -> None:
    made = encoded(file(Image.new("RGB", (16, 8), (0, 0, 255)), "WEBP"), "png", 100, size=(128, 64))
    assert (size_of(made), opened(made).format) == ((128, 64), "PNG")
