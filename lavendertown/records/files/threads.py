"""Findings' identities in a data folder: where each was seen, and what was said of it."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lavendertown.identity import is_legacy_id
from lavendertown.records.values import AnnotationRecord, FindingRecord, ReportRecord

OPEN = "open"


@dataclass(frozen=True, slots=True)
class Sight:
    """When a finding was seen in live reports."""

    first_seen: dt.datetime
    last_seen: dt.datetime
    times_seen: int


@dataclass(frozen=True, slots=True)
class State:
    """What a finding's live annotations amount to."""

    status: str
    tags: tuple[str, ...]
    comment_count: int


_UNTOUCHED = State(OPEN, (), 0)


class Threads:
    """Every annotation by its finding, and every finding by its sightings."""

    def __init__(self) -> None:
        self.by_id: dict[str, AnnotationRecord] = {}
        self._sights: dict[str, Sight] = {}
        self._known: set[str] = set()
        self._legacy: dict[str, str] = {}
        self.aliases: dict[str, str] = {}
        self._lists: dict[str, list[AnnotationRecord]] = {}
        self._states: dict[str, State] = {}

    def place(self, sightings: Iterable[tuple[ReportRecord, int, FindingRecord]]) -> None:
        """Take in where findings were seen, newest report first."""
        seen: dict[str, set[str]] = defaultdict(set)
        first: dict[str, dt.datetime] = {}
        last: dict[str, dt.datetime] = {}
        self._known.clear()
        self._legacy.clear()
        for report, _, finding in sightings:
            name = finding.fingerprint
            self._known.add(name)
            # 0.7's ids know no dataset: where several findings bear one, the newest report's has it.
            self._legacy.setdefault(finding.legacy_id, name)
            if report.deleted_at is None:
                seen[name].add(report.id)
                first[name] = report.created_at
                last.setdefault(name, report.created_at)
        self._sights = {name: Sight(first[name], last[name], len(ids)) for name, ids in seen.items()}

    def fill(self, annotations: Sequence[AnnotationRecord]) -> None:
        """Take in all annotations."""
        self.by_id = {annotation.id: annotation for annotation in annotations}
        lists: dict[str, list[AnnotationRecord]] = defaultdict(list)
        for annotation in annotations:
            lists[self.resolve(annotation.finding_id)].append(annotation)
        for thread in lists.values():
            thread.sort(key=lambda a: (a.created_at, a.id))
        self._lists = dict(lists)
        self._states = {name: _state(thread) for name, thread in lists.items()}

    def resolve(self, finding_id: str) -> str:
        """Return the fingerprint behind any name of a finding; an unknown name is its own."""
        if finding_id in self.aliases:
            return self.aliases[finding_id]
        if finding_id in self._known or not is_legacy_id(finding_id):
            return finding_id
        return self._legacy.get(finding_id, finding_id)

    def newly_named(
        self, reports: Iterable[ReportRecord], annotations: Iterable[AnnotationRecord]
    ) -> dict[str, str]:
        """Return the older ids that these changes join to findings, which are to be kept for good.

        Counts change a finding's 0.7 id; the thread that once joined under it stays all the same.
        """
        said = {annotation.finding_id for annotation in self.by_id.values()}
        said |= {annotation.finding_id for annotation in annotations}
        found = {name: self.resolve(name) for name in said if is_legacy_id(name)}
        for report in reports:
            for finding in report.findings:
                if finding.legacy_id in said and found.get(finding.legacy_id) == finding.legacy_id:
                    found[finding.legacy_id] = finding.fingerprint
        return {old: name for old, name in found.items() if old != name and old not in self.aliases}

    def thread(self, finding_id: str) -> list[AnnotationRecord]:
        """Return all annotations on a finding, deleted ones too, oldest first."""
        return self._lists.get(self.resolve(finding_id), [])

    def state(self, fingerprint: str) -> State:
        """Return a finding's status, tags and number of comments."""
        return self._states.get(fingerprint, _UNTOUCHED)

    def sight(self, fingerprint: str, otherwise: dt.datetime) -> Sight:
        """Return when a finding was seen; one only in deleted reports was seen ``otherwise``, never."""
        return self._sights.get(fingerprint) or Sight(otherwise, otherwise, 0)

    def annotated(self) -> Iterable[str]:
        """Return the fingerprints that have annotations."""
        return self._lists


def _state(thread: Sequence[AnnotationRecord]) -> State:
    live = [annotation for annotation in thread if annotation.deleted_at is None]
    statuses = [annotation.status for annotation in live if annotation.status is not None]
    tags = Counter(tag for annotation in live for tag in annotation.tags)
    comments = sum(1 for annotation in live if annotation.comment)
    return State(statuses[-1] if statuses else OPEN, tuple(sorted(tags)), comments)
