"""The `Idempotency-Key` of requests, as every route that creates something takes it, and how a repeat is told.

What a key has created is known where the thing is created (`impasto.storage.creations`); here are only the headers.
The OpenAPI document learns of them from the parameter, see `impasto.api.openapi`.
"""

from typing import Annotated

from fastapi import Header, Response

__all__ = ["IDEMPOTENCY_KEY", "IDEMPOTENCY_REPLAYED", "IdempotencyKey", "tell_repeated"]

#: The header that a client sends, and the one that answers a repeated request.
IDEMPOTENCY_KEY, IDEMPOTENCY_REPLAYED = "Idempotency-Key", "Idempotency-Replayed"
LONGEST_KEY = 255

#: For a route that creates something; None: the request is to create something whenever it comes.
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias=IDEMPOTENCY_KEY,
        description="Makes a retry safe: for a day, the same key gives what the first request created, and creates "
        "nothing. A UUID will do; it is taken as it is, printable ASCII",
        min_length=1,
        max_length=LONGEST_KEY,
        pattern="^[ -~]+$",
    ),
]


def tell_repeated(response: Response, *, repeated: bool) -> None:
    """Say in the answer that nothing new was created: an earlier request with the same key did that."""
    if repeated:
        response.headers[IDEMPOTENCY_REPLAYED] = "true"
