"""Queues for tests: a real one on a real database, and what it tells."""

from typing import Any

from impasto.queue import SessionQueue
from impasto.storage.database import Database
from impasto.storage.event_log import EventLog
from impasto.storage.queue.items import QueueItemStore
from impasto_sdk.events import Event
from support.event_logs import open_log

__all__ = ["open_queue", "open_store"]


def open_queue(
    database: Database, *, told: list[Event] | None = None, log: EventLog | None = None, **limits: Any
) -> SessionQueue:
    """A queue on an open database, which has no other; `told` takes every event once it is on disk.

    `log`: where other stores of the database tell of their changes too, there is one for all. `limits`: what else a
    `SessionQueue` takes, such as `max_queue_size` (1,000) and `max_attempts` (2).
    """
    store = open_store(database, told=told) if log is None else QueueItemStore(database, log)
    return SessionQueue(store, **{"max_queue_size": 1000, "max_attempts": 2, **limits})


def open_store(database: Database, *, told: list[Event] | None = None) -> QueueItemStore:
    """The store of a queue, for tests that put more than one `SessionQueue` on it."""
    return QueueItemStore(database, open_log(database, told=told))
