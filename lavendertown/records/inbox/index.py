"""The findings in memory: each has a place, and each value of a facet a bitmap of places."""

from __future__ import annotations

import datetime as dt
from array import array
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.compute as pc  # type: ignore[import-untyped]
from pyroaring import BitMap

from lavendertown import clock
from lavendertown.models import SEVERITIES
from lavendertown.records.identities import PRESENT, Identity, Run, Seen, asleep, mentions, seen
from lavendertown.records.inbox.query import Entry, Facet, Order
from lavendertown.records.inbox.twins import twins
from lavendertown.records.texts import SEPARATOR
from lavendertown.records.values import TriageRecord

_FEW = 2_000
# Searches whose answers are kept until something changes: a screen asks each of them three times.
_SEARCHES = 8
_Places = np.ndarray[Any, Any]


@dataclass(slots=True)
class _Row:
    """What is kept of one finding, and under which values it is found."""

    identity: Identity
    triage: TriageRecord | None = None
    seen: Seen = Seen.ONGOING
    values: list[tuple[Facet, str]] = field(default_factory=list)
    said: tuple[str, ...] = ()
    mentioned: frozenset[str] | None = None


class Index:
    """Findings by every value they have.

    Attributes:
        runs: The newest runs of each dataset.
        alive: The places of the findings that live reports hold.
        of: The places of each value of each facet.
    """

    def __init__(self) -> None:
        self.runs: dict[str, Run] = {}
        self.alive = BitMap()
        self.of: dict[Facet, dict[str, BitMap]] = {facet: defaultdict(BitMap) for facet in Facet}
        self.names: list[str] = []
        self.place: dict[str, int] = {}
        self._rows: list[_Row] = []
        self._texts: list[str] = []
        self._arrow: Any = None
        self._holding: dict[str, BitMap] = {}
        self._snoozed = BitMap()
        self._twins: dict[str, dict[str, str]] = {}
        self._numbers = {order: np.zeros(1024, np.int64) for order in Order}

    def put(self, identity: Identity, triage: TriageRecord | None, said: Sequence[tuple[str, str]]) -> None:
        """Take a finding in, new or changed.

        Args:
            identity: The finding.
            triage: What was decided about it.
            said: Author and casefolded text of each live annotation.
        """
        place = self._room(identity)
        row = self._rows[place] = _Row(identity, triage, self._rows[place].seen)
        row.values = [*_values(identity, triage), *((Facet.AUTHOR, name) for name in {a for a, _ in said})]
        row.said = tuple(text for _, text in said if "@" in text)
        for facet, value in row.values:
            self.of[facet][value].add(place)
        if triage is not None and (triage.snooze_until or triage.snooze_factor):
            self._snoozed.add(place)
        self.alive.add(place)
        told = (identity.description, identity.column, identity.dataset)
        self._texts[place] = SEPARATOR.join([*map(str.casefold, told), *(text for _, text in said)])
        self._arrow = None
        self._holding.clear()
        for order, number in _numbers(identity).items():
            self._numbers[order][place] = number
        self.see(place)

    def drop(self, name: str) -> None:
        """Leave a finding out; should it come back, it gets its place again."""
        place = self.place.get(name)
        if place is not None:
            self._forget(place)
            self.alive.discard(place)
            self._twins.pop(self._rows[place].identity.dataset, None)

    def see(self, place: int) -> None:
        """Say anew what the runs of its dataset say of a finding."""
        row = self._rows[place]
        self._twins.pop(row.identity.dataset, None)
        self.of[Facet.SEEN][row.seen].discard(place)
        row.seen = seen(row.identity, self.runs.get(row.identity.dataset))
        self.of[Facet.SEEN][row.seen].add(place)

    def entry(self, place: int, now: dt.datetime) -> Entry:
        """Return the finding at a place."""
        row = self._rows[place]
        run = self.runs.get(row.identity.dataset)
        twin = self._twins_of(row.identity.dataset).get(row.identity.finding_id, "")
        asleep = self._sleeps(place, now)
        return Entry(row.identity, row.seen, row.triage, asleep, run.times if run else (), twin)

    def identity(self, place: int) -> Identity:
        """Return the finding at a place, as the store tells it."""
        return self._rows[place].identity

    def twins(self) -> dict[str, str]:
        """Return the findings that look like one that vanished when they came, each with that one."""
        found: dict[str, str] = {}
        for dataset in self.runs:
            found |= self._twins_of(dataset)
        return found

    def _twins_of(self, dataset: str) -> dict[str, str]:
        if dataset not in self._twins:
            run = self.runs.get(dataset)
            self._twins[dataset] = self._look_alikes(dataset, run.times) if run else {}
        return self._twins[dataset]

    def _look_alikes(self, dataset: str, runs: Sequence[dt.datetime]) -> dict[str, str]:
        moments = [clock.to_microseconds(run) for run in runs]
        here, of = self.of[Facet.DATASET].get(dataset, BitMap()), self.of[Facet.SEEN]

        def at_a_run(places: BitMap, order: Order) -> list[_Row]:
            found = _array(here & places)
            return [self._rows[p] for p in found[np.isin(self._numbers[order][found], moments)]]

        here_now = BitMap.union(*(of.get(seen, BitMap()) for seen in PRESENT))
        came = at_a_run(here_now, Order.FIRST_SEEN)
        gone = at_a_run(of.get(Seen.NOT_CHECKED, BitMap()), Order.LAST_SEEN)
        open_to_it = [row.identity for row in came if row.triage is None or not row.triage.stands_alone]
        return twins(open_to_it, [row.identity for row in gone], runs)

    def chosen(self, facet: Facet, values: Collection[str]) -> BitMap:
        """Return the places that have any of these values; of tags, all of them."""
        each = [self.of[facet].get(value, BitMap()) for value in values]
        return BitMap.intersection(*each) if facet is Facet.TAG else BitMap.union(*each)

    def counts(self, facet: Facet, among: BitMap) -> dict[str, int]:
        """Count these places under each value of a facet, the most frequent first."""
        each = ((value, places.intersection_cardinality(among)) for value, places in self.of[facet].items())
        return dict(sorted((pair for pair in each if pair[1]), key=lambda pair: (-pair[1], pair[0])))

    def asleep(self, now: dt.datetime) -> BitMap:
        """Return the places of the findings that sleep."""
        return BitMap([place for place in self._snoozed if self._sleeps(place, now)])

    def within(self, found: BitMap, start: dt.datetime | None, end: dt.datetime | None) -> BitMap:
        """Return those of these places that were seen last between two times, both inclusive."""
        places = _array(found)
        times = self._numbers[Order.LAST_SEEN][places]
        good = np.ones(len(places), bool)
        if start is not None:
            good &= times >= clock.to_microseconds(start)
        if end is not None:
            good &= times <= clock.to_microseconds(end)
        return _bitmap(places[good])

    def saying(self, found: BitMap, needle: str) -> BitMap:
        """Return those of these places whose texts contain a casefolded text."""
        if len(found) <= _FEW:
            return BitMap([place for place in found if needle in self._texts[place]])
        if needle not in self._holding:
            if len(self._holding) >= _SEARCHES:
                self._holding.clear()
            self._holding[needle] = self._search(needle)
        return found & self._holding[needle]

    def _search(self, needle: str) -> BitMap:
        if self._arrow is None:
            self._arrow = pa.array(self._texts, pa.large_string())
        hits = pc.match_substring(self._arrow, needle).to_numpy(zero_copy_only=False)
        return _bitmap(np.flatnonzero(hits))

    def mentioning(self, found: BitMap, name: str) -> BitMap:
        """Return those of these places in whose threads a casefolded name is mentioned."""
        hits = self.saying(found, f"@{name}")
        return BitMap([place for place in hits if name in self._mentioned(place)])

    def _mentioned(self, place: int) -> frozenset[str]:
        row = self._rows[place]
        if row.mentioned is None:
            row.mentioned = mentions(row.said)
        return row.mentioned

    def ordered(self, found: BitMap, order: Order, most: int | None = None) -> list[int]:
        """Return these places in order, or at least as many of the first ones."""
        places = _array(found)
        columns = [self._numbers[column] for column in dict.fromkeys((order, Order.LAST_SEEN))]
        if most is not None:
            places = _first(places, columns, most)
        places = places[np.lexsort([-column[places] for column in reversed(columns)])]
        return self._by_name_where_equal(places, columns)

    def _by_name_where_equal(self, places: _Places, columns: Sequence[_Places]) -> list[int]:
        equal = np.ones(max(len(places) - 1, 0), bool)
        for column in columns:
            equal &= column[places[1:]] == column[places[:-1]]
        out: list[int] = places.tolist()
        if not equal.any():
            return out
        edges = [0, *(np.flatnonzero(~equal) + 1).tolist(), len(out)]
        for first, last in pairwise(edges):
            if last - first > 1:
                out[first:last] = sorted(out[first:last], key=self.names.__getitem__)
        return out

    def _sleeps(self, place: int, now: dt.datetime) -> bool:
        row = self._rows[place]
        return place in self._snoozed and row.triage is not None and asleep(row.identity, row.triage, now)

    def _room(self, identity: Identity) -> int:
        """Return the finding's place, where nothing is noted of it; a new one if it has none."""
        place = self.place.get(identity.finding_id)
        if place is not None:
            self._forget(place)
            return place
        place = self.place[identity.finding_id] = len(self.names)
        self.names.append(identity.finding_id)
        self._rows.append(_Row(identity))
        self._texts.append("")
        if place == len(self._numbers[Order.LAST_SEEN]):
            self._numbers = {o: np.concatenate([n, np.zeros_like(n)]) for o, n in self._numbers.items()}
        return place

    def _forget(self, place: int) -> None:
        row = self._rows[place]
        for facet, value in [*row.values, (Facet.SEEN, row.seen.value)]:
            self.of[facet][value].discard(place)
        self._snoozed.discard(place)


