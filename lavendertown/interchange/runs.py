"""The result of reading another tool's file: one run of checks on one dataset."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from lavendertown.core.findings import SEVERITIES, WHOLE_ROW, GhostFinding
from lavendertown.interchange.sources import ImportFileError
from lavendertown.interchange.wording import describe_crash, describe_failure
from lavendertown.profile.evidence import MAX_SAMPLES, FindingSamples, SampleRow, ValueCount

MAX_POSITIONS = 200_000
"""The maximum number of row positions that are kept of one finding; its count stays exact."""
MAX_CHECKS = 100_000
"""The maximum number of checks in a file of another tool; with more, an import can need over 500 MiB."""
_MAX_SHARED = 1_000_000
"""Positions below this number are shared by the findings of a run."""
ANNOTATIONS = "annotations"
"""The key in the metadata of a finding for its exported annotations, which are saved as such."""

_NOTHING: Mapping[str, Any] = {}
"""The parameters and settings of a check without any; shared, because a file can have 300,000 checks."""

Outcome = Literal["found", "passed", "failed", "not_run"]
"""Outcome of a check; ``failed`` means that the check itself crashed, as in a report's coverage."""


@dataclass(frozen=True, slots=True)
class CheckResult:
    """A check that a tool lists.

    Attributes:
        check: The name of the check, without values that the run produced.
        column: The column, or ``"*"``.
        params: The values that a person chose for the check.
        check_id: The tool's own stable id of the check; empty if it has none. It replaces ``check`` and
            ``params`` in the fingerprint.
        outcome: What happened to it in this run.
        settings: What a person set besides, as in a report of LavenderTown.
    """

    check: str
    column: str = WHOLE_ROW
    params: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)
    check_id: str = ""
    outcome: Outcome = "passed"
    settings: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)

    def to_dict(self) -> dict[str, Any]:
        """Return the check as an entry of a report's coverage."""
        entry: dict[str, Any] = {
            "check": self.check,
            "column": self.column,
            "params": self.params,
            "outcome": self.outcome,
        }
        if self.check_id:
            entry["check_id"] = self.check_id
        if self.settings:
            entry["settings"] = self.settings
        return entry


@dataclass(frozen=True, slots=True)
class ImportedRun:
    """One run of a tool's checks on one dataset.

    Attributes:
        tool: The name of the tool that people know, such as ``"dbt"``.
        tool_version: Its version; empty if the file does not tell.
        dataset: The dataset as the file names it; empty if it names none.
        ran_at: When the checks ran, an aware time; None if the file does not tell.
        run_id: The tool's id of the run; empty if it has none.
        findings: A finding for each check that failed (severity error) or warned (warning), and one of the
            type ``check_error`` for each check that crashed.
        passed, errored, not_run: The checks that passed, crashed, or did not run.
        row_count: The number of rows of the table; None if unknown.
        samples: The values of failing rows that the tool gives, by the position of the finding in
            ``findings``, as :class:`lavendertown.profile.evidence.Evidence` has them before a report is made.
        first_row: The number that the source counts for the row at position 0.
        has_unique_check_ids: Whether each check id belongs to one column, so that a finding with the same
            check id is the same finding even if its column or type is described in more or less detail.
        report: A whole report in LavenderTown's own format; then all other attributes are empty.
    """

    tool: str
    tool_version: str = ""
    dataset: str = ""
    ran_at: dt.datetime | None = None
    run_id: str = ""
    findings: tuple[GhostFinding, ...] = ()
    passed: tuple[CheckResult, ...] = ()
    errored: tuple[CheckResult, ...] = ()
    not_run: tuple[CheckResult, ...] = ()
    row_count: int | None = None
    samples: Mapping[str, FindingSamples] = field(default_factory=dict)
    first_row: int = 1
    has_unique_check_ids: bool = False
    report: Mapping[str, Any] | None = None

    @property
    def check_count(self) -> int:
        """The number of checks, however they ended."""
        return len(self.findings) + len(self.passed) + len(self.not_run)

    def coverage(self) -> dict[str, Any]:
        """Return the checks of this run as plain JSON for a report's metadata.

        The keys are those of :meth:`lavendertown.inspector.Inspector.coverage` that the file tells, and
        ``not_run``, the checks that the file lists although they did not run.
        """
        found = {_coverage_key(each): each for each in map(_found_check, self.findings) if each is not None}
        checks = [*found.values(), *self.passed, *self.errored]
        coverage: dict[str, Any] = {
            "checks_run": len(checks),
            "passed": len(self.passed),
            "failed": len(self.errored),
            "ran": [check.to_dict() for check in checks],
            "not_run": [check.to_dict() for check in self.not_run],
        }
        return coverage | ({"rows": self.row_count} if self.row_count is not None else {})


