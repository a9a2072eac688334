"""The main job: a prompt becomes the picture that it asks for, made by a real model in a worker process."""

import io
from collections.abc import Iterator

import httpx
import pytest
from PIL import Image
from support.pictures import look
from support.servers import RunningServer, running_server, wait_for_item

#: Shapes × colours × backgrounds × places, each with its own seed.
SCENES = [
    ("star", "red", "", "blue"),
    ("circle", "yellow", "", "black"),
    ("square", "green", "", "white"),
    ("heart", "pink", "", "white"),
    ("triangle", "orange", "", "gray"),
    ("ring", "purple", "", "yellow"),
    ("diamond", "cyan", "", "black"),
    ("cross", "white", "", "green"),
    ("moon", "yellow", "on the left", "blue"),
    ("square", "blue", "on the right", "pink"),
    ("circle", "red", "at the top", "white"),
    ("hexagon", "brown", "at the bottom", "cyan"),
]
PLACES = {"on the left": (0.3, 0.5), "on the right": (0.7, 0.5), "at the top": (0.5, 0.3), "at the bottom": (0.5, 0.7)}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    # without the invocation cache, so that the same picture twice is made twice
    environment = {"IMPASTO_INVOCATION_CACHE_BYTES": "0"}
    with running_server(tmp_path_factory.mktemp("root"), environment=environment) as running:
        yield running


def ask_for(client: httpx.Client, prompt: str, seed: int, **values: object) -> bytes:
    """The bytes of the picture that the panel makes of a prompt."""
    model = client.get("/api/v2/models/").json()["models"][0]
    answer = (
        client.post(
            "/api/v1/panels/sd.text_to_image/enqueue",
            json={
                "values": {
                    "prompt": prompt,
                    "model": {"key": model["key"]},
                    "seed": {"mode": "fixed", "value": seed},
                    **values,
                }
            },
        )
        .raise_for_status()
        .json()
    )
    item = wait_for_item(client, answer["item_ids"][0])
    assert item["status"] == "completed", item["error_message"]
    images = [
        image
        for image in client.get("/api/v1/images/", params={"is_intermediate": False}).json()["items"]
        if image["session_id"] == item["session_id"]
    ]
    assert len(images) == 1
    return client.get(images[0]["image_url"]).raise_for_status().content


@pytest.mark.parametrize(("shape", "colour", "place", "background"), SCENES)
def test_the_picture_shows_what_the_prompt_says(
    server: RunningServer, shape: str, colour: str, place: str, background: str
) -> None:
    prompt = f"a {colour} {shape}{' ' + place if place else ''} on a {background} background"
    with server.client() as client:
        picture = Image.open(io.BytesIO(ask_for(client, prompt, seed=7)))
    assert picture.size == (128, 128)
    seen = look(picture)
    assert seen.background_colour == background
    assert seen.object_colour == colour
    x, y = PLACES.get(place, (0.5, 0.5))
    assert abs(seen.x - x) < 0.15, f"the {shape} lies at {seen.x:.2f} from the left"
    assert abs(seen.y - y) < 0.15, f"the {shape} lies at {seen.y:.2f} from the top"


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not(server: RunningServer) -> None:
    prompt = "a red star on a blue background"
    with server.client() as client:
        first = pixels(ask_for(client, prompt, seed=11, steps=6))
        again = pixels(ask_for(client, prompt, seed=11, steps=6))
        other = pixels(ask_for(client, prompt, seed=12, steps=6))
    assert first == again
    assert first != other


def test_a_picture_carries_what_made_it(server: RunningServer) -> None:
    with server.client() as client:
        data = ask_for(client, "a green ring on a white background", seed=2**64 - 1, steps=4)
        name = client.get("/api/v1/images/").json()["items"][0]["image_name"]
        metadata = client.get(f"/api/v1/images/i/{name}/metadata").json()
    assert metadata["panel"]["panel"] == "sd.text_to_image"
    assert metadata["panel"]["values"]["prompt"] == "a green ring on a white background"
    assert metadata["panel"]["values"]["seed"] == {"mode": "fixed", "value": 2**64 - 1}
    text = Image.open(io.BytesIO(data)).info
    assert "invokeai_metadata" in text
    assert "invokeai_graph" in text


def pixels(data: bytes) -> bytes:
    """The picture without the metadata in its file, which names the session."""
    return Image.open(io.BytesIO(data)).tobytes()
