"""Where items wait in their queue: how one is put somewhere else. Steps inside a transaction of `QueueItemStore`.

An item stands by its priority, then by its position, then by its number. Positions are far apart, so that an item is
put between two others by a number between theirs, and nothing else is touched; when two have come too close, all that
stand before the place move forward by one step. Items that come later stand after all of them.
"""

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import Connection, Select

from impasto.errors import QueueItemNotFoundError, QueueItemStatusError
from impasto.storage.queue import queries
from impasto.storage.queue import statements as sql
from impasto.storage.queue.reading import item_of
from impasto.storage.queue.rows import ItemRow, Place
from impasto.storage.tables import POSITION_STEP
from impasto.storage.timestamps import timestamp

__all__ = ["move", "prioritise"]


class _Spot(NamedTuple):
    """Where an item stands."""

    item_id: int
    priority: int
    position: int


def move(connection: Connection, queue_id: str, item_id: int, place: Place) -> ItemRow | None:
    """Put a waiting item somewhere else; None: it is there already.

    Raises `QueueItemNotFoundError` and `QueueItemStatusError`, for the item and for the one that `place` names.
    """
    _waiting(connection, queue_id, item_id)
    before, after = _neighbours(connection, queue_id, item_id, place)
    beside = before or after
    if beside is None:
        return None
    return _put(connection, item_id, beside.priority, _between(connection, queue_id, before, after))


def prioritise(connection: Connection, queue_id: str, item_id: int, priority: int) -> ItemRow | None:
    """Give a waiting item another priority, in which it keeps its position; None: it has that one.

    Raises as `move`.
    """
    spot = _waiting(connection, queue_id, item_id)
    return None if spot.priority == priority else _put(connection, item_id, priority, spot.position)


def _neighbours(connection: Connection, queue_id: str, item_id: int, place: Place) -> tuple[_Spot | None, _Spot | None]:
    """Who is to wait right before the item and right after it, in one priority; neither: it is to stay."""
    if place.item_id == item_id:
        return None, None
    if place.item_id is None:
        end = queries.FIND_FIRST if place.where == "front" else queries.FIND_LAST
        spot = _find(connection, end, {"queue_id": queue_id})
        if spot is None or spot.item_id == item_id:
            return None, None
        return (None, spot) if place.where == "front" else (spot, None)
    beside = _waiting(connection, queue_id, place.item_id)
    which = {"queue_id": queue_id, **beside._asdict(), "moved_item_id": item_id}
    if place.where == "before":
        return _find(connection, queries.FIND_PREVIOUS, which), beside
    return beside, _find(connection, queries.FIND_LATER, which)


def _between(connection: Connection, queue_id: str, before: _Spot | None, after: _Spot | None) -> int:
    """A position between those of two neighbours; room is made where there is none."""
    if before is None:
        assert after is not None
        return after.position - POSITION_STEP
    low = before.position
    if after is None:  # whatever comes later stands behind it
        last: int = connection.execute(queries.FIND_LAST_NUMBER).scalar_one()
        high = (last + 1) * POSITION_STEP
    else:
        high = after.position
    if high - low < 2:
        which = {"b_queue_id": queue_id, "b_priority": before.priority, "b_position": low, "b_item_id": before.item_id}
        connection.execute(sql.MAKE_PLACE, {**which, "b_by": POSITION_STEP})
        low -= POSITION_STEP
    return (low + high) // 2


def _put(connection: Connection, item_id: int, priority: int, position: int) -> ItemRow:
    values = {"b_item_id": item_id, "b_priority": priority, "b_position": position, "b_now": timestamp()}
    connection.execute(sql.PUT_ITEM, values)
    return item_of(connection.execute(queries.FIND_ITEM, {"item_id": item_id}).one())


def _find(connection: Connection, statement: Select[tuple[int, int, int]], which: Mapping[str, object]) -> _Spot | None:
    row = connection.execute(statement, which).one_or_none()
    return None if row is None else _Spot(row.item_id, row.priority, row.position)


def _waiting(connection: Connection, queue_id: str, item_id: int) -> _Spot:
    """Where an item stands that waits in this queue."""
    row = connection.execute(queries.FIND_ITEM, {"item_id": item_id}).one_or_none()
    if row is None or row.queue_id != queue_id:
        raise QueueItemNotFoundError(queue_id, item_id)
    if row.status != "pending":
        raise QueueItemStatusError(queue_id, item_id, row.status, "only items that wait have a place in the queue")
    return _Spot(row.item_id, row.priority, row.position)
