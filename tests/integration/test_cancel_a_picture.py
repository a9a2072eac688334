"""A picture that is being made is cancelled: denoising ends between two steps, and its worker makes the next one."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
from support.servers import running_server, wait_for_item

#: More steps than are made until anybody could cancel.
STEPS = 400


def enqueue(client: httpx.Client, steps: int) -> int:
    """Have the starter model make a picture in so many steps; gives its item's number."""
    model = client.get("/api/v2/models/").json()["models"][0]
    values = {"prompt": "a red star on a blue background", "model": {"key": model["key"]}, "steps": steps}
    answer = client.post("/api/v1/panels/sd.text_to_image/enqueue", json={"values": values}).raise_for_status()
    return int(answer.json()["item_ids"][0])


def events(response: httpx.Response) -> Iterator[tuple[str, dict[str, Any]]]:
    """What a stream of server-sent events tells."""
    name = ""
    for line in response.iter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


def test_denoising_ends_when_it_is_cancelled_and_the_next_picture_is_made_by_the_same_worker(tmp_path: Path) -> None:
    environment = {"IMPASTO_PROGRESS_EVENTS_PER_S": "1000", "IMPASTO_CANCEL_GRACE_S": "100"}
    with running_server(tmp_path / "root", environment=environment) as server, server.client() as client:
        with client.stream("GET", "/api/v1/events", timeout=100) as stream:
            item_id = enqueue(client, STEPS)
            shares = []
            for name, event in events(stream):
                if name == "invocation_progress" and event["percentage"]:
                    shares.append(event["percentage"])
                    if len(shares) == 1:
                        client.put(f"/api/v1/queue/default/i/{item_id}/cancel").raise_for_status()
                if name == "worker_status_changed" and shares and event["status"] == "ready":
                    break
        assert wait_for_item(client, item_id)["status"] == "canceled"
        assert max(shares) < 0.5
        assert wait_for_item(client, enqueue(client, 4))["status"] == "completed"
        (worker,) = client.get("/api/v1/app/workers").json()["workers"]
        assert worker["starts"] == 1
        assert len(worker["models"]) == 1
