"""Findings over all reports, one per fingerprint: identities, runs, occurrences and run states."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Set
from enum import StrEnum
from typing import NamedTuple

from lavendertown.core import statuses
from lavendertown.core.fingerprints import compute_field_fingerprint
from lavendertown.records.record_classes import FindingRecord, TriageRecord

MAX_RUNS = 12
"""The number of a dataset's latest runs that a trend shows."""
_MAX_NAME_WORDS = 10
_AFTER_NAME = ".,;:!?)]}'\"*_/-\u2013\u2014\u2026\u201d\u2019\u00bb"
"""Characters after a mention that are seldom part of the name."""


class RunState(StrEnum):
    """The state of a finding, computed from the latest runs of its dataset.

    READING_CHANGED is a finding that appeared or vanished in a run whose table is read differently, because a
    person changed the settings: it is neither new nor gone. CHECK_CHANGED is the same for the settings of its
    check.
    """

    NEW = "new"
    REGRESSED = "regressed"
    ONGOING = "ongoing"
    PASSING = "passing"
    NOT_CHECKED = "not_checked"
    READING_CHANGED = "reading_changed"
    CHECK_CHANGED = "check_changed"


PRESENT_STATES = (RunState.NEW, RunState.REGRESSED, RunState.ONGOING)
"""The run states of a finding that is in the latest run."""


class Identity(NamedTuple):
    """A finding over all live reports.

    It is a tuple, because a hundred thousand are read at once.

    Attributes:
        description: The latest description, with its numbers masked.
        fixed_at: When the status was set to fixed, if that was the latest status change.
        regressed_at: When the finding was first seen again after that; the status is open again.
        last_count, last_share: The number and share of affected rows in the latest occurrence; of a finding
            that is in one report several times, the sums (:func:`add_counts`, :func:`add_shares`).
        check_key: The key of the check, see :func:`lavendertown.core.fingerprints.check_key`.
    """

    finding_id: str
    dataset: str
    ghost_type: str
    column: str
    description: str
    severity: str
    status: str
    fixed_at: dt.datetime | None
    regressed_at: dt.datetime | None
    first_seen: dt.datetime
    last_seen: dt.datetime
    times_seen: int
    comment_count: int
    last_count: int | None
    last_share: float | None
    check_key: str
    tags: tuple[str, ...]


class DatasetRuns(NamedTuple):
    """The latest runs of a dataset, each a live report.

    Attributes:
        run_times: Their times, newest first, at most :data:`MAX_RUNS`.
        report_ids: Their reports, in the same order.
        executed_check_keys: The keys of the checks that the latest run completed.
        reading_digests: The digests of the settings that people gave for reading
            (:mod:`lavendertown.core.run_readings`), in the same order; empty if they are not known.
    """

    run_times: tuple[dt.datetime, ...]
    report_ids: tuple[str, ...]
    executed_check_keys: frozenset[str]
    reading_digests: tuple[str, ...] = ()

    @property
    def is_latest_tied(self) -> bool:
        """Whether the latest two runs have the same time."""
        return len(self.run_times) > 1 and self.run_times[0] == self.run_times[1]


class Acceptance(NamedTuple):
    """When a finding was accepted, and the affected rows it had in the last run before that.

    Attributes:
        row_count: The number of rows; None if it is not known.
    """

    accepted_at: dt.datetime
    row_count: int | None


class LastOccurrences(NamedTuple):
    """The latest occurrences of a finding.

    Attributes:
        report_id, position, description: The latest occurrence.
        occurrences: The report and row count of the latest occurrences, one per report, newest first, at
            most :data:`MAX_RUNS`.
    """

    report_id: str
    position: int
    description: str
    occurrences: tuple[tuple[str, int | None], ...]


class AnnotationText(NamedTuple):
    """The searched text of a live annotation.

    Attributes:
        finding_id: The finding's fingerprint.
        text: The comment, casefolded.
    """

    finding_id: str
    author: str
    text: str


class StatusChange(NamedTuple):
    """A live annotation that set a finding's status.

    Attributes:
        finding_id: The finding's fingerprint.
        regressed_at: When the finding was first seen again after it was set to fixed; None if it was not.
    """

    finding_id: str
    changed_at: dt.datetime
    status: str
    author: str
    regressed_at: dt.datetime | None


def add_counts(counts: Iterable[int | None]) -> int | None:
    """Return the sum of the known row counts of one finding in one report; None if none is known."""
    known = [each for each in counts if each is not None]
    return sum(known) if known else None


