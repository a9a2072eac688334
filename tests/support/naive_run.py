"""A graph evaluated by its definition, with no regard to cost: what the scheduler is compared with.

It asks for the value of a node at a place in the iterations and recurses into whatever that needs. A place is a mapping
of item numbers by iterator; nothing is planned, counted or queued.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from impasto_sdk.node import NodeKind
from support.toys import CATALOGUE

__all__ = ["NaiveRun"]

Place = dict[str, int]


class NaiveRun:
    """The outputs of a graph of toys, by execution id, in `outputs`."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.nodes: Mapping[str, Any] = document["nodes"]
        self.edges = [
            (
                each["source"]["node_id"],
                each["source"]["field"],
                each["destination"]["node_id"],
                each["destination"]["field"],
            )
            for each in document["edges"]
        ]
        self.order = self._topological_order()
        self.outputs: dict[str, dict[str, Any]] = {}
        for node_id in self.order:
            if self.is_needed_for_certain(node_id):
                for place in self.places(self.iterators_around(node_id), {}):
                    self.output(node_id, place)

    def kind(self, node_id: str) -> NodeKind:
        return CATALOGUE[self.nodes[node_id]["type"]].kind

    def iterators_around(self, node_id: str) -> list[str]:
        around = set(self.iterators_before(node_id))
        if self.kind(node_id) is NodeKind.ITERATE:
            around.add(node_id)
        return sorted(around, key=self.order.index)

    def iterators_before(self, node_id: str) -> list[str]:
        """Those around what leads into it; a collector leaves the innermost of each edge."""
        around: set[str] = set()
        for source, _, target, _ in self.edges:
            if target == node_id:
                open_there = self.iterators_around(source)
                around.update(open_there[:-1] if self.kind(node_id) is NodeKind.COLLECT else open_there)
        return sorted(around, key=self.order.index)

    def is_needed_for_certain(self, node_id: str) -> bool:
        readers = [(target, field) for source, _, target, field in self.edges if source == node_id]
        return not readers or any(self._always_reads(target, field) for target, field in readers)

    def _always_reads(self, target: str, field: str) -> bool:
        if self.kind(target) is NodeKind.ITERATE:
            standing = [each for each in self.nodes if target in self.iterators_around(each)]
            return any(self.is_needed_for_certain(each) for each in standing)
        return not field.endswith("_input") and self.is_needed_for_certain(target)

    def places(self, iterators: list[str], fixed: Place) -> Iterator[Place]:
        """All places under `iterators` that agree with `fixed`, in order."""
        if not iterators:
            yield {}
            return
        for outer in self.places(iterators[:-1], fixed):
            last = iterators[-1]
            items = [fixed[last]] if last in fixed else range(len(self.collection(last, outer)))
            for item in items:
                yield {**outer, last: item}

    def output(self, node_id: str, place: Place) -> dict[str, Any]:
        around = self.iterators_around(node_id)
        here = {iterator: place[iterator] for iterator in around}
        path = f"[{','.join(str(here[iterator]) for iterator in around)}]" if around else ""
        if node_id + path not in self.outputs:
            self.outputs[node_id + path] = self._work_out(node_id, here)
        return self.outputs[node_id + path]

    def _work_out(self, node_id: str, place: Place) -> dict[str, Any]:
        node, kind = self.nodes[node_id], self.kind(node_id)
        if kind is NodeKind.ITERATE:
            items = self.collection(node_id, place)
            return {"item": items[place[node_id]], "index": place[node_id], "total": len(items)}
        if kind is NodeKind.COLLECT:
            begun = [item for items in self.gathered(node_id, "collection", place) for item in items]
            return {"collection": begun + self.gathered(node_id, "item", place)}
        if kind is NodeKind.BRANCH:
            side = "true_input" if self.input(node_id, "condition", place) else "false_input"
            return {"value": self.input(node_id, side, place)}
        values = {name: value for name, value in node.items() if name not in ("id", "type")}
        values |= {field: self.input(node_id, field, place) for _, _, target, field in self.edges if target == node_id}
        output = CATALOGUE[node["type"]].invocation(**values).invoke(None)  # type: ignore[arg-type] # toys ask for nothing
        return output.model_dump()

    def input(self, node_id: str, name: str, place: Place) -> Any:
        for source, output, target, field in self.edges:
            if (target, field) == (node_id, name):
                return self.output(source, place)[output]
        return self.nodes[node_id].get(name)

    def collection(self, iterator: str, place: Place) -> list[Any]:
        return self.input(iterator, "collection", place) or []

    def gathered(self, collector: str, name: str, place: Place) -> list[Any]:
        found = []
        for source, output, target, field in self.edges:
            if (target, field) == (collector, name):
                around = self.iterators_around(source)
                for there in self.places(around, {key: at for key, at in place.items() if key in around}):
                    path = tuple(there[iterator] for iterator in around)
                    found.append((path, self.output(source, there)[output]))
        if not any((target, field) == (collector, name) for _, _, target, field in self.edges):
            return [self.nodes[collector][name]] if self.nodes[collector].get(name) is not None else []
        return [value for _, value in sorted(found, key=lambda each: each[0])]

    def _topological_order(self) -> list[str]:
        """Nodes as soon as all they read is out, those that became free first first."""
        waiting = {node_id: sum(target == node_id for _, _, target, _ in self.edges) for node_id in self.nodes}
        ordered = [node_id for node_id, count in waiting.items() if count == 0]
        for node_id in ordered:
            for source, _, target, _ in self.edges:
                if source == node_id:
                    waiting[target] -= 1
                    if waiting[target] == 0:
                        ordered.append(target)
        return ordered
