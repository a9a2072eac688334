"""`Agenda`: what follows from what has happened, waiting to be done. The scheduler's parts fill it and work it off.

Everything that a completion brings about goes through it, so that no part calls another into the depth, however long
the chain of consequences.
"""

from collections import deque

from impasto.scheduler.frame import Execution, Frame, Loop

__all__ = ["Agenda"]


class Agenda:
    """What is still to be done, by kind; `Run.settle` empties it."""

    __slots__ = ("closing", "ended", "free", "hungry", "skipped_gates", "unread", "wanted")

    def __init__(self) -> None:
        #: Executions that wait for nothing more, wanted or not.
        self.free: list[tuple[Frame, int]] = []
        #: Executions that are needed for certain.
        self.wanted: list[tuple[Frame, int]] = []
        #: Executions that one reader less may read.
        self.unread: list[tuple[Frame, int]] = []
        #: Gates that turned out not to be needed.
        self.skipped_gates: list[Execution] = []
        #: Loops that have opened all their iterations.
        self.ended: deque[Loop] = deque()
        #: Frames in which all is done.
        self.closing: list[Frame] = []
        #: Gates of generators that have opened an iteration, and may want more items.
        self.hungry: list[Execution] = []

    def count_down(self, frame: Frame, slot: int, count: int = 1) -> None:
        """An execution waits for so many values less."""
        frame.indegree[slot] -= count
        if not frame.indegree[slot]:
            self.free.append((frame, slot))
