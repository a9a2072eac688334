"""The event socket: events, previews, choosing others, and what ends it. The app at the other end is the API itself."""

import asyncio
import json
import struct
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from support.http_servers import HttpServer, http_server

from impasto_sdk.asgi import ApiEvent, ApiPreview, HostApi
from impasto_sdk.errors import ApiClosedError, ApiRefusedError


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpServer]:
    with http_server(tmp_path_factory.mktemp("root")) as running:
        yield running


@pytest.fixture
def api(server: HttpServer) -> HostApi:
    from impasto.api.factory import create_api

    return HostApi(create_api(server.app))


GRAPH = {"id": "g", "nodes": {"a": {"id": "a", "type": "integer", "value": 1}}, "edges": []}


async def enqueue(api: HostApi) -> dict[str, Any]:
    answer = await api.request("POST", "/api/v1/queue/default/enqueue_batch", json={"batch": {"graph": GRAPH}})
    enqueued: dict[str, Any] = answer.checked().json()
    return enqueued


def test_what_is_enqueued_after_the_greeting_is_told_of(api: HostApi) -> None:
    async def follow() -> list[ApiEvent]:
        async with asyncio.timeout(30), api.events(names=["batch_enqueued", "queue_item_status_changed"]) as events:
            assert events.hello.name == "hello"
            batch = await enqueue(api)
            found = []
            async for event in events:
                assert isinstance(event, ApiEvent)
                found.append(event)
                if event.name == "batch_enqueued":
                    assert event.data["batch_id"] == batch["batch"]["batch_id"]
                    path = f"/api/v1/queue/default/i/{batch['item_ids'][0]}/cancel"
                    (await api.request("PUT", path)).checked()
                else:
                    assert events.last_id == event.id
                    return found
        raise AssertionError("the stream ended")

    assert [event.name for event in asyncio.run(follow())] == ["batch_enqueued", "queue_item_status_changed"]


def test_other_events_can_be_chosen_while_it_is_open(api: HostApi) -> None:
    async def follow() -> str:
        async with asyncio.timeout(30), api.events(names=["workflow_created"]) as events:
            events.subscribe(names=["batch_enqueued"])
            reading = asyncio.ensure_future(anext(aiter(events)))
            while not reading.done():  # until the choice is in force, what is enqueued is not told of
                await enqueue(api)
                await asyncio.wait({reading}, timeout=0.05)
            event = reading.result()
            assert isinstance(event, ApiEvent)
            return event.name

    assert asyncio.run(follow()) == "batch_enqueued"


def test_a_choice_that_makes_no_sense_ends_it_with_the_reason(api: HostApi) -> None:
    async def follow() -> None:
        async with asyncio.timeout(30), api.events() as events:
            events.subscribe(names=["batch_enqueud"])
            async for _ in events:
                pass

    with pytest.raises(ApiClosedError, match="did you mean 'batch_enqueued'"):
        asyncio.run(follow())


def test_a_socket_that_does_not_open_says_why(api: HostApi) -> None:
    async def follow() -> None:
        async with asyncio.timeout(30), api.events(names=["nothing"]):
            raise AssertionError("there is no such event")

    with pytest.raises(ApiClosedError, match="there is no event 'nothing'"):
        asyncio.run(follow())


def test_a_path_without_a_socket_is_refused(api: HostApi) -> None:
    async def follow() -> None:
        async with asyncio.timeout(30), api.socket("/api/v1/no/socket"):
            raise AssertionError("there is no such socket")

    with pytest.raises(ApiClosedError):
        asyncio.run(follow())


def test_the_api_answers_as_it_does_over_the_network(server: HttpServer, api: HostApi) -> None:
    async def ask() -> None:
        assert (await api.get("/api/v1/app/version")).json() == server.client.get("/api/v1/app/version").json()
        with pytest.raises(ApiRefusedError, match="has no item 999") as caught:
            (await api.get("/api/v1/queue/default/i/999")).checked()
        assert caught.value.kind == "not-found"

    asyncio.run(ask())


def test_a_preview_follows_its_event_as_a_picture() -> None:
    header = {"id": 5, "item_id": 3, "invocation_source_id": "denoise", "media_type": "image/webp"}
    encoded = json.dumps(header).encode()
    frames = [
        {"text": json.dumps({"id": 4, "event": "hello", "data": {}})},
        {"text": json.dumps({"id": 5, "event": "invocation_progress", "data": {"percentage": 0.5}})},
        {"bytes": struct.pack(">I", len(encoded)) + encoded + b"RIFF"},
    ]

    async def app(scope: dict[str, Any], receive: Callable, send: Callable) -> None:
        assert scope["query_string"] == b"previews=true&last_id=2"
        await send({"type": "websocket.accept"})
        for frame in frames:
            await send({"type": "websocket.send", **frame})
        await send({"type": "websocket.close", "code": 1001, "reason": "the server stops"})

    async def follow() -> list[object]:
        found: list[object] = []
        async with HostApi(app).events(previews=True, last_id=2) as events:
            try:
                async for one in events:
                    found.append(one)
            except ApiClosedError as closed:
                found.append((closed.code, closed.reason))
        return found

    assert asyncio.run(follow()) == [
        ApiEvent(5, "invocation_progress", {"percentage": 0.5}),
        ApiPreview(5, 3, "denoise", "image/webp", b"RIFF"),
        (1001, "the server stops"),
    ]
