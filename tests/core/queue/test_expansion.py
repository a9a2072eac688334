"""How a batch becomes sessions, and which batches are refused."""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.batches import a_batch, a_graph, values

from impasto.errors import BatchError
from impasto.graph import Graph
from impasto.queue.expansion import check_batch, check_values, count_sessions, expand, substituted
from impasto.queue.records import Batch, BatchDatum
from impasto_sdk.fields import Input, InputField, IntegerOutput
from impasto_sdk.node import BaseInvocation, invocation


@invocation("add", title="Add", category="test", version="1.0.0")
class Add(BaseInvocation):
    """Add two numbers."""

    a: int = InputField(0, description="First")
    b: int = InputField(0, le=100, description="Second")
    wired: int = InputField(0, input=Input.CONNECTION, description="Only over an edge")

    def invoke(self, context: object) -> IntegerOutput:
        return IntegerOutput(value=self.a + self.b)


CATALOGUE = {"add": Add.spec}


def sessions(batch: Batch) -> list[list[tuple[str, str, object]] | None]:
    check_batch(batch)
    expanded = [None if text is None else json.loads(text) for text in expand(batch)]
    assert len(expanded) == count_sessions(batch)
    return [
        None if found is None else [(value["node_path"], value["field_name"], value["value"]) for value in found]
        for found in expanded
    ]


@pytest.mark.parametrize("data", [None, [], [[]]])
def test_a_batch_without_data_makes_one_session_for_each_run(data: object) -> None:
    assert sessions(a_batch(data=data, runs=3)) == [None, None, None]


def test_inner_lists_go_together() -> None:
    batch = a_batch([values("first", "a", 1, 2), values("second", "b", 10, 20)])
    assert sessions(batch) == [
        [("first", "a", 1), ("second", "b", 10)],
        [("first", "a", 2), ("second", "b", 20)],
    ]


def test_outer_lists_multiply_and_the_runs_of_one_combination_follow_one_another() -> None:
    batch = a_batch([values("first", "a", 1, 2)], [values("first", "b", 3, 4)], runs=2)
    assert [[value for _, _, value in found or ()] for found in sessions(batch)] == [
        [1, 3], [1, 3], [1, 4], [1, 4], [2, 3], [2, 3], [2, 4], [2, 4],
    ]  # fmt: skip


VALUES = st.integers(0, 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)


@given(
    st.lists(st.lists(st.lists(VALUES, min_size=2, max_size=2), min_size=1, max_size=4), max_size=3),
    st.integers(1, 3),
)
def test_expansion_is_the_product_of_zips(groups: list[list[list[object]]], runs: int) -> None:
    """Each group: rows of two values that go together."""
    fields = itertools.count()
    data = [
        [BatchDatum(node_path="first", field_name=f"f{next(fields)}", items=[row[i] for row in rows]) for i in range(2)]
        for rows in groups
    ]
    wanted = [list(itertools.chain(*combination)) for combination in itertools.product(*groups) for _ in range(runs)]
    found = [[value for _, _, value in session or ()] for session in sessions(a_batch(data=data, runs=runs))]
    assert found == wanted


def test_seeds_of_64_bits_and_any_text_come_through_unchanged() -> None:
    batch = a_batch([values("first", "a", 2**64 - 1, 0), values("first", "b", 'a "quote" \\ ☃ 写真 \ud800\n', "")])
    assert sessions(batch) == [
        [("first", "a", 2**64 - 1), ("first", "b", 'a "quote" \\ ☃ 写真 \ud800\n')],
        [("first", "a", 0), ("first", "b", "")],
    ]


def test_putting_values_in_copies_only_the_nodes_they_touch() -> None:
    graph = a_graph()
    done = substituted(graph, [{"node_path": "first", "field_name": "a", "value": 7}])
    assert done["nodes"]["first"] == {**graph["nodes"]["first"], "a": 7}
    assert done["nodes"]["second"] is graph["nodes"]["second"]
    assert graph == a_graph()


@pytest.mark.parametrize(
    ("groups", "node_id", "field", "message"),
    [
        ([[values("third", "a", 1)]], "third", "a", "the graph has no node 'third'"),
        ([[values("first", "a", 1, 2), values("second", "b", 1)]], "second", "b", "1 values, but first.a beside it 2"),
        ([[values("first", "a", 1)], [values("first", "a", 2)]], "first", "a", "given values twice"),
        ([[values("first", "a")]], "first", "a", "no values, so nothing would run"),
        ([[values("first", "a", 1, "two")]], "first", "a", "more than one kind: number, text"),
        ([[values("first", "a", 1, True)]], "first", "a", "more than one kind: boolean, number"),
        ([[values("first", "type", "other")]], "first", "type", "cannot be changed by a batch"),
        ([[values("first", "id", "other")]], "first", "id", "cannot be changed by a batch"),
    ],
)
def test_data_that_does_not_fit_names_the_node_and_the_field(
    groups: list[list[BatchDatum]], node_id: str, field: str, message: str
) -> None:
    with pytest.raises(BatchError, match=message) as caught:
        check_batch(a_batch(*groups))
    assert (caught.value.node_id, caught.value.field) == (node_id, field)
    assert f"{node_id}.{field} " in str(caught.value)


def test_whole_numbers_and_fractions_may_mix() -> None:
    check_batch(a_batch([values("first", "a", 1, 2.5)]))


@pytest.mark.parametrize("graph", [{}, {"nodes": []}, {"nodes": {"first": "no node"}}, {"nodes": None}])
def test_a_graph_without_nodes_is_refused(graph: dict[str, object]) -> None:
    with pytest.raises(BatchError, match="no `nodes`"):
        check_batch(Batch(graph=graph))


@pytest.mark.parametrize(("ids", "message"), [(["a"], "names 1 session ids"), (["a", "a"], "a session id twice")])
def test_session_ids_must_be_as_many_as_sessions_and_differ(ids: list[str], message: str) -> None:
    with pytest.raises(BatchError, match=message) as caught:
        check_batch(a_batch(runs=2, session_ids=ids))
    assert caught.value.field == "session_ids"


def test_values_are_checked_against_the_node_types() -> None:
    batch = a_batch([values("first", "a", 1, 2**64 - 1), values("second", "is_intermediate", True, False)])
    check_values(batch, Graph.from_document(batch.graph), CATALOGUE)
    unknown = a_batch([values("first", "anything", 1)])
    check_values(unknown, Graph.from_document(unknown.graph), {})


@pytest.mark.parametrize(
    ("datum", "message"),
    [
        (values("first", "c", 1), "first.c does not exist; add takes"),
        (values("first", "b", 1, 101), "first.b does not take 101"),
        (values("first", "a", "five"), "first.a does not take 'five'"),
        (values("first", "wired", 1), "first.wired takes its value over an edge only"),
    ],
)
def test_a_value_that_a_node_type_does_not_take_is_refused(datum: BatchDatum, message: str) -> None:
    batch = a_batch([datum])
    with pytest.raises(BatchError, match=message) as caught:
        check_values(batch, Graph.from_document(batch.graph), CATALOGUE)
    assert (caught.value.node_id, caught.value.field) == (datum.node_path, datum.field_name)
