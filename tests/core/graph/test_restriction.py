"""The part of a graph that some of its nodes need."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.toys import CATALOGUE, chain, diamond

from impasto.errors import GraphValidationError
from impasto.graph import Edge, EdgeConnection, Graph, GraphNode


def edge(source: str, destination: str, field: str = "a") -> Edge:
    return Edge(EdgeConnection(source, "value"), EdgeConnection(destination, field))


def graph_of(nodes: str, *edges: Edge) -> Graph:
    return Graph("g", {name: GraphNode(name, "toy_add") for name in nodes}, edges)


def problems_of(graph: Graph, targets: list[str]) -> Any:
    with pytest.raises(GraphValidationError) as caught:
        graph.restricted_to(targets)
    return caught.value.problems


def test_a_target_keeps_all_that_leads_to_it_and_leaves_out_what_follows() -> None:
    part = Graph.from_document(chain(4)).restricted_to(["add_2"])
    assert list(part.nodes) == ["add_0", "add_1", "add_2"]
    assert [str(one) for one in part.edges] == ["add_0.value → add_1.a", "add_1.value → add_2.a"]


def test_one_branch_of_a_diamond_comes_without_the_other() -> None:
    part = Graph.from_document(diamond(3)).restricted_to(["left_0"])
    assert list(part.nodes) == ["top_0", "left_0"]
    assert [str(one) for one in part.edges] == ["top_0.value → left_0.a"]


def test_several_targets_share_what_they_need() -> None:
    whole = graph_of("abcd", edge("a", "b"), edge("a", "c"), edge("a", "d"))
    part = whole.restricted_to(["c", "b", "c"])
    assert list(part.nodes) == ["a", "b", "c"]
    assert part.edges == (edge("a", "b"), edge("a", "c"))


def test_the_graph_itself_and_what_its_nodes_hold_stay_as_they_are() -> None:
    whole = graph_of("ab", edge("a", "b"))
    part = whole.restricted_to(["a"])
    assert (part.id, part.nodes["a"]) == ("g", whole.nodes["a"])
    assert list(whole.nodes) == ["a", "b"]
    assert len(whole.edges) == 1


def test_the_unfinished_rest_does_not_hinder() -> None:
    whole = graph_of("abc", edge("a", "b"), edge("b", "c"), edge("gone", "c"), edge("c", "nowhere"))
    whole.update_node("c", GraphNode("c", "unheard_of"))
    whole.update_node("b", GraphNode("b", "toy_add", inputs={"misspelt": 1}))
    assert {problem.node_id for problem in whole.problems(CATALOGUE)} >= {"b", "c"}
    assert whole.restricted_to(["a"]).problems(CATALOGUE) == []


def test_what_is_wrong_with_the_part_that_is_needed_stays_wrong() -> None:
    whole = graph_of("ab", edge("a", "b"), edge("gone", "b", "b"))
    found = whole.restricted_to(["b"]).problems(CATALOGUE)
    assert any("gone" in problem.message for problem in found)


def test_a_circle_among_what_is_needed_is_kept_for_the_check_to_name() -> None:
    part = graph_of("abc", edge("a", "b"), edge("b", "a"), edge("b", "c")).restricted_to(["c"])
    assert "cycle" in {problem.code for problem in part.problems(CATALOGUE)}


def test_every_unknown_target_is_a_problem_with_its_value_and_the_nearest_id() -> None:
    first, second = problems_of(Graph.from_document(chain(3)), ["add_1", "ad_2", "nothing like it", "ad_2"])
    assert (first.code, first.field, first.found) == ("unknown_target", "targets", "ad_2")
    assert first.suggestion == "did you mean 'add_2'?"
    assert first.message == "the target 'ad_2' is no node of the graph; did you mean 'add_2'?"
    assert (second.found, second.suggestion) == ("nothing like it", "leave it out")


def test_an_empty_list_of_targets_is_refused() -> None:
    (problem,) = problems_of(Graph.from_document(chain(2)), [])
    assert problem.code == "no_targets"
    assert "leave it out" in problem.message


def test_a_very_long_chain_is_walked_without_recursion() -> None:
    assert len(Graph.from_document(chain(20_000)).restricted_to(["add_19999"]).nodes) == 20_000


@given(
    st.sets(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=30),
    st.sets(st.integers(0, 9), min_size=1),
)
def test_what_is_kept_is_exactly_what_reaches_a_target(joined: set[tuple[int, int]], targets: set[int]) -> None:
    edges = [edge(str(a), str(b), f"f{place}") for place, (a, b) in enumerate(sorted(joined))]
    whole = graph_of("0123456789", *edges)
    part = whole.restricted_to([str(target) for target in targets])

    def reaches(start: str, seen: frozenset[str] = frozenset()) -> bool:
        onward = {one.destination.node_id for one in whole.outgoing(start)} - seen
        return int(start) in targets or any(reaches(after, seen | {start}) for after in onward)

    assert set(part.nodes) == {node_id for node_id in whole.nodes if reaches(node_id)}
    assert part.edges == tuple(one for one in whole.edges if one.destination.node_id in part.nodes)
