"""Trends: findings and their statuses over time, and the findings behind a number in a chart."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from lavendertown.collaboration import filters
from lavendertown.collaboration.chart_selection import ChartSelection
from lavendertown.collaboration.parts.context import StoragePart
from lavendertown.core import clock, statuses
from lavendertown.core.errors import InvalidInputError
from lavendertown.inbox.run_tables import read_run_table
from lavendertown.profile.evidence import ColumnProfile
from lavendertown.records.identities import StatusChange
from lavendertown.records.queries import ReportFacet, ReportQuery
from lavendertown.records.record_classes import ALL_ITEMS, Page, ReportSummary

MAX_PROFILED_RUNS = 26
"""The number of newest runs whose column profiles are read."""

_QUANTILES = 5


class OpenPeriod(NamedTuple):
    """A period in which a finding was open without interruption.

    Attributes:
        opened_at: When it was first seen or reopened.
        closing: The status change that ended the period; None while it lasts.
    """

    finding_id: str
    opened_at: dt.datetime
    closing: StatusChange | None

    def is_open_before(self, at: dt.datetime) -> bool:
        """Return whether the finding was open just before a time."""
        return self.opened_at < at and (self.closing is None or self.closing.changed_at >= at)


class Trends(StoragePart):
    """Numbers over time. ``edges`` are ascending aware times; each pair of neighbours bounds a step."""

    def count_severities(
        self, edges: Sequence[dt.datetime], dataset: filters.OneOrMany = None
    ) -> list[dict[str, Any]]:
        """Count findings by severity in the latest run of each dataset at the end of each step.

        Returns:
            Dictionaries with at (the end of a step), dataset, report_id, created_at and author (of that run),
            error, warning and info; no row for a dataset without a run by then.
        """
        edges = _check_edges(edges)
        out: list[dict[str, Any]] = []
        for name in self._dataset_names(dataset):
            runs = self._runs_between(name, edges[0], edges[-1])
            times = [run.created_at for run in runs]
            for at in edges[1:]:
                place = bisect_left(times, at)
                if place:
                    out.append(_severity_row(name, at, runs[place - 1]))
        return out

    def count_statuses(
        self, edges: Sequence[dt.datetime], dataset: filters.OneOrMany = None
    ) -> list[dict[str, Any]]:
        """Count the findings that were open, and that were closed, at the end of each step.

        Closed findings were set to fixed, accepted or false alarm and have not been found again since.

        Returns:
            Dictionaries with at, open and closed.
        """
        edges = _check_edges(edges)
        found = self._open_periods(dataset)
        first: dict[str, dt.datetime] = {}
        for period in found:
            first[period.finding_id] = min(period.opened_at, first.get(period.finding_id, period.opened_at))
        known = sorted(first.values())
        opened = sorted(period.opened_at for period in found)
        closed = sorted(period.closing.changed_at for period in found if period.closing is not None)
        out = []
        for at in edges[1:]:
            count = bisect_left(opened, at) - bisect_left(closed, at)
            out.append({"at": at, "open": count, "closed": bisect_left(known, at) - count})
        return out

    def list_closed(
        self, start: dt.datetime, end: dt.datetime, dataset: filters.OneOrMany = None
    ) -> list[dict[str, Any]]:
        """List the closed findings, from ``start`` until before ``end``, oldest first.

        Returns:
            Dictionaries with finding_id, at, status, author, opened_at and seconds (open time).
        """
        start, end = clock.to_utc_bound(start), clock.to_utc_bound(end)
        ended = (
            (period.closing, period.opened_at) for period in self._open_periods(dataset) if period.closing
        )
        found = [
            {
                "finding_id": change.finding_id,
                "at": change.changed_at,
                "status": change.status,
                "author": change.author,
                "opened_at": opened_at,
                "seconds": (change.changed_at - opened_at).total_seconds(),
            }
            for change, opened_at in ended
            if start <= change.changed_at < end
        ]
        return sorted(found, key=lambda row: (row["at"], row["finding_id"]))

    def list_profiles(self, dataset: str, start: dt.datetime, end: dt.datetime) -> list[dict[str, Any]]:
        """List the column profiles of the runs of a dataset from ``start`` until before ``end``.

        The oldest come first. Only the newest :data:`MAX_PROFILED_RUNS` runs are read; those without profiles
        are left out.

        Returns:
            Dictionaries with report_id, created_at, title and columns: for each column name kind, missing
            (the share from 0 to 1) and quantiles (the 5th, 25th, 50th, 75th and 95th percentile; empty if
            they are unknown).
        """
        start, end = clock.to_utc_bound(start), clock.to_utc_bound(end)
        query = ReportQuery(dataset=(dataset,), start_date=start, end_date=clock.microsecond_before(end))
        runs = self._context.store.scan(query, Page(limit=MAX_PROFILED_RUNS))
        out: list[dict[str, Any]] = []
        for run in reversed(runs):
            profiles = read_run_table(self._context.store, run.id).profiles
            if profiles:
                columns = {name: _summarize_profile(profile) for name, profile in profiles.items()}
                named = {"report_id": run.id, "created_at": run.created_at, "title": run.title}
                out.append({**named, "columns": columns})
        return out

    def select_findings(self, selection: ChartSelection, dataset: filters.OneOrMany = None) -> frozenset[str]:
        """Return the ids of the findings that a number in a chart counts."""
        match selection.measure:
            case "seen":
                runs = self._latest_runs(dataset, selection.end)
                severities = (selection.value,) if selection.value else ()
                return self._context.store.report_fingerprints([run.id for run in runs], severities)
            case "found":
                found = [
                    run
                    for run in self._latest_runs(dataset, selection.end)
                    if selection.value in ("", run.author)
                ]
                return self._context.store.report_fingerprints([run.id for run in found])
            case "open":
                return frozenset(
                    period.finding_id
                    for period in self._open_periods(dataset)
                    if period.is_open_before(selection.end)
                )
            case "closed":
                periods = self._open_periods(dataset)
                known = frozenset(period.finding_id for period in periods if period.opened_at < selection.end)
                return known - frozenset(
                    period.finding_id for period in periods if period.is_open_before(selection.end)
                )
            case "closing":
                rows = self.list_closed(selection.start, selection.end, dataset)
                return frozenset(r["finding_id"] for r in rows if selection.value in ("", r["author"]))

    def _latest_runs(self, dataset: filters.OneOrMany, at: dt.datetime) -> list[ReportSummary]:
        """Return the last run of each dataset before a time."""
        return [run for name in self._dataset_names(dataset) for run in self._runs_between(name, at, at)]

    def _open_periods(self, dataset: filters.OneOrMany) -> list[OpenPeriod]:
        names = filters.as_tuple(dataset)
        return find_open_periods(
            self._context.inbox_index.first_seen_times(names),
            self._context.store.status_changes(names or None),
        )

    def _dataset_names(self, dataset: filters.OneOrMany) -> list[str]:
        names = filters.as_tuple(dataset)
        return sorted(self._context.store.group_reports(ReportQuery(dataset=names), ReportFacet.DATASET))

    def _runs_between(self, dataset: str, start: dt.datetime, end: dt.datetime) -> list[ReportSummary]:
        """Return the runs of a dataset before ``end``, oldest first, from the last before ``start`` on."""
        before = self._context.store.scan(
            ReportQuery(dataset=(dataset,), end_date=clock.microsecond_before(start)), Page(limit=1)
        )
        if start == end:
            return list(before)
        within = ReportQuery(dataset=(dataset,), start_date=start, end_date=clock.microsecond_before(end))
        return [*before, *reversed(self._context.store.scan(within, ALL_ITEMS))]


def _check_edges(edges: Sequence[dt.datetime]) -> list[dt.datetime]:
    edges = [clock.to_utc_bound(edge) for edge in edges]
    if len(edges) < 2 or any(later <= sooner for sooner, later in pairwise(edges)):
        raise InvalidInputError(
            "The edges of the steps must be at least two times, each after the one before."
        )
    return edges


def _summarize_profile(profile: ColumnProfile) -> dict[str, Any]:
    return {
        "kind": profile.kind,
        "missing": profile.nulls / profile.count if profile.count else 0.0,
        "quantiles": profile.quantiles if len(profile.quantiles) == _QUANTILES else [],
    }


def _severity_row(dataset: str, at: dt.datetime, run: ReportSummary) -> dict[str, Any]:
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


def find_open_periods(
    first_seen: Mapping[str, dt.datetime], changes: Iterable[StatusChange]
) -> list[OpenPeriod]:
    """Return the periods in which findings were open.

    Args:
        first_seen: When each finding was first seen.
        changes: Status changes, oldest first.
    """
    decided: dict[str, list[StatusChange]] = defaultdict(list)
    for change in changes:
        if change.finding_id in first_seen:
            decided[change.finding_id].append(change)
    return [
        period
        for name, first_seen_at in first_seen.items()
        for period in _periods_of_finding(name, first_seen_at, decided.get(name, ()))
    ]


def _periods_of_finding(
    name: str, first_seen_at: dt.datetime, changes: Sequence[StatusChange]
) -> Iterator[OpenPeriod]:
    opened_at: dt.datetime | None = first_seen_at
    for change, following in pairwise([*changes, None]):
        assert change is not None
        if not statuses.is_closed(change.status):
            opened_at = opened_at or change.changed_at
            continue
        if opened_at is not None:
            # A status may be set before the first report with the finding is saved.
            yield OpenPeriod(name, min(opened_at, change.changed_at), change)
        opened_at = None
        if change.regressed_at is not None and (
            following is None or change.regressed_at < following.changed_at
        ):
            opened_at = change.regressed_at
    if opened_at is not None:
        yield OpenPeriod(name, opened_at, None)
