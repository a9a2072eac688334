"""Every problem of the graph floor, once: each names the place, what was found, what would do, and a way out."""

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from support.toys import CATALOGUE

import impasto.graph
from impasto.errors import CyclicalGraphError, GraphError, GraphValidationError, Problem
from impasto.graph import Edge, Graph, GraphNode
from impasto.graph.workflow import read_workflow

INTEGER, ADD, CALL, TEXT = {"type": "toy_integer"}, {"type": "toy_add"}, {"type": "toy_call"}, {"type": "toy_text"}


class Case(NamedTuple):
    """A problem, how to come by it, and what it names."""

    code: str
    subject: dict[str, Any]
    node_id: str | None
    field: str | None
    found: object
    expected: object
    suggestion: str


def ends(text: str) -> dict[str, Any]:
    """``a.value > b.a`` as an edge."""
    (source, output), (destination, input) = (end.strip().split(".", 1) for end in text.split(">"))
    return {
        "source": {"node_id": source, "field": output},
        "destination": {"node_id": destination, "field": input},
    }


def graph(nodes: dict[str, Any], *edges: str) -> dict[str, Any]:
    return {"nodes": nodes, "edges": [ends(each) for each in edges]}


def called(nodes: dict[str, Any], *edges: str, inputs: tuple[tuple[str, str], ...] = ()) -> dict[str, Any]:
    """A graph with one call of a graph with these nodes and a return."""
    inner = graph({"return": {"type": "toy_return"}, **nodes}, *edges)
    offered = [{"node_id": node_id, "field": field} for node_id, field in inputs]
    return {**CALL, "called": {"workflow_id": "w1", "name": "Inner", "graph": inner, "inputs": offered}}


def nest(depth: int) -> dict[str, Any]:
    document = graph({})
    for level in range(depth):
        document = graph({"call": {**CALL, "called": {"workflow_id": str(level), "graph": document}}})
    return document


def workflow(*ids: str, edges: tuple[dict[str, Any], ...] = (), **rest: Any) -> dict[str, Any]:
    """A workflow of connectors (ids with a c) and sums."""
    kinds = {True: {"type": "connector"}, False: {"type": "invocation"}}
    nodes = [{"id": each, **kinds["c" in each], "data": {"type": "toy_add", "inputs": {}}} for each in ids]
    return {"nodes": nodes, "edges": list(edges), **rest}


def line(source: str, target: str) -> dict[str, Any]:
    return {"source": source, "sourceHandle": "value", "target": target, "targetHandle": "a", "type": "default"}


