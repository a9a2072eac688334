"""Texts in PNG files, put in and read without touching the picture."""

import io
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from impasto.errors import UnreadableImageError
from impasto.storage.png_chunks import check_png, is_png, read_texts, with_texts


def png(texts: dict[str, str] | None = None, size: tuple[int, int] = (9, 7)) -> bytes:
    info = PngImagePlugin.PngInfo()
    for keyword, text in (texts or {}).items():
        info.add_text(keyword, text)
    out = io.BytesIO()
    Image.linear_gradient("L").resize(size).convert("RGB").save(out, "PNG", pnginfo=info)
    return out.getvalue()


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", len(body), kind) + body + struct.pack(">I", zlib.crc32(kind + body))


def after_head(data: bytes, *chunks: bytes) -> bytes:
    return data[:33] + b"".join(chunks) + data[33:]


@given(st.text(), st.text(alphabet=st.characters(max_codepoint=255, exclude_characters="\0")))
def test_any_text_comes_back_and_the_pixels_stay(text: str, plain: str) -> None:
    original = png()
    changed = with_texts(original, {"first": text, "second": plain})
    check_png(changed)
    assert read_texts(changed) == {"first": text, "second": plain}
    with Image.open(io.BytesIO(changed)) as image, Image.open(io.BytesIO(original)) as before:
        image.load()
        assert image.tobytes() == before.tobytes()


def test_another_library_reads_the_texts() -> None:
    data = with_texts(png(), {"invokeai_metadata": '{"prompt":"café ☃ 写真"}', "parameters": "café"})
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        assert image.text == {"invokeai_metadata": '{"prompt":"café ☃ 写真"}', "parameters": "café"}


def test_texts_of_another_library_are_read() -> None:
    assert read_texts(png({"parameters": "steps: 20", "title": "☃"})) == {"parameters": "steps: 20", "title": "☃"}


def test_packed_texts_are_read() -> None:
    packed = chunk(b"zTXt", b"parameters\0\0" + zlib.compress("café".encode("latin-1")))
    international = chunk(b"iTXt", b"title\0\1\0en\0Titel\0" + zlib.compress("☃".encode()))
    assert read_texts(after_head(png(), packed, international)) == {"parameters": "café", "title": "☃"}


def test_a_text_takes_the_place_of_one_with_the_same_keyword() -> None:
    data = with_texts(with_texts(png({"kept": "yes"}), {"seed": "1"}), {"seed": "2"})
    assert read_texts(data) == {"kept": "yes", "seed": "2"}
    assert data.count(b"seed\0") == 1


def test_texts_that_cannot_be_read_are_passed_over() -> None:
    bomb = chunk(b"zTXt", b"bomb\0\0" + zlib.compress(b"0" * (65 * 2**20), 9))
    broken = chunk(b"zTXt", b"broken\0\0not packed at all")
    unknown = chunk(b"zTXt", b"unknown\0\7" + zlib.compress(b"method"))
    wrong = chunk(b"iTXt", b"wrong\0\0\0\0\0\xff\xfe")
    assert read_texts(after_head(png({"good": "text"}), bomb, broken, unknown, wrong)) == {"good": "text"}


def test_a_whole_file_passes_and_what_follows_its_end_is_kept_out() -> None:
    check_png(png())
    check_png(png() + b"rubbish")
    assert with_texts(png() + b"rubbish", {}) == png()


@pytest.mark.parametrize("missing", [1, 4, 12, 13, 40])
def test_a_file_that_stops_short_is_refused(missing: int) -> None:
    with pytest.raises(UnreadableImageError, match="stops"):
        check_png(png()[:-missing])


def test_a_damaged_file_is_refused() -> None:
    data = bytearray(png())
    data[-20] ^= 1
    with pytest.raises(UnreadableImageError, match="checksum of b'IDAT'"):
        check_png(bytes(data))


def test_only_png_begins_as_png_does() -> None:
    assert is_png(png())
    assert not is_png(b"\xff\xd8\xff\xe0" + png())
