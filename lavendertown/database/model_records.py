"""A row of an application's class as the write path sees it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy import orm

from lavendertown import clock, codec
from lavendertown.database import model_checks
from lavendertown.errors import ConfigurationError
from lavendertown.records.values import Stamp


@dataclass(frozen=True)
class ModelRecord:
    """What shall be written of an instance.

    Attributes:
        kind: The component's name.
        id: The primary key as text; empty where the database shall choose it.
        instance: The object itself, or a row of the table when it is flipped.
        values: What is to be written, by attribute; empty where a row is only deleted or restored.
        loaded: What the caller read in those attributes; empty where nothing was read.
    """

    kind: str
    id: str
    instance: Any
    values: Mapping[str, Any]
    loaded: Mapping[str, Any]
    version: int = 0
    updated_at: dt.datetime = clock.EPOCH
    deleted_at: dt.datetime | None = None


@dataclass(frozen=True)
class Model:
    """A mapped class, looked at once.

    Attributes:
        key: The attribute that is the primary key.
        deleted: Whether the class has ``deleted_at``: then rows are deleted softly.
        versioned: Whether it has an integer ``version``.
    """

    cls: type
    component: str
    key: str
    columns: Mapping[str, sa.Column[Any]]
    deleted: bool
    versioned: bool
    check: model_checks.Check = field(repr=False)

    @classmethod
    def of(cls, mapped: type, component: str) -> Model:
        """Look at a class.

        Raises:
            ConfigurationError: It is not mapped, or has no single primary key.
        """
        mapper: Any = sa.inspect(mapped, raiseerr=False)
        if not isinstance(mapper, orm.Mapper):
            raise ConfigurationError(
                f"{mapped.__name__} is not mapped to a table; derive it from SQLModel (table=True) or from a "
                "declarative base."
            )
        if len(mapper.primary_key) != 1:
            raise ConfigurationError(f"{mapped.__name__} has no single primary key; give it one column.")
        columns = {
            attribute.key: cast("sa.Column[Any]", attribute.columns[0]) for attribute in mapper.column_attrs
        }
        key = mapper.get_property_by_column(mapper.primary_key[0]).key
        versioned = "version" in columns and isinstance(columns["version"].type, sa.Integer)
        check = model_checks.check_of(mapped, columns)
        return cls(mapped, component, key, columns, "deleted_at" in columns, versioned, check)

    def header(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return these attributes' values as plain JSON: what the audit log keeps."""
        return {name: codec.plain(value, f"{self.component}.{name}") for name, value in values.items()}

    def values_of(self, instance: Any) -> dict[str, Any]:
        """Return the values of all attributes of an instance."""
        return {name: getattr(instance, name) for name in self.columns}

    def parse_id(self, record_id: str) -> Any:
        """Return the primary key that a text stands for; None where it cannot be one."""
        python = self.columns[self.key].type.python_type
        try:
            return record_id if python is str else python(record_id)
        except (TypeError, ValueError):
            return None


class ModelShape:
    """How rows of one class are named, checked and told of; a :class:`~lavendertown.records.shape.Shape`."""

    def __init__(self, model: Model) -> None:
        self._model = model

    def key(self, record: ModelRecord) -> tuple[str, str]:
        return record.kind, record.id

    def check(self, record: ModelRecord) -> ModelRecord:
        self._model.check(record.values)
        return record

    def header(self, record: ModelRecord) -> dict[str, Any]:
        return self._model.header(self._model.values_of(record.instance) | dict(record.values))

    def told(self, operation: str, record: ModelRecord) -> tuple[str, dict[str, Any] | None]:
        if operation != "delete":
            return operation, self.header(record) | self._state(record)
        if self._model.deleted:
            return "soft_delete", self.header(record) | self._state(record)
        return operation, None

    def fits(self, record: ModelRecord, expected: int | None, stamp: Stamp) -> bool:
        if expected is not None:
            return expected == stamp.version
        loaded = self._model.header(record.loaded)
        return all(stamp.header.get(name) == value for name, value in loaded.items())

    def author(self, record: ModelRecord) -> str:
        return "internal"

    def name(self, kind: str) -> str:
        return f"The record of {kind}"

    def _state(self, record: ModelRecord) -> dict[str, Any]:
        state: dict[str, Any] = {}
        if self._model.versioned:
            state["version"] = record.version
        if self._model.deleted:
            state["deleted_at"] = record.deleted_at.isoformat() if record.deleted_at else None
        return state
