"""Plan the merge of a bundle into a store: which records are new, change stored ones, or are left out.

Records are the same if they have the same id. Of two versions of a comment, a decision or an incident, the
one that was changed last counts, on every store, so that teams that exchange bundles end up with the same
records. A report keeps its findings: one with the same id and other findings is refused. A deletion moves to
the trash only what a bundle added and nobody has changed since.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from lavendertown.core.errors import ConflictError
from lavendertown.records.json_records import merged_into_map
from lavendertown.records.record_classes import (
    KIND_BY_CLASS,
    AnnotationRecord,
    EvidenceRecord,
    IncidentRecord,
    Record,
    RecordKind,
    ReportRecord,
    TriageRecord,
)
from lavendertown.records.store import Store
from lavendertown.records.write_path import ImportedRecord
from lavendertown.transfer.bundles.content import BundleContent, FindingNames, read_merged, read_stored
from lavendertown.transfer.bundles.deletions import Deletion, RecordKey, read_imported_versions
from lavendertown.transfer.record_digests import hash_record


class MergeState(StrEnum):
    """What an import does with a record of a bundle.

    KEPT is a record whose stored version was changed later; IN_TRASH one that was deleted in the store. Both
    are left as they are.
    """

    NEW = "new"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    KEPT = "kept"
    IN_TRASH = "in_trash"


WRITTEN_STATES = (MergeState.NEW, MergeState.CHANGED)


class DeletionState(StrEnum):
    """What an import does with a record that was deleted where the bundle comes from.

    TRASHED moves it to the trash. KEPT leaves it: it was changed here, or did not come from a bundle. GONE
    means that it is in the trash already, or was never here.
    """

    TRASHED = "trashed"
    KEPT = "kept"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class PlannedRecord:
    """The plan for one record.

    Attributes:
        record: The record as it will be stored.
        stored: The stored record, deleted or not; None if the store has none.
        state: What is done with it.
    """

    record: Record
    stored: Record | None
    state: MergeState

    @property
    def kind(self) -> RecordKind:
        """Return the record's kind."""
        return KIND_BY_CLASS[type(self.record)]

    @property
    def is_written(self) -> bool:
        """Whether the record is written."""
        return self.state in WRITTEN_STATES

    def to_imported(self) -> ImportedRecord:
        """Return the record for the write path."""
        return ImportedRecord(self.record, None if self.stored is None else self.stored.version)


@dataclass(frozen=True, slots=True)
class PlannedDeletion:
    """The plan for one deletion.

    Attributes:
        trashed: The plan for the record that is moved to the trash; None if none is.
    """

    state: DeletionState
    trashed: PlannedRecord | None = None


@dataclass(frozen=True)
class MergePlan:
    """The plan for all records of a bundle.

    Attributes:
        records: The plans, the reports first.
        aliases: Older ids of findings that the store does not know.
        deletions: The plans for the deletions.
    """

    records: Sequence[PlannedRecord]
    aliases: Mapping[str, str]
    deletions: Sequence[PlannedDeletion] = ()

    @property
    def written(self) -> list[PlannedRecord]:
        """Return the plans of the records that are written."""
        trashed = [each.trashed for each in self.deletions if each.trashed is not None]
        return [*(each for each in self.records if each.is_written), *trashed]


def plan_merge(store: Store, content: BundleContent, undone: Mapping[RecordKey, int]) -> MergePlan:
    """Return what an import of these records does; nothing is written.

    Args:
        store: The store.
        content: The records, as they may be stored.
        undone: The versions of records that the undo of an earlier import of the bundle wrote. They are
            replaced, because nobody has decided about them since.

    Raises:
        ConflictError: The store has another report under the id of one in the bundle, or a comment under the
            id of one, on another finding.
        DamagedRecordError: A stored record is unreadable.
    """
    planner = _Planner(store, content, undone)
    records: list[PlannedRecord] = [planner.plan_report(each) for each in content.reports]
    trashed = {each.record.id for each in records if each.state is MergeState.IN_TRASH}
    records += [planner.plan_annotation(each) for each in content.annotations]
    records += planner.plan_all_triage(content.triage)
    records += [planner.plan_evidence(each) for each in content.evidence if each.id not in trashed]
    records += [planner.plan_incident(each) for each in content.incidents]
    return MergePlan(
        records, planner.new_aliases, [planner.plan_deletion(each) for each in content.deletions]
    )


