"""Graphs that call graphs: their documents, the ports that a call gets, and what is wrong with calls."""

from typing import Any

import pytest
from support.toys import CATALOGUE

from impasto.errors import GraphValidationError, NodeFieldNotFoundError, Problem
from impasto.graph import MAX_CALL_DEPTH, CalledGraph, Edge, EdgeConnection, Graph, GraphNode
from impasto.graph.control_flow import call_input, call_input_name, call_output, call_output_key
from impasto.graph.ports import PortTable
from impasto_sdk.fields import JsonValue


def edge(source: str, destination: str) -> dict[str, Any]:
    """``a.value`` into ``b.a``, the field being what follows the first dot."""
    (source_id, output), (destination_id, input) = source.split(".", 1), destination.split(".", 1)
    return {
        "source": {"node_id": source_id, "field": output},
        "destination": {"node_id": destination_id, "field": input},
    }


def doubler(**changes: Any) -> dict[str, Any]:
    """A called graph: ``need`` (a number, plus one, which the call must set) returned as ``sum``."""
    document: dict[str, Any] = {
        "workflow_id": "w1",
        "name": "Doubler",
        "graph": {
            "id": "inner",
            "nodes": {
                "need": {"id": "need", "type": "toy_required", "is_intermediate": False},
                "add": {"id": "add", "type": "toy_add", "is_intermediate": False, "b": 1},
                "give": {"id": "give", "type": "toy_return_value", "is_intermediate": False, "key": "sum"},
                "return": {"id": "return", "type": "toy_return", "is_intermediate": False},
            },
            "edges": [
                edge("need.value", "add.a"),
                edge("add.value", "give.value"),
                edge("give.value", "return.values"),
            ],
        },
        "inputs": [{"node_id": "need", "field": "value"}, {"node_id": "add", "field": "b"}],
    }
    return {**document, **changes}


NEED, ADDED, SUM = "saved_workflow_input::need::value", "saved_workflow_input::add::b", "saved_workflow_output::sum"


def call(called: dict[str, Any] | None = None, **inputs: JsonValue) -> dict[str, Any]:
    return {"type": "toy_call", "called": doubler() if called is None else called, **inputs}


def changed(called: dict[str, Any], nodes: dict[str, Any], *edges: dict[str, Any]) -> dict[str, Any]:
    """The called graph with more nodes (None: without that one) and edges."""
    graph = called["graph"]
    kept = {key: node for key, node in {**graph["nodes"], **nodes}.items() if node is not None}
    all_edges = [each for each in (*graph["edges"], *edges) if all(end["node_id"] in kept for end in each.values())]
    return {**called, "graph": {**graph, "nodes": kept, "edges": all_edges}}


def problems(nodes: dict[str, Any], *edges: dict[str, Any]) -> list[Problem]:
    return Graph.from_document({"nodes": nodes, "edges": list(edges)}).problems(CATALOGUE)


def the_problem(nodes: dict[str, Any], *edges: dict[str, Any]) -> Problem:
    (problem,) = problems(nodes, *edges)
    return problem


class TestNames:
    """The names of a call's ports."""

    @pytest.mark.parametrize("input", [EdgeConnection("a", "b"), EdgeConnection("a::b c/d", "e")])
    def test_a_name_says_which_input_it_is_for(self, input: EdgeConnection) -> None:
        assert call_input(call_input_name(input)) == input

    @pytest.mark.parametrize("name", ["values", "saved_workflow_input::a", "saved_workflow_input::::b", NEED[:-5]])
    def test_other_names_are_for_none(self, name: str) -> None:
        assert call_input(name) is None

    def test_an_outputs_name_says_its_key(self) -> None:
        assert call_output_key(call_output("sum")) == "sum"
        assert call_output_key("values") is None


