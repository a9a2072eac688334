"""`Demand`: which executions are needed, and how long what they gave is. It is what makes branches lazy.

An execution is *wanted* once it is certain that it must run: nothing reads it, a wanted one reads it, or a wanted
branch that has chosen its side. It is *skipped* once it is certain that nothing will read it. Both spread against the
direction of the links, each link being walked once. What lies between is left alone until a branch has decided. One
count serves both ends of a life: when the last that may read an execution is gone, one that has not run is skipped, and
what one that has run gave is let go.
"""

from impasto.scheduler.agenda import Agenda
from impasto.scheduler.frame import Execution, Frame, Status, members
from impasto.scheduler.materializer import Materializer
from impasto.scheduler.station import Pool, Role

__all__ = ["Demand"]


class Demand:
    """Works off what the agenda says is wanted or unread."""

    def __init__(self, agenda: Agenda, materializer: Materializer) -> None:
        self._agenda = agenda
        self._materializer = materializer
        #: How many executions of each node were skipped, by its id.
        self.skipped: dict[str, int] = {}

    def want(self) -> None:
        """Mark executions as wanted, and all that they read."""
        to_want = self._agenda.wanted
        while to_want:
            frame, slot = to_want.pop()
            if frame.wanted[slot] or frame.status[slot] >= Status.EXECUTED:
                continue
            frame.wanted[slot] = 1
            station = frame.region.stations[slot]
            if not frame.indegree[slot]:
                self._agenda.free.append((frame, slot))
            for base, from_slot, _, _, side in station.reads:
                if side is None or frame.choices.get(slot) is side:
                    to_want.append((frame.base(base), from_slot))
            if isinstance(station, Pool):
                to_want += members(frame, station)

    def forget(self) -> None:
        """Count one reader less; let go, or skip, what nothing reads any more."""
        unread = self._agenda.unread
        while unread:
            frame, slot = unread.pop()
            frame.readers[slot] -= 1
            if frame.readers[slot]:
                continue
            if frame.status[slot] == Status.EXECUTED:
                if frame.region.stations[slot].role != Role.GATE:  # the iterations under it may still read it
                    frame.outputs[slot] = None
            elif frame.status[slot] == Status.WAITING and not frame.wanted[slot]:
                self._skip(frame, slot)

    def decide(self, frame: Frame, slot: int, choice: bool) -> None:
        """The condition of a branch is known: its side is wanted if the branch is, and the other side is let go."""
        frame.choices[slot] = choice
        for base, from_slot, _, _, side in frame.region.stations[slot].reads:
            if side is None:
                continue
            source = frame.base(base)
            if side is not choice:
                self._leave(frame, slot, base, from_slot, side)
                continue
            if source.status[from_slot] < Status.EXECUTED:
                frame.indegree[slot] += 1
            if frame.wanted[slot]:
                self._agenda.wanted.append((source, from_slot))

    def _skip(self, frame: Frame, slot: int) -> None:
        frame.status[slot] = Status.SKIPPED
        station, unread = frame.region.stations[slot], self._agenda.unread
        for base, from_slot, _, _, side in station.reads:
            if side is None or frame.choices.get(slot) in (None, side):
                self._leave(frame, slot, base, from_slot, side)
        if station.role == Role.GATE:
            self._agenda.skipped_gates.append(Execution(frame, slot))
        elif isinstance(station, Pool):
            # those that have run are no longer read by the pool: it took what they gave, which is of no use now
            unread += [each for each in members(frame, station) if each[0].status[each[1]] != Status.EXECUTED]
            frame.gathered.pop(slot, None)
        else:
            self.skipped[station.id] = self.skipped.get(station.id, 0) + 1
        self._materializer.done(frame)

    def _leave(self, frame: Frame, slot: int, base: int, from_slot: int, side: bool | None) -> None:
        """An execution will not read this after all."""
        source = frame.base(base)
        if base and from_slot in source.waiters:
            source.waiters[from_slot].pop((frame, slot, side), None)
        self._agenda.unread.append((source, from_slot))
