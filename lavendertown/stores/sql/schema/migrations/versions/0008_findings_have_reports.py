"""Restore the foreign key from findings to reports that revision 0006 dropped on PostgreSQL.

SQLite and MariaDB have kept the key. Findings whose report is missing are written to a quarantine file and
deleted, and the counts of their identities are corrected. ``--sql`` cannot do that: its script stops at
VALIDATE CONSTRAINT if there are any.

Revision ID: 0008
Revises: 0007
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO

import sqlalchemy as sa
from alembic import context, op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

KEY_NAME = "fk_findings_report_key"
REPORTS_AT_ONCE = 500
FIXED, OPEN = 3, 0  # of the status codes

_ORPHANS = sa.text(
    "SELECT DISTINCT report_key FROM findings f "
    "WHERE NOT EXISTS (SELECT FROM reports r WHERE r.key = f.report_key) ORDER BY report_key"
)
_REMOVE = sa.text(
    "DELETE FROM findings WHERE report_key = ANY(:keys) RETURNING row_to_json(findings)::text, identity_key"
)
_LIVE = "findings f JOIN reports r ON r.key = f.report_key AND r.deleted_at IS NULL"
# As the application counts the occurrences of an identity.
_RECOUNT = sa.text(
    f"""
    UPDATE identities i SET
        times_seen = coalesce(seen.times, 0),
        first_seen = coalesce(seen.first, i.first_seen),
        last_seen = coalesce(seen.last, i.last_seen),
        severity = coalesce(newest.severity, i.severity),
        last_count = newest.row_count,
        last_share = newest.share
    FROM identities old
    LEFT JOIN LATERAL (
        SELECT count(DISTINCT f.report_key) AS times, min(f.seen_at) AS first, max(f.seen_at) AS last
        FROM {_LIVE} WHERE f.identity_key = old.key
    ) seen ON true
    LEFT JOIN LATERAL (
        SELECT f.severity, f.row_count, f.share
        FROM {_LIVE} WHERE f.identity_key = old.key
        ORDER BY f.seen_at DESC, r.id DESC, f.position LIMIT 1
    ) newest ON true
    WHERE i.key = old.key AND old.key = ANY(:keys)
    """
)
_REGRESSED_AT = sa.text(
    "UPDATE identities i SET regressed_at = "
    f"(SELECT min(f.seen_at) FROM {_LIVE} WHERE f.identity_key = i.key AND f.seen_at > i.fixed_at) "
    "WHERE key = ANY(:keys) AND fixed_at IS NOT NULL"
)
_STATUS = sa.text(
    f"UPDATE identities SET status = CASE WHEN regressed_at IS NULL THEN {FIXED} ELSE {OPEN} END "
    "WHERE key = ANY(:keys) AND fixed_at IS NOT NULL"
)


def upgrade() -> None:
    if op.get_context().dialect.name != "postgresql":
        return
    # In the order in which a save locks them. Without this a finding could lose its report after the search.
    op.execute("LOCK TABLE reports, findings IN SHARE ROW EXCLUSIVE MODE")
    if not context.is_offline_mode():
        _quarantine_orphans(op.get_bind())
    op.create_foreign_key(KEY_NAME, "findings", "reports", ["report_key"], ["key"], postgresql_not_valid=True)
    op.execute(f"ALTER TABLE findings VALIDATE CONSTRAINT {KEY_NAME}")


def _quarantine_orphans(bind: sa.Connection) -> None:
    """Move findings without a report to a file; leave their number and the file in the attributes."""
    orphans = bind.scalars(_ORPHANS).all()
    if not orphans:
        return
    count, identities = 0, set[int]()
    attributes = context.config.attributes
    with attributes["open_quarantine"](revision) as (file, path):
        for start in range(0, len(orphans), REPORTS_AT_ONCE):
            removed = bind.execute(_REMOVE, {"keys": orphans[start : start + REPORTS_AT_ONCE]}).all()
            _write_lines(file, [line for line, _ in removed])
            count += len(removed)
            identities |= {key for _, key in removed}
    for statement in (_RECOUNT, _REGRESSED_AT, _STATUS):
        bind.execute(statement, {"keys": sorted(identities)})
    attributes["quarantined_findings"] = (count, path)


def _write_lines(file: IO[str], rows: Sequence[str]) -> None:
    # Line breaks can only stand between JSON values, in metadata that was not written by LavenderTown.
    file.writelines(row.replace("\r", " ").replace("\n", " ") + "\n" for row in rows)


def downgrade() -> None:
    if op.get_context().dialect.name == "postgresql":
        op.drop_constraint(KEY_NAME, "findings", type_="foreignkey")
