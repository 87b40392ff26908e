"""Undo the import of a bundle: delete what it added, and restore what it replaced."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from lavendertown.collaboration.storage import Storage
from lavendertown.core import clock
from lavendertown.core.errors import RaceError
from lavendertown.records.json_records import record_from_json
from lavendertown.records.record_classes import (
    AnnotationRecord,
    AuditEvent,
    IncidentRecord,
    Record,
    RecordKind,
    ReportRecord,
    TriageRecord,
)
from lavendertown.records.store import Store
from lavendertown.records.summaries import summarize_record
from lavendertown.records.write_path import ImportBatch, ImportedRecord, add_on_behalf_of
from lavendertown.transfer.bundles.content import read_stored
from lavendertown.transfer.bundles.importing import (
    IMPORT_BUNDLE,
    STORE,
    UNDO_BUNDLE,
    find_last_act,
    read_act,
    state_before,
)

_ATTEMPTS = 5
_NOUNS = {
    RecordKind.REPORT: "reports",
    RecordKind.ANNOTATION: "annotations",
    RecordKind.TRIAGE: "triage",
    RecordKind.INCIDENT: "incidents",
}


@dataclass(frozen=True)
class BundleUndo:
    """What an undo changed.

    Attributes:
        file: The name of the file that had been imported.
        reports, annotations, triage, incidents: The number of records that were deleted or restored.
        kept: The number of records that were changed since the import, and are left as they are.
    """

    file: str
    reports: int
    annotations: int
    triage: int
    incidents: int
    kept: int

    def to_dict(self) -> dict[str, Any]:
        """Return the undo as JSON-compatible data."""
        return asdict(self)


def is_bundle_id(storage: Storage, bundle_id: str) -> bool:
    """Return whether a bundle with this id was ever imported."""
    return find_last_act(storage.store, bundle_id) is not None


def undo_bundle(storage: Storage, bundle_id: str, *, actor: str) -> BundleUndo | None:
    """Undo the latest import of a bundle, completely or not at all.

    Reports, comments and incidents that it added are moved to the trash. Comments, decisions and incidents
    that it replaced are restored, as are reports and comments that it moved to the trash. Records that were
    changed since stay as they are, as does the evidence of deleted reports.

    Args:
        storage: The storage.
        bundle_id: The id of the bundle.
        actor: Who undoes it, for the audit log.

    Returns:
        What was changed; None if the bundle was never imported, or is undone already.

    Raises:
        StorageError: A stored record is unreadable, or the store does not respond.
    """
    store = storage.store
    for attempt in range(1, _ATTEMPTS + 1):
        act = find_last_act(store, bundle_id)
        if act is None or act.operation != IMPORT_BUNDLE:
            return None
        changes, kept = _plan_undo(store, act)
        counts = {name: sum(1 for each in changes if each.kind is kind) for kind, name in _NOUNS.items()}
        undo = BundleUndo(str((act.after or {}).get("file", "")), kept=kept, **counts)
        try:
            storage.write_path.import_records(
                ImportBatch(
                    [ImportedRecord(each.record, each.stored.version) for each in changes],
                    _build_events(changes, undo, bundle_id, actor),
                )
            )
            return undo
        except RaceError:
            if attempt == _ATTEMPTS:
                raise
    return None


@dataclass(frozen=True)
class _Change:
    kind: RecordKind
    stored: Record
    record: Record

    @property
    def operation(self) -> str:
        if self.record.deleted_at is not None:
            return "delete"
        return "update" if self.stored.deleted_at is None else "restore"


def _plan_undo(store: Store, act: AuditEvent) -> tuple[list[_Change], int]:
    """Return the changes that undo an import, and the number of records that were changed since."""
    now, kept = clock.now(), 0
    changes: list[_Change] = []
    events = read_act(store, act)
    for kind in _NOUNS:
        of_kind = {event.record_id: event for event in events if event.component == kind}
        for record_id, stored in read_stored(store, kind, of_kind).items():
            event = of_kind[record_id]
            if stored.version != (event.after or {}).get("version"):
                kept += 1
                continue
            before = event.before
            was_live = before is not None and before.get("deleted_at") is None
            restored = _restore(stored, before, now) if was_live and before else _take_back(stored, now)
            changes.append(_Change(kind, stored, replace(restored, version=stored.version + 1)))
    return changes, kept


def _take_back(stored: Record, now: dt.datetime) -> Record:
    """Return a record that was added as it is after the undo."""
    if isinstance(stored, TriageRecord):
        # As if nobody had decided, so that every decision of another team is newer.
        return TriageRecord(stored.id, clock.EPOCH)
    return replace(stored, deleted_at=now, updated_at=now)


def _restore(stored: Record, before: Mapping[str, Any], now: dt.datetime) -> Record:
    """Return a record as it was before the import."""
    updated_at = clock.parse_time(str(before["updated_at"]), clock.UTC) if "updated_at" in before else now
    if isinstance(stored, TriageRecord | IncidentRecord):
        values = {**before, "id": stored.id, "updated_at": updated_at.isoformat()}
        return record_from_json(type(stored), values, clock.UTC)
    if isinstance(stored, AnnotationRecord):
        return replace(
            stored,
            author=str(before["author"]),
            finding_id=str(before["finding_id"]),
            created_at=clock.parse_time(str(before["created_at"]), clock.UTC),
            comment=str(before["comment"]),
            tags=tuple(before["tags"]),
            status=before["status"],
            report_id=before.get("report_id"),
            updated_at=updated_at,
            deleted_at=None,
        )
    assert isinstance(stored, ReportRecord)
    tags = list(before["tags"])
    metadata = {**stored.metadata, "tags": tags} if "tags" in stored.metadata else stored.metadata
    return replace(
        stored,
        title=str(before["title"]),
        tags=tuple(tags),
        metadata=metadata,
        updated_at=updated_at,
        deleted_at=None,
    )


def _build_events(changes: list[_Change], undo: BundleUndo, bundle_id: str, actor: str) -> list[AuditEvent]:
    at = clock.now()
    events = [
        AuditEvent(
            at,
            actor,
            str(each.kind),
            each.record.id,
            each.operation,
            state_before(each.stored),
            add_on_behalf_of(summarize_record(each.record)),
        )
        for each in changes
    ]
    after = add_on_behalf_of(
        {
            "file": undo.file,
            "reports": undo.reports,
            "comments": undo.annotations,
            "decisions": undo.triage,
            "incidents": undo.incidents,
            "kept": undo.kept,
        }
    )
    return [*events, AuditEvent(at, actor, STORE, bundle_id, UNDO_BUNDLE, None, after)]
