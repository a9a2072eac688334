"""`Edge`: an output of one node led into an input of another.

Named tuples, because a graph may hold a hundred thousand of them and looks them up by value.
"""

from typing import NamedTuple

from impasto_sdk.fields import JsonValue

__all__ = ["Edge", "EdgeConnection"]


class EdgeConnection(NamedTuple):
    """One end of an edge: a field of a node. An output at the source, an input at the destination."""

    node_id: str
    field: str

    def __str__(self) -> str:
        return f"{self.node_id}.{self.field}"


class Edge(NamedTuple):
    """An output led into an input."""

    source: EdgeConnection
    destination: EdgeConnection

    @classmethod
    def between(cls, source_id: str, output: str, destination_id: str, input: str) -> "Edge":
        """The edge from ``source_id.output`` to ``destination_id.input``."""
        return cls(EdgeConnection(source_id, output), EdgeConnection(destination_id, input))

    def to_document(self) -> dict[str, JsonValue]:
        """The edge as a graph document holds it."""
        return {"source": self.source._asdict(), "destination": self.destination._asdict()}

    def __str__(self) -> str:
        return f"{self.source} → {self.destination}"
