"""A client written against the HTTP interface alone: httpx for requests, websockets for events."""

import io
import json
from collections.abc import Iterator

import pytest
from PIL import Image, ImageDraw
from support.pictures import look
from support.servers import RunningServer, running_server
from websockets.sync.client import connect


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with running_server(tmp_path_factory.mktemp("root")) as running:
        yield running


def drawing() -> bytes:
    """A red disc on blue, as a person's rough drawing."""
    picture = Image.new("RGB", (128, 128), (45, 85, 215))
    ImageDraw.Draw(picture).ellipse((32, 32, 96, 96), fill=(220, 40, 40))
    data = io.BytesIO()
    picture.save(data, "PNG")
    return data.getvalue()


def image_to_image_graph(model: dict[str, object], image_name: str) -> dict[str, object]:
    """An image-to-image graph as InvokeAI's clients write it."""

    def edge(source: str, output: str, destination: str, field: str) -> dict[str, object]:
        return {"source": {"node_id": source, "field": output}, "destination": {"node_id": destination, "field": field}}

    return {
        "id": "image_to_image",
        "nodes": {
            "model": {"id": "model", "type": "main_model_loader", "model": model},
            "positive": {"id": "positive", "type": "compel", "prompt": "a red circle on a blue background"},
            "negative": {"id": "negative", "type": "compel", "prompt": ""},
            "noise": {"id": "noise", "type": "noise", "seed": 5, "width": 128, "height": 128},
            "encode": {"id": "encode", "type": "i2l", "image": {"image_name": image_name}},
            "denoise": {
                "id": "denoise", "type": "denoise_latents", "steps": 10, "cfg_scale": 5, "scheduler": "euler",
                "denoising_start": 0.5,
            },
            "decode": {"id": "decode", "type": "l2i", "is_intermediate": False},
        },
        "edges": [
            edge("model", "clip", "positive", "clip"),
            edge("model", "clip", "negative", "clip"),
            edge("model", "vae", "encode", "vae"),
            edge("model", "unet", "denoise", "unet"),
            edge("positive", "conditioning", "denoise", "positive_conditioning"),
            edge("negative", "conditioning", "denoise", "negative_conditioning"),
            edge("noise", "noise", "denoise", "noise"),
            edge("encode", "latents", "denoise", "latents"),
            edge("denoise", "latents", "decode", "latents"),
            edge("model", "vae", "decode", "vae"),
        ],
    }  # fmt: skip


def test_a_client_uploads_enqueues_follows_events_and_downloads(server: RunningServer) -> None:
    with server.client() as client, connect(server.url.replace("http", "ws", 1) + "/api/v1/events/ws") as socket:
        uploaded = client.post(
            "/api/v1/images/upload",
            params={"image_category": "user", "is_intermediate": False},
            files={"file": ("drawing.png", drawing(), "image/png")},
        )
        assert uploaded.status_code == 201
        model = client.get("/api/v2/models/", params={"model_type": "main"}).json()["models"][0]
        enqueued = client.post(
            "/api/v1/queue/default/enqueue_batch",
            json={"batch": {"graph": image_to_image_graph(model, uploaded.json()["image_name"]), "runs": 1}},
        )
        assert enqueued.status_code == 201, enqueued.text
        item_id = enqueued.json()["item_ids"][0]

        seen: list[dict[str, object]] = []
        while not (
            seen and seen[-1]["event"] == "queue_item_status_changed" and seen[-1]["data"]["status"] == "completed"
        ):
            seen.append(json.loads(socket.recv(timeout=120)))
            assert seen[-1]["event"] != "invocation_error", seen[-1]

        names = [event["event"] for event in seen]
        assert names.count("invocation_complete") == 7
        assert "invocation_progress" in names
        assert "model_load_complete" in names
        ids = [event["id"] for event in seen]
        assert ids == sorted(ids)
        assert all(event["data"]["item_id"] == item_id for event in seen if event["event"].startswith("invocation_"))

        result = next(
            event["data"]["result"]
            for event in seen
            if event["event"] == "invocation_complete" and event["data"]["invocation_source_id"] == "decode"
        )
        record = client.get(f"/api/v1/images/i/{result['image']['image_name']}").json()
        picture = Image.open(io.BytesIO(client.get(record["image_url"]).content))
        thumbnail = Image.open(io.BytesIO(client.get(record["thumbnail_url"]).content))
    assert picture.size == (record["width"], record["height"]) == (128, 128)
    assert thumbnail.format == "WEBP"
    found = look(picture)
    assert (found.object_colour, found.background_colour) == ("red", "blue")