def _found_check(finding: GhostFinding) -> CheckResult | None:
    if finding.ghost_type == "check_error":
        return None
    metadata = finding.metadata
    return CheckResult(
        str(metadata.get("check") or ""),
        finding.column,
        metadata.get("params", {}),
        str(metadata.get("check_id") or ""),
        "found",
        metadata.get("settings") or {},
    )


def _coverage_key(check: CheckResult) -> tuple[str, ...]:
    return (check.check_id,) if check.check_id else (check.check, check.column, repr(check.params))


@dataclass(slots=True)
class Failure:
    """A check that failed, as far as a tool describes it.

    Attributes:
        check: The check.
        ghost_type: The type of the problem.
        severity: ``"info"``, ``"warning"`` or ``"error"``.
        count: The number of affected rows or values; None if unknown.
        total: The number of all rows or values; None if unknown.
        share: The affected share, 0 to 1, if the tool gives a share but no total.
        positions: The 0-based positions of affected rows; None if unknown.
        detail: A sentence of the tool that describes the problem better than type and column do.
        metadata: Further metadata of the finding.
        sample_rows: The first affected rows, with their values.
        frequent: The most frequent affected values.
    """

    check: CheckResult
    ghost_type: str
    severity: str = "error"
    count: int | None = None
    total: int | None = None
    share: float | None = None
    positions: list[int] | None = None
    detail: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    sample_rows: list[SampleRow] = field(default_factory=list)
    frequent: list[ValueCount] = field(default_factory=list)

    def add(self, other: Failure) -> None:
        """Add another failure of the same check: its rows and its count."""
        self.severity = max(self.severity, other.severity, key=SEVERITIES.index)
        if self.count is not None and other.count is not None:
            self.count += other.count
        if self.positions is not None and other.positions is not None:
            room = MAX_POSITIONS - len(self.positions)
            self.positions += other.positions[: max(room, 0)]
        self._add_sample_rows(other.sample_rows)

    def _add_sample_rows(self, rows: Iterable[SampleRow]) -> None:
        """Add rows up to :data:`MAX_SAMPLES`; values of a row that is there already join it."""
        for row in rows:
            known = next((each for each in self.sample_rows if each.position == row.position), None)
            if known is not None:
                known.values.update({**row.values, **known.values})
            elif len(self.sample_rows) < MAX_SAMPLES:
                self.sample_rows.append(row)

    def to_samples(self) -> FindingSamples | None:
        """Return the values of failing rows as evidence; None if the tool gives none."""
        if not self.sample_rows and not self.frequent:
            return None
        column = "" if self.check.column == WHOLE_ROW else self.check.column
        rows = sorted(self.sample_rows, key=lambda row: row.position)
        return FindingSamples(column, rows, self.frequent)

    def to_finding(self) -> GhostFinding:
        """Return the finding, with a description of one sentence."""
        share = self.share
        if self.count is not None and self.total:
            share = min(self.count / self.total, 1.0)
        metadata = {
            "check": self.check.check,
            "params": dict(self.check.params),
            "count": self.count,
            "share": share,
            **({"check_id": self.check.check_id} if self.check.check_id else {}),
            **self.metadata,
        }
        description = self.detail or describe_failure(
            self.ghost_type, self.check.check, self.check.column, self.count, self.total, share
        )
        positions = None if self.positions is None else sorted({p for p in self.positions if p >= 0})
        return GhostFinding(
            self.ghost_type, self.check.column, self.severity, description, positions, metadata
        )


