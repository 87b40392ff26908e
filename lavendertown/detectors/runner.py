"""Runs detectors on a table: gathers their questions into few passes, then looks up the rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import narwhals as nw
from polars.exceptions import PanicException

from lavendertown import codec
from lavendertown.detectors.base import (
    NOT_CHECKED,
    WHOLE_ROW,
    Aggregates,
    Candidate,
    Count,
    Detector,
    Examination,
    shown,
)
from lavendertown.models import SEVERITIES, GhostFinding
from lavendertown.tables import ROW, Column, Table

ROW_CAP = 200_000
"""Most row positions a finding lists; its count stays exact."""

BATCH = 8
"""Checks whose questions share a pass. Progress is told, and cancelling works, between batches."""

_SAMPLES = 5
_SAMPLED_ROWS = 1_000
_FAULTS = (Exception, PanicException)

Progress = Callable[[int, int, str], object]


@dataclass(frozen=True)
class Check:
    """One check that ran.

    Attributes:
        check: Its name, such as ``"nulls"``.
        column: The column's name, ``"*"`` for whole rows.
        params: What a person chose.
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
    examination: Examination
    question: Aggregates | Count | None = None
    candidate: Candidate | None = None
    checked: bool = True
    failure: BaseException | None = None
    done: bool = field(default=False)

    @property
    def name(self) -> str:
        return self.column.name if self.column else WHOLE_ROW

    @property
    def label(self) -> str:
        return f"{self.detector.title} · {self.column.name if self.column else 'whole rows'}"

    def advance(self, answer: Any) -> None:
        """Hand over an answer (None at first) and take the next question or the verdict."""
        try:
            self.question = self.examination.send(answer)
        except StopIteration as stop:
            self.question, self.done = None, True
            self.checked = stop.value is not NOT_CHECKED
            self.candidate = stop.value if self.checked else None
        except _FAULTS as error:
            self.fail(error)

    def fail(self, error: BaseException) -> None:
        self.failure, self.question, self.done = error, None, True


def run(
    table: Table,
    detectors: Sequence[Detector],
    progress: Progress | None = None,
    *,
    dataset: str | None = None,
    batch: int = BATCH,
) -> tuple[list[GhostFinding], list[Check]]:
    """Run every detector on every column it wants.

    Args:
        table: The data.
        detectors: The checks.
        progress: Called as ``progress(done, total, text)``; what it raises ends the run and passes
            through.
        dataset: Written into each finding's metadata when given.
        batch: How many checks share a pass.

    Returns:
        The findings (most severe first, then by column and type) and the checks that ran and had
        something to say. One that raises becomes a finding of type ``check_error``.
    """
    tell: Progress = progress or (lambda done, total, text: None)
    tasks = list(_tasks(table, detectors))
    made: list[tuple[tuple[int, int, str, int], GhostFinding]] = []
    checks: list[Check] = []
    done = 0
    for group in (tasks[i : i + batch] for i in range(0, len(tasks), batch)):
        tell(done, len(tasks), group[0].label)
        _answer_all(table.frame, group)
        for task in group:
            tell(done, len(tasks), task.label)
            done += 1
            finding = _finding(table, task, dataset)
            if finding is not None:
                made.append((_order(task, finding, done), finding))
            if task.checked:
                checks.append(Check(task.detector.check, task.name, task.detector.params, _outcome(task)))
    tell(len(tasks), len(tasks), "Done")
    return [finding for _, finding in sorted(made, key=lambda pair: pair[0])], checks


def _tasks(table: Table, detectors: Sequence[Detector]) -> Iterator[_Task]:
    if not table.row_count:
        return
    for detector in detectors:
        for column in detector.targets(table):
            yield _Task(detector, column, detector.examine(table, column))


def _order(task: _Task, finding: GhostFinding, place: int) -> tuple[int, int, str, int]:
    position = task.column.position if task.column else -1
    return (-SEVERITIES.index(finding.severity), position, finding.ghost_type, place)


def _outcome(task: _Task) -> Literal["found", "passed", "failed"]:
    if task.failure is not None:
        return "failed"
    return "found" if task.candidate else "passed"


