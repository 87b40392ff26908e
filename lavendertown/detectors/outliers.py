"""Numbers far outside the usual range of their column."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import narwhals as nw

from lavendertown.detectors import spread
from lavendertown.detectors.base import (
    NOT_CHECKED,
    Aggregates,
    Answers,
    Candidate,
    Detector,
    Examination,
    count,
    of_rows,
)
from lavendertown.detectors.names import is_calendar, is_coordinate, is_identifier
from lavendertown.tables import Column, Table, patterns

_FEWEST = 8
_FEWEST_BESIDE = 20
_MOSTLY_NUMBERS = 0.9
_RARE = 0.01
_YEARS = (1800.0, 2100.0)


@dataclass(frozen=True)
class Outliers(Detector):
    """Numbers that lie ``k`` spreads beyond the middle half of their column.

    Identifiers, codes, years and coordinates are left out. Skewed columns are judged on a scale that
    makes them even, a value that most rows share is set aside first, and where more than 1 % of a
    column is far out, that is how the column is: nothing is said.

    Attributes:
        k: How many spreads (interquartile ranges, for an even column) beyond the quartiles.
    """

    check: ClassVar[str] = "outliers"
    title: ClassVar[str] = "Outliers"
    k: float = 3.0

    def targets(self, table: Table) -> Sequence[Column | None]:
        """Columns of numbers, and of text that may turn out to be numbers."""
        fits = [column for column in table.schema if column.kind in ("number", "text")]
        labels = (is_identifier, is_calendar, is_coordinate)
        return [column for column in fits if not any(is_label(column.name) for is_label in labels)]

    def examine(self, table: Table, column: Column | None) -> Examination:
        """Find the rows with unusual numbers."""
        assert column is not None
        value = nw.col(column.key).cast(nw.Float64)
        if column.kind == "text":
            if not (yield from _are_numbers(column)):
                return NOT_CHECKED
            value = _read(column)
        facts = yield Aggregates(_facts(value))
        if int(facts["n"]) < _FEWEST or (yield from _are_labels(column, facts)):
            return NOT_CHECKED
        usual, considered = spread.bounds(facts, int(facts["n"]), self.k), value
        if usual is None:
            considered = nw.when(value != nw.lit(float(facts["median"]))).then(value)
            facts = yield Aggregates(_facts(considered))
            if int(facts["n"]) < _FEWEST_BESIDE:
                return NOT_CHECKED
            usual = spread.bounds(facts, int(facts["n"]), self.k)
        if usual is None:
            return NOT_CHECKED
        rows = _unusual(considered, usual)
        far = nw.when(rows).then(considered)
        answer = yield Aggregates(
            {"found": count(rows), "present": value.count(), "least": far.min(), "most": far.max()}
        )
        found, present = int(answer["found"] or 0), int(answer["present"])
        if found > max(_RARE * present, min(3.0, present / _FEWEST)):
            return NOT_CHECKED
        return _candidate(table, column, {**facts, **answer}, usual, self.k, rows) if found else None


def _facts(value: nw.Expr) -> dict[str, nw.Expr]:
    return {
        "n": value.count(),
        "whole": count(value == value.round(0)),
        **spread.quantiles(value),
    }


def _unusual(value: nw.Expr, usual: spread.Bounds) -> nw.Expr:
    low = value < nw.lit(usual.lower)
    if usual.scale != "linear":
        # Zero has no place on a scale of roots or logs; it says "none", not "unusually few".
        low = low & (value != nw.lit(0.0))
    return low | (value > nw.lit(usual.upper))


def _are_numbers(column: Column) -> Answers[bool]:
    value = nw.col(column.key)
    first = yield Aggregates(
        {
            "present": value.count(),
            "likely": count(value.str.contains(patterns.NUMBER_OR_DATE_START)),
            "missing": count(value.str.contains(patterns.DISGUISED_NULL)),
        }
    )
    values = int(first["present"]) - int(first["missing"] or 0)
    if not values or int(first["likely"] or 0) < _MOSTLY_NUMBERS * values:
        return False
    facts = yield Aggregates(
        {
            "numbers": count(value.str.contains(patterns.PLAIN_NUMBER)),
            "codes": count(value.str.contains(patterns.CODE)),
        }
    )
    return not facts["codes"] and int(facts["numbers"] or 0) >= _MOSTLY_NUMBERS * values


def _read(column: Column) -> nw.Expr:
    value = nw.col(column.key)
    # The inner choice comes before the cast: engines refuse to cast what is no number.
    number = nw.when(value.str.contains(patterns.PLAIN_NUMBER)).then(value)
    return number.str.strip_chars().str.replace(r"^\+", "").cast(nw.Float64)


def _are_labels(column: Column, facts: Mapping[str, Any]) -> Answers[bool]:
    """Tell whether whole numbers are years, or count the rows up."""
    n = int(facts["n"])
    if int(facts["whole"] or 0) < n:
        return False
    if (
        _YEARS[0] <= float(facts["q05"])
        and float(facts["q95"]) <= _YEARS[1]
        and float(facts["q05"]) < float(facts["q95"])
    ):
        return True
    if column.kind != "number" or float(facts["q3"]) - float(facts["q1"]) > n:
        return False
    answer = yield Aggregates({"different": nw.col(column.key).drop_nulls().n_unique()})
    return int(answer["different"]) == n


def _candidate(
    table: Table,
    column: Column,
    facts: Mapping[str, Any],
    usual: spread.Bounds,
    k: float,
    rows: nw.Expr,
) -> Candidate:
    total, found = table.row_count, int(facts["found"])
    q1, q3 = float(facts["q1"]), float(facts["q3"])
    far = _farthest(facts, usual)
    return Candidate(
        "outlier",
        "warning",
        f"{column.name} lies far outside its usual range in {of_rows(found, total)}: most values are "
        f"between {_shown(facts['q05'])} and {_shown(facts['q95'])}, the farthest is {_shown(far)}.",
        found,
        rows,
        sample=column.key,
        metadata={
            "outlier_count": found,
            "total_count": total,
            "outlier_percentage": found / total,
            "lower_bound": usual.lower,
            "upper_bound": usual.upper,
            "q1": q1,
            "q3": q3,
            "iqr": q3 - q1,
            "iqr_multiplier": k,
            "scale": usual.scale,
        },
    )


def _farthest(facts: Mapping[str, Any], usual: spread.Bounds) -> float:
    least, most = float(facts["least"]), float(facts["most"])
    return most if most - usual.upper >= usual.lower - least else least


def _shown(number: Any) -> str:
    value = float(number)
    if not abs(value) < 1e15 or 0 < abs(value) < 1:
        return f"{value:.3g}"
    return f"{int(value):,}" if value == int(value) else f"{value:,.2f}"
