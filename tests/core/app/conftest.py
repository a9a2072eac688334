"""A database of its own, and the workflow library in it, for each test that asks for one."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.event_logs import open_log
from support.toys import CATALOGUE

from impasto.app.workflows import WorkflowLibrary
from impasto.storage.database import Database
from impasto.storage.event_log import EventLog
from impasto.storage.workflow_records import WorkflowRecords


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with Database(tmp_path / "impasto.db") as database:
        yield database


@pytest.fixture
def log(database: Database) -> EventLog:
    return open_log(database)


@pytest.fixture
def workflows(database: Database, log: EventLog) -> WorkflowLibrary:
    return WorkflowLibrary(WorkflowRecords(database, log), CATALOGUE)
