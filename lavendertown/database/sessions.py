"""The session that application code works with."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm


class Session(orm.Session):
    """SQLAlchemy's session, with SQLModel's ``exec`` beside ``execute`` and ``query``."""

    def exec(self, statement: sa.Executable, **options: Any) -> Any:
        """Execute a statement; a SELECT of one entity or column yields its values, not rows."""
        result = self.execute(statement, **options)
        single = isinstance(statement, sa.Select) and len(statement.column_descriptions) == 1
        return result.scalars() if single else result
