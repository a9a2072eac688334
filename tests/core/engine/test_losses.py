"""Workers that are lost, hang, or are stopped: no work is lost, none is done twice, and no process is left."""

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from support.engine_room import EngineRoom, graph, node

from impasto.engine.process import WorkerProcess
from impasto.engine.protocol import ToWorker
from impasto.errors import WorkerError

OpenRoom = Callable[..., EngineRoom]


def resumable(room: EngineRoom, diary: Path) -> tuple[dict, Path]:
    """Two additions around a gate, each noting that it ran."""
    gate = room.gate("gate")
    document = graph(
        [
            node("first", "add", a=1, b=1, diary=str(diary)),
            node("gate", "gate", path=str(gate), diary=str(diary)),
            node("last", "add", b=100, diary=str(diary)),
        ],
        ["first.value gate.a", "gate.value last.a"],
    )
    return document, gate


def test_a_killed_worker_costs_only_the_node_in_hand(open_room: OpenRoom, tmp_path: Path):
    room, diary = open_room(), tmp_path / "diary"
    document, gate = resumable(room, diary)
    item_id = room.enqueue(document)
    room.until_started("gate")
    killed = room.worker().pid
    assert killed is not None
    with room.waiting_at(gate):
        os.kill(killed, signal.SIGKILL)
        lost = room.until(lambda e: e.name == "worker_status_changed" and e.status == "lost")
    assert "SIGKILL" in lost.reason
    room.until_started("gate")
    room.let_go(gate)
    item = room.wait(item_id)
    assert (item.status, item.attempts) == ("completed", 2)
    assert item.session["results"]["last"]["value"] == 102
    assert diary.read_text().split() == ["first", "gate", "gate", "last"]
    assert room.worker().pid != killed


def test_a_finished_node_whose_image_is_gone_runs_again_when_the_run_goes_on(open_room: OpenRoom):
    room = open_room()
    gate = room.gate("gate")
    item_id = room.enqueue(
        graph(
            [
                node("paint", "paint", colour="red"),
                node("kept", "paint", colour="blue"),
                node("gate", "gate", path=str(gate)),
            ]
        )
    )
    painted = {}
    while len(painted) < 2:
        event = room.until(lambda e: e.name == "invocation_complete" and e.invocation_source_id in ("paint", "kept"))
        painted[event.invocation_source_id] = event.result["image"]["image_name"]
    with room.waiting_at(gate):
        room.images.delete([painted["paint"]])
        os.kill(room.worker().pid or 0, signal.SIGKILL)
        room.until(lambda e: e.name == "worker_status_changed" and e.status == "lost")
    room.let_go(gate)
    item = room.wait(item_id)
    results = {id: output["image"]["image_name"] for id, output in item.session["results"].items() if id != "gate"}
    assert item.status == "completed"
    assert results["kept"] == painted["kept"]
    assert set(room.images.names().image_names) == set(results.values())
    assert results["paint"] != painted["paint"]


def test_an_item_that_kills_every_worker_fails_with_the_reason_and_the_next_one_runs(
    open_room: OpenRoom, tmp_path: Path
):
    room, diary = open_room(max_attempts=2), tmp_path / "diary"
    bad = room.enqueue(graph([node("e", "exits", status=3, diary=str(diary))]))
    good = room.enqueue(graph([node("a", "add", a=1)]))
    item = room.wait(bad)
    assert (item.status, item.attempts, item.error_type) == ("failed", 2, "WorkerError")
    assert item.error_message == (
        "node 'e' (exits): worker 'cpu-0' was lost: it exited with status 3; its last output: about to leave"
    )
    assert diary.read_text().split() == ["e", "e"]
    assert room.wait(good).status == "completed"
    assert room.worker().starts == 3


def test_an_item_that_kills_its_worker_once_completes(open_room: OpenRoom, tmp_path: Path):
    room, diary = open_room(), tmp_path / "diary"
    document = graph(
        [node("a", "add", a=1, diary=str(tmp_path / "a")), node("e", "exits", diary=str(diary))],
        ["a.value e.times"],
    )
    assert room.run(document).status == "completed"
    assert (tmp_path / "a").read_text().split() == ["a"]


