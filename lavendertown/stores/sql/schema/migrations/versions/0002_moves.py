"""The ledger of moves into this database, and the audit log in the order of time.

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UTC = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")
JSON = sa.JSON(none_as_null=True)


def exact(length: int) -> sa.types.TypeEngine[str]:
    """A text that is compared byte by byte."""
    variant = postgresql.VARCHAR(length, collation="C")
    return sa.String(length).with_variant(variant, "postgresql")


def upgrade() -> None:
    op.create_table(
        "moves",
        sa.Column("id", exact(200), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("actor", exact(255), nullable=False),
        sa.Column("started_at", UTC, nullable=False),
        sa.Column("finished_at", UTC),
        sa.Column("options", JSON, nullable=False),
        sa.Column("outcome", JSON),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_moves")),
    )
    op.create_index("ix_audit_log_at", "audit_log", [sa.literal_column("at DESC"), sa.column("key").desc()])


def downgrade() -> None:
    op.drop_index("ix_audit_log_at", table_name="audit_log")
    op.drop_table("moves")
