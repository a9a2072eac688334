"""A graph evaluated by its definition, with no regard to cost: what the scheduler is compared with.

It asks for the value of a node at a place in the iterations and recurses into whatever that needs. A place is a mapping
of item numbers by iterator; nothing is planned, counted or queued.
"""

from collections.abc import Generator, Iterator, Mapping
from copy import deepcopy
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
        here = {iterator: place[iterator] for iterator in self.iterators_around(node_id)}
        execution_id = self.execution_id(node_id, here)
        if execution_id not in self.outputs:
            self.outputs[execution_id] = self._work_out(node_id, here)
        return self.outputs[execution_id]

    def execution_id(self, node_id: str, place: Place) -> str:
        around = self.iterators_around(node_id)
        return node_id + (f"[{','.join(str(place[iterator]) for iterator in around)}]" if around else "")

    def _work_out(self, node_id: str, place: Place) -> dict[str, Any]:
        node, kind = self.nodes[node_id], self.kind(node_id)
        if kind is NodeKind.ITERATE:
            items = self.collection(node_id, place)
            total = 0 if self.comes_item_by_item(node_id) else len(items)
            return {"item": items[place[node_id]], "index": place[node_id], "total": total}
        if kind is NodeKind.COLLECT:
            begun = [item for items in self.gathered(node_id, "collection", place) for item in items]
            return {"collection": begun + self.gathered(node_id, "item", place)}
        if kind is NodeKind.BRANCH:
            side = "true_input" if self.input(node_id, "condition", place) else "false_input"
            return {"value": self.input(node_id, side, place)}
        values = {name: value for name, value in node.items() if name not in ("id", "type", "called")}
        values |= {field: self.input(node_id, field, place) for _, _, target, field in self.edges if target == node_id}
        if kind is NodeKind.CALL:
            return self._call(node_id, place, values)
        output = CATALOGUE[node["type"]].invocation(**values).invoke(None)  # type: ignore[arg-type] # toys ask for nothing
        return (_exhausted(output) if isinstance(output, Generator) else output).model_dump()

    def _call(self, node_id: str, place: Place, values: Mapping[str, Any]) -> dict[str, Any]:
        """Run the called graph as a graph of its own, and note what came out under the call's id."""
        graph = deepcopy(self.nodes[node_id]["called"]["graph"])
        for name, value in values.items():
            prefix, *inner = name.split("::")
            if prefix == "saved_workflow_input":
                graph["nodes"][inner[0]][inner[1]] = value
        run = NaiveRun(graph)
        call_id = self.execution_id(node_id, place)
        self.outputs |= {f"{call_id}/{inner_id}": output for inner_id, output in run.outputs.items()}
        returned = next(each for each in graph["nodes"] if run.kind(each) is NodeKind.RETURN)
        return {"values": run.outputs[returned]["values"]}

    def comes_item_by_item(self, iterator: str) -> bool:
        """Whether it reads a generator's list, and nobody its total, so that it need not know how many there are."""
        total_is_read = any((source, output) == (iterator, "total") for source, output, _, _ in self.edges)
        sources = [source for source, _, target, _ in self.edges if target == iterator]
        return not total_is_read and any(CATALOGUE[self.nodes[source]["type"]].yields for source in sources)

    def input(self, node_id: str, name: str, place: Place) -> Any:
        for source, output, target, field in self.edges:
            if (target, field) == (node_id, name):
                return _field(self.output(source, place), output)
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
                    found.append((path, _field(self.output(source, there), output)))
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


def _field(output: Mapping[str, Any], name: str) -> Any:
    prefix, separator, key = name.partition("::")
    return output["values"][key] if separator and prefix == "saved_workflow_output" else output[name]


def _exhausted(generator: Generator[Any, None, Any]) -> Any:
    while True:
        try:
            next(generator)
        except StopIteration as end:
            return end.value
