"""An in-memory index of findings: each has an ordinal, and each facet value a bitmap of ordinals."""

from __future__ import annotations

import datetime as dt
import heapq
from array import array
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
from pyroaring import BitMap

from lavendertown.core import clock, statuses
from lavendertown.core.findings import SEVERITIES
from lavendertown.core.fingerprints import ran_with_other_settings
from lavendertown.inbox.attention import (
    AttentionReason,
    FindingState,
    FixCheck,
    TriageRules,
    check_fix,
    find_attention_reasons,
    find_ceiling,
    find_due_time,
    next_change,
)
from lavendertown.inbox.changed_checks import adjust_run_state, find_appearance
from lavendertown.inbox.changed_readings import find_reading_changes
from lavendertown.inbox.inbox_query import NOT_YET_DUE, OVERDUE, Facet, InboxEntry, InboxOrder
from lavendertown.inbox.renamed_checks import match_renamed
from lavendertown.inbox.run_tables import RunTable
from lavendertown.records.identities import (
    PRESENT_STATES,
    Acceptance,
    DatasetRuns,
    Identity,
    RunState,
    compute_run_state,
    find_mentions,
    is_in_latest_run,
    is_snoozed,
)
from lavendertown.records.record_classes import TriageRecord
from lavendertown.records.search_text import SEPARATOR, identity_text

_MAX_TEXTS_SCANNED = 2_000
# Search results are cached until the index changes, because a screen needs each of them three times.
_MAX_CACHED_SEARCHES = 8
_OrdinalArray = np.ndarray[Any, Any]


@dataclass(slots=True)
class _IndexedFinding:
    """One finding in the index, with the facet values under which it is listed."""

    identity: Identity
    triage: TriageRecord | None = None
    run_state: RunState = RunState.ONGOING
    is_annotated: bool = False
    acceptance: Acceptance | None = None
    fix_check: FixCheck | None = None
    attention: tuple[AttentionReason, ...] = ()
    due_at: dt.datetime | None = None
    facet_values: list[tuple[Facet, str]] = field(default_factory=list)
    state_values: list[tuple[Facet, str]] = field(default_factory=list)
    mention_texts: tuple[str, ...] = ()
    mentioned: frozenset[str] | None = None