class TestDocuments:
    """The called graph in the document of its call."""

    def test_it_comes_back_as_it_was_read(self) -> None:
        document = {
            "id": "outer",
            "nodes": {"call": {"id": "call", "is_intermediate": False, **call(workflow_id="w1", **{NEED: 3})}},
            "edges": [],
        }
        graph = Graph.from_document(document)
        assert graph.to_document() == document
        called = graph.nodes["call"].called
        assert called is not None
        assert (called.workflow_id, called.name, called.inputs[0]) == ("w1", "Doubler", ("need", "value"))
        assert called.graph.nodes["add"].inputs == {"b": 1}

    @pytest.mark.parametrize(
        ("called", "node_id", "field", "said"),
        [
            (3, "call", "called", "'called' of node 'call' must be an object with 'workflow_id'"),
            (doubler(workflow_id=None), "call", "called.workflow_id", "must be the id of a workflow; it is missing"),
            (doubler(name=4), "call", "called.name", "'called.name' of node 'call' must be a text; it is 4"),
            (doubler(inputs={}), "call", "called.inputs", "must be a list of inputs of the called graph"),
            (doubler(inputs=[{"node_id": "a"}]), "call", "called.inputs[0]", "with the texts 'node_id' and 'field'"),
            (doubler(graph=None), "call", None, "in the graph that 'call' calls: a graph must be an object"),
            (
                doubler(graph={"nodes": {"a": {}}}),
                "call/a",
                "type",
                "in the graph that 'call' calls: 'type' of node 'a' must be the name of a node type",
            ),
        ],
    )
    def test_a_malformed_one_is_told_what_is_wrong_and_where(
        self, called: Any, node_id: str, field: str | None, said: str
    ) -> None:
        with pytest.raises(GraphValidationError) as caught:
            Graph.from_document({"nodes": {"call": call(called)}})
        (problem,) = caught.value.problems
        assert (problem.code, problem.node_id, problem.field) == ("malformed", node_id, field)
        assert said in problem.message

    def test_problems_of_form_are_reported_at_every_depth_together(self) -> None:
        inner = doubler(graph={"nodes": {"a": 3, "call": call({"graph": {"edges": [4]}})}})
        with pytest.raises(GraphValidationError) as caught:
            Graph.from_document({"nodes": {"b": 5, "call": call(inner)}})
        assert [problem.node_id for problem in caught.value.problems] == ["b", "call/a", "call/call", "call/call"]


class TestPorts:
    """What a call takes and gives beyond what its type declares."""

    def test_a_call_has_the_inputs_that_its_graph_offers_and_the_outputs_that_it_returns(self) -> None:
        node = Graph.from_document({"nodes": {"call": call()}}).nodes["call"]
        ports = PortTable(CATALOGUE).of_node(node)
        assert ports is not None
        assert {name: port.type for name, port in ports.inputs.items() if call_input(name)} == {NEED: int, ADDED: int}
        assert ports.required == (NEED,)
        assert ports.outputs == {"values": dict[str, Any], SUM: int}

    def test_two_calls_of_one_type_have_ports_of_their_own(self) -> None:
        other = doubler(inputs=[])
        nodes = Graph.from_document({"nodes": {"one": call(), "two": call(other)}}).nodes
        table = PortTable(CATALOGUE)
        one, two = table.of_node(nodes["one"]), table.of_node(nodes["two"])
        assert one is not None
        assert two is not None
        assert NEED in one.inputs
        assert NEED not in two.inputs

    def test_an_input_that_has_its_value_inside_is_not_required(self) -> None:
        called = changed(doubler(), {"need": {"type": "toy_required", "value": 3}})
        assert problems({"call": call(called)}) == []

    def test_what_is_gathered_or_chosen_on_its_way_to_the_return_is_returned(self) -> None:
        called = doubler()
        called["graph"]["edges"].pop()
        more = {
            "also": {"type": "toy_return_value", "key": "name"},
            "text": {"type": "toy_text"},
            "all": {"type": "toy_collect"},
            "if": {"type": "toy_if"},
        }
        ends = [
            edge("give.value", "all.item"),
            edge("also.value", "if.true_input"),
            edge("if.value", "all.item"),
            edge("text.value", "also.value"),
            edge("all.collection", "return.values"),
        ]
        node = Graph.from_document({"nodes": {"call": call(changed(called, more, *ends))}}).nodes["call"]
        ports = PortTable(CATALOGUE).of_node(node)
        assert ports is not None
        assert ports.outputs == {"values": dict[str, Any], SUM: int, "saved_workflow_output::name": str}

    def test_a_key_of_two_values_of_which_a_branch_chooses_gives_anything(self) -> None:
        sides = {
            "text": {"type": "toy_text"},
            "words": {"type": "toy_return_value", "key": "sum"},
            "if": {"type": "toy_if"},
        }
        called = changed(doubler(), sides, edge("text.value", "words.value"), edge("give.value", "if.true_input"))
        ends = called["graph"]["edges"]
        ends.remove(edge("give.value", "return.values"))
        ends += [edge("words.value", "if.false_input"), edge("if.value", "return.values")]
        node = Graph.from_document({"nodes": {"call": call(called)}}).nodes["call"]
        ports = PortTable(CATALOGUE).of_node(node)
        assert ports is not None
        assert ports.outputs[SUM] is Any
        assert problems({"call": call(called, **{NEED: 1})}) == []

    def test_a_call_inside_offers_what_it_takes_and_gives_further_on(self) -> None:
        inner = {"call": {"type": "toy_call", "called": doubler()}}
        give = {"give": {"type": "toy_return_value", "key": "out"}, "return": {"type": "toy_return"}}
        graph = {"nodes": {**inner, **give}, "edges": [edge(f"call.{SUM}", "give.value")]}
        graph["edges"].append(edge("give.value", "return.values"))
        outer = {"workflow_id": "w2", "graph": graph, "inputs": [{"node_id": "call", "field": NEED}]}
        node = Graph.from_document({"nodes": {"call": call(outer)}}).nodes["call"]
        ports = PortTable(CATALOGUE).of_node(node)
        assert ports is not None
        assert ports.outputs["saved_workflow_output::out"] is int
        assert ports.inputs[f"saved_workflow_input::call::{NEED}"].type is int
        assert the_problem({"call": call(outer)}).field == f"saved_workflow_input::call::{NEED}"
        assert problems({"call": call(outer, **{f"saved_workflow_input::call::{NEED}": 3})}) == []


