"""A Hypothesis strategy for graphs of toys: any mixture of sums, ranges, iterators, collectors and branches."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from impasto_sdk.draft import DraftPort, GraphDraft
from support.toys import summing

__all__ = ["graphs", "sums"]

#: Iterators in one graph, at most; with up to three items each, graphs stay small enough to be evaluated naively.
MOST_ITERATORS = 4


@st.composite
def graphs(draw: st.DrawFn, *, branches: bool = True, most_nodes: int = 14) -> dict[str, Any]:
    """The document of a random graph that can run."""
    sketch = _Sketch(draw)
    steps: list[Callable[[], None]] = [sketch.add, sketch.range, sketch.stream, sketch.iterate, sketch.iterate]
    steps += [sketch.collect, sketch.sum, sketch.even, sketch.call]
    if branches:
        steps += [sketch.branch, sketch.branch, sketch.lazy_loop]
    for step in draw(st.lists(st.sampled_from(steps), min_size=1, max_size=most_nodes)):
        step()
    document = sketch.draft.to_document()
    # without what leads nowhere, more is needed only behind a side of a branch
    return _leading_to(list(document["nodes"])[-1], document) if draw(st.booleans()) else document


def sums() -> dict[str, Any]:
    """What a call carries: a graph that goes through two numbers from ``numbers.start``, adds 1 to each, and sums."""
    inputs = [{"node_id": "numbers", "field": "start"}, {"node_id": "add", "field": "b"}]
    return {"workflow_id": "sums", "name": "Sums", "graph": summing(1), "inputs": inputs}


class _Sketch:
    """A graph under construction. Every step reads what is there, so no step can close a circle."""

    def __init__(self, draw: st.DrawFn) -> None:
        self._draw = draw
        self._iterators = 0
        self.draft = GraphDraft()
        self._numbers = [self.draft.add("toy_integer", value=draw(st.integers(0, 3))).output("value")]
        self._lists = [self.draft.add("toy_range", size=draw(st.integers(0, 3))).output("collection")]
        self._truths = [self.draft.add("toy_boolean", value=draw(st.booleans())).output("value")]

    def _one_of(self, ports: list[DraftPort]) -> DraftPort:
        return self._draw(st.sampled_from(ports))

    def _may_iterate(self) -> bool:
        self._iterators += 1
        return self._iterators <= MOST_ITERATORS

    def add(self) -> None:
        node = self.draft.add("toy_add", a=self._one_of(self._numbers), b=self._one_of(self._numbers))
        self._numbers.append(node.output("value"))

    def range(self) -> None:
        node = self.draft.add("toy_range", start=self._one_of(self._numbers), size=self._draw(st.integers(0, 3)))
        self._lists.append(node.output("collection"))

    def stream(self) -> None:
        node = self.draft.add("toy_stream", start=self._one_of(self._numbers), size=self._draw(st.integers(0, 3)))
        self._lists.append(node.output("collection"))

    def call(self) -> None:
        node = self.draft.add("toy_call", workflow_id="sums", called=sums())
        self.draft.connect(self._one_of(self._numbers), node.input("saved_workflow_input::numbers::start"))
        self._numbers.append(node.output("saved_workflow_output::total"))

    def iterate(self) -> None:
        if self._may_iterate():
            written = st.lists(st.integers(0, 9), max_size=2)
            node = self.draft.add("toy_iterate", collection=self._draw(st.sampled_from(self._lists) | written))
            self._numbers.append(node.output(self._draw(st.sampled_from(["item", "index", "total"]))))

    def collect(self) -> None:
        node = self.draft.add("toy_collect", collection=self._draw(st.none() | st.sampled_from(self._lists)))
        for item in self._draw(st.lists(st.sampled_from(self._numbers), min_size=1, max_size=3, unique=True)):
            self.draft.connect(item, node.input("item"))
        self._lists.append(node.output("collection"))

    def sum(self) -> None:
        self._numbers.append(self.draft.add("toy_sum", collection=self._one_of(self._lists)).output("value"))

    def even(self) -> None:
        self._truths.append(self.draft.add("toy_even", value=self._one_of(self._numbers)).output("value"))

    def branch(self) -> None:
        self._branch(self._one_of(self._numbers), self._draw(st.sampled_from([self._one_of(self._numbers), 7])))

    def lazy_loop(self) -> None:
        """A loop over a list of its own and another one, whose sum is needed only if the condition holds."""
        if self._may_iterate():
            add, number = self.draft.add, self._one_of(self._numbers)
            both = add("toy_collect", collection=add("toy_range", start=number, size=2).output("collection"))
            total = add("toy_sum", collection=self._one_of(self._lists)).output("value")
            self.draft.connect(total, both.input("item"))
            item = add("toy_iterate", collection=both.output("collection")).output("item")
            collected = add("toy_collect", item=add("toy_add", a=item, b=number).output("value"))
            looped = add("toy_sum", collection=collected.output("collection")).output("value")
            self._branch(looped, self._one_of(self._numbers))

    def _branch(self, if_true: object, if_false: object) -> None:
        condition = self._one_of(self._truths)
        node = self.draft.add("toy_if", condition=condition, true_input=if_true, false_input=if_false)
        self._numbers.append(node.output("value"))


def _leading_to(node_id: str, document: dict[str, Any]) -> dict[str, Any]:
    """The graph with only one node and all that leads to it."""
    kept = {node_id}
    for edge in reversed(document["edges"]):  # a node is drawn after all that it reads
        if edge["destination"]["node_id"] in kept:
            kept.add(edge["source"]["node_id"])
    return {
        "nodes": {key: node for key, node in document["nodes"].items() if key in kept},
        "edges": [edge for edge in document["edges"] if edge["destination"]["node_id"] in kept],
    }
