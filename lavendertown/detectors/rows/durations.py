"""Detect durations that are not the time between two dates: 5 days from 3 to 6 May."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

import narwhals as nw
import numpy as np

from lavendertown.detectors.base import (
    NOT_CHECKED,
    Aggregates,
    Detection,
    DetectionSteps,
    Detector,
    Passed,
    QuerySteps,
    Result,
    Sample,
    count_where,
    format_row_share,
    limit_columns,
)
from lavendertown.detectors.sampled_rows import SampledRows, to_seconds
from lavendertown.tables import Column, Table
from lavendertown.tables.inference.column_names import is_identifier

_MIN_ROWS = 30
_MAX_TIMES, _MAX_NUMBERS = 12, 24
_MIN_EXACT = 0.97
_MIN_DISTINCT = 5
_UNITS = {"days": 86_400, "hours": 3_600, "minutes": 60, "seconds": 1}


@dataclass(frozen=True)
class _Span:
    """``length`` is the time from start to end in a unit, plus ``added`` (1 if both days count)."""

    start: Column
    end: Column
    length: Column
    unit: str
    added: int


@dataclass(frozen=True)
class Durations(Detector):
    """Rows in which a number is not the time between two dates, as it is in at least 97% of the rows.

    Days, hours, minutes or seconds; the first and the last day may both count.
    """

    check: ClassVar[str] = "durations"
    title: ClassVar[str] = "Durations"

    def columns_to_check(self, table: Table) -> Sequence[Column | None]:
        """Return whole rows (None) if there are two columns of dates and one of numbers."""
        fits = len(_times(table)) > 1 and bool(_numbers(table)) and table.row_count >= _MIN_ROWS
        return [None] if fits else []

    def check_column(self, table: Table, column: Column | None) -> DetectionSteps:
        """Find the rows with a wrong duration."""
        sample: SampledRows = yield Sample()
        times, other_times = limit_columns(_times(table), _MAX_TIMES)
        numbers, other_numbers = limit_columns(_numbers(table), _MAX_NUMBERS)
        results: list[Result] = [*other_times, *other_numbers]
        for span in _propose_spans(times, numbers, sample):
            result = yield from _check_span(table, span)
            if result is not None:
                results.append(result)
        return results or NOT_CHECKED


def _times(table: Table) -> list[Column]:
    return [column for column in table.schema if column.kind == "time"]


def _numbers(table: Table) -> list[Column]:
    return [column for column in table.schema if column.kind == "number" and not is_identifier(column.name)]


def _propose_spans(
    times: Sequence[Column], numbers: Sequence[Column], sample: SampledRows
) -> Iterator[_Span]:
    seconds = {column.key: to_seconds(sample.frame[column.key]) for column in times}
    lengths = {column.key: sample.floats(column.key) for column in numbers}
    for start, end in itertools.permutations(times, 2):
        apart = seconds[end.key] - seconds[start.key]
        if not (np.isfinite(apart).any() and np.nanmedian(apart) > 0):
            continue
        for length, (unit, size), added in itertools.product(numbers, _UNITS.items(), (0, 1)):
            if added and unit != "days":
                continue
            given = lengths[length.key]
            present = np.isfinite(apart) & np.isfinite(given)
            if present.sum() < _MIN_ROWS:
                continue
            right = np.abs(apart[present] / size + added - given[present]) < 1e-6
            if right.mean() >= _MIN_EXACT and len(np.unique(given[present])) >= _MIN_DISTINCT:
                yield _Span(start, end, length, unit, added)


def _check_span(table: Table, span: _Span) -> QuerySteps[Detection | Passed | None]:
    microseconds = _microseconds_between(table, span.start.key, span.end.key)
    size = nw.lit(_UNITS[span.unit] * 1e6)
    length = nw.col(span.length.key).cast(nw.Float64)
    wrong = (microseconds / size + nw.lit(float(span.added)) - length).abs() > nw.lit(1e-6)
    facts = yield Aggregates({"wrong": count_where(wrong), "right": count_where(~wrong)})
    count, right = int(facts["wrong"] or 0), int(facts["right"] or 0)
    names = [span.start.name, span.end.name, span.length.name]
    if not count:
        return Passed(names)
    if count > (1 - _MIN_EXACT) * (count + right):
        return None
    counted = ", the first one counted" if span.added else ""
    return Detection(
        "dependency",
        "error",
        f"{span.length.name} is the number of {span.unit} from {span.start.name} to {span.end.name}"
        f"{counted}, but not in {format_row_share(count, table.row_count)}.",
        count,
        wrong,
        sample_column=span.length.key,
        metadata={"fault": "wrong_duration", "total_count": table.row_count},
        columns=names,
    )


def _microseconds_between(table: Table, start: str, end: str) -> nw.Expr:
    if table.engine.name == "pyspark":  # It has no lengths of time, but times are seconds there.
        first, last = (nw.col(key).cast(nw.Datetime("us", "UTC")).cast(nw.Float64) for key in (start, end))
        return (last - first) * nw.lit(1e6)
    first, last = (nw.col(key).cast(nw.Datetime("us")) for key in (start, end))
    return (last - first).dt.total_microseconds().cast(nw.Float64)
