"""Logs of events for tests: real ones, on real databases."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from impasto.events import EventBus
from impasto.storage.database import Database
from impasto.storage.event_log import EventLog
from impasto_sdk.events import Event

__all__ = ["open_bus", "open_log"]


def open_log(database: Database, *, told: list[Event] | None = None) -> EventLog:
    """The log of an open database, which must have no other; `told` takes every event once it is on disk."""
    log = EventLog(database)
    log.open()
    if told is not None:
        log.listen(lambda logged: told.extend(one.event for one in logged))
    return log


@contextmanager
def open_bus(folder: Path, buffer: int = 1000) -> Iterator[EventBus]:
    """A bus over the log of a database in `folder`, as a server has it; the same folder again is a restart."""
    with Database(folder / "impasto.db") as database:
        log = EventLog(database)
        bus = EventBus(log, buffer)
        log.open()
        try:
            yield bus
        finally:
            bus.close()
