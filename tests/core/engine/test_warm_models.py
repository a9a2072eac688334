"""Which models a worker holds: it says so after each run, the queue is asked with it, and it goes with the process."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from support.engine_room import EngineRoom, graph, node

from impasto.engine import ModelCacheInfo
from impasto.engine.engine import worker_configs
from impasto.queue import SessionQueue
from impasto.queue.records import Batch
from impasto.queue.session_models import SessionModels
from impasto.settings import Settings
from impasto_sdk.models import ModelIdentification

OpenRoom = Callable[..., EngineRoom]


def add_model(room: EngineRoom, name: str, text: str) -> str:
    """Register a model of the toys' format; gives its key."""
    path = room.folder / name
    path.write_text(text)
    found = ModelIdentification(confidence=1, base="any", type="main", format="words", name=name)
    room.models._identify = lambda path: found
    return room.models.register(path, key=name).key


def read(room: EngineRoom, *keys: str) -> None:
    """Run a session whose nodes load these models, one after the other."""
    for key in keys:
        assert room.run(graph([node("r", "read_model", model={"key": key})])).status == "completed"


def test_a_worker_says_what_it_holds_the_newest_first(open_room: OpenRoom):
    room = open_room()
    first, second = add_model(room, "first", "12345"), add_model(room, "second", "123")
    room.engine.wait_until_ready(60)
    assert room.engine.model_caches() == [
        ModelCacheInfo(worker_id="cpu-0", models=(), ram_bytes=0, device_bytes=0, hits=0, misses=0)
    ]
    read(room, first, second)
    assert room.worker().models == (second, first)
    read(room, first)
    assert room.engine.model_caches() == [
        ModelCacheInfo(worker_id="cpu-0", models=(first, second), ram_bytes=8, device_bytes=0, hits=1, misses=2)
    ]
    assert room.worker().to_document()["models"] == [first, second]


def test_a_claim_says_what_the_worker_holds(open_room: OpenRoom, monkeypatch: pytest.MonkeyPatch):
    claim, asked = SessionQueue.claim, []

    def noting(queue: SessionQueue, worker_id: str, *, warm: tuple[str, ...] = (), **wishes: object):
        item = claim(queue, worker_id, warm=warm, **wishes)
        if item is not None:
            asked.append(tuple(warm))
        return item

    monkeypatch.setattr(SessionQueue, "claim", noting)
    room = open_room()
    first, second = add_model(room, "first", "a"), add_model(room, "second", "b")
    read(room, first, second, second)
    assert asked == [(), (first,), (second, first)]


def queue_reader(room: EngineRoom, key: str) -> int:
    """Queue a session whose node loads a model, as a client's request would; gives its item's number."""
    batch = Batch(graph=graph([node("r", "read_model", model={"key": key})]))
    models = SessionModels(written={("r", "model"): [key]})
    return room.queue.enqueue("default", batch, models=models).item_ids[0]


def order_of_starts(room: EngineRoom, items: list[int]) -> list[int]:
    """Let the queue go on, wait until the items have ended, and give them in the order in which they began."""
    room.queue.resume("default")
    left = set(items)
    while left:
        ended = room.until(lambda e: e.name == "queue_item_status_changed" and e.status == "completed")
        left.discard(ended.item_id)
    return [e.item_id for e in room.named("queue_item_status_changed") if e.status == "in_progress"][-len(items) :]


def test_a_worker_takes_the_items_of_its_own_model_first(open_room: OpenRoom):
    room = open_room()
    first, second = add_model(room, "first", "a"), add_model(room, "second", "b")
    read(room, second)
    room.queue.pause("default")
    items = [queue_reader(room, key) for key in (first, second, first, second)]
    assert order_of_starts(room, items) == [items[1], items[3], items[0], items[2]]
    assert room.engine.model_caches()[0].misses == 2


def test_without_a_window_the_order_of_the_queue_holds_whatever_is_warm(open_room: OpenRoom):
    room = open_room(affinity_window=1)
    first, second = add_model(room, "first", "a"), add_model(room, "second", "b")
    read(room, second)
    room.queue.pause("default")
    items = [queue_reader(room, key) for key in (first, second)]
    assert order_of_starts(room, items) == items


def test_what_a_lost_worker_held_is_forgotten(open_room: OpenRoom, tmp_path: Path):
    room = open_room()
    read(room, add_model(room, "first", "a"))
    pid = room.worker().pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    room.until(lambda e: e.name == "worker_status_changed" and e.status == "lost")
    assert room.worker().models == ()
    assert room.engine.model_caches()[0].misses == 0


def test_what_made_room_for_another_is_not_held(open_room: OpenRoom):
    room = open_room(model_cache_ram_bytes=5)
    read(room, add_model(room, "first", "1234"), add_model(room, "second", "123"))
    assert room.worker().models == ("second",)


def test_each_of_two_workers_has_models_of_its_own(open_room: OpenRoom):
    room = open_room(workers_per_device=2)
    key = add_model(room, "first", "a")
    read(room, key)
    assert sorted(worker.models for worker in room.engine.workers()) == [(), (key,)]


@pytest.mark.parametrize(
    ("memory", "wanted", "room"), [(0, 8_000, 8_000), (10_000, 8_000, 5_000), (100_000, 8_000, 8_000)]
)
def test_no_worker_is_ended_for_models_that_it_could_let_go(tmp_path: Path, memory: int, wanted: int, room: int):
    flags = {"worker_memory_bytes": memory, "model_cache_ram_bytes": wanted}
    (config,) = worker_configs(Settings.load(root=tmp_path, flags=flags))
    assert config.model_cache_ram_bytes == room
