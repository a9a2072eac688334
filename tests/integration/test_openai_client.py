"""The official ``openai`` client makes and edits pictures here, as if the server were OpenAI's.

Pictures come from the starter model, by a real worker. A plugin of a stranger adds a panel and a model that fail or
take for ever, on demand: that they are found and used at all shows that no panel is known by name.
"""

import asyncio
import base64
import contextlib
import io
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from PIL import Image, ImageChops, ImageDraw, ImageStat
from support.documentation import code_blocks
from support.pictures import look
from support.plugins import make_plugin
from support.servers import RunningServer, running_server, wait_for_item
from support.sources import WORKSPACE

MOODY = '''
"""A panel over models of its own, whose pictures come as their prompt says: at once, never, or not at all."""

import time

from impasto_sdk import (
    BaseInvocation, GraphDraft, ImageOutput, InputField, InvocationContext, ModelIdentification, Panel, hookimpl,
    invocation,
)
from impasto_sdk.errors import InvocationError
from impasto_sdk.panels import Model, Prompt, Section


@invocation("moody_picture", title="Picture", category="test", use_cache=False)
class MoodyPicture(BaseInvocation):
    """A picture, if the prompt allows."""

    prompt: str = InputField(description="fail, wait, or what is not looked at")

    def invoke(self, context: InvocationContext) -> ImageOutput:
        from PIL import Image

        if self.prompt == "fail":
            raise InvocationError("not in the mood")
        while self.prompt == "wait":
            context.raise_if_cancelled()
            time.sleep(0.01)
        return context.images.save(Image.new("RGB", (8, 8), (200, 30, 30)))


def build_graph(values):
    draft = GraphDraft()
    draft.add("moody_picture", id="it", prompt=values.text("words"))
    return draft


@hookimpl
def register_invocations():
    return [MoodyPicture]


@hookimpl
def register_panels():
    fields = [
        Prompt(id="words", title="Words", required=True),
        Model(id="mood", title="Mood", required=True, where={"type": "mood"}),
    ]
    section = Section(id="all", title="All", fields=fields)
    return [Panel(id="moody_kit.picture", title="Moods", makes="image", sections=[section], build_graph=build_graph)]


@hookimpl
def identify_model(path):
    if path.suffix != ".mood":
        return None
    return ModelIdentification(confidence=1, base="moody", type="mood", format="mood", name="Moody")
'''
SCENE = "a red star on a blue background"
#: For pictures that nobody looks at.
QUICK = {"steps": 1}
#: Most items that may wait in the queue: two runs of two.
MOST_WAITING = 4
#: The largest upload.
MOST_BYTES = 2**20


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    site, root = tmp_path_factory.mktemp("site"), tmp_path_factory.mktemp("root")
    make_plugin(site, "moody-kit", MOODY, requires=["pillow"])
    weights = site / "sulky.mood"
    weights.write_text("any")
    # without the invocation cache, so that the same picture twice is made twice
    environment = {
        "IMPASTO_INVOCATION_CACHE_BYTES": "0",
        "IMPASTO_MAX_QUEUE_SIZE": str(MOST_WAITING),
        "IMPASTO_MAX_UPLOAD_BYTES": str(MOST_BYTES),
    }
    with running_server(root, environment=environment, python_path=site) as running:
        with running.client() as http:
            http.post("/api/v2/models/", json={"path": str(weights)}).raise_for_status()
        yield running


@pytest.fixture
def http(server: RunningServer) -> Iterator[httpx.Client]:
    with server.client() as opened:
        yield opened


@pytest.fixture
def client(server: RunningServer) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{server.url}/v1", api_key="none") as opened:
        yield opened