def _values(identity: Identity, triage: TriageRecord | None) -> list[tuple[Facet, str]]:
    return [
        (Facet.DATASET, identity.dataset),
        (Facet.SEVERITY, identity.severity),
        (Facet.STATUS, identity.status),
        (Facet.ASSIGNEE, triage.assignee if triage is not None else ""),
        (Facet.TYPE, identity.ghost_type),
        (Facet.COLUMN, identity.column),
        *((Facet.TAG, tag) for tag in identity.tags),
    ]


def _numbers(identity: Identity) -> Mapping[Order, int]:
    return {
        Order.LAST_SEEN: clock.to_microseconds(identity.last_seen),
        Order.FIRST_SEEN: clock.to_microseconds(identity.first_seen),
        Order.SEVERITY: SEVERITIES.index(identity.severity),
        Order.ROWS: identity.last_count if identity.last_count is not None else -1,
        Order.TIMES_SEEN: identity.times_seen,
        Order.COMMENTS: identity.comment_count,
    }


def _first(places: _Places, columns: Sequence[_Places], most: int) -> _Places:
    """Return the highest of these places, at least so many, in no order: a few of very many need no sort."""
    sure: list[_Places] = []
    for column in columns:
        if len(places) <= most:
            break
        values = column[places]
        last = np.partition(values, len(values) - most)[len(values) - most]
        sure.append(places[values > last])
        most -= len(sure[-1])
        places = places[values == last]
    return np.concatenate([*sure, places])


def _array(places: BitMap) -> _Places:
    return np.frombuffer(places.to_array(), np.uint32).astype(np.int64)


def _bitmap(places: _Places) -> BitMap:
    # From an array of this type it is made at once; from numbers one by one.
    return BitMap(array("I", places.astype(np.uint32).tobytes()))
