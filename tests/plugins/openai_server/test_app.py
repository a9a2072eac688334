"""The web app on a host that does as it is told: what it asks, what it answers, and what it does when things break."""

import asyncio
import base64
import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from PIL import Image
from support.host_api import Close, Ended, Seen, StandInHost, app_in, picture

from impasto_openai_server.app import OpenAIApp
from impasto_openai_server.settings import OpenAIServerSettings
from impasto_sd.panels import IMAGE_TO_IMAGE, TEXT_TO_IMAGE
from impasto_sdk.asgi import ApiResponse, HostApi, UploadFile, encode_multipart
from impasto_sdk.models import ModelRecord
from impasto_sdk.panels import Image as ImageInput
from impasto_sdk.panels import Images, Model, PanelForm, Prompt, Section

MODEL = ModelRecord(
    key="m1",
    hash="h",
    path="p",
    name="Model One",
    description="draws",
    base="sd-1",
    type="main",
    format="diffusers",
    facts={"native_size": 64, "size_step": 8, "supports": ["negative_prompt"]},
)
STAR = {"prompt": "a star"}


def host_with(*script: Seen | Ended | Close, **options: Any) -> StandInHost:
    return StandInHost([TEXT_TO_IMAGE, IMAGE_TO_IMAGE], [MODEL], script, **options)


def ask(host: StandInHost, request: Any = STAR, *settings: OpenAIServerSettings, **options: Any) -> ApiResponse:
    """The answer to a request for a picture; or another, by `path` and what `HostApi.request` takes."""
    path, method = options.pop("path", "/v1/images/generations"), options.pop("method", "POST")
    if request is not None:
        options["json"] = request

    async def run() -> ApiResponse:
        async with asyncio.timeout(30):
            return await app_in(OpenAIApp(), host, *settings).request(method, path, **options)

    return asyncio.run(run())


def edit(host: StandInHost, *parts: tuple[str, str | UploadFile]) -> ApiResponse:
    """The answer to a form, whose names may come more than once."""
    pieces = [encode_multipart({name: value}) for name, value in parts]
    boundary = pieces[0][0].partition("boundary=")[2]
    body = b"".join(
        piece.replace(kind.partition("boundary=")[2].encode(), boundary.encode()).removesuffix(
            f"--{boundary}--\r\n".encode()
        )
        for kind, piece in pieces
    )
    headers = {"content-type": f"multipart/form-data; boundary={boundary}"}
    return ask(host, None, path="/v1/images/edits", body=body + f"--{boundary}--\r\n".encode(), headers=headers)


def error_of(answer: ApiResponse, status: int) -> dict[str, Any]:
    assert answer.status == status, answer.body
    assert answer.headers["content-type"] == "application/json"
    document = answer.json()
    assert set(document) == {"error"}
    assert set(document["error"]) == {"message", "type", "param", "code"}
    error: dict[str, Any] = document["error"]
    return error


def problem(status: int, kind: str, **headers: str) -> tuple[int, dict[str, Any], dict[str, str]]:
    return status, {"type": f"urn:impasto:problem:{kind}", "detail": f"because of {kind}"}, headers


ENQUEUE = "/api/v1/panels/sd.text_to_image/enqueue"


