"""The bus: one order for all, and a publisher whom no reader, listener or disk keeps waiting."""

import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import Connection
from support.event_logs import open_bus

from impasto.events import EventBus, Subscription
from impasto.storage.database import Database
from impasto.storage.event_log import EventLog
from impasto_sdk.events import Event, QueueClearedEvent


class Progress(Event):
    name = "progress"
    durable = False


class Loud(Event):
    """An event that tells how often it was turned into a document."""

    name = "loud"
    durable = False
    written = 0

    def to_document(self) -> dict[str, object]:
        type(self).written += 1
        return {}


def cleared(queue_id: str = "default") -> QueueClearedEvent:
    return QueueClearedEvent(queue_id=queue_id)


def queues(subscription: Subscription, count: int) -> list[str]:
    """The queues of the next events."""
    found = []
    for _ in range(count):
        envelope = subscription.get(30)
        assert envelope is not None, f"only {found} came"
        found.append(envelope.event.queue_id)  # type: ignore[attr-defined]
    return found


def held_writer(database: Database) -> threading.Event:
    """Keep the writer of a database busy until the event is set, so that nothing is committed before."""
    inside, release = threading.Event(), threading.Event()

    def hold(connection: Connection) -> None:
        inside.set()
        release.wait(30)

    database.submit(hold)
    assert inside.wait(30)
    return release


def test_threads_publish_in_one_order_for_every_reader(bus: EventBus) -> None:
    with bus.subscribe() as first, bus.subscribe() as second:
        threads = [threading.Thread(target=lambda: [bus.publish(cleared()) for _ in range(200)]) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for reader in (first, second):
            assert [reader.get(30).id for _ in range(800)] == list(range(1, 801))  # type: ignore[union-attr]
    assert bus.last_id == 800


def test_events_that_were_written_with_a_change_come_among_the_published_ones(tmp_path: Path) -> None:
    with Database(tmp_path / "impasto.db") as database:
        log = EventLog(database)
        bus = EventBus(log, 100)
        log.open()
        with bus.subscribe() as reader:
            bus.publish(cleared("published"))
            log.write(lambda connection: None, lambda _: [cleared("written")])
            bus.publish(cleared("published again"))
            assert queues(reader, 3) == ["published", "written", "published again"]
        bus.close()


def test_progress_has_the_place_of_the_last_durable_event_before_it(bus: EventBus) -> None:
    with bus.subscribe() as reader:
        bus.publish(Progress())
        bus.publish(cleared("first"))
        bus.publish(Progress())
        bus.publish(Progress())
        bus.publish(cleared("second"))
        found = [reader.get(30) for _ in range(5)]
    assert [(one.id, one.event.name) for one in found if one] == [
        (0, "progress"),
        (1, "queue_cleared"),
        (1, "progress"),
        (1, "progress"),
        (2, "queue_cleared"),
    ]


def test_progress_waits_for_the_durable_events_that_were_published_before_it(tmp_path: Path) -> None:
    with Database(tmp_path / "impasto.db") as database:
        log = EventLog(database)
        bus = EventBus(log, 100)
        log.open()
        with bus.subscribe() as reader:
            release = held_writer(database)
            bus.publish(cleared())
            bus.publish(Progress())
            assert reader.get(0.05) is None
            release.set()
            assert [reader.get(30).event.name for _ in range(2)] == ["queue_cleared", "progress"]  # type: ignore[union-attr]
        bus.close()


def test_progress_goes_out_when_the_event_before_it_cannot_be_kept(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with open_bus(tmp_path) as bus, bus.subscribe() as reader:
        unwritable = cleared()
        object.__setattr__(unwritable, "queue_id", object())
        bus.publish(unwritable)
        bus.publish(Progress())
        assert reader.get(30).event.name == "progress"  # type: ignore[union-attr]
    assert "nobody is told of queue_cleared" in caplog.text


def test_publishing_to_a_closed_database_is_logged_and_hurts_nobody(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with open_bus(tmp_path) as bus:
        pass
    bus.publish(cleared())
    assert "nobody is told of queue_cleared, for it cannot be kept" in caplog.text


def test_an_event_is_turned_into_text_once_however_many_readers_there_are(bus: EventBus) -> None:
    Loud.written = 0
    readers = [bus.subscribe() for _ in range(20)]
    bus.publish(Loud())
    assert {reader.get(30).text for reader in readers} == {"{}"}  # type: ignore[union-attr]
    assert Loud.written == 1


def test_the_text_of_a_durable_event_is_the_one_that_is_kept(bus: EventBus) -> None:
    with bus.subscribe() as live, bus.subscribe(since=0) as again:
        bus.publish(QueueClearedEvent(queue_id="default", timestamp=7))
        texts = {reader.get(30).text for reader in (live, again)}  # type: ignore[union-attr]
    assert texts == {'{"timestamp":7,"queue_id":"default","user_id":null}'}


def test_what_waits_to_be_handed_out_is_bounded_and_readers_find_the_rest_in_the_log(tmp_path: Path) -> None:
    """The thread of the bus is kept busy by a filter, while more comes than the bus may hold."""
    inside, release = threading.Event(), threading.Event()

    def slow(event: Event) -> bool:
        inside.set()
        release.wait(30)
        return True

    with open_bus(tmp_path, buffer=20) as bus, bus.subscribe(accept=slow), bus.subscribe() as reader:
        bus.publish(cleared("0"))
        assert inside.wait(30)
        for number in range(1, 200):
            bus.publish(cleared(str(number)))
        wait_for_last(bus, 200)
        assert len(bus._fan_out._inbox) <= 20
        release.set()
        assert queues(reader, 200) == [str(number) for number in range(200)]


def wait_for_last(bus: EventBus, last_id: int) -> None:
    """Wait until an event is on disk and has reached the bus."""
    deadline = time.monotonic() + 30
    while bus.last_id < last_id:
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_closing_hands_out_what_was_published(tmp_path: Path) -> None:
    with open_bus(tmp_path) as bus:
        reader = bus.subscribe()
        for number in range(50):
            bus.publish(cleared(str(number)))
        bus.close()
        assert queues(reader, 50) == [str(number) for number in range(50)]


def test_a_bus_goes_on_where_the_one_before_it_stopped(tmp_path: Path) -> None:
    with open_bus(tmp_path) as bus:
        bus.publish(cleared("first"))
        bus.publish(cleared("second"))
        bus.close()
        epoch, last_id = bus.epoch, bus.last_id
    with open_bus(tmp_path) as bus:
        assert (bus.epoch, bus.last_id) == (epoch, last_id) == (epoch, 2)
        with bus.subscribe(since=1) as reader:
            bus.publish(cleared("third"))
            assert reader.complete
            assert queues(reader, 2) == ["second", "third"]
            assert reader.last_id > 2
