"""The queue on a disk of this machine, in one process: wall time, medians, every commit included.

A file called queue.py here would stand in for Python's own when this folder is run from.
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # for `support`, when run as a script

from support.batches import values
from support.queues import open_queue

from impasto.queue import SessionQueue
from impasto.queue.records import Batch, ClaimedItem
from impasto.storage.database import Database

from benchmarks.harness import Row, main_of  # isort: skip

#: Journal entries that a worker which is quick enough to need it sends together.
GROUP = 50
#: A graph as an editor sends it: ten nodes with a few fields each.
GRAPH: dict[str, Any] = {
    "id": "graph",
    "nodes": {f"node {i}": {"id": f"node {i}", "type": "add", "a": i, "b": 2, "text": "x" * 60} for i in range(10)},
    "edges": [],
}


def median_ms(work: Callable[[], object], times: int) -> float:
    """The median time of a call in milliseconds, after one that does not count."""
    work()
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begun)
    return statistics.median(taken) * 1000


def seeds(count: int) -> Batch:
    """A batch of runs that differ by their seed."""
    return Batch(graph=GRAPH, data=[[values("node 0", "a", *range(2**64 - count, 2**64))]])


def rows() -> list[Row]:
    """Enqueueing, claiming, journaling and ending."""
    with tempfile.TemporaryDirectory() as folder, Database(Path(folder) / "impasto.db") as database:
        queue = open_queue(database, max_queue_size=1_000_000)
        enqueue = median_ms(lambda: queue.enqueue("default", seeds(1000)), 9)
        assert queue.status("default").pending == 10_000
        claimed: list[ClaimedItem] = []
        claim = median_ms(lambda: claimed.append(_claim(queue)), 500)
        held = claimed.pop()
        ids = iter(range(10**9))
        single = median_ms(lambda: queue.journal(held.item_id, _outputs(next(ids), 1)), 500)
        group = median_ms(lambda: queue.journal(held.item_id, _outputs(next(ids), GROUP)), 50) / GROUP
        complete = median_ms(lambda: queue.complete(claimed.pop().item_id), 400)
        status = median_ms(lambda: queue.status("default"), 500)
    return [
        Row("enqueue a batch of 1,000 runs", enqueue, "ms", 30, "InvokeAI 54 ms"),
        Row("claim an item, 10,000 queued", claim, "ms", 1, "InvokeAI 28.6 ms"),
        Row(f"journaled, per node, in groups of {GROUP}", group * 1000, "µs", 300),
        Row("journaled, per node, each on its own", single * 1000, "µs"),
        Row("end an item, 10,000 in the queue", complete, "ms"),
        Row("status of a queue of 10,000", status, "ms"),
    ]


def _claim(queue: SessionQueue) -> ClaimedItem:
    item = queue.claim("worker")
    assert item is not None
    return item


def _outputs(run: int, count: int) -> dict[str, object]:
    return {f"node {run}[{i}]": {"type": "integer_output", "value": i} for i in range(count)}


if __name__ == "__main__":
    main_of(rows)
