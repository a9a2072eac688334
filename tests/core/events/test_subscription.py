"""A reader's window: order, progress that is let go, durable events that are not, threads and coroutines."""

import asyncio
import threading
from collections.abc import Sequence
from pathlib import Path

import pytest
from support.event_logs import open_bus

from impasto.errors import SubscriptionEndedError
from impasto.events import EventBus, Subscription
from impasto.storage.database import Database
from impasto.storage.event_log import EventLog
from impasto_sdk.events import Event, QueueClearedEvent, WorkerStatusChangedEvent


class Progress(Event):
    name = "progress"
    durable = False


def durable(timestamp: int = 1_000) -> Event:
    return QueueClearedEvent(queue_id="default", timestamp=timestamp)


def ids(subscription: Subscription, count: int) -> list[int]:
    """The ids of the next events."""
    found = []
    for _ in range(count):
        envelope = subscription.get(30)
        assert envelope is not None, f"only {found} came"
        found.append(envelope.id)
    return found


def publish(bus: EventBus, count: int) -> None:
    """Publish durable events, and wait until they have reached every reader."""
    with bus.subscribe(limit=100_000) as last:
        for _ in range(count):
            bus.publish(durable())
        ids(last, count)
    settle(bus)


def settle(bus: EventBus) -> None:
    """Wait until what was published has reached every reader: the newest reader is the last to be handed anything."""
    mark = Progress()
    with bus.subscribe() as last:
        bus.publish(mark)
        while (envelope := last.get(30)) is not None and envelope.event is not mark:
            pass
    assert envelope is not None


def test_a_reader_gets_events_in_order_with_rising_ids(bus: EventBus) -> None:
    with bus.subscribe() as subscription:
        for event in (durable(), Progress(), durable()):
            bus.publish(event)
        assert ids(subscription, 3) == [1, 1, 2]
        assert subscription.last_id == 2


def test_get_gives_none_when_nothing_comes_in_time(bus: EventBus) -> None:
    with bus.subscribe() as subscription:
        assert subscription.get(0) is None


def test_get_wakes_for_an_event_from_another_thread(bus: EventBus) -> None:
    with bus.subscribe() as subscription:
        thread = threading.Thread(target=bus.publish, args=(durable(),))
        thread.start()
        assert ids(subscription, 1) == [1]
        thread.join()


def test_accept_chooses_events(bus: EventBus) -> None:
    with bus.subscribe(accept=lambda event: isinstance(event, WorkerStatusChangedEvent)) as subscription:
        bus.publish(durable())
        bus.publish(WorkerStatusChangedEvent(worker_id="w", status="ready"))
        assert ids(subscription, 1) == [2]


def test_a_full_buffer_lets_the_oldest_progress_go_and_counts_it(bus: EventBus) -> None:
    with bus.subscribe(limit=3) as subscription:
        for event in (Progress(), durable(), Progress(), durable(), Progress()):
            bus.publish(event)
        settle(bus)
        assert ids(subscription, 3) == [1, 2, 2]
        assert subscription.dropped >= 2


def test_a_reader_that_is_slow_falls_behind_catches_up_and_is_live_again(tmp_path: Path) -> None:
    with open_bus(tmp_path, buffer=50) as bus, bus.subscribe(limit=3) as subscription:
        publish(bus, 100)
        assert subscription.behind
        assert subscription.waiting <= 3
        assert ids(subscription, 100) == list(range(1, 101))
        assert subscription.get(0) is None
        assert not subscription.behind
        bus.publish(Progress())
        bus.publish(durable())
        assert ids(subscription, 2) == [100, 101]


def test_a_reader_that_is_behind_gets_no_progress(bus: EventBus) -> None:
    with bus.subscribe(limit=2) as subscription:
        publish(bus, 10)
        for _ in range(5):
            bus.publish(Progress())
        settle(bus)
        assert ids(subscription, 10) == list(range(1, 11))
        assert subscription.get(0) is None
        assert subscription.dropped >= 5


def test_a_reader_that_comes_back_gets_what_it_missed_and_then_what_comes(bus: EventBus) -> None:
    publish(bus, 5)
    with bus.subscribe(since=2, limit=2) as subscription:
        assert (subscription.last_id, subscription.complete) == (2, True)
        assert ids(subscription, 3) == [3, 4, 5]
        bus.publish(durable())
        assert ids(subscription, 1) == [6]


