"""`take` and `restore`: all that a run has done, as plain data, and a run that goes on from there.

Only what is open is written down: iterations that are over have left their mark in counts, in what was gathered of
them, and in how far their loops have come. Restoring lets the same things happen again, in topological order, with the
outputs that are still kept; everything else (what waits for what, what is needed, what may start) follows from them.
"""

from functools import partial
from typing import Any

from impasto.scheduler.active_graph import ActiveGraph
from impasto.scheduler.frame import Frame, Status
from impasto.scheduler.plan import Plan
from impasto.scheduler.region import Region
from impasto.scheduler.station import Pool, Role, Station

__all__ = ["Snapshot", "restore", "take"]

#: The keys are those of `GraphDocument`; values of outputs are objects here.
Snapshot = dict[str, Any]


def take(active: ActiveGraph) -> Snapshot:
    """What an active graph has done."""
    return {
        "turns": active.queues.turns(),
        "executed": dict(active.executed),
        "skipped": dict(active.run.demand.skipped),
        "parked": [active.names.of(frame, frame.region.stations[slot]) for frame, slot in active.run.streams.parked],
        "frames": [_frame(frame, active.plan) for frame in active.frames()],
        "calls": {call_id: take(call) for call_id, call in active.calls.items()},
    }


def restore(active: ActiveGraph, snapshot: Snapshot) -> None:
    """Bring an active graph that has not settled yet to where `take` was called.

    What was out is handed out again. Parts that `active` does not have are passed over.
    """
    _Restoring(active, snapshot).run()
    for execution_id in snapshot["parked"]:
        active.run.streams.park(*active.names.find(execution_id))
    while active.run.follow():
        pass  # first of all, what was skipped is skipped again, so that nothing looks for what that would have read
    active.run.settle()
    active.run.demand.skipped = dict(snapshot["skipped"])
    active.executed = dict(snapshot["executed"])
    active.queues.resume(snapshot["turns"])
    for call_id, inner in snapshot["calls"].items():
        active.reopen_call(call_id, partial(restore, snapshot=inner))


def _frame(frame: Frame, plan: Plan) -> Snapshot:
    stations = frame.region.stations
    nodes = [each for each in stations if _is_done(frame, each.slot) and each.role not in Role.HIDDEN]
    pools = [each for each in stations if isinstance(each, Pool)]
    gates = {each.slot: each for each in stations if each.role == Role.GATE}
    return {
        "iterators": list(plan.iterators(frame.region)),
        "path": list(frame.path),
        "executed": [each.id for each in nodes],
        "outputs": {each.id: frame.outputs[each.slot] for each in nodes if frame.outputs[each.slot] is not None},
        "choices": {stations[slot].id: choice for slot, choice in frame.choices.items()},
        "streams": {stations[slot].id: list(items) for slot, items in frame.streams.items()},
        # gates: how many items have arrived, and whether these are all; the items, while they are gone through
        "arrived": {
            gates[slot].id: [size, _is_done(frame, slot)]
            for slot, size in frame.sizes.items()
            if frame.status[slot] != Status.SKIPPED
        },
        "lists": {
            each.id: list(frame.outputs[slot])
            for slot, each in gates.items()
            if isinstance(frame.outputs[slot], list | tuple) and _is_done(frame, slot)
        },
        "next": {plan.stations[loop.region.dims[-1]].id: loop.next for loop in frame.loops if loop.begun},
        "gathered": [
            [list(_pool_key(each)), sorted(frame.gathered[each.slot].items())]
            for each in pools
            if each.slot in frame.gathered
        ],
        "poured": [[list(_pool_key(each)), frame.outputs[each.slot]] for each in pools if _is_done(frame, each.slot)],
    }


def _is_done(frame: Frame, slot: int) -> bool:
    return frame.status[slot] == Status.EXECUTED


def _pool_key(pool: Pool) -> tuple[str, str, str]:
    return pool.member.id, pool.output, pool.id


class _Restoring:
    def __init__(self, active: ActiveGraph, snapshot: Snapshot) -> None:
        self._run = active.run
        self._plan = active.plan
        #: What is written of the frames of a region, by their paths, by the region's iterators.
        self._written: dict[tuple[str, ...], dict[tuple[int, ...], Snapshot]] = {}
        for each in snapshot["frames"]:
            self._written.setdefault(tuple(each["iterators"]), {})[tuple(each["path"])] = each
        #: By region: frames that stand again, with what is written of them.
        self._frames: dict[int, list[tuple[Frame, Snapshot]]] = {}

    def run(self) -> None:
        for region in self._plan.regions[1:]:
            self._set_cursors(region)
        self._add(self._run.root)
        for station in self._plan.stations:
            for frame, written in list(self._frames.get(station.region, ())):
                self._replay(frame, station, written)
                for reopened in self._run.materializer.take_reopened():
                    self._add(reopened)
        self._run.materializer.cursors = {}

    def _set_cursors(self, region: Region) -> None:
        """Say how far the loops of a region had come, and which of its iterations are open."""
        assert region.parent is not None
        places: dict[tuple[int, ...], list[int]] = {}
        for path in sorted(self._of(region)):
            places.setdefault(path[:-1], []).append(path[-1])
        last = self._plan.stations[region.dims[-1]].id
        for path, written in self._of(region.parent).items():
            if last in written["next"]:
                cursor = (written["next"][last], places.get(path, []))
                self._run.materializer.cursors[region.index, path] = cursor

    def _of(self, region: Region) -> dict[tuple[int, ...], Snapshot]:
        return self._written.get(self._plan.iterators(region), {})

    def _add(self, frame: Frame) -> None:
        written = self._of(frame.region).get(frame.path)
        if written is None:
            return
        by_key = {name: {tuple(key): items for key, items in written[name]} for name in ("gathered", "poured")}
        written = {**written, **by_key, "executed": set(written["executed"])}
        self._frames.setdefault(frame.region.index, []).append((frame, written))
        for station in frame.region.stations:
            if isinstance(station, Pool):
                if _pool_key(station) in written["gathered"]:
                    frame.gathered[station.slot] = dict(written["gathered"][_pool_key(station)])
            elif station.id in written["streams"] and station.spec.yields:
                frame.streams[station.slot] = list(written["streams"][station.id])

    def _replay(self, frame: Frame, station: Station, written: Snapshot) -> None:
        """Let happen again what had happened to an execution."""
        slot, flow = station.slot, self._run.flow
        if isinstance(station, Pool):
            if _pool_key(station) in written["poured"]:
                frame.gathered.pop(slot, None)
                flow.finish(frame, slot, written["poured"][_pool_key(station)])
        elif station.role == Role.GATE:
            if station.id in written["arrived"]:
                self._replay_gate(frame, station, written)
        else:
            if station.id in written["choices"]:
                self._run.demand.decide(frame, slot, written["choices"][station.id])
            if station.id in written["executed"]:
                frame.wanted[slot] = 1
                flow.finish(frame, slot, written["outputs"].get(station.id))

    def _replay_gate(self, frame: Frame, gate: Station, written: Snapshot) -> None:
        available, final = written["arrived"][gate.id]
        if final:
            frame.wanted[gate.slot] = 1
            self._run.pass_gate(frame, gate, written["lists"].get(gate.id), available)
        else:
            self._run.agenda.wanted.append((frame, gate.slot))  # and so is its generator, which has not returned
            self._run.streams.feed_again(frame, gate)
