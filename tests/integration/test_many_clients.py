"""Eight clients do to two queues whatever can be done, three workers run what they find: nothing is lost or doubled.

It takes a minute; ``IMPASTO_ENDURANCE_S`` says how many seconds instead. The clients' choices have fixed seeds, what
they meet depends on the machine: a failure says what was asked for, and the database stays for a look.
"""

import json
import os
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.plugins import make_plugin
from support.queue_clients import ENDED, Ledger, QueueClient
from support.servers import RunningServer, running_server
from websockets.sync.client import ClientConnection, connect

PLUGIN = '''
"""A node that leaves a line in a file, may take a moment, and may fail."""

import os
import threading

from impasto_sdk import BaseInvocation, InputField, InvocationContext, IntegerOutput, hookimpl, invocation


@invocation("tick", use_cache=False)
class Tick(BaseInvocation):
    """Leave the number of the item in a file."""

    path: str = InputField(description="The file")
    takes_s: float = InputField(0.0, description="How long it takes, in seconds")
    fails: bool = InputField(False, description="Whether it fails")

    def invoke(self, context: InvocationContext) -> IntegerOutput:
        item_id = context.identity.item_id
        file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(file, f"{item_id} {context.identity.session_id}\\n".encode())  # one call, so that no line is split
        os.close(file)
        if self.takes_s:
            threading.Event().wait(self.takes_s)
        context.raise_if_cancelled()
        if self.fails:
            raise ValueError("it was told to fail")
        return IntegerOutput(value=item_id)


@hookimpl
def register_invocations():
    return [Tick]
'''

CLIENTS = 8
WORKERS = 3
QUEUES = ("default", "second")
DURATION_S = float(os.environ.get("IMPASTO_ENDURANCE_S", "60"))
#: Without the plugins that load torch, and with a queue small enough to be full at times.
ENVIRONMENT = {
    "IMPASTO_DEVICES": '["cpu"]',
    "IMPASTO_DISABLED_PLUGINS": '["impasto-sd", "impasto-starter"]',
    "IMPASTO_WORKERS_PER_DEVICE": str(WORKERS),
    "IMPASTO_MAX_QUEUE_SIZE": "500",
    "IMPASTO_EVENT_BUFFER": "100000",
}
STATUSES = ("pending", "in_progress", "waiting", "completed", "failed", "canceled")


@dataclass(frozen=True)
class Aftermath:
    """What is there when all is over."""

    ledger: Ledger
    #: Every item that is left, as the server tells of it.
    items: dict[int, dict[str, Any]]
    #: Every event, as a client saw it that was there from the start.
    told: list[dict[str, Any]]
    #: How often an item's node was run.
    runs: Counter[int]
    #: What the server says of each queue and each batch: counts by status.
    queues: dict[str, dict[str, int]]
    batches: dict[tuple[str, str], dict[str, int]]
    database: Path


class Listener:
    """Reads every event of a socket, on a thread of its own, until that is closed."""

    def __init__(self, socket: ClientConnection) -> None:
        self.told: list[dict[str, Any]] = [json.loads(socket.recv(timeout=60))]
        self._socket = socket
        self._ended = threading.Condition()
        self._final: set[int] = set()
        self._thread = threading.Thread(target=self._read, name="listener")
        self._thread.start()

    def wait_for_end_of(self, item_id: int) -> None:
        """Return once an item is said to have ended."""
        with self._ended:
            assert self._ended.wait_for(lambda: item_id in self._final, timeout=120), f"item {item_id} did not end"

    def close(self) -> None:
        """Close the socket, and wait for the thread to read what came before that."""
        self._socket.close()
        self._thread.join()

    def _read(self) -> None:
        for frame in self._socket:
            event = json.loads(frame)
            self.told.append(event)
            if event["event"] == "queue_item_status_changed" and event["data"]["status"] in ENDED:
                with self._ended:
                    self._final.add(event["data"]["item_id"])
                    self._ended.notify_all()


