"""`DynamicOrder`: a topological order that is kept while edges come, so that a circle is noticed without a walk.

After Pearce and Kelly, "A dynamic topological sort algorithm for directed acyclic graphs" (ACM Journal of Experimental
Algorithmics 11, 2006). Every node has a place. An edge that leads to a higher place agrees with the order and costs
nothing more; one that does not moves the nodes between its two ends and no others, and a circle that it would close is
found among them. Edges that go need no thought. Held by `Graph`, from the first edge that is added to it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

from impasto.graph.adjacency import Adjacency

__all__ = ["DynamicOrder", "find_circle"]


class DynamicOrder:
    """Places of the nodes of a graph without circles: every edge between them leads from a lower to a higher one."""

    def __init__(self, ordered: Iterable[str]) -> None:
        """The order that `ordered` has, each node after all that lead into it."""
        self._places = {node_id: place for place, node_id in enumerate(ordered)}
        self._lowest, self._highest = 0, len(self._places) - 1

    def __iter__(self) -> Iterator[str]:
        """The nodes in order. O(V log V)."""
        return iter(sorted(self._places, key=self._places.__getitem__))

    def add(self, node_id: str) -> None:
        """Put in a node without edges, or with none that leave it."""
        self._highest += 1
        self._places[node_id] = self._highest

    def remove(self, node_id: str) -> None:
        """Take out a node."""
        del self._places[node_id]

    def rename(self, node_id: str, new_id: str) -> None:
        """Give a node another id; its place stays."""
        self._places[new_id] = self._places.pop(node_id)

    def make_room(self, source: str, destination: str, adjacency: Adjacency) -> list[str]:
        """Change the order so that an edge between two of the nodes, which `adjacency` lacks yet, agrees with it.

        Gives the circle that the edge would close, from its source on, the source again at the end, and then leaves
        the order as it was; else an empty list.
        """
        places = self._places
        if source == destination:
            return [source, source]
        if places[source] < places[destination]:
            return []
        if not adjacency.outgoing(destination):
            self._highest += 1
            places[destination] = self._highest
            return []
        if not adjacency.incoming(source):
            self._lowest -= 1
            places[source] = self._lowest
            return []
        limit = places[source]
        came_from = _search(destination, source, adjacency, lambda reached: places.get(reached, limit + 1) <= limit)
        if source in came_from:
            return _circle(came_from, source)
        self._move([*self._before(source, destination, adjacency)], [*came_from])
        return []

    def _before(self, start: str, end: str, adjacency: Adjacency) -> set[str]:
        """The nodes that lead to `start` at no lower a place than `end`."""
        places, limit = self._places, self._places[end]
        found = {start}
        waiting = [start]
        while waiting:
            for back in adjacency.incoming(waiting.pop()):
                reached = back.source.node_id
                if reached not in found and places.get(reached, limit - 1) >= limit:
                    found.add(reached)
                    waiting.append(reached)
        return found

    def _move(self, before: list[str], after: list[str]) -> None:
        """Give `before` the lower and `after` the higher of the places that they have; each keeps its own order."""
        place = self._places.__getitem__
        moved = [*sorted(before, key=place), *sorted(after, key=place)]
        self._places.update(zip(moved, sorted(map(place, moved)), strict=True))


def find_circle(source: str, destination: str, adjacency: Adjacency) -> list[str]:
    """The circle that an edge would close, as `make_room` gives it, for a graph that has no order. O(V + E)."""
    came_from = _search(destination, source, adjacency, lambda reached: True)
    return _circle(came_from, source) if source in came_from else []


def _search(start: str, end: str, adjacency: Adjacency, may_enter: Callable[[str], bool]) -> dict[str, str]:
    """The nodes that `start` leads to, each with the one it was reached from; ends at once when it reaches `end`."""
    came_from = {start: end}
    waiting = [] if start == end else [start]
    while waiting:
        here = waiting.pop()
        for onward in adjacency.outgoing(here):
            reached = onward.destination.node_id
            if reached not in came_from and may_enter(reached):
                came_from[reached] = here
                if reached == end:
                    return came_from
                waiting.append(reached)
    return came_from


def _circle(came_from: Mapping[str, str], source: str) -> list[str]:
    """The circle through `source`, in the direction of its edges."""
    way = [source]
    while (before := came_from[way[-1]]) != source:
        way.append(before)
    return [source, *reversed(way)]
