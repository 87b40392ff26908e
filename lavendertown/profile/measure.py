"""Measure a table: profile its columns and take samples of its findings."""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain, islice
from typing import Any

import numpy as np

from lavendertown.core import clock
from lavendertown.core.findings import GhostFinding, finding_columns
from lavendertown.profile.evidence import (
    MAX_SAMPLES,
    ColumnProfile,
    Evidence,
    FindingSamples,
    Histogram,
    SampleRow,
    Value,
    ValueCount,
    divide_rows,
)
from lavendertown.profile.figures import ColumnFigures, LazyColumn, MemoryColumn, NumberFigures
from lavendertown.tables import Table
from lavendertown.tables.inference.column_names import is_identifier
from lavendertown.tables.table import IN_MEMORY, Column

MAX_BINS = 30
MAX_TOP_VALUES = 20
MAX_FREQUENT_VALUES = 6
COUNTED_ROWS = 5_000
"""The number of affected rows in which the most frequent values are counted."""

MAX_SHOWN_COLUMNS = 6
"""The number of columns in the samples of a finding that affects whole rows."""

MAX_VALUE_LENGTH = 200
MAX_PROFILED_COLUMNS = 500
"""Only the first columns of a wide table have profiles: more would not fit the limit of size."""

_SHORT_TABLE_ROWS = 1_000
_PERCENTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_NEARLY_UNIQUE = 0.95
_FAR = 3.0
"""The bins of a histogram end this many interquartile ranges outside the quartiles."""


def measure_table(table: Table, findings: Sequence[GhostFinding], key: Sequence[str] = ()) -> Evidence:
    """Return the evidence of a table: the profiles of its columns, and samples of its findings.

    Args:
        table: The table.
        findings: The findings; their samples are named by their positions, see :meth:`Evidence.named`.
        key: The columns that identify a row; see :func:`suggest_key` for the default.
    """
    profiles = [_profile_column(table, column) for column in table.schema[:MAX_PROFILED_COLUMNS]]
    key_columns = list(key) or suggest_key(profiles)
    with_rows = {str(i): finding for i, finding in enumerate(findings) if finding.row_indices}
    rows = _read_source_rows(table, list(with_rows.values()), key_columns)
    return Evidence(
        columns=profiles,
        samples={
            position: sample_finding(table, finding, key_columns, rows)
            for position, finding in with_rows.items()
        },
        key=key_columns,
        first_row=first_row_number(table),
    )


def suggest_key(profiles: Sequence[ColumnProfile]) -> list[str]:
    """Return the first column whose values are all different and never missing; empty without one.

    An identifier with a few repeated or missing values is the next best: a copied row must not leave all
    others without a name.
    """
    kept = [profile for profile in profiles if profile.kind in ("number", "text") and profile.count]
    unique = (profile.name for profile in kept if profile.distinct == profile.count)
    nearly_unique = (
        profile.name
        for profile in kept
        if is_identifier(profile.name) and profile.distinct >= _NEARLY_UNIQUE * profile.count
    )
    return list(islice(chain(unique, nearly_unique), 1))


def first_row_number(table: Table) -> int:
    """Return the number that the source counts for the row at position 0."""
    reading = table.reading
    if not reading.header_row:
        return 1 + (reading.skip_lines or 0)
    return reading.header_row + (reading.header_rows or 1)


class _SourceRows:
    """Rows of a table with the values of the source; those that were read before are not read again."""

    def __init__(self, table: Table, read: Mapping[str, Sequence[Any]] | None = None) -> None:
        self._table = table
        self._read = read or {}

    def select_values(
        self, positions: Sequence[int], limit: int, columns: Sequence[str]
    ) -> list[Sequence[Any]]:
        """Return the values of the first of these rows, by column."""
        if all(name in self._read for name in columns):
            return [[self._read[name][position] for position in positions[:limit]] for name in columns]
        frame = self._table.rows(positions, limit, columns)
        return [list(frame[name]) for name in columns]


def _read_source_rows(table: Table, findings: Sequence[GhostFinding], key: Sequence[str]) -> _SourceRows:
    """Return the rows of a table; of a short one, all that the samples of these findings need are read.

    There, a call per finding takes longer than the values.
    """
    needed = dict.fromkeys(name for finding in findings for name in _shown_columns(table, finding, key))
    if not needed or table.row_count > _SHORT_TABLE_ROWS or table.engine.name != IN_MEMORY.name:
        return _SourceRows(table)
    frame = table.rows(range(table.row_count), table.row_count, list(needed))
    return _SourceRows(table, {name: list(frame[name]) for name in needed})


