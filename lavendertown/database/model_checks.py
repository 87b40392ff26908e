"""Whether values may be written to an application's class: by its own annotations where it is a SQLModel."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import sqlalchemy as sa

from lavendertown.errors import InvalidInputError

Check = Callable[[Mapping[str, Any]], None]
"""Raises InvalidInputError naming every value that may not be written."""


def check_of(mapped: type, columns: Mapping[str, sa.Column[Any]]) -> Check:
    """Return the check of a class.

    A SQLModel that is a table skips pydantic's validation, so it is done here, before the write.
    """
    fields = getattr(mapped, "model_fields", None)
    if fields is not None:
        return _by_fields(mapped.__name__, fields)
    return _by_columns(mapped.__name__, columns)


def _by_fields(name: str, fields: Mapping[str, Any]) -> Check:
    from pydantic import BaseModel, ConfigDict, ValidationError, create_model

    class Base(BaseModel):
        model_config = ConfigDict(arbitrary_types_allowed=True)

    whole = {each: (found.annotation, found) for each, found in fields.items()}
    cache: dict[frozenset[str], Any] = {}

    def check(values: Mapping[str, Any]) -> None:
        given = frozenset(values.keys() & whole.keys())
        if given not in cache:
            chosen: Any = {each: whole[each] for each in whole if each in given}
            cache[given] = create_model(name, __base__=Base, **chosen)
        try:
            cache[given].model_validate({each: values[each] for each in given})
        except ValidationError as error:
            wrong = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
            raise InvalidInputError(f"{name} may not be saved: {wrong}.") from error

    return check


def _by_columns(name: str, columns: Mapping[str, sa.Column[Any]]) -> Check:
    def check(values: Mapping[str, Any]) -> None:
        wrong = [
            f"{each}: {why}" for each, value in values.items() if (why := _why_not(columns[each], value))
        ]
        if wrong:
            raise InvalidInputError(f"{name} may not be saved: {'; '.join(wrong)}.")

    return check


def _why_not(column: sa.Column[Any], value: Any) -> str | None:
    if value is None:
        chosen_elsewhere = column.default is not None or column.server_default is not None
        if column.nullable or column.primary_key or chosen_elsewhere:
            return None
        return "it must have a value"
    try:
        wanted = column.type.python_type
    except NotImplementedError:
        return None
    if not isinstance(value, wanted) and not (wanted is float and isinstance(value, int)):
        return f"{value!r} is no {wanted.__name__}"
    length = getattr(column.type, "length", None)
    if isinstance(value, str) and length is not None and len(value) > length:
        return f"it is longer than {length} characters"
    return None
