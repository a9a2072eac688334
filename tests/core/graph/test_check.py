"""The check of a whole graph: every problem, each with its node, its field, what was found and what to do."""

from typing import Any

import pytest
from support.toys import CATALOGUE, chain, diamond, fan_out, iterated, nested

from impasto.errors import GraphValidationError, Problem
from impasto.graph import Graph, GraphNode
from impasto_sdk.fields import IntegerOutput
from impasto_sdk.node import BaseInvocation, invocation


def edge(source: str, destination: str) -> dict[str, Any]:
    """``a.value`` into ``b.a``."""
    (source_id, output), (destination_id, input) = source.split("."), destination.split(".")
    return {
        "source": {"node_id": source_id, "field": output},
        "destination": {"node_id": destination_id, "field": input},
    }


def problems(nodes: dict[str, Any], *edges: dict[str, Any]) -> list[Problem]:
    return Graph.from_document({"nodes": nodes, "edges": list(edges)}).problems(CATALOGUE)


def the_problem(nodes: dict[str, Any], *edges: dict[str, Any]) -> Problem:
    (problem,) = problems(nodes, *edges)
    return problem


@pytest.mark.parametrize("document", [chain(3), fan_out(3), diamond(9), iterated(3), nested(2, 2), {}])
def test_a_graph_that_can_run_has_no_problems(document: dict[str, Any]) -> None:
    Graph.from_document(document).validate_self(CATALOGUE)


def test_a_missing_input_names_the_node_and_the_field() -> None:
    problem = the_problem({"one": {"type": "toy_required"}})
    assert (problem.code, problem.node_id, problem.field) == ("missing_input", "one", "value")
    assert problem.message == "one (toy_required): 'value' must be set or connected; it takes int"


@pytest.mark.parametrize("node", [{"type": "toy_show", "image": None}, {"type": "toy_denoise", "latents": None}])
def test_null_in_an_input_that_must_have_a_value_is_a_missing_one(node: dict[str, Any]) -> None:
    assert the_problem({"one": node}).code == "missing_input"


def test_null_in_an_input_that_only_takes_edges_says_nothing() -> None:
    nodes = {"noise": {"type": "toy_noise"}, "one": {"type": "toy_denoise", "mask": None, "latents": None}}
    assert problems(nodes, edge("noise.latents", "one.latents")) == []


@pytest.mark.parametrize(
    ("node", "field", "said"),
    [
        ({"type": "toy_add", "a": "many"}, "a", "one.a = 'many': Input should be a valid integer"),
        (
            {"type": "toy_required", "value": 5000},
            "value",
            "one.value = 5000: Input should be less than or equal to 1000",
        ),
        ({"type": "toy_mode", "mode": "slow"}, "mode", "one.mode = 'slow': Input should be 'fast' or 'fine'"),
        (
            {"type": "toy_color", "color": {"r": 300, "g": 0, "b": 0}},
            "color",
            "r: Input should be less than or equal to 255",
        ),
        ({"type": "toy_sum", "collection": [1, "x"]}, "collection", "1: Input should be a valid integer"),
    ],
)
def test_a_value_that_does_not_fit_is_named_with_its_place(node: dict[str, Any], field: str, said: str) -> None:
    problem = the_problem({"one": node})
    assert (problem.code, problem.node_id, problem.field, problem.found) == ("invalid_value", "one", field, node[field])
    assert said in problem.message


def test_a_number_is_taken_for_a_text() -> None:
    assert problems({"one": {"type": "toy_text", "value": 3}}) == []


def test_the_value_of_a_connected_input_is_not_looked_at() -> None:
    nodes = {"zero": {"type": "toy_integer"}, "one": {"type": "toy_required", "value": "stale"}}
    assert problems(nodes, edge("zero.value", "one.value")) == []


def test_an_unknown_node_type_comes_with_a_near_one() -> None:
    problem = the_problem({"one": {"type": "toy_ad"}})
    assert (problem.code, problem.node_id, problem.found) == ("unknown_node_type", "one", "toy_ad")
    assert problem.suggestion is not None
    assert problem.suggestion in problem.message


def test_an_unknown_node_type_names_the_plugin_that_supplied_it() -> None:
    problem = the_problem({"one": {"type": "img_sparkle", "node_pack": "impasto-sparkle"}})
    assert "saved with it from 'impasto-sparkle'" in problem.message
    assert problem.suggestion == "install or mend the plugin 'impasto-sparkle'"


