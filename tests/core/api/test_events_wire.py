"""What a client may say about the events it wants, and where it was."""

import json
from pathlib import Path
from typing import Any

import pytest
from support.event_logs import open_bus

from impasto.api.event_filter import EventFilter
from impasto.api.event_frames import SentEvents, event_text, message_text, picture_frame, text_without_picture
from impasto.api.event_position import EventPosition
from impasto.api.event_requests import MOST_VALUES, changed_filter
from impasto.api.event_streams import EventStreams
from impasto.errors import SubscriptionEndedError
from impasto.events import Envelope, EventBus
from impasto_sdk.events import (
    BatchEnqueuedEvent,
    Event,
    InvocationProgressEvent,
    QueueClearedEvent,
    QueueItemsCanceledEvent,
    QueueItemsDeletedEvent,
    QueueItemsRetriedEvent,
    WorkerStatusChangedEvent,
)


def batch(batch_id: str = "b", queue_id: str = "default") -> BatchEnqueuedEvent:
    return BatchEnqueuedEvent(queue_id=queue_id, batch_id=batch_id, enqueued=1, requested=1, priority=0)


def progress(item_id: int = 3, batch_id: str = "b", preview: bytes | None = None) -> InvocationProgressEvent:
    return InvocationProgressEvent(
        queue_id="default",
        item_id=item_id,
        batch_id=batch_id,
        session_id="s",
        invocation={"id": "n"},
        invocation_source_id="n",
        message="half way",
        image={"dataURL": "data:…"},
        preview=preview,
        timestamp=7,
    )


def wanted(**given: Any) -> EventFilter:
    return EventFilter(**{name: frozenset(values) for name, values in given.items()})


def ids(bus: EventBus, events: list[Event]) -> list[int]:
    """Publish events; gives their ids."""
    with bus.subscribe() as reader:
        for event in events:
            bus.publish(event)
        return [reader.get(30).id for _ in events]  # type: ignore[union-attr]


WORKER = WorkerStatusChangedEvent(worker_id="cpu-0", status="ready")
CANCELED = QueueItemsCanceledEvent(queue_id="default", canceled_item_ids=[3, 4])
RETRIED = QueueItemsRetriedEvent(queue_id="default", retried_item_ids=[3, 4], item_ids=[13, 14])
DELETED = QueueItemsDeletedEvent(queue_id="default", deleted_item_ids=[3, 4])
CLEARED = QueueClearedEvent(queue_id="default")


@pytest.mark.parametrize(
    ("chosen", "event", "told"),
    [
        (EventFilter(), batch(), True),
        (wanted(queue_ids=["default"]), batch(), True),
        (wanted(queue_ids=["default"]), batch(queue_id="other"), False),
        (wanted(queue_ids=["default", "other"]), batch(queue_id="other"), True),
        (wanted(queue_ids=[]), batch(), False),
        (wanted(queue_ids=["default"]), WORKER, True),
        (wanted(batch_ids=["b"]), batch("b"), True),
        (wanted(batch_ids=["a", "b"]), batch("b"), True),
        (wanted(batch_ids=["b"]), batch("c"), False),
        (wanted(batch_ids=["b"]), WORKER, False),
        (wanted(batch_ids=["b"]), CANCELED, True),
        (wanted(batch_ids=["b"]), RETRIED, True),
        (wanted(batch_ids=["b"]), CLEARED, True),
        (wanted(batch_ids=["b"], queue_ids=["other"]), CLEARED, False),
        (wanted(item_ids=[3]), CANCELED, True),
        (wanted(item_ids=[5]), CANCELED, False),
        (wanted(item_ids=[3]), RETRIED, True),
        (wanted(item_ids=[14]), RETRIED, True),
        (wanted(item_ids=[5]), RETRIED, False),
        (wanted(item_ids=[4]), DELETED, True),
        (wanted(item_ids=[5]), DELETED, False),
        (wanted(batch_ids=["b"]), DELETED, True),
        (wanted(item_ids=[5]), CLEARED, True),
        (wanted(item_ids=[3]), batch(), False),
        (wanted(item_ids=[3, 5]), progress(5), True),
        (wanted(item_ids=[3]), progress(5), False),
        (wanted(item_ids=[3], batch_ids=["b"]), progress(3), True),
        (wanted(item_ids=[3], batch_ids=["c"]), progress(3), False),
        (wanted(names=["batch_enqueued"]), batch(), True),
        (wanted(names=["batch_enqueued"]), CLEARED, False),
    ],
)
def test_a_client_is_told_what_it_asked_for(chosen: EventFilter, event: Event, told: bool) -> None:
    assert chosen(event) is told


