"""A graph run from the start to the end in one process, by whoever measures the engine: no worker and no disk.

"Bare" is everything between a graph and its results: the check, the plan, handing out, values in, the node's
own instance made and checked, its `invoke`, its output taken. "With key" adds what the worker does for its cache: the
node as a document, the key, a look-up that misses, and the output kept.
"""

import statistics
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeVar

from support.toys import CATALOGUE

from impasto.cache import InvocationCache, invocation_key
from impasto.graph import Graph
from impasto.scheduler import ExecutionNode, GraphExecutionState
from impasto_sdk.fields import BaseInvocationOutput

from benchmarks.harness.timing import in_turns  # isort: skip

__all__ = ["NODES_AT_ONCE", "Cost", "Document", "Run", "bare", "costs", "execute", "with_key"]

KeyT = TypeVar("KeyT")

#: A graph as a client sends it.
Document = Mapping[str, Any]
#: Runs one node.
Run = Callable[[GraphExecutionState, ExecutionNode], BaseInvocationOutput]

#: Small graphs are run over and over within one measurement, until about so many nodes have been executed.
NODES_AT_ONCE = 10_000
CACHE_BYTES = 64 * 2**20


class Cost(NamedTuple):
    """What a run costs."""

    #: Nodes that were executed.
    executed: int
    #: CPU time of the whole run, by turn.
    seconds: list[float]

    @property
    def per_node(self) -> float:
        """Microseconds for each executed node, the median."""
        return statistics.median(self.seconds) / self.executed * 1e6


def bare() -> Run:
    """Run nodes, and nothing else."""
    return _invoke


def with_key() -> Run:
    """Run nodes as the worker does, with an empty cache of its own."""
    cache = InvocationCache(CACHE_BYTES)

    def run(state: GraphExecutionState, node: ExecutionNode) -> BaseInvocationOutput:
        if node.is_control:
            return _evaluate(state, node)
        instance = node.spec.invocation(id=node.id, **state.inputs(node))
        document = instance.to_document()
        key = invocation_key(node.spec, "1.0.0", {name: document[name] for name in node.spec.inputs})
        cache.get(key)
        output = instance.invoke(None)  # toys ask for nothing
        cache.put(key, output.to_document())
        return output

    return run


def execute(graph: Graph, run: Run) -> int:
    """Run a graph from the start to the end; gives the number of executed nodes."""
    state = GraphExecutionState(graph, CATALOGUE, session_id="bench")
    executed = 0
    while (node := state.next()) is not None:
        state.complete(node.id, run(state, node))
        executed += 1
    assert state.is_complete()
    return executed


def costs(
    documents: Mapping[KeyT, Document], make_run: Callable[[], Run] = bare, *, turns: int = 5
) -> dict[KeyT, Cost]:
    """What each of these graphs costs, measured in turns, after a run of each that does not count."""
    executed = {key: execute(Graph.from_document(document), make_run()) for key, document in documents.items()}
    rounds = {key: max(1, NODES_AT_ONCE // count) for key, count in executed.items()}

    def contestant(key: KeyT) -> Callable[[], Callable[[], object]]:
        def prepare() -> Callable[[], object]:
            graph = Graph.from_document(documents[key])
            return lambda: [execute(graph, make_run()) for _ in range(rounds[key])]

        return prepare

    seconds = in_turns({key: contestant(key) for key in documents}, turns=turns)
    return {key: Cost(executed[key], [each / rounds[key] for each in seconds[key]]) for key in documents}


def _invoke(state: GraphExecutionState, node: ExecutionNode) -> BaseInvocationOutput:
    if node.is_control:
        return _evaluate(state, node)
    return node.spec.invocation(id=node.id, **state.inputs(node)).invoke(None)  # toys ask for nothing


def _evaluate(state: GraphExecutionState, node: ExecutionNode) -> BaseInvocationOutput:
    output = state.evaluate(node)
    assert output is not None, "no graph that is measured calls another"
    return output
