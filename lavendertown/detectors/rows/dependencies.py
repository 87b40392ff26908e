"""Detect values that contradict another column: a zip code with the wrong city."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import narwhals as nw
import numpy as np

from lavendertown.detectors.base import (
    NOT_CHECKED,
    Detection,
    DetectionSteps,
    Detector,
    Passed,
    QuerySteps,
    Result,
    Sample,
    Select,
    format_row_share,
    limit_columns,
)
from lavendertown.detectors.columns.stand_ins import is_disguised_null
from lavendertown.detectors.sampled_rows import Codes, SampledRows, count_codes
from lavendertown.tables import ROW, Column, Table
from lavendertown.tables.inference.column_names import is_calendar

_MIN_ROWS = 50
_MAX_COLUMNS = 40
_MAX_ERROR = 0.02
_MAX_OF_CHANCE = 0.1
"""The largest error, as a part of the error that shuffled values would have."""

_QUICK_ROWS = 2_000
_QUICK_ERROR = 0.06
_MIN_MAJORITY_ROWS = 3
_MIN_MAJORITY = 0.8
_MAX_UNCLEAR = 0.35
_MIN_ERROR_OF_CHANCE = 0.1
_MAX_VALUE_LENGTH = 60
_MIN_FOR_SPREAD = 8
_MAX_LEVELS = 50
_MAX_GROUPS = 100_000


@dataclass(eq=False)
class _Pair:
    """A column and one that it determines, with the rows that deviate."""

    one: Column
    other: Column
    rows: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Dependencies(Detector):
    """Rows that deviate where one column determines another, such as a zip code its city.

    One column determines another if at most 2% of the rows do not have the most frequent value of their
    group, and if shuffled values would deviate far more often. Only rows of groups with a clear majority
    are reported. Rows that contradict several columns are reported once, with the column they have in
    common.
    """

    check: ClassVar[str] = "dependencies"
    title: ClassVar[str] = "Dependencies"

    def columns_to_check(self, table: Table) -> Sequence[Column | None]:
        """Return whole rows (None): every pair of columns may depend."""
        return [None] if len(table.schema) > 1 and table.row_count >= _MIN_ROWS else []

    def check_column(self, table: Table, column: Column | None) -> DetectionSteps:
        """Find the rows that deviate from what another column determines."""
        sample: SampledRows = yield Sample()
        columns, left_out = limit_columns(_choose_columns(table, sample), _MAX_COLUMNS)
        results: list[Result] = [*left_out]
        broken = []
        for one, other in _propose_pairs(columns, sample):
            pair = yield from _check_pair(_Pair(one, other))
            if pair is None:
                continue
            if pair.rows:
                broken.append(pair)
            else:
                results.append(Passed([one.name, other.name]))
        return [
            *(_report_deviating_rows(table, pair) for pair in _merge_pairs(broken)),
            *results,
        ] or NOT_CHECKED


def _choose_columns(table: Table, sample: SampledRows) -> list[Column]:
    """Return the columns whose values repeat, those with the most different values first."""
    chosen = []
    for column in table.schema:
        if column.kinds_key or column.errors_key or column.kind == "other":
            continue
        counts = count_codes(sample.codes(column.key))
        if len(counts) < 2 or len(counts) > 0.5 * counts.sum() or counts.sum() < 0.5 * len(sample):
            continue
        if column.kind == "text" and _is_long(sample, column):
            continue
        chosen.append((len(counts), column))
    return [column for _, column in sorted(chosen, key=lambda pair: -pair[0])]


def _is_long(sample: SampledRows, column: Column) -> bool:
    mean = sample.frame[column.key].str.len_chars().mean()
    return isinstance(mean, float) and mean > _MAX_VALUE_LENGTH


def _propose_pairs(columns: Sequence[Column], sample: SampledRows) -> list[tuple[Column, Column]]:
    step = -(-len(sample) // _QUICK_ROWS)
    order = np.random.default_rng(0).permutation(len(sample))
    pairs = []
    for one in columns:
        for other in columns:
            if one is other or not _may_determine(one, other, sample):
                continue
            a, b = sample.codes(one.key), sample.codes(other.key)
            both = (a >= 0) & (b >= 0)
            if step > 1:
                quick = both[::step]
                if _share_deviating(a[::step][quick], b[::step][quick]) > _QUICK_ERROR:
                    continue
            a, b = a[both], b[both]
            if len(a) < max(_MIN_ROWS, len(sample) // 2):
                continue
            error = _share_deviating(a, b)
            if error > _MAX_ERROR:
                continue
            shuffled = b[np.argsort(order[both], kind="stable")]
            if (
                error
                <= _MAX_OF_CHANCE * _share_deviating(a, shuffled)
                >= _MAX_OF_CHANCE * _MIN_ERROR_OF_CHANCE
            ):
                pairs.append((one, other))
    return pairs


def _may_determine(one: Column, other: Column, sample: SampledRows) -> bool:
    """Return whether a dependency would mean something: amounts and dates determine others by chance only."""
    if one.kind == "time":
        return other.kind != "number" or is_calendar(other.name)
    if one.kind != "number":
        return True
    if len(count_codes(sample.codes(one.key))) <= _MAX_LEVELS:
        return True
    values = sample.floats(one.key)
    return bool((values[np.isfinite(values)] % 1 == 0).all())


def _share_deviating(a: Codes, b: Codes) -> float:
    """Return the share of rows without the most frequent value of their group."""
    if not len(a):
        return 1.0
    width = int(b.max()) + 1
    pairs, counts = np.unique(a * width + b, return_counts=True)
    most = np.zeros(int(a.max()) + 1, dtype=np.int64)
    np.maximum.at(most, pairs // width, counts)
    return 1.0 - float(most.sum()) / len(a)


def _check_pair(pair: _Pair) -> QuerySteps[_Pair | None]:
    """Return the pair with the rows that deviate; None if too many do, or if the majority is not clear."""
    one, other = pair.one.key, pair.other.key
    grouped = yield Select(_select_pair_counts(one, other))
    if len(grouped) > _MAX_GROUPS:
        return None
    groups: defaultdict[Any, list[tuple[int, Any]]] = defaultdict(list)
    for first, second, count in grouped.rows():
        if not (_is_missing(first) or _is_missing(second)):
            groups[first].append((int(count), second))
    total = sum(count for group in groups.values() for count, _ in group)
    odd: list[tuple[Any, Any]] = []
    deviating = unclear = clear_groups = 0
    for first, group in groups.items():
        most, usual = max(group, key=lambda each: each[0])
        others = sum(count for count, _ in group) - most
        clear_groups += most >= _MIN_MAJORITY_ROWS
        deviating += others
        if others and not _is_clear(most, others):
            unclear += others
        elif others:
            odd += [(first, second) for _, second in group if second != usual]
    if deviating > _MAX_ERROR * total or unclear > _MAX_UNCLEAR * deviating or clear_groups < 2:
        return None
    if _is_uneven(groups.values(), deviating / total):
        return None
    if not odd:
        return None if deviating else pair
    firsts = sorted({first for first, _ in odd})
    hits = yield Select(
        lambda frame: frame.filter(nw.col(one).is_in(firsts)).select(ROW, one, other).sort(ROW)
    )
    wrong = set(odd)
    pair.rows = [row for row, first, second in hits.rows() if (first, second) in wrong]
    return pair


def _is_missing(value: Any) -> bool:
    """Return whether a value is text such as N/A, which determines nothing; another check reports it."""
    return isinstance(value, str) and is_disguised_null(value)


def _is_clear(most: int, others: int) -> bool:
    if others == 1:
        return most > 1
    return most >= _MIN_MAJORITY * (most + others)


def _is_uneven(groups: Iterable[Sequence[tuple[int, Any]]], share: float) -> bool:
    """Return whether the rows that deviate pile up in some groups: their value is ambiguous, not wrong."""
    sizes = [(sum(count for count, _ in group), max(count for count, _ in group)) for group in groups]
    large = [(size, most) for size, most in sizes if size >= _MIN_MAJORITY_ROWS]
    deviating = sum(size - most for size, most in large)
    if deviating < _MIN_FOR_SPREAD or len(large) < 3:
        return False
    squares = sum((size - most - share * size) ** 2 / (share * size) for size, most in large)
    freedom = len(large) - 1
    return squares > freedom + 4 * math.sqrt(2 * freedom * (1 + 1 / (2 * share * len(large))))


def _select_pair_counts(one: str, other: str) -> Callable[[nw.LazyFrame[Any]], nw.LazyFrame[Any]]:
    def build(frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        grouped = frame.select(one, other).drop_nulls().group_by(one, other).agg(nw.len().alias("size"))
        return grouped.sort(one, other).head(_MAX_GROUPS + 1)

    return build


def _merge_pairs(pairs: Sequence[_Pair]) -> list[_Pair]:
    """Return a pair for each set of rows: that of the column which most of the pairs have in common."""
    merged = []
    remaining = sorted(pairs, key=lambda pair: -len(pair.rows))
    while remaining:
        largest = set(remaining[0].rows)
        same = [pair for pair in remaining if len(largest & set(pair.rows)) >= 0.8 * len(pair.rows)]
        remaining = [pair for pair in remaining if pair not in same]
        named = Counter(column.key for pair in same for column in (pair.one, pair.other))
        close = [pair for pair in same if len(pair.rows) >= 0.9 * len(largest)]
        merged.append(
            max(close, key=lambda pair: (named[pair.other.key], named[pair.one.key], -pair.one.position))
        )
    return merged


def _report_deviating_rows(table: Table, pair: _Pair) -> Detection:
    count, one, other = len(pair.rows), pair.one.name, pair.other.name
    return Detection(
        "dependency",
        "warning",
        f"{one} determines {other}, but {format_row_share(count, table.row_count)} "
        f"{'has' if count == 1 else 'have'} another {other} than all others with the same {one}.",
        count,
        metadata={"fault": "deviates", "total_count": table.row_count},
        columns=[one, other],
        rows=pair.rows,
    )
