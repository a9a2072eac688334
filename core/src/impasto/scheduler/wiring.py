"""`Wiring`: which copies feed which. The plan's links, seen from single copies, by index arithmetic."""

from collections.abc import Sequence

from impasto.scheduler.copies import Copies
from impasto.scheduler.plan import Dims, Link, Plan, Reach
from impasto.scheduler.spaces import Spaces

__all__ = ["Wiring"]


class Wiring:
    """Finds the copies at the other end of a link. Both ends must have been placed."""

    def __init__(self, plan: Plan, spaces: Spaces, copies: Copies) -> None:
        self.plan = plan
        self.spaces = spaces
        self.copies = copies

    def sources(self, link: Link, rank: int) -> Sequence[int]:
        """The copies that `link` brings to its target's copy at `rank`; of an iterator: to its gate at `rank`.

        Only a collector has more or fewer than one, in the order of their paths.
        """
        base = self.copies.base[link.source]
        if link.reach is Reach.SAME:
            return (base + rank,)
        target, source = self.plan.nodes[link.target], self.plan.nodes[link.source]
        if link.reach is Reach.GATHER:
            group = self.spaces.ranks(target.dims, link.shared_dims)[rank]
            return [base + each for each in self.spaces.members(link.shared_dims, source.dims)[group]]
        # a broadcast, or a gate: both stand where what leads into them stands
        return (base + self.spaces.ranks(target.inner_dims, source.dims)[rank],)

    def targets(self, link: Link, rank: int) -> Sequence[int]:
        """The copies that `link` leads to from its source's copy at `rank`. Not for an edge into an iterator."""
        base = self.copies.base[link.target]
        if link.reach is Reach.SAME:
            return (base + rank,)
        target, source = self.plan.nodes[link.target], self.plan.nodes[link.source]
        if link.reach is Reach.GATHER:
            group = self.spaces.ranks(source.dims, link.shared_dims)[rank]
            return [base + each for each in self.spaces.members(link.shared_dims, target.dims)[group]]
        return [base + each for each in self.spaces.members(source.dims, target.dims)[rank]]

    def stands(self, dims: Dims) -> bool:
        """Whether all these iterators have been counted."""
        return all(self.copies.base[iterator] >= 0 for iterator in dims)

    def rank(self, copy: int) -> int:
        """The rank of a copy in its node's space."""
        return copy - self.copies.base[self.copies.node[copy]]

    def path(self, copy: int) -> tuple[int, ...]:
        """The iteration path of a copy."""
        node = self.copies.planned(copy)
        if not node.dims:
            return ()
        return self.spaces.space(node.dims).paths[copy - self.copies.base[node.index]]