class TestGenerate:
    def test_a_request_becomes_values_of_a_panel(self) -> None:
        host = host_with(Ended(1))
        answer = ask(host, {**STAR, "seed": 7, "steps": 5, "size": "1536x1024", "nonsense": {}, "count": 9})
        assert answer.ok, answer.body
        (enqueued,) = host.enqueued
        assert enqueued["panel_id"] == "sd.text_to_image"
        assert enqueued["values"] == {
            "prompt": "a star",
            "model": {"key": "m1"},
            "seed": {"mode": "fixed", "value": 7},
            "steps": 5,
            "count": 1,
            "size": {"width": 80, "height": 64},  # 64 is the least side
        }
        assert (enqueued["runs"], enqueued["queue_id"], enqueued["origin"]) == (1, "default", "openai")

    def test_the_answer_holds_the_bytes_and_what_was_made(self) -> None:
        document = ask(host_with(Ended(1))).json()
        assert base64.b64decode(document["data"][0]["b64_json"]) == picture((255, 0, 0))
        assert (document["size"], document["output_format"], document["background"]) == ("16x8", "png", "opaque")
        assert document["usage"] == {
            "input_tokens": 0,
            "output_tokens": 0,
            "total_tokens": 0,
            "input_tokens_details": {"image_tokens": 0, "text_tokens": 0},
        }

    def test_or_an_address_that_is_whole(self) -> None:
        document = ask(host_with(Ended(1)), {**STAR, "response_format": "url"}).json()
        assert document["data"] == [{"url": "http://pictures.example:9090/api/v1/images/i/made.png/full"}]

    def test_pictures_come_in_order_whichever_is_done_first(self) -> None:
        host = host_with(Ended(2), Ended(1), Ended(3))
        assert len(ask(host, {**STAR, "n": 3}).json()["data"]) == 3
        assert host.enqueued[0]["runs"] == 3

    @pytest.mark.parametrize("header", ["Bearer ", "Bearer none", "Basic "])
    def test_keys_are_not_looked_at(self, header: str) -> None:
        assert ask(host_with(Ended(1)), headers={"authorization": header}).ok

    def test_a_body_is_read_whatever_it_is_announced_as(self) -> None:
        body, headers = json.dumps(STAR).encode(), {"content-type": "text/plain"}
        assert ask(host_with(Ended(1)), None, body=body, headers=headers).ok

    @pytest.mark.parametrize("body", [b"{", b"", b"[]", b"\xff", b"[" * 100_000])
    def test_a_body_that_is_no_object_is_refused(self, body: bytes) -> None:
        error = error_of(ask(host_with(), None, body=body), 400)
        assert (error["type"], error["code"]) == ("invalid_request_error", "malformed_body")

    def test_a_number_that_json_does_not_know_makes_a_body_malformed(self) -> None:
        for number in ("NaN", "Infinity", "-Infinity"):
            error = error_of(ask(host_with(), None, body=f'{{"prompt": "a", "cfg_scale": {number}}}'.encode()), 400)
            assert error["code"] == "malformed_body"
            assert number in error["message"]

    @pytest.mark.parametrize("seed", [1e400, -1.5, "half", True, [1]])
    def test_a_seed_that_is_no_whole_number_of_a_size_is_refused(self, seed: Any) -> None:
        host = host_with()
        body = json.dumps({**STAR, "seed": seed}).replace("Infinity", "1e400").encode()
        error = error_of(ask(host, None, body=body), 400)
        assert (error["param"], error["code"]) == ("seed", "invalid_value")
        assert len(error["message"]) < 200
        assert host.enqueued == []

    def test_a_seed_of_any_length_is_the_panels_to_refuse(self) -> None:
        host = host_with(Ended(1))
        assert ask(host, {**STAR, "seed": 10**400}).ok
        assert host.enqueued[0]["values"]["seed"] == {"mode": "fixed", "value": 10**400}

    def test_the_operators_choices_count(self) -> None:
        host = host_with(Ended(1))
        settings = OpenAIServerSettings(openai_sizes="pixels", default_model="Model One", queue_id="default")
        assert ask(host, {**STAR, "size": "512x512", "model": "gpt-image-1"}, settings).ok
        assert host.enqueued[0]["values"]["size"] == {"width": 512, "height": 512}


