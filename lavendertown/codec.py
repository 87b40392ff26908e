"""The one JSON door: everything that is stored or exported as JSON passes here.

Written JSON is strict (no bare NaN) and means the same on every backend. Scalars of NumPy and
pandas become plain Python values, times become ISO 8601 text, NaN and NaT become null. What has no
plain form is refused by the path of the value, before anything is written.
"""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import json
import math
import uuid
from collections.abc import Mapping, Set
from pathlib import PurePath
from typing import Any

import orjson

from lavendertown.errors import InvalidInputError

_INT64 = 2**63
_BEFORE_NULL = b":,["
# Refuses integers of more than 53 bits, so that those are looked at one by one.
_AS_IS = (
    orjson.OPT_PASSTHROUGH_DATETIME
    | orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_PASSTHROUGH_SUBCLASS
    | orjson.OPT_STRICT_INTEGER
)
_AS_IS_SORTED = _AS_IS | orjson.OPT_SORT_KEYS


def plain(value: Any, where: str = "value") -> Any:
    """Return ``value`` as plain JSON data: dict, list, str, int, float, bool or None.

    Mappings keep their order and get text keys; sets become sorted lists; tuples become lists.
    NaN, NaT and pandas' NA become None; infinities become the texts ``"Infinity"`` and
    ``"-Infinity"``. Times are written as ISO 8601 text.

    Args:
        value: Anything a caller put into metadata, parameters and the like.
        where: The value's path, for the error message.

    Raises:
        InvalidInputError: The value has no plain form, a text has a NUL character or a lone
            surrogate, or an integer does not fit into 64 bits.
    """
    try:
        data = orjson.dumps(value, option=_AS_IS)
    except TypeError:
        data = b"null"
    # Most of what comes is plain already; null may have been NaN or an infinity, so that one is looked at.
    if not _may_be_odd(data):
        return orjson.loads(data)
    try:
        return _plain(value, where)
    except RecursionError:
        raise InvalidInputError(
            f"{where} is nested too deeply or contains itself; flatten it first."
        ) from None


def _plain(value: Any, where: str) -> Any:
    kind = type(value)
    if kind is str:
        return text(value, where)
    if value is None or kind is bool:
        return value
    if kind is int:
        if -_INT64 <= value < _INT64:
            return value
        raise InvalidInputError(f"{where} is the number {value}, which does not fit into 64 bits.")
    if kind is float:
        return _float(value)
    if kind is dict:
        return _object(value, where)
    if kind is list or kind is tuple:
        return [_plain(v, f"{where}[{i}]") for i, v in enumerate(value)]
    return _unusual(value, where)


def text(value: str, where: str = "value") -> str:
    """Return ``value`` if every backend can keep it.

    Raises:
        InvalidInputError: It has a NUL character or a lone surrogate, which PostgreSQL refuses.
    """
    if "\x00" in value:
        raise InvalidInputError(f"{where} has a NUL character, which cannot be stored; remove it.")
    if not value.isascii():
        try:
            value.encode("utf-8")
        except UnicodeEncodeError:
            raise InvalidInputError(
                f"{where} has a broken character (a lone surrogate); read the source as UTF-8."
            ) from None
    return str(value)


def _object(value: dict[Any, Any], where: str) -> dict[str, Any]:
    made = {_key(k, where): _plain(v, f"{where}.{k}") for k, v in value.items()}
    if len(made) < len(value):
        names = [_key(k, where) for k in value]
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidInputError(f"Two keys of {where} become the same text {twice!r}; rename one.")
    return made


def _float(value: float) -> float | str | None:
    if math.isnan(value):
        return None
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value


def _key(key: Any, where: str) -> str:
    if isinstance(key, str):
        return text(key, f"a key of {where}")
    made = _plain(key, f"a key of {where}")
    if made is None or isinstance(made, (dict, list)):
        raise InvalidInputError(f"A key of {where} is {key!r}; keys must be text.")
    return str(made).lower() if isinstance(made, bool) else str(made)


def _unusual(value: Any, where: str) -> Any:
    if isinstance(value, enum.Enum):
        return _plain(value.value, where)
    if isinstance(value, str):
        return text(str(value), where)
    if isinstance(value, dt.datetime):
        # NaT is a datetime by class, and unequal to itself.
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
        return _plain(dict(value), where)
    if isinstance(value, Set):
        return sorted((_plain(v, where) for v in value), key=lambda v: (str(type(v)), str(v)))
    if isinstance(value, (bool, int, float)):
        return _plain(_base_scalar(value), where)
    if type(value).__name__ in ("NAType", "NaTType"):
        return None
    return _foreign(value, where)


def _base_scalar(value: Any) -> Any:
    return next(base(value) for base in (bool, int, float) if isinstance(value, base))


def _foreign(value: Any, where: str) -> Any:
    """NumPy and its kin, told by their methods so that none of them need be imported."""
    if hasattr(value, "dtype") and str(value.dtype).startswith(("datetime64", "timedelta64")):
        return None if value != value else str(value)
    for method in ("tolist", "item"):
        if hasattr(value, method):
            made = getattr(value, method)()
            if type(made) is not type(value):
                return _plain(made, where)
    if isinstance(value, (list, tuple)):
        return _plain(list(value), where)
    raise InvalidInputError(
        f"{where} is a {type(value).__name__}, which has no plain form; "
        "turn it into text, numbers, lists or dictionaries first."
    )


def dumps(value: Any, *, indent: bool = False, sort_keys: bool = False) -> bytes:
    """Write plain data (see :func:`plain`) as UTF-8 JSON."""
    option = orjson.OPT_INDENT_2 if indent else 0
    return orjson.dumps(value, option=option | (orjson.OPT_SORT_KEYS if sort_keys else 0))


def loads(data: bytes | str) -> Any:
    """Read JSON.

    Raises:
        ValueError: The text is not JSON; the message names line and column.
    """
    return orjson.loads(data)


def _may_be_odd(data: bytes) -> bool:
    """Tell whether JSON has a null, or a NUL, which not every store keeps."""
    # Asked twice for each finding that is saved; find() takes half as long as "in" and less than a pattern.
    found = data.find(b"null")
    while found >= 0:
        if data[found - 1] in _BEFORE_NULL or found == 0:
            return True
        found = data.find(b"null", found + 4)
    return data.find(b"\\u0000") >= 0


def loads_old(data: bytes) -> Any:
    """Read JSON, also with the bare NaN and infinities that 0.7 wrote; they become plain values.

    Raises:
        ValueError: The text is not JSON; the message names line and column.
    """
    try:
        return loads(data)
    except ValueError:
        if b"NaN" not in data and b"Infinity" not in data:
            raise
        return plain(json.loads(data))


def canonical(value: Any) -> bytes:
    """Write plain data with sorted keys: equal data gives equal bytes."""
    try:
        data = orjson.dumps(value, option=_AS_IS_SORTED)
    except TypeError:
        data = b"null"
    if not _may_be_odd(data):
        return data
    return orjson.dumps(plain(value), option=orjson.OPT_SORT_KEYS)
