"""Add the settings of datasets and the evidence of reports.

Revision ID: 0009
Revises: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UTC = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")
JSON = sa.JSON(none_as_null=True)


def upgrade() -> None:
    _create_table("dataset_settings", sa.Column("settings", JSON, nullable=False))
    _create_table(
        "evidence",
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("content", JSON, nullable=False),
    )


def _create_table(name: str, *columns: sa.Column[object]) -> None:
    record_id = sa.String(200).with_variant(postgresql.VARCHAR(200, collation="C"), "postgresql")
    op.create_table(
        name,
        sa.Column("key", KEY, nullable=False),
        sa.Column("id", record_id, nullable=False),
        *columns,
        sa.Column("updated_at", UTC, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted_at", UTC),
        sa.PrimaryKeyConstraint("key", name=op.f(f"pk_{name}")),
        sa.UniqueConstraint("id", name=op.f(f"uq_{name}_id")),
    )


def downgrade() -> None:
    op.drop_table("evidence")
    op.drop_table("dataset_settings")
