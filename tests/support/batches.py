"""Batches for tests of the queue: a graph of two nodes, and values for them."""

from typing import Any

from impasto.queue.records import Batch, BatchDatum

__all__ = ["a_batch", "a_graph", "values"]


def a_graph() -> dict[str, Any]:
    """Two numbers that are added: ``first`` and ``second``, of which the second takes the first's value."""
    return {
        "id": "sum",
        "nodes": {
            "first": {"id": "first", "type": "add", "a": 1, "b": 2},
            "second": {"id": "second", "type": "add", "b": 10, "is_intermediate": True},
        },
        "edges": [
            {
                "source": {"node_id": "first", "field": "value"},
                "destination": {"node_id": "second", "field": "a"},
            }
        ],
    }


def values(node_path: str, field_name: str, *items: Any) -> BatchDatum:
    """Values for an input."""
    return BatchDatum(node_path=node_path, field_name=field_name, items=list(items))


def a_batch(*groups: list[BatchDatum], **changes: Any) -> Batch:
    """A batch of that graph; `groups` multiply."""
    return Batch(**{"graph": a_graph(), "data": list(groups) or None, **changes})