GRAPHS = [
    Case("malformed", {"nodes": {"a": {"type": 3}}}, "a", "type", 3, "the name of a node type", "make it the name"),
    Case(
        "duplicate_edge", graph({}, "a.b > c.d", "a.b > c.d"), "c", "d", "a.b → c.d", "each edge once", "leave one out"
    ),
    Case("id_mismatch", graph({"a": {"id": "b", **ADD}}), "a", "id", "b", "a", "make the id 'a'"),
    Case(
        "ambiguous_id",
        graph({"a": ADD, "a[1]": ADD}),
        "a[1]",
        "id",
        "a[1]",
        "an id that no execution of another node has",
        "rename one of them",
    ),
    Case(
        "control_character",
        graph({"a\x1fb": ADD}),
        "a\x1fb",
        "id",
        r"'a\x1fb'",
        "a text without control characters",
        "call it 'ab'",
    ),
    Case(
        "unknown_node_type",
        graph({"a": {"type": "x"}}),
        "a",
        "type",
        "x",
        "a node type of the catalogue",
        "install the plugin that supplies it",
    ),
    Case("unknown_field", graph({"a": {**ADD, "zzz": 1}}), "a", "zzz", "zzz", "a, b", "leave it out"),
    Case("missing_input", graph({"a": {"type": "toy_required"}}), "a", "value", None, "int", "write int into it or"),
    Case("invalid_value", graph({"a": {**ADD, "a": "x"}}), "a", "a", "x", "int", "write int into it"),
    Case(
        "connection_only",
        graph({"a": {"type": "toy_collect", "item": 3, "collection": []}}),
        "a",
        "item",
        3,
        "an edge",
        "lead an edge into it",
    ),
    Case(
        "unknown_node",
        graph({"alpha": ADD}, "alpha.value > alpa.a"),
        "alpa",
        "a",
        "alpa",
        "the id of a node of the graph",
        "did you mean 'alpha'?",
    ),
    Case(
        "unknown_output",
        graph({"a": ADD, "b": ADD}, "a.valu > b.a"),
        "a",
        "valu",
        "valu",
        "value",
        "did you mean 'value'",
    ),
    Case("unknown_input", graph({"a": ADD, "b": ADD}, "a.value > b.x"), "b", "x", "x", "a, b", "take out the edge"),
    Case(
        "direct_only",
        graph({"n": {"type": "toy_noise"}, "a": {"type": "toy_denoise"}, "if": {"type": "toy_if"}})
        | {"edges": [ends("n.latents > a.latents"), ends("if.value > a.board")]},
        "a",
        "board",
        "if.value",
        "no edge",
        "write the value into a.board",
    ),
    Case(
        "incompatible_types",
        graph({"n": {"type": "toy_noise"}, "a": ADD}, "n.latents > a.a"),
        "a",
        "a",
        "LatentsField",
        "int",
        "n.width would fit",
    ),
    Case(
        "input_taken",
        graph({"a": INTEGER, "b": INTEGER, "c": ADD}, "a.value > c.a", "b.value > c.a"),
        "c",
        "a",
        "b.value",
        "a.value",
        "use a collect node",
    ),
    Case(
        "mixed_items",
        graph({"a": INTEGER, "n": {"type": "toy_noise"}, "c": {"type": "toy_collect"}})
        | {"edges": [ends("a.value > c.item"), ends("n.latents > c.item")]},
        "c",
        "item",
        "int, LatentsField",
        "one type",
        "give each type a collector of its own",
    ),
    Case(
        "cycle",
        graph({"a": ADD, "b": ADD}, "a.value > b.a", "b.value > a.a"),
        "a",
        None,
        "a → b → a",
        "edges that all lead onward",
        "take out one of these edges",
    ),
    Case(
        "not_resolved",
        graph({"call": {**CALL, "workflow_id": "w9"}}),
        "call",
        "workflow_id",
        "w9",
        "the id of a saved workflow",
        "save the workflow",
    ),
    Case(
        "not_a_call",
        graph({"a": {**called({}), **ADD}}),
        "a",
        "called",
        "the workflow 'Inner'",
        "no called graph",
        "leave 'called' out",
    ),
    Case(
        "no_return",
        graph({"call": called({"return": ADD})}),
        "call",
        "called",
        "none",
        "one node of type toy_return",
        "add one node of type toy_return",
    ),
    Case(
        "several_returns",
        graph({"call": called({"two": {"type": "toy_return"}})}),
        "call",
        "called",
        "'return', 'two'",
        "one node of type toy_return",
        "keep one of them",
    ),
    Case(
        "return_in_iteration",
        graph(
            {
                "call": called(
                    {
                        "each": {"type": "toy_iterate", "collection": ["k"]},
                        "give": {"type": "toy_return_value"},
                    },
                    "each.item > give.key",
                    "give.value > return.values",
                )
            }
        ),
        "call/return",
        None,
        "return",
        "a return outside all iterations",
        "gather what the iteration gives",
    ),
    Case(
        "duplicate_return_key",
        graph(
            {
                "call": called(
                    {
                        "one": {"type": "toy_return_value", "key": "k"},
                        "two": {"type": "toy_return_value", "key": "k"},
                        "all": {"type": "toy_collect"},
                    },
                    "one.value > all.item",
                    "two.value > all.item",
                    "all.collection > return.values",
                )
            }
        ),
        "call/two",
        "key",
        "k",
        "a key that no other value has",
        "give each a key of its own",
    ),
    Case(
        "unknown_called_input",
        graph({"call": called({"alpha": ADD}, inputs=(("alpa", "a"),))}),
        "call",
        "saved_workflow_input::alpa::a",
        "alpa.a",
        "an input of a node of the called graph",
        "did you mean 'alpha'?",
    ),
    Case(
        "recursive_call",
        graph({"call": called({"again": called({})})}),
        "call/again",
        "workflow_id",
        "Inner → Inner",
        "workflows that do not call themselves",
        "take out one of these calls",
    ),
    Case("calls_too_deep", nest(5), "call/call/call/call/call", "called", 5, "at most 4", "call fewer workflows"),
]

