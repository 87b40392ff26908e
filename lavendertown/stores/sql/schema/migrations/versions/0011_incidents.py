"""Add incidents, and the owner rule that assigned a finding.

Revision ID: 0011
Revises: 0010
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UTC = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")
JSON = sa.JSON(none_as_null=True)


def upgrade() -> None:
    op.add_column("triage", sa.Column("owner_rule", exact(255), nullable=False, server_default=""))
    op.create_table(
        "incidents",
        sa.Column("key", KEY, nullable=False),
        sa.Column("id", exact(200), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("assignee", exact(255), nullable=False),
        sa.Column("members", JSON, nullable=False),
        sa.Column("created_by", exact(255), nullable=False),
        sa.Column("created_at", UTC, nullable=False),
        sa.Column("updated_at", UTC, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted_at", UTC),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_incidents")),
        sa.UniqueConstraint("id", name=op.f("uq_incidents_id")),
    )


def exact(size: int) -> sa.types.TypeEngine[str]:
    return sa.String(size).with_variant(postgresql.VARCHAR(size, collation="C"), "postgresql")


def downgrade() -> None:
    op.drop_table("incidents")
    op.drop_column("triage", "owner_rule")
