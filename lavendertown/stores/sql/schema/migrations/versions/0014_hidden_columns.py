"""Add to people the columns that they hide in the list of findings.

Revision ID: 0014
Revises: 0013
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "known_people",
        sa.Column(
            "hidden_columns", sa.JSON(none_as_null=True), nullable=False, server_default=sa.text("'[]'")
        ),
    )


def downgrade() -> None:
    op.drop_column("known_people", "hidden_columns")
