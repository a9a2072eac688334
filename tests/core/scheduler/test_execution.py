"""What a run does, node by node: order, ids, iterations, failures."""

import json
import re
from typing import Any

import pytest
from support.runs import advance, drive, finish, results, state_of
from support.toys import CATALOGUE, chain, diamond, fan_out, iterated, nested

from impasto.errors import (
    GraphError,
    GraphValidationError,
    NodeAlreadyExecutedError,
    NodeInputError,
    NodeNotFoundError,
)
from impasto.graph import Graph
from impasto.scheduler import GraphExecutionState
from impasto_sdk.draft import GraphDraft
from impasto_sdk.fields import IntegerOutput, StringOutput


def test_a_chain_runs_from_its_start_to_its_end() -> None:
    state = state_of(chain(4))
    assert drive(state) == ["add_0", "add_1", "add_2", "add_3"]
    assert results(state)["add_3"] == {"value": 4}


def test_nodes_that_do_not_wait_for_each_other_are_out_together() -> None:
    state = state_of(fan_out(3))
    start = state.next()
    assert start is not None
    assert state.next() is None
    assert not state.is_complete()
    finish(state, start)
    out = [state.next() for _ in range(4)]
    assert [node.id for node in out if node] == ["add_0", "add_1", "add_2"]
    assert out[3] is None


def test_a_node_waits_for_all_that_leads_into_it() -> None:
    state = state_of(diamond(3))
    drive_order = drive(state)
    assert drive_order.index("top_1") > max(drive_order.index("left_0"), drive_order.index("right_0"))
    assert results(state)["top_1"] == {"value": 2}


def test_an_empty_graph_is_complete() -> None:
    state = state_of({"nodes": {}})
    assert state.is_complete()
    assert state.next() is None


def test_a_graph_that_cannot_run_is_refused() -> None:
    with pytest.raises(GraphValidationError, match="must be set or connected"):
        state_of({"nodes": {"one": {"type": "toy_required"}}})


def test_what_is_handed_out_says_what_it_is() -> None:
    document = iterated(1)
    document["nodes"]["add"] |= {"is_intermediate": True, "use_cache": False}
    state = state_of(document)
    nodes = []
    while (node := state.next()) is not None:
        nodes.append(node)
        finish(state, node)
    described = [(n.id, n.source_id, n.path, n.is_intermediate, n.use_cache, n.is_control) for n in nodes]
    assert described[:3] == [
        ("range", "range", (), False, True, False),
        ("iterate[0]", "iterate", (0,), False, True, True),
        ("add[0]", "add", (0,), True, False, False),
    ]
    assert nodes[2].spec is CATALOGUE["toy_add"]


def test_whether_a_result_may_be_cached_is_up_to_the_type_unless_the_graph_says() -> None:
    nodes = {"a": {"type": "toy_random"}, "b": {"type": "toy_random", "use_cache": True}}
    state = state_of({"nodes": nodes})
    assert [(node.id, node.use_cache) for node in (state.next(), state.next()) if node] == [("a", False), ("b", True)]


class TestOrder:
    """Which of several ready nodes comes first."""

    document = {
        "nodes": {
            "text_a": {"type": "toy_text"},
            "sum_a": {"type": "toy_add"},
            "text_b": {"type": "toy_text"},
            "sum_b": {"type": "toy_add"},
        }
    }

    def test_a_class_is_served_until_it_is_empty_and_then_the_next_by_name(self) -> None:
        assert drive(state_of(self.document)) == ["sum_a", "sum_b", "text_a", "text_b"]

    def test_ready_order_comes_before_names(self) -> None:
        state = state_of(self.document, ready_order=["toy_text"])
        assert drive(state) == ["text_a", "text_b", "sum_a", "sum_b"]

    def test_what_becomes_ready_in_the_active_class_comes_before_another_class(self) -> None:
        document = chain(3)
        document["nodes"]["aaa"] = {"type": "toy_integer"}
        document["nodes"]["first"] = {"type": "toy_text"}
        assert drive(state_of(document, ready_order=["toy_add"])) == ["add_0", "add_1", "add_2", "aaa", "first"]

    def test_within_a_class_the_iteration_path_decides(self) -> None:
        state = state_of(iterated(3), ready_order=["toy_iterate"])
        first = state.next()
        assert first is not None
        finish(state, first)
        for node in reversed([state.next() for _ in range(3)]):
            assert node is not None
            finish(state, node)
        assert drive(state)[:3] == ["add[0]", "add[1]", "add[2]"]


