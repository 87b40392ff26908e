"""Rows of an application's classes as records of the write path, and their validation."""

from __future__ import annotations

import datetime as dt
import decimal
import functools
import hashlib
import inspect
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol, cast

import sqlalchemy as sa
from sqlalchemy import orm

from lavendertown.core import clock, json_codec
from lavendertown.core.errors import ConfigurationError, InvalidInputError
from lavendertown.database import model_keys
from lavendertown.records.record_classes import StoredVersion

if TYPE_CHECKING:
    from pydantic import ValidationError


class Validator(Protocol):
    """Returns the values as they are written; raises InvalidInputError, which names every invalid value."""

    def __call__(self, values: Mapping[str, Any], *, is_new: bool) -> dict[str, Any]:
        """Check the values of a new row, for which the database may choose missing ones, or a stored one."""


RowValidator = Callable[[Mapping[str, Any]], dict[str, Any]]
"""As a :class:`Validator`, for the values of a whole row."""


def make_validator(mapped: type, columns: Mapping[str, sa.Column[Any]]) -> Validator:
    """Return the validator of a class: by its annotations for a SQLModel, else by its columns.

    A SQLModel table class skips pydantic's validation, so the write path validates its values.
    """
    if hasattr(mapped, "model_fields"):
        return _validator_by_fields(mapped, columns)
    return _validator_by_columns(mapped, columns)


def describe_invalid_fields(error: ValidationError) -> str:
    """Return the fields that pydantic refused, each with the reason."""
    reasons = ((".".join(map(str, each["loc"])), each["msg"]) for each in error.errors())
    return "; ".join(": ".join(filter(None, reason)) for reason in reasons)


def _validator_by_fields(mapped: Any, columns: Mapping[str, sa.Column[Any]]) -> Validator:
    from pydantic import BaseModel, ConfigDict, ValidationError, create_model

    class Base(BaseModel):
        model_config = ConfigDict(arbitrary_types_allowed=True, populate_by_name=True)

    name = mapped.__name__
    version = sa.inspect(mapped).version_id_col
    whole = {each: (found.annotation, found) for each, found in mapped.model_fields.items()}
    cache: dict[frozenset[str], Any] = {}

    def check(values: Mapping[str, Any], *, is_new: bool) -> dict[str, Any]:
        given = frozenset(
            each
            for each in values.keys() & whole.keys()
            if not (is_new and values[each] is None and is_chosen_elsewhere(columns[each], version))
        )
        if given not in cache:
            chosen: Any = {each: whole[each] for each in whole if each in given}
            validators: Any = _field_validators(mapped, given)
            cache[given] = create_model(name, __base__=Base, __validators__=validators, **chosen)
        try:
            checked = cache[given].model_validate({each: values[each] for each in given})
        except ValidationError as error:
            raise InvalidInputError(f"{name} cannot be saved: {describe_invalid_fields(error)}.") from error
        converted = {
            each: getattr(checked, each) if each in given and _is_plain(value) else value
            for each, value in values.items()
        }
        _refuse_values(name, {each: _explain_form(columns[each], converted[each]) for each in values})
        return converted

    return check


def _field_validators(mapped: Any, given: frozenset[str]) -> dict[str, Any]:
    """Return the validators that a SQLModel declares for these fields."""
    import pydantic

    field_validator: Any = pydantic.field_validator
    found: dict[str, Any] = {}
    for name, each in mapped.__pydantic_decorators__.field_validators.items():
        fields = given if "*" in each.info.fields else given.intersection(each.info.fields)
        if fields:
            found[name] = field_validator(*sorted(fields), mode=each.info.mode)(
                inspect.getattr_static(mapped, name)
            )
    return found


def make_row_validator(mapped: type) -> RowValidator | None:
    """Return what checks the values of a row together, by the model validators of a SQLModel; None without.

    The fields themselves are not checked: a stored row may be older than their rules.
    """
    declared = getattr(mapped, "__pydantic_decorators__", None)
    if declared is None or not declared.model_validators:
        return None
    import pydantic

    model_validator: Any = pydantic.model_validator
    validators: Any = {
        name: model_validator(mode=each.info.mode)(inspect.getattr_static(mapped, name))
        for name, each in declared.model_validators.items()
    }
    fields: Any = dict.fromkeys(cast("Any", mapped).model_fields, (Any, None))
    whole = pydantic.create_model(mapped.__name__, __validators__=validators, **fields)

    def check(values: Mapping[str, Any]) -> dict[str, Any]:
        try:
            whole.model_validate({name: values[name] for name in values.keys() & fields.keys()})
        except pydantic.ValidationError as error:
            reason = describe_invalid_fields(error)
            raise InvalidInputError(f"{mapped.__name__} cannot be saved: {reason}.") from error
        return dict(values)

    return check


