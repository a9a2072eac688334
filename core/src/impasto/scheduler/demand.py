"""`Demand`: which copies are needed. The scheduler of lazy branches; a run without branches has none.

A copy is *wanted* once it is certain that it must run: nothing reads it, a wanted copy reads it, or a wanted branch
that has chosen its side. It is *skipped* once it is certain that nothing will read it: every edge that leaves it is
dead. Both spread against the direction of the edges, each edge being walked once. What lies between is left alone until
a branch has decided. The same is asked of an iterator's *gates* (its places in the space around it): they are wanted
when a collector that closes its iteration is.
"""

from collections.abc import Iterable, Iterator, Sequence

from impasto.scheduler.copies import Status
from impasto.scheduler.plan import Link, PlannedNode
from impasto.scheduler.wiring import Wiring
from impasto_sdk.node import NodeKind

__all__ = ["Demand"]

_UNDECIDED, _WANTED, _SKIPPED = 0, 1, 2


class _Gates:
    """The gates of one iterator that may turn out not to be needed."""

    def __init__(self, size: int) -> None:
        self.state = bytearray(size)
        #: For each gate, how many groups of collectors it would feed that are not skipped.
        self.live = [0] * size
        self.undecided = size


class Demand:
    """Marks copies as wanted or skipped. The materializer tells it what stands, and empties its three lists."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self._nodes = wiring.plan.nodes
        self._copies = wiring.copies
        #: Copies that have become wanted and wait for nothing.
        self.free: list[int] = []
        #: Copies that have been skipped.
        self.skipped: list[int] = []
        #: Iterators whose gates are all decided.
        self.decided: list[int] = []
        self._choices: dict[int, bool] = {}
        #: By conditional copy: how many of the edges that leave it are not dead.
        self._live: dict[int, int] = {}
        #: By node: how many of its links lead to something that does not stand yet, so that `_live` is incomplete.
        self._open_links = [len(node.links_out) for node in self._nodes]
        self._attached: set[int] = set()
        self._gates: dict[int, _Gates] = {}
        #: By iterator: the collectors that close it, and how many of them do not stand yet.
        self._exits: dict[int, list[PlannedNode]] = {index: [] for index in wiring.plan.iterators}
        for node in self._nodes:
            for iterator in node.closed_dims:
                self._exits[iterator].append(node)
        self._open_exits = {index: len(exits) for index, exits in self._exits.items()}

    def choice(self, branch: int) -> bool | None:
        """The side that a branch has chosen; None before it has."""
        return self._choices.get(branch)

    def is_skipped(self, iterator: int, outer_rank: int) -> bool:
        """Whether an iterator need not be counted at a rank of the space around it."""
        gates = self._gates.get(iterator)
        return gates is not None and gates.state[outer_rank] == _SKIPPED

    def placed(self, node: PlannedNode) -> None:
        """The copies of `node` stand."""
        copies = self._copies.of(node)
        if node.kind is NodeKind.COLLECT:
            self._open_exit(node)
        elif node.kind is not NodeKind.ITERATE:
            self._count_edges(node, range(len(copies)))
        if not node.conditional:
            for copy in copies:
                self._want(self._read_by(copy))
        if node.kind not in (NodeKind.COLLECT, NodeKind.ITERATE):
            self._skip_unneeded(node.links_in)

    def attached(self, collector: PlannedNode) -> None:
        """All that `collector` gathers stands."""
        self._attached.add(collector.index)
        copies = self._copies.of(collector)
        standing = [copy for copy in copies if self._copies.status[copy] != Status.SKIPPED]
        self._count_edges(collector, [copy - copies.start for copy in standing])
        for copy in standing:
            if self._copies.wanted[copy]:
                self._want(self._read_by(copy))
        self._skip_unneeded(collector.links_in)

    def gates_placed(self, iterator: PlannedNode) -> None:
        """The space around `iterator` is known."""
        size = len(self._wiring.spaces.space(iterator.inner_dims))
        self._count_edges(iterator, range(size))
        if iterator.gate_conditional:
            self._gates[iterator.index] = _Gates(size)
            for collector in self._exits[iterator.index]:
                if self._copies.base[collector.index] >= 0:
                    self._join(iterator, collector)
            self._settle_gates(iterator)
            if not size:
                self.decided.append(iterator.index)
        self._skip_unneeded(iterator.links_in)

    def decide(self, branch: int, side: bool) -> None:
        """The condition of a branch is known: its side is wanted if the branch is, and the other side is let go."""
        self._choices[branch] = side
        if self._copies.status[branch] == Status.SKIPPED:
            return
        rank = self._wiring.rank(branch)
        for link in self._copies.planned(branch).links_in:
            if link.side is side and self._copies.wanted[branch]:
                self._want(self._wiring.sources(link, rank))
            elif link.side is not None and link.side is not side:
                self._drop(self._wiring.sources(link, rank))

    def _want(self, copies: Iterable[int]) -> None:
        """Mark copies as wanted, and all that they read."""
        to_want = list(copies)
        while to_want:
            copy = to_want.pop()
            if self._copies.wanted[copy] or self._copies.status[copy] == Status.SKIPPED:
                continue
            self._copies.wanted[copy] = 1
            if not self._copies.indegree[copy]:
                self.free.append(copy)
            to_want += self._read_by(copy)
            for iterator, rank in self._gates_of(copy):
                to_want += self._decide_gate(iterator, rank, _WANTED)

    def _drop(self, copies: Iterable[int]) -> None:
        """One edge that leaves each of these copies is dead; skip what is not needed now, and all that only it read."""
        to_drop = list(copies)
        while to_drop:
            copy = to_drop.pop()
            if copy in self._live:
                self._live[copy] -= 1
                if self._is_unneeded(copy):
                    to_drop += self._skip(copy)

    def _skip(self, copy: int) -> list[int]:
        """Skip a copy; gives the copies that lose an edge by that."""
        losing = list(self._read_by(copy))
        node = self._copies.planned(copy)
        if node.kind is NodeKind.BRANCH and copy not in self._choices:
            for link in node.links_in:
                if link.side is not None:
                    losing += self._wiring.sources(link, self._wiring.rank(copy))
        self._copies.status[copy] = Status.SKIPPED
        self.skipped.append(copy)
        for iterator, rank in self._gates_of(copy):
            gates = self._gates[iterator]
            gates.live[rank] -= 1
            if not gates.live[rank] and not self._open_exits[iterator]:
                losing += self._decide_gate(iterator, rank, _SKIPPED)
        return losing

    def _is_unneeded(self, copy: int) -> bool:
        copies = self._copies
        return (
            not self._live.get(copy)
            and not self._open_links[copies.node[copy]]
            and not copies.wanted[copy]
            and copies.status[copy] == Status.WAITING
        )

    def _skip_unneeded(self, links: Iterable[Link]) -> None:
        """Skip copies that turn out to lead to nothing, now that all they lead to stands."""
        for link in links:
            source = self._nodes[link.source]
            if source.conditional and not self._open_links[source.index]:
                for copy in self._copies.of(source):
                    if self._is_unneeded(copy):
                        self._drop(self._skip(copy))

    def _count_edges(self, node: PlannedNode, ranks: Sequence[int]) -> None:
        """Count the edges into the copies of `node` (or the gates, of an iterator) for those they leave."""
        for link in node.links_in:
            if not self._nodes[link.source].conditional:
                continue
            self._open_links[link.source] -= 1
            for rank in ranks:
                for copy in self._wiring.sources(link, rank):
                    self._live[copy] = self._live.get(copy, 0) + 1

    def _read_by(self, copy: int) -> Iterator[int]:
        """The copies that a copy reads, as far as that is certain and they stand."""
        node = self._copies.planned(copy)
        if node.kind is NodeKind.ITERATE or (node.kind is NodeKind.COLLECT and node.index not in self._attached):
            return
        rank = self._wiring.rank(copy)
        for link in node.links_in:
            if link.side is None or self._choices.get(copy) is link.side:
                yield from self._wiring.sources(link, rank)

    def _gates_of(self, copy: int) -> Iterator[tuple[int, int]]:
        """The gates that lead to what a collector gathers: iterators, and ranks of the spaces around them."""
        node = self._copies.planned(copy)
        for iterator in node.closed_dims:
            if iterator in self._gates:
                for rank in self._gates_between(self._nodes[iterator], node, self._wiring.rank(copy)):
                    yield iterator, rank

    def _gates_between(self, iterator: PlannedNode, collector: PlannedNode, rank: int) -> Sequence[int]:
        """Ranks around `iterator` that belong to the group of `collector` at `rank`."""
        spaces = self._wiring.spaces
        shared = tuple(each for each in iterator.inner_dims if each in collector.dims)
        return spaces.members(shared, iterator.inner_dims)[spaces.ranks(collector.dims, shared)[rank]]

    def _open_exit(self, collector: PlannedNode) -> None:
        """A collector that closes iterators stands."""
        for index in collector.closed_dims:
            self._open_exits[index] -= 1
            if index in self._gates:
                self._join(self._nodes[index], collector)
                self._settle_gates(self._nodes[index])

    def _join(self, iterator: PlannedNode, collector: PlannedNode) -> None:
        """Let the gates of an iterator know the groups of a collector that they lead to."""
        gates = self._gates[iterator.index]
        for copy in self._copies.of(collector):
            if self._copies.status[copy] == Status.SKIPPED:
                continue
            for rank in self._gates_between(iterator, collector, self._wiring.rank(copy)):
                gates.live[rank] += 1
                if self._copies.wanted[copy]:
                    self._want(self._decide_gate(iterator.index, rank, _WANTED))

    def _settle_gates(self, iterator: PlannedNode) -> None:
        """Skip the gates that lead to nothing, now that all collectors that close the iterator stand."""
        if not self._open_exits[iterator.index]:
            for rank, live in enumerate(self._gates[iterator.index].live):
                if not live:
                    self._drop(self._decide_gate(iterator.index, rank, _SKIPPED))

    def _decide_gate(self, iterator: int, rank: int, state: int) -> list[int]:
        """Decide a gate, once; gives the copies that lead into it."""
        gates = self._gates[iterator]
        if gates.state[rank] != _UNDECIDED:
            return []
        gates.state[rank] = state
        gates.undecided -= 1
        if not gates.undecided:
            self.decided.append(iterator)
        return [copy for link in self._nodes[iterator].links_in for copy in self._wiring.sources(link, rank)]