class TestIterations:
    """Iterators and collectors."""

    def test_what_follows_an_iterator_runs_once_for_each_item(self) -> None:
        state = state_of(iterated(3))
        drive(state)
        assert results(state)["iterate[1]"] == {"item": 1, "index": 1, "total": 3}
        assert results(state)["collect"] == {"collection": [1, 2, 3]}
        assert results(state)["sum"] == {"value": 6}

    def test_an_empty_list_completes_the_run_and_collects_nothing(self) -> None:
        state = state_of(iterated(0))
        assert drive(state) == ["range", "collect", "sum"]
        assert results(state)["collect"] == {"collection": []}

    def test_a_collector_inside_an_iteration_gathers_the_inner_one_only(self) -> None:
        state = state_of(nested(2, 3))
        drive(state)
        found = results(state)
        assert found["add[1,2]"] == {"value": 4}
        assert found["collect[0]"] == {"collection": [1, 2, 3]}
        assert found["collect[1]"] == {"collection": [2, 3, 4]}
        assert found["collect_all"] == {"collection": [6, 9]}

    @pytest.mark.parametrize(("outer", "inner", "collected"), [(0, 2, []), (2, 0, [0, 0])])
    def test_an_empty_level_gives_empty_lists(self, outer: int, inner: int, collected: list[int]) -> None:
        state = state_of(nested(outer, inner))
        drive(state)
        assert results(state)["collect_all"] == {"collection": collected}

    def test_lists_of_different_lengths_may_be_nested(self) -> None:
        draft = GraphDraft()
        each = draft.add("toy_iterate", id="each", collection=[[1, 2], [], [3]])
        inside = draft.add("toy_iterate", id="inside", collection=each.output("item"))
        added = draft.add("toy_add", id="add", a=inside.output("item"), b=each.output("index"))
        draft.add("toy_collect", id="all", item=added.output("value"))
        state = state_of(draft.to_document())
        drive(state)
        found = results(state)
        assert [found[f"all[{place}]"]["collection"] for place in range(3)] == [[1, 2], [], [5]]
        assert [name for name in found if name.startswith("add")] == ["add[0,0]", "add[0,1]", "add[2,0]"]

    def test_independent_iterators_combine_every_item_with_every_other(self) -> None:
        draft = GraphDraft()
        left = draft.add("toy_iterate", id="left", collection=[10, 20])
        right = draft.add("toy_iterate", id="right", collection=[1, 2, 3])
        added = draft.add("toy_add", id="add", a=left.output("item"), b=right.output("item"))
        row = draft.add("toy_collect", id="row", item=added.output("value"))
        draft.add("toy_collect", id="rows", item=row.output("collection"))
        state = state_of(draft.to_document())
        drive(state)
        assert results(state)["rows"] == {"collection": [[11, 12, 13], [21, 22, 23]]}
        assert results(state)["add[1,2]"] == {"value": 23}

    def test_independent_iterators_into_one_collector_give_one_list(self) -> None:
        draft = GraphDraft()
        collector = draft.add("toy_collect", id="all")
        for name, items in (("left", [10, 20]), ("right", [1, 2, 3])):
            draft.connect(draft.add("toy_iterate", id=name, collection=items).output("item"), collector.input("item"))
        state = state_of(draft.to_document())
        drive(state)
        assert results(state)["all"] == {"collection": [10, 1, 20, 2, 3]}

    def test_a_collector_begins_with_its_list_and_goes_on_by_path_then_by_edge(self) -> None:
        draft = GraphDraft()
        each = draft.add("toy_iterate", id="each", collection=[1, 2])
        tens = draft.add("toy_add", id="tens", a=each.output("item"), b=10)
        hundreds = draft.add("toy_add", id="hundreds", a=each.output("item"), b=100)
        first = draft.add("toy_range", id="first", start=7, size=2)
        collector = draft.add("toy_collect", id="all", collection=first.output("collection"))
        draft.connect(hundreds.output("value"), collector.input("item"))
        draft.connect(tens.output("value"), collector.input("item"))
        state = state_of(draft.to_document())
        drive(state)
        assert results(state)["all"] == {"collection": [7, 8, 101, 11, 102, 12]}

    def test_the_order_of_a_list_does_not_depend_on_what_came_back_first(self) -> None:
        state = state_of(iterated(4))
        for _ in range(5):
            node = state.next()
            assert node is not None
            finish(state, node)
        for node in reversed([state.next() for _ in range(4)]):
            assert node is not None
            finish(state, node)
        drive(state)
        assert results(state)["collect"] == {"collection": [1, 2, 3, 4]}

    def test_a_value_from_outside_reaches_every_iteration(self) -> None:
        draft = GraphDraft()
        each = draft.add("toy_iterate", id="each", collection=[1, 2])
        base = draft.add("toy_integer", id="base", value=100)
        draft.add("toy_add", id="add", a=each.output("item"), b=base.output("value"))
        state = state_of(draft.to_document())
        assert drive(state).count("base") == 1
        assert (results(state)["add[0]"], results(state)["add[1]"]) == ({"value": 101}, {"value": 102})

    def test_going_through_something_that_is_no_list_is_an_error_of_the_iterator(self) -> None:
        draft = GraphDraft()
        anything = draft.add("toy_if", id="anything", condition=True, true_input=3)
        draft.add("toy_iterate", id="each", collection=anything.output("value"))
        state = state_of(draft.to_document())
        choice = state.next()
        assert choice is not None
        finish(state, choice)
        each = state.next()
        assert each is not None
        with pytest.raises(
            NodeInputError, match=r"each\.collection needs a list to go through, it got a int"
        ) as caught:
            state.evaluate(each)
        assert (caught.value.node_id, caught.value.field, caught.value.value) == ("each", "collection", 3)