class TestValues:
    """What is written into a call and led into it."""

    @pytest.mark.parametrize(
        "inputs", [{NEED: 3}, {"workflow_inputs": {NEED: 3}}, {NEED: None, "workflow_inputs": {NEED: 3}}]
    )
    def test_a_call_that_is_given_what_it_needs_can_run(self, inputs: dict[str, Any]) -> None:
        assert problems({"call": call(**inputs)}) == []

    def test_a_missing_input_is_reported_once_and_at_the_call(self) -> None:
        problem = the_problem({"call": call()})
        assert (problem.code, problem.node_id, problem.field) == ("missing_input", "call", NEED)

    def test_values_that_arrive_in_one_object_may_hold_what_is_missing(self) -> None:
        nodes = {"values": {"type": "toy_if"}, "call": call()}
        assert problems(nodes, edge("values.value", "call.workflow_inputs")) == []

    @pytest.mark.parametrize("inputs", [{NEED: 5000}, {"workflow_inputs": {NEED: 5000}}])
    def test_a_value_is_held_to_the_bounds_of_the_input_inside(self, inputs: dict[str, Any]) -> None:
        problem = the_problem({"call": call(**inputs)})
        assert (problem.code, problem.node_id, problem.field, problem.found) == ("invalid_value", "call", NEED, 5000)
        assert problem.suggestion == "the nearest that it takes: 1000"

    def test_a_value_that_the_call_replaces_is_not_looked_at_inside(self) -> None:
        called = changed(doubler(), {"need": {"type": "toy_required", "value": 5000}})
        assert problems({"call": call(called, **{NEED: 3})}) == []
        assert the_problem({"call": call(called)}).node_id == "call/need"

    @pytest.mark.parametrize("inputs", [{NEED[:-1]: 4}, {"workflow_inputs": {NEED[:-1]: 4}}])
    def test_an_unknown_name_comes_with_a_near_one(self, inputs: dict[str, Any]) -> None:
        called = changed(doubler(), {"need": {"type": "toy_required", "value": 1}})
        problem = the_problem({"call": call(called, **inputs)})
        assert (problem.code, problem.field) == ("unknown_field", NEED[:-1])
        assert problem.suggestion == f"did you mean {NEED!r}?"

    def test_a_name_that_is_no_input_of_a_graph_has_no_place_among_its_values(self) -> None:
        problem = the_problem({"call": call(**{NEED: 1, "workflow_inputs": {"workflow_id": "w1"}})})
        assert (problem.code, problem.node_id, problem.field) == ("unknown_field", "call", "workflow_id")

    def test_edges_into_and_out_of_a_call_are_held_to_the_types_inside(self) -> None:
        nodes = {"n": {"type": "toy_integer"}, "t": {"type": "toy_text"}, "call": call(), "split": {"type": "toy_pop"}}
        good = [edge("n.value", f"call.{NEED}"), edge(f"call.{SUM}", "t.value")]
        assert [each.node_id for each in problems(nodes, *good)] == ["split"]
        nodes["split"] = {"type": "toy_sum"}
        bad = [edge("t.value", f"call.{NEED}"), edge(f"call.{SUM}", "split.collection")]
        found = problems(nodes, *bad)
        assert [(each.code, each.node_id, each.found) for each in found] == [
            ("incompatible_types", "call", "str"),
            ("incompatible_types", "split", "int"),
        ]

    def test_an_edge_from_a_key_that_is_not_returned_comes_with_a_near_one(self) -> None:
        nodes = {"call": call(**{NEED: 1}), "t": {"type": "toy_text"}}
        problem = the_problem(nodes, edge("call.saved_workflow_output::sun", "t.value"))
        assert (problem.code, problem.suggestion) == ("unknown_output", f"did you mean {SUM!r}?")

    def test_an_edge_that_is_added_is_checked_like_those_of_a_document(self) -> None:
        graph = Graph.from_document({"nodes": {"n": {"type": "toy_integer"}, "call": call()}})
        graph.add_edge(Edge.between("n", "value", "call", NEED), CATALOGUE)
        assert graph.problems(CATALOGUE) == []
        with pytest.raises(NodeFieldNotFoundError, match="no input 'saved_workflow_input::x::y'"):
            graph.add_edge(Edge.between("n", "value", "call", "saved_workflow_input::x::y"), CATALOGUE)

    def test_an_input_that_is_fed_inside_takes_no_second_edge(self) -> None:
        called = doubler(inputs=[{"node_id": "add", "field": "a"}])
        called = changed(called, {"need": {"type": "toy_required", "value": 1}})
        name = "saved_workflow_input::add::a"
        problem = the_problem({"n": {"type": "toy_integer"}, "call": call(called)}, edge("n.value", f"call.{name}"))
        assert (problem.code, problem.node_id, problem.field) == ("input_taken", "call", name)


