"""The bus: one order for all, and listeners that cannot hurt a publisher or one another."""

import logging
import threading

import pytest

from impasto.events import EventBus
from impasto_sdk.events import Event, QueueClearedEvent


def cleared(queue_id: str = "default") -> QueueClearedEvent:
    return QueueClearedEvent(queue_id=queue_id)


def test_threads_publish_in_one_order_for_every_reader():
    bus = EventBus(10_000)
    with bus.subscribe() as first, bus.subscribe() as second:
        threads = [threading.Thread(target=lambda: [bus.publish(cleared()) for _ in range(200)]) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for reader in (first, second):
            assert [reader.get(0).id for _ in range(800)] == list(range(1, 801))
    assert bus.last_id == 800


def test_listeners_hear_every_event_in_order_on_one_thread():
    bus = EventBus(1000)
    heard: list[tuple[str, str]] = []
    for _ in range(2):
        bus.add_listener(lambda event: heard.append((event.queue_id, threading.current_thread().name)))
    for number in range(50):
        bus.publish(cleared(str(number)))
    bus.close()
    assert heard == [(str(number), "impasto-listeners") for number in range(50) for _ in range(2)]


def test_a_listener_that_raises_is_logged_and_the_others_hear_the_event(caplog: pytest.LogCaptureFixture):
    bus = EventBus(1000)
    heard: list[Event] = []

    def fails(event: Event) -> None:
        raise ValueError("no")

    bus.add_listener(fails)
    bus.add_listener(heard.append)
    with caplog.at_level(logging.ERROR):
        bus.publish(cleared())
        bus.publish(cleared())
        bus.close()
    assert len(heard) == 2
    assert caplog.text.count("a listener failed on queue_cleared") == 2


def test_publishing_does_not_wait_for_a_listener_that_hangs(caplog: pytest.LogCaptureFixture):
    bus = EventBus(1000)
    inside, release = threading.Event(), threading.Event()

    def hangs(event: Event) -> None:
        inside.set()
        release.wait(60)

    bus.add_listener(hangs)
    assert bus.publish(cleared()) == 1
    assert inside.wait(10)
    assert bus.publish(cleared()) == 2
    bus.close(timeout_s=0.01)
    assert "did not finish" in caplog.text
    release.set()


def test_listeners_that_lag_catch_up_and_say_what_they_missed(caplog: pytest.LogCaptureFixture):
    bus = EventBus(100)
    inside, release = threading.Event(), threading.Event()
    heard: list[str] = []

    def slow(event: QueueClearedEvent) -> None:
        inside.set()
        release.wait(60)
        heard.append(event.queue_id)

    bus.add_listener(slow)
    bus.publish(cleared("first"))
    assert inside.wait(10)
    for number in range(350):
        bus.publish(cleared(str(number)))
    release.set()
    last = threading.Event()
    bus.add_listener(lambda event: last.set() if event.queue_id == "349" else None)
    assert last.wait(10)
    bus.close()
    assert heard[0] == "first"
    assert heard[-1] == "349"
    assert heard[1:101] == [str(number) for number in range(100)]
    assert "listeners have missed events after id 101" in caplog.text


def test_closing_from_a_listener_does_not_wait_for_itself():
    bus = EventBus(100)
    closed = threading.Event()

    def close(event: Event) -> None:
        bus.close()
        closed.set()

    bus.add_listener(close)
    bus.publish(cleared())
    assert closed.wait(10)
