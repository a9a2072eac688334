"""How events look on their way to clients: text and binary frames of a WebSocket, blocks of server-sent events.

Each form of an event is made once, however many clients it goes to. Pure; used by the routes of events.
"""

import json
import struct

from impasto.api.event_position import EventPosition
from impasto.events import Envelope
from impasto_sdk.events import InvocationProgressEvent
from impasto_sdk.fields import JsonValue

__all__ = ["SentEvents", "event_text", "message_text", "picture_frame", "text_without_picture"]


def event_text(envelope: Envelope) -> str:
    """An event as a text frame: ``{"id": 7, "event": "invocation_complete", "data": {…}}``."""
    return _frame(envelope.id, envelope.event.name, envelope.text)


def text_without_picture(envelope: Envelope) -> str:
    """The text frame of an event whose preview goes in a frame of its own."""
    return message_text(envelope.id, envelope.event.name, {**envelope.event.to_document(), "image": None})


def message_text(event_id: int, name: str, data: JsonValue) -> str:
    """A text frame of what is no event of the bus, such as the greeting."""
    return _frame(event_id, name, _json(data))


def picture_frame(envelope: Envelope) -> bytes | None:
    """The preview of a progress event as a binary frame; None when it has none.

    The length of the header (four bytes, big-endian), the header (JSON), the picture.
    """
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


class SentEvents:
    """Server-sent events of one line of events, which `epoch` names."""

    def __init__(self, epoch: str) -> None:
        self._epoch = epoch

    def block(self, envelope: Envelope) -> bytes:
        """An event: its id, name and fields."""
        return self._block(envelope.id, envelope.event.name, envelope.text)

    def message(self, event_id: int, name: str, data: JsonValue) -> bytes:
        """What is no event of the bus, such as the greeting."""
        return self._block(event_id, name, _json(data))

    def _block(self, event_id: int, name: str, text: str) -> bytes:
        return f"id: {EventPosition(event_id, self._epoch)}\nevent: {name}\ndata: {text}\n\n".encode()


def _frame(event_id: int, name: str, text: str) -> str:
    return f'{{"id":{event_id},"event":"{name}","data":{text}}}'


def _json(value: JsonValue) -> str:
    return json.dumps(value, separators=(",", ":"))
