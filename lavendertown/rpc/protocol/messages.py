"""Between protobuf messages and plain Python values."""

from __future__ import annotations

import contextlib
import datetime as dt
import decimal
import enum
import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from google.protobuf.descriptor import FieldDescriptor

from lavendertown.core import clock
from lavendertown.core.errors import InvalidInputError

_TIMESTAMP = "google.protobuf.Timestamp"
_VALUE = "google.protobuf.Value"
_WANTED_TYPES = {
    FieldDescriptor.CPPTYPE_STRING: "a text",
    FieldDescriptor.CPPTYPE_BOOL: "True or False",
    FieldDescriptor.CPPTYPE_INT32: "a whole number",
    FieldDescriptor.CPPTYPE_INT64: "a whole number",
}
_MAX_SHOWN = 100


class Response(Mapping[str, Any]):
    """The fields of a message as attributes (``response.next_page_token``) and as a mapping.

    A field that has no value is None, an empty list or the empty value of its type. Times are aware.
    """

    def __init__(self, values: Mapping[str, Any]) -> None:
        self._values = dict(values)

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["_values"][name]
        except KeyError:
            known = ", ".join(self.__dict__.get("_values", {})) or "none"
            raise AttributeError(f"The response has no field {name!r}; its fields are: {known}.") from None

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Response({', '.join(f'{name}={value!r}' for name, value in self._values.items())})"


def fill_message(message: Any, values: Mapping[str, Any]) -> Any:
    """Set the fields of a message, named as in the ``.proto`` or as in JSON, and return it.

    None leaves a field out.

    Raises:
        InvalidInputError: The message has no such field, or a value does not fit into its field.
    """
    descriptor = message.DESCRIPTOR
    by_json = {field.json_name: field for field in descriptor.fields}
    for name, value in values.items():
        field = descriptor.fields_by_name.get(name) or by_json.get(name)
        if field is None:
            known = ", ".join(descriptor.fields_by_name) or "none"
            raise InvalidInputError(f"{descriptor.name} has no field {name!r}; its fields are: {known}.")
        if value is not None:
            _set_field(message, field, value)
    return message


def _set_field(message: Any, field: Any, value: Any) -> None:
    label = f"{message.DESCRIPTOR.name}.{field.name}"
    repeated = is_repeated(field)
    if repeated and (isinstance(value, str | bytes | Mapping) or not isinstance(value, Iterable)):
        raise _misfit(label, value, "a list")
    as_sent = _to_text if field.type == field.TYPE_STRING else lambda given: given
    item = value
    try:
        if field.message_type is None and not repeated:
            setattr(message, field.name, as_sent(value))
        elif field.message_type is None:
            found = getattr(message, field.name)
            for item in value:
                found.append(as_sent(item))
        elif repeated:
            found = getattr(message, field.name)
            for item in value:
                _fill_inner(found.add(), item, label)
        else:
            _fill_inner(getattr(message, field.name), value, label)
    except InvalidInputError:
        raise
    except TypeError as error:
        raise _misfit(label, item, _wanted_type(field)) from error
    except (ValueError, OverflowError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__).rstrip(".")
        raise InvalidInputError(f"The value of {label} does not fit: {reason}.") from error


