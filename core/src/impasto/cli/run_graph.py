"""``impasto run``: any graph, from a file, with values set on the command line."""

import difflib
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from impasto.cli.client import Client, JsonObject
from impasto.cli.failures import CommandError, UsageError
from impasto.cli.follow import enqueue_and_follow
from impasto.cli.picture_files import make_folder, write_picture
from impasto.cli.results import image_names, outputs
from impasto.cli.run_progress import run_progress
from impasto.cli.terminal import print_json, print_table, say, waiting

__all__ = ["GraphRun", "print_run", "read_graph", "run_graph", "with_values"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphRun:
    """A run of a graph that completed."""

    item_id: int
    session_id: str
    seconds: float
    #: Outputs by execution id, in the order in which they finished.
    results: dict[str, JsonObject]
    #: Pictures that were written: those that are kept in the gallery.
    paths: Sequence[Path]

    def to_document(self) -> dict[str, object]:
        """As JSON values."""
        return {
            "item_id": self.item_id,
            "session_id": self.session_id,
            "seconds": round(self.seconds, 3),
            "results": self.results,
            "paths": [str(path) for path in self.paths],
        }


def run_graph(
    client: Client,
    graph: JsonObject,
    out: Path | None,
    queue_id: str = "default",
    *,
    targets: Sequence[str] | None = None,
) -> GraphRun:
    """Run a graph once; write its pictures into the folder `out` when one is given, which is made where it is missing.

    `targets`: ids of nodes; only what these need is run.
    Raises `RequestRefusedError` with every problem of the graph, otherwise what `enqueue_and_follow` raises.
    """
    if out is not None:
        make_folder(out)
    batch = {"graph": graph, "targets": targets, "runs": 1, "origin": "impasto run"}
    begin = time.monotonic()
    with run_progress(1) as progress:
        (item,) = enqueue_and_follow(
            client,
            queue_id,
            lambda: client.enqueue(f"/api/v1/queue/{queue_id}/enqueue_batch", {"batch": batch}),
            progress.show,
        )
    seconds = time.monotonic() - begin
    return GraphRun(
        item_id=item["item_id"],
        session_id=item["session_id"],
        seconds=seconds,
        results=outputs(item),
        paths=() if out is None else _write_images(client, item, out),
    )


def read_graph(path: Path) -> JsonObject:
    """The graph in a file; ``-`` is standard input. Raises `CommandError` saying what the file holds instead."""
    name = "standard input" if str(path) == "-" else str(path)
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise CommandError(f"{name} cannot be read: {reason}") from error
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise CommandError(f"{name} is not JSON: {error.msg} in line {error.lineno}, column {error.colno}") from error
    except RecursionError as error:
        raise CommandError(f"{name} is no graph: it is nested too deeply") from error
    if isinstance(document, dict) and isinstance(document.get("graph"), dict):
        document = document["graph"]  # a batch, or a file that carries one
    nodes = document.get("nodes") if isinstance(document, dict) else None
    if isinstance(nodes, list):
        raise CommandError(f"{name} is a workflow, which an editor opens; `impasto run` takes the graph that it makes")
    if not isinstance(nodes, dict) or not all(isinstance(node, dict) for node in nodes.values()):
        raise CommandError(f'{name} is no graph: an object is expected with "nodes", objects by their ids, and "edges"')
    graph: JsonObject = document
    return graph


def with_values(graph: JsonObject, settings: Sequence[str]) -> JsonObject:
    """The graph with ``node.field=value`` settings put in; a value that is no JSON is a text.

    Raises `UsageError` for a node that the graph lacks. Whether the field exists is the server's to say.
    """
    nodes = {name: dict(node) for name, node in graph["nodes"].items()}
    for setting in settings:
        place, equals, text = setting.partition("=")
        node_id, dot, field = place.rpartition(".")
        if not (equals and dot and node_id and field):
            raise UsageError(f"--set {setting}: write node.field=value, e.g. --set denoise.steps=20")
        if node_id not in nodes:
            near = difflib.get_close_matches(node_id, nodes, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(map(repr, nodes)) or 'none'}"
            raise UsageError(f"--set {setting}: the graph has no node {node_id!r}; {hint}")
        try:
            nodes[node_id][field] = json.loads(text)
        except json.JSONDecodeError:
            nodes[node_id][field] = text
    return {**graph, "nodes": nodes}


def print_run(done: GraphRun, *, as_json: bool) -> None:
    """Print what a run gave: its outputs as a table, or all of it as JSON."""
    if as_json:
        print_json(done.to_document())
        return
    rows = [
        (execution, name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
        for execution, output in done.results.items()
        for name, value in output.items()
        if name != "type"
    ]
    print_table(("node", "output", "value"), rows, empty="the run gave no outputs")
    for path in done.paths:
        print(path)
    say(f"queue item {done.item_id} completed in {done.seconds:.1f} s")


def _write_images(client: Client, item: JsonObject, out: Path) -> list[Path]:
    paths = []
    with waiting("Fetching"):
        for name in image_names(item):
            if client.image(name)["is_intermediate"]:
                continue
            # the name is the server's: nothing of it but its last part may say where the file goes
            path = out / Path(name).name
            write_picture(path, client.image_data(name))
            paths.append(path)
    return paths
