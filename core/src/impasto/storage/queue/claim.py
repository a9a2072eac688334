"""How the next item is taken: one statement, which finds it and marks it as taken.

Plain, it is the first of all queues. With models that a worker holds ("warm" ones) it may be a later one that needs
them, within a window of places that is counted from the first: so an item can be overtaken by as many others as the
window has places, and by no more, however long the line of those that fit better.
"""

from collections.abc import Collection
from itertools import islice

from sqlalchemy import Connection, Row, Update, bindparam, case, literal, select, update

from impasto.storage.tables import POSITION_STEP, queue_items, queues
from impasto.storage.timestamps import timestamp

__all__ = ["CLAIM", "CLAIM_WARM", "claim"]

#: How many of a worker's models are looked for, the newest: each is looked for in each item of the window.
MOST_WARM = 16
#: Stands before what stands for itself in a pattern.
_ESCAPE = "/"

# the first pending item of one queue: one step into the index
_first_of_queue = (
    select(queue_items.c.item_id)
    .where(queue_items.c.queue_id == queues.c.queue_id, queue_items.c.status == "pending")
    .order_by(queue_items.c.priority.desc(), queue_items.c.position, queue_items.c.item_id)
    .limit(1)
    .correlate(queues)
    .scalar_subquery()
)
_candidate = queue_items.alias("candidate")
_next_of_all_queues = (
    select(_candidate.c.item_id)
    .select_from(queues.join(_candidate, _candidate.c.item_id == _first_of_queue))
    .where(queues.c.paused.is_(False), queues.c.pending > 0)
    .order_by(_candidate.c.priority.desc(), _candidate.c.position, _candidate.c.item_id)
    .limit(1)
    .scalar_subquery()
)

_head = queue_items.alias("head")
_near = queue_items.alias("near")
#: How many of the warm models an item needs. Unused patterns are null, which nothing is like.
_warmth = sum(
    (
        case((_near.c.models.like(bindparam(f"b_warm_{number}"), escape=_ESCAPE), 1), else_=0)
        for number in range(MOST_WARM)
    ),
    start=literal(0),
)
_warmest_near_the_first = (
    select(_near.c.item_id)
    .select_from(_head)
    .join(
        _near,
        (_near.c.queue_id == _head.c.queue_id)
        & (_near.c.status == "pending")
        & (_near.c.priority == _head.c.priority)
        & (_near.c.position < _head.c.position + bindparam("b_reach")),
    )
    .where(_head.c.item_id == _next_of_all_queues)
    .order_by(_warmth.desc(), _near.c.position, _near.c.item_id)
    .limit(1)
    .scalar_subquery()
)


def _taking(item_id: object) -> Update:
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
CLAIM = _taking(_next_of_all_queues)
#: Take, of the items in the window that begins with the next one, the first of those that need most of the models.
CLAIM_WARM = _taking(_warmest_near_the_first)


def claim(
    connection: Connection, worker_id: str, *, lease_s: float, warm: Collection[str], window: int
) -> Row[object] | None:
    """Take an item, as a row of its columns; None when nothing waits. `window` is in places, at least 1."""
    values = {"b_worker_id": worker_id, "b_now": timestamp(), "b_lease_expires_at": timestamp(plus_s=lease_s)}
    if not warm or window <= 1:
        return connection.execute(CLAIM, values).one_or_none()
    unused = dict.fromkeys(f"b_warm_{number}" for number in range(MOST_WARM))
    patterns = {f"b_warm_{number}": _pattern(key) for number, key in enumerate(islice(warm, MOST_WARM))}
    reach = {"b_reach": window * POSITION_STEP}
    return connection.execute(CLAIM_WARM, {**values, **unused, **patterns, **reach}).one_or_none()


def _pattern(key: str) -> str:
    """What the column of an item that needs this model is like."""
    for special in (_ESCAPE, "%", "_"):
        key = key.replace(special, _ESCAPE + special)
    return f"%,{key},%"
