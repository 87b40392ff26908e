"""The ledger of moves into this database."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from lavendertown.database.tables import moves
from lavendertown.records.values import Move

_M = moves.c


def write(connection: sa.Connection, move: Move) -> None:
    """Write a line, in place of the one with the same id."""
    connection.execute(sa.delete(moves).where(_M.id == move.id))
    connection.execute(
        sa.insert(moves).values(
            id=move.id,
            source=move.source,
            target=move.target,
            actor=move.actor,
            started_at=move.started_at,
            finished_at=move.finished_at,
            options=move.options,
            outcome=move.outcome,
        )
    )


def read(connection: sa.Connection) -> Sequence[Move]:
    """Return all lines, oldest first."""
    rows = connection.execute(sa.select(moves).order_by(_M.started_at, _M.id))
    return [
        Move(
            id=row.id,
            source=row.source,
            target=row.target,
            actor=row.actor,
            started_at=row.started_at,
            options=row.options,
            finished_at=row.finished_at,
            outcome=row.outcome,
        )
        for row in rows
    ]
