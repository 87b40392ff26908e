"""Values of the wrong type: numbers and dates kept as text, stray text among them, mixed cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import narwhals as nw

from lavendertown.detectors.base import Aggregates, Candidate, Detector, Examination, count, of_rows
from lavendertown.tables import Column, Table, patterns

_FEWEST = 3
_MOSTLY = 0.9
_SMALL = 50
_MOSTLY_IN_SMALL = 0.75
_KINDS = ("number", "text", "date", "yes/no", "nested")
_PLURAL = {"number": "numbers", "date": "dates", "yes/no": "yes/no values", "nested": "lists or objects"}


@dataclass(frozen=True)
class Types(Detector):
    """Values whose type is not what it should be; one finding a column at most.

    ``metadata["fault"]`` says which: ``stored_as_text``, ``stray`` or ``mixed``.
    """

    check: ClassVar[str] = "types"
    title: ClassVar[str] = "Types"

    def targets(self, table: Table) -> Sequence[Column | None]:
        """Text columns; the others have a type already."""
        return [column for column in table.schema if column.kind == "text"]

    def examine(self, table: Table, column: Column | None) -> Examination:
        """Find the rows whose values are of another type than most, or all, should they be text."""
        assert column is not None
        if column.kinds_key:
            return (yield from _mixed(table, column, column.kinds_key))
        value = nw.col(column.key)
        missing = value.str.contains(patterns.DISGUISED_NULL)
        first = yield Aggregates(
            {
                "present": value.count(),
                "missing": count(missing),
                "likely": count(value.str.contains(patterns.NUMBER_OR_DATE_START) & ~missing),
            }
        )
        values = int(first["present"]) - int(first["missing"] or 0)
        if values < _FEWEST or not _is_most(int(first["likely"] or 0), values):
            return None
        facts = yield Aggregates(
            {
                "number": count(value.str.contains(patterns.NUMBER)),
                "date": count(value.str.contains(patterns.DATE)),
                "code": count(value.str.contains(patterns.CODE)),
            }
        )
        return _judged(table, column, facts, values)


def _is_most(hits: int, values: int) -> bool:
    least = _MOSTLY_IN_SMALL if values <= _SMALL and values - hits <= 2 else _MOSTLY
    return hits >= least * values


def _judged(table: Table, column: Column, facts: Mapping[str, Any], values: int) -> Candidate | None:
    kind = "date" if int(facts["date"] or 0) > int(facts["number"] or 0) else "number"
    hits = int(facts[kind] or 0)
    if not _is_most(hits, values) or (kind == "number" and facts["code"]):
        return None
    value = nw.col(column.key)
    fits = value.str.contains(patterns.NUMBER if kind == "number" else patterns.DATE)
    if hits == values:
        return _stored_as_text(table, column, kind, hits, fits) if kind in column.declared else None
    stray = values - hits
    rows = ~value.is_null() & ~fits & ~value.str.contains(patterns.DISGUISED_NULL)
    return Candidate(
        "type",
        "warning",
        f"{column.name} holds {_PLURAL[kind]}, but {of_rows(stray, table.row_count)} "
        f"{'holds' if stray == 1 else 'hold'} something else.",
        stray,
        rows,
        sample=column.key,
        metadata={"fault": "stray", "expected": kind, "total_count": table.row_count},
    )


def _stored_as_text(table: Table, column: Column, kind: str, hits: int, fits: nw.Expr) -> Candidate:
    return Candidate(
        "type",
        "warning" if kind == "number" else "info",
        f"{column.name} holds {_PLURAL[kind]} stored as text: {of_rows(hits, table.row_count)}.",
        hits,
        fits,
        sample=column.key,
        metadata={"fault": "stored_as_text", "expected": kind, "total_count": table.row_count},
    )


def _mixed(table: Table, column: Column, kinds_key: str) -> Examination:
    kind, value = nw.col(kinds_key), nw.col(column.key)
    real = ~value.is_null() & ~value.str.contains(patterns.DISGUISED_NULL)
    facts = yield Aggregates(
        {"all": count(real), **{name: count(real & (kind == nw.lit(name))) for name in _KINDS}}
    )
    usual = max(_KINDS, key=lambda name: int(facts[name] or 0))
    odd = int(facts["all"] or 0) - int(facts[usual] or 0)
    if not odd:
        return None
    return Candidate(
        "type",
        "warning",
        f"{column.name} mixes kinds of values: most are {_PLURAL.get(usual, usual)}, but "
        f"{of_rows(odd, table.row_count)} {'is' if odd == 1 else 'are'} not.",
        odd,
        real & (kind != nw.lit(usual)),
        sample=column.key,
        metadata={
            "fault": "mixed",
            "expected": usual,
            "kinds": {name: int(facts[name]) for name in _KINDS if facts[name]},
            "total_count": table.row_count,
        },
    )
