"""Choose what explains a finding, from its evidence. The dashboard and the exported page draw it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lavendertown.profile.evidence import ColumnProfile, FindingSamples, Histogram, ValueCount, divide_rows

MAX_VALUES = 6
_MIN_SHOWN_SHARE = 0.5
"""The share of the affected rows from which on their frequent values say more than the distribution."""

_MIN_ROWS = 20
"""The number of rows from which on it is shown where values are missing, not only how many."""

_DECIMAL_COMMA = re.compile(r",(?=[0-9]{1,2}$|[0-9]{4,}$)")
"""A comma that cannot separate thousands: values are as the file has them."""


@dataclass(frozen=True)
class ValueBars:
    """Values with their counts.

    Attributes:
        caption: What the values are.
        values: At most :data:`MAX_VALUES`.
        affected: Whether the finding affects each value.
    """

    caption: str
    values: Sequence[ValueCount]
    affected: Sequence[bool]


@dataclass(frozen=True)
class MarkedHistogram:
    """The distribution of a column, or its cells along the rows of the table.

    Attributes:
        profile: The column.
        histogram: Its distribution, or the numbers of rows in successive parts of the table.
        marked: How many values of each bin the finding affects; zeros if not all affected values are known.
        is_by_row: Whether the bins are parts of the table, from one row number to another.
    """

    profile: ColumnProfile
    histogram: Histogram
    marked: list[int]
    is_by_row: bool = False

    @property
    def caption(self) -> str:
        """The title above the chart."""
        return "Missing values along the rows" if self.is_by_row else "Distribution of the column"

    @property
    def is_time(self) -> bool:
        """Whether the edges of the bins are times."""
        return self.profile.kind == "time" and not self.is_by_row

    def describe_distribution(self, edges: Sequence[str]) -> str:
        """Return the text alternative, given the edges of the bins as text."""
        if self.is_by_row:
            most, name = max(self.marked), self.profile.name
            return (
                f"{sum(self.marked):,} missing values of {name} in rows {edges[0]} to {edges[-1]}, at most "
                f"{most:,} of {max(self.histogram.counts):,} rows, from row {edges[self.marked.index(most)]}"
            )
        text = f"Distribution of {self.profile.name} from {edges[0]} to {edges[-1]}"
        below, above = self.histogram.below, self.histogram.above
        text += f", with {below:,} values below and {above:,} above" if below or above else ""
        return text + (f", {sum(self.marked):,} of them affected" if any(self.marked) else "")


def choose_chart(
    profile: ColumnProfile | None,
    samples: FindingSamples | None,
    ghost_type: str,
    row_count: int | None,
    metadata: Mapping[str, Any],
    first_row: int = 1,
) -> ValueBars | MarkedHistogram | None:
    """Return what explains a finding; None if the evidence has nothing to draw.

    Args:
        profile: The column of the finding.
        samples: The samples of the finding.
        ghost_type: The type of the finding.
        row_count: The number of affected rows; None if unknown.
        metadata: The metadata of the finding; those of imported reports can have any values.
        first_row: The number that the source counts for the row at position 0.
    """
    frequent = samples.frequent if samples is not None else []
    if profile is not None and ghost_type == "null" and 0 < profile.nulls < profile.count:
        if samples is not None and (by_row := _place_missing(profile, samples.rows_by_part, first_row)):
            return by_row
        counted = [ValueCount("missing", profile.nulls), ValueCount("present", profile.count - profile.nulls)]
        return _make_bars("Cells of the column", counted, [True, False])
    if profile is not None and (spellings := _count_spellings(profile, frequent, metadata)):
        values, usual = zip(*spellings, strict=True)
        return _make_bars("Spellings", values, [not each for each in usual])
    histogram = profile.histogram if profile is not None else None
    has_bins = histogram is not None and len(histogram.counts) > 1
    if len(frequent) > 1 and frequent[0].count > 1:
        shown = sum(each.count for each in frequent)
        if not has_bins or shown >= _MIN_SHOWN_SHARE * (row_count or 0):
            return _make_bars("Most frequent affected values", frequent, [True] * len(frequent))
    if profile is None:
        return None
    if histogram is not None and has_bins:
        return MarkedHistogram(
            profile, histogram, _count_affected_by_bin(profile, histogram, frequent, row_count)
        )
    if profile.top and profile.top[0].count > 1:
        # All rows with the value are affected, not only some as of a repeated key.
        affected = [each in frequent for each in profile.top]
        return _make_bars("Most frequent values of the column", profile.top, affected)
    return None


def _place_missing(profile: ColumnProfile, missing: Sequence[int], first_row: int) -> MarkedHistogram | None:
    """Return the missing cells in each part of the table; None for a small table, or if they are unknown."""
    parts = divide_rows(profile.count)
    if profile.count < _MIN_ROWS or len(missing) != len(parts):
        return None
    # All bins are equally wide, also the last, in which there may be fewer rows.
    histogram = Histogram(float(first_row), float(first_row + parts[0] * len(parts)), parts)
    marked = [min(count, rows) for count, rows in zip(missing, parts, strict=True)]
    return MarkedHistogram(profile, histogram, marked, is_by_row=True)


def _make_bars(caption: str, values: Sequence[ValueCount], affected: Sequence[bool]) -> ValueBars:
    return ValueBars(caption, values[:MAX_VALUES], affected[:MAX_VALUES])


def _count_spellings(
    profile: ColumnProfile, frequent: Sequence[ValueCount], metadata: Mapping[str, Any]
) -> list[tuple[ValueCount, bool]]:
    """Return each usual spelling with its count and its variants, and whether it is the usual one."""
    stored = metadata.get("spellings")
    usual = {each.value: each for each in profile.top}
    counted: list[tuple[ValueCount, bool]] = []
    if not isinstance(stored, Mapping):
        return counted
    for name in dict.fromkeys(map(str, stored.values())):
        variants = [each for each in frequent if stored.get(each.value) == name]
        if name in usual and variants:
            counted += [(usual[name], True), *((each, False) for each in variants)]
    return counted


def _count_affected_by_bin(
    profile: ColumnProfile, histogram: Histogram, frequent: Sequence[ValueCount], row_count: int | None
) -> list[int]:
    counts = [0] * len(histogram.counts)
    width = (histogram.end - histogram.start) / len(counts)
    if profile.kind != "number" or width <= 0 or sum(each.count for each in frequent) != row_count:
        return counts
    for each in frequent:
        number = _to_number(each.value)
        if number is not None and histogram.start <= number <= histogram.end:
            place = min(int((number - histogram.start) / width), len(counts) - 1)
            counts[place] = min(counts[place] + each.count, histogram.counts[place])
    return counts


def _to_number(text: str) -> float | None:
    try:
        number = float(_DECIMAL_COMMA.sub(".", text))
    except ValueError:
        return None
    return number if math.isfinite(number) else None
