"""Fields, pages and record limits of an accessor's model, for services."""

from __future__ import annotations

import contextlib
import datetime as dt
import decimal
import enum
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from lavendertown.core.errors import ConfigurationError, InvalidInputError, LavenderTownError
from lavendertown.database.model_accessor import ModelAccessor
from lavendertown.stores.sql.connection import mariadb
from lavendertown.stores.sql.connection.errors import is_duplicate, translate_errors

_KINDS: tuple[tuple[type, str], ...] = (
    (bool, "bool"),
    (int, "int32"),
    (float, "double"),
    (str, "string"),
    (bytes, "bytes"),
    (dt.datetime, "datetime"),
    (dt.date, "date"),
    (dt.time, "time"),
    (dt.timedelta, "interval"),
    (decimal.Decimal, "decimal"),
    (uuid.UUID, "uuid"),
    (dict, "json"),
    (list, "json"),
)


class RecordLimitError(LavenderTownError):
    """The model has the maximum number of records; nothing was written."""


@dataclass(frozen=True)
class ModelField:
    """An attribute of a model that is stored in a column.

    Attributes:
        name: The attribute.
        kind: ``bool``, ``int32``, ``int64``, ``double``, ``string``, ``bytes``, ``datetime``, ``date``,
            ``time``, ``interval``, ``decimal``, ``uuid``, ``enum`` or ``json``.
        has_zone: Whether a datetime is stored with its time zone.
        choices: The enumeration of an ``enum`` whose column has a Python class.
    """

    name: str
    kind: str
    has_zone: bool = False
    choices: type[enum.Enum] | None = None


def read_fields(accessor: ModelAccessor[Any]) -> list[ModelField]:
    """Return the fields of an accessor's model, in the order of its columns.

    Raises:
        ConfigurationError: A column has a type that no field can carry.
    """
    model = accessor.mapped_model
    return [_field(f"{model.component}.{name}", name, column) for name, column in model.columns.items()]


def _field(label: str, name: str, column: sa.Column[Any]) -> ModelField:
    column_type: Any = column.type
    # An interval is a decorated datetime, as SQLite has no intervals.
    while isinstance(column_type, sa.types.TypeDecorator) and not isinstance(column_type, sa.Interval):
        column_type = column_type.impl_instance
    if isinstance(column_type, sa.Enum):
        return ModelField(name, "enum", choices=column_type.enum_class)
    if isinstance(column_type, sa.BigInteger):
        return ModelField(name, "int64")
    if isinstance(column_type, sa.JSON):
        return ModelField(name, "json")
    try:
        python_type = column_type.python_type
    except NotImplementedError:
        python_type = object
    for base, field_kind in _KINDS:
        if issubclass(python_type, base):
            return ModelField(name, field_kind, has_zone=bool(getattr(column_type, "timezone", False)))
    raise ConfigurationError(
        f"The column {label} has the type {type(column.type).__name__}, which cannot be served by RPC. "
        "Serve a model without this column."
    )


def convert_key(accessor: ModelAccessor[Any], value: Any) -> Any:
    """Return a primary key in its column's type; a text in the usual form of the type is accepted.

    Raises:
        InvalidInputError: No record can have this key.
    """
    return accessor.mapped_model.convert_key(value)


def key_to_json(key: Any) -> str | int | float:
    """Return a primary key as plain JSON; :func:`convert_key` returns the key again."""
    if isinstance(key, str | int | float):
        return key
    if isinstance(key, enum.Enum):
        return key.name
    return key.hex() if isinstance(key, bytes) else str(key)


def make_instance(accessor: ModelAccessor[Any], values: Mapping[str, Any]) -> Any:
    """Return a new instance of the model with these values.

    Raises:
        InvalidInputError: The model's constructor refuses them.
    """
    try:
        return accessor.model(**values)
    except TypeError as error:
        raise InvalidInputError(
            f"A record of {accessor.component} cannot be created from these fields. Check which are required."
        ) from error


def read_page(
    accessor: ModelAccessor[Any], limit: int, after: Any = None, include_deleted: bool = False
) -> list[Any]:
    """Return a page of rows in the order of their primary keys.

    Args:
        accessor: The accessor.
        limit: The maximum number of rows.
        after: The key of the last row of the previous page; None for the first page.
        include_deleted: Whether to return soft-deleted rows too.
    """
    key = getattr(accessor.model, accessor.mapped_model.key)
    query = sa.select(accessor.model).order_by(key).limit(limit)
    query = query.options(*accessor.mapped_model.loading_options())
    if after is not None:
        query = query.where(key > after)
    if not include_deleted:
        query = _only_live(accessor, query)
    database = accessor.current_database()
    with translate_errors(database.url), database.use_session() as session:
        return list(session.scalars(query).unique())


def read_row(accessor: ModelAccessor[Any], key: Any) -> Any:
    """Return the row with a primary key as the database has it now, or None; deleted rows too.

    In a transaction it has the changes of that transaction, those of hooks included.
    """
    with accessor._open_session() as session:
        return session.get(accessor.model, key, populate_existing=True)


@contextlib.contextmanager
def limited_transaction(accessor: ModelAccessor[Any], max_records: int | None) -> Iterator[None]:
    """Open a transaction in which one more record may be added, if the limit allows it.

    No other transaction, in any process, can add a record between the count and the commit.

    Args:
        accessor: The accessor.
        max_records: The maximum number of live records; None for no limit.

    Raises:
        RecordLimitError: The limit is reached.
    """
    database = accessor.current_database()
    with translate_errors(database.url), database.transaction() as session:
        if max_records is not None:
            _lock_rows(session.connection(), sa.inspect(accessor.model).local_table)
            query = _only_live(accessor, sa.select(sa.func.count()).select_from(accessor.model))
            if (session.scalar(query) or 0) >= max_records:
                raise RecordLimitError(
                    f"{accessor.component} has {max_records:,} records, the limit; nothing was written. "
                    "Delete one, or raise max_records_per_model."
                )
        yield


def is_unique_violation(error: BaseException) -> bool:
    """Return whether a write was refused because another row has the same unique value."""
    cause = error.__cause__
    return isinstance(cause, sa.exc.IntegrityError) and is_duplicate(cause)


def refusal_sentence(error: BaseException) -> str | None:
    """Return a sentence on why the database refused a value; None if no constraint or type is the reason."""
    cause = error.__cause__
    if isinstance(cause, sa.exc.IntegrityError):
        return "A constraint of the table is violated, such as a reference to a record; nothing was written."
    if isinstance(cause, sa.exc.DataError):
        return "A value does not fit into its column; nothing was written."
    return None


def _only_live(accessor: ModelAccessor[Any], query: Any) -> Any:
    if not accessor.mapped_model.soft_deletes:
        return query
    return query.where(getattr(accessor.model, "deleted_at").is_(None))  # noqa: B009 - not every class has it


def _lock_rows(connection: sa.Connection, table: Any) -> None:
    """Block other writers of a table until the transaction ends; SQLite has one writer at a time."""
    if connection.dialect.name == "postgresql":
        name = connection.dialect.identifier_preparer.format_table(table)
        connection.exec_driver_sql(f"LOCK TABLE {name} IN SHARE ROW EXCLUSIVE MODE")
    mariadb.block_other_writers(connection)
