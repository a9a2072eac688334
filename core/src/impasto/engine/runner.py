"""`SessionRunner`: drives one session from its graph to its end, with as many nodes in flight as there is room for.

The scheduler says which node may start; the invoker runs it; the runner brings the two together, asks between nodes
whether it is to go on, and reports. The state of a run is touched on the calling thread only: nodes run on the threads
of their lanes, and what comes of them is taken back here. A node that nothing could run beside is run on the calling
thread, so that a chain of small nodes is handed to nobody.
"""

import logging
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from impasto.engine.context import NodeContext, WorkerTools
from impasto.engine.control import RunControl
from impasto.engine.failure import error_of
from impasto.engine.gathering import Gathering
from impasto.engine.generator import Item, OpenGenerator
from impasto.engine.group import Group
from impasto.engine.invoker import NodeInvoker
from impasto.engine.lanes import Lanes
from impasto.engine.protocol import Outcome, RunEnding, RunOrder
from impasto.engine.reporter import RunReporter
from impasto.engine.run_journal import RunJournal
from impasto.engine.step import Step, StepEnd
from impasto.graph import Graph
from impasto.scheduler import ExecutionNode, GraphExecutionState
from impasto_sdk.context import InvocationIdentity
from impasto_sdk.errors import CanceledError, ImpastoError
from impasto_sdk.fields import JsonValue
from impasto_sdk.node import Lane, NodeKind

__all__ = ["SessionRunner"]

logger = logging.getLogger(__name__)

#: What a node takes that is not worth handing over, in seconds: the hand-over itself takes about half of it …
_QUICK_S = 0.000_1
#: … and how often in a row a node type has to be so quick.
_QUICK_TIMES = 10


@dataclass(slots=True)
class _Run:
    """One session under way."""

    order: RunOrder
    control: RunControl
    state: GraphExecutionState
    journal: RunJournal
    #: Those that have begun and not returned, by execution id.
    generators: dict[str, OpenGenerator] = field(default_factory=dict)
    #: Has room on its lane, and starts as soon as it is known whether anything can run beside it.
    waiting: Step | Group | None = None
    #: What runs as one call with what.
    gathering: Gathering = field(default_factory=Gathering)
    #: By key of what is under way, those that are equal to it: they find its output once it is there.
    equal: dict[str, deque[Step]] = field(default_factory=dict)
    #: The node that is being dealt with: whose fault an error is. As a document it is small until it was told of.
    subject: ExecutionNode | None = None
    document: Mapping[str, JsonValue] | None = None


