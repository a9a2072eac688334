"""Events: what goes on the wire."""

import dataclasses
import json
import time

import pytest

from impasto_sdk import events
from impasto_sdk.events import (
    Event,
    InvocationCompleteEvent,
    InvocationProgressEvent,
    QueueItemEvent,
    QueueItemStatusChangedEvent,
)

CONCRETE = [
    event
    for name in events.__all__
    if dataclasses.is_dataclass(event := getattr(events, name)) and event.name and isinstance(event, type)
]
ITEM = {"queue_id": "default", "item_id": 1, "batch_id": "b", "session_id": "s"}
NODE = {**ITEM, "invocation": {"id": "n"}, "invocation_source_id": "n"}


def test_no_two_events_have_one_name():
    names = [event.name for event in CONCRETE]
    assert len(names) >= 11
    assert sorted(names) == sorted(set(names))


def test_only_progress_may_be_lost():
    assert [event for event in CONCRETE if not event.durable] == [InvocationProgressEvent]


def test_an_event_knows_when_it_happened():
    before = int(time.time())
    assert before <= Event().timestamp <= int(time.time())


def test_a_document_holds_every_field_as_json():
    event = QueueItemStatusChangedEvent(**ITEM, status="failed", status_sequence=3, error_message="boom", timestamp=7)
    document = json.loads(json.dumps(event.to_document()))
    assert document["timestamp"] == 7
    assert {name: document[name] for name in ITEM} == ITEM
    assert (document["status"], document["status_sequence"], document["error_message"]) == ("failed", 3, "boom")
    assert document["started_at"] is None, "clients read every field, with its null"


def test_a_preview_in_bytes_stays_out_of_the_document():
    event = InvocationProgressEvent(**NODE, message="Step 1", preview=b"\xff\xd8")
    assert "preview" not in event.to_document()
    assert event.preview == b"\xff\xd8"


def test_an_event_is_a_fact_and_cannot_be_changed():
    event = InvocationCompleteEvent(**NODE, result={"type": "integer_output", "value": 1})
    with pytest.raises(dataclasses.FrozenInstanceError):
        event.cached = True


def test_what_happens_to_an_item_says_whose_it_is():
    assert all(
        {"queue_id", "item_id", "session_id", "user_id"} <= {field.name for field in dataclasses.fields(event)}
        for event in CONCRETE
        if issubclass(event, QueueItemEvent)
    )
