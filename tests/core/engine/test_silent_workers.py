"""A worker that is stopped loses its item to another; what it says when it goes on counts for nothing."""

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from support.engine_room import EngineRoom, graph, node

from impasto.engine import dispatcher as dispatcher_module
from impasto.engine import engine as engine_module

OpenRoom = Callable[..., EngineRoom]


@pytest.fixture
def quick_beats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "_BEAT_S", 0.02)
    monkeypatch.setattr(dispatcher_module, "_LEASE_BEAT_S", 0.1)
    monkeypatch.setattr(dispatcher_module, "_SILENT_BEATS", 100_000)
    monkeypatch.setattr(dispatcher_module, "_LOOK_S", 0.1)


def hold(room: EngineRoom, tmp_path: Path) -> tuple[int, Path, Path]:
    """Queue a session of a node that ends, and one that waits for a file and then saves a picture."""
    document = graph(
        [
            node("first", "add", a=1, diary=str(tmp_path / "first"), use_cache=False),
            node("wait", "await_file", path=str(tmp_path / "go"), diary=str(tmp_path / "waits")),
        ],
        ["first.value wait.a"],
    )
    return room.enqueue(document), tmp_path / "go", tmp_path / "waits"


@pytest.mark.usefixtures("quick_beats")
def test_another_worker_takes_over_and_what_comes_late_counts_for_nothing(open_room: OpenRoom, tmp_path: Path):
    room = open_room(workers_per_device=2, cancel_grace_s=60)
    room.queue._lease_s = 2.0
    room.engine.wait_until_ready(60)
    item_id, go, waits = hold(room, tmp_path)
    room.until_started("wait")
    stopped = next(worker for worker in room.engine.workers() if worker.item_id == item_id)
    assert stopped.pid is not None
    os.kill(stopped.pid, signal.SIGSTOP)
    try:
        again = room.until_started("wait")
        assert again.item_id == item_id
        go.touch()
        item = room.wait(item_id)
    finally:
        os.kill(stopped.pid, signal.SIGCONT)
    # the first goes on, saves its picture, says that it has finished, and is told that nobody wants it
    room.until(lambda e: e.name == "worker_status_changed" and e.worker_id == stopped.worker_id and e.status == "ready")
    assert (item.status, item.attempts) == ("completed", 2)
    assert room.queue.get("default", item_id).session == item.session
    assert len(set(waits.read_text().split())) == 2  # in both processes
    assert (tmp_path / "first").read_text().split() == ["first"]
    kept = item.session["results"]["wait"]["image"]["image_name"]
    assert room.images.names().image_names == [kept]
    assert [path.name for path in room.settings.images_folder.rglob("*.png")] == [kept]
    finished = [event.invocation_source_id for event in room.named("invocation_complete")]
    assert finished == ["first", "wait"]
    assert sum(worker.starts for worker in room.engine.workers()) == 2
    assert next(w.pid for w in room.engine.workers() if w.worker_id == stopped.worker_id) == stopped.pid


@pytest.mark.usefixtures("quick_beats")
def test_a_worker_that_stays_silent_is_ended_and_its_item_runs_again(
    open_room: OpenRoom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(dispatcher_module, "_SILENT_BEATS", 30)
    room = open_room()
    item_id, go, waits = hold(room, tmp_path)
    room.until_started("wait")
    pid = room.worker().pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    lost = room.until(lambda e: e.name == "worker_status_changed" and e.status == "lost")
    assert lost.reason == "it has not been heard of for 3 s"
    go.touch()
    item = room.wait(item_id)
    assert (item.status, item.attempts) == ("completed", 2)
    assert (tmp_path / "first").read_text().split() == ["first"]
    assert len(set(waits.read_text().split())) == 2
    assert len(room.images.names().image_names) == 1


@pytest.mark.usefixtures("quick_beats")
def test_a_node_that_says_nothing_is_not_a_worker_that_is_silent(
    open_room: OpenRoom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(dispatcher_module, "_SILENT_BEATS", 30)
    room = open_room()
    heard = []
    extend = room.queue.extend_lease

    def noting(item_id: int, **who: int) -> bool:
        heard.append(item_id)
        if len(heard) == 40:  # longer than a silent worker would have had
            go.touch()
        return extend(item_id, **who)

    monkeypatch.setattr(room.queue, "extend_lease", noting)
    item_id, go, _ = hold(room, tmp_path)
    item = room.wait(item_id)
    assert (item.status, item.attempts) == ("completed", 1)
    assert set(heard) == {item_id}


@pytest.mark.usefixtures("quick_beats")
def test_a_worker_that_waits_for_the_server_is_not_one_that_is_silent(
    open_room: OpenRoom, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(dispatcher_module, "_SILENT_BEATS", 5)
    room = open_room()
    extended = threading.Semaphore(0)
    extend, save = room.queue.extend_lease, room.images.save

    def noting(item_id: int, **who: int) -> bool:
        extended.release()
        return extend(item_id, **who)

    def save_slowly(*args: object, **kwargs: object) -> object:
        for _ in range(10):
            assert extended.acquire(timeout=60)
        return save(*args, **kwargs)

    monkeypatch.setattr(room.queue, "extend_lease", noting)
    monkeypatch.setattr(room.images, "save", save_slowly)
    item = room.run(graph([node("p", "paint")]))
    assert (item.status, item.attempts) == ("completed", 1)
    assert room.worker().starts == 1
