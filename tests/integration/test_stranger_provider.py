"""A provider by a stranger, installed as any distribution is: node, panel, models, keys, retries, counting, recall.

Everything runs for real: a server process, its workers, and a service on another port that speaks HTTP.
"""

import base64
import io
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from support import easel
from support.plugins import make_plugin
from support.servers import RunningServer, running_server, wait_for_item
from support.stand_in import Reply, StandIn

KEY = "easel-key-4711"
CONFIG = "/api/v1/app/external_providers/config/easel"
MODEL = {"key": "easel.oils-1"}
PATIENCE_S = 60.0


def painted(colour: str, **headers: str) -> Reply:
    buffer = io.BytesIO()
    Image.new("RGB", (96, 48), colour).save(buffer, "PNG")
    document = {"picture": base64.b64encode(buffer.getvalue()).decode(), "id": f"r-{colour}", "price": 0.02}
    return Reply.json(document, **headers)


@dataclass(frozen=True)
class Studio:
    """A server with the stranger's plugin, a client of it, and the service."""

    server: RunningServer
    client: httpx.Client
    service: StandIn

    def set_key(self) -> None:
        answer = self.client.post(CONFIG, json={"api_key": KEY, "base_url": self.service.url})
        assert answer.is_success, answer.text

    def names_of(self, path: str, key: str, name: str) -> set[str]:
        return {one[name] for one in self.client.get(path).raise_for_status().json()[key]}

    def enqueue(self, **values: Any) -> int:
        values = {"model": MODEL, "prompt": "a boat", "size": {"width": 96, "height": 48}, **values}
        answer = self.client.post("/api/v1/panels/easel.image/enqueue", json={"values": values})
        assert answer.is_success, answer.text
        item_id: int = answer.json()["item_ids"][0]
        return item_id

    def run(self, **values: Any) -> dict[str, Any]:
        return wait_for_item(self.client, self.enqueue(**values))

    def gallery(self) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.client.get("/api/v1/images/").raise_for_status().json()["items"]
        return items

    def metadata(self, image_name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.client.get(f"/api/v1/images/i/{image_name}/metadata").raise_for_status().json()
        return found

    def usage(self) -> dict[str, int]:
        """What was counted of Easel until now."""
        document = self.client.get("/api/v1/app/external_providers/usage").raise_for_status().json()
        total = next((one for one in document["models"] if one["provider_id"] == "easel"), {})
        return {name: total.get(name, 0) for name in ("completed", "refused", "failed", "images")}

    def until(self, what: Callable[[], Any]) -> Any:
        deadline = time.monotonic() + PATIENCE_S
        while not (found := what()):
            assert time.monotonic() < deadline, "it never happened"
            time.sleep(0.02)
        return found


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningServer, StandIn]]:
    """One server with the stranger's plugin, and the service, for all tests."""
    folder = tmp_path_factory.mktemp("house")
    make_plugin(folder / "site", "impasto-easel", Path(easel.__file__).read_text("utf-8"))
    no_torch = {"IMPASTO_DISABLED_PLUGINS": '["impasto-sd", "impasto-starter"]'}
    with (
        StandIn() as service,
        running_server(folder / "root", python_path=folder / "site", environment=no_torch) as server,
    ):
        yield server, service


@pytest.fixture
def studio(house: tuple[RunningServer, StandIn]) -> Iterator[Studio]:
    """As it is when no key is set, no picture was made and nothing was asked."""
    server, service = house
    with server.client() as client:
        client.delete(CONFIG).raise_for_status()
        old = client.get("/api/v1/images/names").raise_for_status().json()["image_names"]
        client.post("/api/v1/images/delete", json={"image_names": old}).raise_for_status()
        service.requests.clear()
        service.answers(painted("red"))
        yield Studio(server, client, service)


def test_panel_and_models_come_with_a_key_and_go_with_it(studio: Studio) -> None:
    def there() -> tuple[bool, bool]:
        return (
            "easel.image" in studio.names_of("/api/v1/panels", "panels", "id"),
            "easel.oils-1" in studio.names_of("/api/v2/models/", "models", "key"),
        )

    assert studio.client.get("/api/v1/nodes/easel_image_generation").json()["lane"] == "io"
    assert there() == (False, False)
    starters = studio.client.get("/api/v2/models/starter_models").json()["starter_models"]
    (offer,) = [one for one in starters if one["source"] == "external://easel/oils-1"]
    assert not offer["is_installed"]
    assert "Needs an API key" in offer["description"]
    assert "may cost money" in offer["description"]
    studio.set_key()
    assert there() == (True, True)
    assert studio.client.delete(CONFIG).is_success
    assert there() == (False, False)


