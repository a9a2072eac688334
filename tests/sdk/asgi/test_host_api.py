"""The client for the server's own API: what the API is asked, what comes back, and what leaving does."""

import asyncio
import json
from collections.abc import Callable, MutableMapping
from typing import Any

import pytest
from pydantic import BaseModel
from starlette.requests import Request

from impasto_sdk.asgi import API_SCOPE, SETTINGS_SCOPE, HostApi, UploadFile, settings_of
from impasto_sdk.errors import ApiClosedError, ApiRefusedError

Message = MutableMapping[str, Any]


async def echo(scope: Message, receive: Callable, send: Callable) -> None:
    """Answers with what it was asked."""
    request = Request(scope, receive)
    kind = request.headers.get("content-type", "")
    body: Any = (await request.body()).decode("utf-8", "replace")
    if kind.startswith("multipart/"):
        async with request.form() as form:
            body = {
                name: value
                if isinstance(value, str)
                else [value.filename, value.content_type, (await value.read()).hex()]
                for name, value in form.items()
            }
    told = {
        "method": scope["method"],
        "path": scope["path"],
        "raw": scope["raw_path"].decode(),
        "query": request.query_params.multi_items(),
        "type": kind,
        "length": request.headers["content-length"],
        "body": body,
    }
    await answer(send, 200, json.dumps(told).encode())


async def answer(send: Callable, status: int, body: bytes, *headers: tuple[bytes, bytes]) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def told(**request: Any) -> dict[str, Any]:
    method, path = request.pop("method", "POST"), request.pop("path", "/api/v1/it")
    return asyncio.run(HostApi(echo).request(method, path, **request)).checked().json()


def test_a_request_says_what_it_wants_as_over_a_network() -> None:
    asked = told(method="GET", path="/api/v1/images/i/a b.png", query={"a": [1, 2], "b": "ü", "c": True})
    assert (asked["method"], asked["path"], asked["raw"]) == (
        "GET",
        "/api/v1/images/i/a b.png",
        "/api/v1/images/i/a%20b.png",
    )
    assert asked["query"] == [["a", "1"], ["a", "2"], ["b", "ü"], ["c", "true"]]
    assert (asked["body"], asked["length"], asked["type"]) == ("", "0", "")


def test_json_and_bytes_go_as_bodies() -> None:
    asked = told(json={"values": {"prompt": "ü"}})
    assert json.loads(asked["body"]) == {"values": {"prompt": "ü"}}
    assert asked["type"] == "application/json"
    assert told(body=b"raw", headers={"Content-Type": "text/plain"})["body"] == "raw"


def test_a_form_carries_texts_and_files_whatever_they_are_called() -> None:
    form = {"metadata": "{}", "file": UploadFile(b"\r\n--\0\xff", 'a"b\r\n.png', "image/png")}
    asked = told(form=form)
    assert asked["type"].startswith("multipart/form-data; boundary=")
    assert asked["body"] == {"metadata": "{}", "file": ["a%22b%0D%0A.png", "image/png", b"\r\n--\0\xff".hex()]}


def test_a_refusal_is_an_answer_until_it_is_checked() -> None:
    problem = {"type": "urn:impasto:problem:queue-is-full", "status": 429, "detail": "the queue is full"}

    async def app(scope: Message, receive: Callable, send: Callable) -> None:
        await answer(send, 429, json.dumps(problem).encode(), (b"Retry-After", b"30"))

    refused = asyncio.run(HostApi(app).get("/"))
    assert (refused.status, refused.ok, refused.json()) == (429, False, problem)
    with pytest.raises(ApiRefusedError, match="the queue is full") as caught:
        refused.checked()
    error = caught.value
    assert (error.status, error.kind, error.problem, error.retry_after_s) == (429, "queue-is-full", problem, 30)


def test_a_refusal_without_a_problem_document_is_told_in_its_own_words() -> None:
    async def app(scope: Message, receive: Callable, send: Callable) -> None:
        await answer(send, 502, b"<p>bad gateway</p>")

    with pytest.raises(ApiRefusedError, match="bad gateway") as caught:
        asyncio.run(HostApi(app).get("/")).checked()
    assert (caught.value.kind, caught.value.retry_after_s) == ("", None)


def test_an_app_that_fails_is_told_of_with_its_reason() -> None:
    async def app(scope: Message, receive: Callable, send: Callable) -> None:
        raise KeyError("lost")

    with pytest.raises(ApiClosedError, match="lost") as caught:
        asyncio.run(HostApi(app).get("/"))
    assert isinstance(caught.value.__cause__, KeyError)


def test_an_answer_that_breaks_off_is_no_answer() -> None:
    async def app(scope: Message, receive: Callable, send: Callable) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})

    with pytest.raises(ApiClosedError, match="ended"):
        asyncio.run(HostApi(app).get("/"))


def test_server_sent_events_are_read_across_the_borders_of_chunks() -> None:
    text = b': hello\n\nid: 7.a\nevent: it\r\ndata: {"a":\ndata: 1}\n\ndata: plain\n\nevent: empty\n\n'

    async def app(scope: Message, receive: Callable, send: Callable) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for number in range(0, len(text), 5):
            await send({"type": "http.response.body", "body": text[number : number + 5], "more_body": True})
        await send({"type": "http.response.body"})

    async def read() -> list[tuple[str, str, str | None]]:
        async with HostApi(app).stream("GET", "/") as stream:
            return [(event.name, event.data, event.id) async for event in stream.events()]

    assert asyncio.run(read()) == [("it", '{"a":\n1}', "7.a"), ("message", "plain", "7.a")]


def test_who_leaves_a_stream_is_gone_for_the_app() -> None:
    seen: list[str] = []

    async def app(scope: Message, receive: Callable, send: Callable) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        pouring = asyncio.create_task(pour(send))
        seen.append((await receive())["type"])
        pouring.cancel()

    async def pour(send: Callable) -> None:
        while True:  # more than anybody reads: it waits, and is let go
            await send({"type": "http.response.body", "body": b"x", "more_body": True})
            await asyncio.sleep(0)

    async def read() -> None:
        async with HostApi(app).stream("GET", "/") as stream:
            async for chunk in stream.chunks():
                assert chunk == b"x"
                break

    asyncio.run(read())
    assert seen == ["http.disconnect"]


def test_an_app_that_does_not_notice_is_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("impasto_sdk.asgi.connection.GRACE_S", 0.01)
    cancelled: list[bool] = []

    async def app(scope: Message, receive: Callable, send: Callable) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.append(True)
            raise

    async def leave() -> None:
        async with asyncio.timeout(0.01), HostApi(app).stream("GET", "/"):
            raise AssertionError("there is no answer")

    with pytest.raises(TimeoutError):
        asyncio.run(leave())
    assert cancelled == [True]


def test_outside_a_server_there_is_no_api_and_there_are_no_settings() -> None:
    with pytest.raises(LookupError, match=API_SCOPE):
        HostApi.of({"type": "http"})
    with pytest.raises(LookupError, match=SETTINGS_SCOPE):
        settings_of({"type": "http"}, BaseModel)
