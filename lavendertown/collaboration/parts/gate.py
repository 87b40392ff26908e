"""The gate: whether the findings of a run should stop a pipeline, judged by identity and triage."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from typing import Any, NamedTuple

from lavendertown.collaboration.parts.context import StorageContext, StoragePart
from lavendertown.collaboration.parts.triage import Triage
from lavendertown.core import clock, statuses
from lavendertown.core.errors import NotFoundError
from lavendertown.core.findings import SEVERITIES, GhostFinding
from lavendertown.core.fingerprints import check_key, compute_fingerprint, executed_check_keys
from lavendertown.core.garbage_collection import gc_paused
from lavendertown.core.run_readings import is_read_differently, read_run_reading
from lavendertown.inbox.attention import exceeds_ceiling, find_ceiling
from lavendertown.records.identities import Acceptance, Identity, add_counts, add_shares, is_snoozed
from lavendertown.records.queries import ReportQuery
from lavendertown.records.record_classes import Page, ReportRecord, TriageRecord
from lavendertown.records.store import Store

LATEST = "latest"
_MIN_ROWS_FOR_SHARE = 20
"""Sizes of tables with fewer rows are compared by the number of affected rows, not by their share."""
_MAX_BASELINES = 10
"""The maximum number of earlier runs that are read for checks that the last run did not run."""


class FailOn(StrEnum):
    """What fails a run.

    NEW, REGRESSED and WORSE compare it with a baseline. The others are open findings: of at least this
    severity, or any.
    """

    NEW = "new"
    REGRESSED = "regressed"
    WORSE = "worse"
    ERROR = "error"
    WARNING = "warning"
    INFO = "info"
    ANY = "any"


COMPARING = (FailOn.NEW, FailOn.REGRESSED, FailOn.WORSE)
"""What needs a baseline."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the gate says of one finding.

    Attributes:
        finding: The finding of this run.
        finding_id: Its current id; empty if the storage cannot be read.
        failed_on: What it fails of that which was asked; empty if it fails nothing.
        reason: Why it fails or is spared, as a sentence; empty if there is nothing to say.
    """

    finding: GhostFinding
    finding_id: str
    failed_on: tuple[FailOn, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class GateResult:
    """The result of a gate.

    Attributes:
        dataset: The dataset.
        fail_on: What was asked.
        baseline: The id of the report that the run was compared with; empty for none.
        judgements: One for each finding, in their order.
        notes: Sentences about how the findings were judged.
    """

    dataset: str
    fail_on: tuple[FailOn, ...]
    baseline: str
    judgements: Sequence[Judgement]
    notes: Sequence[str]

    @property
    def failures(self) -> list[Judgement]:
        """The findings that fail the run."""
        return [each for each in self.judgements if each.failed_on]

    @property
    def spared(self) -> list[Judgement]:
        """The findings that fail nothing because of what people decided."""
        return [each for each in self.judgements if not each.failed_on and each.reason]

    @property
    def has_passed(self) -> bool:
        """Whether nothing that was asked fails the run."""
        return not self.failures

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain JSON values."""
        return {
            "dataset": self.dataset,
            "passed": self.has_passed,
            "fail_on": [each.value for each in self.fail_on],
            "baseline": self.baseline or None,
            "failures": [
                {
                    "finding_id": each.finding_id,
                    "failed_on": [kind.value for kind in each.failed_on],
                    "severity": each.finding.severity,
                    "column": each.finding.column,
                    "description": each.finding.description,
                    "reason": each.reason,
                }
                for each in self.failures
            ],
            "spared": [{"finding_id": each.finding_id, "reason": each.reason} for each in self.spared],
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True)
class Run:
    """A run to judge, saved or not.

    Attributes:
        dataset: The dataset.
        findings: The findings.
        row_count: The number of rows of the table; None to compute it from the count and the share of each
            finding.
        ran_at: When it ran; the baseline ran before.
        report_id: The report of the run, which is never its own baseline; empty if it has none.
        coverage: What the run checked, as :meth:`lavendertown.inspector.Inspector.coverage` returns it;
            empty if that is not known.
    """

    dataset: str
    findings: Sequence[GhostFinding]
    row_count: int | None
    ran_at: dt.datetime
    report_id: str = ""
    coverage: Mapping[str, Any] = field(default_factory=dict)


