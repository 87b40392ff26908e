"""Frictionless 4 and 5: the report of a validation. Each resource is a dataset.

A report lists errors only. If it is complete, the checks that every validation runs and that have no error
passed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from lavendertown.core.dataset_names import dataset_name
from lavendertown.core.findings import WHOLE_ROW
from lavendertown.interchange.formats import (
    Content,
    ImportFormat,
    read_count,
    read_mapping,
    read_text,
    read_time,
    read_value,
)
from lavendertown.interchange.json_stream import read_items
from lavendertown.interchange.runs import CheckResult, Failure, ImportedRun, RunBuilder
from lavendertown.interchange.sources import ResultFile
from lavendertown.profile.evidence import SampleRow

_CONSTRAINTS = {
    "required": "null",
    "unique": "duplicate",
    "minLength": "format",
    "maxLength": "format",
    "minimum": "outlier",
    "maximum": "outlier",
    "pattern": "format",
    "enum": "category",
}
_BASELINE = {
    "blank-label": "rule",
    "duplicate-label": "duplicate",
    "missing-label": "rule",
    "extra-label": "rule",
    "incorrect-label": "rule",
    "blank-header": "rule",
    "blank-row": "null",
    "missing-cell": "null",
    "extra-cell": "rule",
    "type-error": "type",
    "constraint-error": "rule",
    "unique-error": "duplicate",
    "primary-key": "duplicate",
    "foreign-key": "dependency",
    **{f"constraint-error:{name}": kind for name, kind in _CONSTRAINTS.items()},
}
"""The checks that every validation runs, with the ghost types of their errors."""
_CRASHES = re.compile(
    r"(?:check|task|report|general|source|scheme|format|encoding|compression|resource|schema)-?error"
)
_MAX_ERRORS = 1000
"""The number of errors after which a validation stops by default."""
_CONSTRAINT = re.compile(r'constraint "(\w+)"')


def _is_report(content: Content) -> bool:
    outline = content.outline
    return outline.has("tasks", "valid", "stats") or outline.has("tasks/[]/errors", "tasks/[]/valid")


def _read_report(file: ResultFile, descriptions: Sequence[ResultFile]) -> list[ImportedRun]:
    tasks: dict[str, _Task] = {}
    version, ran_at = "", None
    items = ["tasks/[]/errors/[]", *(f"tasks/[]/{key}" for key in _TASK_KEYS)]
    header = ["version", "time", "created"]
    for path, value in read_items(file, items, header, ("cells", "labels", "data")):
        if not path:
            version = read_text(value.get("version"))
            ran_at = read_time(value.get("created"))
        else:
            task = tasks.setdefault(path[1], _Task())
            if path[2] == "errors":
                task.add_error(read_mapping(value))
            else:
                task.fields[path[2]] = value
    runs = [task.finish() for task in tasks.values()] or [RunBuilder("Frictionless")]
    for run in runs:
        run.tool_version, run.ran_at = version, ran_at
    return [run.finish() for run in runs]


_TASK_KEYS = ("name", "place", "path", "resource", "stats", "scope", "partial", "valid", "type")


class _Task:
    """The validation of one resource."""

    def __init__(self) -> None:
        self.fields: dict[str, Any] = {}
        self._run = RunBuilder("Frictionless")
        self._run.first_row = 2
        self._error_count = 0
        self._crashed = False

    def add_error(self, error: Mapping[str, Any]) -> None:
        """Add an error of the report."""
        self._error_count += 1
        kind = read_text(error.get("type")) or read_text(error.get("code")) or "error without a type"
        column = read_text(error.get("fieldName")) or read_text(error.get("label")) or WHOLE_ROW
        note = read_text(error.get("note"))
        if _CRASHES.fullmatch(kind):
            self._crashed = True
            self._run.add_error(CheckResult(kind, column, {}, f"frictionless:{kind}"), note)
            return
        if kind == "constraint-error" and (constraint := _CONSTRAINT.search(note)):
            kind = f"constraint-error:{constraint[1]}"
        row = read_count(error.get("rowNumber")) or read_count(error.get("rowPosition"))
        check = CheckResult(kind.replace(":", " "), column, {}, f"frictionless:{kind}")
        # The first row of data is row 2, after the header.
        positions = [row - 2] if row is not None and row >= 2 else None
        ghost_type = _BASELINE.get(kind, "rule")
        failure = Failure(check, ghost_type, "error", None if row is None else 1, None, None, positions)
        if positions and column != WHOLE_ROW and "cell" in error:
            failure.sample_rows = [SampleRow(positions[0], {column: read_value(error["cell"])})]
        self._run.add_failure(failure)

    def finish(self) -> RunBuilder:
        """Return the results of the resource."""
        run, stats = self._run, read_mapping(self.fields.get("stats"))
        resource = read_mapping(self.fields.get("resource"))
        path = read_text(self.fields.get("place")) or read_text(resource.get("path"))
        run.dataset = read_text(self.fields.get("name")) or read_text(resource.get("name"))
        if not run.dataset and path:
            run.dataset = dataset_name(path)
        run.row_count = read_count(stats.get("rows"))
        total = read_count(stats.get("errors"))
        is_complete = (
            not self._crashed
            and not self.fields.get("partial")
            and self._error_count < _MAX_ERRORS
            and (total is None or total == self._error_count)
            and isinstance(self.fields.get("valid"), bool)
            and bool(run.row_count)
        )
        if is_complete:
            for kind in _BASELINE.keys() - {
                each.removeprefix("frictionless:") for each in run.failed_check_ids
            }:
                run.add_pass(CheckResult(kind.replace(":", " "), WHOLE_ROW, {}, f"frictionless:{kind}"))
        return run


REPORT = ImportFormat("frictionless", "a report of Frictionless", _is_report, _read_report)