def _shown_columns(table: Table, finding: GhostFinding, key: Sequence[str]) -> list[str]:
    affected = [name for name in finding_columns(finding) if table.has_column(name)]
    return list(dict.fromkeys([*key, *(affected or table.columns)[:MAX_SHOWN_COLUMNS]]))


def _frequent_values(table: Table, finding: GhostFinding, rows: _SourceRows) -> list[ValueCount]:
    """Return the most frequent affected values of a finding; empty if it concerns whole rows."""
    positions = finding.row_indices or []
    if not positions or not table.has_column(finding.column):
        return []
    (values,) = rows.select_values(positions, COUNTED_ROWS, [finding.column])
    counts = Counter(_to_text(value) for value in values if to_plain_value(value) is not None)
    return [ValueCount(value, count) for value, count in counts.most_common(MAX_FREQUENT_VALUES)]


def sample_finding(
    table: Table, finding: GhostFinding, key: Sequence[str], rows: _SourceRows | None = None
) -> FindingSamples:
    """Return the first affected rows of a finding, with the key and the affected columns."""
    rows = rows or _SourceRows(table)
    shown = _shown_columns(table, finding, key)
    positions = (finding.row_indices or [])[:MAX_SAMPLES]
    cells = zip(*rows.select_values(positions, MAX_SAMPLES, shown), strict=True)
    samples = [
        SampleRow(
            int(position), {name: to_plain_value(value) for name, value in zip(shown, values, strict=True)}
        )
        for position, values in zip(positions, cells, strict=True)
    ]
    column = finding.column if table.has_column(finding.column) else ""
    return FindingSamples(
        column, samples, _frequent_values(table, finding, rows), _count_by_part(table, finding)
    )


def _count_by_part(table: Table, finding: GhostFinding) -> list[int]:
    """Return how many values are missing in each part of the table; empty for other findings, or if the
    finding does not have all its rows."""
    positions = finding.row_indices or []
    if finding.ghost_type != "null" or not positions or len(positions) != finding.metadata.get("count"):
        return []
    parts = divide_rows(table.row_count)
    counts = np.bincount(np.asarray(positions) // parts[0], minlength=len(parts))
    return [int(count) for count in counts]


def to_plain_value(value: Any) -> Value:
    """Return a cell as a JSON value: missing values as None, 2.0 as 2, other types as text."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, float) and not math.isfinite(value):
        return None if math.isnan(value) else str(value)
    if isinstance(value, int) and abs(value) < 2**53:
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 2**53 else float(value)
    text = str(value)
    return None if text in ("NaT", "<NA>") else text[:MAX_VALUE_LENGTH]


def _to_text(value: Any) -> str:
    """Return a value as text: 5006.0 as in a file, 5006."""
    plain = to_plain_value(value)
    return str(value if plain is None else plain)[:MAX_VALUE_LENGTH]


def _profile_column(table: Table, column: Column) -> ColumnProfile:
    if table.engine.name == IN_MEMORY.name:
        source: ColumnFigures = MemoryColumn(table, column)
    else:
        source = LazyColumn(table, column)
    kind, nulls, distinct = column.kind, source.nulls, source.distinct
    count = table.row_count
    top: list[ValueCount] = []
    if kind in ("text", "boolean") or distinct <= MAX_TOP_VALUES:
        top = [ValueCount(_to_text(value), rows) for value, rows in source.count_top(MAX_TOP_VALUES)]
    numbers = source.numbers() if nulls < count and kind in ("number", "time") else None
    if numbers is None:
        return ColumnProfile(column.name, kind, count, nulls, distinct, top=top)
    quantiles = numbers.quantiles(_PERCENTILES)
    to_json = _to_iso if kind == "time" else to_plain_value
    return ColumnProfile(
        column.name,
        kind,
        count,
        nulls,
        distinct,
        to_json(source.least),
        to_json(source.most),
        quantiles if kind == "number" else [],
        _make_histogram(numbers, quantiles[1], quantiles[3]),
        top,
    )


def _to_iso(value: Any) -> Value:
    if isinstance(value, dt.datetime):
        return clock.to_utc(value).isoformat() if value.tzinfo else value.isoformat()
    return str(value)


def _make_histogram(numbers: NumberFigures, lower_quartile: float, upper_quartile: float) -> Histogram:
    """Return bins over the bulk of the numbers, so that one far value does not hide the others."""
    low, high = numbers.low, numbers.high
    spread = _FAR * (upper_quartile - lower_quartile)
    start = max(low, lower_quartile - spread) if spread else low
    end = min(high, upper_quartile + spread) if spread else high
    if end <= start:
        return Histogram(start, end, [numbers.count])
    counts, below, above = numbers.count_in_bins(start, end, MAX_BINS)
    return Histogram(start=start, end=end, counts=counts, below=below, above=above)
