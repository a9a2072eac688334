"""`Envelope`: an event with the number it was published under. Made by the bus, read by subscribers."""

from dataclasses import dataclass

from impasto_sdk.events import Event
from impasto_sdk.fields import JsonValue

__all__ = ["Envelope"]


@dataclass(frozen=True, slots=True)
class Envelope:
    """An event on its way to a reader."""

    #: 1, 2, …, rising in the order of publishing. A reader that comes back names the last one it saw.
    id: int
    event: Event

    def to_document(self) -> dict[str, JsonValue]:
        """``{"id": 7, "event": "invocation_complete", "data": {…}}``, without binary previews."""
        return {"id": self.id, "event": self.event.name, "data": self.event.to_document()}
