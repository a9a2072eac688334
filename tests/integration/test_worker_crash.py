"""A node may take down its worker, never the service: the server answers, the item is retried, the next one runs."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import httpx
import psutil
import pytest
from support.plugins import make_plugin
from support.servers import RunningServer, running_server, wait_for_item

T = TypeVar("T")

HOLDING = '''
"""A node that runs until a file appears, and one that ends its process; each run leaves a line in a file."""

import os
import pathlib
import time

from impasto_sdk import BaseInvocation, InputField, IntegerOutput, InvocationContext, hookimpl, invocation


@invocation("note", use_cache=False)
class Note(BaseInvocation):
    """Write a line into a file."""

    path: str = InputField(description="The file")
    value: int = InputField(0, description="Any number")

    def invoke(self, context: InvocationContext) -> IntegerOutput:
        with open(self.path, "a") as file:
            file.write(f"{context.identity.node_id}\\n")
        return IntegerOutput(value=self.value + 1)


@invocation("hold", use_cache=False)
class Hold(BaseInvocation):
    """Run until a file appears."""

    started: str = InputField(description="File to write when it runs")
    until: str = InputField(description="File to wait for")
    value: int = InputField(0, description="Any number")

    def invoke(self, context: InvocationContext) -> IntegerOutput:
        with open(self.started, "a") as file:
            file.write("started\\n")
        while not pathlib.Path(self.until).exists():
            context.raise_if_cancelled()
            time.sleep(0.01)
        return IntegerOutput(value=self.value)


@invocation("leave", use_cache=False)
class Leave(BaseInvocation):
    """End the process."""

    value: int = InputField(0, description="Any number")

    def invoke(self, context: InvocationContext) -> IntegerOutput:
        os._exit(3)


@hookimpl
def register_invocations():
    return [Note, Hold, Leave]
'''


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    folder = tmp_path_factory.mktemp("crash")
    make_plugin(folder / "site", "holding-plugin", HOLDING)
    with running_server(folder / "root", python_path=folder / "site") as running:
        yield running


def eventually(ask: Callable[[], T | None], what: str) -> T:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        answer = ask()
        if answer:
            return answer
        time.sleep(0.02)
    raise AssertionError(f"never: {what}")


def worker_processes(server: RunningServer) -> list[psutil.Process]:
    return [process for process in psutil.Process(server.process.pid).children() if is_worker(process)]


def is_worker(process: psutil.Process) -> bool:
    try:
        return "impasto.engine.worker" in " ".join(process.cmdline())
    except (psutil.NoSuchProcess, psutil.ZombieProcess):  # it ended while we looked
        return False


def enqueue(client: httpx.Client, nodes: dict[str, object], edges: list[tuple[str, str]] = []) -> int:  # noqa: B006 - read only
    graph = {
        "nodes": nodes,
        "edges": [
            {"source": {"node_id": a, "field": "value"}, "destination": {"node_id": b, "field": "value"}}
            for a, b in edges
        ],
    }
    answer = client.post("/api/v1/queue/default/enqueue_batch", json={"batch": {"graph": graph, "runs": 1}})
    assert answer.status_code == 201, answer.text
    item_id: int = answer.json()["item_ids"][0]
    return item_id


def test_a_killed_worker_comes_back_and_the_item_goes_on_where_it_was(server: RunningServer, tmp_path: Path) -> None:
    notes, started, until = (tmp_path / name for name in ("notes", "started", "until"))
    with server.client() as client:
        item_id = enqueue(
            client,
            {
                "first": {"type": "note", "path": str(notes)},
                "middle": {"type": "hold", "started": str(started), "until": str(until)},
                "last": {"type": "note", "path": str(notes)},
            },
            [("first", "middle"), ("middle", "last")],
        )
        eventually(started.exists, "the node runs")
        (victim,) = worker_processes(server)
        os.kill(victim.pid, signal.SIGKILL)
        assert client.get("/health").status_code == 200
        assert client.get("/api/v1/queue/default/status").status_code == 200
        eventually(lambda: [p for p in worker_processes(server) if p.pid != victim.pid], "a new worker")
        until.touch()
        item = wait_for_item(client, item_id)
        assert item["status"] == "completed", item["error_message"]
        # `first` was finished before the crash and was not run again
        assert notes.read_text().split() == ["first", "last"]
        assert started.read_text().count("started") == 2


def test_a_node_that_always_ends_its_process_fails_with_the_reason_and_the_next_item_runs(
    server: RunningServer, tmp_path: Path
) -> None:
    with server.client() as client:
        bad = enqueue(client, {"leave": {"type": "leave"}})
        good = enqueue(client, {"note": {"type": "note", "path": str(tmp_path / "notes")}})
        item = wait_for_item(client, bad)
        assert item["status"] == "failed"
        assert "worker" in str(item["error_message"])
        assert wait_for_item(client, good)["status"] == "completed"


def test_cancel_stops_a_running_node_and_the_worker_stays(server: RunningServer, tmp_path: Path) -> None:
    started, until = tmp_path / "started", tmp_path / "until"
    with server.client() as client:
        item_id = enqueue(client, {"hold": {"type": "hold", "started": str(started), "until": str(until)}})
        eventually(started.exists, "the node runs")
        before = {p.pid for p in worker_processes(server)}
        assert client.put(f"/api/v1/queue/default/i/{item_id}/cancel").status_code == 200
        assert wait_for_item(client, item_id)["status"] == "canceled"
        after = enqueue(client, {"note": {"type": "note", "path": str(tmp_path / "notes")}})
        assert wait_for_item(client, after)["status"] == "completed"
        assert {p.pid for p in worker_processes(server)} == before


def test_the_workers_can_be_looked_at_while_one_runs_an_item(server: RunningServer, tmp_path: Path) -> None:
    started, until = tmp_path / "started", tmp_path / "until"
    with server.client() as client:
        item_id = enqueue(client, {"hold": {"type": "hold", "started": str(started), "until": str(until)}})
        eventually(started.exists, "the node runs")
        (worker,) = client.get("/api/v1/app/workers").json()["workers"]
        until.touch()
        wait_for_item(client, item_id)
        assert (worker["status"], worker["item_id"], worker["reason"]) == ("busy", item_id, None)
        assert (worker["models"], worker["device"]["kind"]) == ([], "cpu")
        assert [worker["pid"]] == [process.pid for process in worker_processes(server)]