def _answer_all(frame: nw.LazyFrame[Any], tasks: Sequence[_Task]) -> None:
    for task in tasks:
        task.advance(None)
    while waiting := [task for task in tasks if not task.done]:
        counting = [task for task in waiting if isinstance(task.question, Count)]
        grouped = [(task, task.question) for task in waiting if isinstance(task.question, Aggregates)]
        try:
            answers = _aggregate(frame, [question for _, question in grouped])
        except _FAULTS:
            # One bad question spoils the pass for all: ask each by itself to learn which.
            _answer_alone(frame, [task for task, _ in grouped])
        else:
            for (task, _), answer in zip(grouped, answers, strict=True):
                task.advance(answer)
        _answer_alone(frame, counting)


def _answer_alone(frame: nw.LazyFrame[Any], tasks: Sequence[_Task]) -> None:
    for task in tasks:
        try:
            if isinstance(task.question, Count):
                answer: Any = _count(frame, task.question.rows)
            else:
                assert task.question is not None
                answer = _aggregate(frame, [task.question])[0]
        except _FAULTS as error:
            task.fail(error)
        else:
            task.advance(answer)


def _aggregate(frame: nw.LazyFrame[Any], questions: Sequence[Aggregates]) -> list[dict[str, Any]]:
    if not questions:
        return []
    asked = [
        expression.alias(f"{i}.{name}")
        for i, question in enumerate(questions)
        for name, expression in question.expressions.items()
    ]
    values = iter(frame.select(*asked).collect().row(0))
    return [{name: next(values) for name in question.expressions} for question in questions]


def _hits(frame: nw.LazyFrame[Any], rows: nw.Expr) -> nw.LazyFrame[Any]:
    # The condition becomes a column first, so that windows are allowed in it on every engine.
    return frame.with_columns(rows.alias("hit")).filter(nw.col("hit"))


def _count(frame: nw.LazyFrame[Any], rows: nw.Expr) -> int:
    return int(_hits(frame, rows).select(nw.len()).collect().row(0)[0])


def _finding(table: Table, task: _Task, dataset: str | None) -> GhostFinding | None:
    if task.failure is None and task.candidate is not None:
        try:
            return _found(table, task, task.candidate, dataset)
        except _FAULTS as error:
            task.fail(error)
    if task.failure is not None:
        return _failed(task, task.failure, dataset)
    return None


def _found(table: Table, task: _Task, candidate: Candidate, dataset: str | None) -> GhostFinding:
    metadata = {
        **_common(task, dataset),
        "count": candidate.count,
        "share": candidate.count / table.row_count,
        **candidate.metadata,
    }
    indices: list[int] | None = None
    if candidate.rows is not None:
        wanted = [ROW] if candidate.sample is None else [ROW, candidate.sample]
        hits = _hits(table.frame, candidate.rows).select(*wanted).sort(ROW).head(ROW_CAP).collect()
        indices = hits[ROW].to_list()
        if candidate.count > len(indices):
            metadata["rows_truncated"] = True
        if candidate.sample is not None:
            metadata["samples"] = _samples(hits[candidate.sample].head(_SAMPLED_ROWS).to_list())
    return GhostFinding(
        candidate.ghost_type,
        task.name,
        candidate.severity,
        candidate.description,
        indices,
        codec.plain(metadata, "metadata"),
    )


def _samples(values: Sequence[Any]) -> list[Any]:
    return list(dict.fromkeys(shown(value) for value in values))[:_SAMPLES]


def _failed(task: _Task, error: BaseException, dataset: str | None) -> GhostFinding:
    reason = shown((str(error).strip().splitlines() or ["no reason given"])[0])
    return GhostFinding(
        "check_error",
        task.name,
        "warning",
        f"The check '{task.detector.title}' could not run on {task.label.split(' · ', 1)[1]}: {reason}",
        None,
        {
            **_common(task, dataset),
            "count": 0,
            "share": 0.0,
            "error": type(error).__name__,
            "reason": reason,
        },
    )


def _common(task: _Task, dataset: str | None) -> dict[str, Any]:
    named = {"dataset": dataset} if dataset else {}
    return {"check": task.detector.check, "params": codec.plain(task.detector.params), **named}
