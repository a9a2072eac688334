"""How the next item is taken: one statement, which finds it and marks it as taken.

Plain, it is the first of all queues. With models that a worker holds ("warm" ones) it may be a later one that needs
them, within a window of places that is counted from the first: so an item can be overtaken by as many others as the
window has places, and by no more, however long the line of those that fit better.

A worker may take one kind of items only, those that need a device or those that need none. It is then as if there were
no others: the first is the first of its kind, and so are those in the window.
"""

from collections.abc import Collection
from itertools import islice

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Row,
    ScalarSelect,
    Select,
    Update,
    bindparam,
    case,
    literal,
    select,
    update,
)

from impasto.storage.tables import POSITION_STEP, queue_items, queues
from impasto.storage.timestamps import timestamp

__all__ = [
    "CLAIM",
    "CLAIM_OF_KIND",
    "CLAIM_WARM",
    "CLAIM_WARM_OF_KIND",
    "FIND_FIRST_OF_KIND",
    "claim",
    "is_any_waiting",
]

#: How many of a worker's models are looked for, the newest: each is looked for in each item of the window.
MOST_WARM = 16
#: Stands before what stands for itself in a pattern.
_ESCAPE = "/"


def _waits(items: FromClause, *, of_kind: bool) -> ColumnElement[bool]:
    """Whether an item waits, and is of the kind that is asked for."""
    waits = items.c.status == "pending"
    return waits & (items.c.needs_device == bindparam("b_needs_device")) if of_kind else waits


def _next_of_all_queues(*, of_kind: bool) -> Select[int]:
    # the first item of one queue that waits: one step into the index
    first_of_queue = (
        select(queue_items.c.item_id)
        .where(queue_items.c.queue_id == queues.c.queue_id, _waits(queue_items, of_kind=of_kind))
        .order_by(queue_items.c.priority.desc(), queue_items.c.position, queue_items.c.item_id)
        .limit(1)
        .correlate(queues)
        .scalar_subquery()
    )
    candidate = queue_items.alias("candidate")
    return (
        select(candidate.c.item_id)
        .select_from(queues.join(candidate, candidate.c.item_id == first_of_queue))
        .where(queues.c.paused.is_(False), queues.c.pending > 0)
        .order_by(candidate.c.priority.desc(), candidate.c.position, candidate.c.item_id)
        .limit(1)
    )


def _warmest_near_the_first(*, of_kind: bool) -> Select[int]:
    head, near = queue_items.alias("head"), queue_items.alias("near")
    # how many of the warm models an item needs; unused patterns are null, which nothing is like
    warmth = sum(
        (
            case((near.c.models.like(bindparam(f"b_warm_{number}"), escape=_ESCAPE), 1), else_=0)
            for number in range(MOST_WARM)
        ),
        start=literal(0),
    )
    return (
        select(near.c.item_id)
        .select_from(head)
        .join(
            near,
            (near.c.queue_id == head.c.queue_id)
            & _waits(near, of_kind=of_kind)
            & (near.c.priority == head.c.priority)
            & (near.c.position < head.c.position + bindparam("b_reach")),
        )
        .where(head.c.item_id == _next_of_all_queues(of_kind=of_kind).scalar_subquery())
        .order_by(warmth.desc(), near.c.position, near.c.item_id)
        .limit(1)
    )


def _taking(item_id: ScalarSelect[int]) -> Update:
    return (
        update(queue_items)
        # the status is asked once more for databases where another may have taken the item since it was found
        .where(queue_items.c.item_id == item_id, queue_items.c.status == "pending")
        .values(
            status="in_progress",
            status_sequence=queue_items.c.status_sequence + 1,
            attempts=queue_items.c.attempts + 1,
            worker_id=bindparam("b_worker_id"),
            lease_expires_at=bindparam("b_lease_expires_at"),
            started_at=bindparam("b_now"),
            updated_at=bindparam("b_now"),
        )
        .returning(*queue_items.c)
    )


#: Take the next item, whichever queue it is in. Costs the depth of the index for each queue, however many items wait.
CLAIM = _taking(_next_of_all_queues(of_kind=False).scalar_subquery())
#: The same for a kind, however many of the other kind wait before it.
CLAIM_OF_KIND = _taking(_next_of_all_queues(of_kind=True).scalar_subquery())
#: Take, of the items in the window that begins with the next one, the first of those that need most of the models.
CLAIM_WARM = _taking(_warmest_near_the_first(of_kind=False).scalar_subquery())
#: The same for a kind.
CLAIM_WARM_OF_KIND = _taking(_warmest_near_the_first(of_kind=True).scalar_subquery())
#: The item that `CLAIM_OF_KIND` would take.
FIND_FIRST_OF_KIND = _next_of_all_queues(of_kind=True)


def claim(
    connection: Connection,
    worker_id: str,
    *,
    lease_s: float,
    warm: Collection[str],
    window: int,
    needs_device: bool | None,
) -> Row[object] | None:
    """Take an item, as a row of its columns; None when nothing waits. `window` is in places, at least 1.

    `needs_device`: only an item that needs one, or only one that needs none; None: whichever.
    """
    values = {"b_worker_id": worker_id, "b_now": timestamp(), "b_lease_expires_at": timestamp(plus_s=lease_s)}
    kind = {} if needs_device is None else {"b_needs_device": needs_device}
    if not warm or window <= 1:
        return connection.execute(CLAIM_OF_KIND if kind else CLAIM, {**values, **kind}).one_or_none()
    unused = dict.fromkeys(f"b_warm_{number}" for number in range(MOST_WARM))
    patterns = {f"b_warm_{number}": _pattern(key) for number, key in enumerate(islice(warm, MOST_WARM))}
    reach = {"b_reach": window * POSITION_STEP}
    statement = CLAIM_WARM_OF_KIND if kind else CLAIM_WARM
    return connection.execute(statement, {**values, **kind, **unused, **patterns, **reach}).one_or_none()


def is_any_waiting(connection: Connection, *, needs_device: bool) -> bool:
    """Whether an item of a kind could be taken now."""
    return connection.execute(FIND_FIRST_OF_KIND, {"b_needs_device": needs_device}).first() is not None


def _pattern(key: str) -> str:
    """What the column of an item that needs this model is like."""
    for special in (_ESCAPE, "%", "_"):
        key = key.replace(special, _ESCAPE + special)
    return f"%,{key},%"
