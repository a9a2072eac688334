"""How a batch becomes sessions: inner lists go together, outer lists multiply, and all of it `runs` times.

Pure functions over records. Called when a batch is enqueued, and when an item is claimed, to put its values in.
"""

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import product

from pydantic import ValidationError

from impasto.errors import BatchError
from impasto.graph import Graph
from impasto.graph.ports import PortTable
from impasto.queue.records import Batch, BatchDatum
from impasto.storage.documents import dump_document
from impasto_sdk.fields import JsonValue
from impasto_sdk.node import NodeSpec

__all__ = ["check_batch", "check_values", "count_sessions", "data_in_use", "expand", "substituted"]

#: What a batch may not change, as the graph was checked with it.
FIXED_FIELDS = frozenset({"id", "type"})


def check_batch(batch: Batch) -> None:
    """Raise `BatchError`, naming node and field, when the data does not fit the graph or itself.

    Refused are an unknown node, an input that is set twice, lists that go together but differ in length, an empty
    list (it would make no session at all), values of more than one kind, and session ids of another number. With
    `targets`, the graph may be the part that they need, so a node that it lacks is none that is unknown.
    """
    seen: set[tuple[str, str]] = set()
    nodes = _nodes(batch.graph)
    for group in batch.data or ():
        for datum in group:
            if datum.node_path not in nodes and batch.targets is None:
                raise _error(datum, f"cannot be set: the graph has no node {datum.node_path!r}")
            _check_datum(datum, group[0])
            target = (datum.node_path, datum.field_name)
            if target in seen:
                raise _error(datum, "is given values twice; give them in one list")
            seen.add(target)
    count = count_sessions(batch)
    if batch.session_ids is not None:
        _check_session_ids(batch.session_ids, count)


def check_values(batch: Batch, graph: Graph, catalogue: Mapping[str, NodeSpec]) -> None:
    """Raise `BatchError` for a value that its node does not take: no such input, not settable, or out of bounds.

    `graph` is the batch's. Nodes of types that the catalogue lacks are passed over: checking the graph says so of them.
    """
    table = PortTable(catalogue)
    for datum in data_in_use(batch):
        ports = table.of_node(graph.nodes[datum.node_path])
        if ports is None or datum.field_name in {"is_intermediate", "use_cache"}:
            continue
        given = ports.inputs.get(datum.field_name)
        if given is None:
            node_type = graph.nodes[datum.node_path].type
            raise _error(datum, f"does not exist; {node_type} takes {', '.join(ports.inputs) or 'no inputs'}")
        if not given.settable:
            raise _error(datum, "takes its value over an edge only")
        for value in datum.items:
            try:
                given.adapter.validate_python(value)
            except ValidationError as error:
                raise _error(datum, f"does not take {value!r}: {error.errors()[0]['msg']}") from error


def count_sessions(batch: Batch) -> int:
    """How many sessions it makes, without making them."""
    return batch.runs * math.prod(len(group[0].items) for group in batch.data or () if group)


def data_in_use(batch: Batch) -> Iterator[BatchDatum]:
    """The data for nodes that the graph has: all of it, but for nodes that no target needs."""
    nodes = _nodes(batch.graph)
    return (datum for group in batch.data or () for datum in group if datum.node_path in nodes)


def expand(batch: Batch) -> Iterator[str | None]:
    """The field values of each session as JSON, None where there are none, in order: the last outer list turns fastest,
    and the runs of one combination follow one another.
    """
    # each value is encoded once, however many combinations it is part of
    nodes = _nodes(batch.graph)
    groups = [_steps(group, nodes) for group in batch.data or () if group]
    for combination in product(*groups):
        # a group without values for nodes of the graph counts, and gives nothing
        given = ",".join(filter(None, combination))
        values = f"[{given}]" if given else None
        for _ in range(batch.runs):
            yield values


def substituted(graph: Mapping[str, JsonValue], values: Sequence[Mapping[str, JsonValue]]) -> dict[str, JsonValue]:
    """The graph with field values (``{node_path, field_name, value}``) put in; what they do not touch is shared."""
    nodes = dict(graph["nodes"])
    for value in values:
        node_id = value["node_path"]
        nodes[node_id] = {**nodes[node_id], value["field_name"]: value["value"]}
    return {**graph, "nodes": nodes}


def _check_datum(datum: BatchDatum, first: BatchDatum) -> None:
    if datum.field_name in FIXED_FIELDS:
        raise _error(datum, "cannot be changed by a batch")
    if not datum.items:
        raise _error(datum, "is given no values, so nothing would run; leave it out, or give at least one")
    if len(datum.items) != len(first.items):
        raise _error(
            datum,
            f"is given {len(datum.items)} values, but {first.node_path}.{first.field_name} beside it "
            f"{len(first.items)}; lists that go together have one length",
        )
    kinds = {_kind(item) for item in datum.items}
    if len(kinds) > 1:
        raise _error(datum, f"is given values of more than one kind: {', '.join(sorted(kinds))}")


def _check_session_ids(session_ids: Sequence[str], count: int) -> None:
    if len(session_ids) != count:
        raise BatchError(
            f"the batch makes {count} sessions, but names {len(session_ids)} session ids", field="session_ids"
        )
    if len(set(session_ids)) != count:
        raise BatchError("the batch names a session id twice", field="session_ids")


def _nodes(graph: Mapping[str, JsonValue]) -> Mapping[str, Mapping[str, JsonValue]]:
    nodes = graph.get("nodes")
    if not isinstance(nodes, dict) or not all(isinstance(node, dict) for node in nodes.values()):
        raise BatchError("the graph has no `nodes`, an object of nodes by id", field="graph")
    return nodes


def _kind(value: JsonValue) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "number"
    names = {str: "text", list: "list", dict: "object", type(None): "null"}
    return names.get(type(value), type(value).__name__)


def _steps(group: Sequence[BatchDatum], nodes: Collection[str]) -> list[str]:
    """The values of each step of lists that go together; nothing for those of nodes that there are not."""
    used = [_encoded(datum) for datum in group if datum.node_path in nodes]
    return list(map(",".join, zip(*used, strict=True))) if used else [""] * len(group[0].items)


def _encoded(datum: BatchDatum) -> list[str]:
    start = f'{{"node_path":{dump_document(datum.node_path)},"field_name":{dump_document(datum.field_name)},"value":'
    return [f"{start}{dump_document(item)}}}" for item in datum.items]


def _error(datum: BatchDatum, problem: str) -> BatchError:
    return BatchError(
        f"{datum.node_path}.{datum.field_name} {problem}", node_id=datum.node_path, field=datum.field_name
    )
