"""The chunks of a PNG file: texts are read from them and put between them, and no pixel is touched.

Follows the PNG specification, third edition: signature, then chunks of length, type, data and checksum. Pure functions
over bytes, without an imaging library.
"""

import struct
import zlib
from collections.abc import Iterator, Mapping

from impasto.errors import UnreadableImageError

__all__ = ["check_png", "is_png", "read_texts", "with_texts"]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_TEXT_TYPES = frozenset({b"tEXt", b"zTXt", b"iTXt"})
#: Longest text that is unpacked, in bytes: a few kilobytes of packed zeros can stand for gigabytes.
MAX_TEXT_BYTES = 64 * 2**20


def is_png(data: bytes) -> bool:
    """Whether it begins as a PNG file does."""
    return data.startswith(_SIGNATURE)


def check_png(data: bytes) -> None:
    """Raise `UnreadableImageError` when a chunk is damaged or the file stops short. Unpacks nothing."""
    last = b""
    for kind, body, checksum in _chunks(data):
        if zlib.crc32(body, zlib.crc32(kind)) != checksum:
            raise UnreadableImageError(f"the PNG is damaged: the checksum of {kind!r} does not match")
        last = kind
    if last != b"IEND":
        raise UnreadableImageError("the PNG stops before its end")


def read_texts(data: bytes) -> dict[str, str]:
    """The texts by keyword; of a keyword that comes twice the last. Texts that cannot be read are passed over."""
    texts = {}
    for kind, body, _ in _chunks(data):
        if kind in _TEXT_TYPES:
            keyword, _, rest = bytes(body).partition(b"\0")
            text = _READERS[kind](rest)
            if text is not None:
                texts[keyword.decode("latin-1")] = text
    return texts


def with_texts(data: bytes, texts: Mapping[str, str]) -> bytes:
    """The file with each text in it, in place of texts of the same keywords; all else is kept byte for byte."""
    replaced = {keyword.encode("latin-1") for keyword in texts}
    parts: list[bytes | memoryview] = [_SIGNATURE]
    for kind, body, checksum in _chunks(data):
        if kind in _TEXT_TYPES and bytes(body).partition(b"\0")[0] in replaced:
            continue
        parts += [struct.pack(">I4s", len(body), kind), body, struct.pack(">I", checksum)]
        if kind == b"IHDR":  # before the pixels, so that a reader has them without reading on
            parts += [_text_chunk(keyword, text) for keyword, text in texts.items()]
    return b"".join(parts)


def _chunks(data: bytes) -> Iterator[tuple[bytes, memoryview, int]]:
    """Type, data and checksum of each chunk, up to the end of the picture. What follows the end is not part of it."""
    view = memoryview(data)
    at = len(_SIGNATURE)
    while at + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        end = at + 8 + length
        if end + 4 > len(data):
            raise UnreadableImageError(f"the PNG stops in the middle of its {kind!r} part")
        yield kind, view[at + 8 : end], struct.unpack_from(">I", data, end)[0]
        if kind == b"IEND":
            return
        at = end + 4


def _text_chunk(keyword: str, text: str) -> bytes:
    try:
        kind, body = b"tEXt", keyword.encode("latin-1") + b"\0" + text.encode("latin-1")
    except UnicodeEncodeError:
        # not compressed, no language, no translated keyword
        kind, body = b"iTXt", keyword.encode("latin-1") + b"\0\0\0\0\0" + text.encode("utf-8", "backslashreplace")
    return struct.pack(">I4s", len(body), kind) + body + struct.pack(">I", zlib.crc32(body, zlib.crc32(kind)))


def _read_plain(rest: bytes) -> str | None:
    return rest.decode("latin-1")


def _read_packed(rest: bytes) -> str | None:
    unpacked = _unpacked(rest[1:]) if rest[:1] == b"\0" else None
    return None if unpacked is None else unpacked.decode("latin-1")


def _read_international(rest: bytes) -> str | None:
    flag, method, texts = rest[:1], rest[1:2], rest[2:]
    _language, _, texts = texts.partition(b"\0")
    _translated, _, text = texts.partition(b"\0")
    unpacked = text if flag == b"\0" else _unpacked(text) if method == b"\0" else None
    try:
        return None if unpacked is None else unpacked.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _unpacked(data: bytes) -> bytes | None:
    unpacker = zlib.decompressobj()
    try:
        text = unpacker.decompress(data, MAX_TEXT_BYTES)
    except zlib.error:
        return None
    return text if unpacker.eof else None


_READERS = {b"tEXt": _read_plain, b"zTXt": _read_packed, b"iTXt": _read_international}