class TestStructure:
    """What a called graph must be."""

    def test_problems_inside_have_the_calls_id_in_front(self) -> None:
        called = changed(doubler(), {"add": {"type": "toy_add", "b": "x"}, "bad": {"type": "nothing"}})
        called = changed(called, {}, edge("add.value", "need.value"))
        found = problems({"call": call(called)})
        assert [(each.code, each.node_id) for each in found] == [
            ("invalid_value", "call/add"),
            ("unknown_node_type", "call/bad"),
            ("cycle", "call/add"),
        ]
        assert found[0].message.startswith("in the graph that 'call' calls: add.b = 'x'")
        assert found[2].nodes == ("call/add", "call/need", "call/add")

    @pytest.mark.parametrize("node", [{"workflow_id": "w7"}, {}, {"workflow_id": "w7", NEED: 3}])
    def test_a_call_without_its_graph_is_not_resolved(self, node: dict[str, Any]) -> None:
        nodes = {"call": {"type": "toy_call", **node}, "t": {"type": "toy_text"}}
        problem = the_problem(nodes, edge(f"call.{SUM}", "t.value"))
        assert (problem.code, problem.node_id, problem.field) == ("not_resolved", "call", "workflow_id")
        assert problem.found == node.get("workflow_id")

    def test_a_graph_of_another_workflow_does_not_resolve_a_call(self) -> None:
        problem = the_problem({"call": call(workflow_id="w2", **{NEED: 1})})
        assert (problem.code, problem.found, problem.expected) == ("not_resolved", "w2", "w1")

    def test_a_node_that_calls_nothing_carries_no_graph(self) -> None:
        problem = the_problem({"one": {"type": "toy_add", "called": doubler()}})
        assert (problem.code, problem.node_id, problem.field) == ("not_a_call", "one", "called")

    def test_a_called_graph_must_return(self) -> None:
        problem = the_problem({"call": call(changed(doubler(), {"return": None}), **{NEED: 1})})
        assert (problem.code, problem.node_id) == ("no_return", "call")
        assert problem.suggestion == "add one node of type toy_return to the workflow"

    def test_a_called_graph_returns_once(self) -> None:
        problem = the_problem({"call": call(changed(doubler(), {"two": {"type": "toy_return"}}), **{NEED: 1})})
        assert (problem.code, problem.nodes) == ("several_returns", ("call/return", "call/two"))

    def test_a_called_graph_returns_outside_all_iterations(self) -> None:
        each = {"each": {"type": "toy_iterate", "collection": [1]}}
        within = changed(doubler(), {**each, "give": {"type": "toy_return_value"}}, edge("each.item", "give.key"))
        problem = the_problem({"call": call(within, **{NEED: 1})})
        assert (problem.code, problem.node_id) == ("return_in_iteration", "call/return")
        within["graph"]["nodes"]["all"] = {"type": "toy_collect"}
        within["graph"]["edges"].remove(edge("give.value", "return.values"))
        within["graph"]["edges"] += [edge("give.value", "all.item"), edge("all.collection", "return.values")]
        assert problems({"call": call(within, **{NEED: 1})}) == []

    @pytest.mark.parametrize(
        ("input", "suggestion"),
        [({"node_id": "ned", "field": "value"}, "did you mean 'need'?"), ({"node_id": "add", "field": "c"}, None)],
    )
    def test_an_offered_input_must_be_there(self, input: dict[str, str], suggestion: str | None) -> None:
        called = doubler(inputs=[input, *doubler()["inputs"]])
        problem = the_problem({"call": call(called, **{NEED: 1})})
        assert (problem.code, problem.node_id) == ("unknown_called_input", "call")
        assert problem.field == f"saved_workflow_input::{input['node_id']}::{input['field']}"
        assert problem.suggestion == suggestion or suggestion is None

    def test_a_workflow_that_calls_itself_over_others_is_named_with_the_chain(self) -> None:
        again = {"type": "toy_call", "called": doubler(), NEED: 1}
        other = changed(doubler(workflow_id="w2", name="Other"), {"again": again})
        first = changed(doubler(), {"other": {"type": "toy_call", "called": other, NEED: 1}})
        problem = the_problem({"call": call(first, **{NEED: 1})})
        assert (problem.code, problem.node_id) == ("recursive_call", "call/other/again")
        assert problem.found == "Doubler → Other → Doubler"


