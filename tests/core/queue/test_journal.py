"""What a run writes down is one transaction: its outputs, the images that stay with them, and what is told of it."""

import io
from pathlib import Path

import pytest
from PIL import Image
from support.batches import a_batch

from impasto.queue import SessionQueue
from impasto.queue.records import ClaimedItem
from impasto.storage.database import Database
from impasto.storage.images import ImageLibrary
from impasto_sdk.events import Event, QueueClearedEvent


@pytest.fixture
def item(queue: SessionQueue) -> ClaimedItem:
    """One that runs, at its second attempt."""
    queue.enqueue("default", a_batch())
    queue.claim("worker")
    queue.give_back(1, "lost")
    claimed = queue.claim("worker")
    assert claimed is not None
    return claimed


@pytest.fixture
def names(database: Database, tmp_path: Path) -> list[str]:
    """Images that are not settled."""
    picture = io.BytesIO()
    Image.new("RGB", (8, 8)).save(picture, "PNG")
    images = ImageLibrary(database, tmp_path / "images")
    names = [images.save(picture.getvalue(), unsettled=True).image_name for _ in range(3)]
    images.close()
    return names


def unsettled(database: Database) -> set[str]:
    with database.read() as connection:
        return set(connection.exec_driver_sql("SELECT image_name FROM unsettled_images").scalars())


def news(word: str) -> list[Event]:
    return [QueueClearedEvent(queue_id=word)]


def told(events: list[Event]) -> list[str]:
    return [event.queue_id if isinstance(event, QueueClearedEvent) else event.name for event in events]


def test_outputs_their_images_and_the_news_go_together(
    queue: SessionQueue, item: ClaimedItem, names: list[str], database: Database, events: list[Event]
) -> None:
    events.clear()
    output = {"first": {"value": 3}}
    assert queue.journal(1, output, attempt=item.attempt, settled=names[:2], events=news("first is done"))
    assert list(queue.journal_lines(1)) == [output]
    assert unsettled(database) == {names[2]}
    assert told(events) == ["first is done"]
    assert queue.complete(1, attempt=item.attempt, settled=names[2:], events=news("all is done"))
    assert unsettled(database) == set()
    assert told(events) == ["first is done", "all is done", "queue_item_status_changed"]


def test_an_attempt_that_is_over_writes_settles_and_tells_nothing(
    queue: SessionQueue, item: ClaimedItem, names: list[str], database: Database, events: list[Event]
) -> None:
    events.clear()
    late = {"attempt": item.attempt - 1, "events": news("too late")}
    assert not queue.journal(1, {"first": {"value": 3}}, settled=names, **late)
    assert not queue.complete(1, outputs={"first": {"value": 3}}, settled=names, **late)
    assert not queue.fail(1, "Error", "late", **late)
    assert list(queue.journal_lines(1)) == []
    assert unsettled(database) == set(names)
    assert events == []


def test_news_and_images_may_come_without_outputs(
    queue: SessionQueue, item: ClaimedItem, names: list[str], database: Database, events: list[Event]
) -> None:
    events.clear()
    assert queue.journal(1, {}, attempt=item.attempt, settled=names, events=news("a node begins"))
    assert (told(events), unsettled(database)) == (["a node begins"], set())


def test_the_reason_of_a_failure_is_told_before_it(queue: SessionQueue, item: ClaimedItem, events: list[Event]) -> None:
    events.clear()
    assert queue.fail(1, "Error", "no good", attempt=item.attempt, events=news("why"))
    assert told(events) == ["why", "queue_item_status_changed"]


def test_a_journal_is_read_in_portions_in_the_order_in_which_it_was_written(
    queue: SessionQueue, item: ClaimedItem
) -> None:
    queue.enqueue("default", a_batch())
    other = queue.claim("another")
    assert other is not None
    for number in range(10):
        for running in (item, other):
            lines = {f"{running.item_id}[{9 - number}]": {"value": number}, f"{running.item_id}{number}": {"value": 0}}
            queue.journal(running.item_id, lines)
    portions = list(queue.journal_lines(1, limit=6))
    assert [len(portion) for portion in portions] == [6, 6, 6, 2]
    keys = [key for portion in portions for key in portion]
    assert keys == [key for number in range(10) for key in (f"1[{9 - number}]", f"1{number}")]


def test_the_journal_of_what_is_gone_is_empty(queue: SessionQueue, item: ClaimedItem) -> None:
    queue.journal(1, {"first": {"value": 3}})
    queue.delete("default", 1)
    assert list(queue.journal_lines(1)) == []