def test_an_unknown_field_comes_with_those_there_are() -> None:
    problem = the_problem({"one": {"type": "toy_range", "sise": 2}})
    assert (problem.code, problem.field, problem.expected) == ("unknown_field", "sise", "start, size")
    assert problem.suggestion == "did you mean 'size'?"


def test_a_value_in_an_input_that_only_takes_edges_is_refused() -> None:
    problem = the_problem({"one": {"type": "toy_denoise", "latents": {"latents_name": "x"}}})
    assert (problem.code, problem.field) == ("connection_only", "latents")


def test_an_edge_into_an_input_that_only_takes_values_is_refused() -> None:
    nodes = {
        "any": {"type": "toy_if"},
        "noise": {"type": "toy_noise"},
        "one": {"type": "toy_denoise"},
    }
    problem = the_problem(nodes, edge("noise.latents", "one.latents"), edge("any.value", "one.board"))
    assert (problem.code, problem.node_id, problem.field) == ("direct_only", "one", "board")


def test_both_ends_of_an_edge_must_be_nodes() -> None:
    found = problems({"one": {"type": "toy_add"}}, edge("on.value", "one.a"), edge("one.value", "two.a"))
    assert [(problem.code, problem.node_id) for problem in found] == [("unknown_node", "on"), ("unknown_node", "two")]
    assert found[0].suggestion == "did you mean 'one'?"


def test_both_ends_of_an_edge_must_be_ports() -> None:
    found = problems({"one": {"type": "toy_add"}, "two": {"type": "toy_add"}}, edge("one.sum", "two.c"))
    assert [(problem.code, problem.node_id, problem.field) for problem in found] == [
        ("unknown_output", "one", "sum"),
        ("unknown_input", "two", "c"),
    ]


def test_two_edges_into_one_input_are_refused() -> None:
    nodes = {"one": {"type": "toy_integer"}, "two": {"type": "toy_integer"}, "sum": {"type": "toy_add"}}
    problem = the_problem(nodes, edge("one.value", "sum.a"), edge("two.value", "sum.a"))
    assert (problem.code, problem.node_id, problem.field, problem.nodes) == ("input_taken", "sum", "a", ("one", "two"))


def test_types_at_the_ends_of_an_edge_must_fit() -> None:
    nodes = {"text": {"type": "toy_text"}, "sum": {"type": "toy_add"}}
    problem = the_problem(nodes, edge("text.value", "sum.a"))
    assert (problem.code, problem.found, problem.expected) == ("incompatible_types", "str", "int")
    assert problem.message.startswith("edge text.value → sum.a: text.value gives str, sum.a takes int; ")


def test_a_circle_is_named_in_the_direction_of_its_edges() -> None:
    nodes = {name: {"type": "toy_add"} for name in "abcd"}
    edges = [edge("a.value", "b.a"), edge("b.value", "c.a"), edge("c.value", "a.a"), edge("c.value", "d.a")]
    problem = the_problem(nodes, *edges)
    assert (problem.code, problem.nodes) == ("cycle", ("a", "b", "c", "a"))
    assert "a → b → c → a" in problem.message


def test_each_knot_is_reported_once() -> None:
    nodes = {name: {"type": "toy_add"} for name in "abcde"}
    edges = [edge("a.value", "b.a"), edge("b.value", "a.a"), edge("b.value", "c.a"), edge("d.value", "d.a")]
    assert [problem.nodes for problem in problems(nodes, *edges)] == [("a", "b", "a"), ("d", "d")]


def test_key_and_id_must_agree() -> None:
    problem = the_problem({"one": {"id": "two", "type": "toy_integer"}})
    assert (problem.code, problem.node_id, problem.found, problem.expected) == ("id_mismatch", "one", "two", "one")


def test_an_id_must_not_look_like_an_execution_of_another_node() -> None:
    add = {"type": "toy_add"}
    assert the_problem({"add": add, "add[3,0]": add}).code == "ambiguous_id"
    assert problems({"add": add, "sum[3]": add, "add[x]": add, "add[]": add}) == []


