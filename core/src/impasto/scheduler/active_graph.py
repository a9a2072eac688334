"""`ActiveGraph`: one graph that is being run: the session's own, or one that a call of it runs.

It gives executions names, queues them, hands them out and takes them back. A call opens an active graph inside this
one, whose nodes are handed out before its own.
"""

from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from impasto.errors import GraphError, NodeAlreadyExecutedError
from impasto.graph.control_flow import VALUES
from impasto.scheduler.calls import given_to, returned_by
from impasto.scheduler.execution_node import ExecutionNode
from impasto.scheduler.frame import Frame, Status
from impasto.scheduler.names import Names
from impasto.scheduler.plan import Plan
from impasto.scheduler.ready import ReadyQueues
from impasto.scheduler.run import Run
from impasto.scheduler.station import Role, Station
from impasto_sdk.fields import BaseInvocationOutput
from impasto_sdk.node import Lane

__all__ = ["ActiveGraph", "RunOptions"]


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How the nodes of a run are chosen among those that may start."""

    #: Node types that are served first, in this order.
    ready_order: Sequence[str] = ()
    #: Of a node type, at most so many in a row while another type waits for the same lane.
    class_caps: Mapping[str, int] = field(default_factory=dict)
    #: Iterations of one loop, and calls of one graph, that are open at once.
    window: int = 16

    def __post_init__(self) -> None:
        """Raises `ValueError`."""
        if self.window < 1:
            raise ValueError(f"a window of {self.window} opens nothing: give 1 or more, the default is 16")


class ActiveGraph:
    """A graph of which some executions have run, some are out, and some may start."""

    def __init__(
        self,
        plan: Plan,
        options: RunOptions,
        *,
        caller: "tuple[ActiveGraph, Frame, Station] | None" = None,
        given: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        """`caller`: the call that runs it, if one does; `given`: what that gives in the place of written values."""
        self.plan = plan
        self._options = options
        self.given = given or {}
        prefix = self._source_prefix = ""
        #: What is out, by execution id; one for all graphs of a run.
        self._handed_out: dict[str, tuple[ActiveGraph, Frame, Station]] = {}
        if caller is not None:
            around, frame, station = caller
            prefix = f"{around.names.of(frame, station)}/"
            self._source_prefix = f"{around._source_prefix}{station.id}/"
            self._handed_out = around._handed_out
        self.queues: ReadyQueues[Frame] = ReadyQueues(options.ready_order, options.class_caps)
        self.run = Run(plan, options.window, self.given, self._queue)
        self.names: Names = Names(plan, self.run.root, prefix)
        #: Graphs of calls that have begun, by the calls' ids.
        self.calls: dict[str, ActiveGraph] = {}
        #: Calls that may begin when others have ended. Without a bound, all would begin as soon as they may, since they
        #: need no lane, and wait inside for one.
        self._calls_held_back: deque[tuple[Frame, Station]] = deque()
        #: How many executions of each node have run, by its id; those that ran first come first.
        self.executed: dict[str, int] = {}
        #: How many executions are out.
        self._out = 0
        #: Generators that have begun since the state was made.
        self._begun: set[tuple[Frame, int]] = set()

    def next(self, lanes: Collection[Lane] | None) -> ExecutionNode | None:
        """See `GraphExecutionState.next`."""
        for call in self.calls.values():  # the oldest first, so that its iteration can end
            node = call.next(lanes)
            if node is not None:
                return node
        while True:
            entry = self.queues.pop(lanes)
            if entry is None:
                if self._out or self.queues or not self.run.widen():
                    return None
                continue
            _, index, frame = entry
            station = self.plan.stations[index]
            if frame.status[station.slot] != Status.READY:
                continue  # it was completed without being handed out
            if station.role == Role.CALL and self._is_held_back(frame, station):
                self._calls_held_back.append((frame, station))
                continue
            return self._hand_out(frame, station)

    def alike(self, node: ExecutionNode) -> ExecutionNode | None:
        """See `GraphExecutionState.alike`."""
        for call in self.calls.values():
            found = call.alike(node)
            if found is not None:
                return found
        while (entry := self.queues.pop_like(node.spec.type, node.spec.lane)) is not None:
            _, index, frame = entry
            station = self.plan.stations[index]
            if frame.status[station.slot] == Status.READY:
                return self._hand_out(frame, station)
        return None

    def locate(self, execution_id: str) -> "tuple[ActiveGraph, Frame, Station]":
        """The graph that an execution belongs to, itself or one that it calls, and the execution.

        Raises `NodeNotFoundError`.
        """
        found = self._handed_out.get(execution_id)
        if found is not None:
            return found
        inside = self._call_around(execution_id)
        if inside is not None:
            return inside[1].locate(execution_id)
        frame, slot = self.names.find(execution_id)
        return self, frame, frame.region.stations[slot]

    def evaluate(self, frame: Frame, station: Station) -> BaseInvocationOutput | None:
        """See `GraphExecutionState.evaluate`."""
        if station.role != Role.CALL:
            return self.run.hydration.evaluate(frame, station)
        name = self.names.of(frame, station)
        call = self.calls.get(name)
        if call is None:
            call = self._open_call(name, frame, station)
            call.run.settle()
            del self._handed_out[name]  # nobody has it now: it is handed out anew when its graph is done
            self._close_call(name, call)
            return None
        return station.spec.output(**{VALUES: returned_by(call.plan, call.run.root)})

    def reopen_call(self, name: str, restore: "Callable[[ActiveGraph], None]") -> None:
        """Begin the graph of a call where it was; `restore` brings it there."""
        frame, slot = self.names.find(name)
        frame.status[slot] = Status.RUNNING
        self._out += 1
        call = self._open_call(name, frame, frame.region.stations[slot])
        restore(call)
        self._close_call(name, call)

    def _open_call(self, name: str, frame: Frame, station: Station) -> "ActiveGraph":
        inputs = self.run.hydration.call_inputs(frame, station)
        given = given_to(self.plan.called_graph(station.id), station.id, inputs)
        plan = self.plan.called(station.id)
        call = self.calls[name] = ActiveGraph(plan, self._options, caller=(self, frame, station), given=given)
        return call

    def complete(self, name: str, frame: Frame, station: Station, output: BaseInvocationOutput) -> None:
        """See `GraphExecutionState.complete`. `name` is the execution's id."""
        self.take_back(name, frame, station)
        if station.role == Role.CALL:
            self.calls.pop(name, None)
        elif station.spec.yields:
            self._begun.discard((frame, station.slot))
        self.executed[station.id] = self.executed.get(station.id, 0) + 1
        self.run.complete(frame, station.slot, output)
        if station.role == Role.CALL:
            self._let_a_call_begin()

    def emit(self, name: str, frame: Frame, station: Station, item: object) -> None:
        """See `GraphExecutionState.emit`."""
        self.take_back(name, frame, station)
        self.run.emit(frame, station.slot, item)

    def settle_calls(self, execution_id: str) -> None:
        """Something in a graph that this one calls was completed: let the call go on if that was the last."""
        inside = self._call_around(execution_id)
        if inside is not None:
            name, call = inside
            call.settle_calls(execution_id)
            self._close_call(name, call)

    def take_back(self, name: str, frame: Frame, station: Station) -> None:
        """An execution that was handed out, or could have been, has come back.

        Raises `NodeAlreadyExecutedError`, or `GraphError` for one that could not have run yet.
        """
        status = frame.status[station.slot]
        if status == Status.RUNNING:
            self._out -= 1
            self._handed_out.pop(name, None)
        elif status != Status.READY and status != Status.PAUSED:
            if status == Status.WAITING:
                raise GraphError(
                    f"{name} cannot have run: it still waits for its inputs",
                    node_id=name,
                    value=name,
                    suggestion="complete what `next` has handed out",
                )
            raise NodeAlreadyExecutedError(
                f"{name} is {Status.NAMES[status]} already",
                node_id=name,
                value=name,
                suggestion="each execution is completed once",
            )

    def take_over(self, before: "ActiveGraph") -> None:
        """What is out, and the generators that have begun, stay so: this graph was restored from `before`."""
        for name in list(before._handed_out):
            owner, frame, station = self.locate(name)
            frame.status[station.slot] = Status.RUNNING
            owner._out += 1
            self._handed_out[name] = (owner, frame, station)
        self._take_over_generators(before)

    def _take_over_generators(self, before: "ActiveGraph") -> None:
        for frame, slot in before._begun:
            self._begun.add(self.names.find(before.names.of(frame, frame.region.stations[slot])))
        for name, call in before.calls.items():
            self.calls[name]._take_over_generators(call)

    def frames(self) -> Iterator[Frame]:
        """The open frames, outer ones before inner ones, in the order of their paths."""
        waiting = [self.run.root]
        while waiting:
            frame = waiting.pop()
            yield frame
            inner = [each for loop in frame.loops for each in loop.frames.values()]
            waiting += sorted(inner, key=lambda each: (each.path, each.region.index), reverse=True)

    def _hand_out(self, frame: Frame, station: Station) -> ExecutionNode:
        frame.status[station.slot] = Status.RUNNING
        self._out += 1
        name = self.names.of(frame, station)
        resumed, emitted = name in self.calls, 0
        if station.spec.yields:
            resumed = (frame, station.slot) in self._begun
            self._begun.add((frame, station.slot))
            emitted = 0 if resumed else len(frame.streams.get(station.slot, ()))
        self._handed_out[name] = (self, frame, station)
        return ExecutionNode(
            name,
            self._source_prefix + station.id,
            frame.path,
            station.spec,
            station.is_intermediate,
            station.use_cache,
            resumed,
            emitted,
        )

    def _queue(self, frame: Frame, station: Station) -> None:
        """An execution may start."""
        lane = station.spec.lane if station.role == Role.PLAIN else None
        entry = (frame.path, station.index, frame)
        if station.slot in frame.streams:
            self.queues.push_later(lane, entry)
        else:
            self.queues.push(station.spec.type, lane, entry)

    def _call_around(self, execution_id: str) -> "tuple[str, ActiveGraph] | None":
        """The call inside which an execution is, by its id; None when it is one of this graph's own."""
        if self.calls:
            for end, character in enumerate(execution_id):
                if character == "/" and (call := self.calls.get(execution_id[:end])) is not None:
                    return execution_id[:end], call
        return None

    def _close_call(self, name: str, call: "ActiveGraph") -> None:
        """Hand a call out once more when its graph is done."""
        if call.run.is_over:
            frame, slot = self.names.find(name)
            frame.status[slot] = Status.READY
            self._out -= 1
            self._queue(frame, frame.region.stations[slot])

    def _is_held_back(self, frame: Frame, call: Station) -> bool:
        """Whether a call has to wait until fewer graphs are under way."""
        return len(self.calls) >= self._options.window and self.names.of(frame, call) not in self.calls

    def _let_a_call_begin(self) -> None:
        """A call has ended: one that was held back may start."""
        while self._calls_held_back:
            frame, station = self._calls_held_back.popleft()
            if frame.status[station.slot] == Status.READY:
                self._queue(frame, station)
                return
