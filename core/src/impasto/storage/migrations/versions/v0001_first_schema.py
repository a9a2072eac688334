"""The first schema: queues, batches, items and their journal; images and their search index; model records."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_LARGE_KEY = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def _counters() -> list[sa.Column[int]]:
    names = ("pending", "in_progress", "waiting", "completed", "failed", "canceled")
    return [sa.Column(name, sa.Integer, nullable=False, server_default="0") for name in names]


def upgrade() -> None:
    """Make every table."""
    _make_queue()
    _make_images()
    _make_models()


def _make_queue() -> None:
    op.create_table(
        "queues",
        sa.Column("queue_id", sa.String, primary_key=True),
        sa.Column("paused", sa.Boolean, nullable=False, server_default="0"),
        *_counters(),
    )
    numbers = op.create_table(
        "item_numbers",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("last", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(numbers, [{"id": 1, "last": 0}])
    op.create_table(
        "batches",
        sa.Column("id", _LARGE_KEY, primary_key=True, autoincrement=False),
        sa.Column("queue_id", sa.String, nullable=False),
        sa.Column("batch_id", sa.String, nullable=False),
        sa.Column("user_id", sa.String, nullable=False),
        sa.Column("origin", sa.String),
        sa.Column("destination", sa.String),
        sa.Column("expansion", sa.Text, nullable=False),
        sa.Column("graph", sa.Text, nullable=False),
        sa.Column("context", sa.Text, nullable=False),
        sa.Column("requested", sa.Integer, nullable=False),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("idempotency_key", sa.String),
        sa.Column("fingerprint", sa.String),
        sa.Column("created_at", sa.String, nullable=False),
        *_counters(),
    )
    op.create_index("ix_batches_batch_id", "batches", ["queue_id", "batch_id"], unique=True)
    op.create_index("ix_batches_idempotency_key", "batches", ["queue_id", "user_id", "idempotency_key"], unique=True)
    op.create_table(
        "queue_items",
        sa.Column("item_id", _LARGE_KEY, primary_key=True, autoincrement=False),
        sa.Column("queue_id", sa.String, nullable=False),
        sa.Column("batch", sa.BigInteger, sa.ForeignKey("batches.id", ondelete="CASCADE"), nullable=False),
        sa.Column("session_id", sa.String, nullable=False),
        sa.Column("user_id", sa.String, nullable=False),
        sa.Column("status", sa.String, nullable=False),
        sa.Column("status_sequence", sa.Integer, nullable=False, server_default="0"),
        sa.Column("priority", sa.Integer, nullable=False),
        sa.Column("field_values", sa.Text),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("excused", sa.Integer, nullable=False, server_default="0"),
        sa.Column("worker_id", sa.String),
        sa.Column("lease_expires_at", sa.String),
        sa.Column("error_type", sa.String),
        sa.Column("error_message", sa.Text),
        sa.Column("error_traceback", sa.Text),
        sa.Column("created_at", sa.String, nullable=False),
        sa.Column("updated_at", sa.String, nullable=False),
        sa.Column("started_at", sa.String),
        sa.Column("completed_at", sa.String),
    )
    op.create_index("ix_queue_items_batch", "queue_items", ["batch", "status"])
    op.create_index("ix_queue_items_session_id", "queue_items", ["session_id"], unique=True)
    op.create_index("ix_queue_items_next", "queue_items", ["queue_id", "status", sa.text("priority DESC"), "item_id"])
    op.create_table(
        "journal",
        sa.Column("id", _LARGE_KEY, primary_key=True),
        sa.Column("item_id", sa.BigInteger, sa.ForeignKey("queue_items.item_id", ondelete="CASCADE"), nullable=False),
        sa.Column("execution_id", sa.String, nullable=False),
        sa.Column("output", sa.Text, nullable=False),
    )
    op.create_index("ix_journal_item", "journal", ["item_id", "execution_id"], unique=True)


def _make_images() -> None:
    op.create_table(
        "images",
        sa.Column("id", _LARGE_KEY, primary_key=True, autoincrement=False),
        sa.Column("image_name", sa.String, nullable=False, unique=True),
        sa.Column("user_id", sa.String, nullable=False),
        sa.Column("image_origin", sa.String, nullable=False),
        sa.Column("image_category", sa.String, nullable=False),
        sa.Column("width", sa.Integer, nullable=False),
        sa.Column("height", sa.Integer, nullable=False),
        sa.Column("is_intermediate", sa.Boolean, nullable=False),
        sa.Column("starred", sa.Boolean, nullable=False),
        sa.Column("has_workflow", sa.Boolean, nullable=False),
        sa.Column("board_id", sa.String),
        sa.Column("session_id", sa.String),
        sa.Column("node_id", sa.String),
        sa.Column("metadata", sa.Text),
        sa.Column("graph", sa.Text),
        sa.Column("workflow", sa.Text),
        sa.Column("created_at", sa.String, nullable=False),
        sa.Column("updated_at", sa.String, nullable=False),
        sa.Column("deleted_at", sa.String),
    )
    op.create_index("ix_images_gallery", "images", ["is_intermediate", "image_category", "starred", "id"])
    op.create_index("ix_images_board", "images", ["board_id", "is_intermediate", "image_category", "starred", "id"])
    if op.get_bind().dialect.name == "sqlite":
        # words of any script, accents ignored; the short prefixes make the first letters of a word quick to find
        op.execute(
            "CREATE VIRTUAL TABLE images_search USING fts5"
            "(words, facets, tokenize = 'unicode61 remove_diacritics 2', columnsize = 0, prefix = '1 2 3')"
        )


def _make_models() -> None:
    op.create_table(
        "models",
        sa.Column("key", sa.String, primary_key=True),
        sa.Column("user_id", sa.String, nullable=False),
        sa.Column("path", sa.String, nullable=False, unique=True),
        sa.Column("hash", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("base", sa.String, nullable=False),
        sa.Column("type", sa.String, nullable=False),
        sa.Column("record", sa.Text, nullable=False),
        sa.Column("created_at", sa.String, nullable=False),
        sa.Column("updated_at", sa.String, nullable=False),
    )
    op.create_index("ix_models_kind", "models", ["type", "base", "name"])
    op.create_table(
        "offered_starters",
        sa.Column("id", sa.String, primary_key=True),
        sa.Column("offered_at", sa.String, nullable=False),
    )
