"""Tags of up to 500 characters, which earlier versions wrote into folders, have room in the indexes.

Revision ID: 0007
Revises: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TABLES = (("report_tags", "report_key", "reports"), ("identity_tags", "identity_key", "identities"))
BEFORE, AFTER = 80, 500


def exact(length: int) -> sa.types.TypeEngine[str]:
    """A text that is compared byte by byte."""
    variant = postgresql.VARCHAR(length, collation="C")
    return sa.String(length).with_variant(variant, "postgresql")


def upgrade() -> None:
    _resize(BEFORE, AFTER)


def downgrade() -> None:
    # These tables are indexes: the records keep their tags in full.
    for table, _, _ in TABLES:
        length = "char_length" if op.get_context().dialect.name != "sqlite" else "length"
        op.execute(f"DELETE FROM {table} WHERE {length}(tag) > {BEFORE}")
    _resize(AFTER, BEFORE)


def _resize(before: int, after: int) -> None:
    for table, key, parent in TABLES:
        if op.get_context().dialect.name == "sqlite":
            _make_again(table, key, parent, after)
        else:
            op.alter_column(
                table, "tag", existing_type=exact(before), type_=exact(after), existing_nullable=False
            )


def _make_again(table: str, key: str, parent: str, length: int) -> None:
    """Replace a table of SQLite's by one with a longer column; alembic's own way needs a connection."""
    op.rename_table(table, f"{table}_before")
    op.drop_index(f"ix_{table}_tag", table_name=f"{table}_before")
    op.create_table(
        table,
        sa.Column(key, KEY, autoincrement=False, nullable=False),
        sa.Column("tag", exact(length), nullable=False),
        sa.ForeignKeyConstraint([key], [f"{parent}.key"], name=op.f(f"fk_{table}_{key}")),
        sa.PrimaryKeyConstraint(key, "tag", name=op.f(f"pk_{table}")),
        sqlite_with_rowid=False,
    )
    op.execute(f"INSERT INTO {table} ({key}, tag) SELECT {key}, tag FROM {table}_before")
    op.drop_table(f"{table}_before")
    op.create_index(f"ix_{table}_tag", table, ["tag", key], unique=False)
