"""Detect faults of time series: gaps, repeated times, stuck values and shifts of the level."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
    Passed,
    QuerySteps,
    Sample,
    Select,
    format_row_share,
)
from lavendertown.detectors.sampled_rows import SampledRows
from lavendertown.tables import ROW, Column, Table
from lavendertown.tables.inference.column_names import is_identifier

_MIN_TIMES = 40
_MIN_USUAL = 0.95
_STEP_TOLERANCE = 0.1
_MIN_GAP = 1.9
_HEAD_ROWS = 20_000
_MAX_ROWS = 5_000_000
_MAX_ENTITY_SHARE = 0.05
_MAX_REPEATED = 0.03
_MAX_GAPS, _FEW_GAPS = 0.003, 10

_MIN_RUN = 6
_RUN_OF_OTHERS = 3.0
_UNLIKELY = 1e-6
_MAX_STUCK = 0.25
_MIN_DISTINCT = 20

_WINDOW = 20
_SHIFT_OF_NOISE = 4.0
_SHIFT_OF_OTHERS = 2.0
_AT_ONCE = 0.75


@dataclass(frozen=True)
class _Series:
    """Rows that follow each other at a usual step.

    Attributes:
        time: The column of times.
        entity: The column of what is measured, such as a station; None if there is one series.
        step: The usual step in seconds, months or working days.
        unit: ``seconds``, ``months`` or ``working days``.
    """

    time: Column
    entity: Column | None
    step: float
    unit: str

    @property
    def keys(self) -> list[str]:
        return [self.time.key] if self.entity is None else [self.entity.key, self.time.key]


@dataclass(frozen=True)
class TimeGaps(Detector):
    """Gaps in a column of times with a usual step; the rows on both sides of each gap are reported.

    At least 95% of the steps must be the usual one, in the table or for each value of another column. Months
    and working days count as equal steps. Gaps after more than 0.3% of the rows are usual, too.
    """

    check: ClassVar[str] = "time_gaps"
    title: ClassVar[str] = "Gaps in time"

    def columns_to_check(self, table: Table) -> Sequence[Column | None]:
        """Return the columns of dates and times."""
        return _times(table)

    def check_column(self, table: Table, column: Column | None) -> DetectionSteps:
        """Find the rows next to a gap."""
        assert column is not None
        series = yield from _find_series(table, column)
        if series is None:
            return NOT_CHECKED
        ordered = yield from _order_rows(series, [])
        rows: set[int] = set()
        gaps = 0
        for part in _split_entities(ordered, series):
            times = _to_steps(part[series.time.key], series.unit)
            wide = np.flatnonzero(np.diff(times) >= _MIN_GAP * series.step + _extra_gap_steps(series))
            positions = part[ROW].to_numpy()
            rows |= set(positions[wide].tolist()) | set(positions[wide + 1].tolist())
            gaps += len(wide)
        if not gaps:
            return None
        if gaps > max(_FEW_GAPS, _MAX_GAPS * len(ordered)):
            return NOT_CHECKED
        each = f" for each {series.entity.name}" if series.entity else ""
        return Detection(
            "date",
            "warning",
            f"{column.name} has {gaps:,} {'gap' if gaps == 1 else 'gaps'}: a row usually follows after "
            f"{_format_step(series)}{each}, but not in {format_row_share(len(rows), table.row_count)}.",
            len(rows),
            metadata={"gaps": gaps, "usual_step": _format_step(series), "total_count": table.row_count},
            rows=sorted(rows),
        )


@dataclass(frozen=True)
class RepeatedTimes(Detector):
    """Times that occur twice in a series with one row a step. Exact copies of a row are left out.

    Series of several stations or sensors are left to the check for keys.
    """

    check: ClassVar[str] = "repeated_times"
    title: ClassVar[str] = "Repeated times"

    def columns_to_check(self, table: Table) -> Sequence[Column | None]:
        """Return the columns of dates and times."""
        return _times(table)

    def check_column(self, table: Table, column: Column | None) -> DetectionSteps:
        """Find the rows with the same time as another row."""
        assert column is not None
        series = yield from _find_series(table, column)
        if series is None or series.entity is not None:
            return NOT_CHECKED
        ordered = yield from _order_rows(series, [])
        repeated = ordered.filter(pl.len().over(column.key) > 1)[column.key].unique().to_list()
        if not repeated:
            return None
        hits = yield Select(lambda frame: frame.filter(nw.col(column.key).is_in(repeated)).sort(ROW))
        different = hits.to_polars().unique(
            [name for name in hits.columns if name != ROW], keep="first", maintain_order=True
        )
        rows = sorted(different.filter(pl.len().over(column.key) > 1)[ROW].to_list())
        if not rows:
            return None
        return Detection(
            "date",
            "warning",
            f"{column.name} has one row every {_format_step(series)}, but "
            f"{format_row_share(len(rows), table.row_count)} share their time with another row.",
            len(rows),
            metadata={"total_count": table.row_count},
            rows=rows,
        )


@dataclass(frozen=True)
class StuckValues(Detector):
    """A measured value that stays exactly the same far longer than usual in a time series."""

    check: ClassVar[str] = "stuck_values"
    title: ClassVar[str] = "Stuck values"

    def columns_to_check(self, table: Table) -> Sequence[Column | None]:
        """Return whole rows (None): a series has a time and values."""
        return [None] if _times(table) and _measures(table) else []

    def check_column(self, table: Table, column: Column | None) -> DetectionSteps:
        """Find the rows of runs that are too long."""
        return (yield from _check_measures(table, _stuck_rows, _report_stuck))


@dataclass(frozen=True)
class LevelShifts(Detector):
    """A measured value that jumps to another level once in a time series, for good or for a while."""

    check: ClassVar[str] = "level_shifts"
    title: ClassVar[str] = "Level shifts"

    def columns_to_check(self, table: Table) -> Sequence[Column | None]:
        """Return whole rows (None): a series has a time and values."""
        return [None] if _times(table) and _measures(table) else []

    def check_column(self, table: Table, column: Column | None) -> DetectionSteps:
        """Find the rows after the jump."""
        return (yield from _check_measures(table, _shifted_rows, _report_shift))


def _times(table: Table) -> list[Column]:
    return (
        [column for column in table.schema if column.kind == "time"] if table.row_count >= _MIN_TIMES else []
    )


def _measures(table: Table) -> list[Column]:
    return [column for column in table.schema if column.kind == "number" and not is_identifier(column.name)]


def _find_series(table: Table, time: Column) -> QuerySteps[_Series | None]:
    """Return the series that a column of times belongs to; None if its steps are irregular."""
    sample: SampledRows = yield Sample()
    if table.row_count > _MAX_ROWS or sample.frame[time.key].dtype == pl.Time:
        return None
    head = sample.frame
    if not sample.is_complete:
        columns = [time, *_possible_entities(table, sample)]
        keys = [column.key for column in columns]
        head = (
            yield Select(lambda f: f.filter(nw.col(ROW) < _HEAD_ROWS).select(ROW, *keys).sort(ROW))
        ).to_polars()
    if head[time.key].null_count() > 0.05 * len(head):
        return None
    head = head.filter(pl.col(time.key).is_not_null())
    if isinstance(head[time.key].dtype, pl.Duration) or not len(head):
        return None
    distinct = head[time.key].n_unique()
    if distinct >= (1 - _MAX_REPEATED) * len(head):
        return _series_of(head, time, None)
    for entity in _possible_entities(table, sample):
        pairs = head.select(entity.key, time.key).n_unique()
        if pairs >= (1 - _MAX_REPEATED) * len(head) and head[entity.key].null_count() == 0:
            series = _series_of(head, time, entity)
            if series is not None:
                return series
    return None


def _possible_entities(table: Table, sample: SampledRows) -> list[Column]:
    found = []
    for column in table.schema:
        if column.kind in ("text", "number") and (column.kind == "text" or column.integer):
            distinct = sample.frame[column.key].n_unique()
            if 1 < distinct <= max(2, _MAX_ENTITY_SHARE * len(sample)):
                found.append((distinct, column))
    return [column for _, column in sorted(found, key=lambda pair: pair[0])[:8]]


def _series_of(head: pl.DataFrame, time: Column, entity: Column | None) -> _Series | None:
    by = [time.key] if entity is None else [entity.key, time.key]
    ordered = head.sort(by)
    for unit in _possible_units(head[time.key]):
        steps = []
        series = _Series(time, entity, 0.0, unit)
        for part in _split_entities(ordered, series):
            differences = np.diff(_to_steps(part[time.key], unit))
            steps.append(differences[differences > 0])
        every = np.concatenate(steps)
        if len(every) < _MIN_TIMES - 10:
            return None
        usual = float(np.median(every))
        if (np.abs(every - usual) <= _STEP_TOLERANCE * usual).mean() >= _MIN_USUAL:
            return _Series(time, entity, usual, unit)
    return None


def _possible_units(times: pl.Series) -> list[str]:
    units = ["seconds"]
    moments = times.cast(pl.Datetime("us"))
    if (moments.dt.truncate("1d") == moments).all():
        if moments.dt.day().n_unique() == 1:
            units.append("months")
        if (moments.dt.weekday() <= 5).all():
            units.append("working days")
    return units


def _to_steps(times: pl.Series, unit: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    moments = times.cast(pl.Datetime("us"))
    if unit == "months":
        return (moments.dt.year() * 12 + moments.dt.month()).to_numpy().astype(np.float64)
    if unit == "working days":
        days = moments.cast(pl.Date).to_numpy().astype("datetime64[D]")
        return np.busday_count(np.datetime64("1970-01-05"), days).astype(np.float64)
    return moments.dt.epoch("us").to_numpy().astype(np.float64) / 1e6


def _extra_gap_steps(series: _Series) -> float:
    """Return what a gap of working days must have on top: public holidays are no gap."""
    return 3.0 if series.unit == "working days" else 0.0


def _format_step(series: _Series) -> str:
    if series.unit != "seconds":
        number = f"{series.step:g}"
        return f"{number} {series.unit[:-1] if number == '1' else series.unit}"
    for size, name in ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")):
        if series.step >= size:
            number = f"{series.step / size:g}"
            return f"{number} {name}{'' if number == '1' else 's'}"
    return f"{series.step:g} seconds"


def _order_rows(series: _Series, keys: Sequence[str]) -> QuerySteps[pl.DataFrame]:
    """Return the rows with a time, in the order of the series."""
    hits = yield Select(
        lambda frame: frame.select(ROW, *dict.fromkeys([*series.keys, *keys])).filter(
            ~nw.col(series.time.key).is_null()
        )
    )
    ordered: pl.DataFrame = hits.to_polars().sort([*series.keys, ROW])
    return ordered


def _split_entities(ordered: pl.DataFrame, series: _Series) -> Iterator[pl.DataFrame]:
    if series.entity is None:
        yield ordered
    else:
        yield from ordered.partition_by(series.entity.key, maintain_order=True)


def _check_measures(table: Table, find_rows: Any, report: Any) -> DetectionSteps:
    for time in _times(table):
        series = yield from _find_series(table, time)
        if series is not None:
            break
    else:
        return NOT_CHECKED
    results: list[Detection | Passed] = []
    for measure in _measures(table):
        if measure in (series.time, series.entity):
            continue
        ordered = yield from _order_rows(series, [measure.key])
        parts = [
            part.select(ROW, pl.col(measure.key).cast(pl.Float64).alias("value")).drop_nulls()
            for part in _split_entities(ordered, series)
        ]
        rows = find_rows([part for part in parts if len(part) >= _MIN_TIMES])
        if rows is None:
            continue
        results.append(report(table, measure, sorted(rows)) if rows else Passed([measure.name]))
    return results or NOT_CHECKED


def _stuck_rows(parts: Sequence[pl.DataFrame]) -> list[int] | None:
    """Return the rows of runs that are far too long; None if the column does not change much anyway."""
    values = pl.concat([part["value"] for part in parts]) if parts else pl.Series([], dtype=pl.Float64)
    if values.n_unique() < _MIN_DISTINCT:
        return None
    runs = [run for part in parts for run in _list_runs(part)]
    runs.sort(key=lambda run: -len(run[1]))
    lengths = [len(rows) for _, rows in runs]
    # Up to three runs may be stuck; the others show what is usual. A value that returns is usual, too: the
    # sun is at 0 each night.
    for stuck in (3, 2, 1):
        if len(runs) <= stuck or len({value for value, _ in runs[:stuck]}) < stuck:
            continue
        others = lengths[stuck:]
        again = max(sum(others) - len(others), 1) / sum(others)
        least = lengths[stuck - 1]
        chance = len(values) * again ** (least - 1)
        if (
            least >= max(_MIN_RUN, _RUN_OF_OTHERS * others[0])
            and chance < _UNLIKELY
            and sum(lengths[:stuck]) <= _MAX_STUCK * len(values)
        ):
            return [row for _, rows in runs[:stuck] for row in rows]
    return []


def _list_runs(part: pl.DataFrame) -> list[tuple[float, list[int]]]:
    numbered = part.with_columns(run=pl.col("value").rle_id())
    grouped = numbered.group_by("run", maintain_order=True).agg(pl.col("value").first(), ROW)
    return list(zip(grouped["value"].to_list(), grouped[ROW].to_list(), strict=True))


def _report_stuck(table: Table, measure: Column, rows: list[int]) -> Detection:
    return Detection(
        "date",
        "warning",
        f"{measure.name} is stuck: it is exactly the same in {format_row_share(len(rows), table.row_count)}, "
        "far longer than anywhere else.",
        len(rows),
        metadata={"fault": "stuck", "total_count": table.row_count},
        columns=[measure.name],
        rows=rows,
    )


def _shifted_rows(parts: Sequence[pl.DataFrame]) -> list[int] | None:
    """Return the rows at another level; None if no part is long enough to tell."""
    rows: list[int] = []
    checked = False
    for part in parts:
        values = part["value"].to_numpy()
        if len(values) < 5 * _WINDOW or len(np.unique(values)) < _MIN_DISTINCT:
            continue
        if (np.diff(values) == 0).mean() > 0.3:
            continue
        checked = True
        segment = _find_shift(values)
        if segment is not None:
            rows += part[ROW].to_list()[segment]
    return rows if checked else None


def _find_shift(values: np.ndarray[Any, np.dtype[np.float64]]) -> slice | None:
    medians = pl.Series(values).rolling_median(_WINDOW).to_numpy()
    jumps = np.zeros(len(values))
    jumps[_WINDOW : len(values) - _WINDOW + 1] = medians[2 * _WINDOW - 1 :] - medians[_WINDOW - 1 : -_WINDOW]
    start = int(np.argmax(np.abs(jumps)))
    size = jumps[start]
    back = int(np.argmin(jumps * np.sign(size)))
    returns = jumps[back] * np.sign(size) < -0.6 * abs(size)
    near = np.zeros(len(values), dtype=bool)
    for at in [start, back] if returns else [start]:
        near[max(0, at - _WINDOW) : at + _WINDOW] = True
    others = np.abs(jumps[~near]).max(initial=0.0)
    noise = float(np.median(np.abs(values[_WINDOW - 1 :] - medians[_WINDOW - 1 :]))) * 1.48
    if abs(size) < max(_SHIFT_OF_OTHERS * others, _SHIFT_OF_NOISE * noise) or not size:
        return None
    first, last = sorted([start, back]) if returns else (start, len(values))
    first = _refine_jump(values, first)
    last = _refine_jump(values, last) if last < len(values) else last
    # A random walk needs many steps to another level.
    step = np.median(values[first : first + 5]) - np.median(values[max(0, first - 5) : first])
    if abs(step) < _AT_ONCE * abs(size):
        return None
    return slice(first, last)


def _refine_jump(values: np.ndarray[Any, np.dtype[np.float64]], at: int) -> int:
    """Return the position near a jump that splits the values best."""
    low, high = max(0, at - _WINDOW), min(len(values), at + _WINDOW)
    before, after = np.median(values[low : max(low + 1, at - 3)]), np.median(values[at + 3 : high])
    nearer = np.abs(values[low:high] - after) < np.abs(values[low:high] - before)
    wrong = [int(nearer[:i].sum() + (~nearer[i:]).sum()) for i in range(len(nearer) + 1)]
    return low + int(np.argmin(wrong))


def _report_shift(table: Table, measure: Column, rows: list[int]) -> Detection:
    return Detection(
        "outlier",
        "info",
        f"{measure.name} jumps to another level in its time series, in "
        f"{format_row_share(len(rows), table.row_count)}.",
        len(rows),
        metadata={"fault": "level_shift", "total_count": table.row_count},
        columns=[measure.name],
        rows=rows,
    )