def test_an_idle_worker_that_is_lost_is_replaced(open_room: OpenRoom):
    room = open_room()
    room.engine.wait_until_ready(60)
    killed = room.worker().pid
    assert killed is not None
    os.kill(killed, signal.SIGKILL)
    room.until(lambda e: e.name == "worker_status_changed" and e.status == "lost")
    room.until(lambda e: e.name == "worker_status_changed" and e.status == "ready")
    assert room.worker().pid != killed
    assert room.run(graph([node("a", "add")])).status == "completed"


def test_lost_workers_leave_no_thread_no_open_file_and_no_zombie(open_room: OpenRoom):
    room = open_room()
    server = psutil.Process()
    left = []
    for _ in range(3):
        room.until(lambda e: e.name == "worker_status_changed" and e.status == "ready")
        left.append((server.num_fds(), threading.active_count(), len(server.children())))
        pid = room.worker().pid
        assert pid is not None
        os.kill(pid, signal.SIGKILL)
        room.until(lambda e: e.name == "worker_status_changed" and e.status == "lost")
    assert left[0] == left[1] == left[2]


def test_what_a_node_started_goes_with_its_worker(open_room: OpenRoom):
    room = open_room()
    item = room.run(graph([node("c", "ask", about="child")]))
    child = psutil.Process(int(item.session["results"]["c"]["value"]))
    worker = room.worker().pid
    assert worker is not None
    os.kill(worker, signal.SIGKILL)
    room.until(lambda e: e.name == "worker_status_changed" and e.status == "lost")
    gone, _ = psutil.wait_procs([child], timeout=30)
    assert gone or child.status() == psutil.STATUS_ZOMBIE


def test_a_node_that_listens_is_cancelled_without_losing_its_worker(open_room: OpenRoom):
    room = open_room(cancel_grace_s=60)
    item_id = room.enqueue(graph([node("p", "polite"), node("after", "add")], ["p.value after.a"]))
    room.until(lambda e: e.name == "invocation_progress")
    before = room.worker().pid
    room.queue.cancel("default", item_id)
    assert room.wait(item_id).status == "canceled"
    assert room.run(graph([node("a", "add")])).status == "completed"
    assert room.worker().pid == before
    assert not room.named("invocation_error")
    assert [e.invocation_source_id for e in room.named("invocation_started")] == ["p", "a"]


def test_a_node_that_does_not_listen_costs_its_worker_after_the_grace(open_room: OpenRoom):
    room = open_room(cancel_grace_s=0.1)
    gate = room.gate("gate")
    item_id = room.enqueue(graph([node("g", "gate", path=str(gate))]))
    room.until_started("g")
    before = room.worker().pid
    room.queue.cancel("default", item_id)
    assert room.wait(item_id).status == "canceled"
    assert room.run(graph([node("a", "add")])).status == "completed"
    assert room.worker().pid != before
    assert room.queue.get("default", item_id).status == "canceled"


def test_a_removed_item_is_ended_too(open_room: OpenRoom):
    room = open_room(cancel_grace_s=60)
    room.enqueue(graph([node("p", "polite")]))
    room.until(lambda e: e.name == "invocation_progress")
    room.queue.clear("default")
    assert room.run(graph([node("a", "add")])).status == "completed"


def test_a_node_that_cancels_itself_cancels_its_item(open_room: OpenRoom):
    room = open_room()
    item = room.run(graph([node("g", "gives_up")]))
    assert (item.status, item.error_type) == ("canceled", None)


