"""`Hydration`: the values that reach a copy, and the outputs of control flow, which are made of nothing else."""

from collections.abc import Callable
from typing import Any

from impasto.errors import NodeInputError
from impasto.graph.control_flow import CHOSEN, COLLECTION, CONDITION, INDEX, ITEM, SIDES, TOTAL
from impasto.scheduler.ownership import own_copy
from impasto.scheduler.plan import Link, PlannedNode
from impasto.scheduler.wiring import Wiring
from impasto_sdk.fields import BaseInvocationOutput
from impasto_sdk.node import NodeKind

__all__ = ["Hydration"]


class Hydration:
    """Reads the outputs of finished copies."""

    def __init__(self, wiring: Wiring) -> None:
        self._wiring = wiring
        self._copies = wiring.copies
        #: By iterator: what it goes through, for each rank of the space around it.
        self._collections: dict[int, list[Any]] = {}

    def inputs(self, copy: int) -> dict[str, Any]:
        """Every input that is set or connected, by name. A plain node gets its own copies of what it could change.

        What control flow is given here is for showing: an iterator gets the one list that all its copies share, a
        collector the list of its items, a branch only the side that it has chosen.
        """
        node = self._copies.planned(copy)
        rank = copy - self._copies.base[node.index]
        if node.kind is not NodeKind.PLAIN:
            return self._shown(node, rank)
        values = {name: own_copy(value) for name, value in node.values.items()}
        for link in node.links_in:
            values[link.input] = own_copy(self._value(link, self._wiring.sources(link, rank)[0]))
        return values

    def evaluate(self, copy: int) -> BaseInvocationOutput:
        """The output of a control-flow node. Raises `NodeInputError` for an iterator over something that is no list."""
        node, rank = self._copies.planned(copy), self._wiring.rank(copy)
        make: Callable[..., BaseInvocationOutput] = node.spec.output
        if node.kind is NodeKind.ITERATE:
            return make(**self._step(node, rank))
        if node.kind is NodeKind.COLLECT:
            begun = [item for some in self._arriving(node, rank, COLLECTION) for item in self._listed(node, some)]
            return make(**{COLLECTION: begun + self._arriving(node, rank, ITEM)})
        assert node.kind is NodeKind.BRANCH, "a plain node is run, not evaluated"
        return make(**{CHOSEN: self._side(node, rank, self.condition(node, rank))})

    def collection(self, iterator: PlannedNode, outer_rank: int) -> Any:
        """What an iterator goes through at a rank of the space around it."""
        for link in iterator.links_in:
            if link.input == COLLECTION:
                return self._value(link, self._wiring.sources(link, outer_rank)[0])
        return iterator.values.get(COLLECTION)

    def keep_collections(self, iterator: PlannedNode, collections: list[Any]) -> None:
        """Remember what an iterator goes through, for each rank of the space around it."""
        self._collections[iterator.index] = collections

    def condition(self, node: PlannedNode, rank: int) -> bool:
        """What a branch decides by, at a rank of its space."""
        for link in node.links_in:
            if link.input == CONDITION:
                return bool(self._value(link, self._wiring.sources(link, rank)[0]))
        default = node.spec.inputs[CONDITION].field.get_default(call_default_factory=True)
        return bool(node.values.get(CONDITION, default))

    def _shown(self, node: PlannedNode, rank: int) -> dict[str, Any]:
        """The inputs of control flow."""
        if node.kind is NodeKind.ITERATE:
            return {**node.values, COLLECTION: self._collections[node.index][self._outer_rank(node, rank)]}
        if node.kind is NodeKind.COLLECT:
            gathered = {link.input: self._arriving(node, rank, link.input) for link in node.links_in}
            return {**node.values, **gathered}
        chosen = self.condition(node, rank)
        return {CONDITION: chosen, SIDES[chosen]: self._side(node, rank, chosen)}

    def _side(self, node: PlannedNode, rank: int, chosen: bool) -> Any:
        for link in node.links_in:
            if link.side is chosen:
                return self._value(link, self._wiring.sources(link, rank)[0])
        return node.values.get(SIDES[chosen])

    def _step(self, node: PlannedNode, rank: int) -> dict[str, Any]:
        outer_rank = self._outer_rank(node, rank)
        items = self._collections[node.index][outer_rank]
        if not isinstance(items, list | tuple):
            raise NodeInputError(
                f"{node.id}.{COLLECTION} needs a list to go through, it got a {type(items).__name__}",
                node_id=node.id,
                field=COLLECTION,
                value=items,
            )
        place = self._wiring.spaces.space(node.dims).paths[rank][-1]
        return {ITEM: items[place], INDEX: place, TOTAL: len(items)}

    def _outer_rank(self, node: PlannedNode, rank: int) -> int:
        return self._wiring.spaces.space(node.dims).outer_rank[rank]

    def _arriving(self, node: PlannedNode, rank: int, name: str) -> list[Any]:
        """All that reaches one input of a collector, in the order of iteration paths, then of the edges."""
        links = [link for link in node.links_in if link.input == name]
        if not links:
            return [node.values[name]] if name in node.values else []
        arriving = [(copy, self._value(link, copy)) for link in links for copy in self._wiring.sources(link, rank)]
        if len(links) > 1:
            arriving.sort(key=lambda each: self._wiring.path(each[0]))
        return [value for _, value in arriving]

    def _listed(self, node: PlannedNode, value: Any) -> list[Any]:
        if isinstance(value, list | tuple):
            return list(value)
        raise NodeInputError(
            f"{node.id}.{COLLECTION} needs lists, it got a {type(value).__name__}",
            node_id=node.id,
            field=COLLECTION,
            value=value,
        )

    def _value(self, link: Link, copy: int) -> Any:
        return getattr(self._copies.outputs[copy], link.output)
