"""`Materializer`: opens frames when their turn comes, and lets them go when all in them is done.

Of each region, no more frames than its *window* are open at once, unless nothing else can go on. They are opened in the
order of their paths.
"""

from collections.abc import Sequence
from heapq import heappop, heappush

from impasto.scheduler.agenda import Agenda
from impasto.scheduler.frame import Execution, Frame, Loop, Status
from impasto.scheduler.plan import Plan
from impasto.scheduler.region import Hold, Region

__all__ = ["Materializer"]


class Materializer:
    """Keeps the frames of a run."""

    def __init__(self, plan: Plan, agenda: Agenda, window: int) -> None:
        """`window`: how many frames of one region may be open."""
        self._agenda = agenda
        self._window = window
        #: By region: how many frames are open; and loops that can open one, those with the first path first.
        self._standing = [0] * len(plan.regions)
        self._lines: list[list[tuple[tuple[int, ...], Loop]]] = [[] for _ in plan.regions]
        self._fillable: list[int] = []
        #: While a run is restored: how far each loop had come and which of its iterations are open, by its region and
        #: the path around it; and the frames of these iterations, as they stand again.
        self.cursors: dict[tuple[int, tuple[int, ...]], tuple[int, list[int]]] = {}
        self._reopened: list[Frame] = []
        self.root = self._make(plan.regions[0], (), None)

    def begin(self, gate: Execution, *, available: int, final: bool) -> None:
        """The list of a gate has arrived, with `available` items; if it is not `final`, there may be more to come."""
        frame, slot = gate
        frame.sizes[slot] = available
        loops = frame.loops_of_gates.get(slot, ())
        if final:
            frame.loops_of_gates.pop(slot, None)
        for loop in loops:
            self._supply(loop, available, final=final)

    def take_reopened(self) -> list[Frame]:
        """The frames that were opened again since this was last asked."""
        reopened, self._reopened = self._reopened, []
        return reopened

    def settle(self, loop: Loop) -> None:
        """`loop` has opened all its iterations: nobody need wait for more of them."""
        frame = loop.frame
        for pool in loop.region.pools:
            self._agenda.count_down(frame, pool.slot)
        for number in frame.region.tracks_of.get(loop.region.loop, ()):
            self._one_way_less(frame, number)
        self._release_list(loop)
        self.done(frame)

    def done(self, frame: Frame) -> None:
        """One thing more in `frame` is done with: an execution, a loop, a frame inside it, or what pinned it."""
        frame.open -= 1
        if not frame.open:
            self._agenda.closing.append(frame)

    def close(self, frame: Frame) -> None:
        """All in `frame` is done: let it go."""
        parent, region = frame.parent, frame.region
        self._standing[region.index] -= 1
        if parent is None:
            return
        frame.loops = []  # they know the frame: without them, it goes at once
        for beside in frame.beside():
            self.done(beside)
        loop = parent.loops[region.loop]
        del loop.frames[frame.path[-1]]
        self._release_list(loop)
        if self._lines[region.index]:
            self._fillable.append(region.index)
        self.done(parent)

    def fill(self) -> bool:
        """Open one frame, if its region's window has room; whether there was one."""
        while self._fillable:
            region = self._fillable[-1]
            if self._standing[region] < self._window and self._open_first(region):
                return True
            self._fillable.pop()
        return False

    def widen(self) -> bool:
        """Nothing else can go on: open a window's width of frames more. Whether there was one to open."""
        waiting = [(-len(line[0][0]), line[0][0], region) for region, line in enumerate(self._lines) if line]
        if not waiting:
            return False
        region = min(waiting)[-1]  # the innermost, so that what is open can end
        for _ in range(self._window):
            if not self._open_first(region):
                break
        return True

    def _open_first(self, region: int) -> bool:
        line = self._lines[region]
        while line:
            loop = line[0][1]
            if loop.next < loop.available:
                self._open_next(loop)
                return True
            heappop(line)
            loop.queued = False
        return False

    def _supply(self, loop: Loop, available: int, *, final: bool) -> None:
        if self.cursors and not loop.begun:
            loop.next, places = self.cursors.get((loop.region.index, loop.frame.path), (0, []))
            self._reopened += [self._open(loop, place) for place in places]
        loop.begun, loop.available, loop.final = True, available, final
        if loop.next < available:
            if not loop.queued:
                loop.queued = True
                heappush(self._lines[loop.region.index], (loop.frame.path, loop))
                self._fillable.append(loop.region.index)
        elif final and not loop.done:
            self._end(loop)

    def _end(self, loop: Loop) -> None:
        loop.done = True
        self._agenda.ended.append(loop)

    def _open_next(self, loop: Loop) -> None:
        place = loop.next
        for route in loop.region.routes:
            if route.down:
                self._reach(loop.frame.around(route.up - 1), route.down, (*loop.frame.path, place))
        loop.next += 1
        self._open(loop, place)
        if loop.next == loop.available and loop.final:
            self._end(loop)
        elif not loop.final and loop.gate is not None:
            self._agenda.hungry.append(loop.gate)

    def _open(self, loop: Loop, place: int) -> Frame:
        around, region = loop.frame, loop.region
        frame = loop.frames[place] = self._make(region, (*around.path, place), around)
        around.open += 1
        for number in around.region.tracks_of.get(region.loop, ()):
            if around.region.tracks[number].inner is not None:
                around.pending[number] += 1
        return frame

    def _reach(self, frame: Frame, down: Sequence[tuple[int, int]], path: tuple[int, ...]) -> None:
        """See that the frames on a way that leads down again are open."""
        for number, step in down:
            loop = frame.loops[number]
            while loop.next <= path[step]:
                self._open_next(loop)
            frame = loop.frames[path[step]]

    def _make(self, region: Region, path: tuple[int, ...], parent: Frame | None) -> Frame:
        frame = Frame(region, path, parent)
        self._standing[region.index] += 1
        for beside in frame.beside():
            beside.open += 1
        for levels, number, hold in region.remote_holds:
            if not frame.around(levels).pending[number]:
                self._release(frame, hold)
        if parent is not None:
            self._see_pools(frame, parent)
        if region.reads_outside:
            self._look_around(frame)
        self._agenda.free += [(frame, slot) for slot in region.begin if not frame.indegree[slot]]
        for loop in frame.loops:
            self._await_list(loop)
        if not frame.open:
            self._agenda.closing.append(frame)
        return frame

    def _see_pools(self, frame: Frame, parent: Frame) -> None:
        """Let the pools of the parent frame wait for what they gather here."""
        for pool in frame.region.pools:
            slot = pool.member.slot
            if parent.status[pool.slot] == Status.SKIPPED:
                self._agenda.unread.append((frame, slot))
                continue
            parent.indegree[pool.slot] += 1
            if parent.wanted[pool.slot] and not frame.wanted[slot]:
                self._agenda.wanted.append((frame, slot))

    def _look_around(self, frame: Frame) -> None:
        """Let executions wait for what they read from outside, as far as that is not done."""
        for base, from_slot, slot, side in frame.region.reads_outside:
            source = frame.bases[base - 1]
            source.readers[from_slot] += 1
            if source.status[from_slot] >= Status.EXECUTED:
                continue
            waiting, waiter = source.waiters.setdefault(from_slot, {}), (frame, slot, side)
            waiting[waiter] = waiting.get(waiter, 0) + 1
            if side is None:
                frame.indegree[slot] += 1
                if frame.wanted[slot] and not source.wanted[from_slot]:
                    self._agenda.wanted.append((source, from_slot))

    def _await_list(self, loop: Loop) -> None:
        region, frame = loop.region, loop.frame
        assert region.gate is not None
        place, slot = frame.base(region.gate_base), region.gate.slot
        loop.gate = Execution(place, slot)
        final = place.status[slot] >= Status.EXECUTED
        if not final:
            place.loops_of_gates.setdefault(slot, []).append(loop)
        if final or slot in place.sizes:
            self._supply(loop, place.sizes.get(slot, 0), final=final)

    def _one_way_less(self, frame: Frame, number: int) -> None:
        """One of the ways from `frame` to a tracked region is at its end."""
        while True:
            frame.pending[number] -= 1
            if frame.pending[number]:
                return
            track = frame.region.tracks[number]
            for hold in track.holds:
                for held in _frames_of(frame, hold.down):
                    self._release(held, hold)
            if track.outer is None or frame.parent is None:
                return
            frame, number = frame.parent, track.outer

    def _release(self, frame: Frame, hold: Hold) -> None:
        for slot, count in hold.slots.items():
            self._agenda.unread.extend([(frame, slot)] * count)
        if hold.down:
            self.done(frame)

    def _release_list(self, loop: Loop) -> None:
        """Let the list of a gate go when nothing goes through it any more."""
        if loop.done and not loop.frames and loop.gate is not None and loop.gate.frame is loop.frame:
            loop.frame.outputs[loop.gate.slot] = None


def _frames_of(frame: Frame, down: Sequence[int]) -> list[Frame]:
    """The open frames at the end of a way down through loops."""
    frames = [frame]
    for number in down:
        frames = [inner for each in frames for inner in each.loops[number].frames.values()]
    return frames
