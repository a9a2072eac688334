"""The events of the server as they happen, previews included: what comes out of ``/api/v1/events/ws``."""

import json
from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass, field

from impasto_sdk.asgi.socket import ApiSocket
from impasto_sdk.errors import ApiClosedError
from impasto_sdk.fields import JsonValue

__all__ = ["ApiEvent", "ApiPreview", "EventSocket"]

#: Bytes of the length before the header of a binary frame.
_LENGTH = 4
#: Frames of the server that are no events of it.
_ANSWERS = frozenset({"subscribed", "refused"})


@dataclass(frozen=True, slots=True)
class ApiEvent:
    """An event of the server, see `impasto_sdk.events`."""

    id: int
    name: str
    #: Its fields, as `Event.to_document` gives them.
    data: Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class ApiPreview:
    """The picture that belongs to the progress event `id`, which came right before it."""

    id: int
    item_id: int
    #: Id of the node in the graph as it was queued.
    node_id: str
    #: ``image/jpeg`` or ``image/webp``.
    media_type: str
    picture: bytes = field(repr=False)


@dataclass(slots=True)
class EventSocket:
    """The open stream of events; iterate over it. Raises `ApiClosedError` once the server ends it."""

    _socket: ApiSocket
    #: What the stream began with: its `data` is ``{epoch, last_id, complete}``.
    hello: ApiEvent
    #: The id of the last event that was read; come back with it to miss no durable one.
    last_id: int

    @classmethod
    async def of(cls, socket: ApiSocket) -> "EventSocket":
        """The stream of an open socket, once it has been greeted."""
        hello = _read(await socket.receive())
        assert isinstance(hello, ApiEvent)
        return cls(socket, hello, hello.id)

    async def __aiter__(self) -> AsyncIterator[ApiEvent | ApiPreview]:
        while True:
            found = _read(await self._socket.receive())
            if isinstance(found, ApiEvent):
                self.last_id = found.id
                if found.name in _ANSWERS:
                    _raise_if_refused(found)
                    continue
            yield found

    def subscribe(
        self,
        *,
        item_ids: Collection[int] | None = None,
        batch_ids: Collection[str] | None = None,
        names: Collection[str] | None = None,
    ) -> None:
        """Choose other events: what fits all that is given; None: no matter. A few others may still be under way."""
        wanted = {"item_id": item_ids, "batch_id": batch_ids, "events": names}
        chosen = {key: list(values) for key, values in wanted.items() if values is not None}
        self._socket.send(json.dumps({"subscribe": chosen}))


def _read(frame: str | bytes) -> ApiEvent | ApiPreview:
    if isinstance(frame, str):
        document = json.loads(frame)
        return ApiEvent(document["id"], document["event"], document["data"])
    begin = _LENGTH + int.from_bytes(frame[:_LENGTH], "big")
    header = json.loads(frame[_LENGTH:begin])
    return ApiPreview(
        header["id"], header["item_id"], header["invocation_source_id"], header["media_type"], frame[begin:]
    )


def _raise_if_refused(answer: ApiEvent) -> None:
    if answer.name == "refused":
        raise ApiClosedError(1008, str(answer.data.get("message", "")))
