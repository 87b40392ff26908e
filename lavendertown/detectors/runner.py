"""Run detectors on a table: combine their queries into few passes, then collect the affected rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import narwhals as nw
from polars.exceptions import PanicException

from lavendertown.core import json_codec
from lavendertown.core.findings import SEVERITIES, GhostFinding
from lavendertown.detectors.base import (
    NOT_CHECKED,
    WHOLE_ROW,
    Aggregates,
    Count,
    Detection,
    DetectionSteps,
    Detector,
    format_value,
)
from lavendertown.tables import ROW, Column, Table

ROW_CAP = 200_000
"""Maximum number of row positions that a finding lists; its count is always exact."""

BATCH_SIZE = 8
"""Number of checks whose queries share a pass. Progress and cancellation work between batches."""

_MAX_SAMPLES = 5
_MAX_SAMPLED_ROWS = 1_000
_CHECK_ERRORS = (Exception, PanicException)

Progress = Callable[[int, int, str], object]


@dataclass(frozen=True)
class CheckResult:
    """The result of one check.

    Attributes:
        check: The name of the check, such as ``"nulls"``.
        column: The column name, ``"*"`` for whole rows.
        params: The parameters that differ from their defaults.
        outcome: ``found`` a fault, ``passed``, or ``failed`` to run.
    """

    check: str
    column: str
    params: dict[str, Any]
    outcome: Literal["found", "passed", "failed"]


@dataclass(eq=False)
class _Task:
    detector: Detector
    column: Column | None
    steps: DetectionSteps
    query: Aggregates | Count | None = None
    detection: Detection | None = None
    checked: bool = True
    failure: BaseException | None = None
    done: bool = field(default=False)

    @property
    def column_name(self) -> str:
        return self.column.name if self.column else WHOLE_ROW

    @property
    def label(self) -> str:
        return f"{self.detector.title} · {self.column.name if self.column else 'whole rows'}"

    def advance(self, answer: Any) -> None:
        """Send a query result (None at first) and store the next query or the outcome."""
        try:
            self.query = self.steps.send(answer)
        except StopIteration as stop:
            self.query, self.done = None, True
            self.checked = stop.value is not NOT_CHECKED
            self.detection = stop.value if self.checked else None
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
    batch_size: int = BATCH_SIZE,
) -> tuple[list[GhostFinding], list[CheckResult]]:
    """Run every detector on the columns it checks.

    Args:
        table: The data.
        detectors: The checks.
        progress: Called as ``progress(done, total, text)``. An exception it raises ends the run and
            propagates.
        dataset: Added to the metadata of each finding if given.
        batch_size: The number of checks that share a pass.

    Returns:
        The findings (most severe first, then by column and type), and the results of the checks that
        apply to the table. A check that raises becomes a finding of type ``check_error``.
    """
    report_progress: Progress = progress or (lambda done, total, text: None)
    tasks = list(_create_tasks(table, detectors))
    sortable: list[tuple[tuple[int, int, str, int], GhostFinding]] = []
    checks: list[CheckResult] = []
    done = 0
    for group in (tasks[i : i + batch_size] for i in range(0, len(tasks), batch_size)):
        report_progress(done, len(tasks), group[0].label)
        _run_tasks(table.frame, group)
        for task in group:
            report_progress(done, len(tasks), task.label)
            done += 1
            finding = _finding_of_task(table, task, dataset)
            if finding is not None:
                sortable.append((_sort_key(task, finding, done), finding))
            if task.checked:
                checks.append(
                    CheckResult(
                        task.detector.check, task.column_name, task.detector.params, _task_outcome(task)
                    )
                )
    report_progress(len(tasks), len(tasks), "Done")
    return [finding for _, finding in sorted(sortable, key=lambda pair: pair[0])], checks


def _create_tasks(table: Table, detectors: Sequence[Detector]) -> Iterator[_Task]:
    for detector in detectors:
        if detector.needs_rows and not table.row_count:
            continue
        for column in detector.columns_to_check(table):
            yield _Task(detector, column, detector.check_column(table, column))


def _sort_key(task: _Task, finding: GhostFinding, number: int) -> tuple[int, int, str, int]:
    position = task.column.position if task.column else -1
    return (-SEVERITIES.index(finding.severity), position, finding.ghost_type, number)


def _task_outcome(task: _Task) -> Literal["found", "passed", "failed"]:
    if task.failure is not None:
        return "failed"
    return "found" if task.detection else "passed"


def _run_tasks(frame: nw.LazyFrame[Any], tasks: Sequence[_Task]) -> None:
    for task in tasks:
        task.advance(None)
    while pending := [task for task in tasks if not task.done]:
        counting = [task for task in pending if isinstance(task.query, Count)]
        grouped = [(task, task.query) for task in pending if isinstance(task.query, Aggregates)]
        try:
            answers = _collect_aggregates(frame, [query for _, query in grouped])
        except _CHECK_ERRORS:
            # One failing query fails the whole pass: run each alone to find it.
            _run_separately(frame, [task for task, _ in grouped])
        else:
            for (task, _), answer in zip(grouped, answers, strict=True):
                task.advance(answer)
        _run_separately(frame, counting)


def _run_separately(frame: nw.LazyFrame[Any], tasks: Sequence[_Task]) -> None:
    for task in tasks:
        try:
            if isinstance(task.query, Count):
                answer: Any = _count_matching(frame, task.query.condition)
            else:
                assert task.query is not None
                answer = _collect_aggregates(frame, [task.query])[0]
        except _CHECK_ERRORS as error:
            task.record_failure(error)
        else:
            task.advance(answer)


def _collect_aggregates(frame: nw.LazyFrame[Any], queries: Sequence[Aggregates]) -> list[dict[str, Any]]:
    if not queries:
        return []
    expressions = [
        expression.alias(f"{i}.{name}")
        for i, query in enumerate(queries)
        for name, expression in query.expressions.items()
    ]
    values = iter(frame.select(*expressions).collect().row(0))
    return [{name: next(values) for name in query.expressions} for query in queries]


def _matching_rows(frame: nw.LazyFrame[Any], rows: nw.Expr) -> nw.LazyFrame[Any]:
    # Not every engine allows window functions in a filter, so the condition becomes a column first.
    return frame.with_columns(rows.alias("hit")).filter(nw.col("hit"))


def _count_matching(frame: nw.LazyFrame[Any], rows: nw.Expr) -> int:
    return int(_matching_rows(frame, rows).select(nw.len()).collect().row(0)[0])


def _finding_of_task(table: Table, task: _Task, dataset: str | None) -> GhostFinding | None:
    if task.failure is None and task.detection is not None:
        try:
            return _create_finding(table, task, task.detection, dataset)
        except _CHECK_ERRORS as error:
            task.record_failure(error)
    if task.failure is not None:
        return _create_failure_finding(task, task.failure, dataset)
    return None


def _create_finding(table: Table, task: _Task, detection: Detection, dataset: str | None) -> GhostFinding:
    metadata = {
        **_common_metadata(task, dataset),
        "count": detection.count,
        "share": detection.count / table.row_count if table.row_count else 0.0,
        **detection.metadata,
    }
    indices: list[int] | None = None
    if detection.row_condition is not None:
        columns = [ROW] if detection.sample_column is None else [ROW, detection.sample_column]
        hits = (
            _matching_rows(table.frame, detection.row_condition)
            .select(*columns)
            .sort(ROW)
            .head(ROW_CAP)
            .collect()
        )
        indices = hits[ROW].to_list()
        if detection.count > len(indices):
            metadata["rows_truncated"] = True
        if detection.sample_column is not None:
            metadata["samples"] = _distinct_samples(
                hits[detection.sample_column].head(_MAX_SAMPLED_ROWS).to_list()
            )
    return GhostFinding(
        detection.ghost_type,
        task.column_name,
        detection.severity,
        detection.description,
        indices,
        json_codec.to_jsonable(metadata, "metadata"),
    )


def _distinct_samples(values: Sequence[Any]) -> list[Any]:
    return list(dict.fromkeys(format_value(value) for value in values))[:_MAX_SAMPLES]


def _create_failure_finding(task: _Task, error: BaseException, dataset: str | None) -> GhostFinding:
    reason = format_value((str(error).strip().splitlines() or ["no reason given"])[0])
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
    optional = {"dataset": dataset} if dataset else {}
    return {"check": task.detector.check, "params": json_codec.to_jsonable(task.detector.params), **optional}
