"""Documents read as graphs, and what is wrong with their form."""

from typing import Any

import pytest
from support.toys import CATALOGUE, iterated, nested

from impasto.errors import GraphValidationError
from impasto.graph import Edge, Graph


def problems_of_form(document: object) -> list[tuple[str, str]]:
    with pytest.raises(GraphValidationError) as caught:
        Graph.from_document(document)
    return [(problem.code, problem.message) for problem in caught.value.problems]


def test_a_document_comes_back_as_it_was_read() -> None:
    document = {
        "id": "graph",
        "nodes": {
            "a": {
                "id": "a",
                "type": "toy_add",
                "is_intermediate": True,
                "use_cache": False,
                "a": 1,
                "version": "1.0.0",
            },
            "b": {"id": "b", "type": "toy_add", "is_intermediate": False, "a": 2},
        },
        "edges": [{"source": {"node_id": "a", "field": "value"}, "destination": {"node_id": "b", "field": "b"}}],
    }
    assert Graph.from_document(document).to_document() == document


def test_the_key_is_the_id_of_a_node_without_one() -> None:
    graph = Graph.from_document({"nodes": {"a": {"type": "toy_add"}}})
    assert graph.nodes["a"].id == "a"
    assert graph.nodes["a"].use_cache is None


def test_what_a_document_says_about_a_node_is_no_input_of_it() -> None:
    document = {"nodes": {"a": {"type": "toy_add", "version": "1.0.0", "workflow": None, "node_pack": "toys", "a": 1}}}
    graph = Graph.from_document(document)
    assert graph.nodes["a"].inputs == {"a": 1}
    assert graph.nodes["a"].node_pack == "toys"
    assert graph.problems(CATALOGUE) == []


@pytest.mark.parametrize("document", [None, [], "graph", 3])
def test_what_is_no_object_is_no_graph(document: object) -> None:
    assert problems_of_form(document)[0][0] == "malformed"


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"nodes": []}, "'nodes' must be an object of nodes by id; it is a list"),
        ({"nodes": {"a": 3}}, "node 'a' must be an object under a text; it is 3"),
        ({"nodes": {"a": {}}}, "'type' of node 'a' must be the name of a node type; it is missing"),
        ({"nodes": {"a": {"type": "t", "id": ""}}}, "'id' of node 'a' must be a text; it is ''"),
        (
            {"nodes": {"a": {"type": "t", "use_cache": 1}}},
            "'use_cache' of node 'a' must be true, false or null; it is 1",
        ),
        ({"id": 3}, "the graph's 'id' must be a text; it is 3"),
        ({"edges": {}}, "'edges' must be a list of edges; it is a dict"),
        ({"edges": ["a"]}, "edges[0] must be an object with 'source' and 'destination'; it is 'a'"),
        (
            {"edges": [{"source": {"node_id": "a", "field": "b"}}]},
            "edges[0].destination must be an object with the texts 'node_id' and 'field'; it is missing",
        ),
        (
            {"edges": [{"source": {"node_id": "a"}, "destination": {"node_id": "a", "field": "b"}}]},
            "edges[0].source must be an object with the texts 'node_id' and 'field'; it is a dict",
        ),
    ],
)
def test_a_malformed_document_is_told_what_is_wrong_and_where(document: dict[str, Any], said: str) -> None:
    assert problems_of_form(document) == [("malformed", said)]


def test_all_problems_of_form_are_reported_together() -> None:
    document = {"nodes": {"a": 3, "b": {"type": 4, "use_cache": "no"}}, "edges": [5, {}]}
    assert len(problems_of_form(document)) == 6


def test_an_edge_that_is_there_twice_is_reported() -> None:
    document = iterated(1)
    document["edges"].append(document["edges"][0])
    assert [code for code, _ in problems_of_form(document)] == ["duplicate_edge"]


def test_edges_are_found_by_either_end() -> None:
    graph = Graph.from_document(nested(2, 2))
    assert graph.incoming("add") == (Edge.between("iterate_in", "item", "add", "a"),)
    assert graph.outgoing("add") == (Edge.between("add", "value", "collect", "item"),)
    assert graph.outgoing("collect_all") == ()
