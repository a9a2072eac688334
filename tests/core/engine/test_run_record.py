"""The record of a run: on disk in groups, then told, and only as long as it counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from impasto.engine.protocol import Outcome, ToServer
from impasto.engine.run_record import RunRecord
from impasto.engine.unsettled_images import UnsettledImages
from impasto.engine.wire import Message
from impasto.queue.records import ClaimedItem
from impasto_sdk.events import Event

ITEM = ClaimedItem(
    item_id=7,
    queue_id="default",
    batch_id="batch",
    session_id="session",
    user_id="someone",
    origin=None,
    destination="gallery",
    graph={},
    workflow=None,
    metadata=None,
    attempt=1,
    journal={},
)


@dataclass
class Story:
    """What was written, published and removed, in one order; it is the queue and the image library too."""

    told: list[Any] = field(default_factory=list)
    counts: bool = True

    def __post_init__(self) -> None:
        queue: Any = self
        images: Any = self
        self.images = UnsettledImages(images)
        self.record = RunRecord(ITEM, queue, self.told.append, self.images, device="cpu")

    def delete(self, names: Sequence[str]) -> Sequence[str]:
        self.told.append({"delete": list(names)})
        return names

    def journal(self, item_id: int, outputs: Mapping[str, Any], *, attempt: int) -> bool:
        assert (item_id, attempt) == (7, 1)
        self.told.append({"journal": dict(outputs)})
        return self.counts

    def complete(self, item_id: int, *, attempt: int, outputs: Mapping[str, Any], events: Sequence[Event]) -> bool:
        assert (item_id, attempt) == (7, 1)
        self.told.append({"complete": dict(outputs)})
        self.told += events
        return self.counts

    def names(self) -> list[str]:
        return [next(iter(one)) if isinstance(one, dict) else one.name for one in self.told]


def started(node: str) -> Message:
    body = {"execution_id": node, "source_id": node, "invocation": {"id": node, "type": "add"}}
    return Message(kind=ToServer.STARTED, body=body)


def completed(node: str) -> Message:
    return Message(kind=ToServer.COMPLETED, body={"execution_id": node, "output": {"value": node}, "cached": False})


def progress(node: str) -> Message:
    return Message(kind=ToServer.PROGRESS, body={"execution_id": node, "fraction": 0.5, "message": "half"})


def ended(outcome: Outcome, error: dict[str, Any] | None = None) -> Message:
    return Message(kind=ToServer.ENDED, body={"item_id": 7, "outcome": outcome.value, "error": error})


def test_a_group_is_on_disk_in_one_go_before_any_of_it_is_told():
    story = Story()
    assert story.record.take([started("a"), completed("a"), started("b"), progress("b"), completed("b")]) is None
    assert story.names() == [
        "journal",
        "invocation_started",
        "invocation_complete",
        "invocation_started",
        "invocation_progress",
        "invocation_complete",
    ]
    assert story.told[0] == {"journal": {"a": {"value": "a"}, "b": {"value": "b"}}}


def test_the_last_outputs_of_a_run_are_written_with_its_end_and_told_before_it():
    story = Story()
    ending = story.record.take([started("a"), completed("a"), ended(Outcome.COMPLETED)])
    assert ending is not None
    assert story.names() == ["complete", "invocation_started", "invocation_complete"]
    assert story.told[0] == {"complete": {"a": {"value": "a"}}}


def test_the_node_in_hand_is_known_until_it_has_finished():
    story = Story()
    story.record.take([started("a"), completed("a"), started("b")])
    assert story.record.in_hand == "node 'b' (add)"
    story.record.take([completed("b")])
    assert story.record.in_hand == ""


def test_events_know_their_run():
    story = Story()
    story.record.take([started("a")])
    (event,) = story.told
    assert (event.item_id, event.queue_id, event.user_id, event.destination) == (7, "default", "someone", "gallery")


def test_a_run_that_no_longer_counts_is_told_of_no_more():
    story = Story(counts=False)
    story.record.take([started("a"), completed("a")])
    assert not story.record.counts
    ending = story.record.take([started("b"), completed("b"), ended(Outcome.CANCELED)])
    assert ending is not None
    assert ending.outcome is Outcome.CANCELED
    assert story.names() == ["journal"]


def test_the_ending_is_given_with_its_error_told():
    story = Story()
    error = {"type": "ValueError", "message": "boom", "execution_id": "a", "source_id": "a"}
    ending = story.record.take([started("a"), ended(Outcome.FAILED, error)])
    assert ending is not None
    assert ending.error is not None
    assert ending.error.message == "boom"
    assert story.names() == ["invocation_started", "invocation_error"]
    assert story.told[-1].invocation == {"id": "a"}


def test_progress_of_a_node_that_has_ended_is_let_go():
    story = Story()
    story.record.take([started("a"), completed("a"), progress("a")])
    assert story.names() == ["journal", "invocation_started", "invocation_complete"]


def test_a_message_that_belongs_in_no_run_is_an_error():
    with pytest.raises(ValueError, match="a worker sent 'hello' during a run"):
        Story().record.take([Message(kind="hello")])
