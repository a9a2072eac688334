"""The statements of the queue, each written once. `impasto.storage.queue_items` runs them; nothing else does.

Plain Core, so that they are the same on SQLite and PostgreSQL. The kept counts of batches and queues are always changed
in the transaction that changes the items, which is what makes reading a status cost one row.
"""

from sqlalchemy import (
    and_,
    bindparam,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    update,
)

from impasto.storage.tables import batches, item_numbers, journal, queue_items, queues, unsettled_images

__all__ = [
    "ADD_BATCH",
    "ADD_ITEMS",
    "ADD_QUEUE",
    "ADD_TO_BATCH_COUNTS",
    "ADD_TO_QUEUE_COUNTS",
    "CANCEL_PENDING",
    "CLAIM",
    "COUNTERS",
    "DELETE_ENDED",
    "DELETE_IDLE_BATCHES",
    "DELETE_ITEMS",
    "EXTEND_LEASE",
    "FIND_BATCH",
    "FIND_BATCH_BY_KEY",
    "FIND_CURRENT",
    "FIND_EXPIRED",
    "FIND_ITEM",
    "FIND_ITEMS",
    "FIND_ITEM_IDS",
    "FIND_JOURNALS",
    "FIND_JOURNAL_LINES",
    "FIND_NEXT",
    "FIND_OPEN_SESSIONS",
    "FIND_PLAN",
    "FIND_PLANS",
    "FIND_QUEUE",
    "FIND_RUNNING",
    "FIND_TOP_PRIORITY",
    "FINISH_ITEM",
    "PAUSE_QUEUE",
    "RESET_BATCH_COUNTS",
    "RESET_QUEUE_COUNTS",
    "RETURN_ITEM",
    "SETTLE_IMAGES",
    "TAKE_ITEM_NUMBERS",
    "WRITE_JOURNAL",
]

#: Columns of kept counts, one for each status.
COUNTERS = ("pending", "in_progress", "waiting", "completed", "failed", "canceled")

_in_queue_order = (queue_items.c.priority.desc(), queue_items.c.position, queue_items.c.item_id)
_item = (*queue_items.c, batches.c.batch_id, batches.c.origin, batches.c.destination)
_item_of_batch = queue_items.join(batches, queue_items.c.batch == batches.c.id)


# --- enqueueing ---

FIND_BATCH_BY_KEY = select(batches).where(
    batches.c.queue_id == bindparam("queue_id"),
    batches.c.user_id == bindparam("user_id"),
    batches.c.idempotency_key == bindparam("idempotency_key"),
)
ADD_QUEUE = insert(queues)
FIND_TOP_PRIORITY = (
    select(queue_items.c.priority)
    .where(queue_items.c.queue_id == bindparam("queue_id"), queue_items.c.status == "pending")
    .order_by(*_in_queue_order)
    .limit(1)
)
#: Take a block of numbers: gives the last of it.
TAKE_ITEM_NUMBERS = (
    update(item_numbers).values(last=item_numbers.c.last + bindparam("count")).returning(item_numbers.c.last)
)
ADD_BATCH = insert(batches)
ADD_ITEMS = insert(queue_items)

# --- counts ---

#: Add to each count of a batch what ``d_<count>`` says; gives what an event tells of the batch.
ADD_TO_BATCH_COUNTS = (
    update(batches)
    .where(batches.c.id == bindparam("b_id"))
    .values({name: batches.c[name] + bindparam(f"d_{name}") for name in COUNTERS})
    .returning(batches.c.batch_id, batches.c.origin, batches.c.destination, *(batches.c[name] for name in COUNTERS))
)
#: The same for a queue.
ADD_TO_QUEUE_COUNTS = (
    update(queues)
    .where(queues.c.queue_id == bindparam("b_queue_id"))
    .values({name: queues.c[name] + bindparam(f"d_{name}") for name in COUNTERS})
    .returning(*(queues.c[name] for name in COUNTERS))
)
RESET_BATCH_COUNTS = (
    update(batches).where(batches.c.queue_id == bindparam("b_queue_id")).values(dict.fromkeys(COUNTERS, 0))
)
RESET_QUEUE_COUNTS = (
    update(queues).where(queues.c.queue_id == bindparam("b_queue_id")).values(dict.fromkeys(COUNTERS, 0))
)

# --- running ---

