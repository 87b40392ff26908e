"""The desk: triage, people and views; when a finding was fixed and came back.

Columns of 0001 that nothing ever wrote go.

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import context, op
from sqlalchemy.dialects import postgresql

from lavendertown.core.fingerprints import check_key

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UTC = sa.DateTime(timezone=True).with_variant(sa.BigInteger(), "sqlite")
JSON = sa.JSON(none_as_null=True)
FIXED = 3  # of the status codes
_LATEST = """
    SELECT f.{column} FROM findings f JOIN reports r ON r.key = f.report_key
    WHERE f.identity_key = identities.key AND r.deleted_at IS NULL
    ORDER BY f.seen_at DESC, r.id DESC, f.position LIMIT 1
"""
_FIXED_AT = """
    SELECT a.created_at FROM annotations a
    WHERE a.identity_key = identities.key AND a.deleted_at IS NULL AND a.status IS NOT NULL
    ORDER BY a.created_at DESC, a.id DESC LIMIT 1
"""
_REGRESSED_AT = """
    SELECT MIN(f.seen_at) FROM findings f JOIN reports r ON r.key = f.report_key
    WHERE f.identity_key = identities.key AND r.deleted_at IS NULL AND f.seen_at > identities.fixed_at
"""


def exact(length: int) -> sa.types.TypeEngine[str]:
    """A text that is compared byte by byte."""
    variant = postgresql.VARCHAR(length, collation="C")
    return sa.String(length).with_variant(variant, "postgresql")


def upgrade() -> None:
    _create_tables()
    op.drop_index("ix_identities_facets", table_name="identities")
    for name in ("assignee", "last_report_key", "close_reason", "snooze_until", "note", "version"):
        op.drop_column("identities", name)
    for name in ("fixed_at", "regressed_at"):
        op.add_column("identities", sa.Column(name, UTC))
    op.add_column("identities", sa.Column("check_key", exact(32), nullable=False, server_default=""))
    op.add_column("identities", sa.Column("last_count", sa.BigInteger()))
    op.add_column("identities", sa.Column("last_share", sa.Double()))
    op.create_index("ix_identities_dataset", "identities", ["dataset"])
    op.execute(
        f"UPDATE identities SET last_count = ({_LATEST.format(column='row_count')}), "
        f"last_share = ({_LATEST.format(column='share')})"
    )
    op.execute(f"UPDATE identities SET fixed_at = ({_FIXED_AT}) WHERE status = {FIXED}")
    op.execute(f"UPDATE identities SET regressed_at = ({_REGRESSED_AT}) WHERE fixed_at IS NOT NULL")
    op.execute("UPDATE identities SET status = 0 WHERE regressed_at IS NOT NULL")
    if not context.is_offline_mode():
        _name_checks()
    op.add_column("identity_aliases", sa.Column("name", exact(200), nullable=False, server_default=""))
    op.execute(
        "UPDATE identity_aliases SET name = "
        "(SELECT i.fingerprint FROM identities i WHERE i.key = identity_aliases.identity_key)"
    )


def _name_checks() -> None:
    """Fill check_key; what a database that is not asked leaves empty is filled when it is seen again."""
    bind = op.get_bind()
    latest = sa.text(
        "SELECT i.key, i.dataset, i.column_name, f.metadata FROM identities i "
        "JOIN findings f ON f.identity_key = i.key AND f.seen_at = i.last_seen ORDER BY i.key"
    ).columns(key=KEY, dataset=sa.Text(), column_name=sa.Text(), metadata=JSON)
    keys = {
        key: check_key(metadata or {}, dataset, column)
        for key, dataset, column, metadata in bind.execute(latest)
    }
    rows = [{"k": key, "check": check} for key, check in keys.items() if check]
    if rows:
        bind.execute(sa.text("UPDATE identities SET check_key = :check WHERE key = :k"), rows)


def _create_tables() -> None:
    op.create_table(
        "triage",
        sa.Column("key", KEY, nullable=False),
        sa.Column("id", exact(200), nullable=False),
        sa.Column("assignee", exact(255), nullable=False),
        sa.Column("close_reason", sa.Text(), nullable=False),
        sa.Column("snooze_until", UTC),
        sa.Column("snooze_factor", sa.Double()),
        sa.Column("snooze_count", sa.BigInteger()),
        sa.Column("snooze_share", sa.Double()),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("merged_into", exact(200), nullable=False),
        *_kept("triage"),
    )
    op.create_table(
        "known_people",
        sa.Column("key", KEY, nullable=False),
        sa.Column("id", exact(200), nullable=False),
        sa.Column("mail", sa.String(320), nullable=False),
        sa.Column("initials", sa.String(4), nullable=False),
        *_kept("known_people"),
    )
    op.create_table(
        "saved_views",
        sa.Column("key", KEY, nullable=False),
        sa.Column("id", exact(200), nullable=False),
        sa.Column("author", exact(255), nullable=False),
        sa.Column("query", JSON, nullable=False),
        *_kept("saved_views"),
    )


def _kept(table: str) -> tuple[sa.schema.SchemaItem, ...]:
    return (
        sa.Column("updated_at", UTC, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("deleted_at", UTC),
        sa.PrimaryKeyConstraint("key", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("id", name=op.f(f"uq_{table}_id")),
    )


def downgrade() -> None:
    op.execute(f"UPDATE identities SET status = {FIXED} WHERE regressed_at IS NOT NULL")
    op.drop_column("identity_aliases", "name")
    op.drop_index("ix_identities_dataset", table_name="identities")
    for name in ("fixed_at", "regressed_at", "check_key", "last_count", "last_share"):
        op.drop_column("identities", name)
    op.add_column("identities", sa.Column("assignee", exact(255)))
    op.add_column("identities", sa.Column("last_report_key", KEY))
    op.add_column("identities", sa.Column("close_reason", sa.Text()))
    op.add_column("identities", sa.Column("snooze_until", UTC))
    op.add_column("identities", sa.Column("note", sa.Text()))
    op.add_column("identities", sa.Column("version", sa.Integer(), nullable=False, server_default="1"))
    op.create_index("ix_identities_facets", "identities", ["dataset", "severity", "status", "assignee"])
    for table in ("saved_views", "known_people", "triage"):
        op.drop_table(table)
