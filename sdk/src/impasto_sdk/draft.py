"""`GraphDraft`: a graph under construction, as a panel builds it and other plugins add to it.

A draft knows nothing of node classes: it holds types, values and edges as a document does. Its *anchors* are named
ports that other plugins look for: an output such as ``unet``, between whose source and readers a LoRA loader can be
put (`insert`), or an input such as ``control``, to which something can be connected.
"""

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel

from impasto_sdk.errors import DraftError
from impasto_sdk.fields import JsonValue

__all__ = ["DraftNode", "DraftPort", "GraphDraft"]


@dataclass(frozen=True, slots=True)
class DraftPort:
    """One field of one node, as an end of an edge."""

    node_id: str
    field: str
    side: Literal["input", "output"]


@dataclass(frozen=True, slots=True)
class DraftNode:
    """A node of a draft; gives its ports by name."""

    id: str
    type: str

    def output(self, field: str) -> DraftPort:
        """The output `field`, to connect from or to name as an anchor."""
        return DraftPort(self.id, field, "output")

    def input(self, field: str) -> DraftPort:
        """The input `field`, to connect to or to name as an anchor."""
        return DraftPort(self.id, field, "input")


class GraphDraft:
    """Nodes, edges and anchors of a graph under construction."""

    def __init__(self) -> None:
        self._nodes: dict[str, dict[str, JsonValue]] = {}
        self._edges: list[tuple[DraftPort, DraftPort]] = []
        self._anchors: dict[str, DraftPort] = {}
        #: For each type of node, the number that was last given to one.
        self._numbers: dict[str, int] = {}

    def add(self, node_type: str, *, id: str | None = None, **values: object) -> DraftNode:
        """Add a node of `node_type`; `values` are its inputs, and `is_intermediate` and `use_cache` if given.

        Without `id` the node is called after its type, with a number when that is taken. An input given as a
        `DraftPort` is connected to it instead of set; a `None` is left out. Raises `DraftError` for a taken id.
        """
        node_id = self._free_id(node_type) if id is None else id
        if node_id in self._nodes:
            raise DraftError(f"node id {node_id!r} is taken by a {self._nodes[node_id]['type']} node")
        document: dict[str, JsonValue] = {"id": node_id, "type": node_type}
        self._nodes[node_id] = document
        node = DraftNode(node_id, node_type)
        self.set(node, **{name: value for name, value in values.items() if value is not None})
        return node

    def connect(self, source: DraftPort, destination: DraftPort) -> None:
        """Lead an output into an input. Raises `DraftError` when an end is unknown or on the wrong side."""
        for port, side in ((source, "output"), (destination, "input")):
            if port.node_id not in self._nodes:
                raise DraftError(f"no node {port.node_id!r} in this draft; it has {', '.join(self._nodes) or 'none'}")
            if port.side != side:
                raise DraftError(f"{port.node_id}.{port.field} is an {port.side}, an edge needs an {side} here")
        self._nodes[destination.node_id].pop(destination.field, None)
        self._edges.append((source, destination))

    def set(self, node: DraftNode, /, **values: object) -> None:
        """Set inputs of a node that is already in the draft; a `DraftPort` is connected, as by `add`."""
        document = self._document(node.id)
        for name, value in values.items():
            if isinstance(value, DraftPort):
                self.connect(value, node.input(name))
            else:
                document[name] = _as_json(value)

    def anchor(self, name: str, port: DraftPort) -> None:
        """Give a port a name under which other plugins find it; a second use moves the name."""
        self._document(port.node_id)
        self._anchors[name] = port

    @property
    def anchors(self) -> dict[str, DraftPort]:
        """The named ports, as a copy."""
        return dict(self._anchors)

    def find(self, name: str) -> DraftPort:
        """The port that an anchor names. Raises `DraftError`, naming the anchors there are."""
        try:
            return self._anchors[name]
        except KeyError:
            raise DraftError(
                f"no anchor {name!r}; this draft has {', '.join(sorted(self._anchors)) or 'none'}"
            ) from None

    def insert(self, name: str, node: DraftNode, *, input: str, output: str) -> None:
        """Put `node` between the output anchor `name` and all that reads it.

        Every edge that left the anchor's port now leaves ``node.output``; the port itself leads into ``node.input``,
        and the anchor names ``node.output`` from now on, so insertions stack in the order they are made.
        Raises `DraftError` when the anchor is unknown or names an input.
        """
        source = self.find(name)
        if source.side != "output":
            raise DraftError(f"anchor {name!r} is an input ({source.node_id}.{source.field}); connect to it instead")
        moved = node.output(output)
        self._edges = [(moved if start == source else start, end) for start, end in self._edges]
        self.connect(source, node.input(input))
        self._anchors[name] = moved

    def nodes(self, node_type: str | None = None) -> list[DraftNode]:
        """The nodes in order of addition, all or of one type."""
        return [
            DraftNode(node_id, str(document["type"]))
            for node_id, document in self._nodes.items()
            if node_type is None or document["type"] == node_type
        ]

    def to_document(self) -> dict[str, JsonValue]:
        """The graph in the format that is queued: ``{nodes: {id: {…}}, edges: [{source, destination}]}``."""
        return {
            "nodes": {node_id: dict(document) for node_id, document in self._nodes.items()},
            "edges": [
                {
                    "source": {"node_id": source.node_id, "field": source.field},
                    "destination": {"node_id": end.node_id, "field": end.field},
                }
                for source, end in self._edges
            ],
        }

    def _document(self, node_id: str) -> dict[str, JsonValue]:
        try:
            return self._nodes[node_id]
        except KeyError:
            raise DraftError(f"no node {node_id!r} in this draft; it has {', '.join(self._nodes) or 'none'}") from None

    def _free_id(self, node_type: str) -> str:
        if node_type not in self._nodes:
            return node_type
        number = self._numbers.get(node_type, 1) + 1
        while f"{node_type}_{number}" in self._nodes:
            number += 1
        self._numbers[node_type] = number
        return f"{node_type}_{number}"


def _as_json(value: object) -> JsonValue:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, list | tuple):
        return [_as_json(item) for item in value]
    return value
