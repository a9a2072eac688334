"""Workers without a device: they run what only waits for something outside, and are there once they are needed."""

import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest
from support.engine_room import EngineRoom, graph, node

from impasto.engine import io_workers as io_workers_module
from impasto.engine import process as process_module
from impasto.engine.protocol import PROTOCOL_VERSION, CacheOrder
from impasto.queue.records import Batch
from impasto_sdk.events import Event

OpenRoom = Callable[..., EngineRoom]


@pytest.fixture(autouse=True)
def no_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits is found to wait at once; the one test of the moment gives it back."""
    monkeypatch.setattr(io_workers_module, "_MOMENT_S", 0.0)


def an_errand(gate: Path | None = None, id: str = "errand", *others: Mapping[str, Any]) -> dict[str, Any]:
    """A session that needs no device: it waits at a gate, if there is one, and the `others` beside it."""
    return graph([node(id, "errand", path=str(gate or "")), *others])


def there(room: EngineRoom) -> list[str]:
    return [worker.worker_id for worker in room.engine.workers()]


def until_status(room: EngineRoom, worker_id: str, status: str) -> Event:
    wanted = (worker_id, status)
    return room.until(lambda e: e.name == "worker_status_changed" and (e.worker_id, e.status) == wanted)


def test_four_sessions_wait_side_by_side_while_one_has_the_device(open_room: OpenRoom) -> None:
    room = open_room()
    device = room.gate("device")
    gates = [room.gate(f"gate{place}") for place in range(4)]
    items = [room.enqueue(graph([node("compute", "gate", path=str(device))]))]
    items += [room.enqueue(an_errand(gate, f"errand{i}"), needs_device=False) for i, gate in enumerate(gates)]
    waiting = {"compute", *(f"errand{place}" for place in range(4))}
    while waiting:
        waiting.discard(room.until(lambda e: e.name == "invocation_started").invocation_source_id)
    workers = room.engine.workers()
    assert [(worker.worker_id, worker.kind, worker.status) for worker in workers] == [
        ("cpu-0", "device", "busy"),
        *((f"io-{place}", "io", "busy") for place in range(4)),
    ]
    assert {worker.item_id for worker in workers} == set(items)
    for gate in (*gates, device):
        room.let_go(gate)
    ended = {
        room.until(lambda e: e.name == "queue_item_status_changed" and e.status == "completed").item_id for _ in items
    }
    assert ended == set(items)


def test_nothing_is_started_before_a_session_needs_it_and_what_was_started_is_used_again(open_room: OpenRoom) -> None:
    room = open_room()
    room.engine.wait_until_ready(60)
    assert room.run(graph([node("a", "add")])).status == "completed"
    assert there(room) == ["cpu-0"]
    assert len(psutil.Process().children()) == 1
    for _ in range(2):
        assert room.run(an_errand(), needs_device=False).status == "completed"
        until_status(room, "io-0", "ready")
    assert there(room) == ["cpu-0", "io-0"]
    assert room.engine.workers()[1].starts == 1
    assert [cache.worker_id for cache in room.engine.caches()] == ["cpu-0", "io-0"]


def test_a_session_that_waits_holds_up_none_that_computes_and_none_holds_up_it(open_room: OpenRoom) -> None:
    room = open_room(io_workers=1)
    device, outside = room.gate("device"), room.gate("outside")
    computing = room.enqueue(graph([node("compute", "gate", path=str(device))]))
    behind = room.enqueue(graph([node("a", "add")]))
    with room.waiting_at(device):
        assert room.run(an_errand(), needs_device=False).status == "completed"
        assert room.queue.get("default", behind).status == "pending"
    assert {room.wait(item).status for item in (computing, behind)} == {"completed"}

    waiting = room.enqueue(an_errand(outside), needs_device=False)
    next_one = room.enqueue(an_errand(), needs_device=False)
    with room.waiting_at(outside):
        assert room.run(graph([node("a", "add", a=1)])).status == "completed"
        assert room.queue.get("default", next_one).status == "pending"
    assert {room.wait(item).status for item in (waiting, next_one)} == {"completed"}
    assert there(room) == ["cpu-0", "io-0"]


def test_with_no_such_workers_the_device_runs_everything_in_one_order(open_room: OpenRoom) -> None:
    room = open_room(io_workers=0)
    gate = room.gate("gate")
    items = [
        room.enqueue(an_errand(gate), needs_device=False),
        room.enqueue(graph([node("a", "add")])),
        room.enqueue(an_errand(), needs_device=False),
    ]
    room.let_go(gate)
    for item_id in items:
        assert room.wait(item_id).status == "completed"
    assert there(room) == ["cpu-0"]


def test_one_that_is_about_to_be_done_takes_what_waits_and_no_other_is_started(
    open_room: OpenRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(io_workers_module, "_MOMENT_S", 60.0)
    room = open_room(devices=[], io_workers=2)
    gate = room.gate("gate")
    items = [room.enqueue(an_errand(gate), needs_device=False), room.enqueue(an_errand(), needs_device=False)]
    room.let_go(gate)
    for item_id in items:
        assert room.wait(item_id).status == "completed"
    assert there(room) == ["io-0"]


def test_no_worker_is_started_for_what_waits_in_a_queue_that_is_paused(open_room: OpenRoom) -> None:
    room = open_room()
    room.queue.pause("default")
    item_id = room.enqueue(an_errand(), needs_device=False)
    room.queue.enqueue("other", Batch(graph=graph([node("a", "add")])))
    room.until(lambda e: e.name == "queue_item_status_changed" and e.status == "completed")
    assert there(room) == ["cpu-0"]
    room.queue.resume("default")
    assert room.wait(item_id).status == "completed"
    assert there(room) == ["cpu-0", "io-0"]


def test_it_looks_for_no_device_and_its_nodes_are_told_of_none(
    open_room: OpenRoom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    diary = tmp_path / "looked"
    monkeypatch.setenv("TOYS_THAT_LOOKED_FOR_DEVICES", str(diary))
    room = open_room()
    item = room.run(an_errand(None, "errand", node("where", "ask", about="device")), needs_device=False)
    assert item.session["results"]["where"]["value"] == "cpu float32 none"
    room.engine.wait_until_ready(60)
    assert diary.read_text().split() == ["cpu"]
    assert room.engine.workers()[1].device is None
    assert [device.requested for device in room.engine.devices()] == ["cpu"]


def test_with_every_shipped_plugin_it_loads_no_torch(open_room: OpenRoom) -> None:
    room = open_room(devices=[], disabled_plugins=[])
    assert room.run(an_errand(), needs_device=False).status == "completed"
    (worker,) = room.engine.workers()
    loaded = Path(f"/proc/{worker.pid}/maps").read_text()
    assert ("python" in loaded, "torch" in loaded) == (True, False)


def test_a_session_that_needs_a_device_after_all_fails_before_anything_of_it_runs(
    open_room: OpenRoom, tmp_path: Path
) -> None:
    room, diary = open_room(devices=[], io_workers=1), tmp_path / "diary"
    nodes = [node("first", "add", diary=str(diary)), node("errand", "errand"), node("paint", "on_device")]
    item = room.run(graph(nodes), needs_device=False)
    assert (item.status, item.error_type, item.attempts) == ("failed", "NoDeviceError", 1)
    assert item.error_message.startswith("node 'paint' (on_device) runs on a device, and worker 'io-0' has none")
    assert not diary.exists()
    assert room.run(an_errand(), needs_device=False).status == "completed"
    assert room.worker().starts == 1


def test_a_lost_one_is_replaced_and_its_session_goes_on(open_room: OpenRoom, tmp_path: Path) -> None:
    room = open_room(devices=[], io_workers=1)
    gate, diary = room.gate("gate"), tmp_path / "diary"
    document = graph(
        [node("a", "add", a=2, diary=str(diary)), node("errand", "errand", path=str(gate))], ["a.value errand.a"]
    )
    item_id = room.enqueue(document, needs_device=False)
    with room.waiting_at(gate):
        os.kill(room.worker().pid or 0, signal.SIGKILL)
        assert "SIGKILL" in until_status(room, "io-0", "lost").reason
    room.until_started("errand")
    room.let_go(gate)
    item = room.wait(item_id)
    assert (item.status, item.attempts, item.session["results"]["errand"]["value"]) == ("completed", 2, 2)
    assert diary.read_text().split() == ["a"]
    assert room.worker().starts == 2


def test_one_that_cannot_start_is_tried_again_and_no_other_in_its_place(
    open_room: OpenRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process_module, "PROTOCOL_VERSION", 99)
    room = open_room(devices=[], io_workers=2)
    item_id = room.enqueue(an_errand(), needs_device=False)
    assert "version 99" in until_status(room, "io-0", "lost").reason
    assert room.queue.get("default", item_id).attempts == 0
    monkeypatch.setattr(process_module, "PROTOCOL_VERSION", PROTOCOL_VERSION)
    item = room.wait(item_id)
    assert (item.status, item.attempts) == ("completed", 1)
    assert there(room) == ["io-0"]


def test_a_session_is_cancelled_there_as_anywhere(open_room: OpenRoom) -> None:
    room = open_room(devices=[], io_workers=1, cancel_grace_s=60)
    item_id = room.enqueue(an_errand(None, "errand", node("polite", "polite")), needs_device=False)
    room.until(lambda e: e.name == "invocation_progress")
    room.queue.cancel("default", item_id)
    assert room.wait(item_id).status == "canceled"
    assert room.run(an_errand(), needs_device=False).status == "completed"
    assert room.worker().starts == 1


def test_one_that_does_not_listen_to_a_cancel_is_ended(open_room: OpenRoom) -> None:
    room = open_room(devices=[], io_workers=1, cancel_grace_s=0.1)
    gate = room.gate("gate")
    item_id = room.enqueue(an_errand(gate), needs_device=False)
    with room.waiting_at(gate):
        room.queue.cancel("default", item_id)
        until_status(room, "io-0", "lost")
    assert room.queue.get("default", item_id).status == "canceled"
    assert room.run(an_errand(), needs_device=False).status == "completed"
    assert room.worker().starts == 2


def test_stopping_lets_a_session_go_on_later_and_leaves_no_process(open_room: OpenRoom) -> None:
    room = open_room(devices=[], max_attempts=1)
    gate = room.gate("gate")
    item_id = room.enqueue(an_errand(gate), needs_device=False)
    with room.waiting_at(gate):
        room.engine.stop(0.1)
    assert room.queue.get("default", item_id).status == "pending"
    assert not psutil.Process().children()
    assert room.worker().status == "stopped"


def test_stopping_while_one_starts_leaves_no_process_and_starts_no_other(open_room: OpenRoom) -> None:
    room = open_room(devices=[])
    items = [room.enqueue(an_errand(), needs_device=False) for _ in range(2)]
    until_status(room, "io-0", "starting")
    room.engine.stop(30)
    assert not psutil.Process().children()
    assert there(room) == ["io-0"]
    assert {room.queue.get("default", item_id).status for item_id in items} == {"pending"}


def test_caches_that_are_switched_off_are_off_in_those_that_come_later(open_room: OpenRoom) -> None:
    room = open_room(devices=[])
    room.engine.order_caches(CacheOrder.DISABLE)
    alike = [node(id, "add", a=7) for id in ("one", "other")]
    assert room.run(an_errand(None, "errand", *alike), needs_device=False).status == "completed"
    assert [(cache.worker_id, cache.enabled) for cache in room.engine.caches()] == [("io-0", False)]
    assert [event.cached for event in room.named("invocation_complete")] == [False] * 3


def test_a_session_that_is_cancelled_while_its_worker_starts_never_runs(open_room: OpenRoom, tmp_path: Path) -> None:
    room, diary = open_room(devices=[], io_workers=1), tmp_path / "diary"
    item_id = room.enqueue(an_errand(None, "errand", node("a", "add", diary=str(diary))), needs_device=False)
    until_status(room, "io-0", "starting")
    room.queue.cancel("default", item_id)
    assert room.run(an_errand(), needs_device=False).status == "completed"
    canceled = room.queue.get("default", item_id)
    assert (canceled.status, canceled.attempts) == ("canceled", 0)
    assert not diary.exists()


def test_what_ran_there_when_the_server_was_lost_runs_there_again(toys: Path, tmp_path: Path) -> None:
    room = EngineRoom(tmp_path, {"devices": [], "io_workers": 1})
    room.database.open()
    item_id = room.enqueue(an_errand(), needs_device=False)
    assert room.queue.claim("io-0", needs_device=False) is not None
    room.database.close()
    with room:
        item = room.wait(item_id)
        assert (item.status, item.attempts) == ("completed", 2)
        assert there(room) == ["io-0"]
