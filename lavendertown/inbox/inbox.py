"""The inbox: answers queries from its index, after updating it with the latest changes of the store.

The store reads findings; queries are implemented here, once for all stores. The audit events since the last
update determine which findings are read again.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import takewhile
from typing import Any

from pyroaring import BitMap

from lavendertown.core import clock, statuses
from lavendertown.core.garbage_collection import gc_paused
from lavendertown.inbox.attention import TriageRules
from lavendertown.inbox.changed_readings import find_reading_changes
from lavendertown.inbox.finding_index import FindingIndex
from lavendertown.inbox.inbox_query import Facet, InboxEntry, InboxQuery, SnoozedFilter
from lavendertown.inbox.run_tables import RunTable, read_run_table
from lavendertown.records.identities import DatasetRuns, Identity
from lavendertown.records.queries import FlatRecordQuery
from lavendertown.records.record_classes import ALL_ITEMS, AuditEvent, RecordKind, TriageRecord
from lavendertown.records.search_text import fold_text
from lavendertown.records.store import Store

_MANY_FINDINGS = 1_000


class Inbox:
    """The findings of one store, up to date at each query.

    Args:
        store: The store, which is only read.
        rules: What the team set for all findings.
    """

    def __init__(self, store: Store, rules: TriageRules | None = None) -> None:
        self._store = store
        self._rules = rules or TriageRules()
        self._lock = threading.Lock()
        self._index = FindingIndex(self._rules, self._read_table)
        self._revision: str | None = None
        self._mark: Any = None

    def list_entries(self, query: InboxQuery, limit: int | None = 50, offset: int = 0) -> list[InboxEntry]:
        """Return one page of the matching findings."""
        with self._fresh_index() as index:
            end = None if limit is None else offset + limit
            ordinals = index.sort_ordinals(_match_query(index, query), query.order, end)
            now = clock.now()
            return [index.build_entry(ordinal, now) for ordinal in ordinals[offset:end]]

    def list_ids(self, query: InboxQuery) -> list[str]:
        """Return the ids of all matching findings, in order."""
        with self._fresh_index() as index:
            return [
                index.finding_ids[ordinal]
                for ordinal in index.sort_ordinals(_match_query(index, query), query.order)
            ]

    def count_entries(self, query: InboxQuery) -> int:
        """Return the number of matching findings."""
        with self._fresh_index() as index:
            return len(_match_query(index, query))

    def count_facets(self, query: InboxQuery) -> dict[Facet, dict[str, int]]:
        """Return the number of matching findings for each value of each facet.

        The counts of a facet ignore its own selected values, so that they show the alternatives. Tags are
        an exception, because several tags narrow the selection.
        """
        with self._fresh_index() as index:
            candidates = _match_query(index, replace(query, facets={}))
            selected = {
                facet: index.match_facet(facet, values) for facet, values in query.facets.items() if values
            }
            return {
                facet: index.facet_counts(facet, _apply_other_facets(facet, candidates, selected))
                for facet in Facet
            }

    def find_entries(self, finding_ids: Iterable[str]) -> dict[str, InboxEntry]:
        """Return the entries of those findings that are in live reports."""
        with self._fresh_index() as index:
            now = clock.now()
            ordinals = {each: index.ordinals[each] for each in finding_ids if each in index.ordinals}
            return {
                finding_id: index.build_entry(ordinal, now)
                for finding_id, ordinal in ordinals.items()
                if ordinal in index.live
            }

    def select_live_ids(self, finding_ids: Iterable[str]) -> set[str]:
        """Return those of these ids that are the current id of a finding in a live report."""
        with self._fresh_index() as index:
            places = ((each, index.ordinals.get(each)) for each in finding_ids)
            return {each for each, place in places if place is not None and place in index.live}

    def count_passing_runs(self, finding_id: str) -> int:
        """Return how many of the latest runs in a row completed a finding's check without finding it."""
        with self._fresh_index() as index:
            ordinal = index.ordinals.get(finding_id)
            if ordinal is None or ordinal not in index.live:
                return 0
            identity = index.identity_at(ordinal)
            runs = index.runs.get(identity.dataset)
        if runs is None:
            return 0
        later = self._runs_after(identity, runs)
        executed = self._store.executed_check_keys(later)
        readings = find_reading_changes(runs, self._read_table)

        def is_passing(report_id: str) -> bool:
            if identity.check_key not in executed.get(report_id, frozenset()):
                return False
            return readings is None or not readings.is_changed_since_last_seen(identity, report_id)

        return sum(1 for _ in takewhile(is_passing, later))

    def _runs_after(self, identity: Identity, runs: DatasetRuns) -> list[str]:
        """Return the runs after the last one that has a finding, newest first."""
        last = self._store.last_occurrences([identity.finding_id]).get(identity.finding_id)
        if last is not None and last.report_id in runs.report_ids:
            return list(runs.report_ids[: runs.report_ids.index(last.report_id)])
        times = zip(runs.run_times, runs.report_ids, strict=True)
        return [report_id for at, report_id in times if at > identity.last_seen]

    def first_seen_times(self, datasets: Sequence[str] = ()) -> dict[str, dt.datetime]:
        """Return when each finding was first seen: all findings, or those of these datasets."""
        with self._fresh_index() as index:
            matching = _match_query(index, InboxQuery(facets={Facet.DATASET: tuple(datasets)}))
            return {index.finding_ids[ordinal]: index.identity_at(ordinal).first_seen for ordinal in matching}

    @contextmanager
    def _fresh_index(self) -> Iterator[FindingIndex]:
        with self._lock:
            self._refresh_index()
            self._index.refresh_elapsed(clock.now())
            yield self._index

    def _refresh_index(self) -> None:
        revision = self._store.change_token()
        if revision == self._revision:
            return
        if self._revision is None:
            with gc_paused(should_freeze=lambda: len(self._index.finding_ids) >= _MANY_FINDINGS):
                self._apply_events()
        else:
            self._apply_events()
        self._revision = revision

    def _apply_events(self) -> None:
        self._mark, events = self._store.events_since(self._mark)
        if events is None or any(event.component == "store" for event in events):
            self._index = FindingIndex(self._rules, self._read_table)
            self._load_findings(None, None)
        else:
            finding_ids, datasets = self._affected_by(events)
            if finding_ids or datasets:
                self._load_findings(sorted(finding_ids), sorted(datasets))

    def _affected_by(self, events: Sequence[AuditEvent]) -> tuple[set[str], set[str]]:
        """Return the findings and datasets that these events may have changed."""
        index = self._index
        named: set[str] = set()
        datasets: set[str] = set()
        updated: set[str] = set()
        for event in events:
            for summary in (event.before or {}, event.after or {}):
                named |= {str(summary.get(key) or "") for key in ("finding_id", "merged_into")}
                if event.component == RecordKind.REPORT:
                    datasets.add(str(summary.get("dataset", "")))
                    if event.operation == "update":
                        updated.add(str(summary.get("dataset", "")))
        named |= {event.record_id for event in events if event.component == RecordKind.TRIAGE}
        named.discard("")
        finding_ids = named | {self._store.resolve_fingerprint(finding_id) for finding_id in named}
        report_ids = [event.record_id for event in events if event.component == RecordKind.REPORT]
        if report_ids:
            finding_ids |= self._store.report_fingerprints(report_ids)
        # The event of an updated report does not list the findings that it lost. They are in its dataset.
        for dataset in updated:
            ordinals = index.postings[Facet.DATASET].get(dataset, ())
            finding_ids |= {index.finding_ids[ordinal] for ordinal in ordinals}
        return finding_ids, datasets

    def _load_findings(self, finding_ids: Sequence[str] | None, datasets: Sequence[str] | None) -> None:
        """Read these findings and the runs of these datasets from the store; None for all."""
        index = self._index
        for dataset in datasets or ():
            former = index.runs.pop(dataset, None)
            for report_id in former.report_ids if former else ():
                index.executed.pop(report_id, None)
                index.tables.pop(report_id, None)
        if datasets is None or datasets:
            index.runs |= self._store.latest_runs(datasets)
        texts: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for finding_id, author, text in self._store.annotation_texts(finding_ids):
            texts[finding_id].append((author, text))
        triage = self._read_triage(finding_ids)
        acceptances = self._store.acceptances(finding_ids)
        stored = set()
        identities = list(self._store.read_identities(finding_ids))
        self._read_tied_runs({*(datasets or ()), *(identity.dataset for identity in identities)})
        for identity in identities:
            stored.add(identity.finding_id)
            name = identity.finding_id
            index.upsert(identity, triage.get(name), texts.get(name, ()), acceptances.get(name))
        for finding_id in set(finding_ids or ()) - stored:
            index.remove(finding_id)
        changed = BitMap(index.ordinals[name] for name in stored)
        for dataset in datasets or ():
            in_dataset = BitMap(index.postings[Facet.DATASET].get(dataset, ()))
            for ordinal in in_dataset:
                index.refresh_state(ordinal)
            changed |= in_dataset
        self._check_fixes(changed)
        self._check_appearances(changed)

    def _read_table(self, report_id: str) -> RunTable:
        return read_run_table(self._store, report_id)

    def _read_tied_runs(self, datasets: Iterable[str]) -> None:
        """Read the findings of the latest run of these datasets where its time does not tell them."""
        index = self._index
        for dataset in datasets:
            index.in_latest_run.pop(dataset, None)
            runs = index.runs.get(dataset)
            if runs is not None and runs.is_latest_tied:
                index.in_latest_run[dataset] = self._store.report_fingerprints(runs.report_ids[:1])

    def _check_fixes(self, ordinals: BitMap) -> None:
        """Read which checks the runs after the fixes of these findings completed."""
        unread = self._index.unread_runs_after_fixes(ordinals)
        if unread:
            self._index.executed |= self._store.executed_check_keys(sorted(unread))
            for ordinal in ordinals & self._index.postings[Facet.STATUS][statuses.FIXED.name]:
                self._index.refresh_state(ordinal)

    def _check_appearances(self, ordinals: BitMap) -> None:
        """Read which checks the runs before new and regressed findings among these completed."""
        unread = self._index.unread_runs_before(ordinals)
        if unread:
            self._index.executed |= self._store.executed_check_keys(sorted(unread))
        self._index.refresh_changed_checks(ordinals)

    def _read_triage(self, finding_ids: Sequence[str] | None) -> dict[str, TriageRecord]:
        if finding_ids is not None and not finding_ids:
            return {}
        records = self._store.scan(FlatRecordQuery(RecordKind.TRIAGE, tuple(finding_ids or ())), ALL_ITEMS)
        return {record.id: record for record in records if isinstance(record, TriageRecord)}


