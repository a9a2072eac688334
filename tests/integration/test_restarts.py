"""A server that ends twice in the middle of 200 items, once asked to and once not: every item ends once, in order.

Nothing here waits for a time: the node in hand stops at a FIFO, and what must be on disk before the server is ended has
been told of by an event, for events leave after the commit.
"""

import json
import os
import signal
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from support.plugins import make_plugin
from support.servers import RunningServer, running_server

from impasto.cli.event_stream import EventMessage, read_events

PLUGIN = '''
"""A node that leaves a line, and one that also stops for ever where a FIFO with the name of its label lies."""

import os
import pathlib
import threading

from impasto_sdk import BaseInvocation, InputField, InvocationContext, StringOutput, hookimpl, invocation


def leave_line(path, *words):
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(file, (" ".join(words) + chr(10)).encode())  # one call, so that no line is split
    os.close(file)


@invocation("line", use_cache=False)
class Line(BaseInvocation):
    """Leave a line in a file."""

    path: str = InputField(description="The file")
    label: str = InputField(description="What the line says, before the node's id")

    def invoke(self, context: InvocationContext) -> StringOutput:
        leave_line(self.path, self.label, context.identity.node_id)
        return StringOutput(value=self.label)


@invocation("gate", use_cache=False)
class Gate(BaseInvocation):
    """Leave a line in a file, and never end where there is a gate."""

    path: str = InputField(description="The file")
    gates: str = InputField(description="Folder of the gates")
    label: str = InputField(description="What the line says, before the node's id; the gate's name")

    def invoke(self, context: InvocationContext) -> StringOutput:
        leave_line(self.path, self.label, context.identity.node_id)
        gate = pathlib.Path(self.gates) / self.label
        if gate.exists():
            gate.write_text("here")  # returns once somebody reads
            threading.Event().wait()
        return StringOutput(value=self.label)


@hookimpl
def register_invocations():
    return [Line, Gate]
'''

QUEUE = "/api/v1/queue/default"
#: Without the plugins that load torch: nothing here needs it, and each start of a worker would wait for it.
ENVIRONMENT = {
    "IMPASTO_DEVICES": '["cpu"]',
    "IMPASTO_DISABLED_PLUGINS": '["impasto-sd", "impasto-starter"]',
    "IMPASTO_DRAIN_TIMEOUT_S": "0",
}
LOW, HIGH, TOP = ([f"{name}-{number:03}" for number in range(count)] for name, count in
                  (("low", 120), ("high", 60), ("top", 20)))  # fmt: skip
#: Where the first life of the server ends, and the second.
ASKED_TO_END, KILLED = LOW[7], HIGH[31]
#: What is moved while the first item is held, in the order of the requests.
TO_FRONT = [LOW[119], LOW[60]]