@pytest.fixture(scope="module")
def star(server: RunningServer, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A red star on blue, made with the starter's own steps as the README shows it."""
    with contextlib.chdir(tmp_path_factory.mktemp("readme")):
        run_page(server, "plugins/openai_server/README.md")
        return Path("star.png").read_bytes()


def run_page(server: RunningServer, page: str) -> dict[str, Any]:
    """Run the Python of a page in the current folder, as it is printed; gives its variables."""
    words: dict[str, Any] = {}
    for code in code_blocks(WORKSPACE / page, "python"):
        exec(code.replace("http://127.0.0.1:9090", server.url), words)
    words["client"].close()
    return words


def data_of(image: Any) -> bytes:
    assert image.b64_json is not None
    return base64.b64decode(image.b64_json)


def picture(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def items(http: httpx.Client) -> list[dict[str, Any]]:
    """The queue items that came by this API, the newest first."""
    query = {"origin": "openai", "order_dir": "DESC"}
    found: list[dict[str, Any]] = http.get("/api/v1/queue/default/list_all", params=query).raise_for_status().json()
    return found


# --- making ---


def test_a_picture_shows_what_the_prompt_says_at_the_models_own_size(star: bytes) -> None:
    seen = look(picture(star))
    assert (seen.object_colour, seen.background_colour) == ("red", "blue")
    assert picture(star).size == (128, 128)


def test_an_answer_says_what_was_made_and_that_nothing_was_charged(client: OpenAI) -> None:
    before = int(time.time())
    answer = client.images.generate(
        prompt=SCENE, model="gpt-image-1", size="1536x1024", quality="high", user="somebody", extra_body=QUICK
    )
    made = picture(data_of(answer.data[0]))
    assert answer.size == f"{made.width}x{made.height}" == "160x104"
    assert (answer.output_format, made.format) == ("png", "PNG")
    assert answer.usage is not None
    assert answer.usage.total_tokens == 0
    assert before <= answer.created <= time.time()


def test_a_seed_gives_the_same_picture_again_and_several_pictures_have_a_seed_each(client: OpenAI) -> None:
    def pixels(seed: int, n: int) -> list[bytes]:
        answer = client.images.generate(prompt=SCENE, n=n, extra_body={"seed": seed, **QUICK})
        return [picture(data_of(image)).tobytes() for image in answer.data or ()]

    first, second = pixels(11, 2)
    assert first != second
    assert pixels(12, 1) == [second]


def test_other_words_of_the_panel_go_by_the_same_way(client: OpenAI, http: httpx.Client) -> None:
    extra = {"negative_prompt": "blur", "cfg_scale": 3.5, "unheard_of": 1, **QUICK}
    answer = client.images.generate(prompt=SCENE, response_format="url", extra_body=extra)
    assert answer.data is not None
    url = answer.data[0].url
    assert url is not None
    name = url.split("/")[-2]
    values = http.get(f"/api/v1/images/i/{name}/metadata").json()["panel"]["values"]
    assert (values["negative_prompt"], values["cfg_scale"], values["steps"]) == ("blur", 3.5, 1)
    assert "unheard_of" not in values


def test_an_address_can_be_fetched_as_it_stands(client: OpenAI) -> None:
    answer = client.images.generate(prompt="now", model="Moody", response_format="url")
    assert answer.data is not None
    assert answer.data[0].b64_json is None
    assert picture(httpx.get(str(answer.data[0].url)).raise_for_status().content).size == (8, 8)


@pytest.mark.parametrize("output_format", ["jpeg", "webp"])
def test_another_format_is_what_was_asked_for(client: OpenAI, output_format: Any) -> None:
    answer = client.images.generate(prompt="now", model="moody", output_format=output_format, output_compression=50)
    assert answer.output_format == output_format
    assert picture(data_of(answer.data[0])).format == output_format.upper()


def test_partial_images_come_before_the_picture_and_look_ever_more_like_it(client: OpenAI) -> None:
    stream = client.images.generate(prompt=SCENE, stream=True, partial_images=3, extra_body={"seed": 7, "steps": 12})
    *partial, last = list(stream)
    assert [event.type for event in partial] == ["image_generation.partial_image"] * len(partial)
    assert partial, "no preview came"
    assert [event.partial_image_index for event in partial] == list(range(len(partial)))
    assert last.type == "image_generation.completed"
    assert last.usage.total_tokens == 0
    made = picture(data_of(last))
    assert {picture(data_of(event)).size for event in partial} == {made.size}
    distances = [sum(ImageStat.Stat(ImageChops.difference(picture(data_of(event)), made)).mean) for event in partial]
    assert distances[-1] <= distances[0]


def test_the_async_client_streams_too_and_nothing_on_the_way_was_asked_for(server: RunningServer) -> None:
    async def make() -> list[str]:
        async with AsyncOpenAI(base_url=f"{server.url}/v1", api_key="none") as client:
            stream = await client.images.generate(prompt="now", model="moody", n=2, stream=True)
            return [event.type async for event in stream]

    assert asyncio.run(make()) == ["image_generation.completed"] * 2


def test_the_async_client_gets_whole_answers(server: RunningServer) -> None:
    async def make() -> list[bytes]:
        async with AsyncOpenAI(base_url=f"{server.url}/v1", api_key="none") as client:
            answers = await asyncio.gather(
                *(client.images.generate(prompt="now", model="moody") for _ in range(MOST_WAITING))
            )
        return [data_of(answer.data[0]) for answer in answers]

    assert [picture(data).size for data in asyncio.run(make())] == [(8, 8)] * MOST_WAITING


# --- editing ---


@pytest.mark.parametrize("several", [False, True])  # sent as `image` and as `image[]`
def test_a_picture_is_changed_as_the_prompt_says(client: OpenAI, star: bytes, several: bool) -> None:
    given = io.BytesIO(star)
    extra = {"seed": 3, "strength": 0.85, "steps": 12}
    image = [given] if several else given
    answer = client.images.edit(image=image, prompt="a green star on a blue background", extra_body=extra)
    seen = look(picture(data_of(answer.data[0])))
    assert (seen.object_colour, seen.background_colour) == ("green", "blue")


def test_only_what_is_transparent_in_a_mask_changes(client: OpenAI, star: bytes) -> None:
    mask = Image.new("RGBA", (128, 128), (0, 0, 0, 255))
    ImageDraw.Draw(mask).ellipse((12, 12, 115, 109), fill=(0, 0, 0, 0))
    file = io.BytesIO()
    mask.save(file, "PNG")
    answer = client.images.edit(
        image=("star.png", star, "text/plain"),
        mask=file.getvalue(),
        prompt="a yellow heart on a blue background",
        extra_body={"seed": 3},
    )
    made, before = picture(data_of(answer.data[0])).convert("RGB"), picture(star).convert("RGB")
    assert answer.size == "128x128"
    changed = ImageChops.difference(made, before)
    assert ImageStat.Stat(changed, mask.getchannel("A")).sum == [0, 0, 0]
    assert (look(made).object_colour, look(made).background_colour) == ("yellow", "blue")


def test_an_edit_can_be_streamed(client: OpenAI, star: bytes) -> None:
    stream = client.images.edit(
        image=star, prompt=SCENE, size="256x256", n=1, stream=True, partial_images=1, extra_body={"steps": 6}
    )
    types = [event.type for event in stream]
    assert types == ["image_edit.partial_image", "image_edit.completed"]


def test_a_file_that_is_no_picture_is_refused_by_its_bytes(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="no PNG, JPEG or WebP") as caught:
        client.images.edit(image=("a.png", b"plainly not", "image/png"), prompt=SCENE)
    assert (caught.value.param, caught.value.code) == ("image", "invalid_image_file")


def test_a_model_that_cannot_edit_says_so(client: OpenAI, star: bytes) -> None:
    with pytest.raises(openai.BadRequestError, match="Moody cannot change a picture") as caught:
        client.images.edit(image=star, prompt=SCENE, model="moody")
    assert caught.value.param == "model"


# --- models ---


def test_the_models_that_make_pictures_are_listed_and_found(client: OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["impasto-starter", "moody"]
    found = client.models.retrieve("Impasto starter")
    assert (found.id, found.object, found.owned_by) == ("impasto-starter", "model", "impasto")
    with pytest.raises(openai.NotFoundError, match="there is no model 'dall-e-3'") as caught:
        client.models.retrieve("dall-e-3")
    assert caught.value.code == "model_not_found"


# --- refusals ---


@pytest.mark.parametrize(
    ("request_", "param", "words"),
    [
        ({"prompt": " "}, "prompt", "say what the picture is to show"),
        ({"prompt": SCENE, "size": "large"}, "size", "it is 'large'; give WIDTHxHEIGHT"),
        ({"prompt": SCENE, "n": 11}, "n", "from 1 to 10"),
        ({"prompt": SCENE, "extra_body": {"steps": 0}}, "steps", "at least 1"),
        ({"prompt": SCENE, "extra_body": {"seed": 2**64}}, "seed", "at most 18446744073709551615"),
        ({"prompt": SCENE, "extra_body": {"seed": 10**400}}, "seed", "a whole number is needed"),
    ],
)
def test_a_request_that_cannot_be_is_refused_with_its_parameter(
    client: OpenAI, http: httpx.Client, request_: dict[str, Any], param: str, words: str
) -> None:
    before = len(items(http))
    with pytest.raises(openai.BadRequestError, match=words) as caught:
        client.images.generate(**request_)
    assert (caught.value.param, caught.value.type) == (param, "invalid_request_error")
    assert len(items(http)) == before


def test_a_body_whose_length_is_not_announced_is_refused_once_it_is_too_large(http: httpx.Client) -> None:
    answer = http.post("/v1/images/generations", content=(bytes(2**16) for _ in range(2 * MOST_BYTES // 2**16)))
    assert (answer.status_code, answer.headers["x-should-retry"]) == (413, "false")
    assert answer.json()["error"]["code"] == "too_large"


def test_a_web_page_of_another_origin_has_no_picture_made(http: httpx.Client) -> None:
    before = len(items(http))
    headers = {"origin": "http://elsewhere.example", "content-type": "text/plain"}  # which browsers send unasked
    answer = http.post("/v1/images/generations", content=b'{"prompt": "now", "model": "moody"}', headers=headers)
    assert answer.status_code == 403
    assert len(items(http)) == before


def test_a_full_queue_is_a_rate_limit_that_ends(client: OpenAI, http: httpx.Client) -> None:
    http.put("/api/v1/queue/default/processor/pause").raise_for_status()
    try:
        graph = {"nodes": {"a": {"type": "integer", "value": 1}}, "edges": []}
        batch = {"batch": {"graph": graph, "runs": MOST_WAITING}}
        http.post("/api/v1/queue/default/enqueue_batch", json=batch).raise_for_status()
        with pytest.raises(openai.RateLimitError, match="holds 4 of at most 4") as caught:
            client.with_options(max_retries=0).images.generate(prompt=SCENE)
        headers = caught.value.response.headers
        assert 0 < int(headers["retry-after"]) <= 120
        assert headers["x-should-retry"] == "true"
        assert caught.value.code == "rate_limit_exceeded"
    finally:
        http.put("/api/v1/queue/default/clear").raise_for_status()
        http.put("/api/v1/queue/default/processor/resume").raise_for_status()


def test_a_run_that_fails_is_not_asked_for_again(client: OpenAI, http: httpx.Client) -> None:
    before = len(items(http))
    with pytest.raises(openai.InternalServerError, match="not in the mood") as caught:
        client.images.generate(prompt="fail", model="moody")
    assert caught.value.code == "run_failed"
    assert len(items(http)) == before + 1


def test_a_stream_that_fails_raises_with_the_reason(client: OpenAI) -> None:
    stream = client.images.generate(prompt="fail", model="moody", stream=True)
    with pytest.raises(openai.APIError, match="not in the mood"):
        list(stream)


# --- leaving ---


def test_who_closes_the_stream_takes_the_picture_out_of_the_queue(client: OpenAI, http: httpx.Client) -> None:
    stream = client.images.generate(prompt="wait", model="moody", n=2, stream=True)
    newest = items(http)[:2]
    assert {item["status"] for item in newest} <= {"pending", "in_progress"}
    stream.close()
    assert {wait_for_item(http, item["item_id"])["status"] for item in newest} == {"canceled"}


def test_who_waits_no_longer_takes_the_picture_out_of_the_queue(server: RunningServer, http: httpx.Client) -> None:
    before = len(items(http))

    async def give_up() -> None:
        async with AsyncOpenAI(base_url=f"{server.url}/v1", api_key="none") as client, asyncio.timeout(60):
            waiting = asyncio.create_task(client.images.generate(prompt="wait", model="moody"))
            while len(items(http)) == before:
                await asyncio.sleep(0.02)
            waiting.cancel()
            await asyncio.wait({waiting})

    asyncio.run(give_up())
    assert wait_for_item(http, items(http)[0]["item_id"])["status"] == "canceled"


def test_a_run_that_somebody_cancels_is_over_at_once(client: OpenAI, http: httpx.Client) -> None:
    stream = client.images.generate(prompt="wait", model="moody", stream=True)
    http.put(f"/api/v1/queue/default/i/{items(http)[0]['item_id']}/cancel").raise_for_status()
    with pytest.raises(openai.APIError, match="cancelled"):
        list(stream)


# --- documentation ---


def test_a_server_may_be_its_own_external_service(server: RunningServer, http: httpx.Client) -> None:
    """Its OpenAI node waits, on a worker without a device, for a picture that the worker with one makes meanwhile."""
    config = "/api/v1/app/external_providers/config/openai"
    http.post(config, json={"api_key": "any-key-will-do", "base_url": f"{server.url}/v1"}).raise_for_status()
    values = {"prompt": SCENE, "model": {"key": "openai.gpt-image-1"}}
    answer = http.post("/api/v1/panels/openai.image/enqueue", json={"values": values}).raise_for_status()
    item = wait_for_item(http, answer.json()["item_ids"][0])
    http.delete(config).raise_for_status()
    assert item["status"] == "completed", item["error_message"]
    (image,) = item["session"]["results"]["generate"]["collection"]
    made = picture(http.get(f"/api/v1/images/i/{image['image_name']}/full").content)
    assert made.size == (128, 128)
    assert (look(made).object_colour, look(made).background_colour) == ("red", "blue")


def test_what_the_page_shows_runs_as_it_is_printed(
    server: RunningServer, star: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("star.png").write_bytes(star)
    half = Image.new("RGBA", (128, 128), (0, 0, 0, 255))
    half.paste((0, 0, 0, 0), (0, 0, 64, 128))
    half.save("mask.png")
    assert run_page(server, "docs/clients/openai.md")["answer"].size == "128x128"
