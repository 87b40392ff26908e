"""Run detectors on a table: combine their queries into few passes, then collect the affected rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from polars.exceptions import PanicException

from lavendertown.core import json_codec
from lavendertown.core.findings import SEVERITIES, WHOLE_ROW, GhostFinding
from lavendertown.detectors.base import (
    NOT_CHECKED,
    CountedValues,
    Detection,
    DetectionSteps,
    Detector,
    NotCompared,
    Outcome,
    Query,
    Result,
    ValueCounts,
    format_value,
    join_names,
)
from lavendertown.detectors.related import name_related_findings
from lavendertown.detectors.table_queries import AffectedRows, SharedQuery, TableQueries
from lavendertown.tables import Column, Table
from lavendertown.tables.table import ENGINE_LABELS, IN_MEMORY

ROW_CAP = 200_000
"""Maximum number of row positions that a finding lists; its count is always exact."""

BATCH_SIZE = 8
"""Number of checks whose queries share a pass. Progress and cancellation work between batches."""

SMALL_TABLE_CELLS = 1_000_000
"""Tables up to this size are read into memory once: planning a query takes longer than running it there."""

SMALL_TABLE_BATCH_SIZE = 64

WIDE_TABLE_COLUMNS = 500
WIDE_TABLE_BATCH_SIZE = 4_096
"""The batch of a small table with more columns: each query takes the schema of all of them into account."""

_MAX_SAMPLES = 5
_MAX_NAMED = 20
_CHECK_ERRORS = (Exception, PanicException)
_OPTIONAL = ("settings", "reason", "values_capped")
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
            table cannot run it, or because the check compares a limited number of columns.
        settings: What the check configuration or a rule sets besides.
        reason: Why it did not run, as a sentence; empty if it did.
        values_capped: Whether it only looked at the most frequent values of a column.
    """

    check: str
    column: str
    params: dict[str, Any]
    outcome: Literal["found", "passed", "failed", "not_run"]
    settings: dict[str, Any] = field(default_factory=dict)
    reason: str = ""
    values_capped: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return the result as an entry of a report's coverage, without what is empty or not so."""
        return {name: value for name, value in vars(self).items() if name not in _OPTIONAL or value}


