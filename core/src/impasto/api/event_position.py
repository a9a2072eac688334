"""`EventPosition`: the last event a client saw, as it travels in ``Last-Event-ID`` and ``last_id``.

Ids go on when the server is started again; they begin anew with a new database. So a position names the line of events
(its *epoch*) too: ``17.9f0c…``. A bare number is taken as well; it is believed to be of this line.
"""

from dataclasses import dataclass
from typing import Self

__all__ = ["EventPosition"]


@dataclass(frozen=True, slots=True)
class EventPosition:
    """Where a client is in a line of events."""

    id: int
    #: None: this line.
    epoch: str | None = None

    @classmethod
    def parse(cls, text: str | None) -> Self | None:
        """The position a client sent; None for none. Raises `ValueError` saying what is expected."""
        if not text:
            return None
        number, _, epoch = text.partition(".")
        if not (number.isascii() and number.isdigit() and len(number) < 19):
            raise ValueError(
                f"{text[:80]!r} is no event id; send back the last one that was received, e.g. 17 or 17.9f0c"
            )
        return cls(int(number), epoch or None)

    def __str__(self) -> str:
        return f"{self.id}.{self.epoch}" if self.epoch else str(self.id)
