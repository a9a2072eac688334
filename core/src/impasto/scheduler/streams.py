"""`Streams`: generators that have given some of their items, and the loops that go through them already.

A generator is asked for its next item when everything before it has been taken up, so that it never runs far ahead of
what reads it, or when nothing else can go on.
"""

from collections.abc import Callable, Iterator
from typing import Any

from impasto.scheduler.frame import Execution, Frame, Loop, Status
from impasto.scheduler.materializer import Materializer
from impasto.scheduler.station import Gate, Station

__all__ = ["Streams"]


class Streams:
    """Feeds loops, and says which generators are to go on."""

    def __init__(self, materializer: Materializer, on_ready: Callable[[Frame, Station], None]) -> None:
        self._materializer = materializer
        self._on_ready = on_ready
        #: Generators that are not to go on yet, in the order in which they paused.
        self.parked: dict[tuple[Frame, int], None] = {}

    def park(self, frame: Frame, slot: int) -> None:
        """A generator pauses, until it is asked to go on."""
        frame.status[slot] = Status.PAUSED
        self.parked[frame, slot] = None

    def feed(self, frame: Frame, slot: int, item: Any) -> None:
        """A generator gave an item, and pauses."""
        self.park(frame, slot)
        items = frame.streams.setdefault(slot, [])
        items.append(item)
        for gate in _gates(frame, slot):
            status = gate.frame.status[gate.slot]
            if status == Status.RUNNING or (status == Status.WAITING and gate.frame.wanted[gate.slot]):
                self._supply(gate, items)

    def feed_again(self, frame: Frame, gate: Station) -> None:
        """Let a loop go through what its generator had given before the run was restored."""
        base, slot, _, _, _ = gate.reads[0]
        self._supply(Execution(frame, gate.slot), frame.base(base).streams[slot])

    def go_on(self, gate: Execution) -> None:
        """What goes through a gate has taken up an item: its generator may go on."""
        station = gate.frame.region.stations[gate.slot]
        for base, slot, _, _, _ in station.reads:
            self.resume_unless_ahead(gate.frame.base(base), slot)

    def resume_unless_ahead(self, frame: Frame, slot: int) -> None:
        """Let a paused generator go on, unless some of its items have not been taken up."""
        if (frame, slot) in self.parked and not any(
            loop.next < loop.available for gate in _gates(frame, slot) for loop in _loops(gate)
        ):
            self._resume(frame, slot)

    def resume_first(self) -> bool:
        """Let the generator go on that has paused for longest; whether there was one."""
        if not self.parked:
            return False
        self._resume(*next(iter(self.parked)))
        return True

    def end(self, frame: Frame, slot: int) -> None:
        """A generator has returned."""
        self.parked.pop((frame, slot), None)
        frame.streams.pop(slot, None)

    def _supply(self, gate: Execution, items: list[Any]) -> None:
        gate.frame.status[gate.slot] = Status.RUNNING
        gate.frame.outputs[gate.slot] = items
        self._materializer.begin(gate, available=len(items), final=False)

    def _resume(self, frame: Frame, slot: int) -> None:
        del self.parked[frame, slot]
        frame.status[slot] = Status.READY
        self._on_ready(frame, frame.region.stations[slot])


def _gates(frame: Frame, slot: int) -> Iterator[Execution]:
    """The gates that take the items of a generator as they come."""
    inside = [(frame, target) for target in frame.region.streams_of.get(slot, ())]
    outside = [(reader, target) for reader, target, _ in frame.waiters.get(slot, ())]
    for reader, target in inside + outside:
        station = reader.region.stations[target]
        if isinstance(station, Gate) and station.streams:
            yield Execution(reader, target)


def _loops(gate: Execution) -> list[Loop]:
    return gate.frame.loops_of_gates.get(gate.slot, [])
