"""Gemini in a whole server: a key brings models and panel, and a picture made there keeps its bytes and its options."""

from collections.abc import Iterator

import httpx
import pytest
from support.gemini_service import GEMINI_KEY, gemini_records, model_list, pictures, refused_key
from support.provenance import signed_picture
from support.servers import server_with_key, wait_for_item
from support.stand_in import StandIn

CONFIG = "/api/v1/app/external_providers/config/gemini"
FLASH = {"key": "gemini.gemini-3.1-flash-image"}


@pytest.fixture(scope="module")
def service() -> Iterator[StandIn]:
    with StandIn() as stand_in:
        stand_in.answers(model_list())
        yield stand_in


@pytest.fixture(scope="module")
def client(service: StandIn, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """A client of a server that has a key for the service."""
    root = tmp_path_factory.mktemp("gemini")
    with server_with_key(root, "gemini", api_key=GEMINI_KEY, base_url=service.url) as client:
        yield client


def test_its_models_and_its_panel_are_there_while_a_key_is_set(client: httpx.Client) -> None:
    models = client.get("/api/v2/models/").raise_for_status().json()["models"]
    assert {model["key"] for model in models} == {record.key for record in gemini_records().values()}
    assert "gemini.image" in {panel["id"] for panel in client.get("/api/v1/panels").json()["panels"]}


def test_the_key_is_tested_by_asking_the_service(client: httpx.Client, service: StandIn) -> None:
    service.answers(refused_key(), model_list())
    refused, taken = (client.post(f"{CONFIG}/test").raise_for_status() for _ in range(2))
    assert [request.path for request in service.requests[-2:]] == ["/v1beta/models"] * 2
    assert "API key not valid" in refused.text
    assert "API key not valid" not in taken.text
    assert GEMINI_KEY not in refused.text + taken.text


def test_a_picture_keeps_its_bytes_and_remembers_every_option(client: httpx.Client, service: StandIn) -> None:
    data = signed_picture("JPEG", size=(64, 64))
    service.answers(pictures(data))
    upload = client.post(
        "/api/v1/images/upload",
        params={"image_category": "user", "is_intermediate": False},
        files={"file": ("a.png", signed_picture(), "image/png")},
    )
    reference = {"image_name": upload.raise_for_status().json()["image_name"]}
    values = {
        "model": FLASH,
        "prompt": "a fox",
        "mode": "img2img",
        "init_image": reference,
        "reference_images": [reference],
        "size": {"width": 792, "height": 336},
        "count": 2,
        "temperature": 0.5,
        "thinking_level": "high",
    }
    asked = len(service.requests)
    answer = client.post("/api/v1/panels/gemini.image/enqueue", json={"values": values})
    item = wait_for_item(client, answer.raise_for_status().json()["item_ids"][0])
    assert item["status"] == "completed", item["error_message"]

    sent = service.requests[asked:]
    assert [request.path for request in sent] == ["/v1beta/models/gemini-3.1-flash-image:generateContent"] * 2
    assert sent[0].json["generationConfig"]["imageConfig"] == {"aspectRatio": "21:9", "imageSize": "512"}
    (result,) = item["session"]["results"].values()
    for image in result["collection"]:
        assert client.get(f"/api/v1/images/i/{image['image_name']}/full").content == data
        facts = client.get(f"/api/v1/images/i/{image['image_name']}/metadata").json()
        assert facts["external_request"]["cost_usd"] == pytest.approx((8 * 0.5 + 1290 * 60) / 1e6)
        remembered = facts["panel"]["values"]
        assert {name: remembered[name] for name in values if name != "model"} == {
            name: value for name, value in values.items() if name != "model"
        }
        assert remembered["model"]["key"] == FLASH["key"]
