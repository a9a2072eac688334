"""`ReadyQueues`: the copies that may start, by class.

The class of a node is its type. The class that was served last is served until it is empty, so that a model stays
loaded while its nodes run; then comes the first class of `ready_order` that has something, then the others by name.
Within a class the order is that of the iteration paths.
"""

from collections.abc import Sequence
from heapq import heappop, heappush

__all__ = ["Entry", "ReadyQueues"]

#: (iteration path, number of the planned node, number of the copy): sorts as the class is served.
Entry = tuple[tuple[int, ...], int, int]


class ReadyQueues:
    """Priority queues by class, and the order among them."""

    def __init__(self, ready_order: Sequence[str] = ()) -> None:
        """`ready_order`: node types that come first, in this order."""
        self.ready_order = tuple(ready_order)
        #: The class that is being served; it keeps its turn when it is empty, until another one is served.
        self.active: str | None = None
        self._rank = {name: rank for rank, name in enumerate(self.ready_order)}
        self._queues: dict[str, list[Entry]] = {}
        #: Classes that may have something, as a heap; a class may be in it that was emptied since.
        self._waiting: list[tuple[int, str]] = []

    def push(self, class_name: str, entry: Entry) -> None:
        """Add a copy."""
        queue = self._queues.setdefault(class_name, [])
        if not queue:
            heappush(self._waiting, (self._rank.get(class_name, len(self._rank)), class_name))
        heappush(queue, entry)

    def pop(self) -> Entry | None:
        """Take out the copy that is next; None when there is none."""
        queue = self._queues.get(self.active) if self.active is not None else None
        while not queue:
            if not self._waiting:
                return None
            self.active = heappop(self._waiting)[1]
            queue = self._queues[self.active]
        return heappop(queue)
