"""Run detectors on a table: combine their queries into few passes, then collect the affected rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import narwhals as nw
import pandas as pd
from polars.exceptions import PanicException

from lavendertown.core import json_codec
from lavendertown.core.findings import SEVERITIES, GhostFinding
from lavendertown.detectors.base import (
    NOT_CHECKED,
    WHOLE_ROW,
    Aggregates,
    ColumnAggregates,
    Count,
    CountedValues,
    Detection,
    DetectionSteps,
    Detector,
    Outcome,
    Passed,
    Quantile,
    Query,
    Sample,
    Select,
    ValueCounts,
    format_value,
    join_names,
)
from lavendertown.detectors.related import name_related_findings
from lavendertown.detectors.sampled_rows import SampledRows
from lavendertown.tables import ROW, Column, Table
from lavendertown.tables.exact_quantiles import compute_quantiles
from lavendertown.tables.table import ENGINE_LABELS, IN_MEMORY

ROW_CAP = 200_000
"""Maximum number of row positions that a finding lists; its count is always exact."""

BATCH_SIZE = 8
"""Number of checks whose queries share a pass. Progress and cancellation work between batches."""

SMALL_TABLE_CELLS = 1_000_000
"""Tables up to this size are read into memory once: planning a query takes longer than running it there."""

SMALL_TABLE_BATCH_SIZE = 64

WIDE_TABLE_COLUMNS = 500
WIDE_TABLE_BATCH_SIZE = 512
"""The batch of a small table with more columns: each query takes the schema of all of them into account."""

SAMPLE_ROWS = 20_000
"""Maximum number of rows of a :class:`Sample`; fewer for a table with more than 100 columns."""

_SAMPLE_CELLS = 2_000_000
_MIN_SAMPLE_ROWS = 1_000

_MAX_SAMPLES = 5
_MAX_SAMPLED_ROWS = 1_000
_MIN_STACKED = 10
"""How many columns of one type are stacked for their aggregates."""

_MAX_QUERIES = 512
"""How many queries are one query of the engine: its planning grows faster than their number."""

_CHECK_ERRORS = (Exception, PanicException)
_OPTIONAL = ("settings", "reason")
_RULE = "rule:"

Progress = Callable[[int, int, str], object]


@dataclass(frozen=True)
class CheckResult:
    """The result of one check.

    Attributes:
        check: The name of the check, such as ``"nulls"``.
        column: The column name, several names joined by commas, or ``"*"`` for whole rows.
        params: The parameters that differ from their defaults.
        outcome: ``found`` a fault, ``passed``, ``failed`` to run, or ``not_run`` because the engine of the
            table cannot run it.
        settings: What the check configuration or a rule sets besides.
        reason: Why it did not run, as a sentence; empty if it did.
    """

    check: str
    column: str
    params: dict[str, Any]
    outcome: Literal["found", "passed", "failed", "not_run"]
    settings: dict[str, Any] = field(default_factory=dict)
    reason: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the result as an entry of a report's coverage, without settings if there are none."""
        return {name: value for name, value in vars(self).items() if name not in _OPTIONAL or value}


@dataclass(eq=False)
class _Task:
    detector: Detector
    order: int
    column: Column | None
    steps: DetectionSteps
    query: Query | None = None
    results: list[Detection | Passed | None] = field(default_factory=list)
    failure: BaseException | None = None
    done: bool = False

    @property
    def column_name(self) -> str:
        return self.column.name if self.column else WHOLE_ROW

    @property
    def frame_keys(self) -> list[str]:
        return [key for key in (self.column.key, self.column.text_key) if key] if self.column else []

    @property
    def label(self) -> str:
        return f"{self.detector.title} · {self.column.name if self.column else 'whole rows'}"

    def advance(self, answer: Any) -> None:
        """Send a query result (None at first) and store the next query or the outcome."""
        try:
            self.query = self.steps.send(answer)
        except StopIteration as stop:
            self.query, self.done = None, True
            self.results = _list_results(stop.value)
        except _CHECK_ERRORS as error:
            self.record_failure(error)

    def record_failure(self, error: BaseException) -> None:
        self.failure, self.query, self.done = error, None, True


