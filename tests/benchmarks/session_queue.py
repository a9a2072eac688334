"""The queue on a disk of this machine, in one process: wall time, medians, every commit included.

What is asked of a queue again and again (a claim, a status, a page) is measured among 1,000 items and among 20,000, in
turns; a row gives the ratio of the CPU times, which is near 1 where nothing looks at the whole queue.

A file called queue.py here would stand in for Python's own when this folder is run from.
"""

import itertools
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # for `support`, when run as a script

from support.batches import values
from support.queues import open_queue

from impasto.queue import SessionQueue
from impasto.queue.records import Batch, ClaimedItem
from impasto.queue.session_models import SessionModels
from impasto.storage.database import Database
from impasto.storage.event_log import EventLog
from impasto_sdk.events import InvocationCompleteEvent

from benchmarks.harness import Row, main_of  # isort: skip

#: Journal entries that a worker which is quick enough to need it sends together.
GROUP = 50
#: Sizes of queues that are compared.
SMALL, LARGE = 1_000, 20_000
#: The size that the design's budget for a claim is for.
CLAIMED_OF = 10_000
#: What is asked of a larger queue may cost so many times as much, and still not look at all of it.
FLAT = 1.5
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


def seeds(count: int, **changes: Any) -> Batch:
    """A batch of runs that differ by their seed."""
    return Batch(graph=GRAPH, data=[[values("node 0", "a", *range(2**64 - count, 2**64))]], **changes)


def in_turn(count: int) -> SessionModels:
    """Models of so many sessions, as if the seed named them: `a`, then `b`, and again."""
    pairs = itertools.islice(itertools.cycle([{"a"}, {"b"}]), count)
    return SessionModels(given={("node 0", "a"): list(pairs)})


@contextmanager
def a_queue(pending: int = 0) -> Iterator[SessionQueue]:
    """A queue on a disk, with so many items that wait; every second one needs model `a`, the others `b`."""
    with tempfile.TemporaryDirectory() as folder, Database(Path(folder) / "impasto.db") as database:
        queue = open_queue(database, max_queue_size=1_000_000, affinity_window=32)
        fill(queue, pending)
        assert queue.status("default").pending == pending
        yield queue


