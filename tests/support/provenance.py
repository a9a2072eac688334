"""`signed_picture`: an encoded picture with content credentials (C2PA) in it, as image services send theirs.

The credentials are a marker in the place where each file format has them, so that a test sees whether a file was kept
byte for byte or encoded anew, which loses them.
"""

import io
import struct
import zlib

from PIL import Image

__all__ = ["CREDENTIALS", "signed_picture"]

#: What stands for the signed statement of who made the picture.
CREDENTIALS = b"jumb-c2pa-signed-by-the-service"


def signed_picture(
    file_format: str = "PNG", size: tuple[int, int] = (16, 16), colour: tuple[int, int, int] = (200, 30, 30)
) -> bytes:
    """A plain picture as ``PNG``, ``JPEG`` or ``WEBP`` with `CREDENTIALS`."""
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, format=file_format)
    return _SIGN[file_format](buffer.getvalue())


def _sign_png(data: bytes) -> bytes:
    """A chunk ``caBX`` behind the header, which is 33 bytes with the signature."""
    chunk = b"caBX" + CREDENTIALS
    return data[:33] + struct.pack(">I", len(CREDENTIALS)) + chunk + struct.pack(">I", zlib.crc32(chunk)) + data[33:]


def _sign_jpeg(data: bytes) -> bytes:
    """A segment APP11 behind the first marker."""
    payload = b"JP" + CREDENTIALS
    return data[:2] + b"\xff\xeb" + struct.pack(">H", len(payload) + 2) + payload + data[2:]


def _sign_webp(data: bytes) -> bytes:
    """A chunk ``C2PA`` at the end of the container."""
    body = data[8:] + b"C2PA" + struct.pack("<I", len(CREDENTIALS)) + CREDENTIALS + b"\0" * (len(CREDENTIALS) % 2)
    return b"RIFF" + struct.pack("<I", len(body)) + body


_SIGN = {"PNG": _sign_png, "JPEG": _sign_jpeg, "WEBP": _sign_webp}
