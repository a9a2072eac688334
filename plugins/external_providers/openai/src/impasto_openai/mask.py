"""`transparent_mask`: our masks as OpenAI's service reads them."""

import io

__all__ = ["transparent_mask"]

#: Grey from here on is made anew. The service knows clear pixels only, and nothing in between.
_WHITE_FROM = 128


def transparent_mask(mask: bytes) -> bytes:
    """A PNG that is clear where `mask`, an encoded greyscale picture, is white; black and opaque everywhere else."""
    from PIL import Image

    with Image.open(io.BytesIO(mask)) as picture:
        grey = picture.convert("L")
    clear = Image.new("RGBA", grey.size, (0, 0, 0, 255))
    clear.putalpha(grey.point([0 if value >= _WHITE_FROM else 255 for value in range(256)]))
    buffer = io.BytesIO()
    clear.save(buffer, format="PNG")
    return buffer.getvalue()
