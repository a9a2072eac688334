"""Nodes that do their worst: each harms its own session only, and the next one runs."""

import logging
import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from support.engine_room import EngineRoom, graph, node

from impasto.engine import memory_watch

OpenRoom = Callable[..., EngineRoom]

#: What takes the worker down, and what is said of its end.
DEADLY = {
    "exit": "it exited with status 0",
    "segfault": "SIGSEGV",
    "abort": "SIGABRT",
    "kill_the_group": "SIGKILL",
    "close_everything": "it exited with status 1",
}
#: What only fails the node, and how.
FAILING = {
    "raise_system_exit": "SystemExit",
    "raise_keyboard_interrupt": "KeyboardInterrupt",
    "ask_for_too_much": "MemoryError",
}
#: What the worker lives through, and the node too.
HARMLESS = ["close_the_streams", "take_the_streams", "fork", "fork_and_leave_the_child"]


@pytest.fixture(scope="module")
def bad_room(toys: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineRoom]:
    with EngineRoom(tmp_path_factory.mktemp("room"), {"max_attempts": 1}) as room:
        room.engine.wait_until_ready(60)
        yield room


def misbehave(how: str, **inputs: object) -> dict[str, object]:
    return graph([node("bad", "misbehave", how=how, **inputs)])


def assert_the_next_one_runs(room: EngineRoom) -> None:
    item = room.run(graph([node("a", "add", a=1, use_cache=False), node("s", "say", text="still here")]))
    assert (item.status, item.attempts) == ("completed", 1)


@pytest.mark.parametrize("how", DEADLY)
def test_a_node_that_takes_its_worker_down_fails_its_own_session(bad_room: EngineRoom, how: str):
    item = bad_room.run(misbehave(how))
    assert (item.status, item.error_type) == ("failed", "WorkerError")
    assert (item.error_message or "").startswith("node 'bad' (misbehave): worker 'cpu-0' was lost: ")
    assert DEADLY[how] in (item.error_message or "")
    assert_the_next_one_runs(bad_room)


@pytest.mark.parametrize("how", FAILING)
def test_a_node_that_raises_what_ends_programs_costs_no_worker(bad_room: EngineRoom, how: str):
    before = bad_room.worker().pid
    item = bad_room.run(misbehave(how))
    assert (item.status, item.error_type) == ("failed", FAILING[how])
    assert how != "ask_for_too_much" or item.error_message == (
        "node 'bad' (misbehave): there is not enough memory for what it asked for; try something smaller"
    )
    assert_the_next_one_runs(bad_room)
    assert bad_room.worker().pid == before


@pytest.mark.parametrize("how", HARMLESS)
def test_what_a_node_does_to_its_process_is_no_matter_to_the_next(bad_room: EngineRoom, tmp_path: Path, how: str):
    before = bad_room.worker().pid
    assert bad_room.run(misbehave(how, path=str(tmp_path / "file"))).status == "completed"
    assert_the_next_one_runs(bad_room)
    assert bad_room.worker().pid == before


def test_a_child_that_comes_back_from_a_node_does_not_stay(bad_room: EngineRoom):
    forks, waits = misbehave("fork"), misbehave("wait_for_a_child")
    assert [bad_room.run(document).status for document in (forks, waits)] == ["completed", "completed"]


def test_what_is_printed_after_a_node_that_closed_the_streams_is_logged(
    bad_room: EngineRoom, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO, "impasto.worker.output")
    for how in ("close_the_streams", "take_the_streams"):
        bad_room.run(misbehave(how, path=str(tmp_path / "file")))
        bad_room.run(graph([node("s", "say", text=f"after {how}")]))
    # of a worker that ends, all is read that it has printed
    bad_room.run(misbehave("exit"))
    bad_room.until(lambda event: event.name == "worker_status_changed" and event.status == "ready")
    assert [message for message in caplog.messages if message.startswith("after")] == [
        "after close_the_streams",
        "after take_the_streams",
    ]
    assert (tmp_path / "file").read_text() == ""


def test_a_node_that_prints_without_end_fills_neither_memory_nor_log(
    bad_room: EngineRoom, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO, "impasto.worker.output")
    server = psutil.Process()
    before = server.memory_info().rss
    assert bad_room.run(misbehave("print_without_a_line_break", amount=2_000)).status == "completed"  # 131 MB
    assert bad_room.run(misbehave("print_lines", amount=20_000)).status == "completed"
    assert server.memory_info().rss - before < 40e6
    assert len(caplog.messages) < 10_000
    assert_the_next_one_runs(bad_room)


