"""What changes the queue's tables, each statement written once. Run by the steps of transactions beside it, only there.

Plain Core, so that they are the same on SQLite and PostgreSQL. The kept counts of batches and queues are always changed
in the transaction that changes the items, which is what makes reading a status cost one row.
"""

from sqlalchemy import and_, bindparam, delete, func, insert, literal, or_, text, update

from impasto.storage.queue.queries import COUNTERS, ENDED
from impasto.storage.tables import batches, item_numbers, queue_items, queues, unsettled_images

__all__ = [
    "ADD_BATCH",
    "ADD_ITEMS",
    "ADD_QUEUE",
    "ADD_TO_BATCH_COUNTS",
    "ADD_TO_QUEUE_COUNTS",
    "CANCEL_PENDING",
    "DELETE_ENDED",
    "DELETE_IDLE_BATCHES",
    "DELETE_ITEMS",
    "EXTEND_LEASE",
    "EXTEND_LEASE_WITH_PROGRESS",
    "FINISH_ITEM",
    "MAKE_PLACE",
    "PAUSE_QUEUE",
    "PUT_ITEM",
    "RESET_BATCH_COUNTS",
    "RESET_QUEUE_COUNTS",
    "RETURN_ITEM",
    "SETTLE_IMAGES",
    "TAKE_ITEM_NUMBERS",
    "WRITE_JOURNAL",
]

# --- enqueueing ---

ADD_QUEUE = insert(queues)
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
#: The same, when the attempt got further: those before it do not count any more.
EXTEND_LEASE_WITH_PROGRESS = EXTEND_LEASE.values(excused=queue_items.c.attempts - 1)
#: An execution that is told of twice, since the first answer was lost, is written once. One that had to run again,
#: since what it gave is gone, has given something else.
WRITE_JOURNAL = text(
    "INSERT INTO journal (item_id, execution_id, output) VALUES (:item_id, :execution_id, :output) "
    "ON CONFLICT (item_id, execution_id) DO UPDATE SET output = excluded.output"
)
#: The journal names these images now, so they stay.
SETTLE_IMAGES = delete(unsettled_images).where(unsettled_images.c.image_name.in_(bindparam("names", expanding=True)))

# --- places ---

_of_queue = queue_items.c.queue_id == bindparam("b_queue_id")
#: Put an item that waits somewhere else.
PUT_ITEM = (
    update(queue_items)
    .where(queue_items.c.item_id == bindparam("b_item_id"), queue_items.c.status == "pending")
    .values(priority=bindparam("b_priority"), position=bindparam("b_position"), updated_at=bindparam("b_now"))
)
#: Move all up to a place forward, so that there is room after it. Running items too, which may come back.
MAKE_PLACE = (
    update(queue_items)
    .where(
        _of_queue,
        queue_items.c.status.in_(("pending", "in_progress")),
        queue_items.c.priority == bindparam("b_priority"),
        queue_items.c.position <= bindparam("b_position"),
        or_(queue_items.c.position < bindparam("b_position"), queue_items.c.item_id <= bindparam("b_item_id")),
    )
    .values(position=queue_items.c.position - bindparam("b_by"))
)

# --- cancelling and removing ---

#: Cancel what waits in a queue; the caller adds which.
CANCEL_PENDING = (
    update(queue_items)
    .where(queue_items.c.status == "pending")
    .values(
        status="canceled",
        status_sequence=queue_items.c.status_sequence + 1,
        updated_at=bindparam("b_now"),
        completed_at=bindparam("b_now"),
    )
    .returning(queue_items.c.item_id, queue_items.c.batch, queue_items.c.user_id)
)
DELETE_ITEMS = delete(queue_items).where(queue_items.c.queue_id == bindparam("queue_id"))
#: Delete what has ended; the caller may add which.
DELETE_ENDED = (
    delete(queue_items)
    .where(queue_items.c.status.in_(ENDED))
    .returning(queue_items.c.item_id, queue_items.c.batch, queue_items.c.status, queue_items.c.user_id)
)
_total = sum((batches.c[name] for name in COUNTERS), literal(0))
#: Forget batches without items; not yet those whose idempotency key a client may still repeat.
DELETE_IDLE_BATCHES = delete(batches).where(
    batches.c.queue_id == bindparam("queue_id"),
    _total == 0,
    or_(batches.c.idempotency_key.is_(None), batches.c.created_at < bindparam("keys_before")),
)
PAUSE_QUEUE = update(queues).where(queues.c.queue_id == bindparam("b_queue_id")).values(paused=bindparam("b_paused"))
