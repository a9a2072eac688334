"""What the queue's tables are asked, each question written once. Run by `QueueReader` and by the steps of transactions.

Plain Core, so that they are the same on SQLite and PostgreSQL. Each costs what it gives, and no more: where items stand
in a queue is an index, and how many there are is kept in counts.
"""

from sqlalchemy import bindparam, func, select

from impasto.storage.tables import batches, item_numbers, journal, queue_items, queues

__all__ = [
    "COUNTERS",
    "COUNT_DESTINATION",
    "ENDED",
    "FIND_BATCH",
    "FIND_BATCH_BY_KEY",
    "FIND_CURRENT",
    "FIND_EXPIRED",
    "FIND_FIRST",
    "FIND_ITEM",
    "FIND_ITEMS",
    "FIND_ITEM_IDS",
    "FIND_JOURNALS",
    "FIND_JOURNAL_LINES",
    "FIND_LAST",
    "FIND_LAST_NUMBER",
    "FIND_LATER",
    "FIND_LATE_RUNS",
    "FIND_NEXT",
    "FIND_OLD_HISTORY",
    "FIND_OPEN_SESSIONS",
    "FIND_PLAN",
    "FIND_PLANS",
    "FIND_PREVIOUS",
    "FIND_QUEUE",
    "FIND_QUEUES",
    "FIND_RUNNING",
    "FIND_RUNNING_OF_QUEUE",
    "FIND_TOP_PRIORITY",
    "FIND_WAITING",
    "IN_ORDER",
]

#: Columns of kept counts, one for each status.
COUNTERS = ("pending", "in_progress", "waiting", "completed", "failed", "canceled")
#: What an item is in when nothing more becomes of it.
ENDED = ("completed", "failed", "canceled")
#: The order in which a queue is worked off.
IN_ORDER = (queue_items.c.priority.desc(), queue_items.c.position, queue_items.c.item_id)
_backwards = (queue_items.c.priority, queue_items.c.position.desc(), queue_items.c.item_id.desc())

_item = (*queue_items.c, batches.c.batch_id, batches.c.origin, batches.c.destination)
_item_of_batch = queue_items.join(batches, queue_items.c.batch == batches.c.id)
_of_queue = queue_items.c.queue_id == bindparam("queue_id")
_waiting = (_of_queue, queue_items.c.status == "pending")

# --- queues and batches ---

FIND_QUEUE = select(queues).where(queues.c.queue_id == bindparam("queue_id"))
FIND_QUEUES = select(queues).order_by(queues.c.queue_id)
FIND_BATCH = select(batches).where(
    batches.c.queue_id == bindparam("queue_id"), batches.c.batch_id == bindparam("batch_id")
)
FIND_BATCH_BY_KEY = select(batches).where(
    batches.c.queue_id == bindparam("queue_id"),
    batches.c.user_id == bindparam("user_id"),
    batches.c.idempotency_key == bindparam("idempotency_key"),
)
#: What sessions of these batches need.
FIND_PLANS = select(batches.c.id, batches.c.graph, batches.c.context).where(
    batches.c.id.in_(bindparam("ids", expanding=True))
)
FIND_PLAN = select(batches.c.graph, batches.c.context).where(batches.c.id == bindparam("id"))
#: By status, over all batches of a destination. Two indexes, and no row of either table.
COUNT_DESTINATION = (
    select(queue_items.c.status, func.count().label("number"))
    .select_from(_item_of_batch)
    .where(batches.c.queue_id == bindparam("queue_id"), batches.c.destination == bindparam("destination"))
    .group_by(queue_items.c.status)
)

# --- items ---

FIND_ITEM = select(*_item).select_from(_item_of_batch).where(queue_items.c.item_id == bindparam("item_id"))
#: Items; the caller adds which (`impasto.storage.queue.reading.narrowed`), the order and the length.
FIND_ITEMS = select(*_item).select_from(_item_of_batch)
FIND_ITEM_IDS = select(queue_items.c.item_id).where(_of_queue)
FIND_RUNNING_OF_QUEUE = FIND_ITEMS.where(_of_queue, queue_items.c.status == "in_progress")
FIND_CURRENT = FIND_RUNNING_OF_QUEUE.order_by(*IN_ORDER).limit(1)
FIND_WAITING = FIND_ITEMS.where(*_waiting).order_by(*IN_ORDER)
FIND_NEXT = FIND_WAITING.limit(1)
# by way of the queues that have any, since the index of items begins with the queue
FIND_RUNNING = (
    select(queue_items)
    .where(
        queue_items.c.queue_id.in_(select(queues.c.queue_id).where(queues.c.in_progress > 0)),
        queue_items.c.status == "in_progress",
    )
    .order_by(queue_items.c.item_id)
)
FIND_EXPIRED = FIND_RUNNING.where(queue_items.c.lease_expires_at < bindparam("now"))
#: Sessions that still need what their nodes stored.
FIND_OPEN_SESSIONS = select(queue_items.c.session_id).where(
    queue_items.c.status.in_(("pending", "in_progress", "waiting"))
)
#: When some of the latest runs of a queue began and ended. In the order of the index, since it is asked by whoever
#: finds the queue full.
FIND_LATE_RUNS = (
    select(queue_items.c.started_at, queue_items.c.completed_at)
    .where(_of_queue, queue_items.c.status == "completed")
    .order_by(*_backwards)
    .limit(bindparam("limit"))
)
#: Items of a queue that have ended, those that ended first.
FIND_OLD_HISTORY = (
    select(queue_items.c.item_id)
    .where(_of_queue, queue_items.c.status.in_(ENDED))
    .order_by(queue_items.c.completed_at, queue_items.c.item_id)
    .limit(bindparam("limit"))
)

# --- places ---

FIND_TOP_PRIORITY = select(queue_items.c.priority).where(*_waiting).order_by(*IN_ORDER).limit(1)
_place = select(queue_items.c.item_id, queue_items.c.priority, queue_items.c.position).where(*_waiting).limit(1)
#: The first and the last that wait in a queue.
FIND_FIRST = _place.order_by(*IN_ORDER)
FIND_LAST = _place.order_by(*_backwards)
_beside = _place.where(
    queue_items.c.priority == bindparam("priority"), queue_items.c.item_id != bindparam("moved_item_id")
)
#: Whoever waits right before a place, or right after it, in its priority; the one that is moved does not count.
FIND_PREVIOUS = _beside.where(
    queue_items.c.position <= bindparam("position"),
    (queue_items.c.position < bindparam("position")) | (queue_items.c.item_id < bindparam("item_id")),
).order_by(*_backwards)
FIND_LATER = _beside.where(
    queue_items.c.position >= bindparam("position"),
    (queue_items.c.position > bindparam("position")) | (queue_items.c.item_id > bindparam("item_id")),
).order_by(*IN_ORDER)
FIND_LAST_NUMBER = select(item_numbers.c.last)

# --- journals ---

FIND_JOURNALS = (
    select(journal.c.item_id, journal.c.execution_id, journal.c.output)
    .where(journal.c.item_id.in_(bindparam("item_ids", expanding=True)))
    .order_by(journal.c.id)
)
#: The next lines of one item's journal.
FIND_JOURNAL_LINES = (
    select(journal.c.id, journal.c.execution_id, journal.c.output)
    .where(journal.c.item_id == bindparam("item_id"), journal.c.id > bindparam("after"))
    .order_by(journal.c.id)
    .limit(bindparam("limit"))
)