def names_filled_by_parents(instance: Any) -> set[str]:
    """Return the foreign keys of an instance that a flush sets, because the related row is given."""
    state = orm.attributes.instance_state(instance)
    return {
        state.mapper.get_property_by_column(column).key
        for relation in state.mapper.relationships
        if relation.direction is orm.MANYTOONE
        and not relation.viewonly
        and state.dict.get(relation.key) is not None
        for column in relation.local_columns
    }


def _is_plain(value: Any) -> bool:
    """Return whether pydantic may convert a value; what is kept as JSON stays as it was given."""
    return isinstance(value, str | bytes | int | float | decimal.Decimal | dt.date | dt.time | dt.timedelta)


def _validator_by_columns(mapped: Any, columns: Mapping[str, sa.Column[Any]]) -> Validator:
    version = sa.inspect(mapped).version_id_col

    def check(values: Mapping[str, Any], *, is_new: bool) -> dict[str, Any]:
        converted = {each: _convert_number(columns[each], value) for each, value in values.items()}
        _refuse_values(
            mapped.__name__,
            {
                each: _explain_rejection(columns[each], value)
                for each, value in converted.items()
                if not (is_new and value is None and is_chosen_elsewhere(columns[each], version))
            },
        )
        return converted

    return check


def _refuse_values(name: str, reasons: Mapping[str, str | None]) -> None:
    wrong = [f"{each}: {why}" for each, why in reasons.items() if why]
    if wrong:
        raise InvalidInputError(f"{name} cannot be saved: {'; '.join(wrong)}.")


def _convert_number(column: sa.Column[Any], value: Any) -> Any:
    """Return an int or float of an exact column as the decimal number it is written as, a bool as 0 or 1."""
    if isinstance(column.type, sa.Integer) and isinstance(value, bool):
        return int(value)
    exact = isinstance(column.type, sa.Numeric) and column.type.asdecimal
    if exact and isinstance(value, int | float) and not isinstance(value, bool):
        return decimal.Decimal(str(value))
    return value


def _explain_zone(column: sa.Column[Any], value: Any) -> str | None:
    has_zone = getattr(column.type, "timezone", False)
    if isinstance(value, dt.time) and value.tzinfo is not None and not has_zone:
        return f"{value.isoformat()} has a time zone, which the column does not keep; give a time without one"
    if not isinstance(value, dt.datetime):
        return None
    if value.tzinfo is None:
        explained = f"{value.isoformat()} has no time zone; give one, such as datetime.UTC"
        return explained if has_zone else None
    try:
        value.astimezone(dt.UTC)
    except OverflowError:
        return f"{value.isoformat()} is not within the years 1 to 9999 in UTC"
    return None


def _explain_form(column: sa.Column[Any], value: Any) -> str | None:
    """Return why the database cannot keep a value of the right type."""
    if model_keys.is_text_of_uuid(column) and isinstance(value, str):
        try:
            uuid.UUID(value)
        except ValueError:
            return f"{value!r} is not a UUID"
    return _explain_zone(column, value)


def is_chosen_elsewhere(column: sa.Column[Any], version: sa.Column[Any] | None = None) -> bool:
    """Return whether a new row gets a value for this column without one.

    Args:
        column: The column.
        version: The column of the class's version that SQLAlchemy counts (``version_id_col``), if any.
    """
    return column.default is not None or column.server_default is not None or column is version


def _explain_rejection(column: sa.Column[Any], value: Any) -> str | None:
    if value is None:
        return None if column.nullable or column.primary_key else "a value is required"
    try:
        wanted = column.type.python_type
    except NotImplementedError:
        return None
    if _is_custom(column.type):
        return None
    if not isinstance(value, wanted) and not (wanted is float and isinstance(value, int)):
        return f"{value!r} is not of the type {wanted.__name__}"
    if isinstance(column.type, sa.Enum) and column.type.enum_class is None:
        choices = column.type.enums
        return None if value in choices else f"{value!r} is not one of {', '.join(map(repr, choices))}"
    if isinstance(value, decimal.Decimal) and value.is_infinite():
        return f"{value} is not a finite number"
    length = getattr(column.type, "length", None)
    if isinstance(value, str) and length is not None and len(value) > length:
        return f"it is longer than {length} characters"
    return _explain_form(column, value)