class FindingIndex:
    """An index of findings by the values of each facet.

    Args:
        rules: What the team set for all findings.
        read_table: Reads what a report tells about its table.

    Attributes:
        runs: The latest runs of each dataset.
        executed: The keys of the completed checks by report, for runs after a fix, and before a new or
            regressed finding.
        in_latest_run: The findings in the latest run of each dataset whose latest two runs have one time.
        tables: What reports tell about their tables, for runs in which findings vanished and appeared.
        live: The ordinals of the findings in live reports.
        postings: The ordinals for each value of each facet.
        finding_ids: The finding ids by ordinal.
        ordinals: The ordinals by finding id.
    """

    def __init__(self, rules: TriageRules, read_table: Callable[[str], RunTable]) -> None:
        self._rules = rules
        self._read_table = read_table
        self.tables: dict[str, RunTable] = {}
        self.runs: dict[str, DatasetRuns] = {}
        self.executed: dict[str, frozenset[str]] = {}
        self.in_latest_run: dict[str, frozenset[str]] = {}
        self._changes: list[tuple[dt.datetime, int]] = []
        self.live = BitMap()
        self.postings: dict[Facet, dict[str, BitMap]] = {facet: defaultdict(BitMap) for facet in Facet}
        self.finding_ids: list[str] = []
        self.ordinals: dict[str, int] = {}
        self._rows: list[_IndexedFinding] = []
        self._texts: list[str] = []
        self._arrow: Any = None
        self._cached_searches: dict[str, BitMap] = {}
        self._snoozed = BitMap()
        self._predecessors: dict[str, dict[str, str]] = {}
        self._sort_values = {order: np.zeros(1024, np.int64) for order in InboxOrder}

    def upsert(
        self,
        identity: Identity,
        triage: TriageRecord | None,
        annotation_texts: Sequence[tuple[str, str]],
        acceptance: Acceptance | None,
    ) -> None:
        """Add a finding or replace it.

        Args:
            identity: The finding.
            triage: Its triage record; None if it has none.
            annotation_texts: The author and casefolded text of each live annotation.
            acceptance: Its acceptance; None if its status is not accepted.
        """
        ordinal = self._allocate_ordinal(identity)
        row = self._rows[ordinal] = _IndexedFinding(
            identity, triage, is_annotated=bool(annotation_texts), acceptance=acceptance
        )
        row.facet_values = [
            *_facet_values(identity, triage),
            *((Facet.AUTHOR, name) for name in {a for a, _ in annotation_texts}),
        ]
        row.mention_texts = tuple(text for _, text in annotation_texts if "@" in text)
        for facet, value in row.facet_values:
            self.postings[facet][value].add(ordinal)
        if triage is not None and (triage.snooze_until or triage.snooze_factor):
            self._snoozed.add(ordinal)
        self.live.add(ordinal)
        own_text = identity_text(identity.description, identity.column, identity.dataset)
        self._texts[ordinal] = SEPARATOR.join([own_text, *(text for _, text in annotation_texts)])
        self._arrow = None
        self._cached_searches.clear()
        for order, key in _sort_keys(identity).items():
            self._sort_values[order][ordinal] = key
        self.refresh_state(ordinal)

    def remove(self, finding_id: str) -> None:
        """Remove a finding; if it is added again, it gets the same ordinal."""
        ordinal = self.ordinals.get(finding_id)
        if ordinal is not None:
            self._clear_postings(ordinal)
            self.live.discard(ordinal)
            self._predecessors.pop(self._rows[ordinal].identity.dataset, None)

    def refresh_state(self, ordinal: int) -> None:
        """Compute again what depends on the runs of the finding's dataset and on the time."""
        row = self._rows[ordinal]
        runs = self.runs.get(row.identity.dataset)
        self._predecessors.pop(row.identity.dataset, None)
        for facet, value in row.state_values:
            self.postings[facet][value].discard(ordinal)
        in_latest_run = self.in_latest_run.get(row.identity.dataset)
        readings = find_reading_changes(runs, self._find_table)
        state = compute_run_state(row.identity, runs, in_latest_run)
        state = readings.adjust_run_state(state, row.identity) if readings else state
        row.run_state = adjust_run_state(state, row.identity, runs, self.executed, self._find_table)
        row.fix_check = check_fix(row.identity, runs, self.executed, readings)
        row.due_at = find_due_time(row.identity, self._rules)
        now = clock.now()
        known = FindingState(
            row.identity,
            row.triage,
            row.run_state,
            row.is_annotated,
            row.acceptance,
            row.fix_check,
            is_in_latest_run(row.identity, runs, in_latest_run),
        )
        row.attention = find_attention_reasons(known, self._rules, now)
        row.state_values = [
            (Facet.RUN_STATE, row.run_state),
            *((Facet.ATTENTION, reason) for reason in row.attention),
        ]
        if row.due_at is not None:
            row.state_values.append((Facet.DUE, OVERDUE if row.due_at <= now else NOT_YET_DUE))
        for facet, value in row.state_values:
            self.postings[facet][value].add(ordinal)
        changes_at = next_change(known, self._rules, now)
        if changes_at is not None:
            heapq.heappush(self._changes, (changes_at, ordinal))

    def refresh_elapsed(self, now: dt.datetime) -> None:
        """Compute the states again that the passing of time has changed: snooze, acceptance, due date."""
        while self._changes and self._changes[0][0] <= now:
            _, ordinal = heapq.heappop(self._changes)
            if ordinal in self.live:
                self.refresh_state(ordinal)

    def unread_runs_after_fixes(self, ordinals: BitMap) -> set[str]:
        """Return the reports whose completed checks tell whether the fixes of these findings are verified.

        Reports whose checks are known already are left out.
        """
        reports: set[str] = set()
        for ordinal in ordinals & self.postings[Facet.STATUS].get(statuses.FIXED.name, BitMap()):
            row = self._rows[ordinal]
            runs = self.runs.get(row.identity.dataset)
            if row.fix_check is None or row.fix_check.report_id or runs is None:
                continue
            times = zip(runs.run_times[1:], runs.report_ids[1:], strict=True)
            reports |= {name for at, name in times if at > (row.identity.fixed_at or at)}
        return reports - self.executed.keys()

    def unread_runs_before(self, ordinals: BitMap) -> set[str]:
        """Return the reports whose completed checks tell whether new and regressed findings are such.

        Reports whose checks are known already are left out.
        """
        return {before for _, before in self._appearances(ordinals)} - self.executed.keys()

    def refresh_changed_checks(self, ordinals: BitMap) -> None:
        """Compute the states again of findings that appeared because settings of their checks changed."""
        for ordinal, before in list(self._appearances(ordinals)):
            if ran_with_other_settings(
                self._rows[ordinal].identity.check_key, self.executed.get(before, frozenset())
            ):
                self.refresh_state(ordinal)

    def _appearances(self, ordinals: BitMap) -> Iterator[tuple[int, str]]:
        """Yield the new and regressed findings among these, each with the report before it appeared."""
        by_state = self.postings[Facet.RUN_STATE]
        for state in (RunState.NEW, RunState.REGRESSED):
            for ordinal in ordinals & by_state.get(state, BitMap()):
                identity = self._rows[ordinal].identity
                runs = self.runs.get(identity.dataset)
                place = find_appearance(state, identity, runs)
                if runs is not None and place is not None:
                    yield ordinal, runs.report_ids[place + 1]

    def build_entry(self, ordinal: int, now: dt.datetime) -> InboxEntry:
        """Return the inbox entry of a finding."""
        row = self._rows[ordinal]
        runs = self.runs.get(row.identity.dataset)
        predecessor = self._predecessors_in_dataset(row.identity.dataset).get(row.identity.finding_id, "")
        return InboxEntry(
            row.identity,
            row.run_state,
            row.triage,
            self._is_snoozed_at(ordinal, now),
            runs.report_ids if runs else (),
            predecessor,
            row.attention,
            row.due_at,
            row.fix_check,
            row.acceptance,
            find_ceiling(row.triage, row.acceptance) if row.acceptance is not None else None,
        )

    def identity_at(self, ordinal: int) -> Identity:
        """Return a finding as it was read from the store."""
        return self._rows[ordinal].identity

    def likely_predecessors(self) -> dict[str, str]:
        """Return the findings with a likely predecessor, each with the predecessor's id."""
        predecessors: dict[str, str] = {}
        for dataset in self.runs:
            predecessors |= self._predecessors_in_dataset(dataset)
        return predecessors

    def _predecessors_in_dataset(self, dataset: str) -> dict[str, str]:
        if dataset not in self._predecessors:
            runs = self.runs.get(dataset)
            self._predecessors[dataset] = self._find_predecessors(dataset, runs) if runs else {}
        return self._predecessors[dataset]

    def _find_predecessors(self, dataset: str, runs: DatasetRuns) -> dict[str, str]:
        times = [clock.to_microseconds(time) for time in runs.run_times]
        in_dataset = self.postings[Facet.DATASET].get(dataset, BitMap())
        by_state = self.postings[Facet.RUN_STATE]

        def at_run_times(ordinals: BitMap, order: InboxOrder) -> list[_IndexedFinding]:
            candidates = _to_array(in_dataset & ordinals)
            at_run = np.isin(self._sort_values[order][candidates], times)
            return [self._rows[ordinal] for ordinal in candidates[at_run]]

        present = BitMap.union(*(by_state.get(state, BitMap()) for state in PRESENT_STATES))
        appeared = at_run_times(present, InboxOrder.FIRST_SEEN)
        disappeared = at_run_times(by_state.get(RunState.NOT_CHECKED, BitMap()), InboxOrder.LAST_SEEN)
        return match_renamed(
            [row.identity for row in appeared if row.triage is None or not row.triage.stands_alone],
            [row.identity for row in disappeared],
            runs,
            self._find_table,
        )

    def _find_table(self, report_id: str) -> RunTable:
        if report_id not in self.tables:
            self.tables[report_id] = self._read_table(report_id)
        return self.tables[report_id]

    def match_facet(self, facet: Facet, values: Collection[str]) -> BitMap:
        """Return the ordinals of findings with any of these values; of tags, with all of them."""
        bitmaps = [self.postings[facet].get(value, BitMap()) for value in values]
        return BitMap.intersection(*bitmaps) if facet is Facet.TAG else BitMap.union(*bitmaps)

    def facet_counts(self, facet: Facet, among: BitMap) -> dict[str, int]:
        """Return how many of these findings have each value of a facet, most frequent first."""
        counts = (
            (value, ordinals.intersection_cardinality(among))
            for value, ordinals in self.postings[facet].items()
        )
        return dict(sorted((pair for pair in counts if pair[1]), key=lambda pair: (-pair[1], pair[0])))

    def snoozed_at(self, now: dt.datetime) -> BitMap:
        """Return the ordinals of the findings that are snoozed at this time."""
        return BitMap([ordinal for ordinal in self._snoozed if self._is_snoozed_at(ordinal, now)])

    def last_seen_between(
        self, candidates: BitMap, start: dt.datetime | None, end: dt.datetime | None
    ) -> BitMap:
        """Return the candidates that were last seen between two times, both inclusive."""
        ordinals = _to_array(candidates)
        times = self._sort_values[InboxOrder.LAST_SEEN][ordinals]
        in_range = np.ones(len(ordinals), bool)
        if start is not None:
            in_range &= times >= clock.to_microseconds(start)
        if end is not None:
            in_range &= times <= clock.to_microseconds(end)
        return _to_bitmap(ordinals[in_range])

    def containing_text(self, candidates: BitMap, needle: str) -> BitMap:
        """Return the candidates whose texts contain a casefolded text."""
        if len(candidates) <= _MAX_TEXTS_SCANNED:
            return BitMap([ordinal for ordinal in candidates if needle in self._texts[ordinal]])
        if needle not in self._cached_searches:
            if len(self._cached_searches) >= _MAX_CACHED_SEARCHES:
                self._cached_searches.clear()
            self._cached_searches[needle] = self._search_texts(needle)
        return candidates & self._cached_searches[needle]

    def _search_texts(self, needle: str) -> BitMap:
        if self._arrow is None:
            self._arrow = pa.array(self._texts, pa.large_string())
        hits = pc.match_substring(self._arrow, needle).to_numpy(zero_copy_only=False)
        return _to_bitmap(np.flatnonzero(hits))

    def mentioning_user(self, candidates: BitMap, name: str) -> BitMap:
        """Return the candidates whose comments mention a casefolded name."""
        hits = self.containing_text(candidates, f"@{name}")
        return BitMap([ordinal for ordinal in hits if name in self._mentioned_names(ordinal)])

    def _mentioned_names(self, ordinal: int) -> frozenset[str]:
        row = self._rows[ordinal]
        if row.mentioned is None:
            row.mentioned = find_mentions(row.mention_texts)
        return row.mentioned

    def sort_ordinals(self, candidates: BitMap, order: InboxOrder, limit: int | None = None) -> list[int]:
        """Return the candidates in order; with a limit, at least that many of the first ones."""
        ordinals = _to_array(candidates)
        columns = [self._sort_values[column] for column in dict.fromkeys((order, InboxOrder.LAST_SEEN))]
        if limit is not None:
            ordinals = _select_highest(ordinals, columns, limit)
        ordinals = ordinals[np.lexsort([-column[ordinals] for column in reversed(columns)])]
        return self._sort_ties_by_id(ordinals, columns)

    def _sort_ties_by_id(self, ordinals: _OrdinalArray, columns: Sequence[_OrdinalArray]) -> list[int]:
        equal = np.ones(max(len(ordinals) - 1, 0), bool)
        for column in columns:
            equal &= column[ordinals[1:]] == column[ordinals[:-1]]
        result: list[int] = ordinals.tolist()
        if not equal.any():
            return result
        boundaries = [0, *(np.flatnonzero(~equal) + 1).tolist(), len(result)]
        for start, end in pairwise(boundaries):
            if end - start > 1:
                result[start:end] = sorted(result[start:end], key=self.finding_ids.__getitem__)
        return result

    def _is_snoozed_at(self, ordinal: int, now: dt.datetime) -> bool:
        row = self._rows[ordinal]
        return (
            ordinal in self._snoozed and row.triage is not None and is_snoozed(row.identity, row.triage, now)
        )

    def _allocate_ordinal(self, identity: Identity) -> int:
        """Return the finding's ordinal with its postings cleared, or a new ordinal."""
        ordinal = self.ordinals.get(identity.finding_id)
        if ordinal is not None:
            self._clear_postings(ordinal)
            return ordinal
        ordinal = self.ordinals[identity.finding_id] = len(self.finding_ids)
        self.finding_ids.append(identity.finding_id)
        self._rows.append(_IndexedFinding(identity))
        self._texts.append("")
        if ordinal == len(self._sort_values[InboxOrder.LAST_SEEN]):
            self._sort_values = {
                order: np.concatenate([values, np.zeros_like(values)])
                for order, values in self._sort_values.items()
            }
        return ordinal

    def _clear_postings(self, ordinal: int) -> None:
        row = self._rows[ordinal]
        for facet, value in [*row.facet_values, *row.state_values]:
            self.postings[facet][value].discard(ordinal)
        self._snoozed.discard(ordinal)