def test_a_filter_holds_for_what_is_read_from_the_log_too(bus: EventBus) -> None:
    for _ in range(20):
        bus.publish(durable())
        bus.publish(WorkerStatusChangedEvent(worker_id="w", status="ready"))
    publish(bus, 1)
    with bus.subscribe(since=0, limit=3, accept=lambda event: event.name == "worker_status_changed") as subscription:
        assert ids(subscription, 20) == list(range(2, 41, 2))
        assert subscription.get(0) is None


def test_other_events_can_be_chosen_while_reading(bus: EventBus) -> None:
    worker = WorkerStatusChangedEvent(worker_id="w", status="ready")
    with bus.subscribe() as subscription:
        bus.publish(durable())
        bus.publish(worker)
        settle(bus)
        subscription.want(lambda event: event.name == "worker_status_changed")
        bus.publish(durable())
        bus.publish(worker)
        assert ids(subscription, 2) == [2, 4]
        subscription.want(None)
        bus.publish(durable())
        assert ids(subscription, 1) == [5]


@pytest.mark.parametrize(("since", "complete"), [(0, False), (2, False), (3, True), (5, True)])
def test_a_reader_that_comes_back_is_told_whether_all_it_missed_is_kept(
    tmp_path: Path, since: int, complete: bool
) -> None:
    with Database(tmp_path / "impasto.db") as database:
        log = EventLog(database)
        bus = EventBus(log, 100)
        log.open()
        log.submit([durable(1_000)] * 3).result()
        log.submit([durable(2_000)] * 2).result()
        log.forget(2_000)
        with bus.subscribe(since=since) as subscription:
            assert subscription.complete is complete
            assert ids(subscription, 5 - max(since, 3)) == list(range(max(since, 3) + 1, 6))
        bus.close()


@pytest.mark.parametrize("since", [6, 10**9, -1])
def test_a_position_of_another_line_of_events_gives_what_comes_from_now_on(bus: EventBus, since: int) -> None:
    publish(bus, 5)
    with bus.subscribe(since=since) as subscription:
        assert not subscription.complete
        assert subscription.last_id == 5
        bus.publish(durable())
        assert ids(subscription, 1) == [6]


def test_a_position_that_a_loss_of_power_took_back_is_not_complete(tmp_path: Path) -> None:
    with open_bus(tmp_path) as bus:
        publish(bus, 5)
    with Database(tmp_path / "impasto.db") as database:
        database.write(lambda connection: connection.exec_driver_sql("DELETE FROM events WHERE id > 3"))
    with open_bus(tmp_path) as bus:
        publish(bus, 1)
        for since, complete in ((3, True), (4, False), (5, False)):
            with bus.subscribe(since=since) as subscription:
                assert subscription.complete is complete, since


def test_a_reader_from_under_whom_events_are_forgotten_is_told(tmp_path: Path) -> None:
    with Database(tmp_path / "impasto.db") as database:
        log = EventLog(database)
        bus = EventBus(log, 100)
        log.open()
        with bus.subscribe(limit=2) as subscription:
            log.submit([durable(1_000)] * 10).result()
            settle(bus)
            log.forget(2_000)
            assert ids(subscription, 2) == [1, 2]
            with pytest.raises(SubscriptionEndedError, match="what came after event 2 is no longer kept") as ended:
                subscription.get(0)
            assert ended.value.last_id == 2
            assert subscription.missed
        with bus.subscribe(since=2) as again:
            assert not again.complete
        bus.close()


def test_a_live_reader_is_not_touched_by_forgetting(tmp_path: Path) -> None:
    with Database(tmp_path / "impasto.db") as database:
        log = EventLog(database)
        bus = EventBus(log, 100)
        log.open()
        with bus.subscribe() as subscription:
            log.submit([durable(1_000)] * 10).result()
            settle(bus)
            log.forget(2_000)
            assert ids(subscription, 11) == [*range(1, 11), 10]
            bus.publish(durable())
            assert ids(subscription, 1) == [11]
        bus.close()


def test_closing_the_bus_lets_a_reader_finish_what_it_holds(tmp_path: Path) -> None:
    with open_bus(tmp_path) as bus:
        subscription = bus.subscribe()
        bus.publish(durable())
        bus.close()
        assert ids(subscription, 1) == [1]
        with pytest.raises(SubscriptionEndedError, match="the server stops"):
            subscription.get(0)
        with pytest.raises(SubscriptionEndedError, match="the server stops"):
            bus.subscribe().get(0)