def test_a_name_that_no_event_has_is_refused_with_the_one_that_was_meant() -> None:
    with pytest.raises(
        ValueError, match="there is no event 'invocation_completed'; did you mean 'invocation_complete'"
    ):
        wanted(names=["invocation_completed"])
    with pytest.raises(ValueError, match="there is no event 'x'; there are batch_enqueued, external_provider_changed"):
        wanted(names=["x"])


# --- what a client says over a WebSocket ---

DEFAULT = wanted(queue_ids=["default"])


@pytest.mark.parametrize(
    ("before", "request_", "after"),
    [
        (DEFAULT, {"subscribe": {}}, EventFilter()),
        (EventFilter(), {"subscribe": {"queue_id": "default"}}, DEFAULT),
        (DEFAULT, {"subscribe": {"item_id": [7, 8], "events": "batch_enqueued"}},
         wanted(item_ids=[7, 8], names=["batch_enqueued"])),
        (DEFAULT, {"subscribe": {"batch_id": ["a", "b"], "queue_id": None}}, wanted(batch_ids=["a", "b"])),
        (EventFilter(), {"subscribe_queue": {"queue_id": "default"}}, DEFAULT),
        (DEFAULT, {"subscribe_queue": {"queue_id": "other"}}, wanted(queue_ids=["default", "other"])),
        (wanted(queue_ids=["default"], item_ids=[7]), {"subscribe_queue": {"queue_id": "other"}},
         wanted(queue_ids=["default", "other"], item_ids=[7])),
        (DEFAULT, {"unsubscribe_queue": {"queue_id": "default"}}, wanted(queue_ids=[])),
        (wanted(queue_ids=[]), {"subscribe_queue": {"queue_id": "default"}}, DEFAULT),
    ],
)  # fmt: skip
def test_a_client_chooses_other_events(before: EventFilter, request_: object, after: EventFilter) -> None:
    assert changed_filter(before, json.dumps(request_)) == after


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the frame is no JSON"),
        ("{", "the frame is no JSON"),
        ('{"subscribe": {"item_id": NaN}}', "the frame is no JSON"),
        ("[]", "a frame is an object with one key"),
        ("{}", "a frame is an object with one key"),
        ('{"subscribe": {}, "more": 1}', "a frame is an object with one key"),
        ('{"subscribe_bulk_download": {}}', "there is no request 'subscribe_bulk_download'; there are subscribe, "),
        ('{"subscribe": "default"}', "subscribe: expected an object, .* not 'default'"),
        ('{"subscribe": {"queue": "default"}}', "subscribe: there is no 'queue' to choose by; there is queue_id"),
        ('{"subscribe": {"queue_id": 7}}', "queue_id: expected a text or a list of texts, not 7"),
        ('{"subscribe": {"item_id": "7"}}', "item_id: expected a whole number or a list of them, not '7'"),
        ('{"subscribe": {"item_id": [true]}}', "item_id: expected a whole number .* not True"),
        ('{"subscribe": {"events": ["invocation_done"]}}', "there is no event 'invocation_done'"),
        ('{"subscribe_queue": {}}', "subscribe_queue: which queue"),
        ('{"subscribe_queue": {"queue_id": "a", "item_id": 1}}', "subscribe_queue: there is no 'item_id'"),
        ('{"unsubscribe_queue": {"queue_id": "a"}}', "all queues are told of; say subscribe_queue first"),
        (json.dumps({"subscribe": {"item_id": list(range(MOST_VALUES + 1))}}), "item_id: 1001 values, at most 1000"),
    ],
)
def test_what_makes_no_sense_is_refused_in_words(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        changed_filter(EventFilter(), text)


def test_a_filter_is_told_in_the_words_of_the_query() -> None:
    assert EventFilter().to_document() == {"queue_id": None, "item_id": None, "batch_id": None, "events": None}
    assert wanted(item_ids=[8, 7], names=["batch_enqueued"]).to_document() == {
        "queue_id": None, "item_id": [7, 8], "batch_id": None, "events": ["batch_enqueued"],
    }  # fmt: skip


# --- how events look ---


def test_a_text_frame_has_id_name_and_fields() -> None:
    envelope = Envelope(7, batch())
    assert json.loads(event_text(envelope)) == {"id": 7, "event": "batch_enqueued", "data": batch().to_document()}
    assert json.loads(message_text(3, "hello", {"epoch": "e"})) == {"id": 3, "event": "hello", "data": {"epoch": "e"}}


def test_a_preview_is_in_the_text_or_in_a_frame_of_its_own() -> None:
    envelope = Envelope(7, progress(preview=b"....WEBPVP8 "))
    assert json.loads(event_text(envelope))["data"]["image"] == {"dataURL": "data:…"}
    assert json.loads(text_without_picture(envelope))["data"]["image"] is None
    assert picture_frame(Envelope(7, progress())) is None
    assert picture_frame(Envelope(7, batch())) is None


def test_server_sent_events_carry_the_place_to_come_back_to() -> None:
    envelope = Envelope(7, QueueClearedEvent(queue_id="default", timestamp=1))
    assert SentEvents("9f0c").block(envelope) == (
        b'id: 7.9f0c\nevent: queue_cleared\ndata: {"timestamp":1,"queue_id":"default","user_id":null}\n\n'
    )


# --- where a client was ---


def test_a_position_survives_the_way_to_the_client_and_back() -> None:
    assert EventPosition.parse(str(EventPosition(17, "9f0c"))) == EventPosition(17, "9f0c")
    assert EventPosition.parse("17") == EventPosition(17)
    assert EventPosition.parse("") is None
    assert EventPosition.parse(None) is None


@pytest.mark.parametrize("text", ["x", "-1", "1e3", "٣", "9" * 40, ".a"])
def test_a_position_that_is_none_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match="no event id"):
        EventPosition.parse(text)


