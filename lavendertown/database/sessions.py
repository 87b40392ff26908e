"""The session that application code works with."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm

from lavendertown.errors import StorageError


class Session(orm.Session):
    """SQLAlchemy's session, with SQLModel's ``exec`` beside ``execute`` and ``query``."""

    _ended = False

    def end(self) -> None:
        """Refuse all further use, which would open a transaction that nobody ends."""
        self._ended = True

    def get_bind(self, *args: Any, **named: Any) -> sa.Engine | sa.Connection:
        """Return what the session is bound to.

        Raises:
            StorageError: The unit of work that the session belongs to has ended.
        """
        if self._ended:
            raise StorageError(
                "The unit of work of this session has ended. Open another one: "
                "with lavendertown.database.transaction() as db"
            )
        return super().get_bind(*args, **named)

    def exec(self, statement: sa.Executable, **options: Any) -> Any:
        """Execute a statement; a SELECT of one entity or column yields its values, not rows."""
        result = self.execute(statement, **options)
        single = isinstance(statement, sa.Select) and len(statement.column_descriptions) == 1
        return result.scalars() if single else result