def judge_by_severity(run: Run, fail_on: Sequence[FailOn], note: str) -> GateResult:
    """Judge a run without a storage: every finding counts as open.

    Args:
        run: The run.
        fail_on: What fails it; those that need a baseline never do.
        note: Why the storage is not used.
    """
    asked = tuple(fail_on)
    judgements = [Judgement(each, "", _failed_levels(each.severity, asked), "") for each in run.findings]
    return GateResult(run.dataset, asked, "", judgements, [note])


class Gate(StoragePart):
    """Judges runs by what a storage knows of their findings."""

    def __init__(self, context: StorageContext, triage: Triage) -> None:
        super().__init__(context)
        self._triage = triage

    def judge_run(self, run: Run, fail_on: Sequence[FailOn], baseline: str = LATEST) -> GateResult:
        """Judge a run.

        Closed findings, accepted ones within their ceiling, and snoozed ones fail nothing.

        Args:
            run: The run.
            fail_on: What fails it.
            baseline: The id of a report, or ``latest`` for the last run of the dataset before.

        Raises:
            NotFoundError: There is no such report.
        """
        # The records of thousands of findings; collecting garbage during that takes a third of the time.
        with gc_paused():
            return self._judge_run(run, fail_on, baseline)

    def _judge_run(self, run: Run, fail_on: Sequence[FailOn], baseline: str) -> GateResult:
        compares = any(kind in COMPARING for kind in fail_on)
        earlier = self._iterate_baselines(run, baseline) if compares else iter(())
        former = next(earlier, None)
        notes = []
        if compares and former is None:
            notes.append(
                f"{run.dataset} has no earlier run: this is the baseline for "
                f"{', '.join(kind for kind in fail_on if kind in COMPARING)}."
            )
        known = _Known(self._context.store, self._triage, run.dataset)
        comparison = _Comparison(former, run, known) if former is not None else None
        named = [(known.current_id(each), each) for each in run.findings]
        if comparison is not None and comparison.add_baselines(earlier, named):
            notes.append("Checks that the last run did not run are compared with the last run that did.")
        ran_at, now = clock.to_utc(run.ran_at), clock.now()
        sizes = _add_up_sizes((name, _Size(_row_count(each), _share(each))) for name, each in named)
        judgements = [
            known.judge_finding(each, name, sizes[name], fail_on, comparison, ran_at, now)
            for name, each in named
        ]
        return GateResult(
            run.dataset, tuple(fail_on), former.id if former is not None else "", judgements, notes
        )

    def _iterate_baselines(self, run: Run, baseline: str) -> Iterator[ReportRecord]:
        """Yield the report that is named as the baseline, or the earlier runs, latest first."""
        if baseline != LATEST:
            record = self._context.read_light_report(baseline)
            if record is None or record.deleted_at is not None:
                raise NotFoundError(
                    f"There is no report {baseline!r} to compare with. Find its id with "
                    "`lavendertown report list`, or use --baseline latest."
                )
            yield record
            return
        query = ReportQuery(dataset=(run.dataset,), end_date=clock.to_utc(run.ran_at))
        for summary in self._context.store.scan(query, Page(_MAX_BASELINES + 1)):
            if summary.id == run.report_id:
                continue
            record = self._context.read_light_report(summary.id)
            if record is not None:
                yield record


class _Size(NamedTuple):
    """The number and share of the rows that a finding affects in one run; None if unknown.

    It is a tuple, because a run can have ten thousand findings.
    """

    row_count: int | None
    share: float | None

    def add_occurrence(self, other: _Size) -> _Size:
        """Return the size with the rows of another occurrence in the same run."""
        return _Size(add_counts((self.row_count, other.row_count)), add_shares((self.share, other.share)))

    def total_row_count(self) -> int | None:
        """Return the number of all rows, computed from count and share; None if it cannot be."""
        return round(self.row_count / self.share) if self.row_count and self.share else None


