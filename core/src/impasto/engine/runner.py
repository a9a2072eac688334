"""`SessionRunner`: drives one session from its graph to its end, one node at a time.

The scheduler says which node is next; the invoker runs it; the runner brings the two together, asks between nodes
whether it is to go on, and reports. Only here is the state of a run touched, on one thread: lanes that run nodes beside
one another would hand executions out where `_run_node` is called, and take their ends back in this loop.
"""

import logging
import traceback
from collections.abc import Mapping
from typing import Protocol

from impasto.engine.context import NodeContext, WorkerTools
from impasto.engine.control import RunControl
from impasto.engine.invoker import NodeInvoker
from impasto.engine.protocol import Outcome, RunEnding, RunError, RunOrder
from impasto.graph import Graph
from impasto.host import Catalogue
from impasto.scheduler import ExecutionNode, GraphExecutionState
from impasto_sdk.context import InvocationIdentity
from impasto_sdk.errors import CanceledError, ImpastoError, InvocationError
from impasto_sdk.fields import BaseInvocationOutput, JsonValue

__all__ = ["RunReporter", "SessionRunner"]

logger = logging.getLogger(__name__)


class RunReporter(Protocol):
    """Told of each node of a run, in order."""

    def started(self, node: ExecutionNode, document: Mapping[str, JsonValue]) -> None:
        """The node, with these inputs, begins to run."""
        ...

    def completed(self, node: ExecutionNode, output: Mapping[str, JsonValue], *, cached: bool) -> None:
        """It has finished."""
        ...


class _RunFailedError(ImpastoError):
    """Carries why a run failed out of the loop."""

    def __init__(self, error: RunError) -> None:
        super().__init__(error.message)
        self.error = error


class SessionRunner:
    """Runs sessions of one worker, one after the other."""

    def __init__(self, catalogue: Catalogue, invoker: NodeInvoker, tools: WorkerTools, reporter: RunReporter) -> None:
        self._catalogue = catalogue
        self._invoker = invoker
        self._tools = tools
        self._reporter = reporter

    def run(self, order: RunOrder, control: RunControl) -> RunEnding:
        """Run a session to its end. Raises nothing a graph or a node could cause."""
        try:
            outcome = self._run(order, control)
        except CanceledError:
            outcome = Outcome.CANCELED
        except _RunFailedError as failed:
            # a run that was cancelled often fails on its way out: what was wanted counts
            if not control.canceled:
                return RunEnding(item_id=order.item_id, outcome=Outcome.FAILED, error=failed.error)
            outcome = Outcome.CANCELED
        return RunEnding(item_id=order.item_id, outcome=outcome)

    def _run(self, order: RunOrder, control: RunControl) -> Outcome:
        state = self._open(order)
        journal = dict(order.journal)
        while True:
            if control.canceled:
                return Outcome.CANCELED
            if control.interrupted:
                return Outcome.INTERRUPTED
            node = state.next()
            if node is None:
                break
            output = self._recall(node, journal)
            if output is None:
                output = self._run_node(state, node, order, control)
            state.complete(node.id, output)
        if not state.is_complete():
            raise _RunFailedError(_error_of(RuntimeError("no node is ready, and the graph is not done")))
        return Outcome.COMPLETED

    def _open(self, order: RunOrder) -> GraphExecutionState:
        try:
            # it is checked once more: the plugins may not be those of the day on which the graph was queued
            return GraphExecutionState(Graph.from_document(order.graph), self._catalogue, session_id=order.session_id)
        except ImpastoError as error:
            raise _RunFailedError(_error_of(error)) from error

    def _recall(self, node: ExecutionNode, journal: dict[str, dict[str, JsonValue]]) -> BaseInvocationOutput | None:
        """The output of a node that finished in an earlier attempt."""
        document = journal.pop(node.id, None)
        if document is None or node.is_control:  # the scheduler works the latter out again for nothing
            return None
        try:
            return node.spec.output.model_validate(document)
        except ValueError:
            logger.warning("the journal of %s does not fit its plugin any more, so it runs again", node.id)
            return None

    def _run_node(
        self, state: GraphExecutionState, node: ExecutionNode, order: RunOrder, control: RunControl
    ) -> BaseInvocationOutput:
        document: Mapping[str, JsonValue] = _bare_document(node)
        try:
            if node.is_control:
                self._reporter.started(node, document)
                output = state.evaluate(node)
                self._reporter.completed(node, output.to_document(), cached=False)
                return output
            execution = self._invoker.prepare(node, state.inputs(node))
            self._reporter.started(node, execution.document)
            document = execution.document  # only now: one too large to be sent cannot go with the error either
            identity = _identity(node, order)
            context = NodeContext(
                self._tools,
                identity,
                execution.instance,
                control,
                plugin=self._catalogue.plugin_of(node.spec.type).name,
                metadata=order.metadata,
            )
            try:
                finished = self._invoker.execute(execution, context)
            finally:
                self._tools.progress.flush()
            self._reporter.completed(node, finished.document, cached=finished.cached)
        except CanceledError:
            raise
        except (Exception, SystemExit) as error:  # a node belongs to a plugin, and may raise anything
            state.set_node_error(node.id, f"{type(error).__name__}: {error}")
            raise _RunFailedError(_error_of(error, node, document)) from error
        return finished.output


def _identity(node: ExecutionNode, order: RunOrder) -> InvocationIdentity:
    return InvocationIdentity(
        queue_id=order.queue_id,
        item_id=order.item_id,
        batch_id=order.batch_id,
        session_id=order.session_id,
        node_id=node.id,
        source_id=node.source_id,
        node_type=node.spec.type,
        user_id=order.user_id,
    )


def _bare_document(node: ExecutionNode) -> dict[str, JsonValue]:
    """The node without its inputs: enough to name it, and small where the inputs are whole collections."""
    return {
        "type": node.spec.type,
        "id": node.id,
        "is_intermediate": node.is_intermediate,
        "use_cache": node.use_cache,
    }


def _error_of(
    error: BaseException, node: ExecutionNode | None = None, document: Mapping[str, JsonValue] | None = None
) -> RunError:
    meant_for_people = isinstance(error, InvocationError)
    return RunError(
        type=type(error).__name__,
        message=str(error) or type(error).__name__,
        traceback="" if meant_for_people else "".join(traceback.format_exception(error)),
        execution_id=node.id if node else None,
        source_id=node.source_id if node else None,
        invocation=dict(document) if document is not None else None,
    )