def test_a_node_that_logs_without_end_is_heard_to_the_end_and_costs_nobody_else(bad_room: EngineRoom):
    assert bad_room.run(misbehave("log_without_end", amount=5_000)).status == "completed"
    assert_the_next_one_runs(bad_room)


@pytest.mark.parametrize("how", ["report_without_end", "sleep"])
def test_a_node_that_never_ends_is_ended_when_it_is_cancelled(open_room: OpenRoom, how: str):
    room = open_room(cancel_grace_s=0.1)
    item_id = room.enqueue(misbehave(how))
    room.until_started("bad")
    room.queue.cancel("default", item_id)
    assert room.wait(item_id).status == "canceled"
    assert_the_next_one_runs(room)
    assert room.worker().starts == 2


def test_what_a_node_sets_free_keeps_no_file_of_the_server_open(
    open_room: OpenRoom, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("impasto.engine.process._LAST_WORDS_S", 0.1)
    room = open_room(max_attempts=1)
    room.engine.wait_until_ready(60)
    server = psutil.Process()
    before = (server.num_fds(), threading.active_count())
    freed = tmp_path / "freed"
    assert room.run(misbehave("set_a_child_free", path=str(freed))).status == "failed"
    child = psutil.Process(int(freed.read_text()))
    try:
        assert_the_next_one_runs(room)
        assert (server.num_fds(), threading.active_count()) == before
        assert child.is_running()
    finally:
        child.kill()


@pytest.mark.parametrize("how", ["hoard", "hoard_in_a_child"])
def test_a_worker_over_its_memory_is_ended_and_the_reason_names_bytes_limit_and_node(
    open_room: OpenRoom, monkeypatch: pytest.MonkeyPatch, how: str
):
    monkeypatch.setattr(memory_watch, "_LOOK_S", 0.02)
    limit = 400_000_000
    room = open_room(max_attempts=2, worker_memory_bytes=limit)
    item = room.run(misbehave(how, amount=limit))
    assert (item.status, item.attempts, item.error_type) == ("failed", 2, "WorkerError")
    message = item.error_message or ""
    assert message.startswith("node 'bad' (misbehave): worker 'cpu-0' was lost: it was ended: it took ")
    assert message.endswith("bytes of memory, and `worker_memory_bytes` allows 400,000,000")
    taken = int(message.split("it took ")[1].split()[0].replace(",", ""))
    assert taken > limit
    assert_the_next_one_runs(room)


@pytest.mark.skipif(not Path("/proc/self/oom_score_adj").exists(), reason="only Linux has such scores")
def test_the_kernel_is_told_to_take_a_worker_before_the_server(bad_room: EngineRoom):
    def score(pid: int | None) -> int:
        return int(Path(f"/proc/{pid}/oom_score_adj").read_text())

    bad_room.engine.wait_until_ready(60)
    assert score(bad_room.worker().pid) == min(score(os.getpid()) + 500, 1000)


def test_thirty_lost_workers_leave_nothing_in_the_server(open_room: OpenRoom, tmp_path: Path):
    room, diary = open_room(max_attempts=100), tmp_path / "diary"
    server = psutil.Process()
    left: list[tuple[int, int, int]] = []
    memory: list[int] = []
    item_id = room.enqueue(graph([node("e", "exits", diary=str(diary), times=30)]))
    for _ in range(30):
        room.until(lambda event: event.name == "worker_status_changed" and event.status == "lost")
        room.until(lambda event: event.name == "worker_status_changed" and event.status == "busy")
        left.append((server.num_fds(), threading.active_count(), len(server.children())))
        memory.append(server.memory_info().rss)
    assert room.wait(item_id).status == "completed"
    # one that is just going may be counted; what each loss left behind would add up
    for early, late in zip(zip(*left[:10], strict=True), zip(*left[-10:], strict=True), strict=True):
        assert min(late) <= max(early), left
    assert max(memory[-5:]) - max(memory[:5]) < 10e6
    assert room.worker().starts == 31


def test_ctrl_c_is_the_servers_and_a_worker_ended_by_another_signal_is_replaced(open_room: OpenRoom):
    room = open_room()
    room.engine.wait_until_ready(60)
    pid = room.worker().pid
    assert pid is not None
    os.kill(pid, signal.SIGINT)
    assert_the_next_one_runs(room)
    assert room.worker().pid == pid
    os.kill(pid, signal.SIGTERM)
    room.until(lambda event: event.name == "worker_status_changed" and event.status == "lost")
    assert_the_next_one_runs(room)
    assert pid not in [child.pid for child in psutil.Process().children()]
