"""Graphs before and between runs: reading and checking one, JSON there and back, a run put down halfway, building.

CPU time. Building is what an editor does: a node, then the edge into it, each edge checked as it comes.
"""

import json
import statistics
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # for `support` and `benchmarks`, when run as a script

from support.toys import CATALOGUE, chain

from impasto.graph import Edge, Graph, GraphNode
from impasto.scheduler import GraphExecutionState

from benchmarks.harness import Row, exponent, in_turns, main_of  # isort: skip
from benchmarks.harness.engine_run import bare  # isort: skip

SIZE = 10_000
BUILT = (1_000, 10_000, 100_000)
INVOKEAI = "InvokeAI {}, a chain of 1,000"


def validation() -> Callable[[], object]:
    """A document read and checked whole."""
    document = chain(SIZE)
    return lambda: Graph.from_document(document).validate_self(CATALOGUE)


def graph_and_back() -> Callable[[], object]:
    """A graph written as JSON text, and read from it."""
    graph = Graph.from_document(chain(SIZE))
    return lambda: Graph.from_document(json.loads(json.dumps(graph.to_document())))


def run_and_back() -> Callable[[], object]:
    """A run of which half is done, written as JSON text, and taken up from it."""
    state = GraphExecutionState(Graph.from_document(chain(SIZE)), CATALOGUE, session_id="bench")
    run = bare()
    for _ in range(SIZE // 2):
        node = state.next()
        assert node is not None
        state.complete(node.id, run(state, node))
    return lambda: GraphExecutionState.from_document(json.loads(json.dumps(state.to_document())), CATALOGUE)


def building(size: int) -> Callable[[], Callable[[], object]]:
    """A chain built node by node and edge by edge."""

    def prepare() -> Callable[[], object]:
        nodes = [GraphNode(f"add_{place}", "toy_add", inputs={"b": 1}) for place in range(size)]
        edges = [Edge.between(f"add_{place}", "value", f"add_{place + 1}", "a") for place in range(size - 1)]

        def build() -> None:
            graph = Graph()
            graph.add_node(nodes[0])
            for node, edge in zip(nodes[1:], edges, strict=True):
                graph.add_node(node)
                graph.add_edge(edge, CATALOGUE)

        return build

    return prepare


def rows() -> list[Row]:
    """All measurements."""
    parts = in_turns({each: each for each in (validation, graph_and_back, run_and_back)})
    checked, graph, run = map(statistics.median, parts.values())
    built = in_turns({size: building(size) for size in BUILT})
    size = f"{SIZE:,} nodes"
    each = 1e6 / SIZE
    return [
        Row(f"validate a graph of {size}, its document read", checked * each, "µs/node", 20, "InvokeAI 21 µs"),
        Row(f"a graph of {size} as JSON and back", graph * each, "µs/node", peer=INVOKEAI.format("25.5 µs")),
        Row(
            f"a run of {size}, half done, as JSON and back",
            run * each,
            "µs/node",
            peer=INVOKEAI.format("41 µs") + ", all done",
        ),
        *(
            Row(
                f"build a chain of {count:,} nodes, each edge checked as it is added",
                statistics.median(seconds) / count * 1e6,
                "µs/edge",
                peer="InvokeAI 3,066 µs, growing as N^2.1" if count == 1_000 else "",
            )
            for count, seconds in built.items()
        ),
        Row("build a chain: power of the size", exponent(built), "", 1.05),
    ]


if __name__ == "__main__":
    main_of(rows)
