"""Workflow documents as an editor saves them, put together from their parts."""

from typing import Any

__all__ = ["call", "connector", "edge", "expose", "invocation", "notes", "workflow"]


def workflow(
    nodes: list[Any], edges: list[Any] | None = None, *, name: str = "A workflow", **more: Any
) -> dict[str, Any]:
    """A document of version 3; `more` goes into it as it is."""
    return {
        "name": name,
        "author": "",
        "description": "",
        "version": "1.0.0",
        "contact": "",
        "tags": "",
        "notes": "",
        "exposedFields": [],
        "meta": {"category": "user", "version": "3.0.0"},
        "nodes": nodes,
        "edges": edges or [],
        **more,
    }


def invocation(node_id: str, type: str, values: dict[str, Any] | None = None, **data: Any) -> dict[str, Any]:
    """A node that runs, with the values of its inputs."""
    inputs = {name: {"name": name, "label": "", "value": value} for name, value in (values or {}).items()}
    return {
        "id": node_id,
        "type": "invocation",
        "data": {"id": node_id, "version": "1.0.0", "type": type, "inputs": inputs, "isOpen": True, **data},
        "position": {"x": 0.5, "y": -3},
    }


def call(node_id: str, workflow_id: str, *, type: str = "toy_call", **values: Any) -> dict[str, Any]:
    """A node that calls a saved workflow."""
    return invocation(node_id, type, {"workflow_id": workflow_id, **values})


def notes(node_id: str) -> dict[str, Any]:
    """A note on the canvas."""
    return {"id": node_id, "type": "notes", "data": {"id": node_id, "notes": "read me"}, "position": {"x": 0, "y": 0}}


def connector(node_id: str) -> dict[str, Any]:
    """A bend in an edge."""
    return {"id": node_id, "type": "connector", "data": {"id": node_id}, "position": {"x": 0, "y": 0}}


def edge(source: str, target: str) -> dict[str, Any]:
    """An edge between ``node.handle`` and ``node.handle``."""
    (from_id, output), (to_id, input) = source.split("."), target.split(".")
    ends = {"source": from_id, "sourceHandle": output, "target": to_id, "targetHandle": input}
    return {"id": f"{source}-{target}", "type": "default", **ends}


def expose(*places: str) -> list[dict[str, str]]:
    """The list of exposed fields for these ``node.field``."""
    return [{"nodeId": node_id, "fieldName": field} for node_id, field in (place.split(".") for place in places)]