class TooManyChecksError(Exception):
    """A run has more than :data:`MAX_CHECKS` checks; :func:`read_limited_runs` names the file."""


def read_limited_runs(read: Callable[[], list[ImportedRun]], file_name: str) -> list[ImportedRun]:
    """Return the runs of a file.

    Raises:
        ImportFileError: They have more than :data:`MAX_CHECKS` checks.
    """
    try:
        runs = read()
        if sum(run.check_count for run in runs) > MAX_CHECKS:
            raise TooManyChecksError
    except TooManyChecksError:
        raise ImportFileError(
            f"{file_name} lists more than {MAX_CHECKS:,} checks, which need too much memory; split it into "
            "several files, for example one for each dataset."
        ) from None
    return runs


class RunBuilder:
    """Collects the results of one run, check by check; failures of the same check become one finding."""

    def __init__(self, tool: str) -> None:
        self.tool = tool
        self.tool_version = ""
        self.dataset = ""
        self.ran_at: dt.datetime | None = None
        self.run_id = ""
        self.row_count: int | None = None
        self.first_row = 1
        self.has_unique_check_ids = False
        self._numbers: dict[int, int] = {}
        self._failures: dict[tuple[str, ...], Failure] = {}
        self._errors: dict[tuple[str, ...], tuple[CheckResult, str]] = {}
        self._passed: dict[tuple[str, ...], CheckResult] = {}
        self._not_run: dict[tuple[str, ...], CheckResult] = {}

    @property
    def failed_check_ids(self) -> set[str]:
        """The ids of the checks that failed or crashed so far."""
        errors = (check.check_id for check, _ in self._errors.values())
        return {failure.check.check_id for failure in self._failures.values()} | set(errors)

    def add_failure(self, failure: Failure) -> None:
        """Add a check that failed; at most :data:`MAX_POSITIONS` of its positions are kept."""
        if failure.positions is not None:
            failure.positions = [self._share_number(each) for each in failure.positions[:MAX_POSITIONS]]
        key = (failure.ghost_type, failure.check.column, *_coverage_key(failure.check))
        if key in self._failures:
            self._failures[key].add(failure)
        else:
            self._failures[key] = failure
            self._refuse_too_many()

    def _share_number(self, position: int) -> int:
        """Return an equal number that all findings share: a file of 100 MB can have 15 million positions."""
        return self._numbers.setdefault(position, position) if position < _MAX_SHARED else position

    def add_error(self, check: CheckResult, message: str = "") -> None:
        """Add a check that crashed, with the tool's message."""
        self._errors.setdefault(_key(check), (replace(check, outcome="failed"), message))
        self._refuse_too_many()

    def add_pass(self, check: CheckResult) -> None:
        """Add a check that passed."""
        self._passed.setdefault(_key(check), check)
        self._refuse_too_many()

    def add_not_run(self, check: CheckResult) -> None:
        """Add a check that did not run."""
        self._not_run.setdefault(_key(check), replace(check, outcome="not_run"))
        self._refuse_too_many()

    def _refuse_too_many(self) -> None:
        count = len(self._failures) + len(self._errors) + len(self._passed) + len(self._not_run)
        if count > MAX_CHECKS:
            raise TooManyChecksError

    def add_outcome(self, outcome: Outcome, check: CheckResult, failure: Failure, message: str = "") -> None:
        """Add a check by its outcome; the failure and the message are used if they apply."""
        if outcome == "found":
            self.add_failure(failure)
        elif outcome == "failed":
            self.add_error(check, message)
        elif outcome == "passed":
            self.add_pass(check)
        else:
            self.add_not_run(check)

    def finish(self) -> ImportedRun:
        """Return the run. A check that failed once did not pass, however often it is listed."""
        failed = {_coverage_key(failure.check) for failure in self._failures.values()}
        failed |= {_coverage_key(check) for check, _ in self._errors.values()}
        errored = tuple(check for check, _ in self._errors.values())
        findings = list(self._findings())
        return ImportedRun(
            self.tool,
            self.tool_version,
            self.dataset,
            self.ran_at,
            self.run_id,
            tuple(finding for finding, _ in findings),
            tuple(check for check in self._passed.values() if _coverage_key(check) not in failed),
            errored,
            tuple(check for check in self._not_run.values() if _coverage_key(check) not in failed),
            self.row_count,
            {str(place): samples for place, (_, samples) in enumerate(findings) if samples is not None},
            self.first_row,
            self.has_unique_check_ids,
        )

    def _findings(self) -> Iterator[tuple[GhostFinding, FindingSamples | None]]:
        """Yield the findings with the values of their failing rows, the most severe first."""
        found = [(failure.to_finding(), failure.to_samples()) for failure in self._failures.values()]
        found += [(_error_finding(check, message), None) for check, message in self._errors.values()]
        yield from sorted(found, key=lambda pair: -SEVERITIES.index(pair[0].severity))


