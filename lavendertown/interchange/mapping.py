"""Read results of checks from any table, by a mapping of its columns to what they say."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from lavendertown.core import clock
from lavendertown.core.errors import InvalidInputError
from lavendertown.core.findings import WHOLE_ROW
from lavendertown.interchange.reading import ReadRun, name_datasets
from lavendertown.interchange.runs import (
    CheckResult,
    Failure,
    ImportedRun,
    Outcome,
    RunBuilder,
    read_limited_runs,
)
from lavendertown.interchange.sources import ImportFileError
from lavendertown.interchange.wording import guess_ghost_type, shorten

if TYPE_CHECKING:
    from lavendertown.tables import Table

ROLES = ("dataset", "column", "check", "status", "severity", "rows", "value", "time")
"""What a column of a table of results can say."""

_TOOL = "Results"
_CHUNK = 10_000
_STATUSES: Mapping[str, tuple[Outcome, str]] = {
    **dict.fromkeys(
        ("pass", "passed", "ok", "success", "succeeded", "true", "yes", "1", "green"), ("passed", "")
    ),
    **dict.fromkeys(
        ("fail", "failed", "failure", "false", "no", "0", "red", "ko", "violated"), ("found", "")
    ),
    **dict.fromkeys(("warn", "warning", "warned", "yellow", "amber"), ("found", "warning")),
    **dict.fromkeys(("error", "errored", "crashed", "exception"), ("failed", "")),
    **dict.fromkeys(("skip", "skipped", "not run", "not_run", "disabled", "ignored"), ("not_run", "")),
}
_SEVERITIES = {
    **dict.fromkeys(("error", "critical", "blocker", "high", "major", "severe", "fatal"), "error"),
    **dict.fromkeys(("warning", "warn", "medium", "moderate", "minor"), "warning"),
    **dict.fromkeys(("info", "low", "notice", "information", "trivial"), "info"),
}
_NAMES: Mapping[str, tuple[str, ...]] = {
    "dataset": ("dataset", "table", "table name", "dataset name", "model", "asset", "source"),
    "column": ("column", "column name", "field", "field name", "attribute"),
    "check": ("check", "check name", "test", "test name", "rule", "rule name", "expectation", "constraint"),
    "status": ("status", "result", "outcome", "state", "success", "passed", "check status", "test status"),
    "severity": ("severity", "level", "priority", "criticality"),
    "rows": (
        "rows",
        "failed rows",
        "failing rows",
        "failures",
        "violations",
        "failed",
        "unexpected count",
        "count",
    ),
    "value": ("value", "observed value", "observed", "actual", "actual value", "metric value"),
    "time": ("time", "timestamp", "run at", "executed at", "run time", "run date", "date", "created at"),
}


@dataclass(frozen=True)
class ResultMapping:
    """Which column of a table of results says what.

    Attributes:
        columns: The names of the columns by their role, one of :data:`ROLES`.
    """

    columns: Mapping[str, str]

    def __post_init__(self) -> None:
        unknown = [role for role in self.columns if role not in ROLES]
        if unknown:
            raise InvalidInputError(
                f"A mapping has no entry {shorten(str(unknown[0]), 40)!r}; use {', '.join(ROLES)}."
            )
        if not all(isinstance(name, str) and name for name in self.columns.values()):
            raise InvalidInputError(
                "A mapping gives the name of a column for each entry, such as check: test_name."
            )
        if "check" not in self.columns and "column" not in self.columns:
            raise InvalidInputError("A mapping needs the column with the check, or the one with the column.")
        if "status" not in self.columns and "rows" not in self.columns and "severity" not in self.columns:
            raise InvalidInputError(
                "A mapping needs the column with the status, the severity or the failing rows."
            )

    def refuse_missing_columns(self, columns: Sequence[str], file_name: str) -> None:
        """Refuse a table that lacks a column of the mapping.

        Raises:
            ImportFileError: It lacks one; the message names it.
        """
        missing = [name for name in self.columns.values() if name not in columns]
        if missing:
            raise ImportFileError(
                f"{file_name} has no column {missing[0]!r}; its columns are {', '.join(columns[:20])}."
            )


def suggest_mapping(columns: Sequence[str]) -> dict[str, str]:
    """Return the columns by role, as far as their names tell; each column has one role at most."""
    plain = {
        " ".join(re.findall(r"[a-z0-9]+", _split_case(name).lower())): name for name in reversed(columns)
    }
    found: dict[str, str] = {}
    for role, names in _NAMES.items():
        name = next(
            (plain[each] for each in names if each in plain and plain[each] not in found.values()), None
        )
        if name is not None:
            found[role] = name
    return found


def _split_case(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)


def read_mapped_runs(
    table: Table,
    mapping: ResultMapping,
    *,
    file_name: str,
    digest: str,
    dataset: str,
    given_dataset: str = "",
) -> list[ReadRun]:
    """Return the results in a table, a run for each dataset.

    Without a column for the status, a row is a failure unless its number of failing rows is 0.

    Args:
        table: The table, a row for each check.
        mapping: What its columns say.
        file_name: The name of the file, for messages.
        digest: The SHA-256 of the file's content.
        dataset: The dataset of rows that name none.
        given_dataset: The dataset of all rows, whatever they name; they become one run then. Empty for none.

    Raises:
        ImportFileError: A column is missing, a cell cannot be understood (the message names its row), or
            there are too many checks.
    """
    # Imported here, because it imports the data libraries.
    from lavendertown.profile.measure import first_row_number

    mapping.refuse_missing_columns(table.columns, file_name)

    def read_rows() -> list[ImportedRun]:
        runs: dict[str, RunBuilder] = {}
        for number, cells in enumerate(_iterate_rows(table, mapping), first_row_number(table)):
            if not any(cells.values()):
                continue
            name = cells.get("dataset") or dataset
            run = runs.get(name)
            if run is None:
                run = runs[name] = RunBuilder(_TOOL)
                run.dataset = name
            _add_row(run, cells, f"{file_name}, row {number:,}")
        return [replace(run.finish(), dataset=name) for name, run in runs.items()]

    found = read_limited_runs(read_rows, file_name)
    if not found:
        raise ImportFileError(f"{file_name} contains no results of checks.")
    return [ReadRun(run, file_name, digest) for run in name_datasets(found, given_dataset, dataset)]


def _iterate_rows(table: Table, mapping: ResultMapping) -> Iterator[dict[str, str]]:
    for start in range(0, table.row_count, _CHUNK):
        positions = range(start, min(start + _CHUNK, table.row_count))
        rows = table.rows(positions, _CHUNK, list(dict.fromkeys(mapping.columns.values())))
        for _, row in rows.iterrows():
            yield {role: _to_text(row[name]) for role, name in mapping.columns.items()}


def _to_text(value: Any) -> str:
    if value is None or value != value:  # NaN and NaT differ from themselves.
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _add_row(run: RunBuilder, cells: Mapping[str, str], place: str) -> None:
    check_name, column = cells.get("check", ""), cells.get("column", "") or WHOLE_ROW
    if not check_name and column == WHOLE_ROW:
        raise ImportFileError(f"{place}: neither the check nor the column is named.")
    check_name = check_name or "check"
    count = _to_count(cells.get("rows", ""), place)
    outcome, severity = _judge(cells, count, place)
    check = CheckResult(check_name, column, outcome=outcome)
    value = cells.get("value", "")
    metadata = {"value": shorten(value, 200)} if value else {}
    failure = Failure(check, guess_ghost_type(check_name), severity, count, metadata=metadata)
    run.add_outcome(outcome, check, failure)
    if cells.get("time"):
        moment = _to_time(cells["time"], place)
        run.ran_at = moment if run.ran_at is None else max(run.ran_at, moment)


def _judge(cells: Mapping[str, str], count: int | None, place: str) -> tuple[Outcome, str]:
    """Return the outcome of a row, and the severity of its finding."""
    status, level = cells.get("status", "").lower(), cells.get("severity", "").lower()
    if level and level not in _SEVERITIES:
        raise ImportFileError(f"{place}: the severity {level!r} is unknown; use info, warning or error.")
    severity = _SEVERITIES.get(level, "")
    if not status:
        return ("passed" if count == 0 else "found"), severity or "error"
    if status not in _STATUSES:
        raise ImportFileError(
            f"{place}: the status {status!r} is unknown; use passed, failed, warning, error or skipped."
        )
    outcome, implied = _STATUSES[status]
    return outcome, severity or implied or "error"


def _to_count(text: str, place: str) -> int | None:
    if not text:
        return None
    try:
        number = float(text.replace(",", "").replace(" ", ""))
        if number < 0 or not number.is_integer():
            raise ValueError
    except (ValueError, OverflowError):
        raise ImportFileError(f"{place}: {shorten(text, 40)!r} is not a number of rows.") from None
    return int(number)


def _to_time(text: str, place: str) -> dt.datetime:
    try:
        return clock.to_utc(dt.datetime.fromisoformat(text), clock.UTC)
    except (ValueError, OverflowError):
        raise ImportFileError(
            f"{place}: {shorten(text, 40)!r} is not a time; write it as 2026-05-01T10:30:00Z."
        ) from None
