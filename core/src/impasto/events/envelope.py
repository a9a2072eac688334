"""`Envelope`: an event on its way to readers, with where in the line of events it is. Made by the bus."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar

from impasto.events.log import LoggedEvent
from impasto_sdk.events import Event

__all__ = ["Envelope"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Envelope:
    """An event and its place."""

    #: What to come back with after this event. A durable one has an id of its own; any other (progress) travels with
    #: the id of the last durable one before it, so that whoever comes back with it misses nothing.
    id: int
    event: Event
    _made: dict[Callable[[Any], Any], Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def logged(cls, logged: LoggedEvent) -> Self:
        """The envelope of an event of the log; the JSON of a durable one is there already."""
        return cls(logged.id, logged.event, {} if logged.text is None else {_text: logged.text})

    @property
    def text(self) -> str:
        """The event's fields as JSON, without binary previews."""
        return self.once(_text)

    def once(self, make: Callable[[Self], T]) -> T:
        """What `make` makes of this envelope. It is made once, however many readers ask for it."""
        made: T
        try:
            made = self._made[make]
        except KeyError:
            made = self._made[make] = make(self)  # two threads at once make it twice, and alike
        return made


def _text(envelope: Envelope) -> str:
    return json.dumps(envelope.event.to_document(), separators=(",", ":"))
