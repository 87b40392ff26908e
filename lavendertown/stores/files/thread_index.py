"""An index of the findings in a data folder: their occurrences and annotations."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import NamedTuple

from lavendertown.core import statuses
from lavendertown.core.fingerprints import is_legacy_id, legacy_id
from lavendertown.records.identities import add_counts, add_shares, adopted_finding, find_regression
from lavendertown.records.record_classes import AnnotationRecord, FindingRecord, ReportRecord

OPEN = statuses.OPEN.name
FIXED = statuses.FIXED.name


class OccurrenceTime(NamedTuple):
    """The time and report of an occurrence, and the number of affected rows."""

    at: dt.datetime
    report_id: str
    row_count: int | None


@dataclass(frozen=True, slots=True)
class Occurrences:
    """The occurrences of a finding in live reports.

    Attributes:
        newest: The latest occurrence, with report and position; None if there is none.
        own_occurrence: The latest occurrence of the finding itself rather than of one merged into it. If
            there is none, but a merged finding is the same finding in another dataset, that finding as
            it would be in this one's dataset.
        share: The share of affected rows in the newest report.
        times: The time, report and row count of each occurrence, one per report, newest first.
    """

    first_seen: dt.datetime
    last_seen: dt.datetime
    times_seen: int
    newest: tuple[ReportRecord, int, FindingRecord] | None = None
    own_occurrence: FindingRecord | None = None
    share: float | None = None
    times: tuple[OccurrenceTime, ...] = ()


@dataclass(frozen=True, slots=True)
class ThreadState:
    """The state of a finding that results from its live annotations.

    Attributes:
        fixed_at: When the status was set to fixed, if that was the latest status change.
        regressed_at: When the finding was first seen again after that; it is open again.
    """

    status: str
    tags: tuple[str, ...]
    comment_count: int
    fixed_at: dt.datetime | None = None
    regressed_at: dt.datetime | None = None


_NO_ANNOTATIONS = ThreadState(OPEN, (), 0)


class ThreadIndex:
    """An index of annotations by finding, and of occurrences by finding."""

    def __init__(self) -> None:
        self.by_id: dict[str, AnnotationRecord] = {}
        self._occurrences: dict[str, Occurrences] = {}
        self._known_fingerprints: set[str] = set()
        self._legacy_ids: dict[str, str] | None = None
        self._findings: list[FindingRecord] = []
        self.aliases: dict[str, str] = {}
        self.merged: dict[str, str] = {}
        self._threads: dict[str, list[AnnotationRecord]] = {}
        self._states: dict[str, ThreadState] = {}
        self._adopted_in: dict[tuple[str, str], str] = {}

    def index_occurrences(
        self,
        occurrences: Iterable[tuple[ReportRecord, int, FindingRecord]],
        datasets: Callable[[], Iterable[str]] = tuple,
    ) -> None:
        """Index the occurrences of findings, replacing the previous ones.

        Args:
            occurrences: All occurrences, newest report first, deleted reports included.
            datasets: Returns the datasets of all reports; called only if findings were adopted.
        """
        last: dict[str, ReportRecord] = {}
        newest: dict[str, tuple[ReportRecord, int, FindingRecord]] = {}
        own: dict[str, FindingRecord] = {}
        times: dict[str, list[OccurrenceTime]] = defaultdict(list)
        shares: dict[str, float | None] = {}
        self._findings = []
        self._legacy_ids = None
        for report, position, finding in occurrences:
            self._findings.append(finding)
            fingerprint = finding.fingerprint
            target = self.follow_merges(fingerprint) if self.merged else fingerprint
            if target == fingerprint and target not in own:
                own[target] = finding
            # The findings of a report follow one another, so that each report is counted once.
            if report.deleted_at is not None:
                continue
            if last.get(target) is not report:
                last[target] = report
                if target not in newest:
                    newest[target] = (report, position, finding)
                    shares[target] = finding.share
                times[target].append(OccurrenceTime(report.created_at, report.id, finding.row_count))
                continue
            at, report_id, count = times[target][-1]
            times[target][-1] = OccurrenceTime(at, report_id, add_counts((count, finding.row_count)))
            if newest[target][0] is report:
                shares[target] = add_shares((shares[target], finding.share))
        self._known_fingerprints = {finding.fingerprint for finding in self._findings}
        if unreported := newest.keys() - own.keys():
            own |= self._find_adopted(unreported, tuple(dict.fromkeys(datasets())))
        self._occurrences = {
            fingerprint: Occurrences(
                first_seen=seen[-1].at,
                last_seen=seen[0].at,
                times_seen=len(seen),
                newest=newest[fingerprint],
                own_occurrence=own.get(fingerprint),
                share=shares[fingerprint],
                times=tuple(seen),
            )
            for fingerprint, seen in times.items()
        }

    def _find_adopted(self, unreported: Set[str], datasets: Sequence[str]) -> dict[str, FindingRecord]:
        """Return descriptions of findings that no report has yet, made from findings merged into them.

        The dataset found for each pair of findings is cached, because the occurrences are indexed again
        after each save.
        """
        adopted: dict[str, FindingRecord] = {}
        tried: set[tuple[str, str]] = set()
        for finding in self._findings:
            target = self.follow_merges(finding.fingerprint)
            pair = finding.fingerprint, target
            if target not in unreported or target in adopted or pair in tried:
                continue
            tried.add(pair)
            dataset = self._adopted_in.get(pair)
            record = adopted_finding(finding, target, datasets if dataset is None else [dataset])
            if record is not None:
                adopted[target] = record
                self._adopted_in[pair] = record.dataset
        return adopted

    def index_annotations(self, annotations: Sequence[AnnotationRecord]) -> set[str]:
        """Index all annotations, and return the fingerprints of findings whose state has changed."""
        self.by_id = {annotation.id: annotation for annotation in annotations}
        threads: dict[str, list[AnnotationRecord]] = defaultdict(list)
        for annotation in annotations:
            threads[self.resolve_fingerprint(annotation.finding_id)].append(annotation)
        for thread in threads.values():
            thread.sort(key=lambda a: (a.created_at, a.id))
        self._threads = dict(threads)
        former = self._states
        self._states = {
            fingerprint: _compute_state(thread, self._occurrences.get(fingerprint))
            for fingerprint, thread in threads.items()
        }
        return {
            fingerprint
            for fingerprint in former.keys() | self._states.keys()
            if former.get(fingerprint) != self._states.get(fingerprint)
        }

    def follow_merges(self, fingerprint: str) -> str:
        """Return the fingerprint of the finding that this one is merged into, or its own."""
        for _ in range(len(self.merged)):
            if fingerprint not in self.merged:
                break
            fingerprint = self.merged[fingerprint]
        return fingerprint

    def resolve_fingerprint(self, finding_id: str) -> str:
        """Return the fingerprint for any id of a finding; an unknown id is returned unchanged."""
        return self.follow_merges(self._resolve_alias(finding_id))

    def _resolve_alias(self, finding_id: str) -> str:
        if finding_id in self.aliases:
            return self.aliases[finding_id]
        if finding_id in self._known_fingerprints or not is_legacy_id(finding_id):
            return finding_id
        if self._legacy_ids is None:
            self._legacy_ids = {}
            for finding in self._findings:
                # Ids of version 0.7 do not include the dataset. If several findings share one, it belongs
                # to the finding in the newest report.
                old_id = legacy_id(finding.ghost_type, finding.column, finding.description)
                self._legacy_ids.setdefault(old_id, finding.fingerprint)
        return self._legacy_ids.get(finding_id, finding_id)

    def find_new_aliases(
        self, reports: Iterable[ReportRecord], annotations: Iterable[AnnotationRecord]
    ) -> dict[str, str]:
        """Return the ids of version 0.7 that these changes connect to findings, with the fingerprints.

        They are stored as aliases, because a finding's 0.7 id changes with its counts, but an annotation
        that once joined the finding under an id stays with it.
        """
        annotated_ids = {annotation.finding_id for annotation in self.by_id.values()}
        annotated_ids |= {annotation.finding_id for annotation in annotations}
        resolved = {each: self._resolve_alias(each) for each in annotated_ids if is_legacy_id(each)}
        for report in reports:
            for finding in report.findings:
                if resolved.get(finding.legacy_id) == finding.legacy_id:
                    resolved[finding.legacy_id] = finding.fingerprint
        return {
            old_id: fingerprint
            for old_id, fingerprint in resolved.items()
            if old_id != fingerprint and old_id not in self.aliases
        }

    def annotations_on(self, finding_id: str) -> list[AnnotationRecord]:
        """Return all annotations on a finding, deleted ones included, oldest first."""
        return self._threads.get(self.resolve_fingerprint(finding_id), [])

    def state_of(self, fingerprint: str) -> ThreadState:
        """Return a finding's status, tags and number of comments."""
        return self._states.get(self.follow_merges(fingerprint), _NO_ANNOTATIONS)

    def occurrences_of(self, fingerprint: str, default_time: dt.datetime) -> Occurrences:
        """Return the occurrences of a finding.

        A finding that is only in deleted reports has none; its first and last times are the default.
        """
        occurrences = self._occurrences.get(self.follow_merges(fingerprint))
        return occurrences or Occurrences(default_time, default_time, 0)

    def live_occurrences(self) -> Mapping[str, Occurrences]:
        """Return the occurrences of all findings in live reports, by fingerprint."""
        return self._occurrences

    def annotated_fingerprints(self) -> Set[str]:
        """Return the fingerprints of the findings with annotations."""
        return self._threads.keys()


def find_regression_time(annotation: AnnotationRecord, occurrences: Occurrences | None) -> dt.datetime | None:
    """Return when a finding regressed after an annotation that set it to fixed."""
    times = (each.at for each in occurrences.times) if occurrences is not None else ()
    return find_regression(annotation.status, annotation.created_at, times)


def _compute_state(thread: Sequence[AnnotationRecord], occurrences: Occurrences | None) -> ThreadState:
    live = [annotation for annotation in thread if annotation.deleted_at is None]
    status_changes = [annotation for annotation in live if annotation.status is not None]
    status = status_changes[-1].status or OPEN if status_changes else OPEN
    fixed_at = status_changes[-1].created_at if status == FIXED else None
    tags = {tag for annotation in live for tag in annotation.tags}
    comments = sum(1 for annotation in live if annotation.comment)
    regressed_at = find_regression_time(status_changes[-1], occurrences) if status_changes else None
    return ThreadState(
        OPEN if regressed_at else status, tuple(sorted(tags)), comments, fixed_at, regressed_at
    )
