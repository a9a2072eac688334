"""What the bus needs of the log that keeps durable events; `impasto.storage.event_log.EventLog` is the real one.

Said here because events and storage are neighbours, which do not know one another.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, Protocol

from impasto_sdk.events import Event

__all__ = ["Log", "LogPage", "LoggedEvent"]


class LoggedEvent(Protocol):
    """A durable event that is kept, or another one that was told of with such."""

    @property
    def id(self) -> int:
        """Rising in the order of the commits, over restarts too, and given to one durable event; see `Envelope.id`."""
        ...

    @property
    def event(self) -> Event:
        """What happened."""
        ...

    @property
    def text(self) -> str | None:
        """The fields of a durable event as JSON."""
        ...


class LogPage(Protocol):
    """Events that follow one another in the log."""

    @property
    def events(self) -> Sequence[LoggedEvent]:
        """In order of their ids."""
        ...

    @property
    def last_id(self) -> int:
        """What to read after for the next page."""
        ...

    @property
    def more(self) -> bool:
        """Whether there may be a next page."""
        ...

    @property
    def complete(self) -> bool:
        """Whether nothing was removed between where the page was asked to begin and its first event."""
        ...


class Log(Protocol):
    """Keeps durable events. What it tells its listener is committed, and in order of the ids."""

    epoch: str

    @property
    def last_id(self) -> int:
        """Id of the newest event that its listener was told of, by this process or one before it."""
        ...

    @property
    def taken_id(self) -> int:
        """The newest id that was given out, delivered or not yet."""
        ...

    @property
    def forgotten_id(self) -> int:
        """Id of the newest event that is no longer kept."""
        ...

    def was_skipped(self, event_id: int) -> bool:
        """Whether an id was left out, so that a reader who names it saw what was lost."""
        ...

    def listen(self, listener: Callable[[Sequence[LoggedEvent]], object]) -> None:
        """Have `listener` called with events after their commit; it must not wait."""
        ...

    def submit(self, told: Sequence[Event]) -> Future[Any]:
        """Keep events; returns at once. The listener is told of them before the future is done."""
        ...

    def read(self, after: int, limit: int) -> LogPage:
        """The events after an id, at most `limit`."""
        ...
