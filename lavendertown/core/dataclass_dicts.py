"""Convert dataclasses to dictionaries with one key per field, and back."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lavendertown.core.errors import InvalidInputError

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def fields_to_dict(instance: DataclassInstance) -> dict[str, Any]:
    """Return the field values of a dataclass instance by field name.

    A field whose metadata has ``added_later`` is omitted while it has its default: the dictionaries are
    stored, and those of older instances must not change.
    """
    values = ((each, getattr(instance, each.name)) for each in dataclasses.fields(instance))
    return {each.name: value for each, value in values if not _is_omitted(each, value)}


def fields_from_dict(
    dataclass_type: type[DataclassInstance], data: Mapping[str, Any], label: str
) -> dict[str, Any]:
    """Return a dataclass's field values from a dictionary; unknown keys are ignored.

    A field with a default may be missing. A list or dictionary field may also be null.

    Args:
        dataclass_type: The dataclass.
        data: The dictionary.
        label: The name for an instance in error messages.

    Raises:
        InvalidInputError: The data is no dictionary, or a required key is missing.
    """
    if not isinstance(data, Mapping):
        raise InvalidInputError(f"This {label} is not an object with named values.")
    fields = dataclasses.fields(dataclass_type)
    missing = [each.name for each in fields if _is_required(each) and each.name not in data]
    if missing:
        raise InvalidInputError(f"This {label} has no {', '.join(missing)}.")
    return {
        each.name: data[each.name]
        for each in fields
        if each.name in data and not (data[each.name] is None and _has_factory(each))
    }


def _is_omitted(field: dataclasses.Field[Any], value: Any) -> bool:
    if not field.metadata.get("added_later"):
        return False
    factory = field.default_factory
    return bool(value == (field.default if factory is dataclasses.MISSING else factory()))


def _is_required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and not _has_factory(field)


def _has_factory(field: dataclasses.Field[Any]) -> bool:
    return field.default_factory is not dataclasses.MISSING
