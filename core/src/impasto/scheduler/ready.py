"""`ReadyQueues`: the executions that may start, by lane and by class.

The class of a node is its type. In each lane, the class that was served last is served until it is empty, so that a
model stays loaded while its nodes run; then comes the first class of `ready_order` that has something, then the others
by name. Within a class the order is that of the iteration paths. A generator that goes on is served when its lane has
nothing else, so that what it gave already is used first.
"""

import sys
from collections.abc import Collection, Mapping, Sequence
from heapq import heappop, heappush
from typing import Generic, TypeVar

from impasto_sdk.node import Lane

__all__ = ["ReadyQueues"]

T = TypeVar("T")

#: (iteration path, number of the planned node, what is queued): sorts as its class is served.
Entry = tuple[tuple[int, ...], int, T]
#: Stands in for the class of what is served last.
_LATER = (sys.maxsize, "")


class _LaneQueues(Generic[T]):
    """The classes of one lane."""

    __slots__ = ("_caps", "_entries", "_in_a_row", "_later", "_rank", "_waiting", "active")

    def __init__(self, rank: Mapping[str, int], caps: Mapping[str, int]) -> None:
        #: The class that is being served; it keeps its turn when it is empty, until another one is served.
        self.active: str | None = None
        self._rank = rank
        self._caps = caps
        self._in_a_row = 0
        self._entries: dict[str, list[Entry[T]]] = {}
        #: Classes that may have something, as a heap; a class may be in it that was emptied since.
        self._waiting: list[tuple[int, str]] = []
        #: What starts only when nothing else can.
        self._later: list[Entry[T]] = []

    def push_later(self, entry: Entry[T]) -> None:
        heappush(self._later, entry)

    def push(self, class_name: str, entry: Entry[T]) -> None:
        queue = self._entries.get(class_name)
        if queue is None:
            queue = self._entries[class_name] = []
        if not queue and class_name != self.active:
            self._wait(class_name)
        heappush(queue, entry)

    def head(self) -> tuple[int, str] | None:
        """The class that is served next, after its rank; None when there is none."""
        if self.active is not None and self._entries.get(self.active):
            if not self._is_capped(self.active):
                return (self._rank_of(self.active), self.active)
            if not self._first_waiting():
                self._in_a_row = 0  # nobody waits for its turn
                return (self._rank_of(self.active), self.active)
        return self._first_waiting() or (_LATER if self._later else None)

    def pop(self) -> Entry[T]:
        """Take out what is next. Only when `head` gives something."""
        head = self.head()
        assert head is not None
        if head is _LATER:
            return heappop(self._later)
        if head[1] != self.active:
            heappop(self._waiting)
            if self.active is not None and self._entries.get(self.active):
                self._wait(self.active)
            self.active, self._in_a_row = head[1], 0
        self._in_a_row += 1
        return heappop(self._entries[head[1]])

    def pop_like(self, class_name: str) -> T | None:
        queue = self._entries.get(class_name)
        return heappop(queue)[2] if queue else None

    def turn(self) -> tuple[str, int] | None:
        """The class that was served last, and how often in a row."""
        return None if self.active is None else (self.active, self._in_a_row)

    def resume(self, class_name: str, in_a_row: int) -> None:
        """Go on where `turn` was asked."""
        self.active, self._in_a_row = class_name, in_a_row

    def _first_waiting(self) -> tuple[int, str] | None:
        waiting = self._waiting
        while waiting and (waiting[0][1] == self.active or not self._entries[waiting[0][1]]):
            heappop(waiting)
        return waiting[0] if waiting else None

    def _wait(self, class_name: str) -> None:
        heappush(self._waiting, (self._rank_of(class_name), class_name))

    def _is_capped(self, class_name: str) -> bool:
        cap = self._caps.get(class_name)
        return cap is not None and self._in_a_row >= cap

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

    def pop(self, lanes: Collection[Lane] | None = None) -> T | None:
        """Take out what is next on one of `lanes` (None: on any) or is control flow; None when there is none."""
        best: tuple[int, str] | None = None
        chosen: Lane | None = None
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
        return self._lanes[chosen].pop()[2]

    def pop_like(self, class_name: str, lane: Lane | None) -> T | None:
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
