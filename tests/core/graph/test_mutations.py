"""Changing a graph: nodes and edges come, go and are renamed, and nothing half-done is left behind."""

from collections.abc import Collection

import networkx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.toys import CATALOGUE, chain, diamond

from impasto.errors import (
    CyclicalGraphError,
    DuplicateNodeIdError,
    GraphError,
    InvalidEdgeError,
    NodeAlreadyInGraphError,
    NodeFieldNotFoundError,
    NodeNotFoundError,
)
from impasto.graph import Adjacency, Edge, EdgeConnection, Graph, GraphNode
from impasto.graph.element_types import TypeResolver


@pytest.fixture
def graph() -> Graph:
    """``add_0 → add_1 → add_2``."""
    return Graph.from_document(chain(3))


def test_a_node_can_be_added_once(graph: Graph) -> None:
    node = GraphNode("new", "toy_add")
    graph.add_node(node)
    assert graph.nodes["new"] is node
    with pytest.raises(NodeAlreadyInGraphError):
        graph.add_node(node)


def test_an_id_belongs_to_one_node(graph: Graph) -> None:
    with pytest.raises(DuplicateNodeIdError, match="'add_1' is taken by a 'toy_add' node") as caught:
        graph.add_node(GraphNode("add_1", "toy_text"))
    assert caught.value.node_id == "add_1"
    assert graph.nodes["add_1"].type == "toy_add"


def test_nodes_cannot_be_changed_behind_the_graphs_back(graph: Graph) -> None:
    with pytest.raises(TypeError):
        graph.nodes["x"] = GraphNode("x", "toy_add")  # type: ignore[index] # that is the point


def test_a_deleted_node_takes_its_edges_along(graph: Graph) -> None:
    graph.delete_node("add_1")
    assert list(graph.nodes) == ["add_0", "add_2"]
    assert graph.edges == ()
    assert graph.outgoing("add_0") == ()


def test_a_missing_node_is_named_and_a_near_one_suggested(graph: Graph) -> None:
    with pytest.raises(NodeNotFoundError, match=r"no node 'add_11'; did you mean 'add_1'\?"):
        graph.delete_node("add_11")


def test_an_updated_node_keeps_its_edges(graph: Graph) -> None:
    edges = graph.edges
    graph.update_node("add_1", GraphNode("add_1", "toy_add", inputs={"b": 5}))
    assert graph.nodes["add_1"].inputs == {"b": 5}
    assert graph.edges == edges


def test_the_edges_of_a_renamed_node_follow_it(graph: Graph) -> None:
    graph.update_node("add_1", GraphNode("middle", "toy_add"))
    assert set(graph.nodes) == {"add_0", "middle", "add_2"}
    assert set(graph.edges) == {
        Edge.between("add_0", "value", "middle", "a"),
        Edge.between("middle", "value", "add_2", "a"),
    }
    assert graph.incoming("add_2") == (Edge.between("middle", "value", "add_2", "a"),)


def test_a_node_cannot_take_the_id_of_another(graph: Graph) -> None:
    before = graph.to_document()
    with pytest.raises(DuplicateNodeIdError):
        graph.update_node("add_1", GraphNode("add_2", "toy_add"))
    assert graph.to_document() == before


def test_an_unknown_node_cannot_be_updated(graph: Graph) -> None:
    with pytest.raises(NodeNotFoundError):
        graph.update_node("nothing", GraphNode("nothing", "toy_add"))


def test_an_edge_is_added_and_deleted(graph: Graph) -> None:
    edge = Edge.between("add_0", "value", "add_2", "b")
    graph.add_edge(edge, CATALOGUE)
    assert edge in graph.incoming("add_2")
    graph.delete_edge(edge)
    assert edge not in graph.edges
    with pytest.raises(InvalidEdgeError, match=r"no edge add_0\.value → add_2\.b"):
        graph.delete_edge(edge)


def test_an_edge_is_there_once(graph: Graph) -> None:
    with pytest.raises(InvalidEdgeError, match="already"):
        graph.add_edge(Edge.between("add_0", "value", "add_1", "a"))


def test_an_edge_needs_both_its_nodes(graph: Graph) -> None:
    with pytest.raises(NodeNotFoundError):
        graph.add_edge(Edge.between("add_0", "value", "nothing", "a"))
    with pytest.raises(NodeNotFoundError):
        graph.add_edge(Edge.between("nothing", "value", "add_0", "a"))


def test_an_edge_that_closes_a_circle_is_refused_and_the_circle_named(graph: Graph) -> None:
    with pytest.raises(CyclicalGraphError) as caught:
        graph.add_edge(Edge.between("add_2", "value", "add_0", "a"))
    assert caught.value.cycle == ("add_2", "add_0", "add_1", "add_2")
    assert len(graph.edges) == 2


def test_a_node_cannot_read_itself(graph: Graph) -> None:
    with pytest.raises(CyclicalGraphError):
        graph.add_edge(Edge.between("add_1", "value", "add_1", "b"))


