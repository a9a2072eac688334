"""`NaiveQueue`: what the queue promises, said as plainly as it can be, for a test that holds the real one to it.

Items are in one dictionary, every question looks at all of them, and a place between two others is the fraction between
theirs, of which there is always another. What each method gives is what the real queue has to tell, as tuples.
"""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction

__all__ = ["NaiveItem", "NaiveQueue", "Told"]

#: An event, as far as it is looked at: its name, and what it is about.
Told = tuple[object, ...]

OPEN = frozenset({"pending", "in_progress"})
ENDED = frozenset({"completed", "failed", "canceled"})


@dataclass
class NaiveItem:
    """One item; `batch` is its batch's id."""

    id: int
    queue: str
    batch: str
    priority: int
    position: Fraction
    models: frozenset[str]
    needs_device: bool
    status: str = "pending"
    sequence: int = 0
    attempts: int = 0
    excused: int = 0
    ended: int = 0


class NaiveQueue:
    """All queues of a server. `window` is in places, as `affinity_window`."""

    def __init__(self, *, max_attempts: int, window: int) -> None:
        self.items: dict[int, NaiveItem] = {}
        self.paused: set[str] = set()
        self.last = 0
        self._endings = 0
        self._max_attempts = max_attempts
        self._window = window

    def waiting(self, queue: str, needs_device: bool | None = None) -> list[NaiveItem]:
        """What waits in a queue and is of a kind, or of any, in order."""
        waiting = (i for i in self.items.values() if i.queue == queue and i.status == "pending")
        return sorted((i for i in waiting if needs_device in (None, i.needs_device)), key=_order)

    def counts(self, queue: str, batch: str | None = None) -> Counter[str]:
        """How many items of a queue, or of one of its batches, are in each status."""
        of_batch = (i for i in self.items.values() if i.queue == queue and batch in (None, i.batch))
        return Counter(item.status for item in of_batch)

    def enqueue(
        self, queue: str, batch: str, runs: int, models: Collection[str], *, prepend: bool, needs_device: bool
    ) -> list[Told]:
        """New items after all that wait, or before."""
        waiting = self.waiting(queue)
        priority = max((item.priority for item in waiting), default=0) + 1 if prepend else 0
        for _ in range(runs):
            self._add(queue, batch, priority, frozenset(models), needs_device)
        return [("batch_enqueued", queue, batch, runs)]

    def retry(self, ids: Sequence[int]) -> list[Told]:
        """Items that did not come to anything, again."""
        old = [self.items[id] for id in ids]
        new = [self._add(item.queue, item.batch, item.priority, item.models, item.needs_device) for item in old]
        return [("queue_items_retried", list(ids), new)]

    def claim(self, warm: Collection[str], needs_device: bool | None) -> tuple[int | None, list[Told]]:
        """The next item of a kind, or of any, or one of those after it that fits better."""
        open_queues = {item.queue for item in self.items.values()} - self.paused
        firsts = [item for queue in open_queues for item in self.waiting(queue, needs_device)[:1]]
        if not firsts:
            return None, []
        first = min(firsts, key=_order)
        near = [
            item
            for item in self.waiting(first.queue, needs_device)
            if item.priority == first.priority and item.position < first.position + self._window
        ]
        taken = max(near, key=lambda item: len(item.models & set(warm)))  # the first of the best
        taken.attempts += 1
        return taken.id, self._become(taken, "in_progress")

    def end(self, id: int, status: str) -> list[Told]:
        """A running item has ended; nothing when it does not run."""
        item = self.items.get(id)
        return self._become(item, status) if item is not None and item.status == "in_progress" else []

    def give_back(self, id: int, *, excused: bool) -> list[Told]:
        """A running item lost its worker."""
        item = self.items.get(id)
        if item is None or item.status != "in_progress":
            return []
        if item.attempts - item.excused - excused >= self._max_attempts:
            return self._become(item, "failed")
        item.excused += excused
        return self._become(item, "pending")

    def recover(self) -> list[Told]:
        """All running items lost their workers."""
        running = sorted(item.id for item in self.items.values() if item.status == "in_progress")
        return [told for id in running for told in self.give_back(id, excused=False)]

    def cancel(self, id: int) -> list[Told]:
        """An item alone."""
        item = self.items[id]
        return self._become(item, "canceled") if item.status in OPEN else []

    def cancel_many(self, wanted: Callable[[NaiveItem], bool], *, running_too: bool = True) -> list[Told]:
        """Those that run are told of one by one, those that wait together."""
        meant = sorted((item for item in self.items.values() if wanted(item)), key=lambda item: item.id)
        waiting = [item for item in meant if item.status == "pending"]
        told = []
        for item in meant:
            if item.status == "in_progress" and running_too:
                told += self._become(item, "canceled")
        for item in waiting:
            self._become(item, "canceled")
        return [*told, ("queue_items_canceled", [item.id for item in waiting])] if waiting else told

    def delete_many(self, wanted: Callable[[NaiveItem], bool], *, running_too: bool = True) -> list[Told]:
        """Cancelled, where they have not ended, and then gone."""
        told = self.cancel_many(wanted, running_too=running_too)
        return told + self.forget(lambda item: wanted(item) and item.status in ENDED)

    def forget(self, wanted: Callable[[NaiveItem], bool]) -> list[Told]:
        """Gone without another word."""
        gone = sorted(item.id for item in self.items.values() if wanted(item))
        for id in gone:
            del self.items[id]
        return [("queue_items_deleted", gone)] if gone else []

    def old(self, queue: str, keep: int) -> set[int]:
        """The items that have ended, but for the last ones."""
        ended = [item for item in self.items.values() if item.queue == queue and item.status in ENDED]
        ended.sort(key=lambda item: (item.ended, item.id), reverse=True)
        return {item.id for item in ended[keep:]}

    def prioritise(self, id: int, priority: int) -> list[Told]:
        """Another priority, with the old position in it."""
        item = self.items[id]
        if item.priority == priority:
            return []
        item.priority = priority
        return [("queue_item_moved", id, priority)]

    def move(self, id: int, where: str, beside_id: int | None) -> list[Told]:
        """Right beside another that waits, or to an end."""
        item = self.items[id]
        others = [other for other in self.waiting(item.queue) if other is not item]
        ends = {"front": self.waiting(item.queue)[0], "back": self.waiting(item.queue)[-1]}
        beside = ends[where] if beside_id is None else self.items[beside_id]
        if beside is item:
            return []
        alike = [other for other in others if other.priority == beside.priority]
        place = alike.index(beside)
        if where in ("before", "front"):
            low = alike[place - 1].position if place else beside.position - 2
            high = beside.position
        else:
            low = beside.position
            high = alike[place + 1].position if place + 1 < len(alike) else Fraction(self.last + 1)
        item.priority, item.position = beside.priority, (low + high) / 2
        return [("queue_item_moved", id, item.priority)]

    def _add(self, queue: str, batch: str, priority: int, models: frozenset[str], needs_device: bool) -> int:
        self.last += 1
        item = NaiveItem(self.last, queue, batch, priority, Fraction(self.last), models, needs_device)
        self.items[self.last] = item
        return self.last

    def _become(self, item: NaiveItem, status: str) -> list[Told]:
        item.status = status
        item.sequence += 1
        if status in ENDED:
            self._endings += 1
            item.ended = self._endings
        return [("queue_item_status_changed", item.id, status, item.sequence)]


def _order(item: NaiveItem) -> tuple[int, Fraction, int]:
    return -item.priority, item.position, item.id
