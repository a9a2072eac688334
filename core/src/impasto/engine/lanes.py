"""`Lanes`: the threads that nodes run on, and how many may be in flight on each lane at once.

It knows nothing of nodes: what it is given to run gives an *end*, and all ends come back through one queue. Kept by a
worker as long as it lives; used by its session runner, on one thread.
"""

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from queue import SimpleQueue
from typing import Generic, TypeVar

from impasto_sdk.node import Lane

__all__ = ["Lanes"]

EndT = TypeVar("EndT")


class Lanes(Generic[EndT]):
    """Room on every lane, and threads to fill it with. A thread is made when it is first needed."""

    def __init__(self, room: Mapping[Lane, int]) -> None:
        """`room`: how many may be in flight at once, by lane, at least one."""
        self._whole_room = dict(room)
        self._room = dict(room)
        self._free = set(room)
        self._threads = {
            lane: ThreadPoolExecutor(count, thread_name_prefix=f"impasto-{lane}") for lane, count in room.items()
        }
        self._ends: SimpleQueue[EndT] = SimpleQueue()
        self._in_flight = 0

    @property
    def free(self) -> Collection[Lane]:
        """The lanes that have room."""
        return self._free

    @property
    def in_flight(self) -> int:
        """How many were started and have not been taken back."""
        return self._in_flight

    def occupy(self, lane: Lane) -> None:
        """Take up room on a lane that has some."""
        self._room[lane] -= 1
        if not self._room[lane]:
            self._free.discard(lane)

    def vacate(self, lane: Lane) -> None:
        """Give the room back."""
        self._room[lane] += 1
        self._free.add(lane)

    def start(self, lane: Lane, work: Callable[[], EndT], thread: Executor | None = None) -> None:
        """Run `work` on a thread of the lane, or on one of its own. It must not raise: what it gives is its end."""
        self._in_flight += 1
        (thread or self._threads[lane]).submit(self._run, work)

    def take(self) -> EndT:
        """Wait for the next end. Only when something is in flight."""
        end = self._ends.get()
        self._in_flight -= 1
        return end

    def drain(self) -> None:
        """Wait until nothing is in flight; no end counts, and all room is free again."""
        while self._in_flight:
            self.take()
        self._room = dict(self._whole_room)
        self._free.update(self._room)

    def _run(self, work: Callable[[], EndT]) -> None:
        self._ends.put(work())