class House:
    """One root folder, the servers that live on it one after the other, and what is kept of them."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "root"
        self.site = folder / "site"
        self.gates = folder / "gates"
        self.lines = folder / "lines"
        self.items: dict[str, int] = {}
        self.gates.mkdir()
        make_plugin(self.site, "restart-toys", PLUGIN)

    def server(self) -> Any:
        return running_server(self.root, environment=ENVIRONMENT, python_path=self.site)

    def close_gate(self, label: str) -> None:
        os.mkfifo(self.gates / label)

    def wait_at_gate(self, label: str) -> None:
        """Return when the node stands at its gate, which is gone with that: whoever comes again passes."""
        assert (self.gates / label).read_text() == "here"
        (self.gates / label).unlink()

    def enqueue(self, client: httpx.Client, labels: Sequence[str], *, prepend: bool = False) -> dict[str, Any]:
        graph = {
            "nodes": {
                "first": {"type": "line", "path": str(self.lines), "label": ""},
                "middle": {"type": "gate", "path": str(self.lines), "gates": str(self.gates)},
                "last": {"type": "line", "path": str(self.lines)},
            },
            "edges": [
                {"source": {"node_id": a, "field": "value"}, "destination": {"node_id": b, "field": "label"}}
                for a, b in (("first", "middle"), ("middle", "last"))
            ],
        }
        data = [[{"node_path": "first", "field_name": "label", "items": list(labels)}]]
        answer = client.post(
            f"{QUEUE}/enqueue_batch", json={"batch": {"graph": graph, "data": data}, "prepend": prepend}
        )
        assert answer.status_code == 201, answer.text
        result: dict[str, Any] = answer.json()
        self.items.update(zip(labels, result["item_ids"], strict=True))
        return result

    def executions(self) -> list[tuple[str, str]]:
        """Label and node of every execution, in the order in which they began."""
        return [tuple(line.split()) for line in self.lines.read_text().splitlines()]  # type: ignore[misc]


def position(client: httpx.Client) -> str:
    """Where the line of events stands now."""
    return next(events(client)).id or ""


def events(client: httpx.Client, since: str | None = None) -> Iterator[EventMessage]:
    headers = {} if since is None else {"Last-Event-ID": since}
    with client.stream("GET", "/api/v1/events", headers=headers) as response:
        yield from read_events(response.iter_lines())


def wait_until_told(client: httpx.Client, since: str, item_id: int, node_id: str) -> None:
    """Return when the execution of a node of an item is known to be finished, and so in the journal."""
    for event in events(client, since):
        if event.name == "invocation_complete" and event.data["item_id"] == item_id:
            assert event.data["invocation_source_id"] == node_id
            return


def end(server: RunningServer, number: signal.Signals) -> None:
    """End a server by a signal, and wait until neither it nor a worker of it is there."""
    processes = psutil.Process(server.process.pid).children(recursive=True)
    server.process.send_signal(number)
    server.process.wait(60)
    _, alive = psutil.wait_procs(processes, timeout=60)
    assert alive == []


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    """A house whose server was ended twice, and has run everything to its end."""
    house = House(tmp_path_factory.mktemp("house"))
    house.close_gate(ASKED_TO_END)
    house.close_gate(KILLED)
    with house.server() as server, server.client() as client:
        since = position(client)
        house.enqueue(client, LOW)
        house.wait_at_gate(ASKED_TO_END)
        wait_until_told(client, since, house.items[ASKED_TO_END], "first")
        for label in TO_FRONT:
            client.put(f"{QUEUE}/i/{house.items[label]}/move", json={"to": "front"}).raise_for_status()
        house.enqueue(client, HIGH, prepend=True)
        end(server, signal.SIGTERM)
    assert server.process.returncode == 0
    with house.server() as server, server.client() as client:
        house.wait_at_gate(KILLED)
        wait_until_told(client, since, house.items[KILLED], "first")
        house.enqueue(client, TOP, prepend=True)
        end(server, signal.SIGKILL)
    with house.server() as server, server.client() as client:
        told = []
        completed: set[int] = set()
        for event in events(client, since):
            told.append(event)
            if event.name == "queue_item_status_changed" and event.data["status"] == "completed":
                completed.add(event.data["item_id"])
                if len(completed) == len(house.items):
                    break
        (house.root.parent / "told.json").write_text(json.dumps([[event.name, event.data] for event in told]))
        answers = {
            "items": client.get(f"{QUEUE}/list_all").json(),
            "status": client.get(f"{QUEUE}/status").json()["queue"],
        }
        (house.root.parent / "answers.json").write_text(json.dumps(answers))
    return house


@pytest.fixture(scope="module")
def told(house: House) -> list[tuple[str, dict[str, Any]]]:
    """Every event of all three lives, as a client sees them that comes back at the end."""
    return [tuple(event) for event in json.loads((house.root.parent / "told.json").read_text())]


@pytest.fixture(scope="module")
def answers(house: House) -> dict[str, Any]:
    return json.loads((house.root.parent / "answers.json").read_text())  # type: ignore[no-any-return]


def order_of_beginning(labels: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(labels))


def test_every_item_has_completed_with_its_own_result(house: House, answers: dict[str, Any]) -> None:
    assert len(house.items) == 200
    results = {item["item_id"]: item["session"]["results"]["last"]["value"] for item in answers["items"]}
    assert results == {item_id: label for label, item_id in house.items.items()}
    assert {item["status"] for item in answers["items"]} == {"completed"}
    status = answers["status"]
    assert (status["completed"], status["total"]) == (200, 200)


def test_items_began_in_the_order_of_priority_and_of_their_places(house: House) -> None:
    expected = [
        *LOW[:8],
        *HIGH[:32],
        *TOP,
        *HIGH[32:],
        *reversed(TO_FRONT),
        *(label for label in LOW[8:] if label not in TO_FRONT),
    ]
    assert order_of_beginning([label for label, _ in house.executions()]) == expected


def test_no_finished_node_was_run_again_and_those_in_hand_were(house: House) -> None:
    executions = Counter(house.executions())
    assert {execution: count for execution, count in executions.items() if count != 1} == {
        (ASKED_TO_END, "middle"): 2,
        (KILLED, "middle"): 2,
    }
    assert len(executions) == 3 * len(house.items)


def test_an_end_that_was_asked_for_costs_no_attempt(house: House, answers: dict[str, Any]) -> None:
    attempts = {item["item_id"]: item["attempts"] for item in answers["items"]}
    assert {label: attempts[item_id] for label, item_id in house.items.items() if attempts[item_id] != 1} == {
        ASKED_TO_END: 2,
        KILLED: 2,
    }


def test_a_client_that_comes_back_after_both_ends_is_told_every_step_of_every_item(
    house: House, told: list[tuple[str, dict[str, Any]]]
) -> None:
    assert told[0][1]["complete"], "nothing that was told is missing"
    steps: dict[int, list[tuple[int, str]]] = {}
    for name, data in told:
        if name == "queue_item_status_changed":
            steps.setdefault(data["item_id"], []).append((data["status_sequence"], data["status"]))
    once = [(1, "in_progress"), (2, "completed")]
    twice = [(1, "in_progress"), (2, "pending"), (3, "in_progress"), (4, "completed")]
    resumed = {house.items[ASKED_TO_END], house.items[KILLED]}
    assert steps == {item_id: twice if item_id in resumed else once for item_id in house.items.values()}


def test_the_database_is_whole(house: House) -> None:
    connection = sqlite3.connect(house.root / "impasto.db")
    try:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    finally:
        connection.close()
