"""What happens, as it happens: a WebSocket at `/api/v1/events/ws` and server-sent events at `/api/v1/events`.

Both begin with a `hello` that names the line of events (`epoch`) and says whether anything is missing (`complete` is
false: fetch the present state). A client that comes back with the last id it saw misses no durable event, also when the
server was started again meanwhile. One that is slow loses progress and nothing else, and is not sent away for it.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Sequence
from typing import Annotated

from fastapi import Depends, Header, Query, Request, WebSocket, WebSocketDisconnect
from fastapi.responses import StreamingResponse

from impasto.api.event_filter import EventFilter
from impasto.api.event_frames import event_text, message_text, picture_frame, text_without_picture
from impasto.api.event_position import EventPosition
from impasto.api.event_requests import changed_filter
from impasto.api.event_streams import EventStreams
from impasto.api.problems import ProblemError, problem
from impasto.api.router import Router
from impasto.api.socket_closing import GOING_AWAY, POLICY, TRY_AGAIN, closing_words
from impasto.errors import SubscriptionEndedError
from impasto.events import Subscription
from impasto_sdk.events import event_names

__all__ = ["router"]

router = Router("/api/v1/events", "events")
logger = logging.getLogger(__name__)

#: Seconds of silence after which a comment is sent, so that proxies keep the connection.
HEARTBEAT_S = 15.0

#: What an event's id looks like, for the OpenAPI document: a socket has to be open before it can be told what is wrong.
_AN_ID = {"pattern": r"^([0-9]{1,18}(\..*)?)?$"}
_LastId = Annotated[
    str | None,
    Query(description="The last event id that was seen; what came after it is sent first", json_schema_extra=_AN_ID),
]
#: An event as it is sent; how `data` looks depends on its name.
_SENT = {
    "type": "object",
    "properties": {
        "id": {"type": "string", "description": "Send it back as `Last-Event-ID`, or as `last_id`"},
        "event": {"type": "string", "description": "Its name; `hello` is the first"},
        "data": {"type": "string", "description": "Its fields, as text", "contentMediaType": "application/json"},
    },
}


class _Wanted:
    """Which events the query asks for; what it asks for may be nothing that there is."""

    def __init__(
        self,
        queue_id: Annotated[
            list[str] | None, Query(description="Leave out events of other queues; may be given more than once")
        ] = None,
        item_id: Annotated[
            list[int] | None, Query(description="Only events of this queue item; may be given more than once")
        ] = None,
        batch_id: Annotated[
            list[str] | None, Query(description="Only events of this batch; may be given more than once")
        ] = None,
        events: Annotated[
            list[str] | None,
            Query(
                description="Only events of this name; may be given more than once",
                json_schema_extra={"items": {"type": "string", "enum": sorted(event_names())}},
            ),
        ] = None,
    ) -> None:
        self._lists: tuple[Sequence[str] | None, Sequence[int] | None, Sequence[str] | None, Sequence[str] | None]
        self._lists = (queue_id, item_id, batch_id, events)

    def filter(self) -> EventFilter:
        """Raises `ValueError` for the name of no event."""
        return EventFilter.of(*self._lists)


_Query = Annotated[_Wanted, Depends()]


@router.get(
    "",
    response_class=StreamingResponse,
    responses={200: {"content": {"text/event-stream": {"schema": _SENT}}}},
)
async def stream_events(
    request: Request,
    query: _Query,
    last_id: _LastId = None,
    last_event_id: Annotated[
        str | None, Header(description="As browsers send it when they come back", json_schema_extra=_AN_ID)
    ] = None,
) -> StreamingResponse:
    """Server-sent events: `id`, `event` (its name) and `data` (its fields as JSON)."""
    try:
        position, wanted = EventPosition.parse(last_event_id or last_id), query.filter()
    except ValueError as error:
        raise ProblemError(problem(422, "request-does-not-fit", str(error))) from error
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
        sent = streams.sent
        yield sent.message(stream.last_id, "hello", streams.greeting(stream))
        while True:
            try:
                async with asyncio.timeout(HEARTBEAT_S):
                    envelope = await stream.next()
            except TimeoutError:
                yield b":\n\n"
            except SubscriptionEndedError:
                return  # a browser comes back by itself, with the last id it saw
            else:
                yield envelope.once(sent.block)


@router.websocket("/ws")
async def follow_events(
    socket: WebSocket,
    query: _Query,
    last_id: _LastId = None,
    previews: Annotated[bool, Query(description="Send previews as binary frames")] = False,
) -> None:
    """Text frames ``{"id", "event", "data"}``; with `previews`, a binary frame after a progress event that has one.

    A binary frame is the length of its header (four bytes, big-endian), the header (JSON: id, queue_id, item_id,
    session_id, invocation_source_id, media_type) and the picture. A text frame of the client chooses other events, see
    `impasto.api.event_requests`; it is answered by `subscribed` or `refused`.
    """
    await socket.accept()
    try:
        position, wanted = EventPosition.parse(last_id), query.filter()
    except ValueError as error:
        await socket.close(POLICY, closing_words(str(error)))
        return
    streams: EventStreams = socket.app.state.event_streams
    with streams.open(position, wanted) as stream, contextlib.suppress(WebSocketDisconnect):
        await socket.send_text(message_text(stream.last_id, "hello", streams.greeting(stream)))
        sending = asyncio.create_task(_send(socket, stream, previews=previews))
        listening = asyncio.create_task(_listen(socket, stream, wanted))
        try:
            await asyncio.wait({sending, listening}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (sending, listening):
                task.cancel()
            for outcome in await asyncio.gather(sending, listening, return_exceptions=True):
                if isinstance(outcome, Exception):
                    logger.error("an event stream broke off", exc_info=outcome)


async def _send(socket: WebSocket, stream: Subscription, *, previews: bool) -> None:
    """Send events until the stream ends or the client is gone. Waits where the client does not read."""
    with contextlib.suppress(WebSocketDisconnect):
        try:
            while True:
                envelope = await stream.next()
                picture = envelope.once(picture_frame) if previews else None
                if picture is None:
                    await socket.send_text(envelope.once(event_text))
                else:
                    await socket.send_text(envelope.once(text_without_picture))
                    await socket.send_bytes(picture)
        except SubscriptionEndedError as ended:
            await socket.close(TRY_AGAIN if stream.missed else GOING_AWAY, closing_words(ended.reason))


async def _listen(socket: WebSocket, stream: Subscription, wanted: EventFilter) -> None:
    """Let the client choose other events, until it leaves."""
    with contextlib.suppress(WebSocketDisconnect):
        while (message := await socket.receive())["type"] != "websocket.disconnect":
            try:
                wanted = changed_filter(wanted, message.get("text") or "")
            except ValueError as error:
                answer = message_text(stream.last_id, "refused", {"message": str(error)})
            else:
                # what is not wanted any more is not sent behind the answer: it is let go here, before anything waits
                stream.want(wanted)
                answer = message_text(stream.last_id, "subscribed", wanted.to_document())
            await socket.send_text(answer)