# the first pending item of one queue: one step into the index
_first_of_queue = (
    select(queue_items.c.item_id)
    .where(queue_items.c.queue_id == queues.c.queue_id, queue_items.c.status == "pending")
    .order_by(*_in_queue_order)
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
#: Take the next item, whichever queue it is in. Costs the depth of the index for each queue, however many items wait.
CLAIM = (
    update(queue_items)
    .where(queue_items.c.item_id == _next_of_all_queues)
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

# an attempt that is over cannot speak for the one that followed it; no attempt named: whichever it is
_of_attempt = and_(
    queue_items.c.item_id == bindparam("b_item_id"),
    queue_items.c.status == bindparam("b_from"),
    queue_items.c.attempts == func.coalesce(bindparam("b_attempt"), queue_items.c.attempts),
)
#: End an item, in whichever way.
FINISH_ITEM = (
    update(queue_items)
    .where(_of_attempt)
    .values(
        status=bindparam("b_to"),
        status_sequence=queue_items.c.status_sequence + 1,
        worker_id=None,
        lease_expires_at=None,
        error_type=bindparam("b_error_type"),
        error_message=bindparam("b_error_message"),
        error_traceback=bindparam("b_error_traceback"),
        updated_at=bindparam("b_now"),
        completed_at=bindparam("b_now"),
    )
    .returning(*queue_items.c)
)
#: Let an item that lost its worker wait again. It keeps its place, which is before all that came later.
RETURN_ITEM = (
    update(queue_items)
    .where(_of_attempt)
    .values(
        status="pending",
        status_sequence=queue_items.c.status_sequence + 1,
        excused=queue_items.c.excused + bindparam("b_excused"),
        worker_id=None,
        lease_expires_at=None,
        started_at=None,
        updated_at=bindparam("b_now"),
    )
    .returning(*queue_items.c)
)
#: Prove that an attempt still holds its item, and give it more time.
EXTEND_LEASE = update(queue_items).where(_of_attempt).values(lease_expires_at=bindparam("b_lease_expires_at"))
#: An execution that is told of twice, since the first answer was lost, is written once.
WRITE_JOURNAL = text(
    "INSERT INTO journal (item_id, execution_id, output) VALUES (:item_id, :execution_id, :output) "
    "ON CONFLICT (item_id, execution_id) DO NOTHING"
)
#: The journal names these images now, so they stay.
SETTLE_IMAGES = delete(unsettled_images).where(unsettled_images.c.image_name.in_(bindparam("names", expanding=True)))
FIND_RUNNING = select(queue_items).where(queue_items.c.status == "in_progress").order_by(queue_items.c.item_id)
#: Sessions that still need what their nodes stored.
FIND_OPEN_SESSIONS = select(queue_items.c.session_id).where(
    queue_items.c.status.in_(("pending", "in_progress", "waiting"))
)
FIND_EXPIRED = FIND_RUNNING.where(queue_items.c.lease_expires_at < bindparam("now"))

# --- reading ---

FIND_QUEUE = select(queues).where(queues.c.queue_id == bindparam("queue_id"))
FIND_CURRENT = (
    select(*_item)
    .select_from(_item_of_batch)
    .where(queue_items.c.queue_id == bindparam("queue_id"), queue_items.c.status == "in_progress")
    .order_by(*_in_queue_order)
    .limit(1)
)
FIND_NEXT = (
    select(*_item)
    .select_from(_item_of_batch)
    .where(queue_items.c.queue_id == bindparam("queue_id"), queue_items.c.status == "pending")
    .order_by(*_in_queue_order)
    .limit(1)
)
FIND_ITEM = select(*_item).select_from(_item_of_batch).where(queue_items.c.item_id == bindparam("item_id"))
#: The items of a queue; the caller adds what else it asks for, the order and the length.
FIND_ITEMS = select(*_item).select_from(_item_of_batch).where(queue_items.c.queue_id == bindparam("queue_id"))
FIND_ITEM_IDS = select(queue_items.c.item_id).where(queue_items.c.queue_id == bindparam("queue_id"))
FIND_BATCH = select(batches).where(
    batches.c.queue_id == bindparam("queue_id"), batches.c.batch_id == bindparam("batch_id")
)
#: What sessions of these batches need.
FIND_PLANS = select(batches.c.id, batches.c.graph, batches.c.context).where(
    batches.c.id.in_(bindparam("ids", expanding=True))
)
FIND_PLAN = select(batches.c.graph, batches.c.context).where(batches.c.id == bindparam("id"))
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

# --- cancelling and removing ---

#: Cancel what waits in a queue; the caller adds which.
CANCEL_PENDING = (
    update(queue_items)
    .where(queue_items.c.queue_id == bindparam("b_queue_id"), queue_items.c.status == "pending")
    .values(
        status="canceled",
        status_sequence=queue_items.c.status_sequence + 1,
        updated_at=bindparam("b_now"),
        completed_at=bindparam("b_now"),
    )
    .returning(queue_items.c.item_id, queue_items.c.batch, queue_items.c.user_id)
)
DELETE_ITEMS = delete(queue_items).where(queue_items.c.queue_id == bindparam("queue_id"))
DELETE_ENDED = DELETE_ITEMS.where(queue_items.c.status.in_(("completed", "failed", "canceled"))).returning(
    queue_items.c.batch, queue_items.c.status
)
_total = sum((batches.c[name] for name in COUNTERS), literal(0))
#: Forget batches without items; not yet those whose idempotency key a client may still repeat.
DELETE_IDLE_BATCHES = delete(batches).where(
    batches.c.queue_id == bindparam("queue_id"),
    _total == 0,
    or_(batches.c.idempotency_key.is_(None), batches.c.created_at < bindparam("keys_before")),
)
PAUSE_QUEUE = update(queues).where(queues.c.queue_id == bindparam("b_queue_id")).values(paused=bindparam("b_paused"))
