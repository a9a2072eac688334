"""What is enqueued is followed to its end, on a real server that runs nothing, so that every moment can be arranged."""

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from impasto.api.server import Server
from impasto.app import Impasto
from impasto.cli.client import Client, JsonObject
from impasto.cli.event_stream import EventMessage
from impasto.cli.failures import RunFailedError, StoppedError
from impasto.cli.follow import enqueue_and_follow
from impasto.errors import ServerError
from impasto.settings import Settings

QUEUE = "/api/v1/queue/default"
BATCH = {"batch": {"graph": {"nodes": {"one": {"type": "integer", "value": 1}}, "edges": []}, "runs": 2}}


@pytest.fixture
def app(tmp_path: Path) -> Impasto:
    return Impasto.build(Settings.load(root=tmp_path, flags={"port": 0}))


@pytest.fixture
def client(app: Impasto) -> Iterator[Client]:
    server = Server(app, work=False)
    with Client(server.start_in_thread()) as client:
        yield client
    server.stop()


def statuses(client: Client) -> list[str]:
    return [item["status"] for item in client.get(f"{QUEUE}/list_all")]


def test_items_are_given_when_all_have_completed(app: Impasto, client: Client) -> None:
    shown = []

    def enqueue() -> JsonObject:
        result = client.enqueue(f"{QUEUE}/enqueue_batch", BATCH)
        # as a worker would, while the client has not yet begun to listen
        for _ in range(2):
            item = app.queue.claim("worker")
            app.queue.complete(item.item_id)
        return result

    items = enqueue_and_follow(client, "default", enqueue, shown.append)
    assert [item["status"] for item in items] == ["completed", "completed"]
    assert [event.data["status"] for event in shown] == ["in_progress", "completed", "in_progress", "completed"]


def test_the_first_item_that_fails_ends_the_wait_and_cancels_the_rest(app: Impasto, client: Client) -> None:
    def enqueue() -> JsonObject:
        result = client.enqueue(f"{QUEUE}/enqueue_batch", BATCH)
        app.queue.fail(app.queue.claim("worker").item_id, "SomeError", "there is no such thing", "")
        return result

    with pytest.raises(RunFailedError, match="failed: there is no such thing"):
        enqueue_and_follow(client, "default", enqueue, lambda event: None)
    assert statuses(client) == ["failed", "canceled"]


def test_an_interrupt_while_the_answer_is_on_its_way_cancels_what_was_enqueued(client: Client) -> None:
    def enqueue() -> JsonObject:
        result = client.enqueue(f"{QUEUE}/enqueue_batch", BATCH)
        os.kill(os.getpid(), signal.SIGINT)
        return result

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(StoppedError) as stopped:
        enqueue_and_follow(client, "default", enqueue, lambda event: None)
    assert len(stopped.value.item_ids) == 2
    assert statuses(client) == ["canceled", "canceled"]
    assert signal.getsignal(signal.SIGINT) is before


def test_a_second_interrupt_is_not_held_back(client: Client) -> None:
    def enqueue() -> JsonObject:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        raise AssertionError("it went on")

    with pytest.raises(StoppedError):
        enqueue_and_follow(client, "default", enqueue, lambda event: None)


def test_who_waits_for_a_server_that_stops_is_told_which_items_are_kept(app: Impasto) -> None:
    server = Server(app, work=False)
    with Client(server.start_in_thread()) as client:

        def enqueue() -> JsonObject:
            result = client.enqueue(f"{QUEUE}/enqueue_batch", BATCH)
            stopping.start()
            return result

        stopping = threading.Thread(target=server.stop)
        with pytest.raises(ServerError, match=r"; queue items 1, 2 are kept and will go on when it runs again$"):
            enqueue_and_follow(client, "default", enqueue, lambda event: None)
        stopping.join()


def test_a_server_that_is_gone_does_not_hide_that_the_command_was_stopped(app: Impasto) -> None:
    server = Server(app, work=False)

    def show(event: EventMessage) -> None:
        server.stop()
        raise KeyboardInterrupt

    def enqueue() -> JsonObject:
        result = client.enqueue(f"{QUEUE}/enqueue_batch", BATCH)
        app.queue.claim("worker")
        return result

    with Client(server.start_in_thread()) as client, pytest.raises(StoppedError) as stopped:
        enqueue_and_follow(client, "default", enqueue, show)

    assert stopped.value.item_ids == ()