def test_a_stream_goes_on_after_the_last_event_that_was_seen(tmp_path: Path) -> None:
    with open_bus(tmp_path) as bus:
        streams = EventStreams(bus)
        known = ids(bus, [batch(str(n)) for n in range(3)])
        with streams.open(EventPosition(known[0], streams.epoch), EventFilter()) as stream:
            assert [stream.get(30).id for _ in range(2)] == known[1:]  # type: ignore[union-attr]
            assert stream.complete


def test_a_position_of_another_line_of_events_is_told_that_something_is_missing(tmp_path: Path) -> None:
    with open_bus(tmp_path) as bus:
        streams = EventStreams(bus)
        ids(bus, [batch(), batch()])
        with streams.open(EventPosition(1, "another"), EventFilter()) as stream:
            assert streams.greeting(stream) == {"epoch": bus.epoch, "last_id": 2, "complete": False}


def test_closing_ends_the_streams_that_are_open_and_those_that_would_be_opened(tmp_path: Path) -> None:
    with open_bus(tmp_path) as bus:
        streams = EventStreams(bus)
        with streams.open(None, EventFilter()) as before:
            streams.close()
            with pytest.raises(SubscriptionEndedError, match="the server stops"):
                before.get(0)
        with streams.open(None, EventFilter()) as after, pytest.raises(SubscriptionEndedError):
            after.get(0)
