"""The session class for application code."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm

from lavendertown.core.errors import StorageError


class Session(orm.Session):
    """SQLAlchemy's session with SQLModel's ``exec`` method."""

    _ended = False

    def mark_ended(self) -> None:
        """Refuse all further use, which would open a transaction that is never ended."""
        self._ended = True

    def get_bind(self, *args: Any, **named: Any) -> sa.Engine | sa.Connection:
        """Return the engine or connection of the session.

        Raises:
            StorageError: The unit of work that the session belongs to has ended.
        """
        if self._ended:
            raise StorageError(
                "The unit of work of this session has ended. Open another one with: "
                "with lavendertown.database.transaction() as db"
            )
        return super().get_bind(*args, **named)

    def exec(self, statement: sa.Executable, **options: Any) -> Any:
        """Execute a statement; return values instead of rows for a SELECT of one entity or column."""
        result = self.execute(statement, **options)
        has_one_value = isinstance(statement, sa.Select) and len(statement.column_descriptions) == 1
        return result.scalars() if has_one_value else result
