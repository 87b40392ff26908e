"""Detect keys that repeat: columns that identify nearly every row."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import narwhals as nw
import numpy as np
import polars as pl

from lavendertown.detectors.base import (
    NOT_CHECKED,
    Detection,
    DetectionSteps,
    Detector,
    NotCompared,
    Passed,
    QuerySteps,
    Result,
    Sample,
    Select,
    format_row_share,
    limit_columns,
)
from lavendertown.detectors.sampled_rows import (
    SampledRows,
    combine_codes,
    count_codes,
    count_pairs,
    share_of_pairs,
)
from lavendertown.tables import ROW, Column, Table
from lavendertown.tables.inference.column_names import is_identifier, is_unique_identifier

_MIN_ROWS = 30
_MIN_ROWS_BY_NAME = 100
_MIN_UNIQUE = 0.97
_MAX_COMBINED = 12
_MIN_EXPECTED = 10.0
_RARER_THAN_CHANCE = 5.0
_PARTLY_BY_CHANCE, _BY_CHANCE = 0.1, 0.4
_MAX_REPEATED_ROWS = 50_000
_MAX_KEY_LENGTH = 40
_MAX_PREFIX_SHARE = 0.1
_UUID = r"^[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$"


@dataclass(frozen=True)
class _Key:
    """Columns that may be a key.

    Attributes:
        columns: The columns.
        expected: The number of pairs of rows with the same value that chance would give.
    """

    columns: tuple[Column, ...]
    expected: float


@dataclass(frozen=True)
class Keys(Detector):
    """Rows with the same key as another row: one to three columns that identify at least 97% of the rows.

    A single column must be a number or code that comes first, or is known by its name or numbering. Two or
    three columns are a key if their values repeat far less than those of independent columns would. Exact
    copies of a row are left to the check for duplicates. Repetitions that chance partly explains are an info.
    """

    check: ClassVar[str] = "keys"
    title: ClassVar[str] = "Keys"

    def columns_to_check(self, table: Table) -> Sequence[Column | None]:
        """Return whole rows (None): a key may be any columns."""
        return [None] if len(table.schema) > 1 and table.row_count >= _MIN_ROWS else []

    def check_column(self, table: Table, column: Column | None) -> DetectionSteps:
        """Find the rows that share their key with another row."""
        sample: SampledRows = yield Sample()
        candidates = [each for each in table.schema if _may_be_key(each, sample)]
        exact = {c.key for c in candidates if _unique_share(sample, c) == 1.0}
        combined, left_out = _columns_to_combine(sample, candidates, exact)
        results: list[Result] = [*left_out]
        found: set[int] = set()
        for key in [*_single_keys(sample, candidates, exact), *_combined_keys(sample, combined)]:
            result = yield from _check_key(table, key, sample)
            if result is None or (isinstance(result, Detection) and found >= set(result.rows or ())):
                continue
            results.append(result)
            if isinstance(result, Detection):
                found |= set(result.rows or ())
        return results or NOT_CHECKED


def _may_be_key(column: Column, sample: SampledRows) -> bool:
    if column.text_key or column.kinds_key or column.errors_key:
        return False
    values = sample.frame[column.key]
    if values.null_count() > 0.1 * len(values):
        return False
    if column.kind == "text":
        return float(values.str.len_chars().mean() or 0.0) <= _MAX_KEY_LENGTH  # type: ignore[arg-type]
    return values.dtype in (pl.Date, pl.Datetime) or (column.kind == "number" and column.integer)


def _unique_share(sample: SampledRows, *columns: Column) -> float:
    counts = count_codes(combine_codes(*(sample.codes(column.key) for column in columns)))
    return len(counts) / max(1, int(counts.sum()))


def _single_keys(sample: SampledRows, candidates: Sequence[Column], exact: set[str]) -> Iterator[_Key]:
    for column in candidates:
        if _unique_share(sample, column) < _MIN_UNIQUE:
            continue
        size, are_numbered = _domain_size(sample.frame[column.key].drop_nulls(), column)
        if size is None:
            continue
        counts = count_codes(sample.codes(column.key))
        pairs, n = count_pairs(counts), float(counts.sum())
        expected = n * n / 2 / size
        is_numbered = are_numbered and expected >= _MIN_EXPECTED and pairs <= expected / _RARER_THAN_CHANCE
        is_label = is_identifier(column.name)
        is_named = is_unique_identifier(column.name) or (is_label and not exact - {column.key})
        is_first = column.position == 0
        if is_numbered and (is_label or is_named or is_first):
            yield _Key((column,), 0.0)
        elif column.kind != "time" and (is_first or is_named) and n >= _MIN_ROWS_BY_NAME:
            yield _Key((column,), expected)


def _domain_size(values: pl.Series, column: Column) -> tuple[float | None, bool]:
    """Return how many values the column can have, judged by those it has, and whether they are numbered.

    None for free text.
    """
    if column.kind == "number":
        return float(values.max()) - float(values.min()) + 1, True  # type: ignore[arg-type]
    if column.kind == "time":
        days = values.cast(pl.Date)
        if values.dtype != pl.Date and (values != days.cast(values.dtype)).any():
            return None, False
        return float((days.max() - days.min()).days + 1), True  # type: ignore[operator,union-attr]
    if values.str.contains(r"\s").mean() > 0.05 or values.str.contains("[0-9]").mean() < 0.9:  # type: ignore[operator]
        return None, False
    if values.str.contains(_UUID).all():
        return 2.0**122, False
    numbered = values.str.extract_groups(r"^(.*?)0*([0-9]{1,15})$").struct.unnest()
    few_prefixes = numbered.to_series(0).n_unique() <= max(1.0, _MAX_PREFIX_SHARE * len(values))
    if few_prefixes and not numbered.to_series(1).null_count():
        numbers = numbered.to_series(1).cast(pl.Int64)
        size = float(numbers.max() - numbers.min() + 1)  # type: ignore[operator]
        return size * numbered.to_series(0).n_unique(), True
    longest = int(values.str.len_chars().max())  # type: ignore[arg-type]
    letters = (values.str.slice(i, 1) for i in range(min(longest, _MAX_KEY_LENGTH)))
    return float(np.prod([float(each.n_unique()) for each in letters])), False


def _columns_to_combine(
    sample: SampledRows, candidates: Sequence[Column], exact: set[str]
) -> tuple[list[Column], list[NotCompared]]:
    """Return the columns with the most different values in their order, and those that are left out."""
    n = len(sample)
    if n < _MIN_ROWS_BY_NAME:
        return [], []
    usable = [
        column
        for column in candidates
        if column.key not in exact and 1 < len(count_codes(sample.codes(column.key))) < _MIN_UNIQUE * n
    ]
    by_distinct = sorted(usable, key=lambda c: -len(count_codes(sample.codes(c.key))))
    chosen, left_out = limit_columns(by_distinct, _MAX_COMBINED, "combined to keys of two or three")
    return sorted(chosen, key=lambda column: column.position), left_out


def _combined_keys(sample: SampledRows, usable: Sequence[Column]) -> Iterator[_Key]:
    n = len(sample)
    shares = {column.key: share_of_pairs(sample.codes(column.key)) for column in usable}
    unique: set[frozenset[str]] = set()
    for size in (2, 3):
        found = []
        for columns in itertools.combinations(usable, size):
            keys = frozenset(column.key for column in columns)
            if any(each < keys for each in unique):
                continue
            expected = n * n / 2 * float(np.prod([shares[column.key] for column in columns]))
            if expected < _MIN_EXPECTED:
                continue
            counts = count_codes(combine_codes(*(sample.codes(column.key) for column in columns)))
            if len(counts) < _MIN_UNIQUE * counts.sum() or counts.sum() < 0.9 * n:
                continue
            unique.add(keys)
            if _is_rarer(count_pairs(counts), expected):
                found.append((expected, columns))
        if found:
            _, columns = max(found, key=lambda pair: pair[0])
            yield _Key(columns, 0.0)
            return


def _is_rarer(pairs: float, expected: float) -> bool:
    """Return whether chance gives so few equal pairs at most once in a thousand times."""
    if pairs > expected / 3:
        return False
    chance = sum(
        math.exp(k * math.log(expected) - expected - math.lgamma(k + 1)) for k in range(int(pairs) + 1)
    )
    return chance < 0.001


def _check_key(table: Table, key: _Key, sample: SampledRows) -> QuerySteps[Detection | Passed | None]:
    """Return the rows that share the key; None if it identifies too few rows or chance explains them."""
    names = [column.name for column in key.columns]
    keys = [column.key for column in key.columns]
    if sample.is_complete and _unique_share(sample, *key.columns) == 1.0:
        return Passed(names)
    groups = yield Select(_count_repeated(keys))
    repeated, extra = int(groups["rows"][0] or 0), int(groups["extra"][0] or 0)
    if not repeated:
        return Passed(names)
    if extra > (1 - _MIN_UNIQUE) * table.row_count or repeated > _MAX_REPEATED_ROWS:
        return None
    hits = (yield Select(_select_repeated(keys))).to_polars()
    rows = _without_copies(hits, keys)
    if not rows:
        return Passed(names)
    expected = key.expected * (table.row_count / max(1, len(sample))) ** 2
    by_chance = expected > _PARTLY_BY_CHANCE * extra
    if by_chance and (key.columns[0].position > 0 or expected > _BY_CHANCE * extra):
        return None
    return _report_shared_key(table, key, rows, by_chance)


def _report_shared_key(table: Table, key: _Key, rows: list[int], by_chance: bool) -> Detection:
    names = [column.name for column in key.columns]
    others = table.row_count - len(rows)
    what = " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
    maybe = "; at this number of rows, chance may explain it" if by_chance else ""
    severity = "info" if by_chance else "error" if len(names) == 1 else "warning"
    return Detection(
        "duplicate",
        severity,
        f"{what} {'identifies' if len(names) == 1 else 'together identify'} {others:,} rows, but "
        f"{format_row_share(len(rows), table.row_count)} share it with another row{maybe}.",
        len(rows),
        metadata={"total_count": table.row_count},
        columns=names,
        rows=rows,
    )


Build = Callable[[nw.LazyFrame[Any]], nw.LazyFrame[Any]]


def _repeated_groups(frame: nw.LazyFrame[Any], keys: list[str]) -> nw.LazyFrame[Any]:
    grouped = frame.select(*keys).drop_nulls().group_by(*keys).agg(nw.len().alias("size"))
    return grouped.filter(nw.col("size") > 1)


def _count_repeated(keys: list[str]) -> Build:
    def build(frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        groups = _repeated_groups(frame, keys)
        return groups.select(rows=nw.col("size").sum(), extra=nw.col("size").sum() - nw.len())

    return build


def _select_repeated(keys: list[str]) -> Build:
    def build(frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        return frame.join(_repeated_groups(frame, keys).drop("size"), on=keys, how="inner").sort(ROW)

    return build


def _without_copies(hits: pl.DataFrame, keys: list[str]) -> list[int]:
    """Return the rows whose key another, different row has; of exact copies the first."""
    values = hits.drop(ROW)
    groups: defaultdict[tuple[Any, ...], dict[tuple[Any, ...], int]] = defaultdict(dict)
    for row, key, cells in zip(hits[ROW].to_list(), values.select(keys).rows(), values.rows(), strict=True):
        groups[key].setdefault(cells, row)
    return sorted(row for group in groups.values() if len(group) > 1 for row in group.values())
