"""Between protobuf messages and plain Python values."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from lavendertown.core import clock
from lavendertown.core.errors import InvalidInputError

_TIMESTAMP = "google.protobuf.Timestamp"
_VALUE = "google.protobuf.Value"


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
    try:
        if is_repeated(field):
            for item in value:
                if field.message_type is None:
                    getattr(message, field.name).append(item)
                else:
                    _fill_inner(getattr(message, field.name).add(), item)
        elif field.message_type is None:
            setattr(message, field.name, value)
        else:
            _fill_inner(getattr(message, field.name), value)
    except InvalidInputError:
        raise
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidInputError(
            f"The value of {message.DESCRIPTOR.name}.{field.name} does not fit: {_reason(error)}."
        ) from error


def _reason(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__).rstrip(".")


def _fill_inner(part: Any, value: Any) -> None:
    part.SetInParent()
    kind = part.DESCRIPTOR.full_name
    if kind == _TIMESTAMP:
        part.FromDatetime(_aware(value))
    elif kind == _VALUE:
        _fill_value(part, value)
    elif isinstance(value, Mapping):
        fill_message(part, value)
    else:
        raise InvalidInputError(f"{part.DESCRIPTOR.name} needs a mapping of its fields.")


def _aware(value: Any) -> dt.datetime:
    if isinstance(value, str):
        value = dt.datetime.fromisoformat(value)
    if not isinstance(value, dt.datetime):
        raise InvalidInputError("A time must be a datetime, or ISO 8601 text.")
    return clock.to_utc(value, clock.UTC)


def _fill_value(made: Any, value: Any) -> None:
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
            _fill_value(made.struct_value.fields[key], inner)
    else:
        made.list_value.SetInParent()
        for inner in value:
            _fill_value(made.list_value.values.add(), inner)


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
