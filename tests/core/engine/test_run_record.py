"""The record of a run: on disk in groups, then told, and only as long as it counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from impasto.engine.protocol import Outcome, ToServer, item_key, item_of
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
)


@dataclass
class Story:
    """What was written, published and removed, in one order; it is the queue and the image library too."""

    told: list[Any] = field(default_factory=list)
    settled: list[str] = field(default_factory=list)
    counts: bool = True

    def __post_init__(self) -> None:
        queue: Any = self
        images: Any = self
        self.images = UnsettledImages(images)
        self.record = RunRecord(ITEM, queue, self.told.append, self.images, device="cpu")

    def delete(self, names: Sequence[str]) -> Sequence[str]:
        self.told.append({"delete": list(names)})
        return names

    def journal(self, item_id: int, outputs: Mapping[str, Any], **along: Any) -> bool:
        return self._write("journal", item_id, outputs, **along)

    def complete(self, item_id: int, *, outputs: Mapping[str, Any], **along: Any) -> bool:
        return self._write("complete", item_id, outputs, **along)

    def _write(
        self,
        what: str,
        item_id: int,
        outputs: Mapping[str, Any],
        *,
        attempt: int,
        settled: Sequence[str],
        events: Sequence[Event],
    ) -> bool:
        assert (item_id, attempt) == (7, 1)
        self.told.append({what: dict(outputs)})
        if self.counts:
            self.told += events
            self.settled += settled
        return self.counts

    def names(self) -> list[str]:
        return [next(iter(one)) if isinstance(one, dict) else one.name for one in self.told]


def started(node: str) -> Message:
    body = {"execution_id": node, "source_id": node, "invocation": {"id": node, "type": "add"}}
    return Message(kind=ToServer.STARTED, body=body)


def completed(node: str, *images: str) -> Message:
    body = {"execution_id": node, "output": {"value": node}, "cached": False, "images": list(images)}
    return Message(kind=ToServer.COMPLETED, body=body)


def item(node: str, index: int, *images: str) -> Message:
    body = {"execution_id": node, "index": index, "item": 10 * index, "images": list(images)}
    return Message(kind=ToServer.ITEM, body=body)


def progress(node: str) -> Message:
    return Message(kind=ToServer.PROGRESS, body={"execution_id": node, "fraction": 0.5, "message": "half"})


def ended(outcome: Outcome, error: dict[str, Any] | None = None, kind: ToServer = ToServer.ENDED) -> Message:
    return Message(kind=kind, body={"item_id": 7, "outcome": outcome.value, "error": error})


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


def test_several_nodes_in_hand_are_named_up_to_a_number():
    story = Story()
    story.record.take([started("a"), started("b")])
    assert story.record.in_hand == "node 'a' (add), node 'b' (add)"
    story.record.take([started("c"), started("d"), completed("a")])
    assert story.record.in_hand == "node 'b' (add), node 'c' (add) and 1 more"


def test_items_are_written_down_under_keys_of_their_own_and_not_told_of():
    story = Story()
    story.record.take([started("g"), item("g", 0), item("g", 1, "one")])
    lines = {item_key("g", 0): {"item": 0, "images": []}, item_key("g", 1): {"item": 10, "images": ["one"]}}
    assert story.told[0] == {"journal": lines}
    assert story.names() == ["journal", "invocation_started"]
    assert story.record.in_hand == "node 'g' (add)"


def test_an_items_key_can_be_read_back():
    assert item_of(item_key("a[3]/b[0]", 12)) == ("a[3]/b[0]", 12)
    assert item_of("a[3]/b[0]") is None


def test_images_stay_with_what_is_written_down_and_no_others():
    story = Story()
    for name in ("one", "two", "three", "four"):
        assert story.images.add(name)
    story.record.take([started("g"), item("g", 0, "one"), started("a"), completed("a", "two")])
    story.images.close()
    assert story.told[-1] == {"delete": ["three", "four"]}
    assert story.settled == ["one", "two"]


def test_no_image_stays_that_belongs_to_what_no_longer_counts():
    story = Story(counts=False)
    story.images.add("one")
    story.record.take([started("a"), completed("a", "one")])
    story.images.close()
    assert story.told[-1] == {"delete": ["one"]}


def test_images_that_do_not_stay_are_gone_before_the_run_is_complete():
    story = Story()
    story.images.add("one")
    story.images.add("two")
    story.record.take([started("a"), completed("a", "two"), ended(Outcome.COMPLETED)])
    assert story.names()[:2] == ["delete", "complete"]
    assert story.told[0] == {"delete": ["one"]}
    story.images.close()
    assert story.names().count("delete") == 1


def test_an_image_that_comes_after_the_end_is_not_kept():
    story = Story()
    story.images.close()
    assert not story.images.add("late")
    assert story.told == [{"delete": ["late"]}]


def test_what_a_run_will_fail_of_is_told_at_once_and_only_once():
    story = Story()
    error = {"type": "ValueError", "message": "boom", "execution_id": "a", "source_id": "a"}
    assert story.record.take([started("a"), started("b"), ended(Outcome.FAILED, error, ToServer.ENDING)]) is None
    assert story.names() == ["invocation_started", "invocation_started", "invocation_error"]
    assert story.record.foretold is not None
    assert story.record.foretold.error is not None
    assert story.record.foretold.error.message == "boom"
    assert story.record.take([ended(Outcome.FAILED, error)]) is not None
    assert story.names().count("invocation_error") == 1


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


def test_what_nothing_is_written_down_with_is_told_in_order():
    story = Story()
    story.record.take([started("a"), progress("a")])
    assert story.names() == ["invocation_started", "invocation_progress"]


def test_a_message_that_belongs_in_no_run_is_an_error():
    with pytest.raises(ValueError, match="a worker sent 'hello' during a run"):
        Story().record.take([Message(kind="hello")])
