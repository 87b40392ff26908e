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
Asked = dict[str, Any]


@dataclass
class Town:
    """Reports and annotations, and the ids of those that were deleted."""

    reports: list[ShareableReport] = field(default_factory=list)
    annotations: list[Annotation] = field(default_factory=list)
    deleted: frozenset[str] = frozenset()

    def build(self, storage: Storage) -> None:
        storage.save_reports(self.reports)
        storage.save_annotations(self.annotations)
        for made in self.reports:
            if made.id in self.deleted:
                storage.delete_report(made.id)
        for note in self.annotations:
            if note.id in self.deleted:
                storage.delete_annotation(note.id)

    def change(self, storage: Storage, change: Any) -> bool:
        """Make one change in both; tell whether the storage did, or refused, what it should."""
        if isinstance(change, tuple):
            return self._flip(storage, *change)
        mine: list[Any] = self.reports if isinstance(change, ShareableReport) else self.annotations
        save = storage.save_report if isinstance(change, ShareableReport) else storage.save_annotation
        refused = refusal(lambda: save(change))
        if change.id in self.deleted:
            return refused is not None
        mine[:] = [kept for kept in mine if kept.id != change.id] + [change]
        return refused is None

    def _flip(self, storage: Storage, word: str, record_id: str) -> bool:
        known = {made.id for made in (*self.reports, *self.annotations)}
        possible = record_id in (known - self.deleted if word == "delete" else self.deleted)
        kind = "annotation" if record_id.startswith("note") else "report"
        done: bool = getattr(storage, f"{word}_{kind}")(record_id)
        if done:
            self.deleted = self.deleted ^ {record_id}
        return done == possible

    def notes(self, finding_id: str) -> list[Annotation]:
        notes = [n for n in self.annotations if n.finding_id == finding_id and n.id not in self.deleted]
        return sorted(notes, key=lambda n: (instant(n.timestamp), n.id))

    def status(self, about: GhostFinding) -> str:
        set_by = [note for note in self.notes(get_finding_id(about)) if note.status]
        if not set_by:
            return "open"
        last = set_by[-1]
        if last.status == "fixed" and any(
            instant(made.created_at) > instant(last.timestamp)
            for made in self.reports_in_order(include_deleted=False)
            if any(get_finding_id(found) == get_finding_id(about) for found in made.findings)
        ):
            return "open"
        return str(last.status)

    def tags(self, about: GhostFinding) -> set[str]:
        return {tag for note in self.notes(get_finding_id(about)) for tag in note.tags}

    def reports_in_order(self, include_deleted: bool) -> list[ShareableReport]:
        seen = [r for r in self.reports if include_deleted or r.id not in self.deleted]
        return sorted(seen, key=lambda r: (instant(r.created_at), r.id), reverse=True)

    def facts(self, made: ShareableReport) -> dict[str, set[str]]:
        own = set(made.metadata.get("tags", []))
        return {
            "author": {made.author},
            "dataset": {made.metadata.get("dataset", "")},
            "status": {self.status(f) for f in made.findings},
            "severity": {f.severity for f in made.findings},
            "tags": own.union(*(self.tags(f) for f in made.findings)),
        }

    def query_reports(self, asked: Asked) -> list[str]:
        return [
            r.id
            for r in self.reports_in_order(asked.get("include_deleted", False))
            if self._matches(r, asked)
        ]

    def _matches(self, made: ShareableReport, asked: Asked) -> bool:
        facts = self.facts(made)
        texts = [made.title, made.metadata.get("dataset", ""), *(f.description for f in made.findings)]
        return (
            all(any_of(asked.get(name), facts[name]) for name in ("author", "dataset", "status", "severity"))
            and set(many(asked.get("tags"))) <= facts["tags"]
            and in_text(asked.get("search"), texts)
            and in_time(asked, made.created_at)
        )

    def facets(self, asked: Asked) -> dict[str, dict[str, int]]:
        facets: dict[str, dict[str, int]] = {}
        for name in ("author", "dataset", "status", "severity", "tags"):
            others = {key: value for key, value in asked.items() if key != name or name == "tags"}
            matching = [r for r in self.reports_in_order(False) if self._matches(r, others)]
            facets[name] = dict(Counter(value for r in matching for value in self.facts(r)[name]))
        facets["tag"] = facets.pop("tags")
        return facets

    def query_findings(self, asked: Asked) -> list[tuple[Any, ...]]:
        rows = []
        for made in self.reports_in_order(asked.get("include_deleted", False)):
            for position, found in enumerate(made.findings):
                if self._finding_matches(made, found, asked):
                    tags = tuple(sorted(self.tags(found)))
                    notes = sum(bool(note.comment) for note in self.notes(get_finding_id(found)))
                    rows.append((made.id, position, found.column, self.status(found), tags, notes))
        return rows

    def _finding_matches(self, made: ShareableReport, found: GhostFinding, asked: Asked) -> bool:
        dataset = made.metadata.get("dataset", "")
        return (
            any_of(asked.get("author"), {made.author})
            and any_of(asked.get("dataset"), {dataset})
            and any_of(asked.get("column"), {found.column})
            and any_of(asked.get("severity"), {found.severity})
            and any_of(asked.get("status"), {self.status(found)})
            and set(many(asked.get("tags"))) <= self.tags(found)
            and in_text(asked.get("search"), [found.description, found.column, dataset])
            and in_time(asked, made.created_at)
        )

    def sights(self, about: GhostFinding) -> tuple[dt.datetime, dt.datetime, int]:
        mine = get_finding_id(about)
        times = [
            instant(r.created_at)
            for r in self.reports_in_order(False)
            if any(get_finding_id(f) == mine for f in r.findings)
        ]
        return min(times), max(times), len(times)

    def query_annotations(self, asked: Asked) -> list[str]:
        seen = [n for n in self.annotations if asked.get("include_deleted") or n.id not in self.deleted]
        found = [
            note
            for note in seen
            if any_of(asked.get("author"), {note.author})
            and any_of(asked.get("status"), {note.status or ""})
            and set(many(asked.get("tags"))) <= set(note.tags)
            and in_text(asked.get("search"), [note.comment])
            and in_time(asked, note.timestamp)
        ]
        return [n.id for n in sorted(found, key=lambda n: (instant(n.timestamp), n.id), reverse=True)]


def instant(moment: dt.datetime) -> dt.datetime:
    return (moment.replace(tzinfo=ZONE) if moment.tzinfo is None else moment).astimezone(UTC)


def many(value: Any) -> list[str]:
    return [] if value is None or value == "" else [value] if isinstance(value, str) else list(value)


def any_of(wanted: Any, values: Iterable[str]) -> bool:
    return not many(wanted) or bool(set(many(wanted)) & set(values))


def in_text(search: str | None, texts: Iterable[str]) -> bool:
    return not search or any(search.casefold() in text.casefold() for text in texts)


def in_time(asked: Asked, moment: dt.datetime) -> bool:
    start, end = asked.get("start_date"), asked.get("end_date")
    when = instant(moment)
    after = start is None or when >= (instant(start) if isinstance(start, dt.datetime) else midnight(start))
    if end is None or isinstance(end, dt.datetime):
        return after and (end is None or when <= instant(end))
    return after and when < midnight(end + DAY)


def midnight(day: dt.date) -> dt.datetime:
    return dt.datetime(day.year, day.month, day.day, tzinfo=ZONE).astimezone(UTC)