def fill(queue: SessionQueue, count: int, *, needs_device: bool = True) -> None:
    """Enqueue so many items more."""
    for _ in range(count // 1_000):
        seeded = seeds(1_000, destination="gallery")
        queue.enqueue("default", seeded, models=in_turn(1_000), needs_device=needs_device)


def rows() -> list[Row]:
    """Enqueueing, looking, running, and what is done to many items at once."""
    return [*enqueueing(), *looking(), *claiming(), *journaling(), *removing(), *sweeping(), *events()]


def enqueueing() -> list[Row]:
    """A batch in one transaction."""
    with a_queue() as queue:
        one = median_ms(lambda: queue.enqueue("default", seeds(1)), 200)
        thousand = median_ms(lambda: queue.enqueue("default", seeds(1_000)), 9)
        ten_thousand = median_ms(lambda: queue.enqueue("default", seeds(10_000)), 5)
    return [
        Row("enqueue a batch of 1 run", one, "ms"),
        Row("enqueue a batch of 1,000 runs", thousand, "ms", 30, "InvokeAI 54 ms"),
        Row("enqueue a batch of 10,000 runs", ten_thousand, "ms", 300),
    ]


def looking() -> list[Row]:
    """What clients ask for, again and again."""
    with a_queue(SMALL) as small, a_queue(LARGE) as large:
        asked = zip(questions(small, SMALL), questions(large, LARGE), strict=True)
        return [row for (what, one), (_, other) in asked for row in compared(what, one, other, 60)] + whole()


def questions(queue: SessionQueue, size: int) -> Iterator[tuple[str, Callable[[], object]]]:
    """What is asked of a queue of that many items."""
    page, middle = 50, size // 2
    batch_id = queue.list("default", limit=1)[0].batch_id
    hundred = list(range(middle, middle + 100))
    yield "status of a queue", lambda: queue.status("default")
    yield "status of a batch", lambda: queue.batch_status("default", batch_id)
    yield "first page of 50 items", lambda: queue.list("default", limit=page)
    yield "a page of 50 items from the middle", lambda: queue.list("default", after=middle, limit=page)
    yield "100 items by their numbers", lambda: queue.get_many("default", hundred)
    yield "100 summaries by their numbers", lambda: queue.summaries("default", hundred)
    yield "the next item", lambda: queue.next("default")


def whole() -> list[Row]:
    """What nothing can give without a look at all items."""
    with a_queue(LARGE) as queue:
        numbers = median_ms(lambda: queue.item_ids("default"), 50)
        counts = median_ms(lambda: queue.counts_by_destination("default", "gallery"), 50)
    return [
        Row(f"the numbers of all of {LARGE:,} items", numbers, "ms"),
        Row(f"counts by destination, {LARGE:,} queued", counts, "ms"),
    ]


def claiming() -> list[Row]:
    """Taking items, with models at hand and without, and ending them."""
    with a_queue(CLAIMED_OF) as queue:
        claim = median_ms(lambda: _claim(queue), 300)
    rows = [Row(f"claim an item, {CLAIMED_OF:,} queued", claim, "ms", 1, "InvokeAI 28.6 ms")]
    rows += claiming_behind("that need a device", needs_device=False)
    rows += claiming_behind("that need none", needs_device=True)
    with a_queue(SMALL) as small, a_queue(LARGE) as large:
        taken: dict[SessionQueue, list[int]] = {small: [], large: []}
        for what, warm in {
            "claim an item": [],
            "claim an item, one model warm, the first needs another": ["b"],
            "claim an item, sixteen models warm": [*"cdefghijklmnopqb"],
        }.items():

            def claim_of(queue: SessionQueue, warm: list[str] = warm) -> Callable[[], object]:
                return lambda: taken[queue].append(_claim(queue, warm=warm).item_id)

            rows += compared(what, claim_of(small), claim_of(large), 200, budget=1)

        def end_of(queue: SessionQueue) -> Callable[[], object]:
            return lambda: queue.complete(taken[queue].pop())

        return rows + compared("end an item", end_of(small), end_of(large), 400)


def claiming_behind(others: str, *, needs_device: bool) -> Iterator[Row]:
    """Taking items of one kind, with as many of the `others` in front as the budget of a claim is for."""
    with a_queue() as queue:
        fill(queue, CLAIMED_OF, needs_device=not needs_device)
        fill(queue, 1_000, needs_device=needs_device)
        where = f"behind {CLAIMED_OF:,} {others}"
        looked = median_ms(lambda: queue.is_any_waiting(needs_device=needs_device), 300)
        claim = median_ms(lambda: _claim(queue, needs_device=needs_device), 300)
        warm = median_ms(lambda: _claim(queue, needs_device=needs_device, warm=["b"]), 300)
        yield Row(f"whether an item waits {where}", looked, "ms", 1)
        yield Row(f"claim an item {where}", claim, "ms", 1)
        yield Row(f"claim an item {where}, one model warm", warm, "ms", 1)


def journaling() -> list[Row]:
    """What finished nodes gave, on disk before it is told."""
    with a_queue(SMALL) as queue:
        held, ids = _claim(queue), itertools.count()
        single = median_ms(lambda: queue.journal(held.item_id, _outputs(next(ids), 1)), 500)
        group = median_ms(lambda: queue.journal(held.item_id, _outputs(next(ids), GROUP)), 50) / GROUP
        told = median_ms(
            lambda: queue.journal(held.item_id, _outputs(next(ids), GROUP), events=[_event()] * 2 * GROUP), 50
        )
    return [
        Row(f"journaled, per node, in groups of {GROUP}", group * 1000, "µs", 300),
        Row(f"journaled with both its events, per node, in groups of {GROUP}", told / GROUP * 1000, "µs", 300),
        Row("journaled, per node, each on its own", single * 1000, "µs"),
    ]


def removing() -> list[Row]:
    """What concerns one item among many others."""
    with a_queue(SMALL) as small, a_queue(LARGE) as large:
        asked = zip(removals(small, 41), removals(large, 41), strict=True)
        return [row for (what, one), (_, other) in asked for row in compared(what, one, other, 40)]


def removals(queue: SessionQueue, times: int) -> Iterator[tuple[str, Callable[[], object]]]:
    """What may be done so many times, each to an item of a batch that was made for it."""
    made = [queue.enqueue("default", seeds(1)) for _ in range(2 * times)]
    yield "cancel a batch of 1", lambda: queue.cancel_by_batch_ids("default", [made.pop().batch.batch_id])
    yield "delete an item", lambda: queue.delete("default", made.pop().item_ids[0])


def sweeping() -> list[Row]:
    """What is done to many items in one transaction; each can be done once to each queue."""
    taken = [sweep() for _ in range(3)]
    return [Row(what, statistics.median(times[what] for times in taken), "ms") for what in taken[0]]


def sweep() -> dict[str, float]:
    """How long each sweep takes in milliseconds, on a queue that was made for it."""
    taken = {}

    def timed(what: str, work: Callable[[], object]) -> None:
        begun = time.perf_counter()
        work()
        taken[what] = (time.perf_counter() - begun) * 1000

    with a_queue() as queue:
        batch = queue.enqueue("default", seeds(10_000)).batch
        timed("cancel a batch of 10,000 that wait", lambda: queue.cancel_by_batch_ids("default", [batch.batch_id]))
        timed("retry 1,000 items", lambda: queue.retry("default", queue.item_ids("default")[:1_000]))
        assert (queue.status("default").canceled, queue.status("default").pending) == (10_000, 1_000)
    with a_queue(LARGE) as queue:
        queue.cancel_all("default")
        timed(f"prune {LARGE:,} items that have ended", lambda: queue.prune("default"))
        assert queue.status("default").total == 0
    with a_queue(LARGE) as queue:
        timed(f"clear a queue of {LARGE:,}", lambda: queue.clear("default"))
    return taken


def events() -> list[Row]:
    """Events in the database, beside the commit of a transaction that writes nothing else."""
    with tempfile.TemporaryDirectory() as folder, Database(Path(folder) / "impasto.db") as database:
        log = EventLog(database)
        log.open()
        alone = median_ms(lambda: log.submit([_event()]).result(), 300)
        many = median_ms(lambda: log.submit([_event() for _ in range(1_000)]).result(), 20) / 1_000
        read = median_ms(lambda: log.read(log.last_id - 1_000, 1_000), 20) / 1_000
    return [
        Row("a durable event and its commit", alone, "ms"),
        Row("a durable event more in a transaction", many * 1000, "µs"),
        Row("a durable event read again by a client that comes back", read * 1000, "µs"),
    ]


def compared(
    what: str, small: Callable[[], object], large: Callable[[], object], times: int, *, budget: float | None = None
) -> list[Row]:
    """A row for the large queue, and one that says what it costs over the small one; both are asked in turns."""
    wall: list[float] = []
    spent: dict[Callable[[], object], list[float]] = {small: [], large: []}
    for _ in range(times):
        for ask in (small, large):
            begun, cpu = time.perf_counter(), time.process_time()
            ask()
            spent[ask].append(time.process_time() - cpu)
            wall += [time.perf_counter() - begun] if ask is large else []
    ratio = statistics.median(spent[large]) / statistics.median(spent[small])
    return [
        Row(f"{what}, {LARGE:,} queued", statistics.median(wall) * 1000, "ms", budget),
        Row(f"{what}: {LARGE:,} over {SMALL:,}", ratio, "", FLAT),
    ]


def _claim(queue: SessionQueue, **options: Any) -> ClaimedItem:
    item = queue.claim("worker", **options)
    assert item is not None
    return item


def _outputs(run: int, count: int) -> dict[str, object]:
    return {f"node {run}[{i}]": {"type": "integer_output", "value": i} for i in range(count)}


def _event() -> InvocationCompleteEvent:
    return InvocationCompleteEvent(
        queue_id="default",
        item_id=1,
        batch_id="batch",
        session_id="session",
        invocation=GRAPH["nodes"]["node 1"],
        invocation_source_id="node 1",
        result={"type": "integer_output", "value": 1},
    )


if __name__ == "__main__":
    main_of(rows)
