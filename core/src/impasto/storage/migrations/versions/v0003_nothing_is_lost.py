"""A queue whose items can be moved, retried and matched with loaded models; events that outlive the server; what a run
has saved and not yet written down; and things that were created under an idempotency key.
"""

from uuid import uuid4

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_LARGE_KEY = sa.BigInteger().with_variant(sa.Integer, "sqlite")
#: Distance of neighbours in a queue.
_STEP = 2**20


def upgrade() -> None:
    """Extend the items and what their journal is read by, and make the new tables."""
    _extend_items()
    _make_events()
    _make_unsettled_images()
    _make_creations()


def _extend_items() -> None:
    op.add_column("queue_items", sa.Column("position", sa.BigInteger, nullable=False, server_default="0"))
    op.add_column("queue_items", sa.Column("models", sa.Text))
    op.add_column("queue_items", sa.Column("retried_from_item_id", sa.BigInteger))
    op.execute(f"UPDATE queue_items SET position = item_id * {_STEP}")  # noqa: S608 - a number of ours
    op.drop_index("ix_queue_items_next", "queue_items")
    op.create_index(
        "ix_queue_items_next", "queue_items", ["queue_id", "status", sa.text("priority DESC"), "position", "item_id"]
    )
    op.create_index("ix_queue_items_number", "queue_items", ["queue_id", "item_id"])
    op.create_index("ix_journal_order", "journal", ["item_id", "id"])


def _make_events() -> None:
    op.create_table(
        "events",
        sa.Column("id", _LARGE_KEY, primary_key=True, autoincrement=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("timestamp", sa.BigInteger, nullable=False),
        sa.Column("document", sa.Text, nullable=False),
    )
    op.create_index("ix_events_timestamp", "events", ["timestamp"])
    state = op.create_table(
        "event_state",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("epoch", sa.String, nullable=False),
        sa.Column("forgotten_id", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(state, [{"id": 1, "epoch": uuid4().hex, "forgotten_id": 0}])


def _make_unsettled_images() -> None:
    op.create_table(
        "unsettled_images",
        sa.Column("image_name", sa.String, sa.ForeignKey("images.image_name", ondelete="CASCADE"), primary_key=True),
    )


def _make_creations() -> None:
    op.create_table(
        "creations",
        sa.Column("user_id", sa.String, primary_key=True),
        sa.Column("kind", sa.String, primary_key=True),
        sa.Column("idempotency_key", sa.String, primary_key=True),
        sa.Column("fingerprint", sa.String, nullable=False),
        sa.Column("created", sa.Text, nullable=False),
        sa.Column("created_at", sa.String, nullable=False),
    )
    op.create_index("ix_creations_created_at", "creations", ["created_at"])
