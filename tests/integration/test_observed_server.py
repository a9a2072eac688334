"""A server process as an operator sees it: its log as JSON lines, and its health until its socket closes."""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx
import pytest
from support.plugins import make_plugin
from support.servers import RunningServer, running_server, wait_for_item

T = TypeVar("T")

PATIENCE_S = 60.0
SECRET = "tell-nobody-of-me"
PROMPT = "a prompt that nobody else is to read"

PLUGIN = '''
"""Nodes that log, fail and wait."""

import logging
import warnings
from pathlib import Path

from impasto_sdk import BaseInvocation, InputField, IntegerOutput, InvocationContext, SecretDeclaration
from impasto_sdk import hookimpl, invocation


@invocation("talks", use_cache=False)
class Talks(BaseInvocation):
    """Log, also what it should not."""

    prompt: str = InputField("", description="What to draw")

    def invoke(self, context: InvocationContext) -> IntegerOutput:
        secret = context.secrets.get("key")
        context.logger.warning("my key is %s", secret)
        logging.getLogger("some.library").warning("slow\\nas ever")
        warnings.warn("old")
        print("printed", flush=True)
        return IntegerOutput(value=1)


@invocation("breaks", use_cache=False)
class Breaks(BaseInvocation):
    """Fail, with the prompt in the message."""

    prompt: str = InputField("", description="What to draw")

    def invoke(self, context: InvocationContext) -> IntegerOutput:
        raise ValueError(f"cannot draw {self.prompt}")


@invocation("waits", use_cache=False)
class Waits(BaseInvocation):
    """Wait at a FIFO."""

    path: str = InputField("", description="The FIFO")

    def invoke(self, context: InvocationContext) -> IntegerOutput:
        Path(self.path).read_text()
        return IntegerOutput(value=1)


@hookimpl
def register_invocations():
    return [Talks, Breaks, Waits]


@hookimpl
def register_secrets():
    return [SecretDeclaration(name="key", title="A key")]
'''


@dataclass
class Observed:
    """A server that has stopped, and what it left."""

    items: dict[str, dict[str, Any]]
    lines: list[dict[str, Any]]
    ready: list[tuple[int, dict[str, Any]]]
    exit_status: int

    def of(self, node: str) -> list[dict[str, Any]]:
        """The lines about the item of a node."""
        return [line for line in self.lines if line.get("item_id") == self.items[node]["item_id"]]


@pytest.fixture(scope="module")
def observed(tmp_path_factory: pytest.TempPathFactory) -> Observed:
    """Run three nodes, and have the server stop in the middle of the last one."""
    folder = tmp_path_factory.mktemp("observed")
    make_plugin(folder / "site", "talking-plugin", PLUGIN)
    gate = folder / "gate"
    os.mkfifo(gate)
    environment = {
        "IMPASTO_LOG_FORMAT": "json",
        "IMPASTO_LOG_LEVEL": "debug",
        "IMPASTO_SECRET_KEY": SECRET,
        "IMPASTO_DEVICES": '["cpu"]',
        "IMPASTO_DRAIN_TIMEOUT_S": str(PATIENCE_S),
        "IMPASTO_DISABLED_PLUGINS": '["impasto-sd", "impasto-starter"]',
    }
    items: dict[str, dict[str, Any]] = {}
    with running_server(folder / "root", environment=environment, python_path=folder / "site") as server:
        with server.client() as client:
            for node, fields in {"talks": {"prompt": PROMPT}, "breaks": {"prompt": PROMPT}}.items():
                items[node] = wait_for_item(client, enqueue(client, node, **fields))
            items["waits"] = {"item_id": enqueue(client, "waits", path=str(gate))}
            with gate.open("w"):  # the node is there
                ready = list(stop_and_ask(server, client))
        exit_status = server.process.wait(PATIENCE_S)
    text = (folder / "root" / "server.log").read_text("utf-8")
    assert SECRET not in text
    assert PROMPT not in text
    return Observed(items, [json.loads(line) for line in text.splitlines()], ready, exit_status)


