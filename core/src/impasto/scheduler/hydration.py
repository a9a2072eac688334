"""`Hydration`: the values that reach an execution, and the outputs of control flow, which are made of nothing else."""

from collections.abc import Callable, Mapping
from typing import Any

from impasto.errors import NodeInputError
from impasto.graph.control_flow import (
    CALL_INPUT_PREFIX,
    CHOSEN,
    COLLECTION,
    CONDITION,
    INDEX,
    ITEM,
    SIDES,
    TOTAL,
    VALUES,
    WORKFLOW_INPUTS,
    call_output_key,
)
from impasto.scheduler.frame import Frame, gate_of
from impasto.scheduler.ownership import own_copy
from impasto.scheduler.station import Role, Station
from impasto_sdk.fields import BaseInvocationOutput

__all__ = ["Hydration", "value_of"]


def value_of(output: Any, name: str) -> Any:
    """One field of an output; of a call's: also what it gives by key."""
    assert output is not None, f"{name} was let go before it was read"
    try:
        return getattr(output, name)
    except AttributeError:
        values, key = getattr(output, VALUES), call_output_key(name)
        if key in values:
            return values[key]
        raise NodeInputError(
            f"the called graph returned no {key!r}, only {', '.join(values) or 'nothing'}",
            field=name,
            value=key,
            suggestion="a branch inside it may have left the value out",
        ) from None


class Hydration:
    """Reads the outputs of finished executions."""

    def __init__(self, given: Mapping[str, Mapping[str, Any]]) -> None:
        """`given`: values from outside that take the place of written ones, by node and input; see `NodeKind.CALL`."""
        self._given = given

    def inputs(self, frame: Frame, station: Station) -> dict[str, Any]:
        """Every input that is set or connected, by name. A plain node gets its own copies of what it could change.

        What control flow is given here is for showing: an iterator gets the one list that all its executions share, a
        collector the list of its items, a branch only the side that it has chosen.
        """
        match station.role:
            case Role.ITERATE:
                around, gate = gate_of(frame)
                return {**self._written(gate), COLLECTION: around.outputs[gate.slot]}
            case Role.COLLECT:
                names = dict.fromkeys(name for _, _, _, name, _ in station.reads)
                return {**self._written(station), **{name: self._arriving(frame, station, name) for name in names}}
            case Role.BRANCH:
                chosen = self.condition(frame, station)
                return {CONDITION: chosen, SIDES[chosen]: self._side(frame, station, chosen)}
        values = {name: own_copy(value) for name, value in self._written(station).items()}
        for base, slot, output, name, _ in station.reads:
            values[name] = own_copy(value_of(frame.base(base).outputs[slot], output))
        return values

    def evaluate(self, frame: Frame, station: Station) -> BaseInvocationOutput:
        """The output of an iterator, a collector or a branch.

        Raises `NodeInputError` for an iterator over something that is no list.
        """
        make: Callable[..., BaseInvocationOutput] = station.spec.output
        if station.role == Role.ITERATE:
            return make(**self._step(frame, station))
        if station.role == Role.COLLECT:
            begun = self._arriving(frame, station, COLLECTION)
            items = [item for some in begun for item in _listed(station, some)]
            return make(**{COLLECTION: items + self._arriving(frame, station, ITEM)})
        assert station.role == Role.BRANCH, "a plain node is run, not evaluated"
        return make(**{CHOSEN: self._side(frame, station, self.condition(frame, station))})

    def collection(self, frame: Frame, gate: Station) -> Any:
        """What arrives at a gate."""
        for base, slot, output, name, _ in gate.reads:
            if name == COLLECTION:
                return value_of(frame.base(base).outputs[slot], output)
        return self._written(gate).get(COLLECTION, [])

    def condition(self, frame: Frame, branch: Station) -> bool:
        """What a branch decides by."""
        if branch.slot in frame.choices:
            return frame.choices[branch.slot]
        for base, slot, output, name, _ in branch.reads:
            if name == CONDITION:
                return bool(value_of(frame.base(base).outputs[slot], output))
        return bool(self._written(branch).get(CONDITION, branch.spec.inputs[CONDITION].field.get_default()))

    def call_inputs(self, frame: Frame, call: Station) -> dict[str, Any]:
        """What a call hands to the graph that it calls, by the names of its inputs, as far as it says something."""
        values = self.inputs(frame, call)
        together = values.pop(WORKFLOW_INPUTS, None) or {}
        own = {name: value for name, value in values.items() if name.startswith(CALL_INPUT_PREFIX)}
        return {name: value for name, value in {**together, **own}.items() if value is not None}

    def _written(self, station: Station) -> Mapping[str, Any]:
        given = self._given.get(station.id)
        return {**station.values, **given} if given else station.values

    def _side(self, frame: Frame, branch: Station, chosen: bool) -> Any:
        for base, slot, output, _, side in branch.reads:
            if side is chosen:
                return value_of(frame.base(base).outputs[slot], output)
        return self._written(branch).get(SIDES[chosen])

    def _step(self, frame: Frame, station: Station) -> dict[str, Any]:
        around, gate = gate_of(frame)
        items = around.outputs[gate.slot]
        if not isinstance(items, list | tuple):
            raise NodeInputError(
                f"{station.id}.{COLLECTION} needs a list to go through, it got a {type(items).__name__}",
                node_id=station.id,
                field=COLLECTION,
                value=items,
            )
        place = frame.path[-1]
        # while a generator still runs, nobody knows the total; nobody asked for it either, or it would be waited for
        total = 0 if gate.streams else len(items)
        return {ITEM: items[place], INDEX: place, TOTAL: total}

    def _arriving(self, frame: Frame, station: Station, name: str) -> list[Any]:
        """All that reaches one input of a collector, in the order of iteration paths, then of the edges."""
        reads = [read for read in station.reads if read[3] == name]
        if not reads:
            written = self._written(station)
            return [written[name]] if name in written else []
        arriving: list[tuple[tuple[int, ...], Any]] = []
        for base, slot, output, _, _ in reads:
            around = frame.base(base)
            value = around.outputs[slot]
            if around.region.stations[slot].role == Role.POOL:
                arriving += [((*around.path, place), item) for place, item in value]
            else:
                arriving.append((around.path, value_of(value, output)))
        if len(reads) > 1:
            arriving.sort(key=lambda each: each[0])
        return [value for _, value in arriving]


def _listed(station: Station, value: Any) -> list[Any]:
    if isinstance(value, list | tuple):
        return list(value)
    raise NodeInputError(
        f"{station.id}.{COLLECTION} needs lists, it got a {type(value).__name__}",
        node_id=station.id,
        field=COLLECTION,
        value=value,
    )
