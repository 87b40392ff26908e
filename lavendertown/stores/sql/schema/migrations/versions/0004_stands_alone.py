"""Findings that were taken for another one and are not.

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    column: sa.Column[bool] = sa.Column(
        "stands_alone", sa.Boolean(), nullable=False, server_default=sa.false()
    )
    op.add_column("triage", column)


def downgrade() -> None:
    op.drop_column("triage", "stands_alone")
