"""Convert values to JSON and back. All JSON that is stored or exported is read and written here.

The JSON is strict (no bare NaN) and means the same on every backend. NumPy and pandas scalars become plain
Python values, times become ISO 8601 text, NaN and NaT become null. A value without a JSON form is refused
before anything is written, with an error that names its path.
"""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import json
import math
import uuid
from collections.abc import Iterator, Mapping, Set
from pathlib import PurePath
from typing import Any

import orjson

from lavendertown.core.errors import InvalidInputError

_INT64 = 2**63
_BEFORE_NULL = b":,["
# OPT_STRICT_INTEGER refuses integers of more than 53 bits, which are then checked one by one.
_PASSTHROUGH_OPTIONS = (
    orjson.OPT_PASSTHROUGH_DATETIME
    | orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_PASSTHROUGH_SUBCLASS
    | orjson.OPT_STRICT_INTEGER
)
_SORTED_PASSTHROUGH_OPTIONS = _PASSTHROUGH_OPTIONS | orjson.OPT_SORT_KEYS


def to_jsonable(value: Any, path: str = "value") -> Any:
    """Return ``value`` as plain JSON data: dict, list, str, int, float, bool or None.

    Mappings keep their order and get text keys; sets become sorted lists; tuples become lists.
    NaN, NaT and pandas' NA become None; infinities become the texts ``"Infinity"`` and
    ``"-Infinity"``. Times become ISO 8601 text.

    Args:
        value: Any value from metadata, parameters and the like.
        path: The value's path, for error messages.

    Raises:
        InvalidInputError: The value has no JSON form, a text has a NUL character or a lone
            surrogate, or an integer does not fit into 64 bits.
    """
    try:
        data = orjson.dumps(value, option=_PASSTHROUGH_OPTIONS)
    except TypeError:
        data = b"null"
    # Most values are plain JSON already. A null needs a check: orjson writes NaN and infinities as null.
    if not _needs_conversion(data):
        return orjson.loads(data)
    try:
        return _convert_value(value, path)
    except RecursionError:
        raise InvalidInputError(
            f"{path} is nested too deeply or contains itself; flatten it first."
        ) from None


def _convert_value(value: Any, path: str) -> Any:
    kind = type(value)
    if kind is str:
        return require_storable_text(value, path)
    if value is None or kind is bool:
        return value
    if kind is int:
        if -_INT64 <= value < _INT64:
            return value
        raise InvalidInputError(f"{path} is the number {value}, which does not fit into 64 bits.")
    if kind is float:
        return _convert_float(value)
    if kind is dict:
        return _convert_mapping(value, path)
    if kind is list or kind is tuple:
        return [_convert_value(v, f"{path}[{i}]") for i, v in enumerate(value)]
    return _convert_other_type(value, path)


def require_storable_text(value: str, path: str = "value") -> str:
    """Return the text if every backend can store it.

    Raises:
        InvalidInputError: The text has a NUL character or a lone surrogate, which PostgreSQL refuses.
    """
    if "\x00" in value:
        raise InvalidInputError(f"{path} has a NUL character, which cannot be stored; remove it.")
    if not value.isascii():
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            raise InvalidInputError(
                f"{path} has a broken character (a lone surrogate); read the source as UTF-8."
            ) from None
    return str(value)


def _convert_mapping(value: dict[Any, Any], path: str) -> dict[str, Any]:
    converted = {_convert_key(k, path): _convert_value(v, f"{path}.{k}") for k, v in value.items()}
    if len(converted) < len(value):
        keys = [_convert_key(k, path) for k in value]
        duplicate = next(key for key in keys if keys.count(key) > 1)
        raise InvalidInputError(f"Two keys of {path} become the same text {duplicate!r}; rename one.")
    return converted


def _convert_float(value: float) -> float | str | None:
    if math.isnan(value):
        return None
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value


def _convert_key(key: Any, path: str) -> str:
    if isinstance(key, str):
        return require_storable_text(key, f"a key of {path}")
    converted = _convert_value(key, f"a key of {path}")
    if converted is None or isinstance(converted, (dict, list)):
        raise InvalidInputError(f"A key of {path} is {key!r}; keys must be text.")
    return str(converted).lower() if isinstance(converted, bool) else str(converted)


