"""`Run`: the frames of a run, and what follows from each thing that happens to them.

It knows executions as frames and slots; `GraphExecutionState` gives them names and hands them out.
"""

from collections.abc import Callable, Mapping
from typing import Any

from impasto.scheduler.agenda import Agenda
from impasto.scheduler.demand import Demand
from impasto.scheduler.flow import Flow
from impasto.scheduler.frame import Execution, Frame, Status
from impasto.scheduler.hydration import Hydration
from impasto.scheduler.materializer import Materializer
from impasto.scheduler.plan import Plan
from impasto.scheduler.station import Role, Station
from impasto.scheduler.streams import Streams

__all__ = ["Run"]


class Run:
    """What has happened, and what may happen next."""

    def __init__(
        self,
        plan: Plan,
        window: int,
        given: Mapping[str, Mapping[str, Any]],
        on_ready: Callable[[Frame, Station], None],
    ) -> None:
        """For `window` see `Materializer`, for `given` `Hydration`. `on_ready` is told of what may start."""
        self.plan = plan
        self.hydration = Hydration(given)
        self.agenda = Agenda()
        self._on_ready = on_ready
        self.materializer = Materializer(plan, self.agenda, window)
        self.demand = Demand(self.agenda, self.materializer)
        self.flow = Flow(self.agenda, self.materializer)
        self.streams = Streams(self.materializer, on_ready)

    @property
    def root(self) -> Frame:
        """What stands outside all iterations."""
        return self.materializer.root

    @property
    def is_over(self) -> bool:
        """Whether all is done."""
        return not self.root.open

    def complete(self, frame: Frame, slot: int, output: Any) -> None:
        """An execution gave its output."""
        if frame.streams:
            self.streams.end(frame, slot)
        self.flow.finish(frame, slot, output)
        self.settle()

    def emit(self, frame: Frame, slot: int, item: Any) -> None:
        """A generator gave an item, and waits to be asked for more."""
        self.streams.feed(frame, slot, item)
        self.settle()
        self.streams.resume_unless_ahead(frame, slot)

    def settle(self) -> None:
        """Do all that follows from what has happened, until nothing more does."""
        agenda = self.agenda
        while True:
            if agenda.free:
                self._begin_free()
            elif agenda.unread:  # nearly always there is no more than these two
                self.demand.forget()
            elif not self.follow() and not self.materializer.fill():
                break

    def follow(self) -> bool:
        """Do one thing that follows from what has happened, but begin nothing; whether there was one."""
        agenda, materializer = self.agenda, self.materializer
        if agenda.wanted:
            self.demand.want()
        elif agenda.unread:
            self.demand.forget()
        elif agenda.skipped_gates:
            materializer.begin(agenda.skipped_gates.pop(), available=0, final=True)
        elif agenda.ended:
            materializer.settle(agenda.ended.popleft())
        elif agenda.closing:
            materializer.close(agenda.closing.pop())
        elif agenda.hungry:
            self.streams.go_on(agenda.hungry.pop())
        else:
            return False
        return True

    def pass_gate(self, frame: Frame, gate: Station, items: Any, count: int) -> None:
        """The list of an iterator has arrived, with `count` items: its iterations may be opened."""
        self.flow.finish(frame, gate.slot, items)
        frame.outputs[gate.slot] = items
        self.materializer.begin(Execution(frame, gate.slot), available=count, final=True)

    def widen(self) -> bool:
        """Nothing is under way and nothing may start: open more than the windows. Whether there was something."""
        if self.materializer.widen():
            self.settle()
            return True
        return self.streams.resume_first()

    def _begin_free(self) -> None:
        """What waits for nothing more may start, if it is wanted. A branch first has to choose."""
        free, self.agenda.free = self.agenda.free, []  # in the order in which they are served, as far as that is known
        for frame, slot in free:
            station = frame.region.stations[slot]
            if frame.indegree[slot] or not _is_waiting(frame, station):
                continue
            if station.role == Role.BRANCH and slot not in frame.choices:
                self.demand.decide(frame, slot, self.hydration.condition(frame, station))
                if frame.indegree[slot]:
                    continue
            if not frame.wanted[slot]:
                continue
            if station.role == Role.GATE:
                items = self.hydration.collection(frame, station)
                # what is no list gets one iteration, to fail
                self.pass_gate(frame, station, items, len(items) if isinstance(items, list | tuple) else 1)
            elif station.role == Role.POOL:
                self._empty_pool(frame, station)
            else:
                frame.status[slot] = Status.READY
                self._on_ready(frame, station)

    def _empty_pool(self, frame: Frame, pool: Station) -> None:
        self.flow.finish(frame, pool.slot, sorted(frame.gathered.pop(pool.slot, {}).items()))


def _is_waiting(frame: Frame, station: Station) -> bool:
    """Whether an execution has not begun. A gate that goes through a generator's items waits for their end."""
    status = frame.status[station.slot]
    return status == Status.WAITING or (status == Status.RUNNING and station.role == Role.GATE)
