"""`Flow`: what the end of an execution means for those that wait for it, and for what it read itself."""

from typing import Any

from impasto.scheduler.agenda import Agenda
from impasto.scheduler.frame import Frame, Status
from impasto.scheduler.hydration import value_of
from impasto.scheduler.materializer import Materializer

__all__ = ["Flow"]


class Flow:
    """Counts down what waits for an execution that has run, and counts off what it read itself."""

    def __init__(self, agenda: Agenda, materializer: Materializer) -> None:
        self._agenda = agenda
        self._materializer = materializer

    def finish(self, frame: Frame, slot: int, output: Any) -> None:
        """An execution has run and gave `output`."""
        region, free = frame.region, self._agenda.free
        frame.status[slot] = Status.EXECUTED
        # what leads nowhere is kept only outside all iterations: of these there may be many
        if frame.readers[slot] or not (frame.path or region.is_read[slot]):
            frame.outputs[slot] = output
        indegree = frame.indegree
        for target in region.readers_of[slot]:
            indegree[target] -= 1
            if not indegree[target]:
                free.append((frame, target))
        if slot in region.sides_of or slot in frame.waiters:
            self._tell_others(frame, slot)
        if slot in region.pools_of:
            self._gather(frame, slot, output)
        for base, source, _, _, side in region.stations[slot].reads:  # what it read is read by one less
            if side is None or frame.choices.get(slot) is side:
                self._agenda.unread.append((frame.bases[base - 1] if base else frame, source))
        self._materializer.done(frame)

    def _tell_others(self, frame: Frame, slot: int) -> None:
        """Count down branches that have chosen this side, and what waits in other frames."""
        for target, side in frame.region.sides_of.get(slot, ()):
            if frame.choices.get(target) is side:
                self._agenda.count_down(frame, target)
        for (reader, target, chosen), inputs in frame.waiters.pop(slot, {}).items():
            if chosen is None or reader.choices.get(target) is chosen:
                self._agenda.count_down(reader, target, inputs)

    def _gather(self, frame: Frame, slot: int, output: Any) -> None:
        """Put what pools want of an output into them."""
        place, parent = frame.path[-1], frame.parent
        assert parent is not None
        for pool in frame.region.pools_of[slot]:
            if parent.status[pool.slot] == Status.SKIPPED:
                continue
            if output is not None:
                parent.gathered.setdefault(pool.slot, {})[place] = value_of(output, pool.output)
            self._agenda.count_down(parent, pool.slot)
            self._agenda.unread.append((frame, slot))