def run_detectors(
    table: Table,
    detectors: Sequence[Detector],
    progress: Progress | None = None,
    *,
    dataset: str | None = None,
    batch_size: int | None = None,
) -> tuple[list[GhostFinding], list[CheckResult]]:
    """Run every detector on the columns it checks.

    Args:
        table: The data.
        detectors: The checks.
        progress: Called as ``progress(done, total, text)``. An exception it raises ends the run and
            propagates.
        dataset: Added to the metadata of each finding if given.
        batch_size: The number of checks that share a pass; chosen by the size of the table by default.

    Returns:
        The findings (most severe first, then by column and type), and the results of the checks that
        apply to the table. A check that raises becomes a finding of type ``check_error``.
    """
    report_progress: Progress = progress or (lambda done, total, text: None)
    is_small = table.row_count * len(table.columns) <= SMALL_TABLE_CELLS
    source = _Source(table, is_small)
    batch = batch_size or _choose_batch_size(table, is_small)
    tasks = list(_create_tasks(table, detectors))
    found: list[tuple[tuple[int, int, str, int], GhostFinding]] = []
    done = 0
    # By column, so that the values of few columns are kept at a time.
    by_column = sorted(tasks, key=lambda task: task.column.position if task.column else -1)
    for group in (by_column[i : i + batch] for i in range(0, len(by_column), batch)):
        report_progress(done, len(tasks), group[0].label)
        source.keep_columns({key for task in group for key in task.frame_keys})
        _run_tasks(source, group)
        for task in group:
            report_progress(done, len(tasks), task.label)
            done += 1
            found.extend(
                (_sort_key(table, task, finding), finding)
                for finding in _findings_of_task(table, source, task, dataset)
            )
    report_progress(len(tasks), len(tasks), "Done")
    checks = [check for task in tasks for check in _check_results(table, task)]
    findings = [finding for _, finding in sorted(found, key=lambda pair: pair[0])]
    name_related_findings(findings)
    return findings, checks


def _choose_batch_size(table: Table, is_small: bool) -> int:
    if not is_small:
        return BATCH_SIZE
    return SMALL_TABLE_BATCH_SIZE if len(table.columns) <= WIDE_TABLE_COLUMNS else WIDE_TABLE_BATCH_SIZE


