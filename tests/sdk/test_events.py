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


# InvokeAI's events about what exists here, and the fields that its clients read
_ITEM = "timestamp queue_id item_id batch_id origin destination user_id session_id"
_NODE = f"{_ITEM} invocation invocation_source_id"
FIELDS = {
    "invocation_started": _NODE,
    "invocation_progress": f"{_NODE} message percentage image device",
    "invocation_complete": f"{_NODE} result",
    "invocation_error": f"{_NODE} error_type error_message error_traceback",
    "queue_item_status_changed": (
        f"{_ITEM} status status_sequence error_type error_message error_traceback created_at updated_at started_at "
        "completed_at batch_status queue_status"
    ),
    "batch_enqueued": "timestamp queue_id batch_id enqueued requested priority origin user_id",
    "queue_items_retried": "timestamp queue_id retried_item_ids user_ids retried_item_ids_by_user",
    "queue_items_canceled": "timestamp queue_id canceled_item_ids user_ids canceled_item_ids_by_user",
    "queue_cleared": "timestamp queue_id user_id",
    "workflow_created": "timestamp workflow_id user_id is_public",
    "workflow_updated": "timestamp workflow_id user_id old_is_public new_is_public",
    "workflow_deleted": "timestamp workflow_id user_id is_public",
    "model_load_started": "timestamp config submodel_type user_id",
    "model_load_complete": "timestamp config submodel_type user_id",
    "model_install_complete": "timestamp id source key total_bytes config",
}
#: What we tell beside that, in events of InvokeAI's.
MORE_FIELDS = {
    "invocation_complete": "cached duration_s",
    "model_load_complete": "duration_s",
    "queue_item_status_changed": "worker_id",
    "queue_items_retried": "item_ids",
}
#: Events of our own.
OWN = {
    "external_provider_changed",
    "model_deleted",
    "model_updated",
    "queue_item_moved",
    "queue_items_deleted",
    "worker_status_changed",
}


@pytest.mark.parametrize("name", sorted(FIELDS))
def test_an_event_of_invokeai_has_exactly_its_fields_and_those_that_are_known_to_be_ours(name):
    (kind,) = [event for event in CONCRETE if event.name == name]
    written = [field.name for field in dataclasses.fields(kind) if not field.metadata.get("binary")]
    assert sorted(written) == sorted(f"{FIELDS[name]} {MORE_FIELDS.get(name, '')}".split())


def test_there_are_no_events_but_these():
    assert {event.name for event in CONCRETE} == FIELDS.keys() | OWN
    assert FIELDS.keys() | OWN <= events.event_names()


@pytest.mark.parametrize("kind", CONCRETE, ids=lambda kind: kind.name)
def test_an_event_is_read_as_it_was_written_with_every_null(kind):
    needed = [field for field in dataclasses.fields(kind) if field.default is field.default_factory]
    made = kind(**{field.name: {"x": None} for field in needed}, timestamp=7)
    written = json.loads(json.dumps(made.to_document()))
    assert events.event_of(kind.name, written) == made
    assert len(written) == sum(not field.metadata.get("binary") for field in dataclasses.fields(kind))


def test_a_field_that_an_event_no_longer_has_is_left_out():
    document = {"queue_id": "default", "user_id": None, "timestamp": 7, "of_old": 1}
    assert events.event_of("queue_cleared", document) == events.QueueClearedEvent(queue_id="default", timestamp=7)


def test_a_name_that_no_event_has_is_refused_with_those_there_are():
    with pytest.raises(ValueError, match="there is no event 'of_old'; there are batch_enqueued, "):
        events.event_of("of_old", {})
