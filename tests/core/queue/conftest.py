"""A queue of its own for each test, and the events that it publishes."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.queues import open_queue

from impasto.queue import SessionQueue
from impasto.storage.database import Database
from impasto_sdk.events import Event


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with Database(tmp_path / "impasto.db") as database:
        yield database


@pytest.fixture
def events() -> list[Event]:
    return []


@pytest.fixture
def queue(database: Database, events: list[Event]) -> SessionQueue:
    return open_queue(database, told=events)