@contextmanager
def listening(url: str) -> Iterator[Listener]:
    """A listener to all events from now on."""
    with connect(f"{url.replace('http', 'ws', 1)}/api/v1/events/ws", proxy=None, max_queue=None) as socket:
        listener = Listener(socket)
        try:
            yield listener
        finally:
            listener.close()


@pytest.fixture(scope="module")
def aftermath(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Aftermath]:
    folder = tmp_path_factory.mktemp("many")
    make_plugin(folder / "site", "many-toys", PLUGIN)
    with running_server(folder / "root", environment=ENVIRONMENT, python_path=folder / "site") as server:
        yield let_them_loose(server, folder)


def let_them_loose(server: RunningServer, folder: Path) -> Aftermath:
    ledger, lines = Ledger(), folder / "lines"
    node = {"type": "tick", "path": str(lines)}
    with listening(server.url) as listener, server.client() as client:
        clients = [QueueClient(f"client {n}", server.url, ledger, QUEUES, lambda: node) for n in range(CLIENTS)]
        let_work(clients)
        for queue_id in QUEUES:
            drain(client, listener, queue_id)
        items = {item["item_id"]: item for queue_id in QUEUES for item in all_items(client, queue_id)}
        queues = {queue_id: counts(client, f"{queue_id}/status", "queue") for queue_id in QUEUES}
        batches = {
            (item["queue_id"], item["batch_id"]): counts(client, f"{item['queue_id']}/b/{item['batch_id']}/status")
            for item in items.values()
        }
    runs = Counter(int(line.split()[0]) for line in lines.read_text().splitlines())
    return Aftermath(ledger, items, listener.told, runs, queues, batches, server.root / "impasto.db")


def let_work(clients: Sequence[QueueClient]) -> None:
    """Have all clients work until the time is over; the first that fails ends it for all."""
    over = threading.Event()
    with ThreadPoolExecutor(len(clients)) as pool:
        ends = [pool.submit(client.work_until, over) for client in clients]
        for end in ends:
            end.add_done_callback(lambda _: over.set())
        over.wait(DURATION_S)
        over.set()
    for end in ends:
        end.result()


def drain(client: httpx.Client, listener: Listener, queue_id: str) -> None:
    """Have a queue run to its end, and the listener hear of it."""
    client.put(f"/api/v1/queue/{queue_id}/processor/resume").raise_for_status()
    # what is pending first: an item goes on to run between two questions, and not back
    for status in ("pending", "in_progress"):
        for item in all_items(client, queue_id, status=status):
            listener.wait_for_end_of(item["item_id"])


def all_items(client: httpx.Client, queue_id: str, **which: str) -> list[dict[str, Any]]:
    answer = client.get(f"/api/v1/queue/{queue_id}/list_all", params=which).raise_for_status()
    found: list[dict[str, Any]] = answer.json()
    return found


def counts(client: httpx.Client, path: str, key: str | None = None) -> dict[str, int]:
    document = client.get(f"/api/v1/queue/{path}").raise_for_status().json()
    document = document if key is None else document[key]
    return {status: document[status] for status in STATUSES}


def test_thousands_of_requests_were_answered_and_none_with_an_error_of_the_server(aftermath: Aftermath) -> None:
    answers = aftermath.ledger.answers
    print(f"{len(aftermath.ledger.accepted)} items, {len(aftermath.told)} events; requests: {sorted(answers.items())}")
    done = {what for what, status in answers if status < 300}
    assert {"enqueue", "enqueue again", "cancel", "cancel batch", "retry", "move", "priority", "delete"} <= done
    assert [(what, status) for what, status in answers if status >= 500] == []


def test_no_item_is_lost_and_none_is_doubled(aftermath: Aftermath) -> None:
    ledger, items = aftermath.ledger, aftermath.items
    assert set(ledger.accepted) - ledger.deleted - set(items) == set(), "lost"
    assert set(items) - (set(ledger.accepted) - ledger.deleted) == set(), "nobody's"
    assert {item["status"] for item in items.values()} <= ENDED
    sessions = Counter(item["session_id"] for item in items.values())
    assert [session for session, count in sessions.items() if count > 1] == []


