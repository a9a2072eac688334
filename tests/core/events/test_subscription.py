"""A reader's buffer: order, loss of progress first, a clear end, threads and coroutines."""

import asyncio
import threading

import pytest

from impasto.errors import SubscriptionEndedError
from impasto.events import EventBus, Subscription
from impasto_sdk.events import Event, QueueClearedEvent, WorkerStatusChangedEvent


class Progress(Event):
    name = "progress"
    durable = False


def durable() -> Event:
    return QueueClearedEvent(queue_id="default")


def ids(subscription: Subscription) -> list[int]:
    found = []
    while (envelope := subscription.get(0)) is not None:
        found.append(envelope.id)
    return found


def test_a_reader_gets_events_in_order_with_rising_ids():
    bus = EventBus(100)
    with bus.subscribe() as subscription:
        published = [bus.publish(event) for event in (durable(), Progress(), durable())]
        assert published == [1, 2, 3]
        assert ids(subscription) == [1, 2, 3]


def test_get_gives_none_when_nothing_comes_in_time():
    with EventBus(100).subscribe() as subscription:
        assert subscription.get(0) is None


def test_get_wakes_for_an_event_from_another_thread():
    bus = EventBus(100)
    with bus.subscribe() as subscription:
        thread = threading.Thread(target=bus.publish, args=(durable(),))
        thread.start()
        envelope = subscription.get(10)
        thread.join()
    assert envelope is not None
    assert envelope.id == 1


def test_a_document_has_id_name_and_data():
    bus = EventBus(100)
    with bus.subscribe() as subscription:
        bus.publish(QueueClearedEvent(queue_id="default", timestamp=7))
        envelope = subscription.get(0)
    assert envelope is not None
    assert envelope.to_document() == {
        "id": 1,
        "event": "queue_cleared",
        "data": {"queue_id": "default", "user_id": None, "timestamp": 7},
    }


def test_accept_chooses_events():
    bus = EventBus(100)
    with bus.subscribe(accept=lambda event: isinstance(event, WorkerStatusChangedEvent)) as subscription:
        bus.publish(durable())
        bus.publish(WorkerStatusChangedEvent(worker_id="w", status="ready"))
        assert ids(subscription) == [2]


def test_a_full_buffer_loses_the_oldest_progress_first():
    bus = EventBus(100)
    with bus.subscribe(limit=3) as subscription:
        for event in (Progress(), durable(), Progress(), durable(), Progress()):
            bus.publish(event)
        assert ids(subscription) == [2, 4, 5]
        assert subscription.dropped == 2


def test_only_the_newest_progress_waits_for_a_slow_reader_however_large_its_buffer():
    bus = EventBus(10_000)
    with bus.subscribe() as subscription:
        bus.publish(durable())
        for _ in range(1_000):
            bus.publish(Progress())
        waiting = ids(subscription)
    assert (waiting[0], waiting[-1]) == (1, 1_001)
    assert len(waiting) < 100
    assert subscription.dropped == 1_001 - len(waiting)


def test_progress_is_let_go_when_only_durable_events_wait():
    bus = EventBus(100)
    with bus.subscribe(limit=1) as subscription:
        bus.publish(durable())
        bus.publish(Progress())
        assert ids(subscription) == [1]
        assert not subscription.overflowed


def test_durable_events_that_do_not_fit_end_the_subscription_after_what_is_kept():
    bus = EventBus(100)
    with bus.subscribe(limit=2) as subscription:
        for _ in range(4):
            bus.publish(durable())
        assert [subscription.get(0).id, subscription.get(0).id] == [1, 2]
        with pytest.raises(SubscriptionEndedError, match="too slow") as caught:
            subscription.get(0)
        assert caught.value.last_id == 2
        assert subscription.overflowed
    with bus.subscribe(since=2) as again:
        assert ids(again) == [3, 4]
        assert again.complete


def test_a_reader_that_comes_back_gets_durable_events_only():
    bus = EventBus(100)
    for event in (durable(), Progress(), durable(), durable()):
        bus.publish(event)
    with bus.subscribe(since=1) as subscription:
        assert subscription.last_id == 1
        assert ids(subscription) == [3, 4]
        assert subscription.complete


def test_a_replay_larger_than_the_limit_leaves_room_for_new_events():
    bus = EventBus(100)
    for _ in range(10):
        bus.publish(durable())
    with bus.subscribe(since=0, limit=1) as subscription:
        bus.publish(durable())
        assert ids(subscription) == list(range(1, 12))


@pytest.mark.parametrize(("since", "complete"), [(0, False), (1, False), (2, True), (5, True), (6, False)])
def test_a_replay_says_whether_it_is_whole(since: int, complete: bool):
    bus = EventBus(3)
    for _ in range(5):
        bus.publish(durable())
    with bus.subscribe(since=since) as subscription:
        assert subscription.complete is complete


def test_an_id_of_another_life_replays_all_that_is_kept():
    bus = EventBus(100)
    bus.publish(durable())
    with bus.subscribe(since=500) as subscription:
        assert ids(subscription) == [1]
    assert EventBus(100).epoch != bus.epoch


def test_closing_the_bus_lets_a_reader_finish():
    bus = EventBus(100)
    subscription = bus.subscribe()
    bus.publish(durable())
    bus.close()
    assert subscription.get(0).id == 1
    with pytest.raises(SubscriptionEndedError, match="the server stops"):
        subscription.get(0)
    with pytest.raises(SubscriptionEndedError, match="the server stops"):
        bus.subscribe().get(0)


def test_a_closed_subscription_hears_nothing_more():
    bus = EventBus(100)
    subscription = bus.subscribe()
    subscription.close()
    bus.publish(durable())
    with pytest.raises(SubscriptionEndedError, match="the reader closed it"):
        subscription.get(0)


def test_a_coroutine_is_woken_from_another_thread():
    bus = EventBus(100)

    async def read() -> list[int]:
        with bus.subscribe() as subscription:
            waiting = asyncio.ensure_future(subscription.next())
            await asyncio.sleep(0)
            await asyncio.to_thread(bus.publish, durable())
            return [(await waiting).id]

    assert asyncio.run(read()) == [1]


def test_cancelling_a_wait_loses_nothing():
    bus = EventBus(100)

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


def test_async_iteration_ends_with_the_bus():
    bus = EventBus(100)

    async def read() -> list[int]:
        subscription = bus.subscribe()
        bus.publish(durable())
        bus.close()
        return [envelope.id async for envelope in subscription]

    assert asyncio.run(read()) == [1]


def test_async_iteration_raises_when_something_is_missing():
    bus = EventBus(100)

    async def read() -> None:
        with bus.subscribe(limit=1) as subscription:
            bus.publish(durable())
            bus.publish(durable())
            async for _ in subscription:
                pass

    with pytest.raises(SubscriptionEndedError, match="too slow"):
        asyncio.run(read())


def test_a_reader_whose_loop_is_gone_does_not_hinder_publishing():
    bus = EventBus(100)
    subscription = bus.subscribe()

    async def wait_once() -> None:
        asyncio.ensure_future(subscription.next())  # noqa: RUF006 - it is meant to be abandoned
        await asyncio.sleep(0)

    asyncio.run(wait_once())
    assert bus.publish(durable()) == 1
    assert subscription.get(0).id == 1
