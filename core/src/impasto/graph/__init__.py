"""Graphs as their authors write them: documents of nodes and edges, and the check that says what is wrong with one."""

from impasto.graph.adjacency import Adjacency
from impasto.graph.compatibility import is_connectable
from impasto.graph.edge import Edge, EdgeConnection
from impasto.graph.graph import Graph
from impasto.graph.nearest import nearest_multiples
from impasto.graph.node import GraphNode

__all__ = ["Adjacency", "Edge", "EdgeConnection", "Graph", "GraphNode", "is_connectable", "nearest_multiples"]
