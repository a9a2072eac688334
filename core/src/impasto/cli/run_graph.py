"""``impasto run`` and ``impasto workflow run``: something is run once, and followed to its end."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from impasto.cli.client import Client, JsonObject
from impasto.cli.follow import enqueue_and_follow
from impasto.cli.graph_file import GraphFile
from impasto.cli.picture_files import make_folder, write_picture
from impasto.cli.results import image_names, outputs
from impasto.cli.run_progress import run_progress
from impasto.cli.terminal import print_json, print_table, say, waiting

__all__ = ["GraphRun", "print_run", "run_graph", "run_once"]


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
    file: GraphFile,
    out: Path | None,
    queue_id: str = "default",
    *,
    targets: Sequence[str] | None = None,
) -> GraphRun:
    """Run a graph once; write its pictures into the folder `out` when one is given, which is made where it is missing.

    `targets`: ids of nodes; only what these need is run.
    Raises `RequestRefusedError` with every problem of the graph, otherwise what `enqueue_and_follow` raises.
    """
    graph = {"graph": file.graph, "workflow": file.workflow}
    batch = {**graph, "targets": targets, "runs": 1, "origin": "impasto run"}
    return run_once(client, f"/api/v1/queue/{queue_id}/enqueue_batch", {"batch": batch}, out, queue_id)


def run_once(client: Client, path: str, body: JsonObject, out: Path | None, queue_id: str = "default") -> GraphRun:
    """Enqueue what `path` makes one item of, and follow it to its end; `out` and errors are as in `run_graph`."""
    if out is not None:
        make_folder(out)
    begin = time.monotonic()
    with run_progress(1) as progress:
        (item,) = enqueue_and_follow(client, queue_id, lambda: client.enqueue(path, body), progress.show)
    seconds = time.monotonic() - begin
    return GraphRun(
        item_id=item["item_id"],
        session_id=item["session_id"],
        seconds=seconds,
        results=outputs(item),
        paths=() if out is None else _write_images(client, item, out),
    )


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
