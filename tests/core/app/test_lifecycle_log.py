"""The story of an item in the log: queued, started where, ended how; with its ids, and without what a person wrote."""

import logging
from typing import Any

import pytest

from impasto.app.lifecycle_log import LifecycleLog
from impasto.engine.log_fields import fields_of
from impasto_sdk.events import (
    BatchEnqueuedEvent,
    Event,
    InvocationCompleteEvent,
    InvocationErrorEvent,
    InvocationProgressEvent,
    ModelLoadCompleteEvent,
    QueueClearedEvent,
    QueueItemsCanceledEvent,
    QueueItemsRetriedEvent,
    QueueItemStatusChangedEvent,
    WorkerStatusChangedEvent,
)

ITEM: dict[str, Any] = {"queue_id": "default", "item_id": 7, "batch_id": "b", "session_id": "s"}
CREATED, STARTED, ENDED = (f"2026-03-01T12:00:0{second}.000000Z" for second in (0, 2, 5))
PROMPT = "a prompt that nobody else is to read"


def changed(status: str, **more: Any) -> Event:
    facts = {**ITEM, "created_at": CREATED, **more}
    return QueueItemStatusChangedEvent(**facts, status=status, status_sequence=1)


def heard(caplog: pytest.LogCaptureFixture, *events: Event, level: int = logging.INFO) -> list[logging.LogRecord]:
    log = LifecycleLog()
    with caplog.at_level(level, "impasto"):
        for event in events:
            log.hear(event)
    return caplog.records


def test_an_item_can_be_followed_from_its_batch_to_its_end(caplog: pytest.LogCaptureFixture) -> None:
    records = heard(
        caplog,
        BatchEnqueuedEvent(queue_id="default", batch_id="b", enqueued=2, requested=2, priority=0),
        changed("in_progress", started_at=STARTED, worker_id="cpu-0"),
        changed("completed", started_at=STARTED, completed_at=ENDED),
    )
    assert [record.getMessage() for record in records] == [
        "batch 'b' waits in queue 'default', items: 2",
        "item 7 started on cpu-0 after 2.000 s",
        "item 7 completed in 3.000 s",
    ]
    assert {record.levelno for record in records} == {logging.INFO}
    assert fields_of(records[0]) == {"queue_id": "default", "batch_id": "b"}
    for record in records[1:]:
        assert fields_of(record) == {**ITEM, "worker_id": "cpu-0"}


def test_a_failure_names_the_node_and_the_kind_of_error_and_quotes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    error = {"error_type": "NodeInputError", "error_message": PROMPT, "error_traceback": PROMPT}
    invocation = {"id": "c[0]", "type": "compel", "prompt": PROMPT}
    _, record = heard(
        caplog,
        changed("in_progress", started_at=STARTED, worker_id="cpu-0"),
        InvocationErrorEvent(**ITEM, **error, invocation=invocation, invocation_source_id="c"),
        changed("failed", started_at=STARTED, completed_at=ENDED, **error),
    )
    assert record.getMessage() == "item 7 failed in 3.000 s: NodeInputError in node 'c[0]' (compel)"
    assert record.levelno == logging.WARNING
    assert fields_of(record) == {**ITEM, "worker_id": "cpu-0", "node_id": "c[0]", "node_type": "compel"}
    assert PROMPT not in str(record.__dict__)


def test_the_failure_of_one_item_is_not_told_of_the_next(caplog: pytest.LogCaptureFixture) -> None:
    error = {"error_type": "E", "error_message": "", "error_traceback": ""}
    invocation = {"id": "d", "type": "div"}
    events = [
        InvocationErrorEvent(**ITEM, **error, invocation=invocation, invocation_source_id="d"),
        changed("canceled", started_at=STARTED, completed_at=ENDED),
        changed("failed", started_at=STARTED, completed_at=ENDED, error_type="WorkerError"),
    ]
    *_, last = heard(caplog, *events)
    assert last.getMessage() == "item 7 failed in 3.000 s: WorkerError"


def test_an_item_that_lost_its_worker_waits_again(caplog: pytest.LogCaptureFixture) -> None:
    _, record = heard(caplog, changed("in_progress", started_at=STARTED, worker_id="cpu-0"), changed("pending"))
    assert record.getMessage() == "item 7 waits again: its run did not end"
    assert fields_of(record) == {**ITEM, "worker_id": "cpu-0"}


def test_what_is_done_to_many_items_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    records = heard(
        caplog,
        QueueItemsCanceledEvent(queue_id="default", canceled_item_ids=[1, 2]),
        QueueItemsRetriedEvent(queue_id="default", retried_item_ids=[1], item_ids=[3]),
        QueueClearedEvent(queue_id="one\nline"),
    )
    assert [record.getMessage() for record in records] == [
        "waiting items of queue 'default' canceled: 2",
        "items of queue 'default' done again: 1",
        "queue 'one\\nline' was cleared",
    ]


def test_nodes_are_told_of_at_debug_and_progress_never(caplog: pytest.LogCaptureFixture) -> None:
    node: dict[str, Any] = {"invocation": {"id": "c", "type": "compel", "prompt": PROMPT}, "invocation_source_id": "c"}
    events = [
        InvocationProgressEvent(**ITEM, **node, message=PROMPT),
        InvocationCompleteEvent(**ITEM, **node, result={}, duration_s=0.5),
        InvocationCompleteEvent(**ITEM, **node, result={}, cached=True, duration_s=0.1),
    ]
    assert heard(caplog, *events) == []
    records = heard(caplog, *events, level=logging.DEBUG)
    assert [record.getMessage() for record in records] == [
        "node c (compel) completed in 0.500 s",
        "node c (compel) was found in the cache",
    ]
    assert fields_of(records[0]) == {**ITEM, "node_id": "c", "node_type": "compel"}
    assert PROMPT not in str([record.__dict__ for record in records])


def test_a_worker_is_told_of_when_it_comes_and_goes_and_not_with_every_item(caplog: pytest.LogCaptureFixture) -> None:
    statuses = ["starting", "ready", "busy", "ready", "busy", "lost", "starting", "ready", "stopped"]
    records = heard(caplog, *(WorkerStatusChangedEvent(worker_id="cpu-0", status=status) for status in statuses))
    assert [record.getMessage().removeprefix("worker cpu-0 is ") for record in records] == [
        "starting",
        "ready",
        "starting",
        "ready",
        "stopped",
    ]
    assert {fields_of(record)["worker_id"] for record in records} == {"cpu-0"}


def test_a_model_that_was_loaded_is_named_with_its_time(caplog: pytest.LogCaptureFixture) -> None:
    (record,) = heard(caplog, ModelLoadCompleteEvent(config={"name": "tiny"}, submodel_type="vae", duration_s=1.25))
    assert record.getMessage() == "model 'tiny' (vae) was loaded in 1.250 s"