@dataclass(eq=False)
class _Task:
    detector: Detector
    order: int
    column: Column | None
    steps: DetectionSteps
    query: Query | None = None
    results: list[Result | None] = field(default_factory=list)
    failure: BaseException | None = None
    done: bool = False
    values_capped: bool = False
    affected: dict[int, AffectedRows] = field(default_factory=dict)

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
        if isinstance(answer, CountedValues) and not self.detector.is_exact:
            self.values_capped |= not answer.is_complete
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
    queries = TableQueries(table, into_memory=is_small)
    batch = batch_size or _choose_batch_size(table, is_small)
    tasks = list(_create_tasks(table, detectors))
    found: list[tuple[tuple[int, int, str, int], GhostFinding]] = []
    done = 0
    # By column, so that the values of few columns are kept at a time.
    by_column = sorted(tasks, key=lambda task: task.column.position if task.column else -1)
    for group in (by_column[i : i + batch] for i in range(0, len(by_column), batch)):
        report_progress(done, len(tasks), group[0].label)
        queries.keep_columns({key for task in group for key in task.frame_keys})
        _run_tasks(queries, group)
        _select_affected_rows(queries, group)
        for task in group:
            report_progress(done, len(tasks), task.label)
            done += 1
            found.extend(
                (_sort_key(table, task, finding), finding)
                for finding in _findings_of_task(table, task, dataset)
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


def _create_tasks(table: Table, detectors: Sequence[Detector]) -> Iterator[_Task]:
    for order, detector in enumerate(detectors):
        if detector.needs_rows and not table.row_count:
            continue
        for column in detector.columns_to_check(table):
            yield _Task(detector, order, column, detector.check_column(table, column))


def _list_results(outcome: Outcome) -> list[Result | None]:
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
        if isinstance(result, NotCompared):
            column = _join_first_names(result.columns)
            yield CheckResult(check, column, params, "not_run", settings, result.reason)
            continue
        column = join_names(result.columns) if result is not None and result.columns else task.column_name
        outcome: Literal["found", "passed"] = "found" if isinstance(result, Detection) else "passed"
        capped = task.values_capped
        yield CheckResult(check, column, params, outcome, settings, values_capped=capped)


def _run_tasks(queries: TableQueries, tasks: Sequence[_Task]) -> None:
    for task in tasks:
        task.advance(None)
    while pending := [task for task in tasks if not task.done]:
        grouped = [(task, task.query) for task in pending if isinstance(task.query, SharedQuery)]
        alone = [task for task in pending if not isinstance(task.query, SharedQuery)]
        try:
            answers = queries.answer_aggregates([query for _, query in grouped])
        except _CHECK_ERRORS:
            # One failing query fails the whole pass: run each alone to find it.
            _run_separately(queries, [task for task, _ in grouped])
        else:
            for (task, _), answer in zip(grouped, answers, strict=True):
                task.advance(answer)
        queries.count_together([task.query for task in alone if isinstance(task.query, ValueCounts)])
        _run_separately(queries, alone)


def _run_separately(queries: TableQueries, tasks: Sequence[_Task]) -> None:
    for task in tasks:
        assert task.query is not None
        try:
            answer = queries.answer_query(task.query)
        except _CHECK_ERRORS as error:
            task.record_failure(error)
        else:
            task.advance(answer)


def _select_affected_rows(queries: TableQueries, tasks: Sequence[_Task]) -> None:
    """Keep the affected rows of the detections that have a condition, with their tasks."""
    wanted = [
        (task, i, result)
        for task in tasks
        for i, result in enumerate(task.results)
        if isinstance(result, Detection) and result.row_condition is not None
    ]
    try:
        answers = queries.select_rows([detection for _, _, detection in wanted], ROW_CAP)
        for (task, i, _), rows in zip(wanted, answers, strict=True):
            task.affected[i] = rows
    except _CHECK_ERRORS:
        for task, i, detection in wanted:
            try:
                (task.affected[i],) = queries.select_rows([detection], ROW_CAP)
            except _CHECK_ERRORS as error:
                task.record_failure(error)


def _findings_of_task(table: Table, task: _Task, dataset: str | None) -> list[GhostFinding]:
    if task.failure is None:
        detections = [(i, result) for i, result in enumerate(task.results) if isinstance(result, Detection)]
        try:
            return [
                _create_finding(table, task, detection, task.affected.pop(i, None), dataset)
                for i, detection in detections
            ]
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


def _join_first_names(columns: Sequence[str]) -> str:
    more = len(columns) - _MAX_NAMED
    return join_names(columns[:_MAX_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def _describe_not_run(table: Table, error: BaseException) -> str:
    reason = _first_line(error).rstrip(".")
    return f"{ENGINE_LABELS[table.engine.name]} cannot run it: {reason}."


def _first_line(error: BaseException) -> str:
    return str(format_value((str(error).strip().splitlines() or ["no reason given"])[0]))


def _create_finding(
    table: Table, task: _Task, detection: Detection, affected: AffectedRows | None, dataset: str | None
) -> GhostFinding:
    metadata = {
        **_common_metadata(task, dataset),
        "count": detection.count,
        "share": detection.count / table.row_count if table.row_count else 0.0,
        **({"columns": list(detection.columns)} if detection.columns else {}),
        **detection.metadata,
        **({"values_capped": True} if task.values_capped else {}),
    }
    indices: list[int] | None = None
    if detection.rows is not None:
        indices = list(detection.rows[:ROW_CAP])
        if detection.count > len(indices):
            metadata["rows_truncated"] = True
    if affected is not None:
        indices = affected.positions
        if detection.count > len(indices):
            metadata["rows_truncated"] = True
        if detection.sample_column is not None:
            metadata["samples"] = _distinct_samples(affected.values)
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
