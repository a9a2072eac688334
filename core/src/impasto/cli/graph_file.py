"""`GraphFile`: what ``impasto run`` is given: a graph, a batch with one, or a workflow as an editor saves it."""

import difflib
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from impasto.cli.client import JsonObject
from impasto.cli.failures import CommandError, UsageError
from impasto.graph.edge import EdgeConnection
from impasto.graph.workflow import read_workflow, with_inputs

__all__ = ["GraphFile", "parse_setting", "read_graph", "read_json"]


@dataclass(frozen=True, slots=True)
class GraphFile:
    """A graph from a file, and the workflow that it was read from, which is kept with its images."""

    graph: JsonObject
    workflow: JsonObject | None = None

    def with_values(self, settings: Sequence[str]) -> "GraphFile":
        """The graph, and the workflow, with ``node.field=value`` settings put in, see `parse_setting`.

        Raises `UsageError` for a node that the graph lacks. Whether the field exists is the server's to say.
        """
        values = dict(self._places(settings))
        nodes = {name: dict(node) for name, node in self.graph["nodes"].items()}
        for place, value in values.items():
            nodes[place.node_id][place.field] = value
        workflow = None if self.workflow is None else with_inputs(self.workflow, values)
        return GraphFile({**self.graph, "nodes": nodes}, workflow)

    def _places(self, settings: Sequence[str]) -> Iterator[tuple[EdgeConnection, Any]]:
        nodes = self.graph["nodes"]
        for setting in settings:
            place, value = parse_setting(setting)
            if place.node_id not in nodes:
                near = difflib.get_close_matches(place.node_id, nodes, n=1)
                hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(map(repr, nodes)) or 'none'}"
                raise UsageError(f"--set {setting}: the graph has no node {place.node_id!r}; {hint}")
            yield place, value


def parse_setting(setting: str) -> tuple[EdgeConnection, Any]:
    """The input and the value of ``node.field=value``; a value that is no JSON is a text. Raises `UsageError`."""
    name, equals, text = setting.partition("=")
    node_id, dot, field = name.rpartition(".")
    if not (equals and dot and node_id and field):
        raise UsageError(f"--set {setting}: write node.field=value, e.g. --set denoise.steps=20")
    place = EdgeConnection(node_id, field)
    try:
        return place, json.loads(text)
    except json.JSONDecodeError:
        return place, text


def read_graph(path: Path) -> GraphFile:
    """The graph in a file; ``-`` is standard input.

    Raises `CommandError` saying what the file holds instead, and `WorkflowFormatError` with every place of a workflow
    that is malformed.
    """
    name, document = _name_of(path), read_json(path)
    if isinstance(document, dict) and isinstance(document.get("graph"), dict):
        document = document["graph"]  # a batch, or a file that carries one
    nodes = document.get("nodes") if isinstance(document, dict) else None
    if isinstance(nodes, list):
        return GraphFile(read_workflow(document).graph, document)
    if not isinstance(nodes, dict) or not all(isinstance(node, dict) for node in nodes.values()):
        raise CommandError(
            f'{name} is no graph and no workflow: an object is expected with "nodes", objects by their ids, and "edges"'
        )
    return GraphFile(document)


def read_json(path: Path) -> Any:
    """The document in a file; ``-`` is standard input. Raises `CommandError`."""
    name = _name_of(path)
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise CommandError(f"{name} cannot be read: {reason}") from error
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise CommandError(f"{name} is not JSON: {error.msg} in line {error.lineno}, column {error.colno}") from error
    except RecursionError as error:
        raise CommandError(f"{name} is nested too deeply") from error


def _name_of(path: Path) -> str:
    return "standard input" if str(path) == "-" else str(path)
