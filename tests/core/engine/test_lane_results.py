"""Whatever runs beside whatever, and however long each node takes: the same comes out as of one node at a time."""

import random
import time
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from support.naive_run import NaiveRun
from support.random_graphs import graphs
from support.session_runs import SessionRig
from support.toys import TOYS

from impasto.engine.protocol import Outcome, item_of
from impasto_sdk.context import InvocationContext
from impasto_sdk.node import BaseInvocation, Lane, NodeKind

#: How long a node takes at most, in seconds.
LONGEST_S = 0.002


class Unsteady:
    """The toys, each on a lane of its own choice, and each execution as long as it likes."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self.nodes = [self._unsteady(toy) if toy.spec.kind is NodeKind.PLAIN else toy for toy in TOYS]

    def _unsteady(self, toy: type[BaseInvocation]) -> type[BaseInvocation]:
        def invoke(node: BaseInvocation, context: InvocationContext) -> Any:
            time.sleep(self._random.random() * LONGEST_S)
            return toy.invoke(node, context)

        def stream(node: BaseInvocation, context: InvocationContext) -> Any:
            output = yield from invoke(node, context)
            return output

        slow: type[BaseInvocation] = type(toy.__name__, (toy,), {"invoke": stream if toy.spec.yields else invoke})
        slow.spec = replace(toy.spec, lane=self._random.choice(list(Lane)), invocation=slow)
        return slow


def outputs_of(document: dict[str, Any], nodes: list[type[BaseInvocation]], **room: int) -> dict[str, Any]:
    with SessionRig(nodes, **room) as rig:
        assert rig.run(document).outcome is Outcome.COMPLETED
    return {
        execution_id: {name: value for name, value in output.items() if name != "type"}
        for execution_id, output in rig.report.journal.items()
        if item_of(execution_id) is None
    }


@given(document=graphs(), seed=st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_a_random_graph_comes_to_what_its_definition_says(document: dict[str, Any], seed: int) -> None:
    assert outputs_of(document, Unsteady(seed).nodes) == NaiveRun(document).outputs


@given(document=graphs(branches=False, most_nodes=8), seed=st.integers(0, 2**32))
@settings(max_examples=20, deadline=None)
def test_one_lane_and_many_give_the_same_and_write_the_same_down(document: dict[str, Any], seed: int) -> None:
    one = outputs_of(document, Unsteady(seed).nodes, cpu=1, io=1)
    many = outputs_of(document, Unsteady(seed + 1).nodes, cpu=8, io=8)
    assert one == many
