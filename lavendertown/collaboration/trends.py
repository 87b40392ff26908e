"""How findings and the work on them change over time, and which findings a figure counts."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from lavendertown.collaboration import filters
from lavendertown.collaboration.core import Core
from lavendertown.collaboration.counted import Counted
from lavendertown.collaboration.lives import Spell, spells
from lavendertown.errors import InvalidInputError
from lavendertown.records.queries import By, ReportQuery
from lavendertown.records.values import EVERYTHING, Page, ReportHeader


class Trends(Core):
    """Figures over time. ``edges`` are aware times, ascending: two neighbours bound one step."""

    def severity_trend(
        self, edges: Sequence[dt.datetime], dataset: filters.Words = None
    ) -> list[dict[str, Any]]:
        """Tell what the latest run of each dataset had found at the end of each step.

        Returns:
            Dictionaries with at (the end of a step), dataset, report_id, created_at and author (of that run),
            error, warning and info; none for a dataset without a run until then.
        """
        _check(edges)
        out: list[dict[str, Any]] = []
        for name in self._datasets(dataset):
            runs = self._runs(name, edges[0], edges[-1])
            times = [run.created_at for run in runs]
            for at in edges[1:]:
                place = bisect_left(times, at)
                if place:
                    out.append(_figures(name, at, runs[place - 1]))
        return out

    def status_trend(
        self, edges: Sequence[dt.datetime], dataset: filters.Words = None
    ) -> list[dict[str, Any]]:
        """Count the findings that were open, and that were closed, at the end of each step.

        Closed are those that were set to fixed, accepted or false alarm and were not back since.

        Returns:
            Dictionaries with at, open and closed.
        """
        _check(edges)
        found = self._spells(dataset)
        first: dict[str, dt.datetime] = {}
        for spell in found:
            first[spell.finding_id] = min(spell.opened_at, first.get(spell.finding_id, spell.opened_at))
        known = sorted(first.values())
        opened = sorted(spell.opened_at for spell in found)
        closed = sorted(spell.closing.at for spell in found if spell.closing is not None)
        out = []
        for at in edges[1:]:
            count = bisect_left(opened, at) - bisect_left(closed, at)
            out.append({"at": at, "open": count, "closed": bisect_left(known, at) - count})
        return out

    def closings(
        self, start: dt.datetime, end: dt.datetime, dataset: filters.Words = None
    ) -> list[dict[str, Any]]:
        """List how findings were closed from one moment until before another, oldest first.

        Returns:
            Dictionaries with finding_id, at, status, author, opened_at and seconds (how long it was open).
        """
        ended = ((spell.closing, spell.opened_at) for spell in self._spells(dataset) if spell.closing)
        found = [
            {
                "finding_id": turn.finding_id,
                "at": turn.at,
                "status": turn.status,
                "author": turn.author,
                "opened_at": opened_at,
                "seconds": (turn.at - opened_at).total_seconds(),
            }
            for turn, opened_at in ended
            if start <= turn.at < end
        ]
        return sorted(found, key=lambda row: (row["at"], row["finding_id"]))

    def counted(self, what: Counted, dataset: filters.Words = None) -> frozenset[str]:
        """Return the ids of the findings that a figure counts."""
        match what.what:
            case "seen":
                runs = self._latest(dataset, what.end)
                severities = (what.which,) if what.which else ()
                return self.store.fingerprints([run.id for run in runs], severities)
            case "found":
                found = [run for run in self._latest(dataset, what.end) if what.which in ("", run.author)]
                return self.store.fingerprints([run.id for run in found])
            case "open":
                return frozenset(s.finding_id for s in self._spells(dataset) if s.covers(what.end))
            case "closed":
                all_spells = self._spells(dataset)
                known = frozenset(s.finding_id for s in all_spells if s.opened_at < what.end)
                return known - frozenset(s.finding_id for s in all_spells if s.covers(what.end))
            case "closing":
                rows = self.closings(what.start, what.end, dataset)
                return frozenset(r["finding_id"] for r in rows if what.which in ("", r["author"]))

    def _latest(self, dataset: filters.Words, at: dt.datetime) -> list[ReportHeader]:
        """Return the last run of each dataset before a moment."""
        return [run for name in self._datasets(dataset) for run in self._runs(name, at, at)]

    def _spells(self, dataset: filters.Words) -> list[Spell]:
        names = filters.words(dataset)
        return spells(self.inbox.births(names), self.store.turns(names or None))

    def _datasets(self, dataset: filters.Words) -> list[str]:
        names = filters.words(dataset)
        return sorted(self.store.group(ReportQuery(datasets=names), By.DATASET))

    def _runs(self, dataset: str, start: dt.datetime, end: dt.datetime) -> list[ReportHeader]:
        """Return a dataset's runs before ``end``, oldest first, from the last one before ``start`` on."""
        before = self.store.scan(
            ReportQuery(datasets=(dataset,), end=start - dt.timedelta(microseconds=1)), Page(limit=1)
        )
        if start == end:
            return list(before)
        within = ReportQuery(datasets=(dataset,), start=start, end=end - dt.timedelta(microseconds=1))
        return [*before, *reversed(self.store.scan(within, EVERYTHING))]


def _check(edges: Sequence[dt.datetime]) -> None:
    if len(edges) < 2 or any(later <= sooner for sooner, later in pairwise(edges)):
        raise InvalidInputError(
            "The edges of the steps must be at least two times, each after the one before."
        )


def _figures(dataset: str, at: dt.datetime, run: ReportHeader) -> dict[str, Any]:
    return {
        "at": at,
        "dataset": dataset,
        "report_id": run.id,
        "created_at": run.created_at,
        "author": run.author,
        "error": run.error_count,
        "warning": run.warning_count,
        "info": run.info_count,
    }
