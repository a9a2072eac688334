"""Graphs as their authors write them: documents of nodes and edges, and the check that says what is wrong with one."""

from impasto.graph.adjacency import Adjacency
from impasto.graph.called import MAX_CALL_DEPTH, CalledGraph
from impasto.graph.compatibility import is_connectable
from impasto.graph.edge import Edge, EdgeConnection
from impasto.graph.graph import Graph
from impasto.graph.nearest import nearest_multiples
from impasto.graph.node import GraphNode

__all__ = [
    "MAX_CALL_DEPTH",
    "Adjacency",
    "CalledGraph",
    "Edge",
    "EdgeConnection",
    "Graph",
    "GraphNode",
    "is_connectable",
    "nearest_multiples",
]