class TestValues:
    """What reaches a node."""

    def test_each_reader_gets_a_list_of_its_own(self) -> None:
        draft = GraphDraft()
        numbers = draft.add("toy_range", id="range", size=3).output("collection")
        for name in ("one", "two"):
            draft.add("toy_pop", id=name, collection=numbers)
        state = state_of(draft.to_document())
        drive(state)
        assert (results(state)["one"], results(state)["two"]) == ({"value": 2}, {"value": 2})
        assert results(state)["range"] == {"collection": [0, 1, 2]}

    def test_a_list_that_came_over_an_edge_is_not_the_one_in_the_results(self) -> None:
        draft = GraphDraft()
        numbers = draft.add("toy_range", id="range", size=3).output("collection")
        draft.add("toy_fail", id="reader", value=numbers)
        state = state_of(draft.to_document())
        source = state.next()
        assert source is not None
        finish(state, source)
        reader = state.next()
        assert reader is not None
        state.inputs(reader)["value"].append("changed")
        assert results(state)["range"] == {"collection": [0, 1, 2]}

    def test_a_list_inside_a_list_is_copied_too_and_a_written_one_as_well(self) -> None:
        written = {"deep": [1, 2]}
        nodes = {"one": {"type": "toy_fail", "value": [written]}, "two": {"type": "toy_fail", "value": [written]}}
        state = state_of({"nodes": nodes})
        first, second = state.next(), state.next()
        assert first is not None
        assert second is not None
        state.inputs(first)["value"][0]["deep"].append(3)
        assert state.inputs(second)["value"] == [{"deep": [1, 2]}]
        assert state.inputs(first)["value"] == [{"deep": [1, 2]}]

    def test_frozen_values_are_shared(self) -> None:
        draft = GraphDraft()
        color = draft.add("toy_color", id="color").output("color")
        draft.add("toy_color", id="again", color=color)
        state = state_of(draft.to_document())
        source = state.next()
        assert source is not None
        given = finish(state, source)
        again = state.next()
        assert again is not None
        assert state.inputs(again)["color"] is given.color  # type: ignore[attr-defined] # a ColorOutput

    def test_only_what_is_set_or_connected_is_given(self) -> None:
        nodes = {"noise": {"type": "toy_noise"}, "one": {"type": "toy_denoise", "mask": None, "latents": None}}
        end = {
            "source": {"node_id": "noise", "field": "latents"},
            "destination": {"node_id": "one", "field": "latents"},
        }
        state = state_of({"nodes": nodes, "edges": [end]})
        noise = state.next()
        assert noise is not None
        assert state.inputs(noise) == {}
        finish(state, noise)
        one = state.next()
        assert one is not None
        assert list(state.inputs(one)) == ["latents"]

    def test_an_edge_takes_the_place_of_a_written_value(self) -> None:
        document = chain(2)
        document["nodes"]["add_1"]["a"] = "stale"
        state = state_of(document)
        drive(state)
        assert results(state)["add_1"] == {"value": 2}

    def test_the_items_of_a_long_list_are_not_copied_for_each_iteration(self) -> None:
        state = state_of(iterated(50))
        first = state.next()
        assert first is not None
        finish(state, first)
        steps = [state.next() for _ in range(50)]
        lists = [state.inputs(step)["collection"] for step in steps if step]
        assert len({id(each) for each in lists}) == 1


