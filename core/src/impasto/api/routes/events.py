"""What happens, as it happens: a WebSocket at `/api/v1/events/ws` and server-sent events at `/api/v1/events`.

Both begin with a `hello` that names the server's life (`epoch`) and says whether anything is missing (`complete` is
false: fetch the present state). A client that comes back with the last id it saw misses no durable event; one that
is too slow loses progress first, and is sent away, with its last id, before it would lose anything else.
"""

import asyncio
import contextlib
import json
import logging
import struct
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Header, Query, Request, WebSocket, WebSocketDisconnect
from fastapi.responses import StreamingResponse

from impasto.api.event_filter import EventFilter
from impasto.api.event_position import EventPosition
from impasto.api.event_streams import EventStreams
from impasto.api.problems import ProblemError, problem
from impasto.api.router import Router
from impasto.errors import SubscriptionEndedError
from impasto.events import Envelope, Subscription
from impasto_sdk.events import InvocationProgressEvent
from impasto_sdk.fields import JsonValue

__all__ = ["router"]

router = Router("/api/v1/events", "events")
logger = logging.getLogger(__name__)

#: Seconds of silence after which a comment is sent, so that proxies keep the connection.
HEARTBEAT_S = 15.0
#: Close codes of the WebSocket (RFC 6455): the server stops; the client is to come back; the query is wrong.
GOING_AWAY, TRY_AGAIN, POLICY = 1001, 1013, 1008

_LastId = Annotated[str | None, Query(description="The last event id that was seen; what came after it is sent first")]
_Queue = Annotated[str | None, Query(alias="queue_id", description="Leave out events of other queues")]
_Item = Annotated[int | None, Query(alias="item_id", description="Only events of this queue item")]
_Batch = Annotated[str | None, Query(alias="batch_id", description="Only events of this batch")]


@router.get(
    "",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
)
async def stream_events(
    request: Request,
    last_id: _LastId = None,
    last_event_id: Annotated[str | None, Header(description="As browsers send it when they come back")] = None,
    queue_id: _Queue = None,
    item_id: _Item = None,
    batch_id: _Batch = None,
) -> StreamingResponse:
    """Server-sent events: `id`, `event` (its name) and `data` (its fields as JSON)."""
    try:
        position = EventPosition.parse(last_event_id or last_id)
    except ValueError as error:
        raise ProblemError(problem(422, "request-does-not-fit", str(error))) from error
    wanted = EventFilter(queue_id=queue_id, item_id=item_id, batch_id=batch_id)
    streams: EventStreams = request.app.state.event_streams
    return StreamingResponse(
        _server_sent(streams, position, wanted),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _server_sent(
    streams: EventStreams, position: EventPosition | None, wanted: EventFilter
) -> AsyncIterator[bytes]:
    with streams.open(position, wanted) as stream:
        yield _block("hello", streams.greeting(stream), EventPosition(stream.last_id, streams.epoch))
        while True:
            try:
                async with asyncio.timeout(HEARTBEAT_S):
                    envelope = await stream.next()
            except TimeoutError:
                yield b":\n\n"
            except SubscriptionEndedError:
                return  # a browser comes back by itself, with the last id it saw
            else:
                position = EventPosition(envelope.id, streams.epoch)
                yield _block(envelope.event.name, envelope.event.to_document(), position)


def _block(name: str, data: JsonValue, position: EventPosition) -> bytes:
    return f"id: {position}\nevent: {name}\ndata: {_json(data)}\n\n".encode()


@router.websocket("/ws")
async def follow_events(
    socket: WebSocket,
    last_id: _LastId = None,
    queue_id: _Queue = None,
    item_id: _Item = None,
    batch_id: _Batch = None,
    previews: Annotated[bool, Query(description="Send previews as binary frames")] = False,
) -> None:
    """Text frames ``{"id", "event", "data"}``; with `previews`, a binary frame after a progress event that has one.

    A binary frame is the length of its header (four bytes, big-endian), the header (JSON: id, queue_id, item_id,
    session_id, invocation_source_id, media_type) and the picture.
    """
    await socket.accept()
    try:
        position = EventPosition.parse(last_id)
    except ValueError as error:
        await socket.close(POLICY, str(error)[:120])
        return
    wanted = EventFilter(queue_id=queue_id, item_id=item_id, batch_id=batch_id)
    streams: EventStreams = socket.app.state.event_streams
    with streams.open(position, wanted) as stream:
        greeting = {"id": stream.last_id, "event": "hello", "data": streams.greeting(stream)}
        sending = asyncio.create_task(_send(socket, greeting, stream, previews=previews))
        leaving = asyncio.create_task(_wait_for_leave(socket))
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sending, leaving):
                task.cancel()
            for outcome in await asyncio.gather(sending, leaving, return_exceptions=True):
                if isinstance(outcome, Exception):
                    logger.error("an event stream broke off", exc_info=outcome)


async def _send(socket: WebSocket, greeting: JsonValue, stream: Subscription, *, previews: bool) -> None:
    """Send the greeting, then events until the stream ends or the client is gone."""
    with contextlib.suppress(WebSocketDisconnect):
        await socket.send_text(_json(greeting))
        try:
            while True:
                envelope = await stream.next()
                preview = _preview(envelope) if previews else None
                await socket.send_text(_json(_document(envelope, with_picture=preview is None)))
                if preview is not None:
                    await socket.send_bytes(preview)
        except SubscriptionEndedError as ended:
            await socket.close(TRY_AGAIN if stream.overflowed else GOING_AWAY, ended.reason[:120])


async def _wait_for_leave(socket: WebSocket) -> None:
    """Read until the client leaves. What it says is not answered."""
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


def _document(envelope: Envelope, *, with_picture: bool) -> dict[str, JsonValue]:
    document = envelope.to_document()
    if not with_picture:
        document["data"]["image"] = None
    return document


def _preview(envelope: Envelope) -> bytes | None:
    event = envelope.event
    if not isinstance(event, InvocationProgressEvent) or event.preview is None:
        return None
    header = {
        "id": envelope.id,
        "queue_id": event.queue_id,
        "item_id": event.item_id,
        "session_id": event.session_id,
        "invocation_source_id": event.invocation_source_id,
        "media_type": "image/webp" if event.preview[8:12] == b"WEBP" else "image/jpeg",
    }
    encoded = _json(header).encode()
    return struct.pack(">I", len(encoded)) + encoded + event.preview


def _json(value: JsonValue) -> str:
    return json.dumps(value, separators=(",", ":"))
