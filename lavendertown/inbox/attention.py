"""Which findings need attention, and why; whether a fix was verified; when a finding is due.

Every list, count, chart, command and answer uses these definitions.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from lavendertown.core import statuses
from lavendertown.core.settings import Settings
from lavendertown.inbox.changed_readings import ReadingChanges
from lavendertown.records.identities import (
    PRESENT_STATES,
    Acceptance,
    DatasetRuns,
    Identity,
    RunState,
    has_outgrown_snooze,
    is_snoozed,
)
from lavendertown.records.record_classes import TriageRecord

DEFAULT_CEILING_FACTOR = 2
"""A finding that is accepted without a ceiling may grow to this multiple of its size."""


class AttentionReason(StrEnum):
    """Why a finding needs attention.

    NEW: it appeared in the latest run, and nobody has assigned it, annotated it or set its status.
    REGRESSED: it was seen again after it was fixed. WORSE: it is larger than was accepted or snoozed.
    EXPIRED: its acceptance or snooze has ended. UNASSIGNED: it is an open error without an assignee.
    UNCONFIRMED: it was set to fixed, but the runs since then have not completed its check.
    """

    NEW = "new"
    REGRESSED = "regressed"
    WORSE = "worse"
    EXPIRED = "expired"
    UNASSIGNED = "unassigned"
    UNCONFIRMED = "unconfirmed"


@dataclass(frozen=True)
class TriageRules:
    """What a team set for all findings.

    Attributes:
        runs_to_confirm: The number of runs in which a fix must be verified.
        due_days: The days from the first occurrence until a finding is due, by severity; a severity that
            is missing has no due date.
    """

    runs_to_confirm: int = 3
    due_days: Mapping[str, int] = field(default_factory=dict)


class FixCheck(NamedTuple):
    """Whether a run after the fix of a finding has completed its check without finding it again.

    Attributes:
        report_id: The first report that verified the fix; empty if none has.
        verified_at: The time of that report.
        runs_waited: The number of later runs that did not complete the check.
    """

    report_id: str
    verified_at: dt.datetime | None
    runs_waited: int


class Ceiling(NamedTuple):
    """The size up to which a finding is accepted; both None for any size."""

    row_count: int | None
    share: float | None


@dataclass(frozen=True, slots=True)
class FindingState:
    """What is known of a finding when its need for attention is determined.

    Attributes:
        is_annotated: Whether it has a live annotation.
        acceptance: Its acceptance; None if its status is not accepted.
        fix_check: Whether its fix was verified; None if its status is not fixed.
        is_present: Whether the latest run has it.
    """

    identity: Identity
    triage: TriageRecord | None
    run_state: RunState
    is_annotated: bool
    acceptance: Acceptance | None
    fix_check: FixCheck | None
    is_present: bool = True


def triage_rules(settings: Settings) -> TriageRules:
    """Return the rules that the settings contain."""
    days = {
        "error": settings.triage_error_days,
        "warning": settings.triage_warning_days,
        "info": settings.triage_info_days,
    }
    due_days = {severity: number for severity, number in days.items() if number}
    return TriageRules(settings.triage_runs_to_confirm, due_days)


def find_attention_reasons(
    state: FindingState, rules: TriageRules, now: dt.datetime
) -> tuple[AttentionReason, ...]:
    """Return why a finding needs attention; empty if it does not.

    A finding of severity info never does, nor does one that is snoozed.
    """
    identity, triage = state.identity, state.triage
    if identity.severity == "info" or (triage is not None and is_snoozed(identity, triage, now)):
        return ()
    if statuses.is_closed(identity.status):
        return tuple(_reasons_of_closed(state, rules, now))
    return tuple(_reasons_of_open(state, now))


def _reasons_of_open(state: FindingState, now: dt.datetime) -> list[AttentionReason]:
    identity, triage = state.identity, state.triage
    reasons: list[AttentionReason] = []
    if state.run_state is RunState.PASSING or _vanished_by_change(state):
        return reasons
    assignee = triage.assignee if triage is not None else ""
    # An owner rule names who should look at a finding; nobody has looked at it yet.
    is_taken = assignee and not (triage is not None and triage.owner_rule)
    if state.run_state is RunState.NEW and not (is_taken or state.is_annotated):
        reasons.append(AttentionReason.NEW)
    if state.run_state is RunState.REGRESSED:
        reasons.append(AttentionReason.REGRESSED)
    if triage is not None and has_outgrown_snooze(identity, triage):
        reasons.append(AttentionReason.WORSE)
    if triage is not None and triage.snooze_until is not None and triage.snooze_until <= now:
        reasons.append(AttentionReason.EXPIRED)
    if identity.severity == "error" and not assignee:
        reasons.append(AttentionReason.UNASSIGNED)
    return reasons


def _vanished_by_change(state: FindingState) -> bool:
    """Return whether a finding vanished because its table is read, or its check set, differently."""
    return state.run_state in (RunState.READING_CHANGED, RunState.CHECK_CHANGED) and not state.is_present


def _reasons_of_closed(state: FindingState, rules: TriageRules, now: dt.datetime) -> list[AttentionReason]:
    reasons = []
    is_gone = state.run_state is RunState.PASSING or _vanished_by_change(state)
    if state.acceptance is not None and not is_gone:
        ceiling = find_ceiling(state.triage, state.acceptance)
        if state.run_state in PRESENT_STATES and exceeds_ceiling(state.identity, ceiling):
            reasons.append(AttentionReason.WORSE)
        ends_at = state.triage.accepted_until if state.triage is not None else None
        if ends_at is not None and ends_at <= now:
            reasons.append(AttentionReason.EXPIRED)
    check = state.fix_check
    if check is not None and not check.report_id and check.runs_waited >= rules.runs_to_confirm:
        reasons.append(AttentionReason.UNCONFIRMED)
    return reasons


def find_ceiling(triage: TriageRecord | None, acceptance: Acceptance) -> Ceiling:
    """Return the size up to which a finding is accepted.

    If nobody set one, this is twice its size when it was accepted, or any size if that is not known.
    """
    if triage is not None:
        if triage.has_no_ceiling:
            return Ceiling(None, None)
        if triage.ceiling_count is not None or triage.ceiling_share is not None:
            return Ceiling(triage.ceiling_count, triage.ceiling_share)
    size = acceptance.row_count
    return Ceiling(None if size is None else DEFAULT_CEILING_FACTOR * size, None)


def exceeds_ceiling(identity: Identity, ceiling: Ceiling) -> bool:
    """Return whether the latest occurrence of a finding is larger than it may be."""
    sizes = ((identity.last_count, ceiling.row_count), (identity.last_share, ceiling.share))
    return any(size > limit for size, limit in sizes if size is not None and limit is not None)


def check_fix(
    identity: Identity,
    runs: DatasetRuns | None,
    executed: Mapping[str, frozenset[str]],
    readings: ReadingChanges | None = None,
) -> FixCheck | None:
    """Return whether the fix of a finding was verified; None if its status is not fixed.

    Args:
        identity: The finding.
        runs: The latest runs of its dataset.
        executed: The keys of the completed checks by report, for the runs after the fix except the latest.
        readings: How the runs were read. One that reads the column differently than the last run with the
            finding neither verifies the fix nor counts as a run that did not.
    """
    fixed_at = identity.fixed_at
    if fixed_at is None or identity.regressed_at is not None:
        return None
    if runs is None:
        return FixCheck("", None, 0)
    later = [run for run in zip(runs.run_times, runs.report_ids, strict=True) if run[0] > fixed_at]
    if readings is not None:
        later = [run for run in later if not readings.is_changed_since_last_seen(identity, run[1])]
    for at, report_id in reversed(later):
        is_latest = report_id == runs.report_ids[0]
        completed = runs.executed_check_keys if is_latest else executed.get(report_id, frozenset())
        if identity.check_key in completed:
            return FixCheck(report_id, at, 0)
    return FixCheck("", None, len(later))


def find_due_time(identity: Identity, rules: TriageRules) -> dt.datetime | None:
    """Return when an open finding is due, counted from when it was first seen or regressed; None if never."""
    days = rules.due_days.get(identity.severity)
    if days is None or statuses.is_closed(identity.status):
        return None
    return (identity.regressed_at or identity.first_seen) + dt.timedelta(days=days)


def next_change(state: FindingState, rules: TriageRules, now: dt.datetime) -> dt.datetime | None:
    """Return the next time at which the passing of time alone changes what a finding needs."""
    triage = state.triage
    times = [find_due_time(state.identity, rules)]
    if triage is not None:
        times += [triage.accepted_until, triage.snooze_until]
    return min((at for at in times if at is not None and at > now), default=None)
