"""Queues for tests: a real one on a real database, and what it tells."""

from typing import Any

from impasto.queue import SessionQueue
from impasto.storage.database import Database
from impasto.storage.event_log import EventLog
from impasto.storage.queue_items import QueueItemStore
from impasto_sdk.events import Event

__all__ = ["open_queue", "open_store"]


def open_queue(database: Database, *, told: list[Event] | None = None, **limits: Any) -> SessionQueue:
    """A queue on an open database, which has no other; `told` takes every event once it is on disk.

    `limits`: what else a `SessionQueue` takes, such as `max_queue_size` (1,000) and `max_attempts` (2).
    """
    return SessionQueue(open_store(database, told=told), **{"max_queue_size": 1000, "max_attempts": 2, **limits})


def open_store(database: Database, *, told: list[Event] | None = None) -> QueueItemStore:
    """The store of a queue, for tests that put more than one `SessionQueue` on it."""
    log = EventLog(database)
    log.open()
    if told is not None:
        log.listen(lambda logged: told.extend(one.event for one in logged))
    return QueueItemStore(database, log)