class _Source:
    """The frame that is queried, and the distinct values that were queried already."""

    def __init__(self, table: Table, is_small: bool) -> None:
        self.frame: nw.LazyFrame[Any] | nw.DataFrame[Any] = table.frame
        self._row_count = table.row_count
        self._is_in_memory = is_small or table.engine.name == IN_MEMORY.name
        if is_small and table.engine.name != IN_MEMORY.name:
            self.frame = nw.from_native(table.frame.collect().to_polars().sort(ROW))
        elif is_small:
            self.frame = table.frame.collect()
        self._counted: dict[ValueCounts, CountedValues] = {}
        self._sample: SampledRows | None = None

    @cached_property
    def _types(self) -> nw.Schema:
        return self.frame.collect_schema()

    def keep_columns(self, keys: AbstractSet[str]) -> None:
        """Forget the distinct values of the other columns."""
        self._counted = {query: answer for query, answer in self._counted.items() if query.key in keys}

    def compute_aggregates(
        self, expressions: Sequence[nw.Expr], quantiles: Sequence[Quantile]
    ) -> tuple[Sequence[Any], Sequence[Any]]:
        """Return the values of aggregates, and of quantiles."""
        if self._is_in_memory:
            inner = [
                each.value.quantile(each.level, "linear").alias(f"q{i}") for i, each in enumerate(quantiles)
            ]
            row = _collect(self.frame.select(*expressions, *inner)).row(0)
            return row[: len(expressions)], row[len(expressions) :]
        row = _collect(self.frame.select(*expressions)).row(0) if expressions else ()
        # Dask answers with the missing values of pandas.
        values = [None if pd.isna(each) else each for each in row]
        return values, self._compute_quantiles(quantiles)

    def stack_columns(self, queries: Sequence[ColumnAggregates]) -> dict[ColumnAggregates, Mapping[str, Any]]:
        """Return the answers of queries that several columns of one type share, for small tables.

        The columns are stacked into one, and its values are aggregated by column.
        """
        if not isinstance(self.frame, nw.DataFrame) or not self._row_count:
            return {}
        shared: dict[tuple[Callable[[nw.Expr], Aggregates], nw.dtypes.DType], list[str]] = {}
        for query in dict.fromkeys(queries):
            shared.setdefault((query.build, self._types[query.key]), []).append(query.key)
        answers: dict[ColumnAggregates, Mapping[str, Any]] = {}
        for (build, dtype), keys in shared.items():
            if len(keys) < _MIN_STACKED or not (dtype == nw.String or dtype.is_numeric()):
                continue
            aggregates = build(nw.col("value"))
            expressions = [each.alias(name) for name, each in aggregates.expressions.items()]
            for name, quantile in aggregates.quantiles.items():
                expressions.append(quantile.value.quantile(quantile.level, "linear").alias(name))
            stacked = self.frame.select(keys).unpivot(variable_name="key", value_name="value")
            for row in stacked.group_by("key").agg(*expressions).iter_rows(named=True):
                answers[ColumnAggregates(row["key"], build)] = row
        return answers

    def _compute_quantiles(self, quantiles: Sequence[Quantile]) -> Sequence[Any]:
        sample = self.sample_rows() if quantiles else None
        by_value: dict[int, list[int]] = {}
        for i, each in enumerate(quantiles):
            by_value.setdefault(id(each.value), []).append(i)
        found: list[float | None] = [None] * len(quantiles)
        for positions in by_value.values():
            assert sample is not None
            answers = compute_quantiles(
                self.frame.lazy(),
                quantiles[positions[0]].value,
                [quantiles[i].level for i in positions],
                sample.frame,
                is_complete=sample.is_complete,
            )
            for i, answer in zip(positions, answers, strict=True):
                found[i] = answer
        return found

    def select_rows(self, condition: nw.Expr, columns: Sequence[str]) -> nw.DataFrame[Any]:
        """Return columns of the first :data:`ROW_CAP` rows that meet a condition, in row order."""
        return _collect(self._matching_rows(condition, columns).sort(ROW).head(ROW_CAP))

    def count_rows(self, condition: nw.Expr) -> int:
        """Return the number of rows that meet a condition."""
        return int(_collect(self._matching_rows(condition, [ROW]).select(nw.len())).row(0)[0])

    def _matching_rows(
        self, condition: nw.Expr, columns: Sequence[str]
    ) -> nw.LazyFrame[Any] | nw.DataFrame[Any]:
        # Not every engine allows window functions in a filter, so the condition becomes a column first.
        return self.frame.select(*columns, condition.alias("hit")).filter(nw.col("hit"))

    def count_values(self, query: ValueCounts) -> CountedValues:
        """Return the distinct values of a column with their counts."""
        if query not in self._counted:
            counted = _collect(
                self._group_values(query)
                .sort("count", "value", descending=[True, False])
                .head(query.limit + 1)
            )
            values, counts = counted["value"].to_list(), counted["count"].to_list()
            self._counted[query] = CountedValues(
                values[: query.limit], counts[: query.limit], len(values) <= query.limit
            )
        return self._counted[query]

    def _group_values(self, query: ValueCounts) -> nw.LazyFrame[Any] | nw.DataFrame[Any]:
        if isinstance(self.frame, nw.DataFrame):
            column = self.frame.get_column(query.key)
            days = column.dt.truncate("1d") if query.by_day else column
            return days.drop_nulls().alias("value").value_counts(name="count")
        value = nw.col(query.key).dt.truncate("1d") if query.by_day else nw.col(query.key)
        grouped = self.frame.select(value.alias("value")).drop_nulls().group_by("value")
        return grouped.agg(nw.len().alias("count"))

    def sample_rows(self) -> SampledRows:
        """Return every n-th row, at most :data:`SAMPLE_ROWS`."""
        if self._sample is None:
            fitting = _SAMPLE_CELLS // max(1, len(self.frame.collect_schema()))
            step = -(-self._row_count // min(SAMPLE_ROWS, max(_MIN_SAMPLE_ROWS, fitting)))
            frame = self.frame if step <= 1 else self.frame.filter(nw.col(ROW) % step == 0)
            self._sample = SampledRows(_collect(frame.sort(ROW)).to_polars(), is_complete=step <= 1)
        return self._sample


def _collect(frame: nw.LazyFrame[Any] | nw.DataFrame[Any]) -> nw.DataFrame[Any]:
    return frame.collect() if isinstance(frame, nw.LazyFrame) else frame


def _create_tasks(table: Table, detectors: Sequence[Detector]) -> Iterator[_Task]:
    for order, detector in enumerate(detectors):
        if detector.needs_rows and not table.row_count:
            continue
        for column in detector.columns_to_check(table):
            yield _Task(detector, order, column, detector.check_column(table, column))


def _list_results(outcome: Outcome) -> list[Detection | Passed | None]:
    if outcome is NOT_CHECKED:
        return []
    if outcome is None or isinstance(outcome, Detection):
        return [outcome]
    assert isinstance(outcome, Sequence)
    return list(outcome)


def _sort_key(table: Table, task: _Task, finding: GhostFinding) -> tuple[int, int, str, int]:
    names = finding.metadata.get("columns") or [task.column_name]
    position = table.column(names[-1]).position if table.has_column(names[-1]) else -1
    return (-SEVERITIES.index(finding.severity), position, finding.ghost_type, task.order)


def _check_results(table: Table, task: _Task) -> Iterator[CheckResult]:
    check, params, settings = task.detector.check, task.detector.params, task.detector.settings
    if task.failure is not None and _is_not_run(table, task):
        reason = _describe_not_run(table, task.failure)
        yield CheckResult(check, task.column_name, params, "not_run", settings, reason)
        return
    if task.failure is not None:
        yield CheckResult(check, task.column_name, params, "failed", settings)
        return
    for result in task.results:
        column = join_names(result.columns) if result is not None and result.columns else task.column_name
        outcome: Literal["found", "passed"] = "found" if isinstance(result, Detection) else "passed"
        yield CheckResult(check, column, params, outcome, settings)


def _run_tasks(source: _Source, tasks: Sequence[_Task]) -> None:
    for task in tasks:
        task.advance(None)
    while pending := [task for task in tasks if not task.done]:
        grouped = [
            (task, task.query) for task in pending if isinstance(task.query, Aggregates | ColumnAggregates)
        ]
        alone = [task for task in pending if not isinstance(task.query, Aggregates | ColumnAggregates)]
        try:
            answers = _collect_aggregates(source, [query for _, query in grouped])
        except _CHECK_ERRORS:
            # One failing query fails the whole pass: run each alone to find it.
            _run_separately(source, [task for task, _ in grouped])
        else:
            for (task, _), answer in zip(grouped, answers, strict=True):
                task.advance(answer)
        _run_separately(source, alone)


def _run_separately(source: _Source, tasks: Sequence[_Task]) -> None:
    for task in tasks:
        assert task.query is not None
        try:
            answer = _answer_query(source, task.query)
        except _CHECK_ERRORS as error:
            task.record_failure(error)
        else:
            task.advance(answer)


def _answer_query(source: _Source, query: Query) -> Any:
    match query:
        case Aggregates() | ColumnAggregates():
            return _collect_aggregates(source, [query])[0]
        case Count(condition):
            return source.count_rows(condition)
        case ValueCounts():
            return source.count_values(query)
        case Select(build):
            return _collect(build(source.frame.lazy()))
        case Sample():
            return source.sample_rows()


def _collect_aggregates(
    source: _Source, queries: Sequence[Aggregates | ColumnAggregates]
) -> list[Mapping[str, Any]]:
    stacked = source.stack_columns([query for query in queries if isinstance(query, ColumnAggregates)])
    single = [
        query.build(nw.col(query.key)) if isinstance(query, ColumnAggregates) else query
        for query in queries
        if not (isinstance(query, ColumnAggregates) and query in stacked)
    ]
    answers = (
        answer
        for i in range(0, len(single), _MAX_QUERIES)
        for answer in _compute_together(source, single[i : i + _MAX_QUERIES])
    )
    return [
        stacked[query] if isinstance(query, ColumnAggregates) and query in stacked else next(answers)
        for query in queries
    ]


def _compute_together(source: _Source, queries: Sequence[Aggregates]) -> list[dict[str, Any]]:
    expressions = [
        expression.alias(f"{i}.{name}")
        for i, query in enumerate(queries)
        for name, expression in query.expressions.items()
    ]
    computed = source.compute_aggregates(
        expressions, [quantile for query in queries for quantile in query.quantiles.values()]
    )
    values, quantiles = map(iter, computed)
    return [
        {name: next(values) for name in query.expressions}
        | {name: next(quantiles) for name in query.quantiles}
        for query in queries
    ]


def _findings_of_task(table: Table, source: _Source, task: _Task, dataset: str | None) -> list[GhostFinding]:
    if task.failure is None:
        detections = [result for result in task.results if isinstance(result, Detection)]
        try:
            return [_create_finding(table, source, task, detection, dataset) for detection in detections]
        except _CHECK_ERRORS as error:
            task.record_failure(error)
    assert task.failure is not None
    if _is_not_run(table, task):
        return []
    return [_create_failure_finding(task, task.failure, dataset)]


def _is_not_run(table: Table, task: _Task) -> bool:
    """Return whether a check failed because the engine cannot run it; a rule must say that it did not run."""
    is_rule = task.detector.check.startswith(_RULE)
    return task.failure is not None and table.engine.name != IN_MEMORY.name and not is_rule


def _describe_not_run(table: Table, error: BaseException) -> str:
    reason = _first_line(error).rstrip(".")
    return f"{ENGINE_LABELS[table.engine.name]} cannot run it: {reason}."


def _first_line(error: BaseException) -> str:
    return str(format_value((str(error).strip().splitlines() or ["no reason given"])[0]))


def _create_finding(
    table: Table, source: _Source, task: _Task, detection: Detection, dataset: str | None
) -> GhostFinding:
    metadata = {
        **_common_metadata(task, dataset),
        "count": detection.count,
        "share": detection.count / table.row_count if table.row_count else 0.0,
        **({"columns": list(detection.columns)} if detection.columns else {}),
        **detection.metadata,
    }
    indices: list[int] | None = None
    if detection.rows is not None:
        indices = list(detection.rows[:ROW_CAP])
        if detection.count > len(indices):
            metadata["rows_truncated"] = True
    if detection.row_condition is not None:
        columns = [ROW] if detection.sample_column is None else [ROW, detection.sample_column]
        hits = source.select_rows(detection.row_condition, columns)
        indices = hits[ROW].to_list()
        if detection.count > len(indices):
            metadata["rows_truncated"] = True
        if detection.sample_column is not None:
            metadata["samples"] = _distinct_samples(
                hits[detection.sample_column].head(_MAX_SAMPLED_ROWS).to_list()
            )
    if not table.engine.numbers_rows:
        indices = None
        metadata.pop("rows_truncated", None)
    return GhostFinding(
        detection.ghost_type,
        join_names(detection.columns) or task.column_name,
        detection.severity,
        detection.description,
        indices,
        json_codec.to_jsonable(metadata, "metadata"),
    )


def _distinct_samples(values: Sequence[Any]) -> list[Any]:
    return list(dict.fromkeys(format_value(value) for value in values))[:_MAX_SAMPLES]


def _create_failure_finding(task: _Task, error: BaseException, dataset: str | None) -> GhostFinding:
    reason = _first_line(error)
    return GhostFinding(
        "check_error",
        task.column_name,
        "warning",
        f"The check '{task.detector.title}' could not run on {task.label.split(' · ', 1)[1]}: {reason}",
        None,
        {
            **_common_metadata(task, dataset),
            "count": 0,
            "share": 0.0,
            "error": type(error).__name__,
            "reason": reason,
        },
    )


def _common_metadata(task: _Task, dataset: str | None) -> dict[str, Any]:
    common = {"check": task.detector.check, "params": json_codec.to_jsonable(task.detector.params)}
    settings = {"settings": task.detector.settings} if task.detector.settings else {}
    return {**common, **({"dataset": dataset} if dataset else {}), **settings}