def nest(depth: int) -> GraphNode:
    """A call inside a call inside …: `depth` graphs."""
    node: GraphNode | None = None
    for level in range(depth):
        document = doubler(workflow_id=f"w{level}")
        graph = Graph.from_document(document["graph"])
        if node is not None:
            graph.add_node(node)
        called = CalledGraph(f"w{level}", f"Level {level}", graph, (EdgeConnection("need", "value"),))
        node = GraphNode("call", "toy_call", inputs={NEED: 1}, called=called)
    assert node is not None
    return node


class TestDepth:
    """How deep calls may go."""

    def test_as_many_graphs_as_are_allowed_may_call_one_another(self) -> None:
        graph = Graph(nodes={"call": nest(MAX_CALL_DEPTH)})
        assert graph.problems(CATALOGUE) == []
        assert Graph.from_document(graph.to_document()).problems(CATALOGUE) == []

    def test_a_call_that_is_deeper_is_refused_once(self) -> None:
        (problem,) = Graph(nodes={"call": nest(MAX_CALL_DEPTH + 1)}).problems(CATALOGUE)
        assert (problem.code, problem.node_id) == ("calls_too_deep", "/".join(["call"] * (MAX_CALL_DEPTH + 1)))

    def test_a_document_that_is_deeper_is_not_read_to_its_end(self) -> None:
        document = {"nodes": {}}
        for level in range(200):
            document = {
                "nodes": {"call": {"type": "toy_call", "called": {"workflow_id": f"{level}", "graph": document}}}
            }
        with pytest.raises(GraphValidationError) as caught:
            Graph.from_document(document)
        (problem,) = caught.value.problems
        assert (problem.code, problem.node_id) == ("calls_too_deep", "/".join(["call"] * (MAX_CALL_DEPTH + 1)))

    def test_graphs_built_in_code_may_be_as_deep_as_they_like_without_harm(self) -> None:
        (problem,) = Graph(nodes={"call": nest(300)}).problems(CATALOGUE)
        assert problem.code == "calls_too_deep"
