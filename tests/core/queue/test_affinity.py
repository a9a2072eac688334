"""A worker is given, within limits, what it holds the models for."""

from collections.abc import Collection

import pytest
from support.batches import a_batch
from support.queues import open_queue

from impasto.queue import SessionQueue
from impasto.queue.session_models import SessionModels
from impasto.storage.database import Database
from impasto.storage.queue.rows import Place

WINDOW = 4


@pytest.fixture
def queue(database: Database) -> SessionQueue:
    return open_queue(database, affinity_window=WINDOW)


def enqueue(queue: SessionQueue, *models: str, runs: int = 1, queue_id: str = "default", prepend: bool = False) -> None:
    named = SessionModels(written={("first", "model"): models})
    queue.enqueue(queue_id, a_batch(runs=runs), models=named, prepend=prepend)


def claim(queue: SessionQueue, *warm: str) -> int | None:
    claimed = queue.claim("worker", warm=warm)
    return None if claimed is None else claimed.item_id


def test_the_item_with_most_of_the_models_goes_first(queue: SessionQueue) -> None:
    enqueue(queue)
    enqueue(queue, "vae")
    enqueue(queue, "vae", "unet", "lora")
    enqueue(queue, "vae", "unet")
    assert [claim(queue, "unet", "vae") for _ in range(5)] == [3, 4, 2, 1, None]


def test_of_equals_the_first_goes_first_and_so_does_the_first_of_all_when_nothing_fits(queue: SessionQueue) -> None:
    for _ in range(3):
        enqueue(queue, "vae")
    assert [claim(queue, "vae"), claim(queue, "other"), claim(queue)] == [1, 2, 3]


def test_nothing_beyond_the_window_is_looked_at(queue: SessionQueue) -> None:
    enqueue(queue, "cold", runs=WINDOW)
    enqueue(queue, "warm")
    assert claim(queue, "warm") == 1
    assert claim(queue, "warm") == WINDOW + 1


def test_a_window_of_one_place_keeps_the_order(database: Database) -> None:
    queue = open_queue(database, affinity_window=1)
    enqueue(queue, "cold")
    enqueue(queue, "warm")
    assert claim(queue, "warm") == 1


def test_no_item_is_overtaken_by_more_than_the_window_holds(queue: SessionQueue) -> None:
    """However long the line of those that fit better, and though it grows all the time."""
    enqueue(queue, "cold")
    overtaken = 0
    for _ in range(20):
        enqueue(queue, "warm")
        if claim(queue, "warm") == 1:
            break
        overtaken += 1
    assert overtaken == WINDOW - 1


def test_what_has_priority_is_overtaken_by_nothing_without_it(queue: SessionQueue) -> None:
    enqueue(queue, "warm")
    enqueue(queue, "cold", prepend=True)
    assert claim(queue, "warm") == 2


def test_the_queue_of_the_first_item_is_served_and_no_other_overtakes_it(queue: SessionQueue) -> None:
    enqueue(queue, "cold", queue_id="one")
    enqueue(queue, "warm", queue_id="two")
    enqueue(queue, "warm", queue_id="one")
    assert [claim(queue, "warm"), claim(queue, "warm"), claim(queue, "warm")] == [3, 1, 2]


def test_a_paused_queue_gives_nothing_however_well_it_fits(queue: SessionQueue) -> None:
    enqueue(queue, "cold", queue_id="one")
    enqueue(queue, "warm", queue_id="two")
    queue.pause("one")
    queue.pause("two")
    assert claim(queue, "warm") is None
    queue.resume("one")
    assert claim(queue, "warm") == 1


def test_what_was_moved_to_the_front_counts_as_the_first(queue: SessionQueue) -> None:
    enqueue(queue, "cold", runs=WINDOW)
    enqueue(queue, "warm")
    queue.move("default", WINDOW, Place(where="front"))
    assert claim(queue, "other") == WINDOW


@pytest.mark.parametrize(
    ("needed", "warm"),
    [("a%", ["ab"]), ("ab", ["a%"]), ("ab", ["a_"]), ("ab", ["a"]), ("ab", ["b"]), ("a/b", ["a//b"])],
)
def test_keys_are_compared_whole_and_as_they_are(queue: SessionQueue, needed: str, warm: Collection[str]) -> None:
    enqueue(queue, "cold")
    enqueue(queue, needed)
    assert claim(queue, *warm) == 1
    assert claim(queue, needed) == 2


def test_a_worker_may_hold_more_models_than_are_looked_for(queue: SessionQueue) -> None:
    enqueue(queue, "cold")
    enqueue(queue, "newest")
    assert claim(queue, "newest", *(f"old {n}" for n in range(50))) == 2


def test_an_item_that_is_done_again_names_the_same_models(queue: SessionQueue) -> None:
    enqueue(queue, "warm")
    enqueue(queue, "cold")
    queue.cancel("default", 1)
    queue.retry("default", [1])
    assert claim(queue, "warm") == 3
