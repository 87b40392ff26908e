"""Telling PostgreSQL's planner of what was imported; its own autovacuum would do so within a minute.

Until then its plans are guesses: a filter of the desk takes a second instead of a hundredth.
"""

from __future__ import annotations

import sqlalchemy as sa

from lavendertown.database.writer import Writer

_FIRST = 10_000
# A table that somebody else is at is left to autovacuum: nobody waits for this.
_GATHER = {
    "findings": sa.text("ANALYZE (SKIP_LOCKED) reports, report_tags, report_texts, identities, findings"),
    "annotations": sa.text("ANALYZE (SKIP_LOCKED) annotations, identity_tags"),
}


class Statistics:
    """How many rows a store has written, and at how many the planner is told next: at each doubling."""

    def __init__(self) -> None:
        self._written = dict.fromkeys(_GATHER, 0)
        self._next = dict.fromkeys(_GATHER, _FIRST)

    def after(self, writer: Writer, kind: str, rows: int) -> None:
        """Count rows of a unit of work; gather statistics as the last of it where it is time.

        Args:
            writer: Of the unit.
            kind: ``"findings"`` or ``"annotations"``.
            rows: How many it has written.
        """
        self._written[kind] += rows
        if self._written[kind] < self._next[kind]:
            return
        self._next[kind] = 2 * self._written[kind]
        if writer.connection.dialect.name == "postgresql":
            writer.execute(_GATHER[kind], [{}])