class _Known:
    """What the storage knows of the findings of a dataset."""

    def __init__(self, store: Store, triage: Triage, dataset: str) -> None:
        self._store = store
        self._dataset = dataset
        self.identities: dict[str, Identity] = {
            each.finding_id: each for each in store.read_identities(datasets=[dataset])
        }
        self._resolved: dict[str, str] = {}
        names = list(self.identities)
        self._triage: Mapping[str, TriageRecord] = triage.read_records(names)
        accepted = [name for name in names if self.identities[name].status == statuses.ACCEPTED.name]
        self._acceptances: Mapping[str, Acceptance] = store.acceptances(accepted) if accepted else {}

    def current_id(self, finding: GhostFinding) -> str:
        """Return the id under which a finding is known."""
        return self.resolve_id(compute_fingerprint(finding, self._dataset))

    def resolve_id(self, fingerprint: str) -> str:
        """Return the current id of a fingerprint."""
        if fingerprint in self.identities or not self.identities:
            return fingerprint
        if fingerprint not in self._resolved:
            self._resolved[fingerprint] = self._store.resolve_fingerprint(fingerprint)
        return self._resolved[fingerprint]

    def judge_finding(
        self,
        finding: GhostFinding,
        name: str,
        size: _Size,
        fail_on: Sequence[FailOn],
        comparison: _Comparison | None,
        ran_at: dt.datetime,
        now: dt.datetime,
    ) -> Judgement:
        """Judge one finding of the run at ``ran_at``, by its current id and its size in the whole run."""
        identity = self.identities.get(name)
        if identity is None:
            return _judge_open(finding, name, size, fail_on, comparison, None, [])
        triage = self._triage.get(name)
        if triage is None and identity.status == statuses.OPEN.name:
            return _judge_open(finding, name, size, fail_on, comparison, identity, [])
        present = identity._replace(last_count=size.row_count, last_share=size.share)
        if triage is not None and is_snoozed(present, triage, now):
            return Judgement(finding, name, (), "It is snoozed.")
        if identity.status == statuses.FALSE_POSITIVE.name:
            return Judgement(finding, name, (), f"It is closed as {statuses.FALSE_POSITIVE.label}.")
        found: list[tuple[FailOn, str]] = []
        is_explained = comparison is not None and comparison.explains(finding, name)
        if identity.status == statuses.FIXED.name:
            if identity.fixed_at is not None and ran_at <= identity.fixed_at:
                return Judgement(finding, name, (), "It was set to fixed after this run.")
            if not is_explained:
                found.append((FailOn.REGRESSED, "It was fixed before."))
        acceptance = self._acceptances.get(name)
        if acceptance is not None:
            has_ended = (
                triage is not None and triage.accepted_until is not None and triage.accepted_until <= now
            )
            is_worse = exceeds_ceiling(present, find_ceiling(triage, acceptance))
            if not has_ended and not is_worse:
                return Judgement(finding, name, (), "It is accepted.")
            if is_worse:
                found.append((FailOn.WORSE, "It is larger than was accepted."))
        return _judge_open(finding, name, size, fail_on, comparison, identity, found)


def _judge_open(
    finding: GhostFinding,
    name: str,
    size: _Size,
    fail_on: Sequence[FailOn],
    comparison: _Comparison | None,
    identity: Identity | None,
    found: list[tuple[FailOn, str]],
) -> Judgement:
    if comparison is not None:
        found = [*found, *comparison.compare_finding(finding, name, size, identity)]
    matched = [(kind, reason) for kind, reason in found if kind in fail_on]
    levels = _failed_levels(finding.severity, tuple(fail_on))
    kinds = tuple(dict.fromkeys([*(kind for kind, _ in matched), *levels]))
    reasons = [reason for _, reason in matched]
    if not kinds and comparison is not None and comparison.explains(finding, name):
        reasons.append("Its column is read differently than in the baseline: reading changed.")
    if levels and not reasons:
        reasons.append(f"It is an open finding of severity {finding.severity}.")
    return Judgement(finding, name, kinds, " ".join(dict.fromkeys(reasons)))


class _Baseline:
    """An earlier run: the checks that it completed, and the findings that it had, with their sizes."""

    def __init__(self, report: ReportRecord, known: _Known) -> None:
        self._executed = executed_check_keys(report.metadata, report.dataset)
        self.reading = read_run_reading(report.metadata)
        self.sizes = _add_up_sizes(
            (known.resolve_id(each.fingerprint), _Size(each.row_count, each.share))
            for each in report.findings
        )

    def has_checked(self, name: str, key: str) -> bool:
        """Return whether the run has a finding, or has completed its check; a run without coverage has."""
        return name in self.sizes or not self._executed or not key or key in self._executed