def test_stopping_lets_the_node_in_hand_finish_and_the_item_go_on_later(
    open_room: OpenRoom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    told = threading.Event()
    send = WorkerProcess.send

    def noting(process: WorkerProcess, kind: ToWorker, body: dict | None = None) -> None:
        send(process, kind, body)
        if kind is ToWorker.STOP:
            told.set()

    monkeypatch.setattr(WorkerProcess, "send", noting)
    room, diary = open_room(max_attempts=1), tmp_path / "diary"
    document, gate = resumable(room, diary)
    item_id = room.enqueue(document)
    room.until_started("gate")
    worker = psutil.Process(room.worker().pid)
    stopping = threading.Thread(target=room.engine.stop, args=(60,))
    stopping.start()
    assert told.wait(60)
    room.let_go(gate)
    stopping.join(60)
    assert not worker.is_running()
    item = room.queue.get("default", item_id)
    assert (item.status, diary.read_text().split()) == ("pending", ["first", "gate"])
    assert item.session["results"]["gate"]["value"] == 2


def test_stopping_ends_a_node_that_takes_too_long(open_room: OpenRoom, tmp_path: Path):
    room, diary = open_room(max_attempts=1), tmp_path / "diary"
    document, gate = resumable(room, diary)
    item_id = room.enqueue(document)
    with room.waiting_at(gate):
        worker = psutil.Process(room.worker().pid)
        room.engine.stop(0.2)
    assert not worker.is_running()
    assert room.queue.get("default", item_id).status == "pending"
    assert room.worker().status == "stopped"


def test_a_stopped_session_goes_on_from_its_journal_in_the_next_server(toys: Path, tmp_path: Path, open_room: OpenRoom):
    diary = tmp_path / "diary"
    with EngineRoom(tmp_path, {"max_attempts": 1}) as room:
        document, gate = resumable(room, diary)
        item_id = room.enqueue(document)
        with room.waiting_at(gate):
            room.engine.stop(0.1)
    room = open_room()
    room.until_started("gate")
    room.let_go(gate)
    item = room.wait(item_id)
    assert item.status == "completed"
    assert item.session["results"]["last"]["value"] == 102
    assert diary.read_text().split() == ["first", "gate", "gate", "last"]


def test_stopping_an_idle_engine_leaves_no_process(open_room: OpenRoom):
    room = open_room(workers_per_device=2)
    room.engine.wait_until_ready(60)
    processes = [psutil.Process(worker.pid) for worker in room.engine.workers()]
    room.engine.stop(30)
    assert not any(process.is_running() for process in processes)
    assert [worker.status for worker in room.engine.workers()] == ["stopped", "stopped"]
    assert all(worker.reason is None for worker in room.engine.workers())


def test_stopping_while_workers_start_leaves_no_process(open_room: OpenRoom):
    room = open_room()
    room.until(lambda e: e.name == "worker_status_changed" and e.status == "starting")
    room.engine.stop(30)
    assert not psutil.Process().children()


def test_two_workers_run_two_items_at_once(open_room: OpenRoom):
    room = open_room(workers_per_device=2)
    gates = [room.gate("one"), room.gate("two")]
    items = [room.enqueue(graph([node("g", "gate", path=str(gate))])) for gate in gates]
    for _ in gates:
        room.until_started("g")
    assert {worker.item_id for worker in room.engine.workers()} == set(items)
    for gate in gates:
        room.let_go(gate)
    assert {room.wait(items[0]).status, room.queue.get("default", items[1]).status} <= {"completed", "in_progress"}
    assert [worker.worker_id for worker in room.engine.workers()] == ["cpu-0", "cpu-1"]


def test_a_worker_without_its_device_says_so_and_is_tried_again(open_room: OpenRoom):
    room = open_room(devices=["nothing"])
    with pytest.raises(WorkerError, match="device 'nothing': there is no such device") as caught:
        room.engine.wait_until_ready(60)
    assert caught.value.worker_id == "nothing-0"
    room.until(lambda e: e.name == "worker_status_changed" and e.status == "starting")
    room.until(lambda e: e.name == "worker_status_changed" and e.status == "starting")
    assert room.worker().starts == 2


def test_a_worker_that_takes_too_long_to_start_is_named(open_room: OpenRoom):
    room = open_room(worker_start_timeout_s=0.001)
    with pytest.raises(WorkerError, match="did not start in time; see `worker_start_timeout_s`"):
        room.engine.wait_until_ready(60)
