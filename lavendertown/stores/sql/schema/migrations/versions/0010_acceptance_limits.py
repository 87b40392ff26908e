"""Add the end and the ceiling of an acceptance to the triage of findings.

Revision ID: 0010
Revises: 0009
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

UTC = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")


def upgrade() -> None:
    op.add_column("triage", sa.Column("accepted_until", UTC))
    op.add_column("triage", sa.Column("ceiling_count", sa.BigInteger()))
    op.add_column("triage", sa.Column("ceiling_share", sa.Double()))
    op.add_column(
        "triage", sa.Column("has_no_ceiling", sa.Boolean(), nullable=False, server_default=sa.false())
    )


def downgrade() -> None:
    for name in ("has_no_ceiling", "ceiling_share", "ceiling_count", "accepted_until"):
        op.drop_column("triage", name)