class TestEdit:
    SMALL = picture((0, 255, 0))

    @pytest.mark.parametrize("name", ["image", "image[]"])
    def test_one_picture_or_a_list_of_one_is_stored_by_its_bytes(self, name: str) -> None:
        host = host_with(Ended(1), Ended(2))
        file = UploadFile(self.SMALL, "upload", "application/octet-stream")
        assert edit(host, (name, file), ("prompt", "a star"), ("n", "2"), ("strength", "0.5"), ("seed", "3")).ok
        (enqueued,) = host.enqueued
        assert (enqueued["panel_id"], enqueued["runs"]) == ("sd.image_to_image", 2)
        values = enqueued["values"]
        assert (values["init_image"], values["strength"]) == ({"image_name": "upload-0.png"}, 0.5)
        assert values["seed"] == {"mode": "fixed", "value": 3}
        assert values["size"] == {"width": 88, "height": 64}  # the shape of 4 × 2, as many pixels as suit, at least 64
        assert host.uploads == {"upload-0.png": self.SMALL}

    def test_a_mask_is_turned_round_and_what_is_masked_is_made_anew(self) -> None:
        mask = Image.new("RGBA", (4, 2), (0, 0, 0, 255))
        mask.putpixel((0, 0), (0, 0, 0, 0))
        file = io.BytesIO()
        mask.save(file, "PNG")
        host = host_with(Ended(1))
        answer = edit(
            host, ("image", UploadFile(self.SMALL)), ("mask", UploadFile(file.getvalue())), ("prompt", "a star")
        )
        assert answer.ok, answer.body
        values = host.enqueued[0]["values"]
        assert (values["mask"], values["strength"]) == ({"image_name": "upload-1.png"}, 1)
        with Image.open(io.BytesIO(host.uploads["upload-1.png"])) as stored:
            assert stored.tobytes() == bytes([255, 0, 0, 0, 0, 0, 0, 0])

    def test_several_pictures_need_a_panel_that_takes_them(self) -> None:
        two = [("image[]", UploadFile(self.SMALL)), ("image[]", UploadFile(picture((9, 9, 9))))]
        error = error_of(edit(host_with(), *two, ("prompt", "a star")), 400)
        assert (error["param"], error["code"]) == ("image", "too_many_images")
        host = StandInHost([_with_references()], [MODEL], [Ended(1)])
        assert edit(host, *two, ("prompt", "a star")).ok
        values = host.enqueued[0]["values"]
        assert (values["start"], values["style"]) == (
            {"image_name": "upload-0.png"},
            [{"image_name": "upload-1.png"}],
        )

    @pytest.mark.parametrize(
        ("parts", "param", "code"),
        [
            ([("prompt", "a star")], "image", "missing_required_parameter"),
            ([("image", UploadFile(b"plainly not")), ("prompt", "a star")], "image", "invalid_image_file"),
            ([("image", "data:image/png;base64,"), ("prompt", "a star")], "image", "invalid_image_file"),
            ([("image", UploadFile(SMALL))], "prompt", "missing_required_parameter"),
            ([("image", UploadFile(SMALL)), ("mask", UploadFile(SMALL)), ("prompt", "x")], "mask", "invalid_mask"),
            ([("image", UploadFile(SMALL)), ("prompt", "x"), ("strength", "half")], "strength", "invalid_value"),
            ([("image", UploadFile(SMALL)), ("prompt", "x"), ("strength", "nan")], "strength", "invalid_value"),
            ([("image", UploadFile(SMALL)), ("prompt", "x"), ("seed", "9" * 5000)], "seed", "invalid_value"),
        ],
    )
    def test_what_cannot_be_is_refused_before_anything_is_queued(self, parts: Any, param: str, code: str) -> None:
        host = host_with()
        error = error_of(edit(host, *parts), 400)
        assert (error["param"], error["code"]) == (param, code)
        assert host.enqueued == []

    def test_a_picture_that_the_server_cannot_read_is_a_wrong_image(self) -> None:
        host = host_with(refusals={"/api/v1/images/upload": problem(415, "not-a-readable-image")})
        error = error_of(edit(host, ("image", UploadFile(self.SMALL)), ("prompt", "a star")), 400)
        assert (error["param"], error["code"]) == ("image", "invalid_image_file")

    def test_the_kind_of_a_body_is_read_in_whatever_letters(self) -> None:
        host, (kind, body) = host_with(Ended(1)), encode_multipart({"image": UploadFile(self.SMALL), "prompt": "a"})
        headers = {"content-type": kind.replace("multipart/form-data", "Multipart/Form-Data")}
        assert ask(host, None, path="/v1/images/edits", body=body, headers=headers).ok

    def test_another_body_than_a_form_is_refused(self) -> None:
        error = error_of(ask(host_with(), STAR, path="/v1/images/edits"), 400)
        assert "send multipart/form-data" in error["message"]

    def test_a_form_that_is_none_is_refused(self) -> None:
        headers = {"content-type": "multipart/form-data; boundary=x"}
        answer = ask(host_with(), None, path="/v1/images/edits", body=b"--x\r\nnonsense", headers=headers)
        assert error_of(answer, 400)["type"] == "invalid_request_error"


def _with_references() -> PanelForm:
    fields = [
        Prompt(id="words", title="Words", required=True),
        Model(id="weights", title="Weights", required=True),
        ImageInput(id="start", title="Start", required=True),
        Images(id="style", title="Style"),
    ]
    section = Section(id="all", title="All", fields=fields)
    return PanelForm(id="toy.edit", title="Toy", values_version=1, makes="image", sections=[section])


