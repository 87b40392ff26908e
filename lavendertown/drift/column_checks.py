"""Checks of the values of a column against a baseline: numbers, categories and the range."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import narwhals as nw
import numpy as np
import polars as pl

from lavendertown.detectors.base import (
    NOT_CHECKED,
    CountedValues,
    Detection,
    DetectionSteps,
    Outcome,
    ValueCounts,
    format_percent,
    format_row_share,
    format_value,
)
from lavendertown.drift import numbers
from lavendertown.drift.baseline import TableBaseline, ValueShares, count_values
from lavendertown.drift.checks import DriftCheck, read_values, to_codes
from lavendertown.drift.effect_size import (
    DEFAULT_THRESHOLD,
    MIN_ROWS,
    Counts,
    Shift,
    measure_shift,
    rows_beyond_chance,
    smallest_notable_count,
)
from lavendertown.drift.segments import Bins, find_segment
from lavendertown.profile.measure import MAX_VALUE_LENGTH
from lavendertown.tables import Column, Table

_MAX_CATEGORIES = 200
_ROWS_PER_CATEGORY = 8
_LEAST_SHARE = 0.02
_MAX_NAMED = 3
_MAX_LISTED = 20
_MIN_EXCESS = 0.02
_MIN_INSIDE = 0.8
_SMALL, _LARGE = 0.01, 0.05
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True)
class _NumberComparison:
    """The numbers of a column on both sides.

    Attributes:
        before: The numbers before.
        values: The values now, by row.
        after: The finite numbers now.
        binned: Both sides in common bins.
        repetition: How many rows in a row tell as much as one.
        shift: How far the numbers have moved.
    """

    before: numbers.NumbersBefore
    values: pl.Series
    after: numbers.Numbers
    binned: numbers.BinnedNumbers
    repetition: float
    shift: Shift


@dataclass(frozen=True, eq=False)
class NumberCheck(DriftCheck):
    """A check of a column of quantities; labels, serial numbers, counters and times are left out.

    Attributes:
        threshold: The smallest population stability index that is reported as a shift of the distribution.
    """

    threshold: float = DEFAULT_THRESHOLD

    def columns_to_check(self, table: Table) -> Sequence[Column | None]:
        """Return the columns of quantities that are numbers on both sides."""
        return [
            column
            for column in super().columns_to_check(table)
            if column is not None and column.kind == "number" and not numbers.is_label(column.name)
        ]

    def check_column(self, table: Table, column: Column | None) -> DetectionSteps:
        """Compare the numbers of both sides."""
        assert column is not None
        if self.baseline.kind(column.name) != "number":
            return NOT_CHECKED
        values = yield from read_values(column)
        comparison = self.baseline.memo.recall(
            (table, column.name, "numbers"), lambda: self._compare(column.name, values)
        )
        if comparison is None:
            return NOT_CHECKED
        return self.judge(table, column, comparison)

    def _compare(self, name: str, values: pl.Series) -> _NumberComparison | None:
        before = numbers.read_numbers(self.baseline, name)
        after = numbers.to_numbers(values)
        if before is None or not len(after) or numbers.is_running_number(before, after):
            return None
        # Few values outside the range are left to its check, which has their rows.
        inside = after[(after >= before.low) & (after <= before.high)]
        compared = inside if len(inside) >= _MIN_INSIDE * len(after) else after
        binned = numbers.bin_numbers(before, compared)
        repetition = numbers.measure_repetition(before, after)
        shift = measure_shift(binned.before, binned.after, repetition)
        if shift is None:
            return None
        return _NumberComparison(before, values, after, binned, repetition, shift)

    @abstractmethod
    def judge(self, table: Table, column: Column, comparison: _NumberComparison) -> Outcome:
        """Return what the comparison means."""


class NumberDistribution(NumberCheck):
    """Numbers that are distributed in another way than before."""

    check: ClassVar[str] = "drift_distribution"
    title: ClassVar[str] = "Distribution of numbers"
    change_type: ClassVar[str] = "distribution"

    def judge(self, table: Table, column: Column, comparison: _NumberComparison) -> Outcome:
        """Report a shift that is large enough."""
        before, after, shift = comparison.before, comparison.after, comparison.shift
        if not shift.is_drift(self.threshold):
            return None
        segment = None
        if isinstance(self.baseline, TableBaseline):
            old, binned = self.baseline.values(column.name), comparison.binned
            rows = (_bins_by_row(binned, old), _bins_by_row(binned, comparison.values))
            segment = find_segment(self.baseline, table, column.name, rows, len(binned.before))
        quantiles = numbers.find_quantiles(after)
        description = numbers.describe_shift(column.name, before, after) + (
            segment.sentence if segment else ""
        )
        metadata = self.metadata(
            before.quantiles[2],
            quantiles[2],
            **shift.to_dict(),
            picture=numbers.make_picture(before, after),
            **({"explained_by": segment.to_dict()} if segment else {}),
        )
        return Detection("drift", shift.severity, description, 0, metadata=metadata)


def _bins_by_row(binned: numbers.BinnedNumbers, values: pl.Series) -> Bins:
    """Return the bin of each row; -1 for rows without a finite number."""
    found = values.cast(pl.Float64).fill_null(np.nan).to_numpy()
    return np.where(np.isfinite(found), binned.bin_of(np.nan_to_num(found)), -1)


class RangeDrift(NumberCheck):
    """More numbers outside the former range than chance explains; the distribution as a whole stayed."""

    check: ClassVar[str] = "drift_range"
    title: ClassVar[str] = "Range of numbers"
    change_type: ClassVar[str] = "numeric_range"

    def judge(self, table: Table, column: Column, comparison: _NumberComparison) -> Outcome:
        """Report the rows outside the former range."""
        before, after = comparison.before, comparison.after
        if comparison.shift.is_drift(self.threshold):
            return NOT_CHECKED  # the other check reports it
        margin = _MIN_EXCESS * (before.quantiles[-1] - before.quantiles[0])
        total = int(comparison.binned.before.sum())
        least = comparison.repetition * rows_beyond_chance(len(after) / (len(after) + total))
        high = int((after > before.high + margin).sum()) >= least
        low = int((after < before.low - margin).sum()) >= least
        if not (high or low):
            return None
        value = nw.col(column.key)
        conditions = ([value > before.high] if high else []) + ([value < before.low] if low else [])
        outside = (after > before.high) & high | (after < before.low) & low
        count = int(outside.sum())
        limits = [f"above the former maximum {numbers.format_number(before.high)}"] if high else []
        limits += [f"below the former minimum {numbers.format_number(before.low)}"] if low else []
        reach = [f"up to {numbers.format_number(float(after.max()))}"] if high else []
        reach += [f"down to {numbers.format_number(float(after.min()))}"] if low else []
        description = (
            f"{column.name} is {' or '.join(limits)} in {format_row_share(count, table.row_count)}, "
            f"{' and '.join(reach)}."
        )
        condition = conditions[0] if len(conditions) == 1 else conditions[0] | conditions[1]
        return Detection(
            "drift",
            "info" if count < _SMALL * table.row_count else "warning",
            description,
            count,
            condition & is_finite_expression(column),
            column.key,
            metadata=self.metadata(
                [before.low, before.high],
                [float(after.min()), float(after.max())],
                picture=numbers.make_picture(before, after),
            ),
        )


def is_finite_expression(column: Column) -> nw.Expr:
    """Return whether a number is neither missing nor infinite."""
    value = nw.col(column.key)
    return ~value.is_null() if column.integer else value.is_finite()


class CategoryCheck(DriftCheck):
    """A check of a column with few different values."""

    kinds: ClassVar[tuple[str, ...]] = ("text",)
    is_exact: ClassVar[bool] = True

    def columns_to_check(self, table: Table) -> Sequence[Column | None]:
        """Return the columns that may be categories."""
        return [
            column
            for column in super().columns_to_check(table)
            if column is not None and column.kind in self.kinds
        ]

    def check_column(self, table: Table, column: Column | None) -> DetectionSteps:
        """Compare the values of both sides."""
        assert column is not None
        if self.baseline.kind(column.name) != column.kind:
            return NOT_CHECKED
        before = self.baseline.memo.recall(
            (table, column.name, "values"), lambda: self.baseline.value_shares(column.name)
        )
        if before is None or not _is_category(before):
            return NOT_CHECKED
        values = yield from read_values(column)
        counted: CountedValues = yield ValueCounts(column.key)
        counts = {str(value): count for value, count in counted.by_value().items()}
        after = ValueShares(counts, 0, len(counts)) if counted.is_complete else count_values(values)
        if min(before.total, after.total) < MIN_ROWS:
            return NOT_CHECKED
        return self.compare_values(table, column, before, after, values)

    @abstractmethod
    def compare_values(
        self, table: Table, column: Column, before: ValueShares, after: ValueShares, values: pl.Series
    ) -> Outcome:
        """Return what the comparison means."""


def _is_category(values: ValueShares) -> bool:
    return values.distinct <= _MAX_CATEGORIES and values.distinct * _ROWS_PER_CATEGORY <= values.total


@dataclass(frozen=True, eq=False)
class CategoryShares(CategoryCheck):
    """Categories whose shares have changed; new and lost ones are left to checks of their own."""

    threshold: float = DEFAULT_THRESHOLD
    check: ClassVar[str] = "drift_category_shares"
    title: ClassVar[str] = "Shares of categories"
    change_type: ClassVar[str] = "category_shares"
    kinds: ClassVar[tuple[str, ...]] = ("text", "boolean")

    def compare_values(
        self, table: Table, column: Column, before: ValueShares, after: ValueShares, values: pl.Series
    ) -> Outcome:
        """Report a shift that is large enough."""
        names, old, new = _align(before, after)
        shift = measure_shift(old, new)
        if shift is None:
            return NOT_CHECKED
        if not shift.is_drift(self.threshold):
            return None
        segment = None
        if isinstance(self.baseline, TableBaseline):
            codes = _codes_of_known(self.baseline.values(column.name), names, before, after)
            rows = (codes, _codes_of_known(values, names, before, after))
            segment = find_segment(self.baseline, table, column.name, rows, len(names) + 1)
        description = _describe_shares(column.name, names, before, after) + (
            segment.sentence if segment else ""
        )
        shown = _most_frequent(names, before, after)
        picture = {
            "labels": [*map(format_value, shown), "other values"],
            "before": _counts_of(shown, before),
            "after": _counts_of(shown, after),
        }
        metadata = self.metadata(
            _to_shares(shown, before),
            _to_shares(shown, after),
            **shift.to_dict(),
            picture=picture,
            **({"explained_by": segment.to_dict()} if segment else {}),
        )
        return Detection("drift", shift.severity, description, 0, metadata=metadata)


def _align(before: ValueShares, after: ValueShares) -> tuple[list[str], Counts, Counts]:
    """Return the categories that both sides have, with their counts; rare ones and unknown ones come last."""
    total = before.total + after.total
    both = [value for value in before.counts if value in after.counts]
    common = [value for value in both if before.counts[value] + after.counts[value] >= _LEAST_SHARE * total]
    rare = [value for value in both if value not in set(common)]
    counts = []
    for side in (before, after):
        other = sum(side.counts[value] for value in rare)
        if before.other:  # The values of a profile that are not listed: everything else on this side.
            other = side.total - sum(side.counts[value] for value in common)
        counts.append(np.asarray([*(side.counts[value] for value in common), other], np.int64))
    return common, counts[0], counts[1]


def _codes_of_known(values: pl.Series, names: Sequence[str], before: ValueShares, after: ValueShares) -> Bins:
    """Return the category of each row; -1 for missing, new and lost values."""
    known = [*names, *(value for value in before.counts if value in after.counts and value not in set(names))]
    codes = to_codes(values, known, -1)
    return np.minimum(codes, len(names))


def _most_frequent(names: Sequence[str], before: ValueShares, after: ValueShares) -> list[str]:
    """Return up to 12 categories by their share on either side."""
    return sorted(names, key=lambda value: -max(_share(value, before), _share(value, after)))[:12]


def _share(value: str, side: ValueShares) -> float:
    return side.counts.get(value, 0) / max(1, side.total)


def _to_shares(names: Sequence[str], side: ValueShares) -> dict[str, float]:
    return {format_value(value): round(_share(value, side), 6) for value in names}


def _counts_of(names: Sequence[str], side: ValueShares) -> list[int]:
    counts = [side.counts.get(value, 0) for value in names]
    return [*counts, side.total - sum(counts)]


def _describe_shares(name: str, names: Sequence[str], before: ValueShares, after: ValueShares) -> str:
    moved = sorted(names, key=lambda value: -abs(_share(value, after) - _share(value, before)))[:2]
    parts = [
        f"{_quote(value)} is {format_percent(after.counts[value], after.total)} of the values, "
        f"was {format_percent(before.counts[value], before.total)}"
        for value in moved
    ]
    return f"{name}: {'; '.join(parts)}."


def _quote(value: str) -> str:
    return f"'{format_value(value)}'"


class NewCategories(CategoryCheck):
    """Values that the baseline does not have, in more rows than chance explains."""

    check: ClassVar[str] = "drift_new_categories"
    title: ClassVar[str] = "New categories"
    change_type: ClassVar[str] = "new_categories"

    def compare_values(
        self, table: Table, column: Column, before: ValueShares, after: ValueShares, values: pl.Series
    ) -> Outcome:
        """Report the rows with new values."""
        if before.other or not after.total:
            return NOT_CHECKED
        notable = _notable_only_in(after, before)
        if not notable:
            return None
        count = sum(notable.values())
        description = (
            f"{column.name} has {_count_of(notable, 'new value')} in "
            f"{format_row_share(count, table.row_count)}: {_list_values(notable)}."
        )
        part = count / after.total
        return Detection(
            "drift",
            "info" if part < _SMALL else "warning",
            description,
            count,
            nw.col(column.key).is_in(list(notable)),
            column.key,
            metadata=self.metadata(
                before.distinct,
                after.distinct,
                picture=_picture_of(notable, before, after),
            ),
        )


class LostCategories(CategoryCheck):
    """Values of the baseline that no row has any more, in more rows before than chance explains."""

    check: ClassVar[str] = "drift_lost_categories"
    title: ClassVar[str] = "Lost categories"
    change_type: ClassVar[str] = "lost_categories"

    def compare_values(
        self, table: Table, column: Column, before: ValueShares, after: ValueShares, values: pl.Series
    ) -> Outcome:
        """Report the values that are gone."""
        notable = _notable_only_in(before, after)
        if not notable:
            return None
        count = sum(notable.values())
        description = (
            f"{column.name} has lost {_count_of(notable, 'value')} that "
            f"{format_percent(count, before.total)} of the rows had before: {_list_values(notable)}."
        )
        return Detection(
            "drift",
            "warning" if count >= _LARGE * before.total else "info",
            description,
            0,
            metadata=self.metadata(
                before.distinct,
                after.distinct,
                samples=[format_value(value) for value in list(notable)[:_MAX_LISTED]],
                picture=_picture_of(notable, before, after),
            ),
        )


def _notable_only_in(side: ValueShares, other: ValueShares) -> dict[str, int]:
    """Return the values that only one side has, in more rows than chance explains."""
    found = _only_in(side, other)
    if not found:
        return {}
    share = side.total / (side.total + other.total)
    least = smallest_notable_count(list(found.values()), _pool(side, other), share)
    return {value: count for value, count in found.items() if least is not None and count >= least}


def _only_in(side: ValueShares, other: ValueShares) -> dict[str, int]:
    """Return the values that only one side has, without serial ones such as batch-12 after batch-11."""
    shapes = {_shape(value) for value in other.counts if _DIGITS.search(value)}
    return {
        value: count
        for value, count in side.counts.items()
        if value not in other.counts and _shape(value) not in shapes and len(value) < MAX_VALUE_LENGTH
    }


def _shape(value: str) -> str:
    return _DIGITS.sub("0", value)


def _pool(one: ValueShares, other: ValueShares) -> list[int]:
    values = {**one.counts, **other.counts}
    return [one.counts.get(value, 0) + other.counts.get(value, 0) for value in values]


def _count_of(values: Mapping[str, int], noun: str) -> str:
    return f"{len(values):,} {noun}{'' if len(values) == 1 else 's'}"


def _list_values(values: Mapping[str, int]) -> str:
    named = [_quote(value) for value in list(values)[:_MAX_NAMED]]
    return ", ".join(named) + (" and others" if len(values) > len(named) else "")


def _picture_of(notable: Mapping[str, int], before: ValueShares, after: ValueShares) -> dict[str, Any]:
    """Return the shares of the notable values, and of the most frequent other ones."""
    shown = list(notable)[:6]
    shown += [value for value in _most_frequent(list(before.counts), before, after) if value not in notable][
        :6
    ]
    return {
        "labels": [*map(format_value, shown), "other values"],
        "before": _counts_of(shown, before),
        "after": _counts_of(shown, after),
    }
