"""Bodies of type ``multipart/form-data`` (RFC 7578), which is how the API takes files."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["UploadFile", "encode_multipart"]


@dataclass(frozen=True, slots=True)
class UploadFile:
    """A file to send. `name` and `media_type` are what it is announced as; the API looks at its bytes."""

    data: bytes
    name: str = "file"
    media_type: str = "application/octet-stream"


def encode_multipart(fields: Mapping[str, str | UploadFile]) -> tuple[str, bytes]:
    """The content type and the body of a form of texts and files."""
    boundary = secrets.token_hex(16)
    parts = []
    for key, value in fields.items():
        heading = f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(key)}"'
        if isinstance(value, UploadFile):
            heading += f'; filename="{_quoted(value.name)}"\r\nContent-Type: {value.media_type}'
        data = value.data if isinstance(value, UploadFile) else value.encode()
        parts.append(heading.encode() + b"\r\n\r\n" + data + b"\r\n")
    return f"multipart/form-data; boundary={boundary}", b"".join(parts) + f"--{boundary}--\r\n".encode()


def _quoted(name: str) -> str:
    # as browsers do: these three would end the quotes or the line
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