class TestCompleting:
    """What may be completed, and when."""

    def test_a_node_is_completed_once(self) -> None:
        state = state_of(chain(1))
        node = state.next()
        assert node is not None
        finish(state, node)
        with pytest.raises(NodeAlreadyExecutedError, match="add_0 is executed already"):
            state.complete("add_0", IntegerOutput(value=1))

    def test_a_node_that_waits_cannot_have_run(self) -> None:
        with pytest.raises(GraphError, match="add_1 cannot have run: it still waits for its inputs"):
            state_of(chain(2)).complete("add_1", IntegerOutput(value=1))

    def test_an_unknown_node_is_named(self) -> None:
        with pytest.raises(NodeNotFoundError, match="no execution node 'add_7'"):
            state_of(chain(2)).complete("add_7", IntegerOutput(value=1))

    def test_an_output_of_another_class_is_refused(self) -> None:
        state = state_of(chain(1))
        with pytest.raises(GraphError, match="add_0 must give a IntegerOutput, it gave a StringOutput"):
            state.complete("add_0", StringOutput(value="1"))
        assert state.results == {}

    def test_a_ready_node_may_be_completed_without_being_handed_out(self) -> None:
        state = state_of(fan_out(2))
        state.complete("start", IntegerOutput(value=5))
        state.complete("add_0", IntegerOutput(value=5))
        assert drive(state) == ["add_1"]

    def test_an_error_ends_the_run(self) -> None:
        state = state_of(fan_out(2))
        start = state.next()
        assert start is not None
        state.set_node_error(start.id, "it broke")
        assert state.has_error()
        assert state.is_complete()
        assert state.next() is None
        assert state.errors == {"start": "it broke"}
        with pytest.raises(NodeAlreadyExecutedError, match="start is failed already"):
            state.complete("start", IntegerOutput(value=1))