def test_what_completed_or_failed_ran_once_and_what_was_cancelled_before_it_began_never(aftermath: Aftermath) -> None:
    runs, items = aftermath.runs, aftermath.items
    assert [item_id for item_id, count in runs.items() if count > 1] == [], "run twice"
    ran = {item_id for item_id, item in items.items() if item["status"] in ("completed", "failed")}
    assert ran - set(runs) == set(), "said to have run, and did not"
    unbegun = {item_id for item_id, item in items.items() if item["started_at"] is None}
    assert (unbegun | aftermath.ledger.never_begun) & set(runs) == set(), "run, though it was cancelled before"
    assert {items[item_id]["attempts"] for item_id in ran} == {1}
    results = {
        item_id: item["session"]["results"]["tick"]["value"]
        for item_id, item in items.items()
        if item["status"] == "completed"
    }
    assert results == {item_id: item_id for item_id in results}
    assert results, "nothing completed"


def test_the_counts_of_queues_and_batches_are_those_of_their_items(aftermath: Aftermath) -> None:
    by_queue: dict[str, Counter[str]] = {queue_id: Counter() for queue_id in QUEUES}
    by_batch: dict[tuple[str, str], Counter[str]] = {batch: Counter() for batch in aftermath.batches}
    connection = sqlite3.connect(aftermath.database)
    try:
        rows = connection.execute(
            "SELECT i.queue_id, b.batch_id, i.status, count(*) FROM queue_items i JOIN batches b ON b.id = i.batch "
            "GROUP BY 1, 2, 3"
        ).fetchall()
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    finally:
        connection.close()
    for queue_id, batch_id, status, count in rows:
        by_queue[queue_id][status] += count
        by_batch[queue_id, batch_id][status] += count
    assert aftermath.queues == {queue: {s: found[s] for s in STATUSES} for queue, found in by_queue.items()}
    assert aftermath.batches == {batch: {s: found[s] for s in STATUSES} for batch, found in by_batch.items()}


def test_a_listener_was_told_of_every_step_once_and_in_order(aftermath: Aftermath) -> None:
    ids = [event["id"] for event in aftermath.told]
    assert ids == sorted(ids), "ids never fall"
    steps: dict[int, list[tuple[int, str]]] = {}
    swept: set[int] = set()
    for event in aftermath.told:
        data = event["data"]
        if event["event"] == "queue_item_status_changed":
            steps.setdefault(data["item_id"], []).append((data["status_sequence"], data["status"]))
        elif event["event"] == "queue_items_canceled":
            again = swept & set(data["canceled_item_ids"])
            assert again == set(), "cancelled twice"
            swept.update(data["canceled_item_ids"])
    for item_id, told in steps.items():
        assert [sequence for sequence, _ in told] == list(range(1, len(told) + 1)), f"item {item_id}: {told}"
    wrong = {}
    for item_id, item in aftermath.items.items():
        # what was cancelled with many others before it began is told of with those
        expected = [] if item_id in swept else [(item["status_sequence"], item["status"])]
        if steps.get(item_id, [])[-1:] != expected:
            wrong[item_id] = (item["status"], item["status_sequence"], steps.get(item_id))
    assert wrong == {}


def test_both_sides_of_an_execution_were_told_of_what_completed(aftermath: Aftermath) -> None:
    told = Counter(
        (event["event"], event["data"]["item_id"])
        for event in aftermath.told
        if event["event"] in ("invocation_started", "invocation_complete")
    )
    completed = [item_id for item_id, item in aftermath.items.items() if item["status"] == "completed"]
    assert {
        item_id: (told["invocation_started", item_id], told["invocation_complete", item_id])
        for item_id in completed
        if (told["invocation_started", item_id], told["invocation_complete", item_id]) != (1, 1)
    } == {}
