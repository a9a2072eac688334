"""`GraphExecutionState`: one run of one graph, as a state machine.

It runs nothing and waits for nothing: whoever drives it asks for the `next` node, gets its `inputs`, runs it (or lets
control flow be worked out by `evaluate`) and says what came of it with `complete` or `set_node_error`. Several nodes
may be out at once, and come back in any order. The graph itself is never changed. Driven by the engine's session
runner.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from impasto.errors import GraphError, NodeAlreadyExecutedError
from impasto.graph import Graph
from impasto.scheduler.copies import Copies, Status
from impasto.scheduler.demand import Demand
from impasto.scheduler.execution_graph import execution_graph
from impasto.scheduler.execution_node import ExecutionNode
from impasto.scheduler.hydration import Hydration
from impasto.scheduler.materializer import Materializer
from impasto.scheduler.plan import Plan
from impasto.scheduler.ready import ReadyQueues
from impasto.scheduler.spaces import Spaces
from impasto.scheduler.wiring import Wiring
from impasto_sdk.fields import BaseInvocationOutput, JsonValue
from impasto_sdk.node import Lane, NodeKind, NodeSpec

__all__ = ["GraphExecutionState"]


class GraphExecutionState:
    """What has run, what may run, and what came of it."""

    def __init__(
        self,
        graph: Graph,
        catalogue: Mapping[str, NodeSpec],
        *,
        session_id: str,
        ready_order: Sequence[str] = (),
        class_caps: Mapping[str, int] | None = None,
        window: int = 16,
    ) -> None:
        """A run that has not begun. `ready_order`: node types that are served first, in this order.

        Raises `GraphValidationError` when the graph cannot run with the node types of `catalogue`.
        """
        graph.validate_self(catalogue)
        self.graph = graph
        self.session_id = session_id
        plan = Plan(graph, catalogue)
        self._copies = Copies(plan)
        self._wiring = Wiring(
            plan, Spaces({index: plan.nodes[index].inner_dims for index in plan.iterators}), self._copies
        )
        self._hydration = Hydration(self._wiring)
        self._queues: ReadyQueues[int] = ReadyQueues(ready_order, class_caps)
        #: Outputs by execution id, in the order in which they came.
        self.results: dict[str, BaseInvocationOutput] = {}
        #: Messages of nodes that failed, by execution id.
        self.errors: dict[str, str] = {}
        self._materializer = Materializer(
            self._wiring, self._hydration, Demand(self._wiring) if plan.has_branches else None
        )
        self._queue_free()

    def next(self, lanes: Collection[Lane] | None = None) -> ExecutionNode | None:
        """A node that may start now on one of `lanes` (None: on any); None when there is none, or a node has failed.

        None while nodes are out does not mean that the run is over: ask `is_complete`.
        """
        if self.errors:
            return None
        copy = self._queues.pop(lanes)
        while copy is not None and self._copies.status[copy] != Status.READY:
            copy = self._queues.pop(lanes)  # it was completed without being handed out
        if copy is None:
            return None
        self._copies.status[copy] = Status.RUNNING
        node, path = self._copies.planned(copy), self._wiring.path(copy)
        return ExecutionNode(self._copies.ids[copy], node.id, path, node.spec, node.is_intermediate, node.use_cache)

    def inputs(self, node: ExecutionNode) -> dict[str, Any]:
        """The values that reach `node`: those written into it, and those that came over edges, as its own copies.

        They are not checked: building the invocation does that.
        """
        return self._hydration.inputs(self._copies.find(node.id))

    def evaluate(self, node: ExecutionNode) -> BaseInvocationOutput:
        """The output of a control-flow node. Raises `NodeInputError` when what it got cannot be gone through."""
        return self._hydration.evaluate(self._copies.find(node.id))

    def complete(self, execution_id: str, output: BaseInvocationOutput) -> None:
        """`execution_id` has run and gave `output`; what waited for it may start.

        Raises `NodeNotFoundError`, `NodeAlreadyExecutedError`, or `GraphError` for a node that could not have run yet
        and for an output of another class than its type declares.
        """
        copy = self._outstanding(execution_id)
        declared = self._copies.planned(copy).spec.output
        if not isinstance(output, declared):
            raise GraphError(
                f"{execution_id} must give a {declared.__name__}, it gave a {type(output).__name__}",
                node_id=execution_id,
                value=output,
            )
        self._copies.status[copy] = Status.EXECUTED
        self._copies.outputs[copy] = output
        self.results[execution_id] = output
        self._materializer.finish(copy)
        self._queue_free()

    def set_node_error(self, execution_id: str, error: str) -> None:
        """`execution_id` has failed with this message, which ends the run. Raises as `complete` does."""
        copy = self._outstanding(execution_id)
        self._copies.status[copy] = Status.FAILED
        self.errors[execution_id] = error

    def is_complete(self) -> bool:
        """Whether nothing is left to run: all nodes are done, or one has failed."""
        return bool(self.errors) or not self._materializer.open_nodes

    def has_error(self) -> bool:
        """Whether a node has failed."""
        return bool(self.errors)

    @property
    def executed_history(self) -> list[str]:
        """What has run, in the order in which it was completed."""
        return list(self.results)

    @property
    def executed(self) -> set[str]:
        """What has run."""
        return set(self.results)

    @property
    def skipped(self) -> set[str]:
        """What turned out not to be needed, because a branch chose its other side."""
        return {self._copies.ids[copy] for copy, status in enumerate(self._copies.status) if status == Status.SKIPPED}

    @property
    def prepared_source_mapping(self) -> dict[str, str]:
        """The source id of every execution node there is so far."""
        nodes = self._wiring.plan.nodes
        return {id: nodes[index].id for id, index in zip(self._copies.ids, self._copies.node, strict=True)}

    @property
    def source_prepared_mapping(self) -> dict[str, list[str]]:
        """The execution ids of every node of the graph that has been prepared, in the order of their paths."""
        mapping = {}
        for node in self._wiring.plan.nodes:
            if self._copies.base[node.index] >= 0:
                copies = self._copies.of(node)
                mapping[node.id] = self._copies.ids[copies.start : copies.stop]
        return mapping

    @property
    def indegree(self) -> dict[str, int]:
        """For every execution node there is so far, how many values it still waits for.

        A branch counts its condition, then its chosen side; a collector one more while it is not known what it gathers.
        """
        return dict(zip(self._copies.ids, self._copies.indegree, strict=True))

    @property
    def ready_order(self) -> tuple[str, ...]:
        """Node types that are served first, in this order."""
        return self._queues.ready_order

    @property
    def execution_graph(self) -> Graph:
        """The execution nodes there are so far, and the edges between them, as a graph. Built anew at each call."""
        return execution_graph(self.graph, self._wiring)

    def to_document(self) -> dict[str, JsonValue]:
        """The run as JSON values. `from_document` goes on with it; nodes that are out are then handed out again."""
        return {
            "id": self.session_id,
            "graph": self.graph.to_document(),
            "ready_order": list(self.ready_order),
            "turns": self._queues.turns(),
            "executed": sorted(self.executed),
            "executed_history": self.executed_history,
            "results": {id: output.to_document() for id, output in self.results.items()},
            "errors": dict(self.errors),
            "prepared_source_mapping": self.prepared_source_mapping,
            "source_prepared_mapping": self.source_prepared_mapping,
            "indegree": self.indegree,
        }

    @classmethod
    def from_document(
        cls, document: Mapping[str, JsonValue], catalogue: Mapping[str, NodeSpec]
    ) -> "GraphExecutionState":
        """The run that `to_document` wrote down.

        Raises `GraphValidationError` when its graph cannot run with the node types of `catalogue`, and `GraphError`
        when its results are not those of its graph.
        """
        state = cls(
            Graph.from_document(document["graph"]),
            catalogue,
            session_id=document["id"],
            ready_order=document["ready_order"],
        )
        for execution_id in document["executed_history"]:
            state.complete(execution_id, state._restored(execution_id, document["results"][execution_id]))
        for execution_id, error in document["errors"].items():
            state.set_node_error(execution_id, error)
        state._queues.resume(document["turns"])
        return state

    def _restored(self, execution_id: str, document: Mapping[str, JsonValue]) -> BaseInvocationOutput:
        copy = self._copies.find(execution_id)
        node = self._copies.planned(copy)
        if node.kind is not NodeKind.PLAIN:
            # worked out again, from values that have their types still: JSON would give plain dictionaries
            return self._hydration.evaluate(copy)
        try:
            return node.spec.output.model_validate(document)
        except ValidationError as error:
            raise GraphError(
                f"the result of {execution_id} is no {node.spec.output.__name__}: {error}",
                node_id=execution_id,
                value=document,
            ) from error

    def _outstanding(self, execution_id: str) -> int:
        copy = self._copies.find(execution_id)
        status = self._copies.status[copy]
        if status in (Status.READY, Status.RUNNING):
            return copy
        if status == Status.WAITING:
            raise GraphError(f"{execution_id} cannot have run: it still waits for its inputs", node_id=execution_id)
        state = Status(status).name.lower()
        raise NodeAlreadyExecutedError(f"{execution_id} is {state} already", node_id=execution_id)

    def _queue_free(self) -> None:
        """Queue what waits for nothing more. A branch first has to choose, and then waits for its side."""
        free, copies = self._materializer.free, self._copies
        while free:
            copy = free.pop()
            if copies.status[copy] != Status.WAITING:
                continue
            node = copies.planned(copy)
            if node.kind is NodeKind.BRANCH and self._materializer.decide(copy):
                continue
            if copies.wanted[copy]:
                copies.status[copy] = Status.READY
                lane = node.spec.lane if node.kind is NodeKind.PLAIN else None
                self._queues.push(node.spec.type, lane, (self._wiring.path(copy), node.index, copy))
