"""The tables, as SQLAlchemy Core knows them: what the statements of this floor are built from.

The migrations make them, not this module; a test holds that both describe one schema. Times are text
(`impasto.storage.timestamps`), documents are JSON as text, and rows that a person makes carry `user_id`.
"""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, MetaData, String, Table, Text

__all__ = [
    "POSITION_STEP",
    "SYSTEM_USER",
    "batches",
    "creations",
    "event_state",
    "events",
    "images",
    "item_numbers",
    "journal",
    "metadata",
    "models",
    "offered_starters",
    "provider_usage",
    "queue_items",
    "queues",
    "unsettled_images",
    "workflow_library",
]

#: Owner of everything until there are users.
SYSTEM_USER = "system"
#: Distance of neighbours in a queue, so that an item can be put between two of them twenty times over.
POSITION_STEP = 2**20

metadata = MetaData()


def _counters() -> tuple[Column[int], ...]:
    """One kept count for each status: a status change adds and subtracts one, and nothing ever counts a whole queue."""
    names = ("pending", "in_progress", "waiting", "completed", "failed", "canceled")
    return tuple(Column(name, Integer, nullable=False, server_default="0") for name in names)


queues = Table(
    "queues",
    metadata,
    Column("queue_id", String, primary_key=True),
    Column("paused", Boolean, nullable=False, server_default="0"),
    *_counters(),
)

#: A single row that gives out item numbers, so that a block of them is taken in one statement and none is used twice.
item_numbers = Table(
    "item_numbers",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("last", BigInteger, nullable=False),
)

