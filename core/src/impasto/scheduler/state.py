"""`GraphExecutionState`: one run of one graph, as a state machine.

It runs nothing and waits for nothing: whoever drives it asks for the `next` node, gets its `inputs`, runs it (or lets
control flow be worked out by `evaluate`) and says what came of it with `complete`, `emit` or `set_node_error`. Several
nodes may be out at once, and come back in any order. Iterations are opened a window at a time and let go when they are
done, so what a run takes is bounded by what is going on. Driven by the engine's session runner.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Self

from impasto.errors import GraphError
from impasto.graph import Graph
from impasto.graph.collection_pause import collection_pause
from impasto.scheduler import views
from impasto.scheduler.active_graph import ActiveGraph, RunOptions
from impasto.scheduler.document import read_run, write_run
from impasto.scheduler.edits import GraphEdits
from impasto.scheduler.execution_node import ExecutionNode
from impasto.scheduler.frame import Status
from impasto.scheduler.plan import Plan
from impasto.scheduler.run_format import RUN_FORMAT, check_run_document
from impasto.scheduler.snapshot import restore, take
from impasto_sdk.fields import BaseInvocationOutput, JsonValue
from impasto_sdk.node import Lane, NodeSpec

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
        """A run that has not begun.

        `ready_order`: node types that are served first, in this order. `class_caps`: of a node type, at most so many in
        a row while another type waits for the same lane. `window`: how many iterations of one loop are open at once,
        more only when nothing else can go on; and how many calls of one graph.

        Raises `GraphValidationError` when the graph cannot run with the node types of `catalogue`, and `ValueError` for
        a window below 1.
        """
        #: The graph that is run; once it has been edited, a copy of the one that was given.
        self.graph = graph
        self.session_id = session_id
        self._catalogue = catalogue
        self._edits: GraphEdits | None = None
        self._options = RunOptions(tuple(ready_order), dict(class_caps or {}), window)
        self._active = ActiveGraph(self._plan(), self._options)
        #: Messages of nodes that failed, by execution id.
        self.errors: dict[str, str] = {}
        self._active.run.settle()

    def next(self, lanes: Collection[Lane] | None = None) -> ExecutionNode | None:
        """A node that may start now on one of `lanes` (None: on any); None when there is none, or a node has failed.

        Control flow needs no lane. None while nodes are out does not mean that the run is over: ask `is_complete`.
        Raises `GraphValidationError` when edits have left a graph that cannot run; it may be edited further.
        """
        self._take_up_edits()
        return None if self.errors else self._active.next(lanes)

    def alike(self, node: ExecutionNode) -> ExecutionNode | None:
        """Another node of the type of `node` that may start now, to run together with it; None when there is none."""
        return None if self.errors else self._active.alike(node)

    def inputs(self, node: ExecutionNode) -> dict[str, Any]:
        """The values that reach `node`: those written into it, and those that came over edges, as its own copies.

        They are not checked: building the invocation does that.
        """
        active, frame, station = self._active.locate(node.id)
        return active.run.hydration.inputs(frame, station)

    def evaluate(self, node: ExecutionNode) -> BaseInvocationOutput | None:
        """The output of a control-flow node.

        None: the node is a call, and the graph that it runs has begun; its nodes come from `next`, and when they are
        done the call does once more. Raises `NodeInputError` when what it got cannot be gone through.
        """
        active, frame, station = self._active.locate(node.id)
        return active.evaluate(frame, station)

    def complete(self, execution_id: str, output: BaseInvocationOutput) -> None:
        """`execution_id` has run and gave `output`; what waited for it may start.

        Raises `NodeNotFoundError`, `NodeAlreadyExecutedError`, or `GraphError` for a node that could not have run yet
        and for an output of another class than its type declares; and as `next` does: the node may then be completed
        when the graph has been mended.
        """
        if self._edits is not None:  # before anything that they need is let go
            self._take_up_edits()
        active, frame, station = self._active.locate(execution_id)
        if not isinstance(output, station.spec.output):
            raise GraphError(
                f"{execution_id} must give a {station.spec.output.__name__}, it gave a {type(output).__name__}",
                node_id=execution_id,
                value=output,
            )
        active.complete(execution_id, frame, station, output)
        if active is not self._active:
            self._active.settle_calls(execution_id)

    def emit(self, execution_id: str, item: object) -> None:
        """A generator gave one item of its list. It is handed out again when more is wanted, to give the next.

        Raises `NodeNotFoundError`, and `GraphError` for a node that is no generator or could not have run yet; and as
        `next` does.
        """
        if self._edits is not None:
            self._take_up_edits()
        active, frame, station = self._active.locate(execution_id)
        if not station.spec.yields:
            raise GraphError(f"{execution_id} gives its output whole: it is no generator", node_id=execution_id)
        active.emit(execution_id, frame, station, item)

    def set_node_error(self, execution_id: str, error: str) -> None:
        """`execution_id` has failed with this message, which ends the run. Raises as `complete` does."""
        active, frame, station = self._active.locate(execution_id)
        active.take_back(execution_id, frame, station)
        frame.status[station.slot] = Status.FAILED
        self.errors[execution_id] = error

    def is_complete(self) -> bool:
        """Whether nothing is left to run: all nodes are done, or one has failed. Raises as `next` does."""
        self._take_up_edits()
        return bool(self.errors) or self._active.run.is_over

    def has_error(self) -> bool:
        """Whether a node has failed."""
        return bool(self.errors)

    def edit(self) -> GraphEdits:
        """Changes of the graph, as far as the run has not come to what they change.

        They are taken up together, before the run next goes on.
        """
        if self._edits is None:
            self._edits = GraphEdits(self.graph, self._active)
            self.graph = self._edits.graph
        return self._edits

    def to_document(self) -> dict[str, JsonValue]:
        """The run as JSON values, in the form of `RunDocument`. `from_document` goes on with it.

        Nodes that are out are then handed out again. Raises as `next` does.
        """
        self._take_up_edits()
        return {
            "format": RUN_FORMAT,
            "id": self.session_id,
            "graph": self.graph.to_document(),
            "ready_order": list(self._options.ready_order),
            "class_caps": dict(self._options.class_caps),
            "window": self._options.window,
            "errors": dict(self.errors),
            "run": write_run(take(self._active)),
        }

    @classmethod
    def from_document(cls, document: Mapping[str, JsonValue], catalogue: Mapping[str, NodeSpec]) -> Self:
        """The run that `to_document` wrote down.

        Raises `GraphValidationError` when its graph cannot run with the node types of `catalogue`, and `GraphError`
        when it has another form (see `RunDocument`) or its results are not those of its graph.
        """
        check_run_document(document)
        graph = Graph.from_document(document["graph"])
        state = cls(
            graph,
            catalogue,
            session_id=document["id"],
            ready_order=document["ready_order"],
            class_caps=document["class_caps"],
            window=document["window"],
        )
        state._active = ActiveGraph(state._active.plan, state._options)
        restore(state._active, read_run(document["run"], graph, catalogue))
        for execution_id, error in document["errors"].items():
            state.set_node_error(execution_id, error)
        return state

    def _plan(self) -> Plan:
        with collection_pause():
            ordered = self.graph.topological_order()
            self.graph.validate_self(self._catalogue, ordered)
            return Plan(self.graph, self._catalogue, ordered)

    def _take_up_edits(self) -> None:
        """Plan the edited graph, and bring its run to where this one is. O(V + E), once for all edits since."""
        if self._edits is None:
            return
        after = ActiveGraph(self._plan(), self._options)
        before, self._edits, self._active = self._active, None, after
        restore(self._active, take(before))
        self._active.take_over(before)

    @property
    def results(self) -> dict[str, BaseInvocationOutput]:
        """Outputs by execution id: those that something may still read, and those of nodes that nothing reads.

        Of the latter, what ran in an iteration is not kept: its outputs are for whoever drives the run to keep.
        """
        return views.results(self._active)

    @property
    def executed_history(self) -> list[str]:
        """The nodes of the graph that have run, in the order in which each first did."""
        return list(self._active.executed)

    @property
    def executed_counts(self) -> dict[str, int]:
        """How many executions of each node of the graph have run."""
        return dict(self._active.executed)

    @property
    def skipped_counts(self) -> dict[str, int]:
        """How many executions of each node turned out not to be needed, because a branch chose its other side."""
        return dict(self._active.run.demand.skipped)

    @property
    def executed(self) -> set[str]:
        """The executions that have run, of iterations that are not over."""
        return views.with_status(self._active, Status.EXECUTED)

    @property
    def skipped(self) -> set[str]:
        """The executions that turned out not to be needed, of iterations that are not over."""
        return views.with_status(self._active, Status.SKIPPED)

    @property
    def prepared_source_mapping(self) -> dict[str, str]:
        """The id of its node for every execution there is now."""
        return views.source_ids(self._active)

    @property
    def source_prepared_mapping(self) -> dict[str, list[str]]:
        """The executions there are now of every node, in the order of their paths."""
        mapping: dict[str, list[str]] = {}
        for execution_id, node_id in self.prepared_source_mapping.items():
            mapping.setdefault(node_id, []).append(execution_id)
        return mapping

    @property
    def indegree(self) -> dict[str, int]:
        """For every execution there is now, how many values it still waits for."""
        return views.indegree(self._active)

    @property
    def ready_order(self) -> tuple[str, ...]:
        """Node types that are served first, in this order."""
        return tuple(self._options.ready_order)

    @property
    def execution_graph(self) -> Graph:
        """The executions there are now, and the edges between them, as a graph. Built anew at each call."""
        return views.execution_graph(self.graph, self._active)
