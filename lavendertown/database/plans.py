"""Statements that PostgreSQL keeps planned, so that it neither reads nor plans them again.

A third of what a small save costs the server is reading and planning the same statements. They are
given to it once a connection, by PREPARE, and named from then on.
"""

from __future__ import annotations

import datetime as dt
import re
import secrets
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Dialect

_PLANS = "lavendertown_plans"
_PARAMETER = re.compile(r"%\((\w+)\)s")
LOST = ("26000", "0A000")
"""PostgreSQL's errors where a plan is not there, or no longer fits its tables."""


@dataclass
class _Known:
    """The plans of one connection.

    Attributes:
        names: By statement. They are like no other connection's: a pooler between us and the server
            may hand us another one at any time, and that must not mistake our plan for its own.
        kept: How many statements were ever given to the server.
    """

    names: dict[str, str] = field(default_factory=dict)
    token: str = field(default_factory=lambda: secrets.token_hex(6))
    kept: int = 0


class Plans:
    """Writes statements for one connection, and remembers which ones the server has planned.

    Args:
        connection: To PostgreSQL.
        keep: Whether statements are worth to be kept planned. Whoever says so tries again where a plan
            is lost, which is told as a race.
    """

    def __init__(self, connection: sa.Connection, *, keep: bool) -> None:
        self._keep = keep and connection.dialect not in _without
        if _PLANS not in connection.info:
            connection.info[_PLANS] = _Known()
        self._known: _Known = connection.info[_PLANS]
        self._new: dict[str, str] = {}
        self._cursor: Any = connection.connection.cursor()
        self._usual = _reads_as_written(self._cursor.connection)

    def call(self, sql: str, values: Mapping[str, Any]) -> bytes:
        """Return the statement with its values, ready to be sent.

        Args:
            sql: With the driver's named parameters, each of which has but one type.
            values: By name.
        """
        known = self._known
        if not self._keep or not values:
            whole: bytes = self._cursor.mogrify(sql, values)
            return whole
        plan = known.names.get(sql) or self._new.get(sql)
        head, names = _split(sql)
        call = f"({', '.join([self._literal(values[name]) for name in names])})"
        if plan is None:
            known.kept += 1
            plan = self._new[sql] = f"lavendertown_{known.token}_{known.kept}"
            return f"PREPARE {plan} AS {head};\nEXECUTE {plan}{call}".encode()
        return f"EXECUTE {plan}{call}".encode()

    def _literal(self, value: Any) -> str:
        """Return a value as SQL. The driver writes what is not usual; it takes ten times as long."""
        kind = type(value)
        if kind is list:
            value = _short(value)
            kind = type(value)
        if self._usual:
            if kind is str and "\0" not in value:
                escaped: str = value.replace("'", "''")
                return f"'{escaped}'"
            if value is None:
                return "NULL"
            if kind is int:
                return str(value)
            if kind is dt.datetime:
                return f"'{value.isoformat()}'"
        written: bytes = self._cursor.mogrify("%s", (value,))
        return written.decode()

    def sent(self) -> None:
        """Remember what was called since, for it arrived."""
        self._known.names |= self._new
        self._new = {}


def give_up(dialect: Dialect) -> None:
    """Send whole statements to this engine's servers from now on: it is not the same one each time."""
    _without.add(dialect)


_without: weakref.WeakSet[Dialect] = weakref.WeakSet()


def _reads_as_written(driver: Any) -> bool:
    """Tell whether the server reads text between quotes as it stands, backslashes included."""
    return bool(
        driver.encoding == "UTF8" and driver.get_parameter_status("standard_conforming_strings") == "on"
    )


def _short(value: list[Any]) -> Any:
    """Return a list as one text, which the server reads faster than an expression, if it can be one."""
    kinds = set(map(type, value))
    if all(issubclass(kind, str) for kind in kinds):
        made = '{"' + '","'.join(value) + '"}' if value else "{}"
        return value if "\\" in made or made.count('"') != 2 * len(value) else made
    if kinds == {int}:
        return "{" + ",".join(map(str, value)) + "}"
    return value


_parts: dict[str, tuple[str, list[str]]] = {}


def _split(sql: str) -> tuple[str, list[str]]:
    """Return a statement with numbered parameters, and their names in order."""
    if sql not in _parts:
        names = list(dict.fromkeys(_PARAMETER.findall(sql)))
        numbered = _PARAMETER.sub(lambda found: f"${names.index(found[1]) + 1}", sql).replace("%%", "%")
        _parts[sql] = (numbered, names)
    return _parts[sql]