@pytest.mark.parametrize(
    ("edge", "error", "said"),
    [
        (
            ("add_0", "valu", "add_2", "b"),
            NodeFieldNotFoundError,
            "no output 'valu', it has value; did you mean 'value'?",
        ),
        (("add_0", "value", "add_2", "c"), NodeFieldNotFoundError, "no input 'c', it has a, b"),
        (("add_0", "value", "add_2", "a"), InvalidEdgeError, "add_1.value leads into 'a' already"),
        (("text", "value", "add_2", "b"), InvalidEdgeError, "text.value gives str, add_2.b takes int"),
        (("add_0", "value", "denoise", "board"), InvalidEdgeError, "denoise.board takes no edge"),
        (("denoise", "latents", "collect", "item"), InvalidEdgeError, "collect gathers int, LatentsField"),
    ],
)
def test_with_a_catalogue_an_edge_must_fit(
    graph: Graph, edge: tuple[str, str, str, str], error: type[Exception], said: str
) -> None:
    for id, type in (("text", "toy_text"), ("denoise", "toy_denoise"), ("collect", "toy_collect")):
        graph.add_node(GraphNode(id, type))
    graph.add_edge(Edge.between("add_0", "value", "collect", "item"))
    before = graph.edges
    with pytest.raises(error) as caught:
        graph.add_edge(Edge.between(*edge), CATALOGUE)
    assert said in str(caught.value)
    assert graph.edges == before


def test_a_collector_takes_many_items(graph: Graph) -> None:
    graph.add_node(GraphNode("collect", "toy_collect"))
    for source in ("add_0", "add_1", "add_2"):
        graph.add_edge(Edge.between(source, "value", "collect", "item"), CATALOGUE)
    assert len(graph.incoming("collect")) == 3


def test_networkx_gets_every_edge_or_one_for_each_pair() -> None:
    graph = Graph.from_document(diamond(3))
    graph.add_edge(Edge.between("top_0", "value", "left_0", "b"))
    full, flat = graph.nx_graph(), graph.nx_graph_flat()
    assert (full.number_of_nodes(), full.number_of_edges()) == (4, 5)
    assert {(data["source_field"], data["destination_field"]) for _, _, data in full.edges("top_0", data=True)} == {
        ("value", "a"),
        ("value", "b"),
    }
    assert flat.number_of_edges() == 4
    assert networkx.is_directed_acyclic_graph(flat)


def test_the_ends_of_an_edge_have_names() -> None:
    edge = Edge(EdgeConnection("a", "value"), EdgeConnection("b", "image"))
    assert (edge.source.node_id, edge.destination.field, str(edge)) == ("a", "image", "a.value → b.image")


def test_ten_thousand_items_are_led_into_a_collector_and_each_is_looked_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked = 0
    output_type = TypeResolver.output_type

    def counted(self: TypeResolver, output: EdgeConnection) -> object:
        nonlocal asked
        asked += 1
        return output_type(self, output)

    gathered, walked = Adjacency.incoming, 0

    def walking(self: Adjacency, node_id: str) -> Collection[Edge]:
        nonlocal walked
        found = gathered(self, node_id)
        walked += len(found)
        return found

    monkeypatch.setattr(TypeResolver, "output_type", counted)
    graph = Graph(nodes={name: GraphNode(name, "toy_add") for name in map(str, range(10_000))})
    graph.add_node(GraphNode("all", "toy_collect"))
    monkeypatch.setattr(Adjacency, "incoming", walking)
    for number in range(10_000):
        graph.add_edge(Edge.between(str(number), "value", "all", "item"), CATALOGUE)
    assert asked < 60_000
    assert walked < 10_000


TYPED = {
    "number": "toy_integer",
    "text": "toy_text",
    "noise": "toy_noise",
    "range": "toy_range",
    "words": "toy_split",
    "each": "toy_iterate",
    "each_too": "toy_iterate",
    "all": "toy_collect",
    "all_too": "toy_collect",
    "if": "toy_if",
    "sum": "toy_add",
    "total": "toy_sum",
}
OUTPUTS = [EdgeConnection(node_id, output) for node_id, type in TYPED.items() for output in CATALOGUE[type].outputs]
INPUTS = [EdgeConnection(node_id, input) for node_id, type in TYPED.items() for input in CATALOGUE[type].inputs]


@given(st.lists(st.tuples(st.sampled_from(OUTPUTS), st.sampled_from(INPUTS), st.booleans()), max_size=40))
def test_an_edge_is_judged_as_in_a_graph_that_was_just_read(
    steps: list[tuple[EdgeConnection, EdgeConnection, bool]],
) -> None:
    graph = Graph(nodes={node_id: GraphNode(node_id, type) for node_id, type in TYPED.items()})
    for source, destination, removes in steps:
        edge = Edge(source, destination)
        if removes and edge in graph.edges:
            graph.delete_edge(edge)
            continue
        judged = [attempt(each, edge) for each in (graph, Graph(nodes=graph.nodes, edges=graph.edges))]
        assert judged[0] == judged[1]


def attempt(graph: Graph, edge: Edge) -> str | None:
    """What is said against an edge; of a circle, only that there is one: it may be found on another way."""
    try:
        graph.add_edge(edge, CATALOGUE)
    except CyclicalGraphError:
        return "a circle"
    except GraphError as error:
        return str(error)
    return None