def enqueue(client: httpx.Client, node: str, **fields: str) -> int:
    batch = {"graph": {"nodes": {"n": {"id": "n", "type": node, **fields}}, "edges": []}}
    answer = client.post(
        "/api/v1/queue/default/enqueue_batch", json={"batch": batch}, headers={"X-Request-ID": f"enqueue-{node}"}
    )
    item_id: int = answer.raise_for_status().json()["item_ids"][0]
    return item_id


def stop_and_ask(server: RunningServer, client: httpx.Client) -> Iterator[tuple[int, dict[str, Any]]]:
    """What the server says of itself before and while it waits for the node in hand."""
    yield asked(client)
    server.process.send_signal(signal.SIGTERM)
    yield eventually(lambda: answer if (answer := asked(client))[0] == 503 else None)
    assert client.get("/health/live").status_code == 200


def asked(client: httpx.Client) -> tuple[int, dict[str, Any]]:
    answer = client.get("/health/ready")
    return answer.status_code, answer.json()


def eventually(ask: Callable[[], T | None]) -> T:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        answer = ask()
        if answer is not None:
            return answer
        time.sleep(0.02)
    raise AssertionError("it never came to that")


def test_a_server_that_stops_is_not_ready_while_it_still_answers(observed: Observed) -> None:
    before, stopping = observed.ready
    assert before == (200, {"ready": True, "reasons": [], "paused_queues": []})
    assert stopping == (503, {"ready": False, "reasons": ["the server stops"], "paused_queues": []})
    assert observed.exit_status == 0


def test_every_line_has_a_time_a_level_a_logger_and_a_message(observed: Observed) -> None:
    assert len(observed.lines) > 10
    for line in observed.lines:
        assert {"timestamp", "level", "logger", "message"} <= line.keys(), line
    assert [line["message"] for line in observed.lines][-1] == "Impasto has stopped"


def test_the_life_of_an_item_can_be_read(observed: Observed) -> None:
    item = observed.items["talks"]
    batch = [line for line in observed.lines if line.get("batch_id") == item["batch_id"] and "item_id" not in line]
    assert [line["message"] for line in batch] == [f"batch {item['batch_id']!r} waits in queue 'default', items: 1"]
    story = [line for line in observed.of("talks") if line["logger"] == "impasto.app.lifecycle_log"]
    assert [line["message"].split(" in ")[0].split(" after ")[0] for line in story if line["level"] == "info"] == [
        f"item {item['item_id']} started on cpu-0",
        f"item {item['item_id']} completed",
    ]
    for line in story:
        assert (line["queue_id"], line["session_id"]) == ("default", item["session_id"])


def test_an_item_that_failed_is_a_warning_that_names_the_node(observed: Observed) -> None:
    (line,) = [line for line in observed.of("breaks") if line["level"] == "warning"]
    assert "ValueError in node 'n' (breaks)" in line["message"]
    assert (line["node_id"], line["node_type"], line["worker_id"]) == ("n", "breaks", "cpu-0")
    assert PROMPT in observed.items["breaks"]["error_message"], "who asks for the item is told all"


def test_what_a_node_and_its_libraries_log_is_of_the_node(observed: Observed) -> None:
    said = [line for line in observed.of("talks") if line["logger"] != "impasto.app.lifecycle_log"]
    by_logger = {line["logger"]: line for line in said}
    assert by_logger["impasto.node.talks"]["message"] == "my key is ***"
    assert by_logger["some.library"]["message"] == "slow\nas ever"
    assert "UserWarning: old" in by_logger["py.warnings"]["message"]
    for name in ("impasto.node.talks", "some.library", "py.warnings"):
        line = by_logger[name]
        assert (line["node_id"], line["node_type"], line["worker_id"]) == ("n", "talks", "cpu-0")


def test_what_a_worker_prints_is_of_the_worker(observed: Observed) -> None:
    (line,) = [line for line in observed.lines if line["message"].endswith("printed")]
    assert line["worker_id"] == "cpu-0"


def test_requests_are_told_of_with_their_ids(observed: Observed) -> None:
    (line,) = [line for line in observed.lines if line.get("request_id") == "enqueue-talks"]
    assert line["message"].startswith("POST /api/v1/queue/default/enqueue_batch: 201 in ")
    assert line["level"] == "debug"
