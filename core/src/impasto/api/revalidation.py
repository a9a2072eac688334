"""What a client has already is not sent again: it is confirmed by its ETag.

`Revalidated` does so for a large document that changes seldom, `confirms` says whether a client has anything else.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Self

from fastapi import Request, Response

from impasto_sdk.fields import JsonValue

__all__ = ["NOT_MODIFIED", "Revalidated", "confirms"]

#: For a route's `responses`.
NOT_MODIFIED: dict[int | str, dict[str, Any]] = {304: {"description": "It has not changed"}}


def confirms(request: Request, etag: str) -> bool:
    """Whether the client says that it has what bears this ETag."""
    known = {tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")}
    return etag in known or "*" in known


@dataclass(frozen=True, slots=True)
class Revalidated:
    """A JSON document, encoded, with its ETag."""

    body: bytes
    etag: str

    @classmethod
    def of(cls, document: JsonValue, revision: str | None = None) -> Self:
        """Encode a document. `revision`: what its ETag is made of; None: a hash of the body."""
        body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
        return cls(body, f'"{revision or hashlib.sha256(body).hexdigest()[:32]}"')

    def answer(self, request: Request) -> Response:
        """The document, or 304 without a body when the client says that it has this one."""
        headers = {"ETag": self.etag, "Cache-Control": "no-cache"}
        if confirms(request, self.etag):
            return Response(status_code=304, headers=headers)
        return Response(self.body, media_type="application/json", headers=headers)