class SessionRunner:
    """Runs sessions of one worker, one after the other. `open_state` begins a run of a graph with a session's id."""

    def __init__(
        self,
        open_state: Callable[[Graph, str], GraphExecutionState],
        invoker: NodeInvoker,
        tools: WorkerTools,
        reporter: RunReporter,
        lanes: Lanes[Sequence[StepEnd]],
    ) -> None:
        self._open_state = open_state
        self._invoker = invoker
        self._tools = tools
        self._reporter = reporter
        self._lanes = lanes
        #: By node type on the CPU, how often in a row it was quick.
        self._quick: Counter[str] = Counter()

    def run(self, order: RunOrder, journal: RunJournal, control: RunControl) -> RunEnding:
        """Run a session to its end. Raises nothing that a graph or a node could cause; no node runs on after it."""
        try:
            # it is checked once more: the plugins may not be those of the day on which the graph was queued
            state = self._open_state(Graph.from_document(order.graph), order.session_id)
        except ImpastoError as error:
            return RunEnding(item_id=order.item_id, outcome=Outcome.FAILED, error=error_of(error))
        run = _Run(order, control, state, journal)
        try:
            return self._drive_guarded(run)
        finally:
            self._clear_away(run)

    def _drive_guarded(self, run: _Run) -> RunEnding:
        """Go on until it is certain how the run ends; the other nodes in flight, and the server, then know."""
        control, error = run.control, None
        try:
            outcome = self._drive(run)
        except CanceledError:
            outcome = Outcome.CANCELED
        except BaseException as raised:  # a node belongs to a plugin, and may raise anything
            # a run that was cancelled often fails on its way out: what was wanted counts
            outcome = Outcome.CANCELED if control.canceled else Outcome.FAILED
            error = error_of(raised, run.subject, run.document) if outcome is Outcome.FAILED else None
            if run.subject is None:
                logger.exception("item %d could not be run", run.order.item_id)
        ending = RunEnding(item_id=run.order.item_id, outcome=outcome, error=error)
        if outcome in (Outcome.FAILED, Outcome.CANCELED) and not control.canceled:
            control.abandon()
            self._reporter.ending(ending)  # before nodes in hand are waited for, one of which may not listen
        return ending

    def _drive(self, run: _Run) -> Outcome:
        """Go on until the run is over, is not wanted any more, or a node fails, which is raised."""
        control, state, lanes = run.control, run.state, self._lanes
        while not control.canceled:
            run.subject = run.document = None
            apart = None if control.interrupted else run.gathering.next(lanes.free)
            node = None if control.interrupted or apart is not None else state.next(lanes.free)
            if apart is not None:
                self._place(run, apart)
            elif node is not None:
                self._begin(run, node)
            elif run.waiting is not None and not control.interrupted:
                self._start(run, run.waiting, here=not lanes.in_flight)
            elif lanes.in_flight:
                self._finish(run, lanes.take())
            elif state.is_complete():
                return Outcome.COMPLETED
            elif control.interrupted:
                return Outcome.INTERRUPTED
            else:
                raise RuntimeError("no node is ready, and the graph is not done")
        return Outcome.CANCELED

    def _begin(self, run: _Run, node: ExecutionNode) -> None:
        """Do with a node what can be done at once; else it waits for its start."""
        step = self._step_of(run, node)
        if step is not None:
            self._place(run, step)

    def _step_of(self, run: _Run, node: ExecutionNode) -> Step | None:
        """What is to be run of a node; None when it needs no place on a lane, or not yet."""
        run.subject, run.document = node, _bare_document(node)
        if node.is_control:
            self._evaluate(run, node)
            return None
        generator = run.generators.get(node.id)
        if generator is None and (output := run.journal.output(node, self._invoker.is_whole)) is not None:
            run.state.complete(node.id, output)
            return None
        step = self._prepare(run, node) if generator is None else Step.next_of(node, generator)
        if step.generator is not None and step.generator.recalls:
            run.state.emit(node.id, step.generator.recall())
            return None
        key = step.execution.key
        if key is not None and step.generator is None:
            if (others := run.equal.get(key)) is not None:
                others.append(step)
                return None
            run.equal[key] = deque()
        return step

    def _steps_alike(self, run: _Run, step: Step) -> Iterator[Step]:
        """Others of the type of `step` that may start now; a node is taken only when it is asked for."""
        while (node := run.state.alike(step.node)) is not None:
            if (other := self._step_of(run, node)) is not None:
                yield other

    def _place(self, run: _Run, step: Step) -> None:
        """Let a step wait for its start, together with those that run as one call with it."""
        work: Step | Group = step
        if step.execution.batch_key is not None:
            work = self._together(run.gathering.gather(step, self._steps_alike(run, step)))
        self._let_wait(run, work)
        if self._quick[step.node.spec.type] >= _QUICK_TIMES:
            self._start(run, work, here=True)

    def _together(self, steps: Sequence[Step]) -> Step | Group:
        return steps[0] if len(steps) == 1 else Group(steps, self._invoker)

    def _evaluate(self, run: _Run, node: ExecutionNode) -> None:
        """Let the scheduler work a node out. A call that finished in an earlier attempt is not entered.

        What finished in an earlier attempt was told of then.
        """
        known = run.journal.output(node, self._invoker.is_whole if node.spec.kind is NodeKind.CALL else None)
        if known is not None and node.spec.kind is NodeKind.CALL:
            run.state.complete(node.id, known)
            return
        if known is None and not node.resumed:
            self._reporter.started(node, _bare_document(node))
        output = run.state.evaluate(node)
        if output is not None:
            run.state.complete(node.id, output)
            if known is None:
                self._reporter.completed(node, output.to_document(), cached=False)

    def _prepare(self, run: _Run, node: ExecutionNode) -> Step:
        execution = self._invoker.prepare(node, run.state.inputs(node))
        context = NodeContext(
            self._tools,
            _identity(node, run.order),
            execution.instance,
            run.control,
            plugin=execution.plugin,
            metadata=run.order.metadata,
        )
        if not node.spec.yields:
            return Step(node, execution, context, partial(self._invoker.execute, execution, context))
        known = run.journal.items(node, self._invoker.item_adapter(node.spec))
        generator = OpenGenerator(execution, context, self._invoker, known)
        self._reporter.started(node, execution.document)
        run.generators[node.id] = generator
        return Step.next_of(node, generator)

    def _let_wait(self, run: _Run, work: Step | Group) -> None:
        """What has waited until now goes first: there is something to run beside it."""
        self._lanes.occupy(work.lane)
        if run.waiting is not None:
            self._start(run, run.waiting, here=False)
        run.waiting = work

    def _start(self, run: _Run, work: Step | Group, *, here: bool) -> None:
        """Start what has room on its lane: on this thread, or on one of the lane's. A generator has its own."""
        if work is run.waiting:
            run.waiting = None
        for step in work.steps:
            if step.generator is None:  # it has been told of once, and not with every item
                run.subject, run.document = step.node, _bare_document(step.node)
                self._reporter.started(step.node, step.execution.document)
        if here and work.thread is None:
            self._finish(run, work.perform())
        else:
            self._lanes.start(work.lane, work.perform, work.thread)

    def _finish(self, run: _Run, ends: Sequence[StepEnd]) -> None:
        """Take the ends of what had one place into account. Raises what a node has raised."""
        self._lanes.vacate(ends[0].step.lane)
        followers = [follower for end in ends if (follower := self._settle(run, end)) is not None]
        if followers:
            self._let_wait(run, self._together(followers))

    def _settle(self, run: _Run, end: StepEnd) -> Step | None:
        """Take the end of a step into account; gives the one that has waited for it, if one has."""
        step, result = end.step, end.result
        node = step.node
        run.subject, run.document = node, step.execution.document
        if isinstance(result, BaseException):
            raise result
        if run.control.canceled:
            return None
        images = step.context.take_images()
        seconds = end.seconds if step.generator is None else step.generator.worked(end.seconds)
        if isinstance(result, Item):
            run.state.emit(node.id, result.value)
            self._reporter.item(node, result, images)
            return None
        run.state.complete(node.id, result.output)
        self._reporter.completed(node, result.document, cached=result.cached, images=images, seconds=seconds)
        self._invoker.remember(step.execution, result)
        if step.lane is Lane.CPU and step.generator is None and not result.cached:
            self._quick[node.spec.type] = self._quick[node.spec.type] + 1 if end.seconds < _QUICK_S else 0
        if step.generator is not None:
            run.generators.pop(node.id).close()
        elif step.execution.key is not None and (others := run.equal.pop(step.execution.key)):
            run.equal[step.execution.key] = others
            return others.popleft()
        return None

    def _clear_away(self, run: _Run) -> None:
        """Wait for all that is in flight, which no longer counts, and end the generators that are open."""
        self._lanes.drain()
        endings = {id: generator.close() for id, generator in run.generators.items()}
        for execution_id, ending in endings.items():
            error = ending.exception() if ending is not None else None
            if error is not None:
                name, fields = type(error).__name__, {"node_id": execution_id}
                logger.warning("%s did not end cleanly: %s: %s", execution_id, name, error, extra=fields)


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
