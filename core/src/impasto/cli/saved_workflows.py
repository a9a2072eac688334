"""What ``impasto workflow`` asks of a server. A workflow is named by its id, or by its name where only one has it."""

import difflib
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from impasto.cli.client import Client, JsonObject
from impasto.cli.failures import CommandError
from impasto.cli.graph_file import parse_setting
from impasto.cli.listings import Listing, local_time
from impasto.cli.run_graph import GraphRun, run_once

__all__ = ["delete_workflow", "find_workflow", "get_workflow", "list_workflows", "run_workflow", "save_workflow"]

_PATH = "/api/v1/workflows/"


def list_workflows(client: Client) -> Listing:
    """Every saved workflow, by name."""
    workflows = client.get(_PATH)["items"]
    return Listing(
        document=workflows,
        columns=("workflow", "tags", "callable", "changed", "id"),
        rows=[
            (w["name"], w["tags"], "yes" if w["is_callable"] else "no", local_time(w["updated_at"]), w["workflow_id"])
            for w in workflows
        ],
        empty="no workflow is saved",
    )


def save_workflow(client: Client, document: Any, replace: str | None = None) -> JsonObject:
    """Save a workflow, in the place of one when `replace` names it; its record."""
    if replace is None:
        saved: JsonObject = client.post(_PATH, {"workflow": document})
        return saved
    path = _path_of(client, replace)
    if isinstance(document, dict):
        document = {key: value for key, value in document.items() if key != "id"}  # that of where it was saved before
    changed: JsonObject = client.patch(path, {"workflow": document})
    return changed


def get_workflow(client: Client, wanted: str) -> JsonObject:
    """A saved workflow's record, with its document."""
    record: JsonObject = client.get(_path_of(client, wanted))
    return record


def delete_workflow(client: Client, wanted: str) -> None:
    """Forget a saved workflow."""
    client.delete(_path_of(client, wanted))


def run_workflow(
    client: Client, wanted: str, settings: Sequence[str], out: Path | None, queue_id: str = "default"
) -> GraphRun:
    """Run a saved workflow once, with ``node.field=value`` settings; `out` and errors are as in `run_graph`."""
    values = dict(map(parse_setting, settings))
    body = {
        "workflow_id": find_workflow(client.get(_PATH)["items"], wanted)["workflow_id"],
        "inputs": {f"{place.node_id}::{place.field}": value for place, value in values.items()},
        "origin": "impasto workflow run",
    }
    return run_once(client, f"/api/v1/queue/{queue_id}/enqueue_workflow", body, out, queue_id)


def find_workflow(workflows: Sequence[JsonObject], wanted: str) -> JsonObject:
    """The workflow of that id, or else of that name (in any case).

    Raises `CommandError` naming the one that was probably meant.
    """
    for workflow in workflows:
        if workflow["workflow_id"] == wanted:
            return workflow
    found = [workflow for workflow in workflows if workflow["name"].casefold() == wanted.casefold()]
    if len(found) == 1:
        return found[0]
    if found:
        ids = ", ".join(workflow["workflow_id"] for workflow in found)
        raise CommandError(f"{len(found)} workflows are called {wanted!r}; name one by its id: {ids}")
    near = difflib.get_close_matches(wanted, [workflow["name"] for workflow in workflows], n=1)
    hint = f"did you mean {near[0]!r}?" if near else "`impasto workflow list` lists those there are"
    raise CommandError(f"no saved workflow has the id or the name {wanted!r}; {hint}")


def _path_of(client: Client, wanted: str) -> str:
    return f"{_PATH}i/{quote(find_workflow(client.get(_PATH)['items'], wanted)['workflow_id'], safe='')}"
