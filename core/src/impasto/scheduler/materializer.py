"""`Materializer`: turns the plan into copies as the run makes known how many items its iterators have.

A node is *placed*, all its copies at once, when every iterator around it has been counted. An iterator is *counted*
when all that leads into it is done. A collector is placed like any node, so that what reads it can be placed too, and
*attached* to what it gathers once the iterators that it closes have been counted as well. The state calls `finish` for
each copy that has run; copies that wait for nothing more turn up in `free`.
"""

from collections.abc import Iterable

from impasto.scheduler.copies import Status
from impasto.scheduler.demand import Demand
from impasto.scheduler.hydration import Hydration
from impasto.scheduler.plan import PlannedNode, Reach
from impasto.scheduler.wiring import Wiring
from impasto_sdk.node import NodeKind

__all__ = ["Materializer"]


class Materializer:
    """Places nodes, counts iterators, attaches collectors, and counts down what copies wait for."""

    def __init__(self, wiring: Wiring, hydration: Hydration, demand: Demand | None) -> None:
        """`demand` decides what is needed; None for a plan without branches, where everything is."""
        self._wiring = wiring
        self._nodes = wiring.plan.nodes
        self._spaces = wiring.spaces
        self._copies = wiring.copies
        self._hydration = hydration
        self._demand = demand
        #: Copies that wait for nothing more, wanted or not, to be taken out by the state.
        self.free: list[int] = []
        #: How many nodes have copies that are not done with, or do not stand yet.
        self.open_nodes = len(self._nodes)
        self._attached = bytearray(len(self._nodes))
        self._countable: list[int] = []
        #: By node: iterators around it that have not been counted; of a collector, and with those that it closes.
        self._until_placed: list[int] = []
        self._until_attached: list[int] = []
        #: By iterator: links into it whose source is not done, iterators around it, and whether it is undecided.
        self._until_counted: dict[int, int] = {}
        self._standing_in: dict[int, list[PlannedNode]] = {index: [] for index in wiring.plan.iterators}
        for node in self._nodes:
            self._enrol(node)
        for node in self._nodes:
            self._begin(node)
        self._settle()

    def finish(self, copy: int) -> None:
        """`copy` has run and its output is kept: count down what reads it."""
        copies, wiring = self._copies, self._wiring
        indegree, base = copies.indegree, copies.base
        node = copies.planned(copy)
        rank = copy - base[node.index]
        for link in node.links_out:
            target, reach = link.target, link.reach
            if base[target] < 0 or reach is Reach.GATE or (reach is Reach.GATHER and not self._attached[target]):
                continue
            for reader in (base[target] + rank,) if reach is Reach.SAME else wiring.targets(link, rank):
                if link.side is not None and not self._reads(reader, link.side):
                    continue
                indegree[reader] -= 1
                if not indegree[reader]:
                    self.free.append(reader)
        self._retire(copy)
        self._settle()

    def decide(self, branch: int) -> bool:
        """The condition of a branch is there: let it choose, once. Gives whether it now waits for its chosen side."""
        indegree = self._copies.indegree
        if self._demand is not None and self._demand.choice(branch) is None:
            node, rank = self._copies.planned(branch), self._wiring.rank(branch)
            side = self._hydration.condition(node, rank)
            for link in node.links_in:
                if link.side is side:
                    indegree[branch] += self._unfinished(self._wiring.sources(link, rank))
            self._demand.decide(branch, side)
            self._settle()
        return indegree[branch] > 0

    def _settle(self) -> None:
        """Do all that follows from what is done: count iterators, place and attach nodes, skip what is not needed."""
        demand = self._demand
        while True:
            if self._countable:
                self._count(self._nodes[self._countable.pop()])
            elif demand is not None and demand.skipped:
                self._retire(demand.skipped.pop())
            elif demand is not None and demand.decided:
                self._until_counted_falls(demand.decided.pop())
            else:
                break
        if demand is not None:
            self.free += demand.free
            demand.free.clear()

    def _reads(self, branch: int, side: bool) -> bool:
        return self._demand is not None and self._demand.choice(branch) is side

    def _enrol(self, node: PlannedNode) -> None:
        is_iterator = node.kind is NodeKind.ITERATE
        self._until_placed.append(len(node.inner_dims) if is_iterator else len(node.dims))
        self._until_attached.append(len(node.inner_dims))
        for iterator in node.inner_dims:
            self._standing_in[iterator].append(node)
        if is_iterator:
            self._until_counted[node.index] = len(node.inner_dims) + len(node.links_in) + node.gate_conditional

    def _begin(self, node: PlannedNode) -> None:
        """Bring `node` as far as it can stand before any iterator has been counted."""
        if not self._until_placed[node.index]:
            self._stand(node)
        if node.kind is NodeKind.COLLECT and not node.inner_dims:
            self._attach(node)
        if self._until_counted.get(node.index) == 0:
            self._countable.append(node.index)

    def _count(self, iterator: PlannedNode) -> None:
        """All that leads into `iterator` is done: see how many items it has, and place what stands in it alone."""
        index = iterator.index
        collections = []
        for rank in range(len(self._spaces.space(iterator.inner_dims))):
            skipped = self._demand is not None and self._demand.is_skipped(index, rank)
            collections.append([] if skipped else self._hydration.collection(iterator, rank))
        self._hydration.keep_collections(iterator, collections)
        # what is no list gets one copy, to fail
        self._spaces.count(index, [len(each) if isinstance(each, list | tuple) else 1 for each in collections])
        self._place(iterator)
        for node in self._standing_in[index]:
            self._one_counted(node, is_open=index in node.dims)

    def _one_counted(self, node: PlannedNode, *, is_open: bool) -> None:
        """One more of the iterators that `node` stands in (`is_open`), or that it closes, has been counted."""
        index = node.index
        self._until_attached[index] -= 1
        if is_open:
            self._until_placed[index] -= 1
            if not self._until_placed[index]:
                self._stand(node)
        if node.kind is NodeKind.ITERATE:
            self._until_counted_falls(index)
        elif node.kind is NodeKind.COLLECT and not self._until_attached[index]:
            self._attach(node)

    def _until_counted_falls(self, iterator: int) -> None:
        self._until_counted[iterator] -= 1
        if not self._until_counted[iterator]:
            self._countable.append(iterator)

    def _stand(self, node: PlannedNode) -> None:
        """All iterators around `node` have been counted. An iterator's own copies come when it is counted itself."""
        if node.kind is not NodeKind.ITERATE:
            self._place(node)
        elif self._demand is not None:
            self._demand.gates_placed(node)

    def _place(self, node: PlannedNode) -> None:
        """Make the copies of `node`, and see what they wait for."""
        copies = self._copies.place(node, self._spaces.space(node.dims))
        if node.kind is NodeKind.COLLECT:
            self._add_indegree(copies, 1)  # until it is attached
        elif node.kind is NodeKind.ITERATE:
            self.free += copies
        else:
            self._wait_for_links(node, copies)
        if self._demand is not None:
            self._demand.placed(node)
        if not copies:
            self._node_is_done(node)

    def _wait_for_links(self, node: PlannedNode, copies: range) -> None:
        status, indegree, executed = self._copies.status, self._copies.indegree, Status.EXECUTED
        for link in node.links_in:
            if link.side is not None:
                continue  # waited for once the branch has chosen it
            for rank, copy in enumerate(copies):
                if status[self._wiring.sources(link, rank)[0]] < executed:
                    indegree[copy] += 1
        self.free += [copy for copy in copies if not indegree[copy]]

    def _attach(self, collector: PlannedNode) -> None:
        """Let the copies of `collector` wait for what they gather."""
        index = collector.index
        self._attached[index] = 1
        if self._demand is not None:
            self._demand.attached(collector)
        indegree = self._copies.indegree
        for rank, copy in enumerate(self._copies.of(collector)):
            unfinished = sum(self._unfinished(self._wiring.sources(link, rank)) for link in collector.links_in)
            indegree[copy] += unfinished - 1
            if not indegree[copy]:
                self.free.append(copy)

    def _unfinished(self, copies: Iterable[int]) -> int:
        status = self._copies.status
        return sum(1 for copy in copies if status[copy] < Status.EXECUTED)

    def _add_indegree(self, copies: range, count: int) -> None:
        for copy in copies:
            self._copies.indegree[copy] += count

    def _retire(self, copy: int) -> None:
        """`copy` is done with, run or skipped."""
        index = self._copies.node[copy]
        self._copies.remaining[index] -= 1
        if not self._copies.remaining[index]:
            self._node_is_done(self._nodes[index])

    def _node_is_done(self, node: PlannedNode) -> None:
        self.open_nodes -= 1
        for link in node.links_out:
            if link.reach is Reach.GATE:
                self._until_counted_falls(link.target)
