"""Workflows as editors save them: what they come to as graphs, what they expose, and what is said of malformed ones."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st
from support.workflows import connector, edge, invocation, notes, workflow

from impasto.errors import Problem, WorkflowFormatError
from impasto.graph import EdgeConnection, Graph
from impasto.graph.workflow import exposed_inputs, read_workflow, with_inputs


def problems_of(document: object) -> list[Problem]:
    with pytest.raises(WorkflowFormatError) as caught:
        read_workflow(document)
    return list(caught.value.problems)


def edges_of(document: object) -> list[str]:
    return [str(edge) for edge in Graph.from_document(read_workflow(document).graph).edges]


def test_nodes_become_nodes_with_their_values_and_attributes() -> None:
    node = invocation("a", "add", {"a": 1, "b": {"x": [None]}}, isIntermediate=True, useCache=False)
    node["data"]["inputs"]["unset"] = {"name": "unset", "label": "never given a value"}
    graph = Graph.from_document(read_workflow(workflow([node], id="w")).graph)

    assert graph.id == "w"
    added = graph.nodes["a"]
    assert (added.id, added.type, added.is_intermediate, added.use_cache) == ("a", "add", True, False)
    assert added.inputs == {"a": 1, "b": {"x": [None]}}


def test_what_is_not_said_of_a_node_is_left_to_its_type() -> None:
    node = {"id": "a", "type": "invocation", "data": {"type": "add"}}

    assert read_workflow(workflow([node])).graph["nodes"] == {"a": {"id": "a", "type": "add"}}


def test_the_plugin_of_a_node_is_kept_unless_it_is_the_editors_own() -> None:
    nodes = [invocation("a", "x", nodePack="some-plugin"), invocation("b", "y", nodePack="invokeai")]
    graph = Graph.from_document(read_workflow(workflow(nodes)).graph)

    assert [graph.nodes[each].node_pack for each in "ab"] == ["some-plugin", None]


def test_a_null_that_was_written_is_kept() -> None:
    node = invocation("a", "x", {"vae": None})

    assert read_workflow(workflow([node])).graph["nodes"]["a"]["vae"] is None


def test_what_is_there_for_the_eye_is_left_out_with_its_edges() -> None:
    nodes = [
        invocation("a", "add"),
        notes("n"),
        {"id": "c", "type": "current_image", "data": {}},
        {"id": "f", "type": "frame", "data": "anything"},
    ]
    document = workflow(nodes, [edge("a.value", "n.x"), edge("c.y", "a.b")])

    assert list(read_workflow(document).graph["nodes"]) == ["a"]
    assert edges_of(document) == []


def test_collapsed_edges_are_ignored_whatever_they_hold() -> None:
    nodes = [invocation("a", "add"), invocation("b", "add")]
    drawn = [{"type": "collapsed", "source": "a", "target": "gone"}, edge("a.value", "b.a")]

    assert edges_of(workflow(nodes, drawn)) == ["a.value → b.a"]


def test_an_edge_without_a_type_or_of_another_type_is_an_edge() -> None:
    nodes = [invocation("a", "add"), invocation("b", "add")]
    plain = edge("a.value", "b.a")
    del plain["type"]

    assert edges_of(workflow(nodes, [plain, {**edge("a.value", "b.b"), "type": "smoothstep"}])) == [
        "a.value → b.a",
        "a.value → b.b",
    ]


def test_the_value_of_an_input_that_an_edge_leads_into_is_dropped() -> None:
    nodes = [invocation("a", "add"), invocation("b", "add", {"a": 7, "b": 8})]
    graph = read_workflow(workflow(nodes, [edge("a.value", "b.a")])).graph

    assert graph["nodes"]["b"] == {"id": "b", "type": "add", "version": "1.0.0", "b": 8}


@pytest.mark.parametrize("value", ["auto", "none"])
def test_a_board_that_an_editor_would_choose_is_no_board(value: str) -> None:
    document = workflow([invocation("a", "save", {"board": value, "mode": value})])

    assert read_workflow(document).graph["nodes"]["a"] == {
        "id": "a",
        "type": "save",
        "version": "1.0.0",
        "mode": value,
    }


def test_a_board_that_is_named_stays() -> None:
    document = workflow([invocation("a", "save", {"board": {"board_id": "b1"}})])

    assert read_workflow(document).graph["nodes"]["a"]["board"] == {"board_id": "b1"}


def test_edges_through_connectors_come_from_where_the_first_one_is_fed() -> None:
    nodes = [invocation("a", "add"), connector("k"), connector("l"), invocation("b", "add", {"a": 3, "b": 4})]
    drawn = [edge("k.out", "l.in"), edge("l.out", "b.a"), edge("l.out", "b.b"), edge("a.value", "k.in")]
    document = workflow(nodes, drawn)

    assert edges_of(document) == ["a.value → b.a", "a.value → b.b"]
    assert "a" not in read_workflow(document).graph["nodes"]["b"]


def test_an_edge_from_a_connector_that_nothing_feeds_counts_for_nothing() -> None:
    nodes = [connector("k"), connector("l"), invocation("b", "add", {"a": 3})]
    document = workflow(nodes, [edge("k.out", "l.in"), edge("l.out", "b.a")])

    assert edges_of(document) == []
    assert read_workflow(document).graph["nodes"]["b"]["a"] == 3


def test_one_edge_drawn_twice_is_one() -> None:
    nodes = [invocation("a", "add"), connector("k"), invocation("b", "add")]
    drawn = [edge("a.value", "k.in"), edge("k.out", "b.a"), edge("a.value", "b.a"), edge("a.value", "b.a")]

    assert edges_of(workflow(nodes, drawn)) == ["a.value → b.a"]


def test_two_edges_into_one_connector_are_a_problem() -> None:
    nodes = [invocation("a", "add"), invocation("b", "add"), connector("k")]
    (problem,) = problems_of(workflow(nodes, [edge("a.value", "k.in"), edge("b.value", "k.in")]))

    assert (problem.code, problem.node_id, problem.found) == ("input_taken", "k", "b.value")
    assert "edges[1]" in problem.message


def test_connectors_in_a_circle_are_a_problem_told_once() -> None:
    nodes = [connector("k"), connector("l"), connector("m"), invocation("a", "add")]
    drawn = [edge("k.out", "l.in"), edge("l.out", "k.in"), edge("l.out", "m.in"), edge("m.out", "a.a")]
    (problem,) = problems_of(workflow(nodes, [*drawn, edge("m.out", "a.b")]))

    assert (problem.code, set(problem.nodes)) == ("cycle", {"k", "l"})


def test_a_long_row_of_connectors_is_followed() -> None:
    count = 5000
    nodes = [invocation("a", "add"), *(connector(f"k{i}") for i in range(count)), invocation("b", "add")]
    row = [edge(f"k{i}.out", f"k{i + 1}.in") for i in range(count - 1)]

    assert edges_of(workflow(nodes, [edge("a.value", "k0.in"), *row, edge(f"k{count - 1}.out", "b.a")])) == [
        "a.value → b.a"
    ]


def field(node_id: str, name: str) -> dict[str, Any]:
    return {"type": "node-field", "data": {"fieldIdentifier": {"nodeId": node_id, "fieldName": name}}}


def container(*children: str) -> dict[str, Any]:
    return {"type": "container", "data": {"layout": "column", "children": list(children)}}


def test_inputs_are_exposed_in_the_order_of_the_form_and_then_of_the_list_each_once() -> None:
    form = {
        "rootElementId": "root",
        "elements": {
            "late": field("b", "a"),
            "early": field("a", "b"),
            "inner": container("early", "late"),
            "unreachable": field("b", "b"),
            "title": {"type": "heading", "data": {"content": "x"}},
            "rule": {"type": "divider"},
            "root": container("title", "inner", "rule", "again"),
            "again": field("a", "b"),
        },
    }
    listed = [{"nodeId": "b", "fieldName": "a"}, {"nodeId": "a", "fieldName": "a"}]
    document = workflow([invocation("a", "add"), invocation("b", "add")], form=form, exposedFields=listed)

    assert exposed_inputs(document) == [("a", "b"), ("b", "a"), ("a", "a")]


def test_a_form_that_holds_itself_is_walked_once() -> None:
    form = {
        "rootElementId": "r",
        "elements": {"r": container("c", "f"), "c": container("r", "c"), "f": field("a", "a")},
    }

    assert exposed_inputs(workflow([invocation("a", "add")], form=form)) == [("a", "a")]


def test_inputs_that_are_connected_or_whose_node_is_gone_are_not_exposed() -> None:
    listed = [{"nodeId": node_id, "fieldName": "a"} for node_id in ("a", "b", "gone", "n")]
    nodes = [invocation("a", "add"), invocation("b", "add"), notes("n")]
    document = workflow(nodes, [edge("a.value", "b.a")], exposedFields=listed)

    assert exposed_inputs(document) == [("a", "a")]


def test_values_are_written_into_a_copy() -> None:
    document = workflow([invocation("a", "add", {"a": 1}), {"id": "b", "type": "invocation", "data": {"type": "add"}}])
    places = {EdgeConnection("a", "a"): 5, EdgeConnection("b", "b"): 6, EdgeConnection("gone", "a"): 7}
    changed = with_inputs(document, places)

    nodes = read_workflow(changed).graph["nodes"]
    assert (nodes["a"]["a"], nodes["b"]["b"]) == (5, 6)
    assert read_workflow(document).graph["nodes"]["a"]["a"] == 1


@pytest.mark.parametrize("version", ["3.0.0", "4.0.0", "4.1", None])
def test_versions_3_and_4_are_read_and_so_are_files_that_name_none(version: str | None) -> None:
    assert read_workflow({"nodes": [], "edges": [], "meta": {"version": version}}).graph["nodes"] == {}


@pytest.mark.parametrize("version", ["2.0.0", "5.0.0", "30.0.0", ""])
def test_other_versions_are_refused_by_name(version: str) -> None:
    (problem,) = problems_of({"nodes": [], "edges": [], "meta": {"version": version}})

    assert (problem.code, problem.found) == ("unknown_version", version)
    assert "3 and 4" in problem.message


def test_everything_that_is_malformed_is_told_with_its_place() -> None:
    nodes = [
        5,
        {"id": 7, "type": "invocation", "data": {}},
        invocation("a", "add"),
        invocation("a", "add"),
        {"id": "b", "type": "invocation", "data": None},
        {"id": "c", "type": None, "data": {}},
        {"id": "d", "type": "invocation", "data": {"type": 3, "isIntermediate": "no", "useCache": 1, "inputs": []}},
        {"id": "e", "type": "invocation", "data": {"type": "x", "inputs": {"p": 1, "type": {"value": "y"}}}},
    ]
    drawn = [
        None,
        {**edge("a.value", "e.q"), "sourceHandle": None},
        edge("gone.value", "a.a"),
        {**edge("a.value", "e.q"), "type": []},
    ]
    found = problems_of(
        workflow(nodes, drawn, exposedFields=[{"nodeId": "a"}, 1], form={"elements": {}, "rootElementId": "r"})
    )

    places = [
        "nodes[0]",
        "nodes[1].id",
        "nodes[3].id",
        "nodes[4].data",
        "nodes[5].type",
        "nodes[6].data.type",
        "nodes[6].data.isIntermediate",
        "nodes[6].data.useCache",
        "nodes[6].data.inputs",
        "nodes[7].data.inputs.p",
        "nodes[7].data.inputs.type",
        "edges[0]",
        "edges[1].sourceHandle",
        "edges[2].source",
        "edges[3].type",
        "form.rootElementId",
        "exposedFields[0]",
        "exposedFields[1]",
    ]
    assert [problem.message.split()[0].rstrip(":") for problem in found] == places


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (None, "a workflow must be an object"),
        ([], "a workflow must be an object"),
        ({}, "nodes must be a list of nodes; it is missing"),
        ({"nodes": {}}, "nodes must be a list of nodes; it is a dict"),
        ({"nodes": [], "edges": 3}, "edges must be a list of edges"),
        ({"nodes": [], "meta": 3}, "meta must be an object"),
        ({"nodes": [], "meta": {"version": 3}}, "meta.version must be a text"),
        ({"nodes": [], "form": 3}, "form must be an object"),
        ({"nodes": [], "form": {"elements": []}}, "form.elements must be an object"),
        ({"nodes": [], "form": {"elements": {"r": 1}, "rootElementId": "r"}}, "form.elements.r must be an object"),
        ({"nodes": [], "form": {"elements": {"r": {"type": "container"}}, "rootElementId": "r"}}, "children must be"),
        (
            {"nodes": [], "form": {"elements": {"r": container("x")}, "rootElementId": "r"}},
            "children[0] must be the id of an element; it is 'x'",
        ),
        ({"nodes": [], "exposedFields": {}}, "exposedFields must be a list"),
    ],
)
def test_what_is_no_workflow_is_said_to_be_none(document: object, said: str) -> None:
    (problem,) = problems_of(document)

    assert said in problem.message


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.sampled_from(["a", "k", "root"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["id", "type", "data"]), inner),
    max_leaves=5,
)


def rich() -> dict[str, Any]:
    """A workflow with something of everything."""
    return workflow(
        [invocation("a", "add", {"a": 1, "board": "auto"}), connector("k"), notes("n"), invocation("b", "add")],
        [edge("a.value", "k.in"), edge("k.out", "b.a"), {"type": "collapsed", "source": "a", "target": "b"}],
        exposedFields=[{"nodeId": "a", "fieldName": "a"}],
        form={"rootElementId": "root", "elements": {"root": container("f"), "f": field("a", "b")}},
    )


def places_in(part: Any) -> Iterator[tuple[Any, Any]]:
    """Every value inside a document, as the object or list that holds it and its key there."""
    for key in range(len(part)) if isinstance(part, list) else list(part):
        yield part, key
        if isinstance(part[key], dict | list):
            yield from places_in(part[key])


@given(st.lists(st.tuples(st.integers(0, 10**6), JSON), min_size=1, max_size=3))
def test_garbage_anywhere_is_refused_in_words_or_read_and_never_breaks_the_reader(
    spoils: list[tuple[int, Any]],
) -> None:
    document = rich()
    for number, garbage in spoils:
        places = list(places_in(document))
        holder, key = places[number % len(places)]
        holder[key] = garbage
    try:
        graph = read_workflow(document).graph
    except WorkflowFormatError as error:
        event("refused")
        said = [problem.message for problem in error.problems]
    else:
        event("read")
        said = [node.type for node in Graph.from_document(graph).nodes.values()]
    assert all(isinstance(each, str) for each in said)