def _match_query(index: FindingIndex, query: InboxQuery) -> BitMap:
    matching = BitMap(index.live)
    for facet, values in query.facets.items():
        if values:
            matching &= index.match_facet(facet, values)
    if query.finding_ids is not None:
        matching &= BitMap([index.ordinals[each] for each in query.finding_ids if each in index.ordinals])
    if query.twins:
        matching &= BitMap([index.ordinals[each] for each in index.likely_predecessors()])
    if query.snoozed is not SnoozedFilter.INCLUDED:
        snoozed = index.snoozed_at(clock.now())
        matching = matching & snoozed if query.snoozed is SnoozedFilter.ONLY else matching - snoozed
    if query.start_date is not None or query.end_date is not None:
        matching = index.last_seen_between(matching, query.start_date, query.end_date)
    if query.search:
        matching = index.containing_text(matching, query.search)
    if query.mentions:
        also = BitMap([index.ordinals[each] for each in query.mentioned_ids if each in index.ordinals])
        matching = index.mentioning_user(matching, fold_text(query.mentions)) | (matching & also)
    return matching


def _apply_other_facets(facet: Facet, candidates: BitMap, selected: Mapping[Facet, BitMap]) -> BitMap:
    for other, ordinals in selected.items():
        if other is not facet or facet is Facet.TAG:
            candidates = candidates & ordinals
    return candidates
