"""OpenAI in a whole server: a key brings models and panel, and a masked edit made there keeps its bytes and options."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from PIL import Image
from support.openai_service import (
    OPENAI_KEY,
    REQUEST_ID,
    form_of,
    model_list,
    openai_records,
    streamed,
    wrong_key,
)
from support.provenance import signed_picture
from support.servers import server_with_key, wait_for_item
from support.stand_in import StandIn

CONFIG = "/api/v1/app/external_providers/config/openai"


@pytest.fixture(scope="module")
def service() -> Iterator[StandIn]:
    with StandIn() as stand_in:
        stand_in.answers(model_list())
        yield stand_in


@pytest.fixture(scope="module")
def client(service: StandIn, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client of a server that has a key for the service."""
    root = tmp_path_factory.mktemp("openai")
    with server_with_key(root, "openai", api_key=OPENAI_KEY, base_url=f"{service.url}/v1") as client:
        yield client


def upload(client: httpx.Client, data: bytes) -> dict[str, Any]:
    answer = client.post(
        "/api/v1/images/upload",
        params={"image_category": "user", "is_intermediate": False},
        files={"file": ("a.png", data, "image/png")},
    )
    return {"image_name": answer.raise_for_status().json()["image_name"]}


def test_its_models_and_its_panel_are_there_while_a_key_is_set(client: httpx.Client) -> None:
    models = client.get("/api/v2/models/").raise_for_status().json()["models"]
    assert {model["key"] for model in models} == {record.key for record in openai_records().values()}
    assert "openai.image" in {panel["id"] for panel in client.get("/api/v1/panels").json()["panels"]}


def test_the_key_is_tested_by_asking_the_service(client: httpx.Client, service: StandIn) -> None:
    service.answers(wrong_key(f"{OPENAI_KEY[:7]}***{OPENAI_KEY[-4:]}"), model_list())
    refused, taken = (client.post(f"{CONFIG}/test").raise_for_status() for _ in range(2))
    assert [request.path for request in service.requests[-2:]] == ["/v1/models"] * 2
    assert "Incorrect API key provided: ***" in refused.text
    assert "Incorrect" not in taken.text
    assert OPENAI_KEY[:7] not in refused.text + taken.text
    assert OPENAI_KEY[-4:] not in refused.text + taken.text


def test_a_masked_edit_keeps_its_bytes_and_remembers_every_option(
    client: httpx.Client, service: StandIn, tmp_path_factory: pytest.TempPathFactory
) -> None:
    made = signed_picture("WEBP", size=(64, 64))
    service.answers(streamed([made], previews=2, kind="image_edit"))
    start = signed_picture(size=(32, 32))
    path = tmp_path_factory.mktemp("mask") / "mask.png"
    Image.new("L", (32, 32), 255).save(path)
    image = upload(client, start)
    values: dict[str, Any] = {
        "model": {"key": "openai.gpt-image-1.5"},
        "prompt": "a fox",
        "mode": "inpaint",
        "init_image": image,
        "mask_image": upload(client, path.read_bytes()),
        "reference_images": [image],
        "size": {"width": 1536, "height": 1024},
        "count": 1,
        "quality": "high",
        "background": "transparent",
        "input_fidelity": "high",
        "output_format": "webp",
        "output_compression": 90,
        "partial_images": 2,
    }
    answer = client.post("/api/v1/panels/openai.image/enqueue", json={"values": values})
    item = wait_for_item(client, answer.raise_for_status().json()["item_ids"][0])
    assert item["status"] == "completed", item["error_message"]

    request = service.requests[-1]
    assert (request.method, request.path) == ("POST", "/v1/images/edits")
    assert [part.name for part in form_of(request) if part.filename] == ["image[]", "image[]", "mask"]
    (result,) = item["session"]["results"].values()
    assert len(result["collection"]) == 1
    for picture in result["collection"]:
        assert client.get(f"/api/v1/images/i/{picture['image_name']}/full").content == made
        facts = client.get(f"/api/v1/images/i/{picture['image_name']}/metadata").json()
        assert facts["external_request"]["id"] == REQUEST_ID
        remembered = facts["panel"]["values"]
        assert {name: remembered[name] for name in values if name != "model"} == {
            name: value for name, value in values.items() if name != "model"
        }
        assert remembered["model"]["key"] == "openai.gpt-image-1.5"
        assert OPENAI_KEY not in json.dumps(facts)
