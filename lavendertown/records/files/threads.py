"""Findings' identities in a data folder: where each was seen, and what was said of it."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

from lavendertown.identity import is_legacy_id, legacy_id
from lavendertown.records.values import AnnotationRecord, FindingRecord, ReportRecord

OPEN = "open"
FIXED = "fixed"


@dataclass(frozen=True, slots=True)
class Sight:
    """When a finding was seen in live reports.

    Attributes:
        newest: Its last occurrence, with report and position; None where there is none.
        own: The last one that is not of a finding merged into it, if there is any.
        times: When, and how many rows; each report once, newest first.
    """

    first_seen: dt.datetime
    last_seen: dt.datetime
    times_seen: int
    newest: tuple[ReportRecord, int, FindingRecord] | None = None
    own: FindingRecord | None = None
    times: tuple[tuple[dt.datetime, int | None], ...] = ()


@dataclass(frozen=True, slots=True)
class State:
    """What a finding's live annotations amount to.

    Attributes:
        fixed_at: When it was set to fixed, if that is the last status that was set.
        regressed_at: When it was first seen again since then; it is open again.
    """

    status: str
    tags: tuple[str, ...]
    comment_count: int
    fixed_at: dt.datetime | None = None
    regressed_at: dt.datetime | None = None


_UNTOUCHED = State(OPEN, (), 0)


class Threads:
    """Every annotation by its finding, and every finding by its sightings."""

    def __init__(self) -> None:
        self.by_id: dict[str, AnnotationRecord] = {}
        self._sights: dict[str, Sight] = {}
        self._known: set[str] = set()
        self._legacy: dict[str, str] | None = None
        self._findings: list[FindingRecord] = []
        self.aliases: dict[str, str] = {}
        self.merged: dict[str, str] = {}
        self._lists: dict[str, list[AnnotationRecord]] = {}
        self._states: dict[str, State] = {}

    def place(self, sightings: Iterable[tuple[ReportRecord, int, FindingRecord]]) -> None:
        """Take in where findings were seen, newest report first."""
        last: dict[str, ReportRecord] = {}
        newest: dict[str, tuple[ReportRecord, int, FindingRecord]] = {}
        own: dict[str, FindingRecord] = {}
        times: dict[str, list[tuple[dt.datetime, int | None]]] = defaultdict(list)
        self._findings = []
        self._legacy = None
        for report, position, finding in sightings:
            self._findings.append(finding)
            fingerprint = finding.fingerprint
            name = self.canonical(fingerprint) if self.merged else fingerprint
            if name == fingerprint and name not in own:
                own[name] = finding
            # A report's findings come together: each report counts once.
            if report.deleted_at is None and last.get(name) is not report:
                last[name] = report
                if name not in newest:
                    newest[name] = (report, position, finding)
                times[name].append((report.created_at, finding.row_count))
        self._known = {finding.fingerprint for finding in self._findings}
        self._sights = {
            name: Sight(found[-1][0], found[0][0], len(found), newest[name], own.get(name), tuple(found))
            for name, found in times.items()
        }

    def fill(self, annotations: Sequence[AnnotationRecord]) -> set[str]:
        """Take in all annotations; return the findings of which they say something else than before."""
        self.by_id = {annotation.id: annotation for annotation in annotations}
        lists: dict[str, list[AnnotationRecord]] = defaultdict(list)
        for annotation in annotations:
            lists[self.resolve(annotation.finding_id)].append(annotation)
        for thread in lists.values():
            thread.sort(key=lambda a: (a.created_at, a.id))
        self._lists = dict(lists)
        former = self._states
        self._states = {name: _state(thread, self._sights.get(name)) for name, thread in lists.items()}
        return {
            name for name in former.keys() | self._states.keys() if former.get(name) != self._states.get(name)
        }

    def canonical(self, fingerprint: str) -> str:
        """Return the fingerprint of the finding that this one is handled as."""
        for _ in range(len(self.merged)):
            if fingerprint not in self.merged:
                break
            fingerprint = self.merged[fingerprint]
        return fingerprint

    def resolve(self, finding_id: str) -> str:
        """Return the fingerprint behind any name of a finding; an unknown name is its own."""
        return self.canonical(self._named(finding_id))

    def _named(self, finding_id: str) -> str:
        if finding_id in self.aliases:
            return self.aliases[finding_id]
        if finding_id in self._known or not is_legacy_id(finding_id):
            return finding_id
        if self._legacy is None:
            self._legacy = {}
            for finding in self._findings:
                # 0.7's ids know no dataset: where several findings bear one, the newest report's has it.
                old = legacy_id(finding.ghost_type, finding.column, finding.description)
                self._legacy.setdefault(old, finding.fingerprint)
        return self._legacy.get(finding_id, finding_id)

    def newly_named(
        self, reports: Iterable[ReportRecord], annotations: Iterable[AnnotationRecord]
    ) -> dict[str, str]:
        """Return the older ids that these changes join to findings, which are to be kept for good.

        Counts change a finding's 0.7 id; the thread that once joined under it stays all the same.
        """
        said = {annotation.finding_id for annotation in self.by_id.values()}
        said |= {annotation.finding_id for annotation in annotations}
        found = {name: self._named(name) for name in said if is_legacy_id(name)}
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
        return self._states.get(self.canonical(fingerprint), _UNTOUCHED)

    def sight(self, fingerprint: str, otherwise: dt.datetime) -> Sight:
        """Return when a finding was seen; one only in deleted reports was seen ``otherwise``, never."""
        return self._sights.get(self.canonical(fingerprint)) or Sight(otherwise, otherwise, 0)

    def seen(self) -> Mapping[str, Sight]:
        """Return the findings that live reports hold, by fingerprint."""
        return self._sights

    def annotated(self) -> Set[str]:
        """Return the fingerprints that have annotations."""
        return self._lists.keys()


def back_at(annotation: AnnotationRecord, sight: Sight | None) -> dt.datetime | None:
    """Return when a finding was first seen again after an annotation that set it to fixed."""
    if annotation.status != FIXED or sight is None:
        return None
    return min((at for at, _ in sight.times if at > annotation.created_at), default=None)


def _state(thread: Sequence[AnnotationRecord], sight: Sight | None) -> State:
    live = [annotation for annotation in thread if annotation.deleted_at is None]
    setting = [annotation for annotation in live if annotation.status is not None]
    status = setting[-1].status or OPEN if setting else OPEN
    fixed_at = setting[-1].created_at if status == FIXED else None
    tags = Counter(tag for annotation in live for tag in annotation.tags)
    comments = sum(1 for annotation in live if annotation.comment)
    back = back_at(setting[-1], sight) if setting else None
    return State(OPEN if back else status, tuple(sorted(tags)), comments, fixed_at, back)
