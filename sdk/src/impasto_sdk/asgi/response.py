"""What the API answers: whole (`ApiResponse`), or piece by piece (`ApiStream`)."""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Self

from impasto_sdk.asgi.connection import AsgiConnection
from impasto_sdk.errors import ApiRefusedError
from impasto_sdk.fields import JsonValue

__all__ = ["ApiResponse", "ApiStream", "ServerSentEvent"]


@dataclass(frozen=True, slots=True)
class ApiResponse:
    """A whole answer. Names of headers are in lower case; one that came twice holds its last value."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def ok(self) -> bool:
        """Whether the request was carried out: a status below 400."""
        return self.status < 400

    def json(self) -> JsonValue:
        """The body, read as JSON. Raises `ValueError` when it is none."""
        return json.loads(self.body)

    def checked(self) -> Self:
        """This answer itself. Raises `ApiRefusedError` with the problem document of one that is not `ok`."""
        if self.ok:
            return self
        try:
            problem = self.json()
        except ValueError:
            problem = None
        waiting = self.headers.get("retry-after", "")
        raise ApiRefusedError(
            self.status,
            problem if isinstance(problem, dict) else {"detail": self.body[:200].decode("utf-8", "replace")},
            retry_after_s=int(waiting) if waiting.isdigit() else None,
        )


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    """One event of a stream."""

    name: str
    data: str
    id: str | None = None

    def json(self) -> JsonValue:
        """Its data, read as JSON. Raises `ValueError` when it is none."""
        return json.loads(self.data)


@dataclass(slots=True)
class ApiStream:
    """An answer whose body is still coming. Read it once: by `chunks`, `lines` or `events`, or whole with `read`."""

    status: int
    headers: Mapping[str, str]
    _connection: AsgiConnection = field(repr=False)
    _ended: bool = False

    async def chunks(self) -> AsyncIterator[bytes]:
        """The body, as it comes. Raises `ApiClosedError` when the answer breaks off."""
        while not self._ended:
            message = await self._connection.get()
            self._ended = not message.get("more_body", False)
            if message.get("body"):
                yield bytes(message["body"])

    async def read(self) -> ApiResponse:
        """The whole answer, once all of it is there. Raises `ApiClosedError` when it breaks off."""
        return ApiResponse(self.status, self.headers, b"".join([chunk async for chunk in self.chunks()]))

    async def lines(self) -> AsyncIterator[str]:
        """The body as lines of UTF-8, without their ends."""
        begun: list[bytes] = []  # a line may take many chunks, and be long
        async for chunk in self.chunks():
            first, *others = chunk.split(b"\n")
            begun.append(first)
            for other in others:
                yield b"".join(begun).removesuffix(b"\r").decode("utf-8", "replace")
                begun = [other]
        if any(begun):
            yield b"".join(begun).decode("utf-8", "replace")

    async def events(self) -> AsyncIterator[ServerSentEvent]:
        """The body as server-sent events; comments are left out."""
        name, number, data = "", None, list[str]()
        async for line in self.lines():
            key, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if line == "":
                if data:
                    yield ServerSentEvent(name or "message", "\n".join(data), number)
                name, data = "", []
            elif key == "event":
                name = value
            elif key == "data":
                data.append(value)
            elif key == "id":
                number = value