@pytest.mark.parametrize("call_id", ["call", "my/call"])
def test_an_id_must_not_look_like_a_node_that_a_call_runs(call_id: str) -> None:
    add = {"type": "toy_add"}
    inner = {"workflow_id": "w", "graph": {"nodes": {"return": {"type": "toy_return"}}}}
    call = {"type": "toy_call", "called": inner}
    for ambiguous in (f"{call_id}/add", f"{call_id}[3]/add", f"{call_id}[3,0]/x/add[1]"):
        problem = the_problem({call_id: call, ambiguous: add})
        assert (problem.code, problem.node_id, problem.nodes) == ("ambiguous_id", ambiguous, (call_id,))
    assert problems({call_id: call, "add/call": add, f"{call_id}s/add": add, f"{call_id}[x]/add": add}) == []


@pytest.mark.parametrize("character", ["\x00", "\n", "\x1f", "\x7f", "\x9f"])
def test_ids_and_names_of_fields_hold_no_control_characters(character: str) -> None:
    node_id, field = f"on{character}e", f"a{character}"
    nodes = {node_id: {"type": "toy_add"}, "two": {"type": "toy_add", field: 1}}
    found = problems(nodes, edge(f"{node_id}.value", "two.a"), edge(f"two.{field}", f"{node_id}.{field}"))
    controls = [problem for problem in found if problem.code == "control_character"]
    assert [(problem.node_id, problem.field) for problem in controls] == [
        (node_id, "id"),
        ("two", field),
        ("two", field),
        (node_id, field),
    ]
    assert all(repr(character)[1:-1] in problem.message for problem in controls)
    assert not any(character in problem.message for problem in controls)


@pytest.mark.parametrize("node_id", ["two words", "größer", "a\u2028b", "\u200b", "a.b", "c::d"])
def test_ids_are_free_text_otherwise(node_id: str) -> None:
    assert problems({node_id: {"type": "toy_add"}}) == []


def test_every_problem_is_reported() -> None:
    nodes = {
        "a": {"type": "nothing"},
        "b": {"type": "toy_add", "a": "x", "c": 1},
        "c": {"type": "toy_required", "value": -1},
        "d": {"type": "toy_denoise"},
    }
    edges = [edge("b.value", "c.valu"), edge("b.value", "z.a"), edge("c.value", "b.b"), edge("a.value", "b.b")]
    assert sorted(problem.code for problem in problems(nodes, *edges)) == [
        "cycle",
        "input_taken",
        "invalid_value",
        "invalid_value",
        "missing_input",
        "unknown_field",
        "unknown_input",
        "unknown_node",
        "unknown_node_type",
    ]
    with pytest.raises(GraphValidationError) as caught:
        Graph.from_document({"nodes": nodes, "edges": edges}).validate_self(CATALOGUE)
    assert len(caught.value.problems) == 9


def test_a_graph_of_nothing_but_unknown_names_is_told_about_every_one() -> None:
    found = problems({f"node_{number}": {"type": f"toy_ad{number}"} for number in range(200)})
    assert len(found) == 200
    assert sum(str(problem.suggestion).startswith("did you mean") for problem in found) == 25


