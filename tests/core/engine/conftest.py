"""One engine for the tests that leave it as they found it, and a way to make others."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from support.engine_room import EngineRoom, install_toys

SECRETS = {"IMPASTO_SECRET_TOY_KEY": "s3cret", "IMPASTO_SECRET_OTHER_KEY": "not yours"}


@pytest.fixture(scope="module")
def toys(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The plugin of toy nodes, where workers find it; only as long as this module's tests run."""
    folder = install_toys(tmp_path_factory.mktemp("plugins"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(folder))
        for name, value in SECRETS.items():
            patch.setenv(name, value)
        yield folder


@pytest.fixture(scope="module")
def shared_room(toys: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineRoom]:
    flags = {"plugins": {"toys": {"tile": 96}}, "progress_events_per_s": 50}
    with EngineRoom(tmp_path_factory.mktemp("room"), flags) as room:
        yield room


@pytest.fixture
def room(shared_room: EngineRoom) -> EngineRoom:
    """A running engine with one worker, which other tests of the module use too."""
    while shared_room.events.get(0) is not None:
        pass
    shared_room.seen.clear()
    return shared_room


@pytest.fixture
def open_room(toys: Path, tmp_path: Path) -> Iterator[Callable[..., EngineRoom]]:
    """Start an engine of one's own, with these settings; it is stopped after the test."""
    with ExitStack() as stack:
        yield lambda **flags: stack.enter_context(EngineRoom(tmp_path, flags))