def _is_custom(kind: sa.types.TypeEngine[Any]) -> bool:
    """Return whether a type converts values itself, so that its own rules decide which ones it takes."""
    is_plain = isinstance(kind, sa.Interval) or type(kind).__module__.partition(".")[0] == "sqlmodel"
    return isinstance(kind, sa.types.TypeDecorator) and not is_plain


@dataclass(frozen=True)
class ModelRecord:
    """An instance of an application's class as a record of the write path.

    Attributes:
        kind: The component's name.
        id: The primary key as text; None where the database shall choose it.
        instance: The object itself, or a row of the table when it is flipped.
        values: What is to be written, by attribute; empty where a row is only deleted or restored.
        loaded: What the caller read in those attributes; empty where nothing was read.
    """

    kind: str
    id: str | None
    instance: Any
    values: Mapping[str, Any]
    loaded: Mapping[str, Any]
    version: int = 0
    updated_at: dt.datetime = clock.EPOCH
    deleted_at: dt.datetime | None = None


@dataclass(frozen=True)
class MappedModel:
    """The properties of a mapped class.

    Attributes:
        cls: The class.
        component: The component's name in the audit log.
        key: The attribute of the primary key.
        columns: The columns by attribute.
        soft_deletes: Whether the class has ``deleted_at``, so that its rows are soft-deleted.
        versioned: Whether the class has an integer ``version``.
        validate: Refuses invalid values.
        validate_row: Refuses values that do not fit together; None if the class has no such rules.
    """

    cls: type
    component: str
    key: str
    columns: Mapping[str, sa.Column[Any]]
    soft_deletes: bool
    versioned: bool
    validate: Validator = field(repr=False)
    validate_row: RowValidator | None = field(repr=False)

    @classmethod
    def inspect_class(cls, mapped: type, component: str) -> MappedModel:
        """Inspect a class.

        Raises:
            ConfigurationError: The class is not mapped, or does not have exactly one primary key column.
        """
        mapper: Any = sa.inspect(mapped, raiseerr=False)
        if not isinstance(mapper, orm.Mapper):
            raise ConfigurationError(
                f"{mapped.__name__} is not mapped to a table. Derive it from SQLModel (table=True) or from a "
                "declarative base."
            )
        if len(mapper.primary_key) != 1:
            raise ConfigurationError(
                f"{mapped.__name__} needs exactly one primary key column and has {len(mapper.primary_key)}. "
                "Change its primary key."
            )
        columns = cls.find_columns(mapper)
        key = mapper.get_property_by_column(mapper.primary_key[0]).key
        if "deleted_at" in columns and not _is_time(columns["deleted_at"]):
            raise ConfigurationError(
                f"{mapped.__name__}.deleted_at must be a datetime, to hold when a row was deleted. Change "
                "its type, or its name if it means something else."
            )
        versioned = "version" in columns and isinstance(columns["version"].type, sa.Integer)
        return cls(
            mapped,
            component,
            key,
            columns,
            "deleted_at" in columns,
            versioned,
            make_validator(mapped, columns),
            make_row_validator(mapped),
        )

    def for_instance(self, instance: Any) -> MappedModel:
        """Return the properties of an instance's own class, which may derive from this one."""
        mapped: Any = type(instance)
        return self if mapped is self.cls else _inspect_derived_class(mapped, self.component)

    def loading_options(self) -> list[Any]:
        """Return the options with which a query also loads the columns of derived classes."""
        mapper: orm.Mapper[Any] = sa.inspect(self.cls)
        derived = [each.class_ for each in mapper.self_and_descendants if each is not mapper]
        return [orm.selectin_polymorphic(self.cls, derived)] if derived else []

    @staticmethod
    def find_columns(mapper: orm.Mapper[Any]) -> dict[str, sa.Column[Any]]:
        """Return the attributes that are stored in a column, with the columns."""
        return {
            attribute.key: attribute.columns[0]
            for attribute in mapper.column_attrs
            if isinstance(attribute.columns[0], sa.Column)
        }

    def summarize_values(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return these attributes' values as plain JSON: what the audit log keeps."""
        return summarize_values(self.component, values)

    def values_of(self, instance: Any) -> dict[str, Any]:
        """Return the values of an instance's attributes, without those that cannot be loaded any more."""
        state = orm.attributes.instance_state(instance)
        missing = state.unloaded if state.detached else frozenset()
        return {name: getattr(instance, name) for name in self.columns if name not in missing}

    def convert_key(self, value: Any) -> Any:
        """Return a primary key in its column's type; see :func:`model_keys.convert_key`."""
        return model_keys.convert_key(self.component, self.columns[self.key], value)

    def id_of(self, instance: Any) -> str:
        """Return an instance's primary key as text."""
        return model_keys.key_text(getattr(instance, self.key))


@functools.cache
def _inspect_derived_class(mapped: type, component: str) -> MappedModel:
    return MappedModel.inspect_class(mapped, component)


def _is_time(column: sa.Column[Any]) -> bool:
    kind: Any = column.type
    while isinstance(kind, sa.types.TypeDecorator):
        kind = kind.impl_instance
    return isinstance(kind, sa.DateTime)


def summarize_values(component: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return attributes' values as plain JSON, as the audit log of a component keeps them."""
    return {
        name: json_codec.to_jsonable(_summarize_bytes(value), f"{component}.{name}")
        for name, value in values.items()
    }


def _summarize_bytes(value: Any) -> Any:
    """Return bytes as their length and SHA-256, anything else as it is."""
    if not isinstance(value, bytes | bytearray | memoryview):
        return value
    data = bytes(value)
    return {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


class ModelRecordType:
    """The :class:`~lavendertown.records.record_type.RecordType` for rows of a mapped class."""

    def __init__(self, model: MappedModel) -> None:
        self._model = model

    def record_key(self, record: ModelRecord) -> tuple[str, str]:
        return record.kind, cast("str", record.id)

    def has_id(self, record_id: str) -> bool:
        # An empty text can be a primary key.
        return record_id is not None

    def is_possible_id(self, record_id: str) -> bool:
        return True

    def validate_record(self, record: ModelRecord) -> ModelRecord:
        state = orm.attributes.instance_state(record.instance)
        values = self._model.validate(record.values, is_new=state.key is None)
        changed = {name: value for name, value in values.items() if value is not record.values[name]}
        if state.key is None:
            for name, value in changed.items():
                setattr(record.instance, name, value)
        return replace(record, values=values) if changed else record

    def find_violations(self, record: ModelRecord) -> Mapping[tuple[str, str], str]:
        return {}

    def check_change(
        self, record: ModelRecord, stored: Mapping[str, Any] | None, written_with: Iterable[ModelRecord]
    ) -> None:
        """Refuse a new record that lacks a required value, and values that do not fit together.

        A stored record may be saved in parts.
        """
        if stored is None:
            set_later = names_filled_by_parents(record.instance) | record.values.keys()
            if self._model.versioned:
                set_later.add("version")
            rest = {
                name: getattr(record.instance, name) for name in self._model.columns if name not in set_later
            }
            self._model.validate(rest, is_new=True)
        else:
            self._model.validate(record.values, is_new=False)
        if self._model.validate_row is not None and (record.values or stored is None):
            self._model.validate_row(self._model.values_of(record.instance) | dict(record.values))

    def summarize_record(self, record: ModelRecord) -> dict[str, Any]:
        return self._model.summarize_values(
            self._model.for_instance(record.instance).values_of(record.instance) | dict(record.values)
        )

    def audit_operation(self, operation: str, record: ModelRecord) -> tuple[str, dict[str, Any] | None]:
        if operation != "delete":
            return operation, self.summarize_record(record) | self._row_state(record)
        if self._model.soft_deletes:
            return "soft_delete", self.summarize_record(record) | self._row_state(record)
        return operation, None

    def version_matches(self, record: ModelRecord, expected: int | None, stored: StoredVersion) -> bool:
        if expected is not None:
            return expected == stored.version
        loaded = self._model.summarize_values(record.loaded)
        return all(stored.summary.get(name) == value for name, value in loaded.items())

    def default_actor(self, record: ModelRecord) -> str:
        return "internal"

    def display_name(self, kind: str) -> str:
        return f"The record of {kind}"

    def _row_state(self, record: ModelRecord) -> dict[str, Any]:
        state: dict[str, Any] = {}
        if self._model.versioned:
            state["version"] = record.version
        if self._model.soft_deletes:
            state["deleted_at"] = record.deleted_at.isoformat() if record.deleted_at else None
        return state