def add_shares(shares: Iterable[float | None]) -> float | None:
    """Return the sum of the known shares of one finding in one report, at most 1; None if none is known."""
    known = [each for each in shares if each is not None]
    return min(1.0, sum(known)) if known else None


def find_regression(
    status: str | None, set_at: dt.datetime, occurrence_times: Iterable[dt.datetime]
) -> dt.datetime | None:
    """Return when a finding regressed, that is, when it was first seen after it was set to fixed.

    This is the only definition: file stores call it, and the SQL of the database stores
    (:mod:`lavendertown.stores.sql.reading.inbox_queries`) is tested against it. A regressed finding whose
    latest status is fixed is open again.

    Args:
        status: The status that was set.
        set_at: When it was set; an occurrence at exactly this time is not a regression.
        occurrence_times: The times of the occurrences in live reports, in any order.
    """
    if status != statuses.FIXED.name:
        return None
    return min((at for at in occurrence_times if at > set_at), default=None)


def adopted_finding(
    finding: FindingRecord, fingerprint: str, datasets: Iterable[str]
) -> FindingRecord | None:
    """Return a finding as an occurrence in the dataset where it has this fingerprint.

    A dataset that adopts the history of another one has findings that are not yet in its own reports
    (:mod:`lavendertown.collaboration.parts.datasets`). Lists show this record for them. Their dataset is
    not stored, because it can be derived from the fingerprint.

    Args:
        finding: An occurrence in the dataset whose history was adopted.
        fingerprint: The finding that it is merged into.
        datasets: The datasets to try.

    Returns:
        The record; None if the finding has this fingerprint in none of these datasets.
    """
    for dataset in datasets:
        metadata = {**finding.metadata, "dataset": dataset}
        parts = (finding.ghost_type, finding.column, finding.description)
        if compute_field_fingerprint(*parts, metadata, dataset) == fingerprint:
            return finding._replace(fingerprint=fingerprint, dataset=dataset, metadata=metadata)
    return None


def compute_run_state(
    identity: Identity, runs: DatasetRuns | None, in_latest_run: Set[str] | None = None
) -> RunState:
    """Return the run state of a finding.

    A finding that is absent from the latest run is passing only if its check completed in that run.

    Args:
        identity: The finding.
        runs: The latest runs of its dataset.
        in_latest_run: The ids of the findings in the latest run, if an earlier run has the same time; None
            if the time alone tells which findings it has.
    """
    if runs is None or is_in_latest_run(identity, runs, in_latest_run):
        if identity.regressed_at is not None:
            return RunState.REGRESSED
        return RunState.NEW if identity.times_seen == 1 else RunState.ONGOING
    return RunState.PASSING if identity.check_key in runs.executed_check_keys else RunState.NOT_CHECKED


def is_in_latest_run(
    identity: Identity, runs: DatasetRuns | None, in_latest_run: Set[str] | None = None
) -> bool:
    """Return whether the latest run has a finding; the arguments are those of :func:`compute_run_state`."""
    if runs is None or identity.last_seen > runs.run_times[0]:
        return True
    if identity.last_seen < runs.run_times[0]:
        return False
    return in_latest_run is None or identity.finding_id in in_latest_run


def is_snoozed(identity: Identity, triage: TriageRecord, now: dt.datetime) -> bool:
    """Return whether a finding is snoozed: its time has not come, and it has not grown by the set factor."""
    if triage.snooze_until is not None and now >= triage.snooze_until:
        return False
    if triage.snooze_factor is None:
        return triage.snooze_until is not None
    return not has_outgrown_snooze(identity, triage)


def has_outgrown_snooze(identity: Identity, triage: TriageRecord) -> bool:
    """Return whether a snoozed finding has grown by the set factor since."""
    if triage.snooze_factor is None:
        return False
    measures = (
        (identity.last_count, triage.snooze_count),
        (identity.last_share, triage.snooze_share),
    )
    return any(
        current > at_snooze * triage.snooze_factor
        for current, at_snooze in measures
        if current is not None and at_snooze is not None
    )


def find_mentions(texts: Iterable[str]) -> frozenset[str]:
    """Return the possible names after each @ in these texts: the first words, with and without points."""
    return frozenset(name for text in texts if "@" in text for name in _names_after_at(text))


def _names_after_at(text: str) -> Iterator[str]:
    for part in text.split("@")[1:]:
        words = part.split()[:_MAX_NAME_WORDS] if part[:1].strip() else []
        for length in range(1, len(words) + 1):
            name = " ".join(words[:length])
            yield name
            yield name.rstrip(_AFTER_NAME).removesuffix("'s").removesuffix("\u2019s")
