"""`ReadyQueues`: the executions that may start, by lane and by class.

The class of a node is its type. In each lane, the class that was served last is served until it is empty, so that a
model stays loaded while its nodes run; then comes the first class of `ready_order` that has something, then the others
by name. Within a class the order is that of the iteration paths. A generator that goes on is served when its lane has
nothing else, so that what it gave already is used first.
"""

import sys
from collections import defaultdict, deque
from collections.abc import Collection, Mapping, Sequence
from heapq import heappop, heappush
from typing import Generic, TypeVar

from impasto_sdk.node import Lane

__all__ = ["ReadyQueues"]

T = TypeVar("T")

#: (iteration path, number of the planned node, what is queued): sorts as its class is served.
Entry = tuple[tuple[int, ...], int, T]
#: A class that may be served: its rank, and its name.
_Turn = tuple[int, str]
#: Stands in for the class of what is served last.
_LATER: _Turn = (sys.maxsize, "")


class _Queue(Generic[T]):
    """Entries in order. What comes in order, as most does, costs no search for its place."""

    __slots__ = ("_heap", "_in_order")

    def __init__(self) -> None:
        self._in_order: deque[Entry[T]] = deque()
        self._heap: list[Entry[T]] = []

    def __bool__(self) -> bool:
        return bool(self._in_order or self._heap)

    def push(self, entry: Entry[T]) -> None:
        if not self._in_order or entry > self._in_order[-1]:
            self._in_order.append(entry)
        else:
            heappush(self._heap, entry)

    def pop(self) -> Entry[T]:
        if self._heap and (not self._in_order or self._heap[0] < self._in_order[0]):
            return heappop(self._heap)
        return self._in_order.popleft()


class _LaneQueues(Generic[T]):
    """The classes of one lane."""

    __slots__ = ("_caps", "_in_a_row", "_later", "_queues", "_rank", "_waiting", "active")

    def __init__(self, rank: Mapping[str, int], caps: Mapping[str, int]) -> None:
        #: The class that is being served; it keeps its turn when it is empty, until another one is served.
        self.active: str | None = None
        self._rank = rank
        self._caps = caps
        self._in_a_row = 0
        self._queues: defaultdict[str, _Queue[T]] = defaultdict(_Queue)
        #: Classes that may have something, as a heap; a class may be in it that was emptied since.
        self._waiting: list[_Turn] = []
        #: What starts only when nothing else can.
        self._later: _Queue[T] = _Queue()

    def push_later(self, entry: Entry[T]) -> None:
        self._later.push(entry)

    def push(self, class_name: str, entry: Entry[T]) -> None:
        queue = self._queues[class_name]
        if not queue and class_name != self.active:
            self._wait(class_name)
        queue.push(entry)

    def head(self) -> _Turn | None:
        """The class that is served next; None when there is none."""
        active = self.active
        if active and self._queues[active] and not (self._is_capped(active) and self._first_waiting()):
            return (self._rank_of(active), active)
        return self._first_waiting() or (_LATER if self._later else None)

    def pop(self, head: _Turn) -> Entry[T]:
        """Take out what is next; `head` is what `head` gave."""
        if head is _LATER:
            return self._later.pop()
        if head[1] != self.active:
            heappop(self._waiting)
            if self.active is not None and self._queues[self.active]:
                self._wait(self.active)
            self.active, self._in_a_row = head[1], 0
        elif self._is_capped(head[1]):
            self._in_a_row = 0  # nobody waits for its turn
        self._in_a_row += 1
        return self._queues[head[1]].pop()

    def pop_like(self, class_name: str) -> Entry[T] | None:
        queue = self._queues[class_name]
        return queue.pop() if queue else None

    def turn(self) -> tuple[str, int] | None:
        """The class that was served last, and how often in a row."""
        return None if self.active is None else (self.active, self._in_a_row)

    def resume(self, class_name: str, in_a_row: int) -> None:
        """Go on where `turn` was asked."""
        self.active, self._in_a_row = class_name, in_a_row

    def _first_waiting(self) -> _Turn | None:
        waiting = self._waiting
        while waiting and (waiting[0][1] == self.active or not self._queues[waiting[0][1]]):
            heappop(waiting)
        return waiting[0] if waiting else None

    def _wait(self, class_name: str) -> None:
        heappush(self._waiting, (self._rank_of(class_name), class_name))

    def _is_capped(self, class_name: str) -> bool:
        return bool(self._caps) and self._in_a_row >= self._caps.get(class_name, sys.maxsize)

    def _rank_of(self, class_name: str) -> int:
        return self._rank.get(class_name, len(self._rank))


class ReadyQueues(Generic[T]):
    """Priority queues by lane and class, and the order among them. Control flow has a lane of its own, `None`."""

    def __init__(self, ready_order: Sequence[str] = (), class_caps: Mapping[str, int] | None = None) -> None:
        """`ready_order`: node types that come first, in this order.

        `class_caps`: of a type, at most so many in a row while another type waits for the same lane.
        """
        self.ready_order = tuple(ready_order)
        self.class_caps = dict(class_caps or {})
        self._rank = {name: rank for rank, name in enumerate(self.ready_order)}
        self._lanes: dict[Lane | None, _LaneQueues[T]] = {}
        #: The lane that was served last: it goes on with its class before another lane is asked.
        self._last: Lane | None = None

    def push_later(self, lane: Lane | None, entry: Entry[T]) -> None:
        """Add what may start when its lane has nothing else."""
        self._lane(lane).push_later(entry)

    def push(self, class_name: str, lane: Lane | None, entry: Entry[T]) -> None:
        """Add what may start."""
        self._lane(lane).push(class_name, entry)

    def __bool__(self) -> bool:
        return any(queues.head() is not None for queues in self._lanes.values())

    def pop(self, lanes: Collection[Lane] | None = None) -> Entry[T] | None:
        """Take out what is next on one of `lanes` (None: on any) or is control flow; None when there is none."""
        best: _Turn | None = None
        chosen = self._last
        for lane, queues in self._lanes.items():
            if lanes is not None and lane is not None and lane not in lanes:
                continue
            head = queues.head()
            if head is None:
                continue
            if lane is self._last and head[1] == queues.active:
                best, chosen = head, lane
                break
            if best is None or head < best:
                best, chosen = head, lane
        if best is None:
            return None
        self._last = chosen
        return self._lanes[chosen].pop(best)

    def pop_like(self, class_name: str, lane: Lane | None) -> Entry[T] | None:
        """Take out what is next of one class, out of turn; None when there is none."""
        return self._lane(lane).pop_like(class_name)

    def turns(self) -> dict[str, list[str | int]]:
        """For each lane, the class that it served last and how often in a row; control flow is under ``""``.

        The lane that was served last comes last.
        """
        lanes = sorted(self._lanes, key=lambda lane: lane is self._last)
        served = ((lane or "", self._lanes[lane].turn()) for lane in lanes)
        return {name: list(turn) for name, turn in served if turn is not None}

    def resume(self, turns: Mapping[str, Sequence[str | int]]) -> None:
        """Go on where `turns` was asked."""
        for name, (class_name, in_a_row) in turns.items():
            self._last = Lane(name) if name else None
            self._lane(self._last).resume(str(class_name), int(in_a_row))

    def _lane(self, lane: Lane | None) -> _LaneQueues[T]:
        queues = self._lanes.get(lane)
        if queues is None:
            queues = self._lanes[lane] = _LaneQueues(self._rank, self.class_caps)
        return queues
