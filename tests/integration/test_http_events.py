"""Events over HTTP: both streams tell the same, in order, and who comes back has missed nothing."""

import json
import struct
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from support.http_servers import HttpServer, http_server
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from impasto_sdk.events import BatchEnqueuedEvent, Event, InvocationProgressEvent, WorkerStatusChangedEvent


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpServer]:
    with http_server(tmp_path_factory.mktemp("root")) as running:
        yield running


def batch(batch_id: str, queue_id: str = "default") -> Event:
    return BatchEnqueuedEvent(queue_id=queue_id, batch_id=batch_id, enqueued=1, requested=1, priority=0)


def progress(preview: bytes | None = None) -> Event:
    return InvocationProgressEvent(
        queue_id="default",
        item_id=7,
        batch_id="b",
        session_id="s",
        invocation={"id": "denoise", "type": "denoise_latents"},
        invocation_source_id="denoise",
        message="half way",
        percentage=0.5,
        preview=preview,
        image=None if preview is None else {"width": 8, "height": 8, "dataURL": "data:…"},
    )


def socket_of(server: HttpServer, query: str = "", **options: Any) -> ClientConnection:
    return connect(f"{server.url.replace('http', 'ws', 1)}/api/v1/events/ws?{query}", proxy=None, **options)


def received(socket: ClientConnection) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(socket.recv(timeout=30))
    return document


def blocks(lines: Iterator[str]) -> Iterator[dict[str, str]]:
    """Server-sent events, each as its fields."""
    block: dict[str, str] = {}
    for line in lines:
        if line and not line.startswith(":"):
            key, _, value = line.partition(": ")
            block[key] = value
        elif block:
            yield block
            block = {}


def test_a_socket_says_hello_and_then_what_happens(server: HttpServer) -> None:
    with socket_of(server) as socket:
        hello = received(socket)
        event_id = server.app.bus.publish(batch("one"))
        event = received(socket)

    assert hello["event"] == "hello"
    assert hello["data"] == {"epoch": server.app.bus.epoch, "last_id": event_id - 1, "complete": True}
    assert (event["id"], event["event"], event["data"]["batch_id"]) == (event_id, "batch_enqueued", "one")


def test_server_sent_events_tell_the_same(server: HttpServer) -> None:
    with server.client.stream("GET", "/api/v1/events") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        told = blocks(answer.iter_lines())
        hello = next(told)
        event_id = server.app.bus.publish(batch("two"))
        event = next(told)

    assert hello["event"] == "hello"
    assert event["event"] == "batch_enqueued"
    assert event["id"] == f"{event_id}.{server.app.bus.epoch}"
    assert json.loads(event["data"])["batch_id"] == "two"


def test_who_comes_back_with_the_last_id_gets_what_was_missed(server: HttpServer) -> None:
    seen = server.app.bus.publish(batch("seen"))
    server.app.bus.publish(progress())
    missed = server.app.bus.publish(batch("missed"))

    with socket_of(server, f"last_id={seen}") as socket:
        assert received(socket)["data"]["complete"] is True
        event = received(socket)
    headers = {"Last-Event-ID": f"{seen}.{server.app.bus.epoch}"}
    with server.client.stream("GET", "/api/v1/events", headers=headers) as answer:
        told = blocks(answer.iter_lines())
        next(told)
        sent = next(told)

    assert (event["id"], event["data"]["batch_id"]) == (missed, "missed")
    assert json.loads(sent["data"])["batch_id"] == "missed"


@pytest.mark.parametrize("last_id", ["99999999", "1.another-life"])
def test_who_comes_back_from_another_life_is_told_that_something_is_missing(server: HttpServer, last_id: str) -> None:
    with socket_of(server, f"last_id={last_id}") as socket:
        assert received(socket)["data"]["complete"] is False