def _to_text(value: Any) -> Any:
    """Return the text as which a decimal, UUID, date, time, interval or enumeration is sent.

    A text that is a member of an enumeration, such as one of a StrEnum, stays as it is.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, enum.Enum):
        return value.name
    if isinstance(value, dt.timedelta):
        return repr(value.total_seconds())
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return str(value) if isinstance(value, decimal.Decimal | uuid.UUID) else value


def _wanted_type(field: Any) -> str:
    if field.message_type is not None:
        return "JSON data"
    return "bytes" if field.type == field.TYPE_BYTES else _WANTED_TYPES.get(field.cpp_type, "a number")


def _misfit(label: str, value: Any, wanted: str) -> InvalidInputError:
    shown = repr(value)
    shown = shown if len(shown) <= _MAX_SHOWN else f"{shown[:_MAX_SHOWN]}…"
    return InvalidInputError(
        f"The value of {label} does not fit: it must be {wanted}, and {shown} is of the type "
        f"{type(value).__name__}."
    )


def _fill_inner(part: Any, value: Any, label: str) -> None:
    part.SetInParent()
    kind = part.DESCRIPTOR.full_name
    if kind == _TIMESTAMP:
        part.FromDatetime(_aware(value, label))
    elif kind == _VALUE:
        _fill_value(part, value, label)
    elif isinstance(value, Mapping):
        fill_message(part, value)
    else:
        raise _misfit(label, value, "a mapping of fields")


def _aware(value: Any, label: str) -> dt.datetime:
    if isinstance(value, str):
        with contextlib.suppress(ValueError):
            value = dt.datetime.fromisoformat(value)
    if not isinstance(value, dt.datetime):
        raise _misfit(label, value, "a datetime or an ISO 8601 text")
    return clock.to_utc(value, clock.UTC)


def _fill_value(made: Any, value: Any, label: str) -> None:
    """Fill a ``google.protobuf.Value`` with plain JSON data."""
    if value is None:
        made.null_value = 0
    elif isinstance(value, bool):
        made.bool_value = value
    elif isinstance(value, int | float):
        made.number_value = value
    elif isinstance(value, str):
        made.string_value = value
    elif isinstance(value, Mapping):
        made.struct_value.SetInParent()
        for key, inner in value.items():
            _fill_value(made.struct_value.fields[key], inner, label)
    elif isinstance(value, Iterable) and not isinstance(value, bytes | bytearray):
        made.list_value.SetInParent()
        for inner in value:
            _fill_value(made.list_value.values.add(), inner, label)
    else:
        raise _misfit(label, value, "JSON data")


def read_message(message: Any) -> Response:
    """Return the fields of a message as Python values."""
    return Response({field.name: read_field(message, field) for field in message.DESCRIPTOR.fields})


def read_present_fields(message: Any) -> dict[str, Any]:
    """Return the fields of a message that were set, as Python values."""
    return {field.name: read_field(message, field) for field, _ in message.ListFields()}


def read_field(message: Any, field: Any) -> Any:
    """Return one field's value; None where it has none and that differs from an empty one."""
    value = getattr(message, field.name)
    if is_repeated(field):
        return (
            list(value) if field.message_type is None else [_read_inner(item, field.name) for item in value]
        )
    if field.has_presence and not message.HasField(field.name):
        return None
    return value if field.message_type is None else _read_inner(value, field.name)


def read_time(message: Any, name: str) -> dt.datetime | None:
    """Return the time in a field of a message, in UTC; None where it has none.

    Raises:
        InvalidInputError: The time is not valid, or not in the years 1 to 9999.
    """
    return _to_time(getattr(message, name), name) if message.HasField(name) else None


def _to_time(timestamp: Any, name: str) -> dt.datetime:
    try:
        found: dt.datetime = timestamp.ToDatetime(tzinfo=clock.UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidInputError(
            f"The time in {name} is not valid; send one of the years 1 to 9999."
        ) from error
    return found


def _read_inner(value: Any, name: str) -> Any:
    kind = value.DESCRIPTOR.full_name
    if kind == _TIMESTAMP:
        return _to_time(value, name)
    return plain_value(value) if kind == _VALUE else read_message(value)


def plain_value(value: Any) -> Any:
    """Return a ``google.protobuf.Value`` as plain JSON data; whole numbers become integers."""
    kind = value.WhichOneof("kind")
    if kind in (None, "null_value"):
        return None
    if kind == "struct_value":
        return {key: plain_value(inner) for key, inner in value.struct_value.fields.items()}
    if kind == "list_value":
        return [plain_value(inner) for inner in value.list_value.values]
    found = getattr(value, kind)
    return int(found) if kind == "number_value" and float(found).is_integer() else found


def is_repeated(field: Any) -> bool:
    """Tell whether a field is a list, with any version of protobuf."""
    found = getattr(field, "is_repeated", None)
    return bool(field.label == field.LABEL_REPEATED if found is None else found)