class _Comparison:
    """The baseline, to compare the findings of a run with."""

    def __init__(self, report: ReportRecord, run: Run, known: _Known) -> None:
        self._run = run
        self._known = known
        self._reading = read_run_reading({"coverage": run.coverage})
        self._baselines = [_Baseline(report, known)]

    def add_baselines(
        self, earlier: Iterator[ReportRecord], named: Iterable[tuple[str, GhostFinding]]
    ) -> bool:
        """Add earlier runs until each finding has one that ran its check; return whether that found any.

        Args:
            earlier: The runs before the baseline, latest first.
            named: The findings of the run, each with its current id.
        """
        first = self._baselines[0]
        pending = {(name, self._check_key(each)) for name, each in named if name not in first.sizes}
        pending = {each for each in pending if not first.has_checked(*each)}
        count = len(pending)
        while pending and (report := next(earlier, None)) is not None:
            baseline = _Baseline(report, self._known)
            self._baselines.append(baseline)
            pending = {each for each in pending if not baseline.has_checked(*each)}
        return len(pending) < count

    def _check_key(self, finding: GhostFinding) -> str:
        return check_key(finding.metadata, self._run.dataset, finding.column)

    def _find_baseline(self, finding: GhostFinding, name: str) -> _Baseline | None:
        """Return the last run that ran the check of a finding; None if none did."""
        if name in self._baselines[0].sizes:
            return self._baselines[0]
        key = self._check_key(finding)
        return next((each for each in self._baselines if each.has_checked(name, key)), None)

    def compare_finding(
        self, finding: GhostFinding, name: str, size: _Size, identity: Identity | None
    ) -> list[tuple[FailOn, str]]:
        """Return what a finding is in comparison with the baseline, and why."""
        baseline = self._find_baseline(finding, name)
        if baseline is None or is_read_differently(finding.column, baseline.reading, self._reading):
            return []  # The first run of a check is its own baseline.
        before = baseline.sizes.get(name)
        if before is not None:
            growth = self._describe_growth(size, before)
            return [(FailOn.WORSE, growth)] if growth else []
        if identity is not None and identity.first_seen < self._run.ran_at:
            return [(FailOn.REGRESSED, "It was gone in the baseline, and is back.")]
        return [(FailOn.NEW, "It is not in the baseline.")]

    def explains(self, finding: GhostFinding, name: str) -> bool:
        """Return whether a finding that the baseline lacks may have appeared only by a changed reading."""
        baseline = self._find_baseline(finding, name) or self._baselines[0]
        is_absent = name not in baseline.sizes
        return is_absent and is_read_differently(finding.column, baseline.reading, self._reading)

    def _describe_growth(self, size: _Size, before: _Size) -> str:
        """Return how a finding has grown since the baseline; empty if it has not."""
        share, former = size.share, before.share
        row_count = self._run.row_count if self._run.row_count is not None else size.total_row_count()
        is_small = row_count is not None and row_count < _MIN_ROWS_FOR_SHARE
        if share is not None and former is not None and not is_small:
            text = f"It affects {share:.2%} of the rows, and {former:.2%} in the baseline."
            return text if share > former else ""
        count = size.row_count
        if count is None or before.row_count is None or count <= before.row_count:
            return ""
        return f"It affects {count:,} rows, and {before.row_count:,} in the baseline."


@cache
def _failed_levels(severity: str, fail_on: tuple[FailOn, ...]) -> tuple[FailOn, ...]:
    """Return the severity levels that an open finding of this severity fails."""
    rank = SEVERITIES.index(severity)
    return tuple(
        level
        for level in fail_on
        if level is FailOn.ANY or (level in SEVERITIES and rank >= SEVERITIES.index(level))
    )


def _add_up_sizes(occurrences: Iterable[tuple[str, _Size]]) -> dict[str, _Size]:
    """Return the size of each finding in a run, which may have it several times, by its current id."""
    sizes: dict[str, _Size] = {}
    for name, size in occurrences:
        former = sizes.get(name)
        sizes[name] = size if former is None else former.add_occurrence(size)
    return sizes


def _row_count(finding: GhostFinding) -> int | None:
    count = finding.metadata.get("count")
    if isinstance(count, int) and not isinstance(count, bool):
        return count
    return len(finding.row_indices) if finding.row_indices is not None else None


def _share(finding: GhostFinding) -> float | None:
    share = finding.metadata.get("share")
    return float(share) if isinstance(share, int | float) and not isinstance(share, bool) else None
