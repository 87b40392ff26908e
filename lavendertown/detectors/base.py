"""What a detector is: it asks for aggregates, judges them, and says which rows are affected.

A detector never touches values. For each column it looks at, :meth:`Detector.examine` is a generator
that yields questions (:class:`Aggregates` or :class:`Count`), receives their answers, and returns a
:class:`Candidate`, None (all is well) or :data:`NOT_CHECKED`. The runner gathers the questions of
many detectors into one pass over the data, on whatever engine Narwhals speaks to.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import Enum
from typing import Any, ClassVar, Final, TypeAlias, TypeVar

import narwhals as nw

from lavendertown.tables import Column, Table

WHOLE_ROW = "*"
_MANY, _SOME = 0.5, 0.05
_INT64 = 2**63
_LONGEST = 120


@dataclass(frozen=True)
class Aggregates:
    """A question: the values of these expressions, each one value for the whole table."""

    expressions: Mapping[str, nw.Expr]


@dataclass(frozen=True)
class Count:
    """A question: how many rows fulfil this. It may look at other rows (a window)."""

    rows: nw.Expr


@dataclass(frozen=True)
class Candidate:
    """A fault that was found, before its rows are looked up.

    Attributes:
        ghost_type: One of ``models.GHOST_TYPES``.
        severity: info, warning or error.
        description: One sentence for people.
        count: Affected rows, exactly.
        rows: True on each affected row; None where no particular row is at fault.
        sample: The frame column that example values are taken from.
        metadata: More for the finding's metadata.
    """

    ghost_type: str
    severity: str
    description: str
    count: int
    rows: nw.Expr | None = None
    sample: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)


class NotChecked(Enum):
    """The verdict that a check has nothing to say on this column: neither passed nor failed."""

    NOT_CHECKED = "not checked"


NOT_CHECKED: Final = NotChecked.NOT_CHECKED

Verdict = TypeVar("Verdict")
Answers: TypeAlias = Generator[Aggregates | Count, Any, Verdict]
"""Asks questions, receives their answers, returns a verdict."""

Examination: TypeAlias = Answers[Candidate | NotChecked | None]


class Detector(ABC):
    """One check. Subclasses are frozen dataclasses whose fields are what a person may choose."""

    check: ClassVar[str]
    title: ClassVar[str]

    @property
    def params(self) -> dict[str, Any]:
        """What a person chose: the fields that differ from their defaults."""
        chosen = ((f.name, getattr(self, f.name), f.default) for f in fields(self))  # type: ignore[arg-type]
        return {name: value for name, value, default in chosen if value != default}

    def targets(self, table: Table) -> Sequence[Column | None]:
        """Return the columns to examine, each by itself; None stands for whole rows."""
        return table.schema

    @abstractmethod
    def examine(self, table: Table, column: Column | None) -> Examination:
        """Ask about one column (or whole rows) and judge the answers."""


def count(condition: nw.Expr) -> nw.Expr:
    """Return an aggregate: on how many rows the condition is true."""
    # Not condition.sum(): booleans do not add up on every engine.
    return nw.when(condition).then(nw.lit(1)).otherwise(nw.lit(0)).sum()


def severity_of_missing(share: float) -> str:
    """Return the severity of values that are missing in this share of the rows."""
    return "error" if share > _MANY else "warning" if share > _SOME else "info"


def shown(value: Any) -> Any:
    """Return a value of the data as an example for people: plain, without control signs, not long."""
    if isinstance(value, bool | float) or value is None:
        return value
    if isinstance(value, int) and abs(value) < _INT64:
        return value
    printable = "".join(sign if sign.isprintable() or sign in "\t\n" else "\ufffd" for sign in str(value))
    return printable if len(printable) <= _LONGEST else printable[: _LONGEST - 1] + "…"


def of_rows(affected: int, total: int) -> str:
    """Return a phrase such as ``41,188 of 1,204,318 rows (3.4 %)``."""
    return f"{affected:,} of {total:,} {'row' if total == 1 else 'rows'} ({percent(affected, total)})"


def percent(part: int, whole: int) -> str:
    """Return a share for people, such as ``3.4 %``; never 0 or 100 unless it is exactly that."""
    share = 100 * part / whole if whole else 0.0
    if 0 < share < 0.1:
        return "under 0.1 %"
    if 99.9 < share < 100:
        return "over 99.9 %"
    return f"{share:.1f}".removesuffix(".0") + " %"