class TestWhatCanBeSeen:
    """The state's account of itself."""

    def test_the_source_graph_is_not_changed(self) -> None:
        graph = Graph.from_document(nested(2, 2))
        before = json.dumps(graph.to_document())
        drive(GraphExecutionState(graph, CATALOGUE, session_id="session"))
        assert json.dumps(graph.to_document()) == before

    def test_execution_nodes_are_mapped_to_their_sources_and_back(self) -> None:
        state = state_of(iterated(2))
        assert state.source_prepared_mapping == {"range": ["range"], "collect": ["collect"], "sum": ["sum"]}
        advance(state, 1)
        assert state.source_prepared_mapping["add"] == ["add[0]", "add[1]"]
        assert state.prepared_source_mapping["add[1]"] == "add"
        assert len(state.prepared_source_mapping) == 7

    def test_indegree_says_how_many_values_are_missing(self) -> None:
        state = state_of(diamond(3))
        assert state.indegree == {"top_0": 0, "left_0": 1, "right_0": 1, "top_1": 2}
        drive(state)
        assert set(state.indegree.values()) == {0}

    def test_history_is_in_the_order_of_completion(self) -> None:
        state = state_of(fan_out(2))
        assert drive(state) == state.executed_history == ["start", "add_0", "add_1"]
        assert state.executed == {"start", "add_0", "add_1"}

    def test_the_execution_graph_has_every_copy_and_every_edge_between_them(self) -> None:
        state = state_of(iterated(2))
        begun = state.execution_graph
        assert list(begun.nodes) == ["range", "collect", "sum"]
        assert [str(edge) for edge in begun.edges] == ["collect.collection → sum.collection"]
        advance(state, 1)
        assert [str(edge) for edge in state.execution_graph.edges] == [
            "add[0].value → collect.item",
            "add[1].value → collect.item",
            "collect.collection → sum.collection",
            "range.collection → iterate[0].collection",
            "iterate[0].item → add[0].a",
            "range.collection → iterate[1].collection",
            "iterate[1].item → add[1].a",
        ]


class TestRoundTrip:
    """A run written down in the middle and taken up again."""

    def restored(self, state: GraphExecutionState) -> GraphExecutionState:
        return GraphExecutionState.from_document(json.loads(json.dumps(state.to_document())), CATALOGUE)

    def test_what_was_out_is_handed_out_again(self) -> None:
        state = state_of(fan_out(2))
        start = state.next()
        assert start is not None
        finish(state, start)
        out = state.next()
        assert out is not None
        again = self.restored(state)
        node = again.next()
        assert node is not None
        assert node.id == out.id == "add_0"

    def test_values_that_pass_through_control_flow_keep_their_types(self) -> None:
        draft = GraphDraft()
        noise = draft.add("toy_noise", id="noise").output("latents")
        all_of_it = draft.add("toy_collect", id="all", item=noise).output("collection")
        item = draft.add("toy_iterate", id="each", collection=all_of_it).output("item")
        draft.add("toy_fail", id="end", value=item)
        state = state_of(draft.to_document())
        for _ in range(3):
            node = state.next()
            assert node is not None
            finish(state, node)
        again = self.restored(state)
        end = again.next()
        assert end is not None
        assert type(again.inputs(end)["value"]).__name__ == "LatentsField"

    def test_a_failed_run_stays_failed(self) -> None:
        state = state_of(chain(2))
        state.set_node_error("add_0", "it broke")
        again = self.restored(state)
        assert again.errors == {"add_0": "it broke"}
        assert again.is_complete()

    @pytest.mark.parametrize(
        ("spoil", "place"),
        [
            (lambda document: document.pop("window"), "window"),
            (lambda document: document.update(format=2), "format"),
            (lambda document: document["run"]["frames"][0].pop("path"), "run.frames.0.path"),
            (lambda document: document["run"]["frames"][0].update(executed=3), "run.frames.0.executed"),
        ],
    )
    def test_a_document_of_another_form_is_refused_with_the_place(self, spoil: Any, place: str) -> None:
        document: dict[str, Any] = state_of(chain(1)).to_document()
        spoil(document)
        with pytest.raises(GraphError, match=f"is no run of form 1: {re.escape(place)}: ") as caught:
            GraphExecutionState.from_document(document, CATALOGUE)
        assert caught.value.field == place

    def test_a_result_that_does_not_fit_its_node_is_refused(self) -> None:
        state = state_of(chain(1))
        drive(state)
        document: dict[str, Any] = state.to_document()
        document["run"]["frames"][0]["outputs"]["add_0"] = {"value": "no number"}
        with pytest.raises(GraphError, match="the result of add_0 is no IntegerOutput"):
            GraphExecutionState.from_document(document, CATALOGUE)
