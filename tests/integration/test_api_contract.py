"""The OpenAPI document held against a server: what it allows is answered as it says, and what it forbids is refused.

schemathesis makes the requests out of the document, so a new route is called without a word here: with every bound of
every parameter just kept and just broken, with random values, and one after the other as answers lead on to requests.
They are the same at each run but for the names of what there is. ``IMPASTO_CONTRACT_EXAMPLES=300`` asks for more random
ones than the usual handful.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.batches import a_graph
from support.contract import configuration, picture
from support.http_servers import HttpServer, http_server
from support.sources import WORKSPACE
from support.workflows import invocation, workflow

#: Random requests for each operation, beside those at its bounds. They cost more to make up than to answer, and are the
#: same each time: what more of them would find is found by one long run, and not by each.
USUAL = 12
EXAMPLES = int(os.environ.get("IMPASTO_CONTRACT_EXAMPLES", USUAL))
#: How many things there are of each kind before the first request; some requests delete one.
THINGS = 30


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HttpServer]:
    # keys are made up by requests; wherever they are tested, nobody is there
    for provider in ("GEMINI", "OPENAI"):
        monkeypatch.setenv(f"IMPASTO_SECRET_{provider}_BASE_URL", "http://127.0.0.1:1")
    # nothing runs, so that what requests meet depends on nothing but requests
    with http_server(tmp_path / "root") as running:
        yield running


@pytest.mark.timeout(1800 if EXAMPLES > USUAL else 600)
def test_every_operation_does_as_the_document_says(server: HttpServer, tmp_path: Path) -> None:
    configured, report = tmp_path / "schemathesis.toml", tmp_path / "report.json"
    configured.write_text(configuration(things(server)))
    run = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", configured, "run"),
            *(f"{server.url}/openapi.json", "--max-examples", str(EXAMPLES), "--no-color"),
            *("--report", "json", "--report-json-path", report),
        ],
        env={**os.environ, "SCHEMATHESIS_HOOKS": "support.contract", "PYTHONPATH": str(WORKSPACE / "tests")},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )

    assert run.returncode == 0, run.stdout + run.stderr
    document = server.client.get("/openapi.json").json()
    operations = sum(len(operations) for operations in document["paths"].values())
    counts = json.loads(report.read_text())["operations"]
    assert (counts["tested"], counts["skipped"], counts["errored"]) == (operations, 0, 0)


def things(server: HttpServer) -> dict[str, list[str] | list[int]]:
    """Puts things into a server for requests to name; names and ids by the parameters and places that take them."""
    post = server.client.post
    batch = {"graph": a_graph(), "runs": THINGS, "destination": "gallery"}
    enqueued = [post("/api/v1/queue/default/enqueue_batch", json={"batch": batch}).json() for _ in range(3)]
    image = {"file": ("a.png", picture("PNG"))}
    saved = {"workflow": workflow([invocation("a", "add")])}
    images = [post("/api/v1/images/upload", files=image).json()["image_name"] for _ in range(THINGS)]
    workflows = [post("/api/v1/workflows/", json=saved).json()["workflow_id"] for _ in range(THINGS)]
    items = [item_id for one in enqueued for item_id in one["item_ids"]]
    batches = [one["batch"]["batch_id"] for one in enqueued]
    return {
        "path.queue_id": ["default"],
        "path.item_id": items,
        "body.item_ids[*]": items,
        "path.batch_id": batches,
        "body.batch_ids[*]": batches,
        "path.image_name": images,
        "body.image_names[*]": images,
        "path.workflow_id": workflows,
        "body.workflow_id": workflows,
        "path.key": [record.key for record in server.app.models.search()],
        "path.panel_id": [panel["id"] for panel in server.app.panels.document()["panels"]],
        "path.node_type": list(server.app.host.catalogue)[:THINGS],
        "path.provider_id": [status.provider_id for status in server.app.providers.statuses()],
        "path.name": [plugin.name for plugin in server.app.host.plugins],
    }
