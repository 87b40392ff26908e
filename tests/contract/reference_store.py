"""The contract said once more, as slowly and plainly as possible: lists in memory, no index, no SQL."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from lavendertown.collaboration.models import Annotation, ShareableReport
from lavendertown.collaboration.storage import Storage, get_finding_id
from lavendertown.models import GhostFinding
from tests.contract.builders import refusal

ZONE = ZoneInfo("Europe/Berlin")
UTC = dt.UTC
DAY = dt.timedelta(days=1)
Filters = dict[str, Any]


@dataclass
class ReferenceStore:
    """Reports and annotations, and the ids of those that were deleted."""

    reports: list[ShareableReport] = field(default_factory=list)
    annotations: list[Annotation] = field(default_factory=list)
    deleted: frozenset[str] = frozenset()

    def save_to(self, storage: Storage) -> None:
        storage.save_reports(self.reports)
        storage.annotations.save_many(self.annotations)
        for made in self.reports:
            if made.id in self.deleted:
                storage.delete_report(made.id)
        for note in self.annotations:
            if note.id in self.deleted:
                storage.delete_annotation(note.id)

    def apply_change(self, storage: Storage, change: Any) -> bool:
        """Make one change in both; tell whether the storage did, or refused, what it should."""
        if isinstance(change, tuple):
            return self._delete_or_restore(storage, *change)
        mine: list[Any] = self.reports if isinstance(change, ShareableReport) else self.annotations
        save = storage.save_report if isinstance(change, ShareableReport) else storage.save_annotation
        refused = refusal(lambda: save(change))
        if change.id in self.deleted:
            return refused is not None
        mine[:] = [kept for kept in mine if kept.id != change.id] + [change]
        return refused is None

    def _delete_or_restore(self, storage: Storage, word: str, record_id: str) -> bool:
        known = {made.id for made in (*self.reports, *self.annotations)}
        possible = record_id in (known - self.deleted if word == "delete" else self.deleted)
        kind = "annotation" if record_id.startswith("note") else "report"
        done: bool = getattr(storage, f"{word}_{kind}")(record_id)
        if done:
            self.deleted = self.deleted ^ {record_id}
        return done == possible

    def annotations_of(self, finding_id: str) -> list[Annotation]:
        notes = [n for n in self.annotations if n.finding_id == finding_id and n.id not in self.deleted]
        return sorted(notes, key=lambda n: (to_utc(n.timestamp), n.id))

    def status_of(self, about: GhostFinding) -> str:
        set_by = [note for note in self.annotations_of(get_finding_id(about)) if note.status]
        if not set_by:
            return "open"
        last = set_by[-1]
        if last.status == "fixed" and any(
            to_utc(made.created_at) > to_utc(last.timestamp)
            for made in self.reports_in_order(include_deleted=False)
            if any(get_finding_id(found) == get_finding_id(about) for found in made.findings)
        ):
            return "open"
        return str(last.status)

    def tags_of(self, about: GhostFinding) -> set[str]:
        return {tag for note in self.annotations_of(get_finding_id(about)) for tag in note.tags}

    def reports_in_order(self, include_deleted: bool) -> list[ShareableReport]:
        seen = [r for r in self.reports if include_deleted or r.id not in self.deleted]
        return sorted(seen, key=lambda r: (to_utc(r.created_at), r.id), reverse=True)

    def facet_values(self, made: ShareableReport) -> dict[str, set[str]]:
        own = set(made.metadata.get("tags", []))
        return {
            "author": {made.author},
            "dataset": {made.metadata.get("dataset", "")},
            "status": {self.status_of(f) for f in made.findings},
            "severity": {f.severity for f in made.findings},
            "tags": own.union(*(self.tags_of(f) for f in made.findings)),
        }

    def query_reports(self, asked: Filters) -> list[str]:
        return [
            r.id
            for r in self.reports_in_order(asked.get("include_deleted", False))
            if self._report_matches(r, asked)
        ]

    def _report_matches(self, made: ShareableReport, asked: Filters) -> bool:
        facts = self.facet_values(made)
        texts = [made.title, made.metadata.get("dataset", ""), *(f.description for f in made.findings)]
        return (
            all(
                matches_any(asked.get(name), facts[name])
                for name in ("author", "dataset", "status", "severity")
            )
            and set(as_list(asked.get("tags"))) <= facts["tags"]
            and matches_text(asked.get("search"), texts)
            and matches_time(asked, made.created_at)
        )

    def count_facets(self, asked: Filters) -> dict[str, dict[str, int]]:
        facets: dict[str, dict[str, int]] = {}
        for name in ("author", "dataset", "status", "severity", "tags"):
            others = {key: value for key, value in asked.items() if key != name or name == "tags"}
            matching = [r for r in self.reports_in_order(False) if self._report_matches(r, others)]
            facets[name] = dict(Counter(value for r in matching for value in self.facet_values(r)[name]))
        facets["tag"] = facets.pop("tags")
        return facets

    def query_findings(self, asked: Filters) -> list[tuple[Any, ...]]:
        rows = []
        for made in self.reports_in_order(asked.get("include_deleted", False)):
            for position, found in enumerate(made.findings):
                if self._finding_matches(made, found, asked):
                    tags = tuple(sorted(self.tags_of(found)))
                    notes = sum(bool(note.comment) for note in self.annotations_of(get_finding_id(found)))
                    rows.append((made.id, position, found.column, self.status_of(found), tags, notes))
        return rows

    def _finding_matches(self, made: ShareableReport, found: GhostFinding, asked: Filters) -> bool:
        dataset = made.metadata.get("dataset", "")
        return (
            matches_any(asked.get("author"), {made.author})
            and matches_any(asked.get("dataset"), {dataset})
            and matches_any(asked.get("column"), {found.column})
            and matches_any(asked.get("severity"), {found.severity})
            and matches_any(asked.get("status"), {self.status_of(found)})
            and set(as_list(asked.get("tags"))) <= self.tags_of(found)
            and matches_text(asked.get("search"), [found.description, found.column, dataset])
            and matches_time(asked, made.created_at)
        )

    def occurrences_of(self, about: GhostFinding) -> tuple[dt.datetime, dt.datetime, int]:
        mine = get_finding_id(about)
        times = [
            to_utc(r.created_at)
            for r in self.reports_in_order(False)
            if any(get_finding_id(f) == mine for f in r.findings)
        ]
        return min(times), max(times), len(times)

    def query_annotations(self, asked: Filters) -> list[str]:
        seen = [n for n in self.annotations if asked.get("include_deleted") or n.id not in self.deleted]
        found = [
            note
            for note in seen
            if matches_any(asked.get("author"), {note.author})
            and matches_any(asked.get("status"), {note.status or ""})
            and set(as_list(asked.get("tags"))) <= set(note.tags)
            and matches_text(asked.get("search"), [note.comment])
            and matches_time(asked, note.timestamp)
        ]
        return [n.id for n in sorted(found, key=lambda n: (to_utc(n.timestamp), n.id), reverse=True)]


def to_utc(moment: dt.datetime) -> dt.datetime:
    return (moment.replace(tzinfo=ZONE) if moment.tzinfo is None else moment).astimezone(UTC)


def as_list(value: Any) -> list[str]:
    return [] if value is None or value == "" else [value] if isinstance(value, str) else list(value)


def matches_any(wanted: Any, values: Iterable[str]) -> bool:
    return not as_list(wanted) or bool(set(as_list(wanted)) & set(values))


def matches_text(search: str | None, texts: Iterable[str]) -> bool:
    return not search or any(search.casefold() in text.casefold() for text in texts)


def matches_time(asked: Filters, moment: dt.datetime) -> bool:
    start, end = asked.get("start_date"), asked.get("end_date")
    when = to_utc(moment)
    after = start is None or when >= (to_utc(start) if isinstance(start, dt.datetime) else day_start(start))
    if end is None or isinstance(end, dt.datetime):
        return after and (end is None or when <= to_utc(end))
    return after and when < day_start(end + DAY)


def day_start(day: dt.date) -> dt.datetime:
    return dt.datetime(day.year, day.month, day.day, tzinfo=ZONE).astimezone(UTC)