def test_a_filter_lets_through_what_was_asked_for(server: HttpServer) -> None:
    with socket_of(server, "queue_id=default&batch_id=mine") as socket:
        received(socket)
        server.app.bus.publish(batch("mine", "other"))
        server.app.bus.publish(batch("yours"))
        server.app.bus.publish(WorkerStatusChangedEvent(worker_id="w", status="ready"))
        server.app.bus.publish(batch("mine"))
        event = received(socket)

    assert (event["data"]["queue_id"], event["data"]["batch_id"]) == ("default", "mine")


def test_previews_are_binary_frames_for_who_asks_for_them(server: HttpServer) -> None:
    with socket_of(server, "previews=1") as socket:
        received(socket)
        event_id = server.app.bus.publish(progress(b"\xff\xd8picture"))
        told = received(socket)
        frame = socket.recv(timeout=30)

    assert told["data"]["image"] is None
    assert isinstance(frame, bytes)
    [length] = struct.unpack(">I", frame[:4])
    header = json.loads(frame[4 : 4 + length])
    assert (header["id"], header["item_id"], header["media_type"]) == (event_id, 7, "image/jpeg")
    assert frame[4 + length :] == b"\xff\xd8picture"


def test_previews_stay_in_the_text_for_who_does_not(server: HttpServer) -> None:
    with socket_of(server) as socket:
        received(socket)
        server.app.bus.publish(progress(b"\xff\xd8picture"))
        told = received(socket)
        server.app.bus.publish(batch("next"))
        assert received(socket)["event"] == "batch_enqueued"

    assert told["data"]["image"]["dataURL"] == "data:…"
    assert "preview" not in told["data"]


def test_a_last_id_that_is_none_is_refused(server: HttpServer) -> None:
    assert "no event id" in server.problem(server.client.get("/api/v1/events?last_id=x"), 422)["detail"]
    with socket_of(server, "last_id=x") as socket, pytest.raises(ConnectionClosed) as closed:
        socket.recv(timeout=30)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1008


def test_a_page_of_another_origin_opens_no_stream(server: HttpServer) -> None:
    with pytest.raises(InvalidStatus) as refused, socket_of(server, origin="https://evil.example"):
        pass
    assert refused.value.response.status_code == 403


def test_streams_that_are_left_are_forgotten(server: HttpServer) -> None:
    with server.client.stream("GET", "/api/v1/events") as answer, socket_of(server) as socket:
        next(blocks(answer.iter_lines()))
        received(socket)
    # a new one is told of an event although the others do not read any more
    with socket_of(server) as socket:
        received(socket)
        server.app.bus.publish(batch("after"))
        assert received(socket)["data"]["batch_id"] == "after"


def test_a_socket_that_is_too_slow_is_sent_away_and_has_lost_nothing_before_that(tmp_path: Path) -> None:
    large = "x" * 200_000
    with http_server(tmp_path, event_buffer=100) as slow, socket_of(slow, max_queue=1, max_size=None) as socket:
        first = received(socket)["data"]["last_id"] + 1
        # more than the buffer and what lies between the two ends can hold
        for _ in range(400):
            slow.app.bus.publish(batch(large))
        got: list[int] = []
        with pytest.raises(ConnectionClosed) as closed:
            got.extend(json.loads(message)["id"] for message in socket)

    assert got == list(range(first, first + len(got)))
    assert 100 <= len(got) < 400
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1013
    assert "come back with the last id" in closed.value.rcvd.reason


def test_a_server_that_stops_ends_its_streams(tmp_path: Path) -> None:
    said_hello, ended = threading.Event(), threading.Event()

    def follow(url: str) -> None:
        with httpx.stream("GET", f"{url}/api/v1/events", timeout=60, trust_env=False) as answer:
            told = blocks(answer.iter_lines())
            next(told)
            said_hello.set()
            assert list(told) == []
        ended.set()

    with ExitStack() as open_until_then:
        with http_server(tmp_path) as stopping:
            reader = threading.Thread(target=follow, args=(stopping.url,))
            reader.start()
            socket = open_until_then.enter_context(socket_of(stopping))
            received(socket)
            assert said_hello.wait(30)
        with pytest.raises(ConnectionClosed) as closed:
            socket.recv(timeout=30)
    reader.join(30)
    assert ended.is_set()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code in (1001, 1012)
