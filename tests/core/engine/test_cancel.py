"""A cancelled item ends within a step, or with its worker; what else runs, or is next, never notices."""

import random
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from support.engine_room import EngineRoom, graph, node

from impasto.engine.process import WorkerProcess
from impasto.engine.protocol import ToWorker
from impasto.queue import SessionQueue

OpenRoom = Callable[..., EngineRoom]

QUICK = graph([node("a", "add", a=1, use_cache=False)])


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> dict[ToWorker, threading.Event]:
    """Set once a worker was sent a message of a kind."""
    events = {kind: threading.Event() for kind in ToWorker}
    send = WorkerProcess.send

    def noting(process: WorkerProcess, kind: ToWorker, body: dict | None = None) -> None:
        send(process, kind, body)
        events[kind].set()

    monkeypatch.setattr(WorkerProcess, "send", noting)
    return events


def test_a_node_that_works_in_steps_ends_with_the_step_in_hand(
    open_room: OpenRoom, tmp_path: Path, told: dict[ToWorker, threading.Event]
):
    room, diary = open_room(cancel_grace_s=60), tmp_path / "diary"
    gates = [room.gate(f"gate{step}") for step in range(3)]
    item_id = room.enqueue(graph([node("s", "steps", gate=str(tmp_path / "gate"), diary=str(diary))]))
    room.let_go(gates[0])
    room.let_go(gates[1])
    with room.waiting_at(gates[2]):
        room.queue.cancel("default", item_id)
        assert told[ToWorker.CANCEL].wait(60)
    assert room.wait(item_id).status == "canceled"
    room.until(lambda event: event.name == "worker_status_changed" and event.status == "ready")
    assert diary.read_text().split() == ["0", "1", "2"]
    assert room.worker().starts == 1


def test_the_item_that_another_worker_runs_goes_on(open_room: OpenRoom):
    room = open_room(workers_per_device=2, cancel_grace_s=0.1)
    gates = [room.gate("one"), room.gate("two")]
    items = [room.enqueue(graph([node("g", "gate", path=str(gate))])) for gate in gates]
    for _ in gates:
        room.until_started("g")
    with room.waiting_at(gates[0]), room.waiting_at(gates[1]):
        lost = {worker.item_id: worker.worker_id for worker in room.engine.workers()}[items[0]]
        room.queue.cancel("default", items[0])  # it does not listen
        event = room.until(lambda event: event.name == "worker_status_changed" and event.status == "lost")
    assert event.worker_id == lost
    assert room.wait(items[1]).status == "completed"
    assert {worker.worker_id: worker.starts for worker in room.engine.workers()}[lost] == 2
    assert sum(worker.starts for worker in room.engine.workers()) == 3


def test_an_item_cancelled_in_the_moment_it_ends_stays_cancelled_and_the_next_one_runs(
    open_room: OpenRoom, monkeypatch: pytest.MonkeyPatch
):
    complete, canceled = SessionQueue.complete, []

    def cancel_first(queue: SessionQueue, item_id: int, **end: object) -> bool:
        if not canceled:
            canceled.append(item_id)
            queue.cancel("default", item_id)
        return complete(queue, item_id, **end)

    monkeypatch.setattr(SessionQueue, "complete", cancel_first)
    room = open_room(cancel_grace_s=0)
    first, second = room.enqueue(graph([node("p", "paint")])), room.enqueue(QUICK)
    assert room.wait(second).status == "completed"
    item = room.queue.get("default", first)
    assert (item.status, canceled) == ("canceled", [first])
    # the node may have been written down a moment before the end
    assert room.images.names().image_names == [one["image"]["image_name"] for one in item.session["results"].values()]
    assert room.worker().starts == 1


def test_a_cancel_that_comes_after_the_end_reaches_nobody(
    open_room: OpenRoom, monkeypatch: pytest.MonkeyPatch, told: dict[ToWorker, threading.Event]
):
    room = open_room(cancel_grace_s=0)
    first = room.enqueue(QUICK)
    assert room.wait(first).status == "completed"
    gate = room.gate("gate")
    second = room.enqueue(graph([node("g", "gate", path=str(gate))]))
    with room.waiting_at(gate):
        assert room.queue.cancel("default", first).status == "completed"
        room.engine._cancel(first)  # as if it had been told late
    assert room.wait(second).status == "completed"
    assert not told[ToWorker.CANCEL].is_set()
    assert room.worker().starts == 1


def test_cancelling_twice_is_cancelling_once(open_room: OpenRoom, monkeypatch: pytest.MonkeyPatch):
    sent = []
    send = WorkerProcess.send

    def noting(process: WorkerProcess, kind: ToWorker, body: dict | None = None) -> None:
        sent.append(kind)
        send(process, kind, body)

    monkeypatch.setattr(WorkerProcess, "send", noting)
    room = open_room(cancel_grace_s=60)
    item_id = room.enqueue(graph([node("p", "polite")]))
    room.until(lambda event: event.name == "invocation_progress")
    statuses = [room.queue.cancel("default", item_id).status for _ in range(2)]
    assert statuses == ["canceled", "canceled"]
    assert room.run(QUICK).status == "completed"
    assert sent.count(ToWorker.CANCEL) == 1
    assert room.worker().starts == 1


def test_what_is_cancelled_while_the_worker_starts_never_runs(open_room: OpenRoom, tmp_path: Path):
    room, diary = open_room(), tmp_path / "diary"
    item_id = room.enqueue(graph([node("a", "add", diary=str(diary))]))
    assert room.worker().status in ("stopped", "starting")
    assert room.queue.cancel("default", item_id).status == "canceled"
    assert room.run(QUICK).status == "completed"
    assert not diary.exists()
    assert room.worker().starts == 1


@pytest.mark.parametrize(("workers", "seed"), [(2, 1), (3, 2), (3, 3)])
def test_cancels_at_any_moment_harm_nothing_else(open_room: OpenRoom, tmp_path: Path, workers: int, seed: int):
    room, chance = open_room(workers_per_device=workers, cancel_grace_s=60), random.Random(seed)
    document = graph([node("a", "add", use_cache=False), node("b", "paint", use_cache=False)])
    items = [room.enqueue(document) for _ in range(60)]
    wanted = {item_id for item_id in items if chance.random() < 0.5}
    ended: set[int] = set()
    while len(ended) < len(items):
        event = room.until(lambda event: event.name in ("queue_item_status_changed", "invocation_started"))
        if event.name == "queue_item_status_changed" and event.status in ("completed", "failed", "canceled"):
            ended.add(event.item_id)
        elif event.item_id in wanted:  # some before they run, some while they do, some too late
            room.queue.cancel("default", chance.choice(sorted(wanted)))
    statuses = {item.item_id: item.status for item in room.queue.list("default")}
    assert {status for item_id, status in statuses.items() if item_id not in wanted} == {"completed"}
    assert {status for item_id, status in statuses.items() if item_id in wanted} <= {"completed", "canceled"}
    assert [worker.starts for worker in room.engine.workers()] == [1] * workers
    assert all(item.attempts <= 1 for item in room.queue.list("default"))
    assert len(room.images.names().image_names) == list(statuses.values()).count("completed")