class TestStream:
    def events(self, host: StandInHost, request: dict[str, Any]) -> list[dict[str, Any]]:
        async def run() -> list[dict[str, Any]]:
            async with asyncio.timeout(30), stream(host, request) as answer:
                return [event.json() async for event in answer.events()]

        return asyncio.run(run())

    def test_partial_images_are_few_and_as_large_as_the_picture(self) -> None:
        host = host_with(*(Seen(1, share / 10) for share in range(1, 10)), Ended(1))
        *partial, last = self.events(host, {**STAR, "partial_images": 2, "size": "96x64", "quality": "low"})
        assert [event["type"] for event in partial] == ["image_generation.partial_image"] * 2
        assert [event["partial_image_index"] for event in partial] == [0, 1]
        for event in partial:
            assert (event["size"], event["output_format"], event["background"]) == ("96x64", "png", "opaque")
            with Image.open(io.BytesIO(base64.b64decode(event["b64_json"]))) as seen:
                assert (seen.size, seen.format) == ((96, 64), "PNG")
        assert last["type"] == "image_generation.completed"
        assert (last["quality"], last["size"], last["usage"]["total_tokens"]) == ("low", "16x8", 0)

    def test_without_partial_images_no_preview_is_asked_for(self) -> None:
        (only,) = self.events(host_with(Seen(1, 0.5), Ended(1)), STAR)
        assert only["type"] == "image_generation.completed"

    def test_each_picture_has_its_event(self) -> None:
        host = host_with(Seen(2, 0.5), Ended(2), Seen(1, 0.9), Seen(2, 0.9), Ended(1))
        types = [event["type"] for event in self.events(host, {**STAR, "n": 2, "partial_images": 1})]
        assert types == ["image_generation.partial_image", "image_generation.completed"] * 2

    def test_a_failure_in_the_middle_is_an_event_and_the_rest_is_cancelled(self) -> None:
        host = host_with(Ended(2), Ended(1, "failed", "the worker was lost"))
        first, last = self.events(host, {**STAR, "n": 3})
        assert first["type"] == "image_generation.completed"
        assert last["error"]["message"] == "the picture could not be made: the worker was lost"
        assert host.cancelled == ["the-batch"]

    def test_a_request_that_is_refused_begins_no_stream(self) -> None:
        host = host_with(refusals={ENQUEUE: problem(422, "panel-values-do-not-fit")})
        assert error_of(ask(host, {**STAR, "stream": True}), 400)["message"] == "because of panel-values-do-not-fit"

    def test_a_long_silence_is_broken_by_comments(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("impasto_openai_server.images.HEARTBEAT_S", 0.01)

        async def run() -> str:
            async with asyncio.timeout(30), stream(host_with(), STAR) as answer:
                return await anext(answer.lines())

        assert asyncio.run(run()).startswith(":")

    def test_who_leaves_takes_the_pictures_out_of_the_queue(self) -> None:
        host = host_with(Ended(1))

        async def run() -> None:
            async with asyncio.timeout(30), stream(host, {**STAR, "n": 2}) as answer:
                async for _ in answer.events():
                    break

        asyncio.run(run())
        assert host.cancelled == ["the-batch"]
        assert host.listeners == 0

    def test_who_has_all_cancels_nothing(self) -> None:
        host = host_with(Ended(1))
        self.events(host, STAR)
        assert host.cancelled == []
        assert host.listeners == 0


@asynccontextmanager
async def stream(host: StandInHost, request: dict[str, Any]) -> AsyncIterator[Any]:
    api: HostApi = app_in(OpenAIApp(), host)
    async with api.stream("POST", "/v1/images/generations", json={**request, "stream": True}) as answer:
        assert answer.status == 200
        assert answer.headers["content-type"].startswith("text/event-stream")
        yield answer


class TestBreaks:
    @pytest.mark.parametrize(
        ("ended", "words"),
        [
            (Ended(1, "failed", "boom"), "the picture could not be made: boom"),
            (Ended(1, "canceled"), "somebody cancelled"),
            (Ended(1, "canceled", event="queue_items_canceled"), "somebody cancelled"),
            (Ended(1, "deleted", event="queue_items_deleted"), "somebody cancelled"),
            (Ended(1, "deleted", event="queue_cleared"), "somebody cancelled"),
        ],
    )
    def test_a_run_that_came_to_nothing_is_not_worth_another_try(self, ended: Ended, words: str) -> None:
        answer = ask(host_with(ended))
        assert words in error_of(answer, 500)["message"]
        assert answer.headers["x-should-retry"] == "false"

    def test_an_event_about_others_is_no_end(self) -> None:
        others = Ended(1, "in_progress", event="queue_items_canceled")
        assert ask(host_with(others, Ended(1))).ok

    def test_a_run_without_a_picture_says_so(self) -> None:
        error = error_of(ask(host_with(Ended(1), results=[("step.png", True)])), 500)
        assert "ended without a picture" in error["message"]

    def test_the_stream_of_events_is_taken_up_where_it_broke_off(self) -> None:
        host = host_with(Ended(1, "in_progress"), Close(1013, "events were missed"), Ended(1))
        assert ask(host).ok
        assert host.streams == [None, "1"]

    def test_an_end_that_was_missed_in_a_break_is_seen_after_it(self) -> None:
        assert ask(host_with(Ended(1, event=None), Close(1013, "events were missed"))).ok

    def test_a_server_that_stops_may_be_asked_again(self) -> None:
        host = host_with(Close(1001, "the server stops"))
        answer = ask(host)
        assert error_of(answer, 503)["message"] == "the server broke off: the server stops"
        assert answer.headers["x-should-retry"] == "true"
        assert host.cancelled == ["the-batch"]

    def test_a_full_queue_is_worth_a_wait(self) -> None:
        answer = ask(host_with(refusals={ENQUEUE: problem(429, "queue-is-full", **{"retry-after": "30"})}))
        assert error_of(answer, 429)["code"] == "rate_limit_exceeded"
        assert (answer.headers["retry-after"], answer.headers["x-should-retry"]) == ("30", "true")

    def test_a_plugin_that_refuses_is_obeyed_at_once(self) -> None:
        answer = ask(host_with(refusals={ENQUEUE: problem(409, "refused-by-a-plugin")}))
        assert error_of(answer, 403)["type"] == "permission_error"
        assert answer.headers["x-should-retry"] == "false"

    def test_a_finding_names_the_parameter_of_the_request(self) -> None:
        status, document, headers = problem(422, "panel-values-do-not-fit")
        document["errors"] = [{"message": "too long", "path": "/prompt"}]
        answer = ask(host_with(refusals={ENQUEUE: (status, document, headers)}))
        assert error_of(answer, 400)["param"] == "prompt"

    def test_a_mistake_of_this_plugin_is_logged_and_tells_nothing(self, caplog: pytest.LogCaptureFixture) -> None:
        answer = ask(host_with(refusals={"/api/v1/panels/": (200, {"no": "panels"}, {})}))
        assert error_of(answer, 500)["message"] == "the server made a mistake; its log says more"
        assert "KeyError" in caplog.text

    def test_without_a_model_the_server_is_not_ready_and_will_not_be(self) -> None:
        host = host_with()
        host.models = []
        answer = ask(host)
        assert error_of(answer, 503)["code"] == "no_model"
        assert answer.headers["x-should-retry"] == "false"


class TestPaths:
    def test_models_are_listed_and_found(self) -> None:
        described = {
            "id": "model-one",
            "object": "model",
            "created": 0,
            "owned_by": "impasto",
            "name": "Model One",
            "description": "draws",
        }
        listed = ask(host_with(), None, method="GET", path="/v1/models").json()
        assert listed == {"object": "list", "data": [described]}
        for name in ("model-one", "m1", "Model One"):
            assert ask(host_with(), None, method="GET", path=f"/v1/models/{name}").json() == described

    def test_a_model_that_is_not_there_is_not_found(self) -> None:
        error = error_of(ask(host_with(), None, method="GET", path="/v1/models/black-forest/flux"), 404)
        assert error["code"] == "model_not_found"
        assert "'black-forest/flux'" in error["message"]

    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("POST", "/v1/chat/completions", 404),
            ("POST", "/v1/images/variations", 404),
            ("GET", "/v1/images/generations", 405),
            ("DELETE", "/v1/models/model-one", 405),
            ("GET", "/v1", 404),
        ],
    )
    def test_other_paths_are_refused_in_the_same_words(self, method: str, path: str, status: int) -> None:
        error = error_of(ask(host_with(), None, method=method, path=path), status)
        assert error["code"] == "unknown_url"
        assert f"{method} {path}" in error["message"]
