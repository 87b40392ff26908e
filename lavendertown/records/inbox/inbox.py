"""The inbox: asks its index, having taken in what was written since the last question.

A store knows how to read findings; what can be asked of them is said here, once for all stores. The
audit events since the last look tell which findings are to be read again.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from pyroaring import BitMap

from lavendertown import clock
from lavendertown.records.contract import Store
from lavendertown.records.inbox.index import Index
from lavendertown.records.inbox.query import Entry, Facet, InboxQuery, Snoozed
from lavendertown.records.queries import PlainQuery
from lavendertown.records.undisturbed import undisturbed
from lavendertown.records.values import EVERYTHING, AuditEvent, Kind, TriageRecord


class Inbox:
    """The findings of one store, as they are at each question.

    Args:
        store: Read from, never written to.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._index = Index()
        self._revision: str | None = None
        self._mark: Any = None

    def page(self, query: InboxQuery, limit: int | None = 50, offset: int = 0) -> list[Entry]:
        """Return one page of the matching findings."""
        with self._asked() as index:
            end = None if limit is None else offset + limit
            places = index.ordered(_matching(index, query), query.order, end)
            now = clock.now()
            return [index.entry(place, now) for place in places[offset:end]]

    def names(self, query: InboxQuery) -> list[str]:
        """Return the ids of all matching findings, in order."""
        with self._asked() as index:
            return [index.names[place] for place in index.ordered(_matching(index, query), query.order)]

    def count(self, query: InboxQuery) -> int:
        """Return how many findings match."""
        with self._asked() as index:
            return len(_matching(index, query))

    def facets(self, query: InboxQuery) -> dict[Facet, dict[str, int]]:
        """Count the matching findings under each value.

        Each facet leaves its own choice out, so that it shows what else could be chosen; but tags,
        which narrow one another.
        """
        with self._asked() as index:
            others = _matching(index, replace(query, facets={}))
            chosen = {facet: index.chosen(facet, values) for facet, values in query.facets.items() if values}
            return {facet: index.counts(facet, _without(facet, others, chosen)) for facet in Facet}

    def entries(self, names: Iterable[str]) -> dict[str, Entry]:
        """Return those of these findings that live reports hold."""
        with self._asked() as index:
            now = clock.now()
            places = {name: index.place[name] for name in names if name in index.place}
            return {n: index.entry(place, now) for n, place in places.items() if place in index.alive}

    def births(self, datasets: Sequence[str] = ()) -> dict[str, dt.datetime]:
        """Return when each finding, or each of these datasets, was seen first."""
        with self._asked() as index:
            found = _matching(index, InboxQuery(facets={Facet.DATASET: tuple(datasets)}))
            return {index.names[place]: index.identity(place).first_seen for place in found}

    @contextmanager
    def _asked(self) -> Iterator[Index]:
        with self._lock:
            self._refresh()
            yield self._index

    def _refresh(self) -> None:
        revision = self._store.revision()
        if revision == self._revision:
            return
        if self._revision is None:
            with undisturbed():
                self._take_in()
        else:
            self._take_in()
        self._revision = revision

    def _take_in(self) -> None:
        self._mark, events = self._store.events_since(self._mark)
        if events is None or any(event.component == "store" for event in events):
            self._index = Index()
            self._load(None, None)
        else:
            names, datasets = self._touched(events)
            if names or datasets:
                self._load(sorted(names), sorted(datasets))

    def _touched(self, events: Sequence[AuditEvent]) -> tuple[set[str], set[str]]:
        """Return the findings and datasets that these events may have changed."""
        index, told = self._index, defaultdict(set)
        reports = [event for event in events if event.component == Kind.REPORT]
        for event in events:
            for content in (event.before or {}, event.after or {}):
                told[event.component, event.operation].add(str(content.get("dataset", "")))
                told["named", ""] |= {str(content.get(key) or "") for key in ("finding_id", "merged_into")}
        named = told["named", ""] - {""}
        named |= {event.record_id for event in events if event.component == Kind.TRIAGE}
        names = named | {self._store.resolve(name) for name in named}
        if reports:
            names |= self._store.fingerprints([event.record_id for event in reports])
        # What a rewritten report no longer holds is not told; it is of the same dataset.
        for dataset in told[Kind.REPORT, "update"]:
            names |= {index.names[place] for place in index.of[Facet.DATASET].get(dataset, ())}
        datasets = {name for (kind, _), found in told.items() if kind == Kind.REPORT for name in found}
        return names, datasets

    def _load(self, names: Sequence[str] | None, datasets: Sequence[str] | None) -> None:
        """Read these findings anew, and the runs of these datasets; None stands for all."""
        index = self._index
        for dataset in datasets or ():
            index.runs.pop(dataset, None)
        if datasets is None or datasets:
            index.runs |= self._store.runs(datasets)
        said: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for name, author, text in self._store.said(names):
            said[name].append((author, text))
        triage = self._triage(names)
        found = set()
        for identity in self._store.identities(names):
            found.add(identity.finding_id)
            index.put(identity, triage.get(identity.finding_id), said.get(identity.finding_id, ()))
        for name in set(names or ()) - found:
            index.drop(name)
        for dataset in datasets or ():
            for place in BitMap(index.of[Facet.DATASET].get(dataset, ())):
                index.see(place)

    def _triage(self, names: Sequence[str] | None) -> dict[str, TriageRecord]:
        if names is not None and not names:
            return {}
        found = self._store.scan(PlainQuery(Kind.TRIAGE, tuple(names or ())), EVERYTHING)
        return {record.id: record for record in found if isinstance(record, TriageRecord)}


def _matching(index: Index, query: InboxQuery) -> BitMap:
    found = BitMap(index.alive)
    for facet, values in query.facets.items():
        if values:
            found &= index.chosen(facet, values)
    if query.among is not None:
        found &= BitMap([index.place[name] for name in query.among if name in index.place])
    if query.twins:
        found &= BitMap([index.place[name] for name in index.twins()])
    if query.snoozed is not Snoozed.INCLUDED:
        asleep = index.asleep(clock.now())
        found = found & asleep if query.snoozed is Snoozed.ONLY else found - asleep
    if query.start is not None or query.end is not None:
        found = index.within(found, query.start, query.end)
    if query.search:
        found = index.saying(found, query.search)
    return index.mentioning(found, query.mentions.casefold()) if query.mentions else found


def _without(facet: Facet, found: BitMap, chosen: Mapping[Facet, BitMap]) -> BitMap:
    for other, places in chosen.items():
        if other is not facet or facet is Facet.TAG:
            found = found & places
    return found
