"""Detect numbers far outside the usual range of their column."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import narwhals as nw
import numpy as np

from lavendertown.detectors.base import (
    NOT_CHECKED,
    Aggregates,
    ColumnAggregates,
    Detection,
    DetectionSteps,
    Detector,
    QuerySteps,
    RowCounts,
    Sample,
    Select,
    count_where,
    format_row_share,
)
from lavendertown.detectors.columns.stand_ins import find_number_stand_ins
from lavendertown.detectors.numbers import usual_range
from lavendertown.detectors.numbers.unit_mix import find_unit_mix
from lavendertown.detectors.sampled_rows import SampledRows
from lavendertown.tables import Column, Table
from lavendertown.tables.inference import patterns
from lavendertown.tables.inference.column_names import is_count, is_label, is_never_negative

_SHARE = "\x00"
"""Stands in a description for the number of affected rows; no column name contains it."""

_MIN_VALUES = 8
_MIN_OTHER_VALUES = 20
_MIN_NUMBER_SHARE = 0.9
_MAX_OUTLIER_SHARE = 0.01
_MAX_ODD_SHARE, _FEW = 0.03, 3.0
_MAX_ODD_NEGATIVE = 0.002
_TAIL_SHARE, _MIN_TAIL = 0.04, 30
_MIN_FOR_GAPS = 60
_UNUSUAL_GAP = 5.0
_SKEWED = 1.5
_HEAVY = 3.5
"""How many interquartile ranges lie between the 5th and the 95th percentile; 2.4 of a normal distribution."""

_YEARS = (1800.0, 2100.0)


@dataclass(frozen=True)
class Outliers(Detector):
    """Numbers more than ``k`` spreads outside the quartiles of their column.

    Identifiers, codes, years and coordinates are skipped. Skewed columns are transformed to a symmetric
    scale, on which only numbers past a gap are outside. A value that most rows share is excluded before the
    range is computed. If more than 1% of the values are outside, extreme values are normal for the column
    and nothing is reported. Numbers that stand for a missing value (-999) are left to the check of
    placeholders.

    Reported instead, with ``metadata["fault"]``, are up to 6% of numbers in another unit (``unit``), negative
    ages, prices and counts (``sign``), and fractions among counts (``fraction``).

    Attributes:
        k: The allowed distance from the quartiles, in spreads: interquartile ranges, widened for heavy
            tails.
    """

    check: ClassVar[str] = "outliers"
    title: ClassVar[str] = "Outliers"
    checks_values: ClassVar[bool] = True
    k: float = 3.0

    def columns_to_check(self, table: Table) -> Sequence[Column | None]:
        """Return the number columns, and the text columns, which may contain numbers unless set to text."""
        is_text = {name for name, chosen in table.reading.types.items() if chosen == "text"}
        kinds = ("number", "text")
        fits = [column for column in table.schema if column.kind in kinds and column.name not in is_text]
        return [column for column in fits if not is_label(column.name)]

    def check_column(self, table: Table, column: Column | None) -> DetectionSteps:
        """Find the rows with numbers outside the usual range."""
        assert column is not None
        value = nw.col(column.key).cast(nw.Float64)
        if column.kind == "text":
            if not (yield from _are_numbers(column)):
                return NOT_CHECKED
            value = _parse_numbers(column)
        elif stand_ins := (yield from find_number_stand_ins(table, column)):
            value = nw.when(~value.is_in(stand_ins)).then(value)
        if column.kind == "text" or stand_ins:
            facts = yield _query_distribution(value)
        else:
            facts = yield ColumnAggregates(column.key, _query_distribution)
        if int(facts["n"]) < _MIN_VALUES or (yield from _are_labels(table, column, facts)):
            return NOT_CHECKED
        special = yield from _check_units_and_signs(table, column, value, facts)
        if special is not None:
            return special
        usual, considered = usual_range.compute_bounds(facts, int(facts["n"]), self.k), value
        if usual is None:
            considered = nw.when(value != nw.lit(float(facts["median"]))).then(value)
            facts = yield _query_distribution(considered)
            if int(facts["n"]) < _MIN_OTHER_VALUES:
                return NOT_CHECKED
            usual = usual_range.compute_bounds(facts, int(facts["n"]), self.k)
        if usual is None:
            return NOT_CHECKED
        if int(facts["n"]) >= _MIN_FOR_GAPS and (usual.scale != "linear" or _is_skewed(facts)):
            upper = yield from _widen_to_gap(considered, usual.upper, facts["q3"], facts)
            usual = replace(usual, upper=upper)
        if usual.lower <= float(facts["min"]) and float(facts["max"]) <= usual.upper:
            return None
        if int(facts["n"]) >= _MIN_FOR_GAPS and usual.scale == "linear" and _has_heavy_tails(facts):
            usual = yield from _widen_both_sides(considered, usual, facts)
        rows = _outside_bounds(considered, usual, facts)
        far = nw.when(rows).then(considered)
        answer = yield Aggregates(
            {"count": count_where(rows), "present": value.count(), "least": far.min(), "most": far.max()}
        )
        count, present = int(answer["count"] or 0), int(answer["present"])
        if count > max(_MAX_OUTLIER_SHARE * present, min(3.0, present / _MIN_VALUES)):
            return NOT_CHECKED
        return _create_detection(table, column, {**facts, **answer}, usual, self.k, rows) if count else None


def _query_distribution(number: nw.Expr) -> Aggregates:
    value = number.cast(nw.Float64)
    counts = {
        "n": value.count(),
        "whole": count_where(value == value.round(0)),
        "negative": count_where(value < 0),
        "min": value.min(),
        "max": value.max(),
    }
    return Aggregates(counts, usual_range.list_quantiles(value))


def _outside_bounds(value: nw.Expr, usual: usual_range.Bounds, facts: Mapping[str, Any]) -> nw.Expr:
    low = value < nw.lit(usual.lower)
    if usual.scale != "linear":
        # Zero is not on a root or log scale: it means "none", not "unusually few". Neither are negative
        # numbers: they are judged on the linear scale; if there are several, they are refunds or the like.
        negative = (value < nw.lit(0.0)) & (value < nw.lit(usual.below_zero))
        low = low & (value > nw.lit(0.0))
        if int(facts["negative"] or 0) <= max(1.0, _MAX_ODD_NEGATIVE * int(facts["n"])):
            low = low | negative
    return low | (value > nw.lit(usual.upper))


def _check_units_and_signs(
    table: Table, column: Column, value: nw.Expr, facts: Mapping[str, Any]
) -> QuerySteps[Detection | None]:
    """Check for numbers in another unit, with an impossible sign, and for fractions of things."""
    n, negative = int(facts["n"]), int(facts["negative"] or 0)
    fractions = n - int(facts["whole"] or 0)
    most_odd = max(_FEW, _MAX_ODD_SHARE * n)
    if n < _MIN_OTHER_VALUES:
        return None
    if 0 < negative <= most_odd and float(facts["q05"]) >= 0 and is_never_negative(column.name):
        return _report_odd(
            table, column, value < nw.lit(0.0), negative, "sign", f"{column.name} is below zero in {_SHARE}."
        )
    if column.kind == "number":
        sample: SampledRows = yield Sample()
        mix = find_unit_mix(sample.floats(column.key), column.name)
        if mix is not None:
            rows = value > nw.lit(mix.limit) if mix.above else value < nw.lit(mix.limit)
            answer = yield Aggregates({"count": count_where(rows)})
            sentence = f"{column.name} seems to be in another unit in {_SHARE} ({mix.unit} than most)."
            if "times" not in mix.unit:
                sentence = f"{column.name} seems to be in {mix.unit} in {_SHARE}, unlike most."
            return _report_odd(table, column, rows, int(answer["count"] or 0), "unit", sentence)
    if 0 < fractions <= most_odd and is_count(column.name):
        sentence = f"{column.name} has whole numbers, except in {_SHARE}."
        return _report_odd(table, column, value != value.round(0), fractions, "fraction", sentence)
    return None


def _report_odd(
    table: Table, column: Column, rows: nw.Expr, count: int, fault: str, sentence: str
) -> Detection | None:
    if not count:
        return None
    total = table.row_count
    return Detection(
        "outlier",
        "warning",
        sentence.replace(_SHARE, format_row_share(count, total)),
        count,
        rows,
        sample_column=column.key,
        metadata={
            "fault": fault,
            "outlier_count": count,
            "total_count": total,
            "outlier_percentage": count / total,
        },
    )


def _is_skewed(facts: Mapping[str, Any]) -> bool:
    low, middle, high = (float(facts[name]) for name in ("q05", "median", "q95"))
    return high - middle > _SKEWED * (middle - low)


def _has_heavy_tails(facts: Mapping[str, Any]) -> bool:
    """Return whether the numbers are spread as profits are, far more than normally distributed ones."""
    low, high, q1, q3 = (float(facts[name]) for name in ("q05", "q95", "q1", "q3"))
    return high - low >= _HEAVY * (q3 - q1)


def _widen_both_sides(
    value: nw.Expr, usual: usual_range.Bounds, facts: Mapping[str, Any]
) -> QuerySteps[usual_range.Bounds]:
    """Return the range up to a gap on both sides: amounts such as profits have a heavy tail on each."""
    upper = yield from _widen_to_gap(value, usual.upper, facts["q3"], facts)
    mirrored = {"n": facts["n"], "median": -float(facts["median"])}
    lower = yield from _widen_to_gap(nw.lit(0.0) - value, -usual.lower, -float(facts["q1"]), mirrored)
    return replace(usual, lower=-lower, upper=upper)


def _widen_to_gap(
    value: nw.Expr, limit: float, quartile: float, facts: Mapping[str, Any]
) -> QuerySteps[float]:
    """Return the limit up to a gap that a power tail does not have, if the largest numbers form one.

    In such a tail the logarithms of neighbouring distances from the median, the i-th and the next largest,
    differ by about 1 / (i × exponent).
    """
    number = max(_MIN_TAIL, int(_TAIL_SHARE * int(facts["n"])))
    hits = yield Select(
        lambda frame: (
            frame.select(value.alias("value"))
            .filter(nw.col("value") > float(quartile))
            .sort("value", descending=True)
            .head(number)
        )
    )
    largest = hits["value"].to_numpy().astype(float)
    base = float(facts["median"])
    outside = int((largest > limit).sum())
    if not outside or outside >= len(largest) / 2 or not np.isfinite(largest[0]):
        return limit
    logs = np.log(largest - base)
    gaps = (logs[:-1] - logs[1:]) * np.arange(1, len(logs))
    usual_gap = float(gaps[outside:].mean())
    wide = np.flatnonzero(gaps[:outside] >= (_UNUSUAL_GAP + math.log(outside)) * usual_gap)
    last = largest[wide.max() + 1] if len(wide) else largest[0]
    return max(limit, float(last))


def _are_numbers(column: Column) -> QuerySteps[bool]:
    first = yield RowCounts(column.key, _list_text_facts)
    values = int(first["present"]) - int(first["missing"] or 0)
    if not values or int(first["likely"] or 0) < _MIN_NUMBER_SHARE * values:
        return False
    facts = yield RowCounts(column.key, _count_number_texts)
    return not facts["codes"] and int(facts["numbers"] or 0) >= _MIN_NUMBER_SHARE * values


def _list_text_facts(value: nw.Expr) -> dict[str, nw.Expr]:
    return {
        "present": ~value.is_null(),
        "likely": value.str.contains(patterns.NUMBER_OR_DATE_START),
        "missing": value.str.contains(patterns.DISGUISED_NULL),
    }


def _count_number_texts(value: nw.Expr) -> dict[str, nw.Expr]:
    return {
        "numbers": value.str.contains(patterns.PLAIN_NUMBER),
        "codes": value.str.contains(patterns.CODE),
    }


def _parse_numbers(column: Column) -> nw.Expr:
    value = nw.col(column.key)
    # Select numbers before the cast: engines refuse to cast other text.
    number = nw.when(value.str.contains(patterns.PLAIN_NUMBER)).then(value)
    return number.str.strip_chars().str.replace_all(r"^\+", "").cast(nw.Float64)


def _are_labels(table: Table, column: Column, facts: Mapping[str, Any]) -> QuerySteps[bool]:
    """Return whether integers are years or unique row numbers rather than quantities."""
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
    value = nw.col(column.key)
    answer = yield Aggregates({"different": value.n_unique(), "present": value.count()})
    # Null counts as a value.
    return int(answer["different"]) - (int(answer["present"]) < table.row_count) == n


def _create_detection(
    table: Table,
    column: Column,
    facts: Mapping[str, Any],
    usual: usual_range.Bounds,
    k: float,
    rows: nw.Expr,
) -> Detection:
    total, count = table.row_count, int(facts["count"])
    q1, q3 = float(facts["q1"]), float(facts["q3"])
    far = _farthest_value(facts, usual)
    return Detection(
        "outlier",
        "warning",
        f"{column.name} has outliers in {format_row_share(count, total)}: most values "
        f"are between {_format_number(facts['q05'])} and {_format_number(facts['q95'])}, the most extreme is "
        f"{_format_number(far)}.",
        count,
        rows,
        sample_column=column.key,
        metadata={
            "outlier_count": count,
            "total_count": total,
            "outlier_percentage": count / total,
            "lower_bound": usual.lower,
            "upper_bound": usual.upper,
            "q1": q1,
            "q3": q3,
            "iqr": q3 - q1,
            "iqr_multiplier": k,
            "scale": usual.scale,
        },
    )


def _farthest_value(facts: Mapping[str, Any], usual: usual_range.Bounds) -> float:
    least, most = float(facts["least"]), float(facts["most"])
    return most if most - usual.upper >= usual.lower - least else least


def _format_number(number: Any) -> str:
    value = float(number)
    if not abs(value) < 1e15 or 0 < abs(value) < 1:
        return f"{value:.3g}"
    return f"{int(value):,}" if value == int(value) else f"{value:,.2f}"
