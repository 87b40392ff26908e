"""Names the row that the database refuses when several are inserted by one statement."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from lavendertown.core.errors import InvalidInputError, StorageError
from lavendertown.database.application import Database
from lavendertown.database.model_records import MappedModel, names_filled_by_parents
from lavendertown.database.unique_violations import name_row

_REFUSALS = (sa.exc.IntegrityError, sa.exc.DataError)


@contextlib.contextmanager
def name_refused_row(database: Database, model: MappedModel, rows: Sequence[Any]) -> Iterator[None]:
    """Name the position of the row that breaks a constraint or has a value that does not fit its column.

    Raises:
        InvalidInputError: The same error with the position, if the row is found.
        StorageError: The same.
    """
    try:
        yield
    except (InvalidInputError, StorageError) as error:
        refused = len(rows) > 1 and isinstance(error.__cause__, _REFUSALS)
        position = _find_refused_row(database, model, rows) if refused else 0
        if not position:
            raise
        raise type(error)(name_row(str(error), position)) from error.__cause__


def _find_refused_row(database: Database, model: MappedModel, rows: Sequence[Any]) -> int:
    """Return the position of the row, counted from 1, by inserting one after the other; 0 if none is refused.

    Nothing stays in the database.
    """
    outer = database.current_session()
    if any(names_filled_by_parents(row) for row in rows) or (outer is not None and not outer.is_active):
        return 0
    tried = position = 0
    with (
        contextlib.suppress(sa.exc.SQLAlchemyError),
        database.transaction() as session,
        session.no_autoflush,
        session.begin_nested() as savepoint,
    ):
        try:
            for row in rows:
                tried += 1
                given = {name: value for name, value in model.values_of(row).items() if value is not None}
                session.execute(sa.insert(model.cls).values(given))
        except _REFUSALS:
            position = tried
        finally:
            savepoint.rollback()
    return position