WORKFLOWS = [
    Case(
        "unknown_version",
        workflow(meta={"version": "9.0"}),
        None,
        "meta.version",
        "9.0",
        "3 or 4, as in '3.0.0'",
        "save it anew",
    ),
    Case("duplicate_id", workflow("a", "a"), "a", "id", "a", "an id that no other node has", "rename one of them"),
    Case(
        "reserved_field",
        {"nodes": [{"id": "a", "type": "invocation", "data": {"type": "t", "inputs": {"id": {}}}}], "edges": []},
        "a",
        "id",
        "id",
        "the name of an input",
        "leave it out",
    ),
    Case(
        "unknown_node",
        workflow("a", edges=(line("a", "b"),)),
        "b",
        "edges[0].target",
        "b",
        "the id of a node",
        "take out the edge",
    ),
    Case(
        "input_taken",
        workflow("a", "b", "c", edges=(line("a", "c"), line("b", "c"))),
        "c",
        None,
        "b.value",
        "one edge",
        "take one of them out",
    ),
    Case(
        "cycle",
        workflow("c1", "c2", "a", edges=(line("c1", "c2"), line("c2", "c1"), line("c1", "a"))),
        "c1",
        None,
        "c2 → c1 → c2",
        "connectors that come from a node",
        "take out one of their edges",
    ),
]

TARGETS = [
    Case("unknown_target", {"targets": ["alpa"]}, None, "targets", "alpa", "the id of a node", "did you mean 'alpha'?"),
    Case("no_targets", {"targets": []}, None, "targets", [], "ids of nodes, at least one", "name at least one node"),
]


def check_graph(subject: dict[str, Any]) -> list[Problem]:
    try:
        return Graph.from_document(subject).problems(CATALOGUE)
    except GraphValidationError as error:
        return list(error.problems)


def check_workflow(subject: dict[str, Any]) -> list[Problem]:
    with pytest.raises(GraphValidationError) as caught:
        read_workflow(subject)
    return list(caught.value.problems)


def check_targets(subject: dict[str, Any]) -> list[Problem]:
    with pytest.raises(GraphValidationError) as caught:
        Graph.from_document(graph({"alpha": ADD})).restricted_to(subject["targets"])
    return list(caught.value.problems)


CASES = [
    *((check_graph, case) for case in GRAPHS),
    *((check_workflow, case) for case in WORKFLOWS),
    *((check_targets, case) for case in TARGETS),
]


@pytest.mark.parametrize(("check", "case"), CASES, ids=[f"{check.__name__}-{case.code}" for check, case in CASES])
def test_a_problem_names_the_place_the_value_and_the_way_out(
    check: Callable[[dict[str, Any]], list[Problem]], case: Case
) -> None:
    (problem,) = check(case.subject)
    assert (problem.code, problem.node_id, problem.field, problem.found, problem.expected) == case[:1] + case[2:6]
    assert problem.suggestion is not None
    assert problem.suggestion.startswith(case.suggestion)
    if case.code not in {"malformed", "missing_input", "invalid_value"}:  # whose messages say so in other words
        assert problem.message.endswith(f"; {problem.suggestion}")
    node_id = (problem.node_id or "").rpartition("/")[2]
    assert node_id in problem.message or repr(node_id) in problem.message
    if isinstance(problem.found, str | int):
        assert str(problem.found) in problem.message

    error = GraphValidationError([problem])
    assert (error.node_id, error.field, error.value) == (problem.node_id, problem.field, problem.found)
    assert error.suggestion == problem.suggestion
    assert str(error) == problem.message


