"""Add worklists: rows of a report that were given out, and the answers.

Revision ID: 0012
Revises: 0011
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UTC = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")
JSON = sa.JSON(none_as_null=True)


def upgrade() -> None:
    op.create_table(
        "worklists",
        sa.Column("key", KEY, nullable=False),
        sa.Column("id", exact(200), nullable=False),
        sa.Column("report_id", exact(200), nullable=False),
        sa.Column("dataset", exact(255), nullable=False),
        sa.Column("owner", exact(255), nullable=False),
        sa.Column("created_by", exact(255), nullable=False),
        sa.Column("created_at", UTC, nullable=False),
        sa.Column("row_count", sa.BigInteger(), nullable=False),
        sa.Column("done_count", sa.BigInteger(), nullable=False),
        sa.Column("cannot_count", sa.BigInteger(), nullable=False),
        sa.Column("findings", JSON, nullable=False),
        sa.Column("answers", JSON, nullable=False),
        sa.Column("last_read", JSON, nullable=False),
        sa.Column("updated_at", UTC, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted_at", UTC),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_worklists")),
        sa.UniqueConstraint("id", name=op.f("uq_worklists_id")),
    )
    op.create_index("ix_worklists_report", "worklists", ["report_id"])


def exact(size: int) -> sa.types.TypeEngine[str]:
    return sa.String(size).with_variant(postgresql.VARCHAR(size, collation="C"), "postgresql")


def downgrade() -> None:
    op.drop_table("worklists")
