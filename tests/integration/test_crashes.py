"""Workers and servers are killed at random moments of runs, over and over; then everything drains, and nothing is lost.

Each kill is SIGKILL, at a moment drawn with a fixed seed: after some more executions have begun, or a moment after a
start. A client goes on enqueueing as a careful one does: with an idempotency key, again and again until it is answered.
What has to hold at the end is read from the files themselves: the database, the images folder, and the lines that every
execution leaves as it begins.
"""

import random
import signal
import sqlite3
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from PIL import Image
from support.plugins import make_plugin
from support.servers import RunningServer, running_server

from impasto.engine.protocol import item_of
from impasto.engine.references import find_references
from impasto.storage.documents import load_document

TOYS = Path(__file__).parents[1] / "support" / "crash_toys.py"
#: Of each seed; together more than sixty.
KILLS = 16
SEEDS = range(4)
#: Most executions that may begin before the next kill.
MOST_STEPS = 25
#: Runs of one batch, and most items that wait while the client still adds to them.
RUNS, MOST_WAITING = 3, 4
#: Of one session: painted, given by the generator, painted over.
IMAGES = 4 + 3 + 3


def graph(trace: Path) -> dict[str, Any]:
    """Four pictures of an iteration, three of a generator that are painted over, and both counted."""
    note = {"trace": str(trace)}
    nodes = {
        "range": {"type": "range", "start": 0, "stop": 4, "step": 1},
        "each": {"type": "iterate"},
        "paint": {"type": "crash_paint", **note},
        "painted": {"type": "collect"},
        "frames": {"type": "crash_frames", "count": 3, **note},
        "each_frame": {"type": "iterate"},
        "tint": {"type": "crash_tint", **note},
        "tinted": {"type": "collect"},
        "count": {"type": "crash_count", **note},
    }
    edges = [
        "range.collection each.collection",
        "each.item paint.value",
        "paint.image painted.item",
        "frames.collection each_frame.collection",
        "each_frame.item tint.image",
        "tint.image tinted.item",
        "painted.collection count.images",
        "tinted.collection count.others",
    ]
    ends = [[end.split(".") for end in edge.split()] for edge in edges]
    return {
        "id": "crash",
        "nodes": {name: {"id": name, **node} for name, node in nodes.items()},
        "edges": [
            {
                "source": {"node_id": source[0], "field": source[1]},
                "destination": {"node_id": destination[0], "field": destination[1]},
            }
            for source, destination in ends
        ],
    }


@dataclass
class Client:
    """Enqueues batches under keys of their own for as long as it may, through every crash."""

    body: dict[str, Any]
    url: str | None = None
    #: Batches that were answered, by key.
    accepted: dict[str, list[int]] = field(default_factory=dict)
    #: Why it gave up, which it must not.
    failure: Exception | None = None
    stopping: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        while not self.stopping.is_set():
            try:
                self._enqueue_one()
            except (httpx.TransportError, LookupError):
                self.stopping.wait(0.05)  # no server just now; the same key is tried again
            except Exception as error:  # noqa: BLE001 - the test is to hear of it, and nobody sees this thread
                self.failure = error
                return

    def _enqueue_one(self) -> None:
        if self.url is None:
            raise LookupError("there is no server")
        with httpx.Client(base_url=self.url, timeout=10) as http:
            counts = http.get("/api/v1/queue/default/status").raise_for_status().json()["queue"]
            if counts["pending"] + counts["in_progress"] > MOST_WAITING:
                self.stopping.wait(0.02)
                return
            key = f"key-{len(self.accepted)}"
            answer = http.post("/api/v1/queue/default/enqueue_batch", json=self.body, headers={"Idempotency-Key": key})
            self.accepted[key] = answer.raise_for_status().json()["item_ids"]


