"""Events over HTTP: both streams tell the same, in order, and who comes back has missed nothing."""

import json
import struct
import threading
from collections import deque
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
    # whose model is hashed meanwhile, and told of
    with http_server(tmp_path_factory.mktemp("root"), disabled_plugins=["impasto-starter"]) as running:
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


def published(server: HttpServer, event: Event) -> int:
    """Publish a durable event; gives its id once it is on disk."""
    with server.app.bus.subscribe(accept=lambda each: each == event) as reader:
        server.app.bus.publish(event)
        envelope = reader.get(30)
    assert envelope is not None
    return envelope.id


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
        event_id = published(server, batch("one"))
        event = received(socket)

    assert hello["event"] == "hello"
    assert hello["data"]["epoch"] == server.app.bus.epoch
    assert hello["data"]["last_id"] < event_id
    assert hello["data"]["complete"] is True
    assert (event["id"], event["event"], event["data"]["batch_id"]) == (event_id, "batch_enqueued", "one")


def test_server_sent_events_tell_the_same(server: HttpServer) -> None:
    with server.client.stream("GET", "/api/v1/events") as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        told = blocks(answer.iter_lines())
        hello = next(told)
        event_id = published(server, batch("two"))
        event = next(told)

    assert hello["event"] == "hello"
    assert event["event"] == "batch_enqueued"
    assert event["id"] == f"{event_id}.{server.app.bus.epoch}"
    assert json.loads(event["data"])["batch_id"] == "two"


def test_who_comes_back_with_the_last_id_gets_what_was_missed(server: HttpServer) -> None:
    seen = published(server, batch("seen"))
    server.app.bus.publish(progress())
    missed = published(server, batch("missed"))

    only = "events=batch_enqueued"  # starter models that are hashed meanwhile are told of too
    with socket_of(server, f"last_id={seen}&{only}") as socket:
        assert received(socket)["data"]["complete"] is True
        event = received(socket)
    headers = {"Last-Event-ID": f"{seen}.{server.app.bus.epoch}"}
    with server.client.stream("GET", f"/api/v1/events?{only}", headers=headers) as answer:
        told = blocks(answer.iter_lines())
        next(told)
        sent = next(told)

    assert (event["id"], event["data"]["batch_id"]) == (missed, "missed")
    assert json.loads(sent["data"])["batch_id"] == "missed"


@pytest.mark.parametrize("last_id", ["99999999", "1.another-life"])
def test_who_comes_back_with_an_id_of_another_line_is_told_that_something_is_missing(
    server: HttpServer, last_id: str
) -> None:
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
        server.app.bus.publish(progress(b"\xff\xd8picture"))
        told = received(socket)
        frame = socket.recv(timeout=30)

    assert told["data"]["image"] is None
    assert isinstance(frame, bytes)
    [length] = struct.unpack(">I", frame[:4])
    header = json.loads(frame[4 : 4 + length])
    assert (header["id"], header["item_id"], header["media_type"]) == (told["id"], 7, "image/jpeg")
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


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("item_id=seven", "item_id.0: input should be a valid integer"),
        ("previews=maybe", "previews: input should be a valid boolean"),
        ("last_id=" + "%C3%A9" * 80, "éé"),  # longer than the frame that closes a socket
    ],
)
def test_a_query_that_makes_no_sense_closes_the_socket_with_the_reason(
    server: HttpServer, query: str, named: str
) -> None:
    with socket_of(server, query) as socket, pytest.raises(ConnectionClosed) as closed:
        socket.recv(timeout=30)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1008
    assert named in closed.value.rcvd.reason


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


def test_several_batches_items_and_names_can_be_asked_for(server: HttpServer) -> None:
    with socket_of(server, "batch_id=a&batch_id=b&events=batch_enqueued&events=queue_cleared") as socket:
        received(socket)
        for name in ("a", "c", "b"):
            server.app.bus.publish(batch(name))
        server.app.bus.publish(progress())
        assert [received(socket)["data"]["batch_id"] for _ in range(2)] == ["a", "b"]
    seen = published(server, batch("before"))
    published(server, batch("c"))
    missed = published(server, batch("b"))
    query = f"last_id={seen}&batch_id=a&batch_id=b"
    with server.client.stream("GET", f"/api/v1/events?{query}") as answer:
        told = blocks(answer.iter_lines())
        next(told)
        assert next(told)["id"] == f"{missed}.{server.app.bus.epoch}"


def test_a_name_that_no_event_has_is_refused(server: HttpServer) -> None:
    problem = server.problem(server.client.get("/api/v1/events?events=queue_item_changed"), 422)
    assert "there is no event 'queue_item_changed'; did you mean 'queue_" in problem["detail"]
    with socket_of(server, "events=x") as socket, pytest.raises(ConnectionClosed) as closed:
        socket.recv(timeout=30)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1008


