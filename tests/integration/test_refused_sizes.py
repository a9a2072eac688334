"""A size that a model cannot take is refused with the nearest that it can, wherever it comes from."""

import pytest

from impasto.cache import InvocationCache
from impasto.engine.invoker import NodeInvoker
from impasto.errors import NodeInputError
from impasto.graph import Graph
from impasto.host import PluginHost
from impasto.scheduler import ExecutionNode, GraphExecutionState


@pytest.fixture(scope="module")
def host() -> PluginHost:
    return PluginHost.load()


@pytest.mark.parametrize(
    ("width", "nearest"),
    [(500, "the nearest that it takes: 496 or 504"), (5, "the nearest that it takes: 8")],
)
def test_a_width_written_into_a_node_is_refused_with_the_nearest(host: PluginHost, width: int, nearest: str) -> None:
    graph = Graph.from_document({"id": "g", "nodes": {"n": {"type": "noise", "width": width}}, "edges": []})
    (problem,) = graph.problems(host.catalogue)
    assert (problem.node_id, problem.field, problem.suggestion) == ("n", "width", nearest)
    assert problem.message.endswith(nearest)


def test_a_width_that_arrives_on_an_edge_is_refused_with_the_nearest(host: PluginHost) -> None:
    graph = Graph.from_document({"id": "g", "nodes": {"n": {"type": "noise"}}, "edges": []})
    node = GraphExecutionState(graph, host.catalogue, session_id="s").next()
    assert isinstance(node, ExecutionNode)
    invoker = NodeInvoker(host.catalogue, InvocationCache(0), lambda references: True)
    with pytest.raises(NodeInputError, match="the nearest that it takes: 496 or 504"):
        invoker.prepare(node, {"width": 500})
