"""`Spaces`: the iterations of a run, as arithmetic.

A space is the list of all iteration paths under some open iterators, in order; a path's place in that list is its
*rank*. Copies of a node lie side by side in the order of their ranks, so finding the copy that feeds another is looking
up a number in a list that was worked out once for two spaces, not searching a path through a graph.
"""

from collections.abc import Mapping, Sequence

from impasto.scheduler.plan import Dims

__all__ = ["Space", "Spaces"]


class Space:
    """All paths under the iterators `dims`, in order."""

    __slots__ = ("dims", "first", "labels", "outer_rank", "paths")

    def __init__(self, dims: Dims, paths: list[tuple[int, ...]], outer_rank: list[int], first: list[int]) -> None:
        self.dims = dims
        self.paths = paths
        #: For each path, the rank of the path without its last step, in the space of all iterators but the last.
        self.outer_rank = outer_rank
        #: For each rank of that space, the rank of its first path here.
        self.first = first
        #: What each path adds to a node's id: ``[3,0]``.
        self.labels = [f"[{','.join(map(str, path))}]" if path else "" for path in paths]

    def __len__(self) -> int:
        return len(self.paths)


#: Where nodes outside all iterations stand: one path, of no steps.
_ROOT = Space((), [()], [], [])


class Spaces:
    """The spaces of a run, as far as its iterators have been counted. Each is built once, in linear time."""

    def __init__(self, outer_dims: Mapping[int, Dims]) -> None:
        """`outer_dims`: for each iterator, the iterators around it."""
        self._outer_dims = outer_dims
        self._sizes: dict[int, Sequence[int]] = {}
        self._spaces: dict[Dims, Space] = {(): _ROOT}
        self._ranks: dict[tuple[Dims, Dims], Sequence[int]] = {}
        self._members: dict[tuple[Dims, Dims], Sequence[Sequence[int]]] = {}

    def count(self, iterator: int, sizes: Sequence[int]) -> None:
        """Make known how many items an iterator has, for each rank of the space around it."""
        self._sizes[iterator] = sizes

    def size(self, iterator: int, outer_rank: int) -> int:
        """How many items the iterator has at a rank of the space around it."""
        return self._sizes[iterator][outer_rank]

    def space(self, dims: Dims) -> Space:
        """The space of iterators that have all been counted."""
        found = self._spaces.get(dims)
        if found is None:
            found = self._spaces[dims] = self._build(dims)
        return found

    def _build(self, dims: Dims) -> Space:
        last = dims[-1]
        outer = self.space(dims[:-1])
        sizes = self._sizes[last]
        paths: list[tuple[int, ...]] = []
        outer_rank: list[int] = []
        first: list[int] = []
        for rank, (path, around) in enumerate(
            zip(outer.paths, self.ranks(outer.dims, self._outer_dims[last]), strict=True)
        ):
            first.append(len(paths))
            size = sizes[around]
            paths.extend([(*path, item) for item in range(size)])
            outer_rank.extend([rank] * size)
        return Space(dims, paths, outer_rank, first)

    def ranks(self, inside: Dims, outside: Dims) -> Sequence[int]:
        """For each rank of the space `inside`, the rank of what its path says about the iterators `outside`.

        `outside` must be some of `inside`, with all iterators around them.
        """
        key = (inside, outside)
        found = self._ranks.get(key)
        if found is None:
            found = self._ranks[key] = self._project(inside, outside)
        return found

    def _project(self, inside: Dims, outside: Dims) -> Sequence[int]:
        space = self.space(inside)
        if inside == outside:
            return range(len(space))
        if not outside:
            return [0] * len(space)
        shorter = inside[:-1]
        if inside[-1] != outside[-1]:
            projected = self.ranks(shorter, outside)
            return [projected[rank] for rank in space.outer_rank]
        # the last iterator is in both: go where its item lies under what is left of the path
        projected = self.ranks(shorter, outside[:-1])
        first = self.space(outside).first
        return [first[projected[rank]] + path[-1] for rank, path in zip(space.outer_rank, space.paths, strict=True)]

    def members(self, outside: Dims, inside: Dims) -> Sequence[Sequence[int]]:
        """For each rank of the space `outside`, the ranks of `inside` that `ranks` sends to it, rising."""
        key = (outside, inside)
        found = self._members.get(key)
        if found is None:
            lists: list[list[int]] = [[] for _ in range(len(self.space(outside)))]
            for rank, target in enumerate(self.ranks(inside, outside)):
                lists[target].append(rank)
            found = self._members[key] = lists
        return found
