"""What the operator's page says of back-ups is true: copied while a server runs, a root folder goes on elsewhere."""

import io
import os
import subprocess
import sys
from pathlib import Path

import httpx
from PIL import Image
from support.documentation import code_blocks
from support.servers import running_server, wait_for_item
from support.sources import WORKSPACE

PAGE = WORKSPACE / "docs" / "operators" / "queue.md"
QUEUE = "/api/v1/queue/default"
GRAPH = {"nodes": {"picture": {"type": "blank_image", "width": 16, "height": 8}}, "edges": []}
ENVIRONMENT = {"IMPASTO_DEVICES": '["cpu"]', "IMPASTO_DISABLED_PLUGINS": '["impasto-sd", "impasto-starter"]'}


def enqueue(client: httpx.Client, runs: int) -> list[int]:
    answer = client.post(f"{QUEUE}/enqueue_batch", json={"batch": {"graph": GRAPH, "runs": runs}})
    item_ids: list[int] = answer.raise_for_status().json()["item_ids"]
    return item_ids


def type_in(folder: Path, commands: str) -> None:
    """Run what the page prints, as it is printed, with the Python at hand."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(["sh", "-euc", commands], cwd=folder, env={**os.environ, "PATH": path}, check=True, timeout=60)


def size_of_picture(client: httpx.Client, item_id: int) -> tuple[int, int]:
    """Width and height of the picture that an item made, as its file says."""
    results = client.get(f"{QUEUE}/i/{item_id}").raise_for_status().json()["session"]["results"]
    name = results["picture"]["image"]["image_name"]
    return Image.open(io.BytesIO(client.get(f"/api/v1/images/i/{name}/full").raise_for_status().content)).size


def test_a_root_folder_is_copied_while_it_is_used_and_goes_on_elsewhere(tmp_path: Path) -> None:
    back_up, restore = (
        next(code for code in code_blocks(PAGE, "sh") if words in code) for words in ("VACUUM INTO", "cp -R backup")
    )
    copy, start = restore.strip().splitlines()
    with running_server(tmp_path / "impasto-data", environment=ENVIRONMENT) as server, server.client() as client:
        done = enqueue(client, 2)
        for item_id in done:
            assert wait_for_item(client, item_id)["status"] == "completed"
        client.put(f"{QUEUE}/processor/pause").raise_for_status()
        waiting = enqueue(client, 3)
        type_in(tmp_path, back_up)
        client.put(f"{QUEUE}/cancel_all").raise_for_status()  # of which the copy knows nothing
    type_in(tmp_path, copy)
    root = tmp_path / start.split()[-1]
    with running_server(root, environment=ENVIRONMENT) as server, server.client() as client:
        status = client.get(f"{QUEUE}/status").raise_for_status().json()["queue"]
        assert (status["completed"], status["pending"], status["canceled"]) == (2, 3, 0)
        client.put(f"{QUEUE}/processor/resume").raise_for_status()
        for item_id in waiting:
            assert wait_for_item(client, item_id)["status"] == "completed"
        assert {size_of_picture(client, item_id) for item_id in (*done, *waiting)} == {(16, 8)}
    assert "no file any more" not in (root / "server.log").read_text()
