"""Server-sent events, read from lines of text (https://html.spec.whatwg.org/multipage/server-sent-events.html)."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

__all__ = ["EventMessage", "read_events"]


@dataclass(frozen=True, slots=True)
class EventMessage:
    """One event of a server."""

    #: Where in the stream it is, to be sent back as it came; None before the first event that has one.
    id: str | None
    #: Its name, e.g. ``invocation_complete``.
    name: str
    data: dict[str, Any]


def read_events(lines: Iterable[str]) -> Iterator[EventMessage]:
    """The events in the lines of a stream. Comments, which keep the connection alive, are passed over."""
    identifier: str | None = None
    name = "message"
    data: list[str] = []
    for line in lines:
        if not line:
            if data:
                yield EventMessage(identifier, name, json.loads("\n".join(data)))
            name, data = "message", []
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            data.append(value)
        elif field == "event":
            name = value
        elif field == "id":
            identifier = value