def test_a_socket_chooses_other_events_while_it_is_open(server: HttpServer) -> None:
    with socket_of(server, "queue_id=default") as socket:
        received(socket)
        socket.send(json.dumps({"subscribe": {"batch_id": ["mine"]}}))
        answer = received(socket)
        server.app.bus.publish(batch("yours"))
        server.app.bus.publish(batch("mine"))
        first = received(socket)
        socket.send(json.dumps({"subscribe_queue": {"queue_id": "other"}}))
        again = received(socket)
        server.app.bus.publish(batch("mine"))
        server.app.bus.publish(batch("mine", "other"))
        second = received(socket)

    everything = {"queue_id": None, "item_id": None, "batch_id": ["mine"], "events": None}
    assert (answer["event"], answer["data"]) == ("subscribed", everything)
    assert first["data"]["batch_id"] == "mine"
    assert (again["event"], again["data"]) == ("subscribed", {**everything, "queue_id": ["other"]})
    assert (second["data"]["queue_id"], second["data"]["batch_id"]) == ("other", "mine")


@pytest.mark.parametrize("frame", ["?", '{"subscribe": {"queue": 1}}', b"\x00"])
def test_a_frame_that_makes_no_sense_is_answered_and_changes_nothing(server: HttpServer, frame: str | bytes) -> None:
    with socket_of(server, "batch_id=mine") as socket:
        received(socket)
        socket.send(frame)
        answer = received(socket)
        server.app.bus.publish(batch("yours"))
        server.app.bus.publish(batch("mine"))
        event = received(socket)

    assert answer["event"] == "refused"
    assert answer["data"]["message"]
    assert event["data"]["batch_id"] == "mine"


def test_a_socket_that_is_slow_is_waited_for_and_misses_nothing(tmp_path: Path) -> None:
    large = "x" * 200_000
    with (
        http_server(tmp_path, event_buffer=100) as slow,
        socket_of(slow, max_queue=1, max_size=None, ping_interval=None) as socket,
    ):
        start = received(socket)["data"]["last_id"]
        # more than the buffer and what lies between the two ends can hold
        for _ in range(400):
            slow.app.bus.publish(batch(large))
        published(slow, batch("last"))
        with slow.app.bus.subscribe(since=start) as all_of_them:
            known = [all_of_them.get(30).id for _ in range(401)]  # type: ignore[union-attr]
        got = [json.loads(socket.recv(timeout=30))["id"] for _ in range(401)]
    assert got == known


def test_a_socket_whose_next_events_are_forgotten_is_sent_away_with_a_reason(tmp_path: Path) -> None:
    large = "x" * 200_000
    with (
        http_server(tmp_path, event_buffer=100) as slow,
        socket_of(slow, max_queue=1, max_size=None, ping_interval=None) as socket,
    ):
        received(socket)
        for _ in range(300):
            slow.app.bus.publish(batch(large))
        newest = published(slow, batch("last"))
        slow.app.log.forget(2**40)
        got = []
        with pytest.raises(ConnectionClosed) as closed:
            got.extend(json.loads(message)["id"] for message in socket)
        assert got == list(range(got[0], got[0] + len(got)))
        assert got[-1] < newest
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1013
        assert closed.value.rcvd.reason.startswith(f"what came after event {got[-1]} is no longer kept")
        with socket_of(slow, f"last_id={got[-1]}") as again:
            assert received(again)["data"]["complete"] is False


def test_the_workflow_library_tells_of_its_changes(server: HttpServer) -> None:
    with socket_of(server, "events=workflow_created&events=workflow_deleted") as socket:
        received(socket)
        document = {"name": "mine", "nodes": [], "edges": []}
        saved = server.client.post("/api/v1/workflows/", json={"workflow": document}).raise_for_status().json()
        server.client.delete(f"/api/v1/workflows/i/{saved['workflow_id']}").raise_for_status()
        events = [received(socket) for _ in range(2)]
    assert [event["event"] for event in events] == ["workflow_created", "workflow_deleted"]
    assert {event["data"]["workflow_id"] for event in events} == {saved["workflow_id"]}


def test_a_server_that_stops_ends_its_streams(tmp_path: Path) -> None:
    said_hello, ended = threading.Event(), threading.Event()

    def follow(url: str) -> None:
        with httpx.stream("GET", f"{url}/api/v1/events", timeout=60, trust_env=False) as answer:
            told = blocks(answer.iter_lines())
            next(told)
            said_hello.set()
            assert all(one["event"].startswith("model_") for one in told)  # starters are still being hashed
        ended.set()

    with ExitStack() as open_until_then:
        with http_server(tmp_path) as stopping:
            reader = threading.Thread(target=follow, args=(stopping.url,))
            reader.start()
            socket = open_until_then.enter_context(socket_of(stopping))
            received(socket)
            assert said_hello.wait(30)
        with pytest.raises(ConnectionClosed) as closed:
            deque(iter(lambda: socket.recv(timeout=30), None), maxlen=0)
    reader.join(30)
    assert ended.is_set()
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code in (1001, 1012)