def test_a_reader_that_is_behind_when_the_bus_closes_comes_back_for_the_rest(tmp_path: Path) -> None:
    with open_bus(tmp_path) as bus:
        subscription = bus.subscribe(limit=2)
        publish(bus, 10)
        bus.close()
        assert ids(subscription, 2) == [1, 2]
        with pytest.raises(SubscriptionEndedError, match="the server stops"):
            subscription.get(0)
    with open_bus(tmp_path) as bus, bus.subscribe(since=subscription.last_id) as again:
        assert again.complete
        assert ids(again, 8) == list(range(3, 11))


def test_a_closed_subscription_hears_nothing_more(bus: EventBus) -> None:
    subscription = bus.subscribe()
    subscription.close()
    publish(bus, 1)
    with pytest.raises(SubscriptionEndedError, match="the reader closed it"):
        subscription.get(0)
    assert bus.readers == 0


def test_a_coroutine_is_woken_from_another_thread(bus: EventBus) -> None:
    async def read() -> list[int]:
        with bus.subscribe() as subscription:
            waiting = asyncio.ensure_future(subscription.next())
            await asyncio.sleep(0)
            await asyncio.to_thread(bus.publish, durable())
            return [(await waiting).id]

    assert asyncio.run(read()) == [1]


def test_a_coroutine_that_is_behind_catches_up(bus: EventBus) -> None:
    publish(bus, 40)

    async def read() -> Sequence[int]:
        with bus.subscribe(since=0, limit=7) as subscription:
            found = [(await subscription.next()).id for _ in range(40)]
            bus.publish(durable())
            return [*found, (await subscription.next()).id]

    assert asyncio.run(read()) == list(range(1, 42))


def test_cancelling_a_wait_loses_nothing(bus: EventBus) -> None:
    async def read() -> int:
        with bus.subscribe() as subscription:
            waiting = asyncio.ensure_future(subscription.next())
            await asyncio.sleep(0)
            waiting.cancel()
            bus.publish(durable())
            with pytest.raises(asyncio.CancelledError):
                await waiting
            return (await subscription.next()).id

    assert asyncio.run(read()) == 1


def test_cancelling_a_wait_for_the_log_loses_nothing(bus: EventBus) -> None:
    publish(bus, 10)

    async def read() -> list[int]:
        with bus.subscribe(since=0, limit=4) as subscription:
            found: list[int] = []
            while len(found) < 10:
                waiting = asyncio.ensure_future(subscription.next())
                await asyncio.sleep(0)
                if not waiting.done():  # it reads the log
                    waiting.cancel()
                    with pytest.raises(asyncio.CancelledError):
                        await waiting
                else:
                    found.append(waiting.result().id)
                    continue
                found.append((await subscription.next()).id)
            return found

    assert asyncio.run(read()) == list(range(1, 11))


def test_async_iteration_ends_with_the_bus(bus: EventBus) -> None:
    async def read() -> list[int]:
        subscription = bus.subscribe()
        bus.publish(durable())
        bus.close()
        return [envelope.id async for envelope in subscription]

    assert asyncio.run(read()) == [1]


def test_async_iteration_raises_when_something_is_missing(tmp_path: Path) -> None:
    with Database(tmp_path / "impasto.db") as database:
        log = EventLog(database)
        bus = EventBus(log, 100)
        log.open()

        async def read() -> None:
            with bus.subscribe(limit=1) as subscription:
                log.submit([durable(1_000)] * 5).result()
                settle(bus)
                log.forget(2_000)
                async for _ in subscription:
                    pass

        with pytest.raises(SubscriptionEndedError, match="no longer kept"):
            asyncio.run(read())
        bus.close()


def test_a_reader_whose_loop_is_gone_does_not_hinder_others(bus: EventBus) -> None:
    subscription = bus.subscribe()

    async def wait_once() -> None:
        asyncio.ensure_future(subscription.next())  # noqa: RUF006 - it is meant to be abandoned
        await asyncio.sleep(0)

    asyncio.run(wait_once())
    with bus.subscribe() as other:
        bus.publish(durable())
        assert ids(other, 1) == [1]
    assert ids(subscription, 1) == [1]
