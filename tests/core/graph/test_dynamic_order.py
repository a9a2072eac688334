"""The order that a graph keeps: it always holds, finds every circle, and costs no walk where edges come in order."""

from collections.abc import Callable
from itertools import pairwise

import networkx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.toys import chain

from impasto.errors import CyclicalGraphError
from impasto.graph import Adjacency, Edge, Graph, GraphNode
from impasto.graph.dynamic_order import DynamicOrder

NODES = [f"n{number}" for number in range(9)]


def joining(source: str, destination: str) -> Edge:
    return Edge.between(source, "value", destination, "a")


@given(st.lists(st.tuples(st.booleans(), st.sampled_from(NODES), st.sampled_from(NODES)), max_size=60))
def test_the_order_holds_and_finds_the_circles_that_networkx_finds(steps: list[tuple[bool, str, str]]) -> None:
    order, adjacency, reference = DynamicOrder(NODES), Adjacency(), networkx.DiGraph()
    reference.add_nodes_from(NODES)
    for removes, source, destination in steps:
        edge = joining(source, destination)
        if edge in adjacency:
            if removes:
                adjacency.remove(edge)
                reference.remove_edge(source, destination)
            continue
        circle = order.make_room(source, destination, adjacency)
        assert bool(circle) == networkx.has_path(reference, destination, source)
        if circle:
            assert (circle[0], circle[1], circle[-1]) == (source, destination, source)
            assert all(reference.has_edge(*pair) for pair in pairwise(circle[1:]))
        else:
            adjacency.add(edge)
            reference.add_edge(source, destination)
        places = {node_id: place for place, node_id in enumerate(order)}
        assert places.keys() == set(NODES)
        assert all(places[one] < places[other] for one, other in reference.edges)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["edge", "unedge", "node", "unnode", "rename"]),
            st.sampled_from(NODES),
            st.sampled_from(NODES),
        ),
        max_size=60,
    )
)
def test_a_graph_stays_without_circles_whatever_is_done_to_it(steps: list[tuple[str, str, str]]) -> None:
    graph, reference = Graph(), networkx.DiGraph()
    for do, one, other in steps:
        if do == "node" and one not in reference:
            graph.add_node(GraphNode(one, "toy_add"))
            reference.add_node(one)
        elif do == "unnode" and one in reference:
            graph.delete_node(one)
            reference.remove_node(one)
        elif do == "rename" and one in reference and other not in reference:
            graph.update_node(one, GraphNode(other, "toy_add"))
            networkx.relabel_nodes(reference, {one: other}, copy=False)
        elif do == "unedge" and reference.has_edge(one, other):
            graph.delete_edge(joining(one, other))
            reference.remove_edge(one, other)
        elif do == "edge" and one in reference and other in reference and not reference.has_edge(one, other):
            closes = networkx.has_path(reference, other, one)
            try:
                graph.add_edge(joining(one, other))
            except CyclicalGraphError:
                assert closes
            else:
                assert not closes
                reference.add_edge(one, other)
        assert {(edge.source.node_id, edge.destination.node_id) for edge in graph.edges} == set(reference.edges)
        assert len(graph.topological_order()) == len(reference)


class Counter:
    """Counts the edges that are handed out by adjacencies."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.edges = 0
        for name in ("incoming", "outgoing"):
            monkeypatch.setattr(Adjacency, name, self._counting(getattr(Adjacency, name)))

    def _counting(self, original: Callable[[Adjacency, str], list[Edge]]) -> Callable[[Adjacency, str], list[Edge]]:
        def counted(adjacency: Adjacency, node_id: str) -> list[Edge]:
            found = original(adjacency, node_id)
            self.edges += len(found)
            return found

        return counted


LENGTH = 10_000


@pytest.mark.parametrize("direction", ["forwards", "backwards"])
def test_a_chain_is_built_without_a_walk(monkeypatch: pytest.MonkeyPatch, direction: str) -> None:
    counter, graph = Counter(monkeypatch), Graph()
    graph.add_node(GraphNode("n0", "toy_add"))
    for number in range(1, LENGTH):
        graph.add_node(GraphNode(f"n{number}", "toy_add"))
        ends = (f"n{number - 1}", f"n{number}")
        graph.add_edge(joining(*(ends if direction == "forwards" else reversed(ends))))
    assert len(graph.edges) == LENGTH - 1
    assert counter.edges <= LENGTH


def test_edges_from_every_node_to_all_that_follow_are_added_without_a_walk(monkeypatch: pytest.MonkeyPatch) -> None:
    counter, graph = (
        Counter(monkeypatch),
        Graph(nodes={f"n{number}": GraphNode(f"n{number}", "t") for number in range(100)}),
    )
    for source in range(100):
        for destination in range(source + 1, 100):
            graph.add_edge(joining(f"n{source}", f"n{destination}"))
    assert counter.edges == 0


def test_an_edge_against_the_order_looks_only_at_what_stands_between_its_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    graph = Graph.from_document(chain(LENGTH))
    for name in ("x", "y", "z"):
        graph.add_node(GraphNode(name, "toy_add"))
    graph.add_edge(joining("add_0", "z"))
    graph.add_edge(Edge.between("x", "value", "y", "a"))
    counter = Counter(monkeypatch)
    graph.add_edge(Edge.between("y", "value", f"add_{LENGTH - 3}", "b"))
    assert counter.edges < 20


def test_a_graph_that_is_read_with_a_circle_takes_edges_that_close_no_other() -> None:
    loop = [joining("a", "b"), joining("b", "a")]
    graph = Graph(nodes={name: GraphNode(name, "toy_add") for name in "abcd"}, edges=loop)
    graph.add_edge(joining("b", "c"))
    with pytest.raises(CyclicalGraphError) as caught:
        graph.add_edge(joining("c", "a"))
    assert caught.value.cycle == ("c", "a", "b", "c")
    graph.delete_edge(loop[0])
    graph.add_edge(joining("c", "d"))
    with pytest.raises(CyclicalGraphError):
        graph.add_edge(joining("d", "b"))


def test_a_node_that_edges_waited_for_is_put_where_they_want_it() -> None:
    waiting = [joining("new", "a"), joining("b", "new")]
    graph = Graph(nodes={name: GraphNode(name, "toy_add") for name in "abc"}, edges=waiting)
    graph.add_edge(joining("a", "c"))
    graph.add_node(GraphNode("new", "toy_add"))
    with pytest.raises(CyclicalGraphError) as caught:
        graph.add_edge(joining("a", "b"))
    assert caught.value.cycle == ("a", "b", "new", "a")


def test_a_circle_that_is_found_leaves_the_order_as_it_was() -> None:
    order, adjacency = DynamicOrder("abc"), Adjacency([joining("b", "c")])
    assert order.make_room("c", "a", adjacency) == []
    assert order.make_room("c", "b", adjacency) == ["c", "b", "c"]
    assert list(order) == ["b", "c", "a"]
