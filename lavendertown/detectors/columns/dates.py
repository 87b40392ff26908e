"""Detect dates that lie far from the others, and dates with another zone, order or year than the others."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, ClassVar

import narwhals as nw

from lavendertown.detectors.base import (
    NOT_CHECKED,
    CountedValues,
    Detection,
    DetectionSteps,
    Detector,
    ValueCounts,
    format_row_share,
)
from lavendertown.detectors.columns.missing_zones import count_missing_zones, lacks_zone
from lavendertown.detectors.columns.stand_ins import count_days, day_of, find_date_stand_ins
from lavendertown.tables import Column, Table
from lavendertown.tables.inference import patterns

_MIN_VALUES = 30
_MAX_FAR_SHARE = 0.03
_MAX_OTHER_SHARE = 0.1
_YEAR = 365.25
_FUTURE_GAP, _FUTURE_STEPS = 0.15, 25
_MIN_FUTURE_DAYS = 60
_PAST_GAP, _MIN_PAST_DAYS = 1.5, 10 * _YEAR
_MAY_BE_LATER = re.compile(
    r"due|expir|valid|until|end|plan|target|deadline|matur|renew|termin|next", re.IGNORECASE
)
_PARTS = re.compile(r"\s*([0-9]{1,2})([./-])([0-9]{1,2})[./-]([0-9]{4}|[0-9]{2})(?![0-9])")
_NAMED_YEAR = re.compile(r"\s*[0-9]{1,2}[ -][A-Za-z]{3,9}\.?[ ,-]+([0-9]{4}|[0-9]{2})(?![0-9])")
_ZONE = re.compile(r"[0-9]:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?\s*(Z|UTC|[+-][0-9]{2}:?[0-9]{2})?\s*$")
_HIGHEST_MONTH = 12


@dataclass(frozen=True)
class Dates(Detector):
    """Dates that lie far outside the span of the others, or are written for another zone or order.

    A few dates are far if the gap to the others is longer than 1.5 times their span (in the past, and at
    least ten years), or much longer than any gap near the end (in the future, where due dates may lie). Of
    dates as text, those with a year of two digits, another zone, or a month where the others have the day are
    reported if they are few. In a column that was read as times with a zone, those without are reported.
    Formats as such are compared by :class:`~lavendertown.detectors.Types`.
    """

    check: ClassVar[str] = "dates"
    title: ClassVar[str] = "Dates"
    checks_values: ClassVar[bool] = True

    def columns_to_check(self, table: Table) -> Sequence[Column | None]:
        """Return the columns of dates, and of text, which may hold dates."""
        return [column for column in table.schema if column.kind in ("time", "text") and not column.kinds_key]

    def check_column(self, table: Table, column: Column | None) -> DetectionSteps:
        """Find the rows with a far or differently written date."""
        assert column is not None
        missing_zones = yield from count_missing_zones(column)
        if missing_zones:
            assert column.text_key is not None
            return _create_detection(
                table, column, column.text_key, "no_zone", lacks_zone(column), missing_zones
            )
        if table.row_count < _MIN_VALUES:
            return NOT_CHECKED
        text_key = column.key if column.kind == "text" else column.text_key
        if text_key is not None:
            written: CountedValues = yield ValueCounts(text_key)
            others, fault = _find_other_notations(written)
            if others:
                count = written.count_rows(others)
                rows = nw.col(text_key).is_in(sorted(others))
                return _create_detection(table, column, text_key, fault, rows, count)
        if column.kind != "time":
            return None if text_key is not None and _are_dates(written) else NOT_CHECKED
        days = yield from count_days(column)
        far = _find_far_days(column.name, days)
        if not far:
            return None
        return _create_detection(
            table, column, column.key, "far", day_of(column).is_in(far), sum(days[day] for day in far)
        )


_SENTENCES = {
    "far": "lies far from the other dates",
    "short_year": "has a year of two digits, unlike the others,",
    "zone": "has another time zone than the others",
    "no_zone": "has no time zone, unlike the others,",
    "order": "has day and month in another order than the others",
}


def _create_detection(
    table: Table, column: Column, key: str, fault: str, rows: nw.Expr, count: int
) -> Detection:
    return Detection(
        "date",
        "warning",
        f"{column.name} {_SENTENCES[fault]} in {format_row_share(count, table.row_count)}.",
        count,
        rows,
        sample_column=key,
        metadata={"fault": fault, "total_count": table.row_count},
    )


def _find_far_days(name: str, counts: Mapping[Any, int]) -> list[Any]:
    left_out = set(find_date_stand_ins(counts))
    days = {day.toordinal(): count for day, count in counts.items() if day not in left_out}
    total = sum(days.values())
    if total < _MIN_VALUES or len(days) < 3:
        return []
    ordered = sorted(days)
    low, high = _quantile(ordered, days, 0.05), _quantile(ordered, days, 0.95)
    most = max(3, _MAX_FAR_SHARE * total)
    last = _last_usual_day(name, ordered, days, high, max(high - low, 1), most)
    past = max(_PAST_GAP * (high - low), _MIN_PAST_DAYS)
    first = _first_usual_day(ordered, days, low, past, most)
    return [day for day in counts if day not in left_out and not first <= day.toordinal() <= last]


def _last_usual_day(
    name: str, ordered: Sequence[int], days: Mapping[int, int], high: int, span: int, most: float
) -> int:
    usual = [day for day in ordered if day <= high]
    steps = sorted(b - a for a, b in pairwise(usual[len(usual) // 2 :]))
    step = steps[int(0.95 * (len(steps) - 1))] if steps else span
    gap = max(_MIN_FUTURE_DAYS, _FUTURE_GAP * span, _FUTURE_STEPS * step)
    if _MAY_BE_LATER.search(name):
        gap = max(gap, 2 * span, 30 * _YEAR)
    elif len(usual) < _MIN_VALUES:
        gap = max(gap, 2 * span, _YEAR)
    later = [day for day in ordered if day >= high]
    for before, after in pairwise(later):
        if after - before > min(gap, 60 * _YEAR):
            return before if sum(days[day] for day in later if day > before) <= most else ordered[-1]
    return ordered[-1]


def _first_usual_day(
    ordered: Sequence[int], days: Mapping[int, int], low: int, gap: float, most: float
) -> int:
    earlier = [day for day in ordered if day <= low]
    for before, after in reversed(list(pairwise(earlier))):
        if after - before > gap:
            return after if sum(days[day] for day in earlier if day < after) <= most else ordered[0]
    return ordered[0]


def _quantile(ordered: Sequence[int], counts: Mapping[int, int], share: float) -> int:
    total, passed = sum(counts.values()), 0
    for value in ordered:
        passed += counts[value]
        if passed >= share * total:
            return value
    return ordered[-1]


def _are_dates(written: CountedValues) -> bool:
    dates = sum(count for value, count in written.by_value().items() if re.search(patterns.DATE, value))
    total = sum(written.counts)
    return total >= _MIN_VALUES and dates >= (1 - _MAX_OTHER_SHARE) * total


def _find_other_notations(written: CountedValues) -> tuple[list[str], str]:
    """Return the few dates that are written otherwise, and how."""
    if not _are_dates(written):
        return [], ""
    if others := _short_years(written):
        return others, "short_year"
    if others := _other_order(written):
        return others, "order"
    return _other_zones(written)


def _values_outside_largest_group(groups: Mapping[Any, list[str]], written: CountedValues) -> list[str]:
    """Return the values of all groups but the largest, if they are few."""
    counts = written.by_value()
    sizes = {key: sum(counts[value] for value in values) for key, values in groups.items()}
    usual = max(sizes, key=lambda key: sizes[key], default=None)
    few = sum(sizes.values()) - sizes.get(usual, 0)
    if not few or few > _MAX_OTHER_SHARE * sum(sizes.values()):
        return []
    return [value for key, values in groups.items() if key != usual for value in values]


def _short_years(written: CountedValues) -> list[str]:
    groups: dict[int, list[str]] = {}
    for value in written.values:
        match = _PARTS.match(value) or _NAMED_YEAR.match(value)
        if match:
            groups.setdefault(len(match.groups()[-1]), []).append(value)
    return _values_outside_largest_group(groups, written)


def _other_zones(written: CountedValues) -> tuple[list[str], str]:
    groups: dict[str, list[str]] = {}
    for value in written.values:
        match = _ZONE.search(value)
        if match:
            zone = (match.group(1) or "").replace(":", "")
            groups.setdefault("+0000" if zone in ("Z", "UTC", "-0000") else zone, []).append(value)
    others = _values_outside_largest_group(groups, written)
    if not others:
        return [], ""
    zones = [zone for zone in groups if zone]
    if "" in groups and groups[""][0] in others:
        return groups[""], "no_zone"
    # In summer, a place has another offset by one hour.
    minutes = sorted(int(zone[0] + "1") * (int(zone[1:3]) * 60 + int(zone[3:5])) for zone in zones)
    return ([], "") if minutes[-1] - minutes[0] <= 60 else (others, "zone")


def _other_order(written: CountedValues) -> list[str]:
    """Return dates such as 03/25/2024 among dates such as 25/03/2024."""
    groups: dict[str, list[str]] = {}
    for value in written.values:
        match = _PARTS.match(value)
        if match:
            first, second = int(match.group(1)), int(match.group(3))
            if max(first, second) > _HIGHEST_MONTH:
                groups.setdefault("day" if first > _HIGHEST_MONTH else "month", []).append(value)
    return _values_outside_largest_group(groups, written)
