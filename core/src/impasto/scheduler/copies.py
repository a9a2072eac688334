"""`Copies`: the registry of all execution nodes there are so far, as columns indexed by number.

The copies of one planned node have consecutive numbers, in the order of their ranks, from `base` on. Written by the
materializer and the state, read by all collaborators of the scheduler.
"""

from enum import IntEnum

from impasto.errors import NodeNotFoundError
from impasto.scheduler.plan import Plan, PlannedNode
from impasto.scheduler.spaces import Space
from impasto_sdk.fields import BaseInvocationOutput

__all__ = ["Copies", "Status"]


class Status(IntEnum):
    """What has become of a copy. Those from `EXECUTED` on are done with."""

    WAITING = 0
    READY = 1
    RUNNING = 2
    FAILED = 3
    EXECUTED = 4
    SKIPPED = 5


class Copies:
    """All execution nodes."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        #: By copy: its id, the number of its planned node, and its state.
        self.ids: list[str] = []
        self.node: list[int] = []
        self.status = bytearray()
        #: By copy: how many of the values it waits for are still to come.
        self.indegree: list[int] = []
        #: By copy: 1 once it is certain that its output is needed.
        self.wanted = bytearray()
        self.outputs: list[BaseInvocationOutput | None] = []
        #: By planned node: number of its first copy, or -1 while it has not been placed.
        self.base = [-1] * len(plan.nodes)
        #: By planned node: how many of its copies are not done with.
        self.remaining = [0] * len(plan.nodes)
        self._count = [0] * len(plan.nodes)
        self._by_id: dict[str, int] = {}

    def place(self, node: PlannedNode, space: Space) -> range:
        """Make the copies of a node, one for each path of its space, waiting for nothing yet; gives their numbers."""
        base, size = len(self.ids), len(space)
        if not node.dims:  # most nodes of most graphs, and half the work
            self._place_one(node)
            return range(base, base + 1)
        ids = [node.id + label for label in space.labels]
        self.ids += ids
        self.node += [node.index] * size
        self.status += bytes(size)
        self.indegree += [0] * size
        self.wanted += bytes(size) if node.conditional else b"\1" * size
        self.outputs += [None] * size
        self._by_id.update(zip(ids, range(base, base + size), strict=True))
        self.base[node.index] = base
        self.remaining[node.index] = self._count[node.index] = size
        return range(base, base + size)

    def _place_one(self, node: PlannedNode) -> None:
        """Make the copy of a node outside all iterations."""
        self.base[node.index] = self._by_id[node.id] = len(self.ids)
        self.remaining[node.index] = self._count[node.index] = 1
        self.ids.append(node.id)
        self.node.append(node.index)
        self.status.append(0)
        self.indegree.append(0)
        self.wanted.append(not node.conditional)
        self.outputs.append(None)

    def of(self, node: PlannedNode) -> range:
        """Numbers of the copies of a node; empty while it has not been placed."""
        base = self.base[node.index]
        return range(base, base + self._count[node.index])

    def planned(self, copy: int) -> PlannedNode:
        """The node that it is a copy of."""
        return self.plan.nodes[self.node[copy]]

    def find(self, execution_id: str) -> int:
        """The number of a copy. Raises `NodeNotFoundError`."""
        try:
            return self._by_id[execution_id]
        except KeyError:
            raise NodeNotFoundError(
                f"the run has no execution node {execution_id!r}",
                node_id=execution_id,
                suggestion="it exists once the iterations around it have been counted",
            ) from None