batches = Table(
    "batches",
    metadata,
    #: The number of its first item: like all of them never used twice.
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("queue_id", String, nullable=False),
    Column("batch_id", String, nullable=False),
    Column("user_id", String, nullable=False),
    Column("origin", String),
    Column("destination", String),
    #: What made its sessions: data, runs, session ids.
    Column("expansion", Text, nullable=False),
    #: What each of its sessions needs: the graph; and workflow, metadata, metadata bindings.
    Column("graph", Text, nullable=False),
    Column("context", Text, nullable=False),
    Column("requested", Integer, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("idempotency_key", String),
    #: Hash of what was asked for with the key, so that a key used for something else is noticed.
    Column("fingerprint", String),
    Column("created_at", String, nullable=False),
    *_counters(),
    Index("ix_batches_batch_id", "queue_id", "batch_id", unique=True),
    Index("ix_batches_idempotency_key", "queue_id", "user_id", "idempotency_key", unique=True),
)

queue_items = Table(
    "queue_items",
    metadata,
    Column("item_id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("queue_id", String, nullable=False),
    Column("batch", BigInteger, ForeignKey("batches.id", ondelete="CASCADE"), nullable=False),
    Column("session_id", String, nullable=False),
    Column("user_id", String, nullable=False),
    Column("status", String, nullable=False),
    #: Rises with each change of the status.
    Column("status_sequence", Integer, nullable=False, server_default="0"),
    Column("priority", Integer, nullable=False),
    #: Its place among the items of its priority: the number times `POSITION_STEP`, unless it was moved.
    Column("position", BigInteger, nullable=False, server_default="0"),
    #: What this session puts into the batch's graph: ``[{node_path, field_name, value}]``.
    Column("field_values", Text),
    #: Keys of the models that it names, each with a comma before and after it: ``,a,b,``; null for none.
    Column("models", Text),
    #: Whether it is for a worker with a device. One that only waits for something outside is not.
    Column("needs_device", Boolean, nullable=False, server_default="1"),
    #: The item that this one does again.
    Column("retried_from_item_id", BigInteger),
    #: How often it was claimed, and how many of these claims do not count: they ended through no fault of its own, or
    #: came before one that got further.
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("excused", Integer, nullable=False, server_default="0"),
    Column("worker_id", String),
    Column("lease_expires_at", String),
    Column("error_type", String),
    Column("error_message", Text),
    Column("error_traceback", Text),
    Column("created_at", String, nullable=False),
    Column("updated_at", String, nullable=False),
    Column("started_at", String),
    Column("completed_at", String),
    Index("ix_queue_items_batch", "batch", "status"),
    # what a page of a list walks: without it, each page would sort the whole queue
    Index("ix_queue_items_number", "queue_id", "item_id"),
    Index("ix_queue_items_session_id", "session_id", unique=True),
)
# what a claim walks: the first entry of a queue's pending items is the next one to run
Index(
    "ix_queue_items_next",
    queue_items.c.queue_id,
    queue_items.c.status,
    queue_items.c.priority.desc(),
    queue_items.c.position,
    queue_items.c.item_id,
)
# The same for a worker that takes one kind only: without it, it would look at all items of the other kind in front.
# Not for pending items alone, which would be smaller: SQLite would then plan each statement that compares a status with
# a parameter anew each time that it runs.
Index(
    "ix_queue_items_next_of_kind",
    queue_items.c.queue_id,
    queue_items.c.status,
    queue_items.c.needs_device,
    queue_items.c.priority.desc(),
    queue_items.c.position,
    queue_items.c.item_id,
)

#: What finished executions gave, written before anyone is told, so that an item that lost its worker goes on from here.
journal = Table(
    "journal",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("item_id", BigInteger, ForeignKey("queue_items.item_id", ondelete="CASCADE"), nullable=False),
    Column("execution_id", String, nullable=False),
    Column("output", Text, nullable=False),
    Index("ix_journal_item", "item_id", "execution_id", unique=True),
    #: What a run that goes on reads, in order.
    Index("ix_journal_order", "item_id", "id"),
)

images = Table(
    "images",
    metadata,
    #: Microseconds since 1970 of its creation, moved up to the next free number where two meet: at once the order of
    #: the gallery, the key of its pages and the row of its search index.
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("image_name", String, nullable=False, unique=True),
    Column("user_id", String, nullable=False),
    Column("image_origin", String, nullable=False),
    Column("image_category", String, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("is_intermediate", Boolean, nullable=False),
    Column("starred", Boolean, nullable=False),
    Column("has_workflow", Boolean, nullable=False),
    Column("board_id", String),
    Column("session_id", String),
    Column("node_id", String),
    Column("metadata", Text),
    #: Only of pictures whose file cannot carry them, which is all but PNG.
    Column("graph", Text),
    Column("workflow", Text),
    Column("created_at", String, nullable=False),
    Column("updated_at", String, nullable=False),
    Column("deleted_at", String),
    Index("ix_images_gallery", "is_intermediate", "image_category", "starred", "id"),
    Index("ix_images_board", "board_id", "is_intermediate", "image_category", "starred", "id"),
)

#: Images that a run has saved while the journal does not yet say so. They go when the run does not come to that.
unsettled_images = Table(
    "unsettled_images",
    metadata,
    Column("image_name", String, ForeignKey("images.image_name", ondelete="CASCADE"), primary_key=True),
)

models = Table(
    "models",
    metadata,
    Column("key", String, primary_key=True),
    Column("user_id", String, nullable=False),
    Column("path", String, nullable=False, unique=True),
    Column("hash", String, nullable=False),
    Column("name", String, nullable=False),
    Column("base", String, nullable=False),
    Column("type", String, nullable=False),
    #: The whole record, these columns included.
    Column("record", Text, nullable=False),
    Column("created_at", String, nullable=False),
    Column("updated_at", String, nullable=False),
    Index("ix_models_kind", "type", "base", "name"),
)

#: Starter models that were registered once, so that one which a person deleted does not come back.
offered_starters = Table(
    "offered_starters",
    metadata,
    Column("id", String, primary_key=True),
    Column("offered_at", String, nullable=False),
)

#: What requests to external providers came to, by day (UTC, ``2026-11-22``); requests are counted by their outcome.
provider_usage = Table(
    "provider_usage",
    metadata,
    Column("provider_id", String, primary_key=True),
    Column("model", String, primary_key=True),
    Column("day", String, primary_key=True),
    Column("user_id", String, primary_key=True),
    *(
        Column(name, BigInteger, nullable=False, server_default="0")
        for name in ("completed", "refused", "failed", "canceled", "images", "input_tokens", "output_tokens")
    ),
    #: Millionths of a US dollar: whole numbers, which add up exactly.
    Column("cost_microdollars", BigInteger, nullable=False, server_default="0"),
    #: Completed requests whose cost is not known.
    Column("unpriced", BigInteger, nullable=False, server_default="0"),
)

workflow_library = Table(
    "workflow_library",
    metadata,
    Column("workflow_id", String, primary_key=True),
    Column("user_id", String, nullable=False),
    Column("is_public", Boolean, nullable=False),
    Column("name", String, nullable=False),
    Column("description", Text, nullable=False),
    Column("category", String, nullable=False),
    #: Each with a comma before and after it, so that one is found whole: ``,upscaling,control,``; empty for none.
    Column("tags", Text, nullable=False),
    #: Whether it gives something back, so that another graph can call it.
    Column("is_callable", Boolean, nullable=False),
    #: The whole workflow, these columns included.
    Column("document", Text, nullable=False),
    Column("created_at", String, nullable=False),
    Column("updated_at", String, nullable=False),
    Column("opened_at", String),
)

#: Durable events, for clients that come back. Written in the transaction that makes them true, where there is one.
events = Table(
    "events",
    metadata,
    #: Rising in the order of the commits, and never used twice.
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("name", String, nullable=False),
    #: Seconds since 1970, as the event says.
    Column("timestamp", BigInteger, nullable=False),
    Column("document", Text, nullable=False),
    Index("ix_events_timestamp", "timestamp"),
)

#: A single row: which line of events this is, and the newest event that is no longer kept.
event_state = Table(
    "event_state",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("epoch", String, nullable=False),
    Column("forgotten_id", BigInteger, nullable=False),
)

#: What was created by requests that named an idempotency key, so that the same request gives the same thing again.
creations = Table(
    "creations",
    metadata,
    Column("user_id", String, primary_key=True),
    #: What kind of thing, e.g. ``image``.
    Column("kind", String, primary_key=True),
    Column("idempotency_key", String, primary_key=True),
    #: Hash of the request, so that a key used for something else is noticed.
    Column("fingerprint", String, nullable=False),
    #: What leads to it, as JSON.
    Column("created", Text, nullable=False),
    Column("created_at", String, nullable=False),
    Index("ix_creations_created_at", "created_at"),
)