class TestIterators:
    """Iterators and collectors, and the types that pass through them."""

    def test_an_iterator_needs_a_list(self) -> None:
        problem = the_problem({"each": {"type": "toy_iterate"}})
        assert (problem.code, problem.node_id, problem.field) == ("missing_input", "each", "collection")

    def test_a_list_may_be_written_into_an_iterator(self) -> None:
        assert problems({"each": {"type": "toy_iterate", "collection": [1, 2]}}) == []

    def test_an_iterator_takes_lists_only(self) -> None:
        nodes = {"one": {"type": "toy_integer"}, "each": {"type": "toy_iterate"}}
        assert the_problem(nodes, edge("one.value", "each.collection")).code == "incompatible_types"

    def test_what_reads_an_item_must_take_the_lists_elements(self) -> None:
        nodes = {
            "words": {"type": "toy_split"},
            "each": {"type": "toy_iterate"},
            "text": {"type": "toy_text"},
            "sum": {"type": "toy_add"},
        }
        ends = [edge("words.collection", "each.collection"), edge("each.item", "text.value")]
        problem = the_problem(nodes, *ends, edge("each.item", "sum.a"), edge("each.index", "sum.b"))
        assert (problem.code, problem.node_id, problem.found) == ("incompatible_types", "sum", "str")

    def test_a_collector_must_gather_something(self) -> None:
        problem = the_problem({"all": {"type": "toy_collect"}})
        assert (problem.code, problem.node_id) == ("missing_input", "all")

    def test_a_collector_takes_many_items_of_one_type(self) -> None:
        nodes = {
            "one": {"type": "toy_integer"},
            "half": {"type": "toy_float"},
            "all": {"type": "toy_collect"},
        }
        assert problems(nodes, edge("one.value", "all.item"), edge("half.value", "all.item")) == []

    def test_a_collector_of_different_things_is_refused(self) -> None:
        nodes = {
            "one": {"type": "toy_integer"},
            "noise": {"type": "toy_noise"},
            "all": {"type": "toy_collect"},
        }
        problem = the_problem(nodes, edge("one.value", "all.item"), edge("noise.latents", "all.item"))
        assert (problem.code, problem.node_id, problem.found) == ("mixed_items", "all", "int, LatentsField")

    def test_a_list_that_a_collector_begins_with_counts_by_its_elements(self) -> None:
        nodes = {
            "words": {"type": "toy_split"},
            "noise": {"type": "toy_noise"},
            "all": {"type": "toy_collect"},
        }
        problem = the_problem(nodes, edge("words.collection", "all.collection"), edge("noise.latents", "all.item"))
        assert (problem.code, problem.found) == ("mixed_items", "str, LatentsField")

    def test_a_collector_takes_one_list_to_begin_with(self) -> None:
        nodes = {name: {"type": "toy_range"} for name in "ab"} | {"all": {"type": "toy_collect"}}
        problem = the_problem(nodes, edge("a.collection", "all.collection"), edge("b.collection", "all.collection"))
        assert problem.code == "input_taken"

    def test_types_pass_through_chains_of_collectors_and_iterators(self) -> None:
        nodes: dict[str, Any] = {"noise": {"type": "toy_noise"}, "sum": {"type": "toy_add"}}
        edges, before = [], "noise.latents"
        for place in range(1500):  # deeper than Python's stack
            nodes |= {f"all_{place}": {"type": "toy_collect"}, f"each_{place}": {"type": "toy_iterate"}}
            edges += [edge(before, f"all_{place}.item"), edge(f"all_{place}.collection", f"each_{place}.collection")]
            before = f"each_{place}.item"
        problem = the_problem(nodes, *edges, edge(before, "sum.a"))
        assert (problem.code, problem.found) == ("incompatible_types", "LatentsField")

    def test_a_circle_through_a_collector_is_a_circle(self) -> None:
        nodes = {"all": {"type": "toy_collect"}, "each": {"type": "toy_iterate"}}
        edges = [edge("all.collection", "each.collection"), edge("each.item", "all.item")]
        assert the_problem(nodes, *edges).nodes == ("all", "each", "all")


def test_a_branch_of_one_type_gives_that_type() -> None:
    nodes = {
        "a": {"type": "toy_text"},
        "b": {"type": "toy_text"},
        "if": {"type": "toy_if"},
        "sum": {"type": "toy_add"},
    }
    ends = [edge("a.value", "if.true_input"), edge("if.value", "sum.a")]
    assert problems(nodes, *ends) == []
    problem = the_problem(nodes, *ends, edge("b.value", "if.false_input"))
    assert (problem.code, problem.found) == ("incompatible_types", "str")


def test_a_class_that_allows_more_inputs_takes_any() -> None:
    @invocation("toy_open")
    class ToyOpen(BaseInvocation, extra="allow"):
        """Takes whatever it gets."""

        def invoke(self, context: Any) -> IntegerOutput:
            return IntegerOutput(value=0)

    document = {
        "nodes": {"open": {"type": "toy_open", "anything": [1]}, "text": {"type": "toy_text"}},
        "edges": [edge("text.value", "open.more")],
    }
    assert Graph.from_document(document).problems({**CATALOGUE, "toy_open": ToyOpen.spec}) == []


def test_nodes_built_in_code_are_checked_like_documents() -> None:
    graph = Graph(nodes={"one": GraphNode("one", "toy_required", inputs={"value": 2000})})
    assert [problem.code for problem in graph.problems(CATALOGUE)] == ["invalid_value"]
