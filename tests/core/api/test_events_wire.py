"""What a client may say about the events it wants, and where it was."""

import pytest

from impasto.api.event_filter import EventFilter
from impasto.api.event_position import EventPosition
from impasto.api.event_streams import EventStreams
from impasto.errors import SubscriptionEndedError
from impasto.events import EventBus
from impasto_sdk.events import BatchEnqueuedEvent, Event, QueueItemsCanceledEvent, WorkerStatusChangedEvent


def batch(batch_id: str = "b", queue_id: str = "default") -> BatchEnqueuedEvent:
    return BatchEnqueuedEvent(queue_id=queue_id, batch_id=batch_id, enqueued=1, requested=1, priority=0)


WORKER = WorkerStatusChangedEvent(worker_id="cpu-0", status="ready")
CANCELED = QueueItemsCanceledEvent(queue_id="default", canceled_item_ids=[3, 4])


@pytest.mark.parametrize(
    ("wanted", "event", "told"),
    [
        (EventFilter(), batch(), True),
        (EventFilter(queue_id="default"), batch(), True),
        (EventFilter(queue_id="default"), batch(queue_id="other"), False),
        (EventFilter(queue_id="default"), WORKER, True),
        (EventFilter(batch_id="b"), batch("b"), True),
        (EventFilter(batch_id="b"), batch("c"), False),
        (EventFilter(batch_id="b"), WORKER, False),
        (EventFilter(item_id=3), CANCELED, True),
        (EventFilter(item_id=5), CANCELED, False),
        (EventFilter(item_id=3), batch(), False),
    ],
)
def test_a_client_is_told_what_it_asked_for(wanted: EventFilter, event: Event, told: bool) -> None:
    assert wanted(event) is told


def test_a_position_survives_the_way_to_the_client_and_back() -> None:
    assert EventPosition.parse(str(EventPosition(17, "9f0c"))) == EventPosition(17, "9f0c")
    assert EventPosition.parse("17") == EventPosition(17)
    assert EventPosition.parse("") is None
    assert EventPosition.parse(None) is None


@pytest.mark.parametrize("text", ["x", "-1", "1e3", "٣", "9" * 40, ".a"])
def test_a_position_that_is_none_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match="no event id"):
        EventPosition.parse(text)


def test_a_stream_goes_on_after_the_last_event_that_was_seen() -> None:
    bus = EventBus(100)
    streams = EventStreams(bus)
    ids = [bus.publish(batch(str(n))) for n in range(3)]

    with streams.open(EventPosition(ids[0], streams.epoch), EventFilter()) as stream:
        assert [stream.get(0).id for _ in range(2)] == ids[1:]  # type: ignore[union-attr]
        assert stream.complete


def test_a_position_of_another_life_is_told_that_something_is_missing() -> None:
    bus = EventBus(100)
    streams = EventStreams(bus)
    bus.publish(batch())
    bus.publish(batch())

    with streams.open(EventPosition(1, "another life"), EventFilter()) as stream:
        assert streams.greeting(stream)["complete"] is False


def test_closing_ends_the_streams_that_are_open_and_those_that_would_be_opened() -> None:
    streams = EventStreams(EventBus(100))
    with streams.open(None, EventFilter()) as before:
        streams.close()
        with pytest.raises(SubscriptionEndedError, match="the server stops"):
            before.get(0)
    with streams.open(None, EventFilter()) as after, pytest.raises(SubscriptionEndedError):
        after.get(0)
