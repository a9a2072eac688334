"""Whether a graph needs a device: by the lanes of its nodes, and of those of the graphs that it calls."""

from typing import Any

import pytest
from support.toys import CATALOGUE

from impasto.graph import Graph
from impasto.graph.lanes import first_on_lanes, needs_device
from impasto_sdk.node import Lane

CPU, DEVICE, IO = "toy_add", "toy_device_add", "toy_io_add"


def document(*types: str, calls: dict[str, dict[str, Any]] | None = None) -> dict[str, Any]:
    """A graph of nodes ``n0``, ``n1`` … of these types, and of calls of other graphs."""
    nodes = {f"n{place}": {"type": node_type} for place, node_type in enumerate(types)}
    called = {
        id: {"type": "toy_call", "called": {"workflow_id": "w", "name": "W", "graph": graph, "inputs": []}}
        for id, graph in (calls or {}).items()
    }
    return {"nodes": {**nodes, **called}, "edges": []}


@pytest.mark.parametrize(
    ("graph", "needs"),
    [
        (document(IO), False),
        (document(CPU, IO, CPU), False),
        (document(), True),
        (document(CPU), True),
        (document(DEVICE), True),
        (document(IO, DEVICE), True),
        (document(IO, "a node that nobody has"), False),
        (document(CPU, calls={"c": document(IO)}), False),
        (document(CPU, calls={"c": document(CPU)}), True),
        (document(IO, calls={"c": document(CPU), "d": document(DEVICE)}), True),
        (document(DEVICE, calls={"c": document(IO)}), True),
        (document(IO, calls={"c": document(IO, calls={"d": document(CPU, DEVICE)})}), True),
        (document(calls={"c": document(calls={"d": document(IO)})}), False),
    ],
)
def test_a_graph_needs_none_when_it_waits_outside_and_nothing_of_it_runs_on_one(
    graph: dict[str, Any], needs: bool
) -> None:
    assert needs_device(Graph.from_document(graph), CATALOGUE) is needs


def test_the_first_node_of_each_lane_is_named_with_the_calls_that_it_stands_in() -> None:
    inner = document(CPU, calls={"d": document(IO, DEVICE, DEVICE)})
    found = first_on_lanes(Graph.from_document(document(IO, IO, calls={"c": inner})), CATALOGUE)
    assert found[Lane.IO] == ("n0", IO)
    assert found[Lane.DEVICE] == ("c/d/n1", DEVICE)
    assert found[Lane.CPU] == ("c", "toy_call")
