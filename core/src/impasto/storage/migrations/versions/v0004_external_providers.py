"""What external providers were asked for and what it came to, and which items only wait for something outside."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the new table, and tell items apart by what they need. Those that there are may need a device."""
    op.create_table(
        "provider_usage",
        sa.Column("provider_id", sa.String, primary_key=True),
        sa.Column("model", sa.String, primary_key=True),
        sa.Column("day", sa.String, primary_key=True),
        sa.Column("user_id", sa.String, primary_key=True),
        sa.Column("completed", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("refused", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("failed", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("canceled", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("images", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("input_tokens", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("output_tokens", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("cost_microdollars", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("unpriced", sa.BigInteger, nullable=False, server_default="0"),
    )
    op.add_column("queue_items", sa.Column("needs_device", sa.Boolean, nullable=False, server_default="1"))
    op.create_index(
        "ix_queue_items_next_of_kind",
        "queue_items",
        ["queue_id", "status", "needs_device", sa.text("priority DESC"), "position", "item_id"],
    )
