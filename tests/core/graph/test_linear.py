"""A large graph costs as much for each node as a small one. Counted, not timed: calls of functions, and objects."""

import gc
import sys
from collections.abc import Callable
from typing import Any

import pytest
from support.toys import CATALOGUE, chain, diamond, fan_out

from impasto.graph import Graph


def gathered(size: int) -> dict[str, Any]:
    """`size` numbers led into one collector, and its list into an iterator."""
    document = fan_out(size)
    document["nodes"] |= {"all": {"type": "toy_collect"}, "each": {"type": "toy_iterate"}}
    ends = [(f"add_{number}", "value", "all", "item") for number in range(size)]
    document["edges"] += [
        {"source": {"node_id": source, "field": output}, "destination": {"node_id": destination, "field": input}}
        for source, output, destination, input in [*ends, ("all", "collection", "each", "collection")]
    ]
    return document


def calls(act: Callable[[], object]) -> int:
    """How many functions are called, those written in C included."""
    count = 0

    def counting(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += event in {"call", "c_call"}

    before = sys.getprofile()
    sys.setprofile(counting)
    try:
        act()
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize("shape", [chain, fan_out, diamond, gathered])
@pytest.mark.parametrize("act", ["read", "check", "order"])
def test_a_large_graph_takes_no_more_steps_for_a_node_than_a_small_one(
    shape: Callable[[int], dict[str, Any]], act: str
) -> None:
    steps = []
    for size in (300, 3000):
        document = shape(size)
        graph = Graph.from_document(document)
        graph.problems(CATALOGUE)  # adapters of the node types are made once
        does: dict[str, Callable[[], object]] = {
            "read": lambda document=document: Graph.from_document(document),
            "check": lambda graph=graph: graph.problems(CATALOGUE),
            "order": graph.topological_order,
        }
        steps.append(calls(does[act]) / len(graph.nodes))
    assert steps[1] <= 1.05 * steps[0] + 0.1


def test_a_graph_gives_the_search_for_garbage_four_objects_for_a_node_and_its_edge() -> None:
    document = chain(1000)
    gc.collect()
    before = len(gc.get_objects())
    graph = Graph.from_document(document)
    made = len(gc.get_objects()) - before
    assert len(graph.nodes) == 1000
    assert 3000 < made < 4100
