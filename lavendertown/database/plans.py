"""Statements that PostgreSQL keeps planned, so that it neither reads nor plans them again.

A third of what a small save costs the server is reading and planning the same statements. They are
given to it once a connection, by PREPARE, and named from then on.
"""

from __future__ import annotations

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
        self._dialect = connection.dialect
        self._keep = keep
        if _PLANS not in connection.info:
            connection.info[_PLANS] = _Known()
        self._known: _Known = connection.info[_PLANS]
        self._new: dict[str, str] = {}
        self._cursor: Any = connection.connection.cursor()

    def call(self, sql: str, values: Mapping[str, Any]) -> bytes:
        """Return the statement with its values, ready to be sent.

        Args:
            sql: With the driver's named parameters, each of which has but one type.
            values: By name.
        """
        known = self._known
        if not self._keep or not values or self._dialect in _without:
            whole: bytes = self._cursor.mogrify(sql, values)
            return whole
        name = known.names.get(sql) or self._new.get(sql)
        head, arguments = _split(sql)
        call: bytes = self._cursor.mogrify(arguments, {name: _short(values[name]) for name in values})
        if name is None:
            known.kept += 1
            name = self._new[sql] = f"lavendertown_{known.token}_{known.kept}"
            return f"PREPARE {name} AS {head};\nEXECUTE {name}".encode() + call
        return f"EXECUTE {name}".encode() + call

    def sent(self) -> None:
        """Remember what was called since, for it arrived."""
        self._known.names |= self._new
        self._new = {}


def give_up(dialect: Dialect) -> None:
    """Send whole statements to this engine's servers from now on: it is not the same one each time."""
    _without.add(dialect)


_without: weakref.WeakSet[Dialect] = weakref.WeakSet()


def _short(value: Any) -> Any:
    """Return a list as one text, which the server reads faster than an expression; all else as it is."""
    if type(value) is not list:
        return value
    texts = [f'"{each}"' if isinstance(each, str) else str(each) for each in value]
    made = "{" + ",".join(texts) + "}"
    quotes = 2 * sum(isinstance(each, str) for each in value)
    odd = "\\" in made or None in value or made.count('"') != quotes
    return value if odd else made


_parts: dict[str, tuple[str, str]] = {}


def _split(sql: str) -> tuple[str, str]:
    """Return a statement with numbered parameters, and what calls it with named ones."""
    if sql not in _parts:
        names = list(dict.fromkeys(_PARAMETER.findall(sql)))
        numbered = _PARAMETER.sub(lambda found: f"${names.index(found[1]) + 1}", sql).replace("%%", "%")
        arguments = ", ".join(f"%({name})s" for name in names)
        _parts[sql] = (numbered, f"({arguments})" if arguments else "")
    return _parts[sql]