def _key(check: CheckResult) -> tuple[str, ...]:
    return (check.column, *_coverage_key(check))


def _error_finding(check: CheckResult, message: str) -> GhostFinding:
    metadata = {
        "check": check.check,
        "params": dict(check.params),
        "count": None,
        "share": None,
        **({"check_id": check.check_id} if check.check_id else {}),
    }
    description = describe_crash(check.check, check.column, message)
    return GhostFinding("check_error", check.column, "error", description, None, metadata)


def merge_runs(runs: Iterable[ImportedRun], dataset: str) -> ImportedRun:
    """Return several runs of one file as one run on one dataset.

    The columns are named ``table.column``, because tables can share column names.
    """
    parts = [_with_table_names(run) for run in runs]
    first = parts[0]
    starts = itertools.accumulate((len(run.findings) for run in parts), initial=0)
    times = [run.ran_at for run in parts if run.ran_at is not None]
    return replace(
        first,
        dataset=dataset,
        ran_at=max(times, default=None),
        findings=tuple(finding for run in parts for finding in run.findings),
        passed=tuple(check for run in parts for check in run.passed),
        errored=tuple(check for run in parts for check in run.errored),
        not_run=tuple(check for run in parts for check in run.not_run),
        row_count=None,
        samples={
            str(start + int(place)): samples
            for start, run in zip(starts, parts, strict=False)
            for place, samples in run.samples.items()
        },
    )


def _with_table_names(run: ImportedRun) -> ImportedRun:
    def rename(item: Any) -> Any:
        column = run.dataset if item.column == WHOLE_ROW else f"{run.dataset}.{item.column}"
        return replace(item, column=column) if run.dataset else item

    return replace(
        run,
        findings=tuple(map(rename, run.findings)),
        passed=tuple(map(rename, run.passed)),
        errored=tuple(map(rename, run.errored)),
        not_run=tuple(map(rename, run.not_run)),
        samples={place: _name_columns(samples, run.dataset) for place, samples in run.samples.items()},
    )


def _name_columns(samples: FindingSamples, table: str) -> FindingSamples:
    if not table:
        return samples
    return replace(
        samples,
        column=f"{table}.{samples.column}" if samples.column else "",
        rows=[
            replace(row, values={f"{table}.{name}": value for name, value in row.values.items()})
            for row in samples.rows
        ],
    )
