"""Items that need a device and items that need none are two lines in one queue, for those who take one kind only."""

import pytest
from support.batches import a_batch
from support.queues import open_queue

from impasto.queue import SessionQueue
from impasto.queue.session_models import SessionModels
from impasto.storage.database import Database
from impasto.storage.queue.rows import Place

WINDOW = 4
NEEDS_DEVICE = {"device": True, "io": False, "any": None}


@pytest.fixture
def queue(database: Database) -> SessionQueue:
    return open_queue(database, affinity_window=WINDOW)


def enqueue(
    queue: SessionQueue, kind: str, *models: str, runs: int = 1, queue_id: str = "default", prepend: bool = False
) -> list[int]:
    named = SessionModels(written={("first", "model"): models})
    batch = a_batch(runs=runs)
    return queue.enqueue(queue_id, batch, models=named, prepend=prepend, needs_device=NEEDS_DEVICE[kind]).item_ids


def taken(queue: SessionQueue, kind: str, *warm: str, most: int = 99) -> list[int]:
    """The items that a worker of a kind is given, one after the other, until there are none or enough."""
    items = []
    while len(items) < most:
        claimed = queue.claim("worker", warm=warm, needs_device=NEEDS_DEVICE[kind])
        if claimed is None:
            break
        items.append(claimed.item_id)
    return items


def mixed(queue: SessionQueue) -> None:
    """Items 1 to 6: those with an odd number need a device."""
    for kind in ("device", "io") * 3:
        enqueue(queue, kind)


def test_who_takes_one_kind_is_given_that_alone_in_its_order(queue: SessionQueue) -> None:
    mixed(queue)
    assert taken(queue, "io", most=2) == [2, 4]
    assert taken(queue, "device") == [1, 3, 5]
    assert taken(queue, "io") == [6]


def test_who_takes_any_is_given_both_in_one_order(queue: SessionQueue) -> None:
    mixed(queue)
    assert taken(queue, "any") == [1, 2, 3, 4, 5, 6]


def test_priorities_moves_and_pauses_hold_within_a_kind(queue: SessionQueue) -> None:
    mixed(queue)
    assert enqueue(queue, "io", prepend=True) == [7]
    queue.move("default", 6, Place(where="before", item_id=2))
    queue.move("default", 5, Place(where="before", item_id=2))  # of the other kind, and still a place between two
    enqueue(queue, "io", queue_id="night", prepend=True)
    queue.pause("night")
    assert taken(queue, "io") == [7, 6, 2, 4]
    assert taken(queue, "device") == [1, 5, 3]
    queue.resume("night")
    assert taken(queue, "io") == [8]


def test_of_all_queues_the_first_of_the_kind_counts(queue: SessionQueue) -> None:
    enqueue(queue, "device", queue_id="one")
    enqueue(queue, "io", queue_id="two")
    enqueue(queue, "io", queue_id="one", prepend=True)
    assert taken(queue, "io") == [3, 2]
    assert taken(queue, "device") == [1]


def test_the_window_for_warm_models_begins_with_the_first_of_the_kind(queue: SessionQueue) -> None:
    enqueue(queue, "io", "warm", runs=WINDOW)
    enqueue(queue, "device", "cold")
    enqueue(queue, "io", "warm")
    enqueue(queue, "device", "warm")
    assert taken(queue, "device", "warm", most=1) == [WINDOW + 3]
    assert taken(queue, "device", "warm") == [WINDOW + 1]
    assert taken(queue, "io", "cold") == [1, 2, 3, 4, WINDOW + 2]


def test_an_item_keeps_its_kind_when_it_is_given_back_and_when_it_is_done_again(queue: SessionQueue) -> None:
    (lost,) = enqueue(queue, "io")
    assert taken(queue, "io") == [lost]
    queue.give_back(lost, "lost")
    assert taken(queue, "device") == []
    assert taken(queue, "io") == [lost]
    queue.fail(lost, "ValueError", "boom")
    (again,) = queue.retry("default", [lost]).item_ids
    assert taken(queue, "device") == []
    assert taken(queue, "io") == [again]


def test_whether_any_of_a_kind_waits_is_known(queue: SessionQueue) -> None:
    def waiting() -> tuple[bool, bool]:
        return queue.is_any_waiting(needs_device=True), queue.is_any_waiting(needs_device=False)

    assert waiting() == (False, False)
    enqueue(queue, "device")
    assert waiting() == (True, False)
    enqueue(queue, "io")
    queue.pause("default")
    assert waiting() == (False, False)
    queue.resume("default")
    assert taken(queue, "device") == [1]
    assert waiting() == (False, True)


def test_a_bell_rings_for_its_kind_and_for_what_may_be_of_any(queue: SessionQueue) -> None:
    bells = {kind: queue.add_bell(needs_device=needs) for kind, needs in NEEDS_DEVICE.items()}

    def rung() -> set[str]:
        found = {kind for kind, bell in bells.items() if bell.is_set()}
        for bell in bells.values():
            bell.clear()
        return found

    enqueue(queue, "io")
    assert rung() == {"io", "any"}
    enqueue(queue, "device")
    assert rung() == {"device", "any"}
    assert taken(queue, "any") == [1, 2]
    assert rung() == set()
    queue.give_back(1, "lost")
    assert rung() == {"io", "any"}
    queue.pause("default")
    queue.resume("default")
    assert rung() == {"io", "device", "any"}
    queue.recover()
    assert rung() == {"io", "device", "any"}


def test_each_who_waits_has_a_bell_that_no_other_can_stop(queue: SessionQueue) -> None:
    one, other = queue.add_bell(needs_device=False), queue.add_bell(needs_device=False)
    enqueue(queue, "io", runs=2)
    one.clear()
    assert queue.claim("one", needs_device=False) is not None
    assert other.is_set()


def test_a_repeated_batch_rings_for_nobody(queue: SessionQueue) -> None:
    bell = queue.add_bell()
    queue.enqueue("default", a_batch(), idempotency_key="k")
    assert bell.is_set()
    bell.clear()
    assert queue.enqueue("default", a_batch(), idempotency_key="k").repeated
    assert not bell.is_set()
