"""`write_run` and `read_run`: a snapshot of a run as JSON values, and back.

JSON would give plain dictionaries for what passed through control flow, whose outputs declare that they give anything;
so values are read by the types that follow from what is connected (see `TypeResolver`).
"""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python

from impasto.errors import GraphError
from impasto.graph import EdgeConnection, Graph
from impasto.graph.control_flow import COLLECTION, ITEM, call_output, call_output_key
from impasto.graph.element_types import TypeResolver
from impasto.graph.ports import PortTable
from impasto.scheduler.snapshot import Snapshot
from impasto_sdk.fields import BaseInvocationOutput, JsonValue
from impasto_sdk.node import NodeKind, NodeSpec

__all__ = ["read_run", "write_run"]


def write_run(snapshot: Snapshot) -> dict[str, JsonValue]:
    """A snapshot as JSON values."""
    frames = [
        {**frame, "outputs": {key: output.to_document() for key, output in frame["outputs"].items()}}
        for frame in snapshot["frames"]
    ]
    calls = {call_id: write_run(call) for call_id, call in snapshot["calls"].items()}
    document: dict[str, JsonValue] = to_jsonable_python({**snapshot, "frames": frames, "calls": {}})
    return {**document, "calls": calls}


def read_run(
    document: Mapping[str, Any], graph: Graph, catalogue: Mapping[str, NodeSpec], called_by: str = ""
) -> Snapshot:
    """The snapshot that `write_run` wrote down. Raises `GraphError` when its results are not those of `graph`."""
    reader = _Reader(graph, catalogue, called_by)
    calls = {}
    for call_id, call in document["calls"].items():
        node_id = call_id.removeprefix(called_by)
        node = graph.nodes.get(node_id) or graph.nodes[node_id.rpartition("[")[0]]
        assert node.called is not None  # the graph was validated
        calls[call_id] = read_run(call, node.called.graph, catalogue, f"{call_id}/")
    return {**document, "frames": [reader.frame(frame) for frame in document["frames"]], "calls": calls}


class _Reader:
    def __init__(self, graph: Graph, catalogue: Mapping[str, NodeSpec], called_by: str) -> None:
        self._graph = graph
        self._catalogue = catalogue
        self._called_by = called_by
        self._types = TypeResolver(graph.nodes, graph.adjacency, PortTable(catalogue))
        self._adapters: dict[EdgeConnection, TypeAdapter[Any]] = {}

    def frame(self, frame: Mapping[str, Any]) -> Snapshot:
        """What was written of one frame."""
        return {
            **frame,
            "outputs": {node_id: self._output(node_id, output) for node_id, output in frame["outputs"].items()},
            "streams": {node_id: self._items(node_id, items) for node_id, items in frame["streams"].items()},
            "lists": {node_id: self._values(node_id, ITEM, items) for node_id, items in frame["lists"].items()},
            "gathered": [self._pool(*pool) for pool in frame["gathered"]],
            "poured": [self._pool(*pool) for pool in frame["poured"]],
        }

    def _output(self, node_id: str, output: Mapping[str, Any]) -> BaseInvocationOutput:
        spec = self._catalogue[self._graph.nodes[node_id].type]
        try:
            if spec.kind in (NodeKind.PLAIN, NodeKind.RETURN):
                return spec.output.model_validate(output)
            fields = {name: self._value(node_id, name, value) for name, value in output.items() if name in spec.outputs}
            return spec.output(**fields)
        except ValidationError as error:
            raise GraphError(
                f"the result of {self._called_by}{node_id} is no {spec.output.__name__}: {error}",
                node_id=node_id,
                value=output,
            ) from error

    def _pool(self, key: Any, items: Any) -> list[Any]:
        if items is None:
            return [key, None]
        member, output, _ = key
        return [key, [(place, self._value(member, output, value)) for place, value in items]]

    def _items(self, node_id: str, items: Iterable[Any]) -> list[Any]:
        """The items of a generator, by the type of its list."""
        return list(self._value(node_id, COLLECTION, items))

    def _values(self, node_id: str, output: str, values: Iterable[Any]) -> list[Any]:
        return [self._value(node_id, output, value) for value in values]

    def _value(self, node_id: str, output: str, value: Any) -> Any:
        if call_output_key(output) is None and output == "values" and isinstance(value, Mapping):
            return {key: self._value(node_id, call_output(key), each) for key, each in value.items()}
        port = EdgeConnection(node_id, output)
        adapter = self._adapters.get(port)
        if adapter is None:
            adapter = self._adapters[port] = TypeAdapter(self._types.output_type(port) or Any)
        return adapter.validate_python(value)
