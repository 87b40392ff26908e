"""A unique value that is taken, reported with its model, its column and the value."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy import orm

from lavendertown.core.errors import ConflictError
from lavendertown.database.application import Database
from lavendertown.database.model_records import MappedModel, is_chosen_elsewhere
from lavendertown.stores.sql.connection.errors import is_duplicate

_SQLITE_COLUMNS = re.compile(r"UNIQUE constraint failed: (.+)")
_SQLITE_INDEX = re.compile(r"index '(.+)'")
_POSTGRES_COLUMNS = re.compile(r"\(([^()]+)\)=\(")
_MARIADB_KEY = re.compile(r"for key '(?:.*\.)?([^.']+)'")
_MAX_SHOWN = 100

GivenValues = Mapping[str, Any]


@contextlib.contextmanager
def report_unique_violations(
    database: Database,
    model: MappedModel,
    find_written: Callable[[], Sequence[tuple[Any, GivenValues]]],
    rows: Sequence[Any] = (),
) -> Iterator[None]:
    """Raise a conflict that names model, column and value where a unique value is taken.

    Args:
        database: The database.
        model: The class that is written.
        find_written: Returns the instances that are written, each with the values given for it.
        rows: The instances of a call with several, of which the message names the position.

    Raises:
        ConflictError: Another row has the value.
    """
    try:
        yield
    except sa.exc.IntegrityError as error:
        if not is_duplicate(error):
            raise
        table, columns = _find_columns(error, sa.inspect(model.cls))
        session = database.current_session()
        # A session whose own rows failed cannot read until it is rolled back.
        written = find_written() if session is None or session.is_active else []
        raise _describe_duplicate(database, model, table, columns, written, rows) from error


def describe_violation(error: sa.exc.IntegrityError) -> ConflictError | None:
    """Return the conflict of a unique value that a session's own statement repeats; None for other errors.

    Table and columns are named as far as the database tells them.
    """
    if not is_duplicate(error):
        return None
    name, columns = _find_names(error)
    shown = " and ".join(columns) or "one of its unique values"
    where = f"Another row of {name}" if name else "Another row"
    return ConflictError(f"{where} has the same {shown} already; nothing was written. Choose another value.")


def _find_names(error: sa.exc.IntegrityError) -> tuple[str, list[str]]:
    """Return the names of the table and the columns; empty where the database does not tell them."""
    diagnosis = getattr(error.orig, "diag", None)
    if diagnosis is not None:
        listed = _POSTGRES_COLUMNS.search(diagnosis.message_detail or "")
        columns = [each.strip().strip('"') for each in listed[1].split(",")] if listed else []
        return diagnosis.table_name or "", columns
    match = _SQLITE_COLUMNS.search(str(error.orig))
    if match is None or _SQLITE_INDEX.search(match[1]):
        return "", []
    parts = [each.strip().rpartition(".") for each in match[1].split(",")]
    return parts[0][0], [each[2] for each in parts]


def _find_columns(error: sa.exc.IntegrityError, mapper: Any) -> tuple[sa.Table, list[str]]:
    """Return the table and the columns of the violated constraint; no columns where they are not known."""
    text = str(error.orig)
    diagnosis = getattr(error.orig, "diag", None)
    tables = mapper.registry.metadata.tables | mapper.local_table.metadata.tables
    if diagnosis is not None:
        table = _table_named(tables.values(), diagnosis.table_name, mapper.local_table)
        listed = _POSTGRES_COLUMNS.search(diagnosis.message_detail or "")
        columns = [each.strip().strip('"') for each in listed[1].split(",")] if listed else []
        return table, _columns_of_index(table, diagnosis.constraint_name) or columns
    if match := _SQLITE_COLUMNS.search(text):
        if index := _SQLITE_INDEX.search(match[1]):
            return _find_index(tables.values(), index[1], mapper.local_table)
        parts = [each.strip().rpartition(".") for each in match[1].split(",")]
        return _table_named(tables.values(), parts[0][0], mapper.local_table), [each[2] for each in parts]
    if match := _MARIADB_KEY.search(text):
        return _find_index(tables.values(), match[1], mapper.local_table)
    return mapper.local_table, []


def _table_named(tables: Any, name: str | None, own: sa.Table) -> sa.Table:
    return next((table for table in tables if table.name == name), own) if name != own.name else own


def _find_index(tables: Any, name: str, own: sa.Table) -> tuple[sa.Table, list[str]]:
    for table in (own, *tables):
        if columns := _columns_of_index(table, name):
            return table, columns
    if name == "PRIMARY":
        return own, [column.name for column in own.primary_key]
    # MariaDB names the index of a constraint without a name after its first column.
    for each in own.constraints:
        if isinstance(each, sa.UniqueConstraint) and not each.name and each.columns[0].name == name:
            return own, [column.name for column in each.columns]
    return own, [name] if name in own.columns else []


def _columns_of_index(table: sa.Table, name: str | None) -> list[str]:
    named: list[Any] = [*table.constraints, *table.indexes]
    for each in named:
        if name is not None and each.name == name:
            return [column.name for column in getattr(each, "columns", ())]
    return []


def _describe_duplicate(
    database: Database,
    model: MappedModel,
    table: sa.Table,
    columns: Sequence[str],
    written: Sequence[tuple[Any, GivenValues]],
    rows: Sequence[Any],
) -> ConflictError:
    mapper = _mapper_of(model, table, written)
    name = _class_name(mapper) if mapper is not None else table.name
    attributes = _attribute_names(mapper, table, columns)
    candidates = _find_candidates(mapper, attributes, written) if attributes and mapper else []
    found = _find_taken_values(database, mapper, candidates) if candidates else None
    if found is not None:
        article, wanted = "the", " or ".join(attributes)
    else:
        # The database compares other values than the given ones, such as rounded ones or defaults.
        article, wanted = "the same", "value"
        likely = _find_likely_candidate(database, mapper, candidates)
        found = likely or (None, dict.fromkeys(attributes or columns))
    instance, values = found
    shown = " and ".join(
        each if value is None else f"{each} {_show(value)}" for each, value in values.items()
    )
    message = (
        f"Another {name} already has {article} {shown or 'one of its unique values'}; nothing was written. "
        f"Choose another {wanted}."
    )
    position = next((n for n, row in enumerate(rows, 1) if row is instance), 0)
    return ConflictError(name_row(message, position), kind=model.component)


def name_row(message: str, position: int) -> str:
    """Return a message about a row of insert_many with its position, counted from 1; 0 for the only row."""
    return f"Row {position} of insert_many: {message}" if position else message


def _class_name(mapper: Any) -> str:
    """Return the name of the class, or of the one whose table it shares."""
    while mapper.single:
        mapper = mapper.inherits
    return str(mapper.class_.__name__)


def _mapper_of(model: MappedModel, table: sa.Table, written: Sequence[tuple[Any, GivenValues]]) -> Any:
    """Return the mapper of a table; a hook may write a class of another declarative base."""
    own: Any = sa.inspect(model.cls)
    of_written = [orm.attributes.instance_state(instance).mapper for instance, _ in written]
    known = (own, *of_written, *own.registry.mappers)
    return next((each for each in known if each.local_table is table), None)


def _attribute_names(mapper: Any, table: sa.Table, columns: Sequence[str]) -> list[str]:
    if mapper is None:
        return list(columns)
    if not all(name in table.columns for name in columns):
        return []
    return [mapper.get_property_by_column(table.columns[name]).key for name in columns]


def _find_candidates(
    mapper: Any, names: Sequence[str], written: Sequence[tuple[Any, GivenValues]]
) -> list[tuple[Any, dict[str, Any]]]:
    """Return the written instances that can have a taken value; None stands for what the database chooses."""
    found = [
        (instance, {name: given[name] if name in given else getattr(instance, name) for name in names})
        for instance, given in written
        if isinstance(instance, mapper.class_)
    ]
    columns = {name: mapper.column_attrs[name].columns[0] for name in names}
    # NULL is never equal to another NULL.
    return [
        each
        for each in found
        if all(value is not None or is_chosen_elsewhere(columns[name]) for name, value in each[1].items())
    ]


def _find_taken_values(
    database: Database, mapper: Any, candidates: Sequence[tuple[Any, dict[str, Any]]]
) -> tuple[Any, dict[str, Any]] | None:
    """Return an instance and its values that are taken: the first that are repeated, or stored elsewhere."""
    candidates = [each for each in candidates if None not in each[1].values()]
    seen: list[dict[str, Any]] = []
    for instance, values in candidates:
        if values in seen:
            return instance, values
        seen.append(values)
    with database.use_session() as session, session.no_autoflush:
        return next((each for each in candidates if _is_stored(session, mapper, *each)), None)


def _find_likely_candidate(
    database: Database, mapper: Any, candidates: Sequence[tuple[Any, dict[str, Any]]]
) -> tuple[Any, dict[str, Any]] | None:
    """Return the only instance whose known values can be the taken ones; None if there are several."""
    if len(candidates) > 1:
        with database.use_session() as session, session.no_autoflush:
            candidates = [
                (instance, values)
                for instance, values in candidates
                if _is_stored(session, mapper, instance, {n: v for n, v in values.items() if v is not None})
            ]
    return candidates[0] if len(candidates) == 1 else None


def _is_stored(session: orm.Session, mapper: Any, instance: Any, values: Mapping[str, Any]) -> bool:
    """Return whether another row has these values; a soft-deleted one blocks its primary key only."""
    # A class that shares the table of another is queried by columns: its attributes leave the other rows out.
    attributes = mapper.columns if mapper.single else mapper.all_orm_descriptors
    conditions = [attributes[name] == value for name, value in values.items()]
    keys = [mapper.get_property_by_column(column).key for column in mapper.primary_key]
    if not set(keys) <= values.keys():
        if "deleted_at" in mapper.column_attrs:
            conditions.append(attributes["deleted_at"].is_(None))
        own_key = [attributes[key] == getattr(instance, key) for key in keys]
        if None not in (getattr(instance, key) for key in keys):
            conditions.append(sa.not_(sa.and_(*own_key)))
    return session.execute(sa.select(sa.literal(1)).where(*conditions).limit(1)).first() is not None


def _show(value: Any) -> str:
    shown = repr(value) if isinstance(value, str) else str(value)
    return shown if len(shown) <= _MAX_SHOWN else f"{shown[:_MAX_SHOWN]}…"