@dataclass
class Arena:
    """A root folder, what is run on it, and what is killed."""

    root: Path
    plugins: Path
    rng: random.Random
    kills: Counter[str] = field(default_factory=Counter)
    #: Executions that were on disk at some moment, with how much had been noted by then.
    finished: dict[tuple[int, str], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.trace = self.root / "trace"
        self.trace.touch()
        batch = {"graph": graph(self.trace), "runs": RUNS}
        self.client = Client({"batch": batch})

    @contextmanager
    def server(self) -> Iterator[RunningServer]:
        environment = {
            "IMPASTO_DEVICES": '["cpu"]',
            "IMPASTO_DISABLED_PLUGINS": '["impasto-image", "impasto-sd", "impasto-starter"]',
            # killed as often as here, an item may get nowhere many times in a row
            "IMPASTO_MAX_ATTEMPTS": "100",
            "IMPASTO_CPU_LANE": "2",
        }
        with running_server(self.root, environment=environment, python_path=self.plugins) as server:
            self.client.url = server.url
            try:
                yield server
            finally:
                self.client.url = None

    def kill_something(self, server: RunningServer) -> bool:
        """Wait for a random moment and kill the server or its worker; whether the server is still there."""
        self._wait_for_moment()
        workers = self.workers(server)
        if workers and self.rng.random() < 0.5:
            self.kills["worker"] += 1
            self.rng.choice(workers).kill()
            self._note_what_is_finished()
            return True
        self.kills["server"] += 1
        server.process.send_signal(signal.SIGKILL)
        server.process.wait()
        _, alive = psutil.wait_procs(workers, timeout=30)
        assert not alive, f"workers outlive their server: {alive}"
        self._note_what_is_finished()
        return False

    def workers(self, server: RunningServer) -> list[psutil.Process]:
        return psutil.Process(server.process.pid).children()

    def drain(self, server: RunningServer) -> None:
        with server.client() as client:
            while True:
                counts = client.get("/api/v1/queue/default/status").raise_for_status().json()["queue"]
                if counts["pending"] == counts["in_progress"] == 0:
                    return
                time.sleep(0.05)

    def lines(self) -> list[tuple[int, str]]:
        """Item and execution of everything that has begun, in order."""
        pairs = (line.split() for line in self.trace.read_text().splitlines())
        return [(int(item_id), execution_id) for item_id, execution_id in pairs]

    def rows(self, statement: str) -> list[Any]:
        """What the database says, asked past the server."""
        with closing(sqlite3.connect(f"file:{self.root / 'impasto.db'}?mode=ro", uri=True)) as connection:
            return connection.execute(statement).fetchall()

    def _wait_for_moment(self) -> None:
        """Until some more executions have begun, and then a little; or a while, for a server that does nothing yet."""
        steps, begun = self.rng.randrange(MOST_STEPS), len(self.lines())
        deadline = time.monotonic() + self.rng.uniform(0.2, 3.0)
        while len(self.lines()) < begun + steps and time.monotonic() < deadline:
            time.sleep(0.002)
        time.sleep(self.rng.uniform(0.0, 0.01))

    def _note_what_is_finished(self) -> None:
        # in this order: whatever begins after it was found on disk is noted after what was noted by then
        journal = self.rows("SELECT item_id, execution_id FROM journal")
        noted = len(self.lines())
        for item_id, execution_id in journal:
            if item_of(execution_id) is None:
                self.finished.setdefault((item_id, execution_id), noted)


@pytest.mark.parametrize("seed", SEEDS)
def test_whatever_is_killed_every_item_completes_once_and_files_and_rows_agree(tmp_path: Path, seed: int) -> None:
    plugins = tmp_path / "plugins"
    make_plugin(plugins, "crash-toys", TOYS.read_text("utf-8"))
    (tmp_path / "root").mkdir()
    arena = Arena(tmp_path / "root", plugins, random.Random(seed))
    client = threading.Thread(target=arena.client.run)
    client.start()
    try:
        while arena.kills.total() < KILLS:
            with arena.server() as server:
                while arena.kills.total() < KILLS and arena.kill_something(server):
                    assert arena.client.failure is None
    finally:
        arena.client.stopping.set()
        client.join()
    with arena.server() as server:
        arena.drain(server)
    assert arena.client.failure is None
    assert min(arena.kills["server"], arena.kills["worker"]) >= KILLS // 4, "the seed kills too much of one kind"
    assert_everything_is_there(arena)


def assert_everything_is_there(arena: Arena) -> None:
    assert arena.rows("PRAGMA integrity_check") == [("ok",)]
    assert arena.rows("PRAGMA foreign_key_check") == []
    items = dict(arena.rows("SELECT item_id, status FROM queue_items"))
    assert set(items.values()) == {"completed"}
    answered = [item_id for item_ids in arena.client.accepted.values() for item_id in item_ids]
    assert sorted(answered) == sorted(items)[: len(answered)], "a batch was lost, or stored twice"
    assert len(items) - len(answered) in (0, RUNS), "only the last batch may have gone without an answer"
    assert_nothing_finished_ran_again(arena)
    assert_images_are_those_of_the_journal(arena, items)
    assert_events_tell_each_thing_once(arena, items)


def assert_nothing_finished_ran_again(arena: Arena) -> None:
    again = [
        (place, line)
        for place, line in enumerate(arena.lines())
        if place >= arena.finished.get(line, len(arena.lines()))
    ]
    assert again == [], "what was on disk ran again"


def assert_images_are_those_of_the_journal(arena: Arena, items: dict[int, str]) -> None:
    named: dict[int, set[str]] = defaultdict(set)
    executions: dict[int, set[str]] = defaultdict(set)
    for item_id, key, output in arena.rows("SELECT item_id, execution_id, output FROM journal"):
        if item_of(key) is None:
            executions[item_id].add(key)
            named[item_id].update(find_references(load_document(output)).images)
    assert len({frozenset(ids) for ids in executions.values()}) == 1, "items of one graph ran different nodes"
    assert {len(names) for names in named.values()} == {IMAGES}
    rows = arena.rows("SELECT i.item_id, m.image_name FROM images m JOIN queue_items i ON i.session_id = m.session_id")
    saved: dict[int, set[str]] = defaultdict(set)
    for item_id, name in rows:
        saved[item_id].add(name)
    assert saved == named, "an image is lost, doubled or nobody's"
    assert arena.rows("SELECT count(*) FROM images") == [(IMAGES * len(items),)]
    assert arena.rows("SELECT * FROM unsettled_images") == []
    folder = arena.root / "images"
    files = {path.name: path for path in folder.glob("??/*")}
    assert set(files) == set().union(*named.values()), "files and rows do not agree"
    for path in files.values():
        with Image.open(path) as image:
            image.load()


def assert_events_tell_each_thing_once(arena: Arena, items: dict[int, str]) -> None:
    """Whoever reads all events from the first learns of each finished execution once, and of each step of an item."""
    completed: Counter[tuple[int, str]] = Counter()
    steps: dict[int, list[tuple[int, str]]] = defaultdict(list)
    enqueued = 0
    for name, document in arena.rows("SELECT name, document FROM events ORDER BY id"):
        event = load_document(document)
        if name == "invocation_complete":
            completed[event["item_id"], event["invocation"]["id"]] += 1
        elif name == "queue_item_status_changed":
            steps[event["item_id"]].append((event["status_sequence"], event["status"]))
        elif name == "batch_enqueued":
            enqueued += event["enqueued"]
    finished = {
        (item_id, key) for item_id, key in arena.rows("SELECT item_id, execution_id FROM journal") if not item_of(key)
    }
    assert completed == dict.fromkeys(finished, 1)
    assert enqueued == len(items)
    for item_id in items:
        numbers = [number for number, _ in steps[item_id]]
        assert numbers == list(range(1, len(numbers) + 1)), f"item {item_id}: {steps[item_id]}"
        assert steps[item_id][-1][1] == "completed"
        assert [status for _, status in steps[item_id]].count("completed") == 1
    counted = arena.rows("SELECT pending, in_progress, completed, failed, canceled FROM queues")
    assert counted == [(0, 0, len(items), 0, 0)]
