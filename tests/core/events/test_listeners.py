"""Listeners (hooks): on a thread of their own, held off from one another and from whoever publishes."""

import logging
import threading
from pathlib import Path

import pytest
from support.event_logs import open_bus

from impasto.errors import StorageError
from impasto.events import EventBus
from impasto.storage.database import Database
from impasto.storage.event_log import EventLog, EventPage
from impasto_sdk.events import Event, QueueClearedEvent

#: Numbers of the tests' events, in `queue_id`.
COUNT = 350


class Progress(Event):
    name = "progress"
    durable = False


def cleared(queue_id: str = "default") -> QueueClearedEvent:
    return QueueClearedEvent(queue_id=queue_id)


def test_listeners_hear_every_event_in_order_on_one_thread(bus: EventBus) -> None:
    heard: list[tuple[str, str]] = []
    for _ in range(2):
        bus.add_listener(lambda event: heard.append((event.queue_id, threading.current_thread().name)))  # type: ignore[attr-defined]
    for number in range(50):
        bus.publish(cleared(str(number)))
    bus.close()
    assert heard == [(str(number), "impasto-listeners") for number in range(50) for _ in range(2)]


def test_a_listener_that_raises_is_logged_and_the_others_hear_the_event(
    bus: EventBus, caplog: pytest.LogCaptureFixture
) -> None:
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


def test_a_listener_that_hangs_keeps_nobody_waiting_and_fills_no_memory(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    inside, release = threading.Event(), threading.Event()

    def hangs(event: Event) -> None:
        inside.set()
        release.wait(60)

    with open_bus(tmp_path, buffer=20) as bus, bus.subscribe() as reader:
        bus.add_listener(hangs)
        bus.publish(cleared("0"))
        assert inside.wait(30)
        for number in range(1, COUNT):
            bus.publish(cleared(str(number)))
            bus.publish(Progress())
        numbers = [one.event.queue_id for one in iter(lambda: reader.get(1), None) if one.event.durable]  # type: ignore[union-attr, attr-defined]
        listening = bus._listeners["listeners"]._subscription
        assert listening is not None
        waiting = listening.waiting
        bus.close(timeout_s=0.01)
        release.set()
    assert numbers == [str(number) for number in range(COUNT)]
    assert waiting <= 20
    assert "did not finish" in caplog.text


def test_listeners_that_lag_hear_every_durable_event_all_the_same(tmp_path: Path) -> None:
    inside, release = threading.Event(), threading.Event()
    heard: list[str] = []

    def slow(event: Event) -> None:
        inside.set()
        release.wait(60)
        if isinstance(event, QueueClearedEvent):
            heard.append(event.queue_id)

    with open_bus(tmp_path, buffer=20) as bus:
        bus.add_listener(slow)
        bus.publish(cleared("0"))
        assert inside.wait(30)
        for number in range(1, COUNT):
            bus.publish(cleared(str(number)))
            bus.publish(Progress())
        release.set()
        bus.close(timeout_s=30)
    assert heard == [str(number) for number in range(COUNT)]


def test_listeners_that_lag_behind_what_is_kept_say_so_and_go_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    inside, release = threading.Event(), threading.Event()
    heard: list[str] = []

    def slow(event: QueueClearedEvent) -> None:
        inside.set()
        release.wait(60)
        heard.append(event.queue_id)

    with Database(tmp_path / "impasto.db") as database:
        log = EventLog(database)
        bus = EventBus(log, 10)
        log.open()
        bus.add_listener(slow)  # type: ignore[arg-type]
        bus.publish(cleared("0"))
        assert inside.wait(30)
        for number in range(1, 50):
            log.submit([QueueClearedEvent(queue_id=str(number), timestamp=1_000)]).result()
        log.forget(2_000)
        last = threading.Event()
        bus.add_listener(lambda event: last.set() if event.queue_id == "last" else None)  # type: ignore[attr-defined]
        bus.publish(cleared("last"))
        release.set()
        assert last.wait(30)
        bus.close()
    assert (heard[0], heard[-1]) == ("0", "last")
    assert "listeners have missed events, raise `event_retention_s`" in caplog.text


def test_a_log_that_cannot_be_read_stops_no_listener(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inside, release, all_heard = threading.Event(), threading.Event(), threading.Event()
    heard: list[str] = []

    def slow(event: QueueClearedEvent) -> None:
        inside.set()
        release.wait(60)
        heard.append(event.queue_id)
        if len(heard) == 50:
            all_heard.set()

    monkeypatch.setattr("impasto.events.listeners.RETRY_S", 0.01)
    with Database(tmp_path / "impasto.db") as database:
        log = EventLog(database)
        bus = EventBus(log, 10)
        log.open()
        bus.add_listener(slow)  # type: ignore[arg-type]
        for number in range(50):
            log.submit([cleared(str(number))]).result()
        assert inside.wait(30)
        read, failures = log.read, [StorageError("the disk is busy"), StorageError("still")]

        def fails_twice(after: int, limit: int) -> EventPage:
            if failures:
                raise failures.pop()
            return read(after, limit)

        monkeypatch.setattr(log, "read", fails_twice)
        release.set()
        assert all_heard.wait(30)
        bus.close()
    assert heard == [str(number) for number in range(50)]


def test_closing_from_a_listener_does_not_wait_for_itself(bus: EventBus) -> None:
    closed = threading.Event()

    def close(event: Event) -> None:
        bus.close()
        closed.set()

    bus.add_listener(close)
    bus.publish(cleared())
    assert closed.wait(10)