def _convert_other_type(value: Any, path: str) -> Any:
    if isinstance(value, enum.Enum):
        return _convert_value(value.value, path)
    if isinstance(value, str):
        return require_storable_text(str(value), path)
    if isinstance(value, dt.datetime):
        # NaT is an instance of datetime, and unequal to itself.
        return None if value != value else value.isoformat()
    if isinstance(value, (dt.date, dt.time)):
        return value.isoformat()
    if isinstance(value, dt.timedelta):
        return None if value != value else value.total_seconds()
    if isinstance(value, decimal.Decimal):
        return None if value.is_nan() else str(value)
    if isinstance(value, (uuid.UUID, PurePath)):
        return str(value)
    if isinstance(value, Mapping):
        return _convert_value(dict(value), path)
    if isinstance(value, Set):
        return sorted((_convert_value(v, path) for v in value), key=lambda v: (str(type(v)), str(v)))
    if isinstance(value, (bool, int, float)):
        return _convert_value(_to_builtin_scalar(value), path)
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    return _convert_foreign_scalar(value, path)


def _to_builtin_scalar(value: Any) -> Any:
    return next(base(value) for base in (bool, int, float) if isinstance(value, base))


def _convert_foreign_scalar(value: Any, path: str) -> Any:
    """Convert NumPy-like scalars and arrays by duck typing, without importing NumPy."""
    if hasattr(value, "dtype") and str(value.dtype).startswith(("datetime64", "timedelta64")):
        return None if value != value else str(value)
    for method in ("tolist", "item"):
        if hasattr(value, method):
            converted = getattr(value, method)()
            if type(converted) is not type(value):
                return _convert_value(converted, path)
    if isinstance(value, (list, tuple)):
        return _convert_value(list(value), path)
    raise InvalidInputError(
        f"{path} is a {type(value).__name__}, which has no JSON form; "
        "convert it to text, numbers, lists or dictionaries first."
    )


def iterate_texts(value: Any) -> Iterator[str]:
    """Yield the texts in plain data, at any depth; keys are left out."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from iterate_texts(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from iterate_texts(each)


def dumps(value: Any, *, indent: bool = False, sort_keys: bool = False) -> bytes:
    """Return plain data (see :func:`to_jsonable`) as UTF-8 JSON."""
    option = orjson.OPT_INDENT_2 if indent else 0
    return orjson.dumps(value, option=option | (orjson.OPT_SORT_KEYS if sort_keys else 0))


def loads(data: bytes | str) -> Any:
    """Parse JSON.

    Raises:
        ValueError: The text is not JSON; the message names line and column.
    """
    return orjson.loads(data)


def _needs_conversion(data: bytes) -> bool:
    """Return whether JSON may have a null value, or a NUL character, which not every store accepts."""
    # Called twice for each finding that is saved; find() takes half as long as "in" and less than a regex.
    index = data.find(b"null")
    while index >= 0:
        if data[index - 1] in _BEFORE_NULL or index == 0:
            return True
        index = data.find(b"null", index + 4)
    return data.find(b"\\u0000") >= 0


def loads_lenient(data: bytes) -> Any:
    """Parse JSON, including the bare NaN and infinities that version 0.7 wrote.

    NaN becomes None; infinities become the texts ``"Infinity"`` and ``"-Infinity"``.

    Raises:
        ValueError: The text is not JSON; the message names line and column.
    """
    try:
        return loads(data)
    except ValueError:
        if b"NaN" not in data and b"Infinity" not in data:
            raise
        return to_jsonable(json.loads(data))


def dumps_canonical(value: Any) -> bytes:
    """Return data as JSON with sorted keys, so that equal data gives equal bytes.

    Raises:
        InvalidInputError: A value has no JSON form, see :func:`to_jsonable`.
    """
    try:
        data = orjson.dumps(value, option=_SORTED_PASSTHROUGH_OPTIONS)
    except TypeError:
        data = b"null"
    if not _needs_conversion(data):
        return data
    return orjson.dumps(to_jsonable(value), option=orjson.OPT_SORT_KEYS)
