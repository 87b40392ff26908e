"""Add notifications and the state of their channels.

Revision ID: 0013
Revises: 0012
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UTC = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")
JSON = sa.JSON(none_as_null=True)


def upgrade() -> None:
    op.create_table(
        "notifications",
        sa.Column("key", KEY, nullable=False),
        sa.Column("id", exact(200), nullable=False),
        sa.Column("channel", exact(255), nullable=False),
        sa.Column("event", exact(40), nullable=False),
        sa.Column("recipient", exact(255), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("content", JSON, nullable=False),
        sa.Column("created_at", UTC, nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("next_attempt_at", UTC),
        sa.Column("delivered_at", UTC),
        sa.Column("problem", sa.Text(), nullable=False),
        sa.Column("updated_at", UTC, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted_at", UTC),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_notifications")),
        sa.UniqueConstraint("id", name=op.f("uq_notifications_id")),
    )
    op.create_table(
        "notification_channels",
        sa.Column("key", KEY, nullable=False),
        sa.Column("id", exact(200), nullable=False),
        sa.Column("cursor", sa.Text(), nullable=False),
        sa.Column("checked_until", UTC, nullable=False),
        sa.Column("updated_at", UTC, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted_at", UTC),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_notification_channels")),
        sa.UniqueConstraint("id", name=op.f("uq_notification_channels_id")),
    )


def exact(size: int) -> sa.types.TypeEngine[str]:
    return sa.String(size).with_variant(postgresql.VARCHAR(size, collation="C"), "postgresql")


def downgrade() -> None:
    op.drop_table("notification_channels")
    op.drop_table("notifications")