def test_pictures_are_made_asked_for_again_counted_and_remember_their_values(studio: Studio) -> None:
    studio.set_key()
    before = studio.usage()
    studio.service.answers(Reply.json({"error": "tired"}, 503), Reply.json({}, 429, retry_after="0"), painted("navy"))
    item = studio.run(count=3, glaze="gloss", seed={"mode": "fixed", "value": 40})
    assert item["status"] == "completed", item["error_message"]

    sent = studio.service.requests
    assert {request.headers["authorization"] for request in sent} == {f"Easel {KEY}"}
    assert {request.json["seed"] for request in sent} == {40, 41, 42}
    assert len(sent) == 5
    assert all(request.json["size"] == [96, 48] and request.json["glaze"] == "gloss" for request in sent)

    gallery = studio.gallery()
    assert [(image["width"], image["height"]) for image in gallery] == [(96, 48)] * 3
    facts = studio.metadata(gallery[0]["image_name"])
    assert facts["external_request"]["cost_usd"] == 0.02
    assert facts["panel"]["panel"] == "easel.image"
    remembered = facts["panel"]["values"]
    assert (remembered["glaze"], remembered["count"], remembered["seed"]["value"]) == ("gloss", 3, 40)
    checked = studio.client.post("/api/v1/panels/easel.image/check", json={"values": remembered}).json()
    assert checked["values"] == remembered

    after = studio.usage()
    assert {name: after[name] - before[name] for name in after} == {
        "completed": 3,
        "refused": 1,
        "failed": 1,
        "images": 3,
    }


def test_what_was_paid_for_survives_a_killed_worker_and_is_not_asked_for_again(studio: Studio) -> None:
    studio.set_key()
    hold = threading.Event()
    second = painted("blue")
    studio.service.answers(painted("red"), Reply(parts=[b"", *second.parts], headers=second.headers, release=hold))
    item_id = studio.enqueue(count=2, seed={"mode": "fixed", "value": 7})
    studio.until(lambda: len(studio.service.requests) == 2 and studio.gallery())
    workers = studio.client.get("/api/v1/app/workers").raise_for_status().json()
    busy = [worker for worker in (workers["workers"] if isinstance(workers, dict) else workers) if worker["item_id"]]
    studio.service.answers(painted("green"))
    os.kill(busy[0]["pid"], signal.SIGKILL)
    item = wait_for_item(studio.client, item_id)
    hold.set()
    assert item["status"] == "completed", item["error_message"]
    assert len(studio.gallery()) == 2
    assert len(studio.service.requests) == 3, "the first picture was paid for once"


def test_a_hit_in_the_cache_is_a_new_picture_in_the_gallery_and_costs_nothing(studio: Studio) -> None:
    studio.set_key()
    node = {
        "id": "paint",
        "type": "easel_image_generation",
        "model": studio.client.get("/api/v2/models/i/easel.oils-1").json(),
        "prompt": "a boat",
        "seed": 1,
        "use_cache": True,
    }
    node["model"] = {name: node["model"][name] for name in ("key", "hash", "name", "base", "type")}
    batch = {"batch": {"graph": {"nodes": {"paint": node}, "edges": []}, "runs": 2}}
    answer = studio.client.post("/api/v1/queue/default/enqueue_batch", json=batch)
    assert answer.is_success, answer.text
    names = []
    for item_id in answer.json()["item_ids"]:
        item = wait_for_item(studio.client, item_id)
        assert item["status"] == "completed", item["error_message"]
        names += [image["image_name"] for image in item["session"]["results"]["paint"]["collection"]]
    assert len(studio.service.requests) == 1
    assert len(set(names)) == 2
    files = [studio.client.get(f"/api/v1/images/i/{name}/full").content for name in names]
    assert files[0] == files[1]
    copies = [studio.metadata(name).get("external_copy_of") for name in names]
    assert copies == [None, names[0]]


def test_a_failure_of_the_service_ends_the_item_with_its_words_and_without_the_key(studio: Studio) -> None:
    studio.set_key()
    studio.service.answers(Reply.json({"error": f"bad key {KEY}"}, 401))
    item = studio.run()
    assert item["status"] == "failed"
    assert "does not take the key: bad key ***" in str(item["error_message"])
    assert not item["error_traceback"], "a person can mend it; there is no bug to look for"
    assert len(studio.service.requests) == 1


def test_a_cancel_closes_the_connection_at_once(studio: Studio) -> None:
    studio.set_key()
    hold = threading.Event()
    studio.service.answers(Reply(parts=[b"{", b"}"], release=hold))
    item_id = studio.enqueue()
    studio.until(lambda: studio.service.requests)
    studio.client.put(f"/api/v1/queue/default/i/{item_id}/cancel").raise_for_status()
    assert wait_for_item(studio.client, item_id)["status"] == "canceled"
    hold.set()
    # the worker is free again, and was not ended for it
    studio.service.answers(painted("red"))
    assert studio.run()["status"] == "completed"
