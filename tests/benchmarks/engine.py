"""The graph engine in one process, trivial nodes, no worker and no disk: microseconds for each executed node.

"Bare" is everything between a graph and its results: the check, the plan, handing out, values in, the node's
own instance made and checked, its `invoke`, its output taken. "With key" adds what the worker does for its cache: the
node as a document, the key, a look-up that misses, and the output kept.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # for `support`, when run as a script

from support.toys import CATALOGUE, chain, diamond, fan_out, iterated, nested

from impasto.cache import InvocationCache, invocation_key
from impasto.graph import Graph
from impasto.scheduler import ExecutionNode, GraphExecutionState
from impasto_sdk.fields import BaseInvocationOutput

from benchmarks.harness import Row, cpu_seconds, exponent, main_of  # isort: skip

Run = Callable[[GraphExecutionState, ExecutionNode], BaseInvocationOutput]


def bare(state: GraphExecutionState, node: ExecutionNode) -> BaseInvocationOutput:
    """Run one node."""
    if node.is_control:
        return state.evaluate(node)
    return node.spec.invocation(id=node.id, **state.inputs(node)).invoke(None)  # type: ignore[arg-type] # toys ask for nothing


def with_key() -> Run:
    """Run one node as the worker does, with a cache of its own."""
    cache = InvocationCache(64 * 2**20)

    def run(state: GraphExecutionState, node: ExecutionNode) -> BaseInvocationOutput:
        if node.is_control:
            return state.evaluate(node)
        instance = node.spec.invocation(id=node.id, **state.inputs(node))
        document = instance.to_document()
        key = invocation_key(node.spec, "1.0.0", {name: document[name] for name in node.spec.inputs})
        cache.get(key)
        output = instance.invoke(None)  # type: ignore[arg-type] # toys ask for nothing
        cache.put(key, output.to_document())
        return output

    return run


def execute(graph: Graph, run: Run) -> int:
    """Run a graph from the start to the end; gives the number of executed nodes."""
    state = GraphExecutionState(graph, CATALOGUE, session_id="bench")
    while (node := state.next()) is not None:
        state.complete(node.id, run(state, node))
    assert state.is_complete()
    return len(state.results)


def per_node(document: Mapping[str, Any], run: Run = bare, *, repeats: int = 5) -> float:
    """Microseconds of CPU for each executed node."""
    graph = Graph.from_document(document)
    executed = execute(graph, run)
    return cpu_seconds(lambda: execute(graph, run), repeats=repeats) / executed * 1e6


def growth(
    name: str, build: Callable[[int], Mapping[str, Any]], sizes: Sequence[int], peers: Mapping[int, str]
) -> list[Row]:
    """A row for each size, and one for the power with which the whole time grows."""
    each = {size: per_node(build(size), repeats=3 if size > 10_000 else 5) for size in sizes}
    rows = [
        Row(f"engine, {name} of {size:,}, bare", value, "µs/node", 25, peers.get(size, ""))
        for size, value in each.items()
    ]
    power = exponent({size: value * size for size, value in each.items()})
    return [*rows, Row(f"engine, {name}: power of the size", power, "", 1.1)]


def validation(size: int) -> Row:
    """A document read and checked whole."""
    document = chain(size)
    seconds = cpu_seconds(lambda: Graph.from_document(document).validate_self(CATALOGUE))
    what = f"validate a graph of {size:,} nodes, its document read"
    return Row(what, seconds / size * 1e6, "µs/node", 20, "InvokeAI 21 µs")


def rows() -> list[Row]:
    """All measurements."""
    invokeai = "InvokeAI {}, on a like machine"
    return [
        *growth("chain", chain, (100, 1_000, 10_000, 100_000), {1_000: invokeai.format("4,969 µs")}),
        Row("engine, chain of 1,000, with key", per_node(chain(1_000), with_key()), "µs/node", 50),
        *growth("fan-out", fan_out, (100, 1_000, 10_000), {}),
        *growth("diamonds", diamond, (100, 1_000, 10_000), {}),
        Row("engine, iterate over 1,000, bare", per_node(iterated(1_000)), "µs/node", 50, invokeai.format("157 µs")),
        Row("engine, iterate over 1,000, with key", per_node(iterated(1_000), with_key()), "µs/node", 50),
        *(
            Row(f"engine, nested iterate {side} × {side}, bare", per_node(nested(side, side)), "µs/node", 50, peer)
            for side, peer in ((10, ""), (30, invokeai.format("45,193 µs")), (100, ""))
        ),
        validation(10_000),
    ]


if __name__ == "__main__":
    main_of(rows)