class _Planner:
    def __init__(self, store: Store, content: BundleContent, undone: Mapping[RecordKey, int]) -> None:
        stored_aliases = store.aliases()
        self.new_aliases = {old: new for old, new in content.aliases.items() if old not in stored_aliases}
        self._content_aliases = content.aliases
        self._merged = read_merged(store)
        self._names = FindingNames({**content.aliases, **stored_aliases}, self._merged)
        self._undone = undone
        self._stored: dict[RecordKey, Record] = {}
        for kind, records in (
            (RecordKind.REPORT, content.reports),
            (RecordKind.ANNOTATION, content.annotations),
            (RecordKind.TRIAGE, content.triage),
            (RecordKind.EVIDENCE, content.evidence),
            (RecordKind.INCIDENT, content.incidents),
        ):
            ids = {each.id for each in _as_records(records)}
            ids |= {each.id for each in content.deletions if each.kind is kind}
            found = read_stored(store, kind, ids)
            self._stored |= {(kind, record_id): record for record_id, record in found.items()}
        deleted = (each.key for each in content.deletions if each.key in self._stored)
        self._imported = read_imported_versions(store, deleted)

    def plan_report(self, report: ReportRecord) -> PlannedRecord:
        stored, is_same = self._find(report), False
        if isinstance(stored, ReportRecord):
            if _contents_of(stored) != _contents_of(report):
                raise ConflictError(
                    f"Another report is stored under the id {report.id!r}; nothing was imported. Ask who "
                    "exported the bundle to save the report under another id.",
                    kind="report",
                    record_id=report.id,
                    stored_version=stored.version,
                )
            report = _with_stored_values(report, stored)
            # Both teams may have read it from the same file, at different times.
            is_same = _is_same(replace(report, updated_at=stored.updated_at), stored)
        return self._plan(report, stored, is_same=is_same)

    def plan_annotation(self, annotation: AnnotationRecord) -> PlannedRecord:
        annotation = replace(annotation, finding_id=self._known_id(annotation.finding_id))
        stored = self._find(annotation)
        if not isinstance(stored, AnnotationRecord):
            return self._plan(annotation, stored, is_same=False)
        identity = self._names.resolve(annotation.finding_id)
        if self._names.resolve(stored.finding_id) != identity:
            raise ConflictError(
                f"The comment {annotation.id!r} is stored on another finding than in the bundle; nothing was "
                "imported. Ask who exported the bundle to export it again.",
                kind="annotation",
                record_id=annotation.id,
                stored_version=stored.version,
            )
        is_same = _is_same(replace(annotation, finding_id=stored.finding_id), stored)
        return self._plan(annotation, stored, is_same=is_same)

    def _known_id(self, finding_id: str) -> str:
        """Return the id of a finding, its current one if its older id means another finding in the store."""
        current = self._content_aliases.get(finding_id)
        if current is None or self._names.resolve(finding_id) == self._names.resolve(current):
            return finding_id
        return current

    def plan_all_triage(self, records: Iterable[TriageRecord]) -> list[PlannedRecord]:
        """Return the plans for triage records; a merge that would lead back to its finding is not made."""
        merged, plans = dict(self._merged), []
        for record in sorted(records, key=lambda each: each.id):
            stored = self._find(record)
            planned = self._plan(record, stored, is_same=stored is not None and _is_same(record, stored))
            if planned.is_written:
                after = {key: into for key, into in merged.items() if key != record.id}
                after |= merged_into_map([record])
                if record.merged_into and _leads_to(after, record.merged_into, record.id):
                    planned = replace(planned, state=MergeState.KEPT)
                else:
                    merged = after
            plans.append(planned)
        return plans

    def plan_evidence(self, evidence: EvidenceRecord) -> PlannedRecord:
        stored = self._find(evidence)
        # With the same time, only the masking of the two teams differs.
        is_same = isinstance(stored, EvidenceRecord) and (
            stored.updated_at == evidence.updated_at or stored.content == evidence.content
        )
        return self._plan(evidence, stored, is_same=is_same)

    def plan_incident(self, incident: IncidentRecord) -> PlannedRecord:
        stored = self._find(incident)
        return self._plan(incident, stored, is_same=stored is not None and _is_same(incident, stored))

    def plan_deletion(self, deletion: Deletion) -> PlannedDeletion:
        stored = self._stored.get(deletion.key)
        if stored is None or stored.deleted_at is not None:
            return PlannedDeletion(DeletionState.GONE)
        is_unchanged = deletion.key in self._imported and stored.version in (
            self._imported[deletion.key],
            self._undone.get(deletion.key),
        )
        is_later = deletion.deleted_at > stored.updated_at
        if not is_unchanged or not is_later or not self._belongs_together(deletion, stored):
            return PlannedDeletion(DeletionState.KEPT)
        at = deletion.deleted_at
        record = replace(stored, deleted_at=at, updated_at=at, version=stored.version + 1)
        return PlannedDeletion(DeletionState.TRASHED, PlannedRecord(record, stored, MergeState.CHANGED))

    def _belongs_together(self, deletion: Deletion, stored: Record) -> bool:
        if isinstance(stored, AnnotationRecord):
            deleted = self._names.resolve(self._known_id(deletion.belongs_to))
            return deleted == self._names.resolve(stored.finding_id)
        return isinstance(stored, ReportRecord) and stored.dataset == deletion.belongs_to

    def _find(self, record: Record) -> Record | None:
        return self._stored.get((KIND_BY_CLASS[type(record)], record.id))

    def _plan(self, record: Record, stored: Record | None, *, is_same: bool) -> PlannedRecord:
        if stored is None:
            return PlannedRecord(record, None, MergeState.NEW)
        key = KIND_BY_CLASS[type(record)], record.id
        if is_same:
            state = MergeState.UNCHANGED
        elif self._undone.get(key) == stored.version:
            state = MergeState.NEW if stored.deleted_at is not None else MergeState.CHANGED
        elif stored.deleted_at is not None:
            state = MergeState.IN_TRASH
        else:
            state = MergeState.CHANGED if _age(record) > _age(stored) else MergeState.KEPT
        written = replace(record, version=max(record.version, stored.version + 1))
        return PlannedRecord(written, stored, state)


def _as_records(records: Iterable[Record]) -> Iterable[Record]:
    return records


def _is_same(record: Record, stored: Record) -> bool:
    return hash_record(record) == hash_record(stored)


def _age(record: Record) -> tuple[dt.datetime, bytes]:
    """Return what decides between two versions; of the same time, the same one wins in every store."""
    return record.updated_at, hash_record(record)


def _contents_of(report: ReportRecord) -> tuple[Any, ...]:
    """Return what makes a report the same one: neither its title and tags nor values that may be masked."""
    findings = tuple((each.fingerprint, each.severity, each.row_count, each.rows) for each in report.findings)
    return report.author, report.dataset, report.created_at, findings


def _with_stored_values(report: ReportRecord, stored: ReportRecord) -> ReportRecord:
    """Return a report with the findings as they are stored, which may be masked in another way."""
    metadata = dict(report.metadata)
    if "coverage" in stored.metadata:
        metadata["coverage"] = stored.metadata["coverage"]
    return replace(report, findings=stored.findings, metadata=metadata)


def _leads_to(merged: Mapping[str, str], name: str, target: str) -> bool:
    for _ in range(len(merged) + 1):
        if name == target:
            return True
        if name not in merged:
            return False
        name = merged[name]
    return True
