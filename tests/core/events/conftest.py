"""A bus over a log of its own for each test that asks for one."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.event_logs import open_bus

from impasto.events import EventBus


@pytest.fixture
def bus(tmp_path: Path) -> Iterator[EventBus]:
    with open_bus(tmp_path) as bus:
        yield bus
