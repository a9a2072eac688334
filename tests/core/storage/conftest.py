"""A database of its own for each test that asks for one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from impasto.storage.database import Database
from impasto.storage.images import ImageLibrary


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with Database(tmp_path / "impasto.db") as database:
        yield database


@pytest.fixture
def library(database: Database, tmp_path: Path) -> Iterator[ImageLibrary]:
    library = ImageLibrary(database, tmp_path / "images")
    yield library
    library.close()
