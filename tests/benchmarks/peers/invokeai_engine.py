"""InvokeAI's own graph engine beside ours: the same graphs through both, in one process, taking turns.

Optional: it needs an environment with InvokeAI, and with pluggy, which is all that our engine needs besides. It is run
with the Python of that environment::

    PEER/bin/python tests/benchmarks/peers/invokeai_engine.py

``make bench PEER_PYTHON=PEER/bin/python`` runs it after the others; where there is no InvokeAI it measures nothing.
With ``--long`` there are larger graphs too, for minutes, since the peer's cost for a node grows with the graph.

Both start with a graph that has been read, and end when nothing is left to run: the check, the plan, every node made,
invoked and completed. Neither has a queue, a cache, events or a context. A file called invokeai.py here would stand in
for the package.
"""

import contextlib
import importlib.util
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

# that environment does not have ours installed
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "core" / "src"))
sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "sdk" / "src"))

from support.toys import chain, diamond, fan_out, iterated, nested

from impasto.graph import Graph

from benchmarks.harness import Row, in_turns, main_of  # isort: skip
from benchmarks.harness.engine_run import NODES_AT_ONCE, Document, bare, execute  # isort: skip

TURNS = 3
#: By name: the graph, and at most how many µs our engine may take for a node.
GRAPHS: Mapping[str, tuple[Document, float]] = {
    "chain of 100": (chain(100), 25),
    "chain of 1,000": (chain(1_000), 25),
    "fan-out of 1,000": (fan_out(1_000), 25),
    "diamonds, 300": (diamond(300), 25),
    "iterate over 1,000": (iterated(1_000), 50),
    "nested iterate 10 × 10": (nested(10, 10), 50),
    "nested iterate 20 × 20": (nested(20, 20), 50),
}
LONG: Mapping[str, tuple[Document, float]] = {
    "chain of 3,000": (chain(3_000), 25),
    "diamonds, 1,000": (diamond(1_000), 25),
    "nested iterate 30 × 30": (nested(30, 30), 50),
}
#: Its node types for our toys. Where it has none, one is declared as an author of nodes would.
NODE_TYPES = {
    "toy_integer": "integer",
    "toy_add": "add",
    "toy_range": "range_of_size",
    "toy_iterate": "iterate",
    "toy_collect": "collect",
    "toy_larger": "bench_larger",
    "toy_sum": "bench_sum",
}


def translated(document: Document) -> dict[str, Any]:
    """The same graph of the peer's nodes: fields have the same names."""
    nodes = {id: {**node, "type": NODE_TYPES[node["type"]]} for id, node in document["nodes"].items()}
    return {**document, "nodes": nodes}


def declare_nodes() -> None:
    """The two nodes that the peer lacks."""
    from invokeai.app.invocations.baseinvocation import BaseInvocation, invocation
    from invokeai.app.invocations.fields import InputField
    from invokeai.app.invocations.primitives import IntegerOutput

    @invocation("bench_sum", version="1.0.0")
    class Sum(BaseInvocation):
        """The sum of a list of numbers."""

        collection: list[int] = InputField(default=[], description="The numbers")

        def invoke(self, context: object) -> IntegerOutput:
            return IntegerOutput(value=sum(self.collection))

    @invocation("bench_larger", version="1.0.0")
    class Larger(BaseInvocation):
        """The larger of two numbers."""

        a: int = InputField(default=0, description="First number")
        b: int = InputField(default=0, description="Second number")

        def invoke(self, context: object) -> IntegerOutput:
            return IntegerOutput(value=max(self.a, self.b))


def execute_theirs(graph: Any) -> int:
    """Run a graph with the peer's engine; gives the number of executed nodes."""
    from invokeai.app.services.shared.graph import GraphExecutionState

    state = GraphExecutionState(graph=graph)
    executed = 0
    while (node := state.next()) is not None:
        state.complete(node.id, node.invoke(None))
        executed += 1
    assert state.is_complete()
    return executed


def contestants(document: Document, rounds: int) -> dict[str, Callable[[], Callable[[], object]]]:
    """Our engine, `rounds` times over, and the peer's once; each reads a graph of its own, outside the clock."""
    from invokeai.app.services.shared.graph import Graph as TheirGraph

    peers_document = translated(document)

    def ours() -> Callable[[], object]:
        graph = Graph.from_document(document)
        return lambda: [execute(graph, bare()) for _ in range(rounds)]

    def theirs() -> Callable[[], object]:
        graph = TheirGraph.model_validate(peers_document)
        return lambda: execute_theirs(graph)

    return {"ours": ours, "theirs": theirs}


def compare(name: str, document: Document, budget: float, peer: str) -> Row:
    """Our time for a node of this graph, with the peer's beside it."""
    executed = execute(Graph.from_document(document), bare())
    rounds = max(1, NODES_AT_ONCE // executed)
    both = contestants(document, rounds)
    assert both["theirs"]()() == executed, "the two must do the same work"
    seconds = in_turns(both, turns=TURNS)
    ours, theirs = [each / rounds for each in seconds["ours"]], seconds["theirs"]
    mine, other = (statistics.median(each) / executed * 1e6 for each in (ours, theirs))
    times = statistics.median(its / our for its, our in zip(theirs, ours, strict=True))
    return Row(
        f"engine, {name}, {executed:,} executed, beside a peer's",
        mine,
        "µs/node",
        budget,
        f"{peer}, in turns: {other:,.0f} µs/node, {times:,.0f} times as much",
    )


def rows() -> list[Row]:
    """A row for each graph; none where the peer cannot be had, and then a line that says what to do."""
    if importlib.util.find_spec("invokeai") is None:
        missing = (
            f"peers/{Path(__file__).stem}: {sys.executable} has no InvokeAI to measure. Install invokeai and pluggy "
            "into an environment of their own, and run this file, or make bench PEER_PYTHON=…, with its Python."
        )
        if "--json" not in sys.argv[1:]:
            sys.exit(missing)
        print(missing, file=sys.stderr)
        return []
    try:
        peer = f"InvokeAI {version('invokeai')}"
    except PackageNotFoundError:
        peer = "InvokeAI"
    # it reads, and may rewrite, the settings in its root: not those of somebody's installation
    with tempfile.TemporaryDirectory() as root, contextlib.redirect_stdout(sys.stderr):
        os.environ["INVOKEAI_ROOT"] = root
        declare_nodes()
        graphs = {**GRAPHS, **LONG} if "--long" in sys.argv[1:] else GRAPHS
        return [compare(name, document, budget, peer) for name, (document, budget) in graphs.items()]


if __name__ == "__main__":
    main_of(rows)