def test_every_problem_of_the_floor_is_among_these() -> None:
    """Reads the codes out of the floor's source: a new one needs a row here."""
    tested = {case.code for _, case in CASES}
    found = set()
    for file in Path(impasto.graph.__path__[0]).glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Problem":
                found |= {each.value for each in ast.walk(node.args[0]) if isinstance(each, ast.Constant)}
    assert len(found) > 25
    assert {code for code in found if not code.endswith("_")} == tested - {"unknown_output", "unknown_input"}


ERRORS: list[tuple[str, Callable[[Graph], object], str, str | None, object, str]] = [
    ("NodeNotFoundError", lambda g: g.get_node("ad_0"), "ad_0", "id", "ad_0", "did you mean 'add_0'?"),
    (
        "NodeAlreadyInGraphError",
        lambda g: g.add_node(g.nodes["add_0"]),
        "add_0",
        "id",
        "add_0",
        "use `update_node` to change it",
    ),
    (
        "DuplicateNodeIdError",
        lambda g: g.add_node(GraphNode("add_0", "toy_text")),
        "add_0",
        "id",
        "add_0",
        "give it another id, or use `update_node`",
    ),
    (
        "DuplicateNodeIdError",
        lambda g: g.update_node("add_1", GraphNode("add_0", "toy_text")),
        "add_0",
        "id",
        "add_0",
        "give it another id, or take that one out first",
    ),
    (
        "InvalidEdgeError",
        lambda g: g.add_edge(g.edges[0]),
        "add_1",
        "a",
        "add_0.value → add_1.a",
        "leave it as it is",
    ),
    (
        "InvalidEdgeError",
        lambda g: g.delete_edge(Edge.between("add_0", "value", "add_1", "b")),
        "add_1",
        "b",
        "add_0.value → add_1.b",
        "into that node lead: add_0.value → add_1.a",
    ),
    (
        "InvalidEdgeError",
        lambda g: g.add_edge(Edge.between("text", "value", "add_1", "b"), CATALOGUE),
        "add_1",
        "b",
        "str",
        "lead an output that gives int into it",
    ),
    (
        "NodeFieldNotFoundError",
        lambda g: g.add_edge(Edge.between("text", "valu", "add_1", "b"), CATALOGUE),
        "text",
        "valu",
        "valu",
        "did you mean 'value'?",
    ),
    (
        "CyclicalGraphError",
        lambda g: g.add_edge(Edge.between("add_1", "value", "add_0", "a")),
        "add_1",
        "a",
        "add_1.value → add_0.a",
        "take out one of the other edges first",
    ),
]


@pytest.mark.parametrize(("name", "act", "node_id", "field", "value", "suggestion"), ERRORS)
def test_an_error_names_the_place_the_value_and_the_way_out(
    name: str,
    act: Callable[[Graph], object],
    node_id: str,
    field: str | None,
    value: object,
    suggestion: str,
) -> None:
    subject = Graph.from_document(graph({"add_0": ADD, "add_1": ADD, "text": TEXT}, "add_0.value > add_1.a"))
    with pytest.raises(GraphError) as caught:
        act(subject)
    error = caught.value
    assert type(error).__name__ == name
    assert (error.node_id, error.field, error.value, error.suggestion) == (node_id, field, value, suggestion)
    assert str(error).endswith(f"; {suggestion}")
    assert node_id in str(error)
    assert str(value) in str(error)
    if isinstance(error, CyclicalGraphError):
        assert error.cycle == ("add_1", "add_0", "add_1")
