"""Places in a queue: what is moved stands where it was put, and nothing else changes its place."""

import random

import pytest
from support.batches import a_batch
from support.queues import open_queue

from impasto.errors import QueueItemNotFoundError, QueueItemStatusError
from impasto.queue import SessionQueue
from impasto.storage.database import Database
from impasto.storage.queue.rows import Place
from impasto_sdk.events import Event


def before(item_id: int) -> Place:
    return Place(where="before", item_id=item_id)


def after(item_id: int) -> Place:
    return Place(where="after", item_id=item_id)


FRONT, BACK = Place(where="front"), Place(where="back")


def order(queue: SessionQueue) -> list[int]:
    """What waits, as it is listed and as it is claimed. Nothing is left of it."""
    listed = [item.item_id for item in queue.waiting("default", 1_000)]
    taken = []
    while (claimed := queue.claim("worker")) is not None:
        taken.append(claimed)
    assert listed == [item.item_id for item in taken if item.queue_id == "default"]
    return [item.item_id for item in taken]


@pytest.mark.parametrize(
    ("item_id", "place", "expected"),
    [
        (4, FRONT, [4, 1, 2, 3, 5]),
        (1, FRONT, [1, 2, 3, 4, 5]),
        (2, BACK, [1, 3, 4, 5, 2]),
        (5, BACK, [1, 2, 3, 4, 5]),
        (5, before(2), [1, 5, 2, 3, 4]),
        (1, before(5), [2, 3, 4, 1, 5]),
        (1, after(5), [2, 3, 4, 5, 1]),
        (5, after(1), [1, 5, 2, 3, 4]),
        (2, after(1), [1, 2, 3, 4, 5]),
        (2, before(2), [1, 2, 3, 4, 5]),
    ],
)
def test_an_item_waits_where_it_was_put(queue: SessionQueue, item_id: int, place: Place, expected: list[int]) -> None:
    queue.enqueue("default", a_batch(runs=5))
    assert queue.move("default", item_id, place).item_id == item_id
    assert order(queue) == expected


def test_beside_another_an_item_takes_its_priority(queue: SessionQueue) -> None:
    queue.enqueue("default", a_batch(runs=2))
    queue.enqueue("default", a_batch(runs=2), prepend=True)
    assert queue.move("default", 1, after(3)).priority == 1
    assert queue.move("default", 4, before(2)).priority == 0
    assert order(queue) == [3, 1, 4, 2]


def test_the_front_is_before_all_priorities_and_the_back_behind_them(queue: SessionQueue) -> None:
    queue.enqueue("default", a_batch(runs=2))
    queue.enqueue("default", a_batch(runs=2), prepend=True)
    queue.set_priority("default", 2, -5)
    queue.move("default", 1, FRONT)
    queue.move("default", 3, BACK)
    assert order(queue) == [1, 4, 2, 3]


def test_what_comes_later_stands_behind_what_was_moved_to_the_back(queue: SessionQueue) -> None:
    queue.enqueue("default", a_batch(runs=3))
    queue.move("default", 1, BACK)
    queue.move("default", 2, BACK)
    queue.move("default", 3, after(2))
    queue.enqueue("default", a_batch(runs=2))
    assert order(queue) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("at", ["the front", "the middle", "the end"])
def test_any_number_of_items_can_be_put_into_one_place(queue: SessionQueue, at: str) -> None:
    """More than there are numbers between two neighbours, in the order in which they were put there."""
    queue.enqueue("default", a_batch(runs=60))
    expected = list(range(1, 61))
    beside = {"the front": 1, "the middle": 30, "the end": 60}[at]
    for item_id in [n for n in range(1, 61) if n != beside][:50]:
        queue.move("default", item_id, after(beside))
        expected.remove(item_id)
        expected.insert(expected.index(beside) + 1, item_id)
    assert order(queue) == expected


def test_making_room_moves_running_items_too_so_that_they_come_back_to_their_place(queue: SessionQueue) -> None:
    queue.enqueue("default", a_batch(runs=40))
    running = [queue.claim("worker") for _ in range(2)]
    assert [item.item_id for item in running if item] == [1, 2]
    for item_id in range(5, 40):
        queue.move("default", item_id, after(4))
    queue.recover()
    assert order(queue)[:4] == [1, 2, 3, 4]


def test_moves_at_random_give_the_order_of_a_list_that_is_changed_alike(database: Database) -> None:
    choice = random.Random(7)
    queue = open_queue(database)
    queue.enqueue("default", a_batch(runs=12))
    expected = list(range(1, 13))
    for _ in range(300):
        item_id, other = choice.sample(expected, 2)
        expected.remove(item_id)
        match choice.choice(["before", "after", "front", "back"]):
            case "before":
                queue.move("default", item_id, before(other))
                expected.insert(expected.index(other), item_id)
            case "after":
                queue.move("default", item_id, after(other))
                expected.insert(expected.index(other) + 1, item_id)
            case "front":
                queue.move("default", item_id, FRONT)
                expected.insert(0, item_id)
            case "back":
                queue.move("default", item_id, BACK)
                expected.append(item_id)
    assert order(queue) == expected


def test_an_item_whose_priority_changes_stands_by_its_age_among_its_new_likes(queue: SessionQueue) -> None:
    queue.enqueue("default", a_batch(runs=4))
    assert queue.set_priority("default", 4, 7).priority == 7
    queue.set_priority("default", 2, 7)
    queue.set_priority("default", 1, -1)
    assert order(queue) == [2, 4, 3, 1]


def test_moves_and_priorities_are_told_unless_nothing_changes(queue: SessionQueue, events: list[Event]) -> None:
    queue.enqueue("default", a_batch(runs=2, batch_id="b"))
    events.clear()
    queue.move("default", 2, before(1))
    queue.set_priority("default", 2, 3)
    queue.set_priority("default", 2, 3)
    queue.move("default", 2, FRONT)
    assert [(event.name, event.to_document()["item_id"], event.to_document()["priority"]) for event in events] == [
        ("queue_item_moved", 2, 0),
        ("queue_item_moved", 2, 3),
    ]


def test_only_what_waits_in_the_queue_is_moved_and_only_beside_what_waits(queue: SessionQueue) -> None:
    queue.enqueue("default", a_batch(runs=3))
    queue.enqueue("other", a_batch())
    queue.claim("worker")
    queue.cancel("default", 2)
    with pytest.raises(QueueItemStatusError, match="item 1 of queue 'default' is in progress; only items that wait"):
        queue.move("default", 1, FRONT)
    with pytest.raises(QueueItemStatusError) as caught:
        queue.move("default", 3, after(2))
    assert (caught.value.queue_id, caught.value.item_id, caught.value.status) == ("default", 2, "canceled")
    with pytest.raises(QueueItemStatusError):
        queue.set_priority("default", 2, 1)
    for unknown in (4, 99):
        with pytest.raises(QueueItemNotFoundError, match=f"no item {unknown}"):
            queue.move("default", 3, before(unknown))
        with pytest.raises(QueueItemNotFoundError):
            queue.move("default", unknown, FRONT)
        with pytest.raises(QueueItemNotFoundError):
            queue.set_priority("default", unknown, 1)
    assert order(queue) == [3, 4]