def _facet_values(identity: Identity, triage: TriageRecord | None) -> list[tuple[Facet, str]]:
    return [
        (Facet.DATASET, identity.dataset),
        (Facet.SEVERITY, identity.severity),
        (Facet.STATUS, identity.status),
        (Facet.STATE, statuses.BY_NAME[identity.status].category),
        (Facet.ASSIGNEE, triage.assignee if triage is not None else ""),
        (Facet.TYPE, identity.ghost_type),
        (Facet.COLUMN, identity.column),
        *((Facet.TAG, tag) for tag in identity.tags),
    ]


def _sort_keys(identity: Identity) -> Mapping[InboxOrder, int]:
    return {
        InboxOrder.LAST_SEEN: clock.to_microseconds(identity.last_seen),
        InboxOrder.FIRST_SEEN: clock.to_microseconds(identity.first_seen),
        InboxOrder.SEVERITY: SEVERITIES.index(identity.severity),
        InboxOrder.ROWS: identity.last_count if identity.last_count is not None else -1,
        InboxOrder.TIMES_SEEN: identity.times_seen,
        InboxOrder.COMMENTS: identity.comment_count,
    }


def _select_highest(ordinals: _OrdinalArray, columns: Sequence[_OrdinalArray], limit: int) -> _OrdinalArray:
    """Return at least ``limit`` of the highest ordinals, unsorted, so that only these need to be sorted."""
    if not limit:
        return ordinals[:0]
    selected: list[_OrdinalArray] = []
    for column in columns:
        if len(ordinals) <= limit:
            break
        values = column[ordinals]
        threshold = np.partition(values, len(values) - limit)[len(values) - limit]
        selected.append(ordinals[values > threshold])
        limit -= len(selected[-1])
        ordinals = ordinals[values == threshold]
    return np.concatenate([*selected, ordinals])


def _to_array(ordinals: BitMap) -> _OrdinalArray:
    return np.frombuffer(ordinals.to_array(), np.uint32).astype(np.int64)


def _to_bitmap(ordinals: _OrdinalArray) -> BitMap:
    # BitMap reads an array of this type at once, but other sequences number by number.
    return BitMap(array("I", ordinals.astype(np.uint32).tobytes()))
