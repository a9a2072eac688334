"""Masks, as the service reads them: clear pixels are made anew."""

import io

import pytest
from PIL import Image

from impasto_openai.mask import transparent_mask


def encoded(picture: Image.Image, file_format: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, format=file_format)
    return buffer.getvalue()


@pytest.mark.parametrize(("grey", "alpha"), [(0, 255), (1, 255), (127, 255), (128, 0), (254, 0), (255, 0)])
def test_white_becomes_clear_and_black_opaque_with_nothing_in_between(grey: int, alpha: int) -> None:
    with Image.open(io.BytesIO(transparent_mask(encoded(Image.new("L", (4, 2), grey))))) as made:
        assert (made.format, made.mode, made.size) == ("PNG", "RGBA", (4, 2))
        assert made.getextrema() == ((0, 0), (0, 0), (0, 0), (alpha, alpha))


@pytest.mark.parametrize("mode", ["1", "L", "RGB", "RGBA", "P"])
@pytest.mark.parametrize("file_format", ["PNG", "WEBP"])
def test_a_mask_may_be_stored_in_any_way(mode: str, file_format: str) -> None:
    mask = Image.new("L", (8, 8), 0)
    mask.paste(255, (0, 0, 4, 8))
    picture = mask.convert(mode)
    with Image.open(io.BytesIO(transparent_mask(encoded(picture, file_format)))) as made:
        alpha = made.getchannel("A")
        assert [alpha.getpixel((x, 0)) for x in (0, 3, 4, 7)] == [0, 0, 255, 255]


def test_a_mask_of_a_large_picture_stays_far_below_what_the_service_takes() -> None:
    noise = Image.effect_noise((1024, 1024), 100)
    assert len(transparent_mask(encoded(noise))) < 4_000_000
