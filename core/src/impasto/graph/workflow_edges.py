"""`EdgeReader`: the edges of a workflow as edges of a graph.

Edges that an editor draws in place of others (``collapsed``) and those of nodes that do not run are left out; edges
through connectors are led on to the output that they come from. Linear, also through long rows of connectors. Called by
`impasto.graph.workflow`.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

from impasto.errors import Problem
from impasto.graph.edge import Edge, EdgeConnection
from impasto.graph.malformed import malformed

__all__ = ["INVOCATION", "EdgeReader"]

#: The keys of an edge, and the graph's names for its two ends.
_KEYS = ("source", "sourceHandle", "target", "targetHandle")
_COLLAPSED = "collapsed"
#: The kind of a workflow's node that stands for a node of the graph, and the one that only bends an edge. Any other
#: (notes, the current image) is there for the eye.
INVOCATION, CONNECTOR = "invocation", "connector"


class _Line(NamedTuple):
    """An edge as it is drawn, and where it stands in the document."""

    place: str
    source: EdgeConnection
    destination: EdgeConnection


class EdgeReader:
    """Reads the edges between nodes of these kinds, and adds what is wrong with them to `problems`."""

    def __init__(self, kinds: Mapping[str, str], problems: list[Problem]) -> None:
        self._kinds = kinds
        self._problems = problems
        #: What leads into each connector.
        self._feeds: dict[str, EdgeConnection] = {}
        #: The output that a connector comes from, once it is known; None: from nowhere.
        self._origins: dict[str, EdgeConnection | None] = {}

    def read(self, found: object) -> list[Edge]:
        """The edges of the graph, each once, in the order of the document."""
        if found is None:
            return []
        if not isinstance(found, list):
            self._problems.append(malformed("edges", found, "a list of edges", field="edges"))
            return []
        lines = [line for place, edge in enumerate(found) if (line := self._line(f"edges[{place}]", edge))]
        for line in lines:
            if self._kinds[line.destination.node_id] == CONNECTOR:
                self._feed(line)
        edges: dict[Edge, None] = {}
        for line in lines:
            if self._kinds[line.destination.node_id] != INVOCATION:
                continue
            origin = self._origin(line.source)
            if origin is not None and self._kinds[origin.node_id] == INVOCATION:
                edges[Edge(origin, line.destination)] = None
        return list(edges)

    def _line(self, place: str, edge: object) -> _Line | None:
        if not isinstance(edge, dict):
            self._problems.append(malformed(place, edge, "an object with 'source' and 'target'"))
            return None
        kind = edge.get("type")
        if kind == _COLLAPSED:
            return None
        before = len(self._problems)
        if kind is not None and not isinstance(kind, str):
            self._problems.append(malformed(f"{place}.type", kind, "the kind of an edge, e.g. 'default'"))
        source, output, target, input = (self._text(place, edge, key) for key in _KEYS)
        for key, node_id in (("source", source), ("target", target)):
            if node_id is not None and node_id not in self._kinds:
                self._problems.append(_unknown_node(f"{place}.{key}", node_id))
        if len(self._problems) > before or None in (source, output, target, input):
            return None
        return _Line(place, EdgeConnection(str(source), str(output)), EdgeConnection(str(target), str(input)))

    def _text(self, place: str, edge: dict[str, Any], key: str) -> str | None:
        found = edge.get(key)
        if isinstance(found, str):
            return found
        self._problems.append(malformed(f"{place}.{key}", found, "a text", field=key))
        return None

    def _feed(self, line: _Line) -> None:
        connector = line.destination.node_id
        holder = self._feeds.setdefault(connector, line.source)
        if holder != line.source:
            self._problems.append(
                Problem(
                    "input_taken",
                    f"{line.place}: {line.source} leads into the connector {connector!r}, as {holder} does, and it "
                    f"takes one edge; take one of them out",
                    node_id=connector,
                    found=str(line.source),
                    expected="one edge",
                    suggestion="take one of them out",
                )
            )

    def _origin(self, source: EdgeConnection) -> EdgeConnection | None:
        """The output at the other end of all connectors before `source`; None when they come from nowhere."""
        passed: dict[str, None] = {}
        origin: EdgeConnection | None = source
        while origin is not None and self._kinds[origin.node_id] == CONNECTOR:
            connector = origin.node_id
            if connector in self._origins:
                origin = self._origins[connector]
                break
            if connector in passed:
                self._problems.append(_circle(connector, tuple(passed)))
                origin = None
                break
            passed[connector] = None
            origin = self._feeds.get(connector)
        self._origins.update(dict.fromkeys(passed, origin))
        return origin


def _unknown_node(place: str, node_id: str) -> Problem:
    return Problem(
        "unknown_node",
        f"{place} is {node_id!r}, and the workflow has no such node; take out the edge",
        node_id=node_id,
        field=place,
        found=node_id,
        expected="the id of a node",
        suggestion="take out the edge",
    )


def _circle(connector: str, passed: tuple[str, ...]) -> Problem:
    circle = passed[passed.index(connector) :]
    way = " → ".join((*reversed(circle), circle[-1]))
    return Problem(
        "cycle",
        f"connectors go in a circle: {way}; take out one of their edges",
        node_id=connector,
        found=way,
        expected="connectors that come from a node",
        suggestion="take out one of their edges",
        nodes=circle,
    )
