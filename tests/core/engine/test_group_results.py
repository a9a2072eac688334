"""Whatever runs as one call with whatever: the same comes out as of nodes that run by themselves."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from support.engine_room import graph, node
from support.random_graphs import graphs
from support.session_runs import SessionRig
from support.toys import TOYS

from impasto.engine.protocol import Outcome, item_of
from impasto_sdk.context import InvocationContext
from impasto_sdk.node import BaseInvocation, NodeKind


class Grouping:
    """The toys, those that may be as groups: of one key, of few, or of one each, and now and then alone."""

    def __init__(self, max_batch: int, keys: int) -> None:
        #: How many nodes the calls were for.
        self.sizes: list[int] = []
        plain = [toy for toy in TOYS if toy.spec.kind is NodeKind.PLAIN and not toy.spec.yields]
        self.nodes = [self._grouping(toy, max_batch, keys) if toy in plain else toy for toy in TOYS]

    def _grouping(self, toy: type[BaseInvocation], max_batch: int, keys: int) -> type[BaseInvocation]:
        def batch_key(node: BaseInvocation) -> int | None:
            return sum(node.model_dump_json(exclude={"id"}).encode()) % (keys + 1) or None

        def invoke_batch(
            cls: type[BaseInvocation], nodes: Sequence[BaseInvocation], contexts: Sequence[InvocationContext]
        ) -> list[Any]:
            assert len({batch_key(node) for node in nodes}) == 1
            self.sizes.append(len(nodes))
            return [toy.invoke(node, context) for node, context in zip(nodes, contexts, strict=True)]

        members = {"batch_key": batch_key, "invoke_batch": classmethod(invoke_batch)}
        grouping: type[BaseInvocation] = type(toy.__name__, (toy,), members)
        grouping.spec = replace(toy.spec, max_batch=max_batch, invocation=grouping)
        return grouping


def journal_of(
    document: dict[str, Any], nodes: Sequence[type[BaseInvocation]], journal: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """What is in the journal after a run, in order; `journal` is what an earlier attempt has left."""
    with SessionRig(nodes, cpu=2) as rig:
        assert rig.run(document, journal).outcome is Outcome.COMPLETED
    return {**(journal or {}), **rig.report.journal}


def outputs_in(journal: Mapping[str, Any]) -> dict[str, Any]:
    """The outputs, without items that were yielded: which of these are told of one by one may differ."""
    return {key: line for key, line in journal.items() if item_of(key) is None}


@given(document=graphs(), max_batch=st.integers(2, 5), keys=st.integers(1, 3))
@settings(max_examples=40, deadline=None)
def test_a_random_graph_comes_to_the_same_with_groups(document: dict[str, Any], max_batch: int, keys: int) -> None:
    grouping = Grouping(max_batch, keys)
    assert outputs_in(journal_of(document, grouping.nodes)) == outputs_in(journal_of(document, TOYS))
    assert all(2 <= size <= max_batch for size in grouping.sizes)


@given(document=graphs(), share=st.floats(0, 1))
@settings(max_examples=20, deadline=None)
def test_a_random_graph_that_goes_on_comes_to_the_same_with_groups(document: dict[str, Any], share: float) -> None:
    whole = journal_of(document, TOYS)
    known = dict(islice(whole.items(), int(share * len(whole))))
    assert outputs_in(journal_of(document, Grouping(4, 1).nodes, known)) == outputs_in(whole)


def test_toys_that_may_run_in_groups_do() -> None:
    grouping = Grouping(4, 1)
    add = [node(f"add{place}", "toy_add", a=place) for place in range(20)]
    journal_of(graph(add), grouping.nodes)
    assert sum(grouping.sizes) > 8
