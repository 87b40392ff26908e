"""Preview and import bundles, in one unit of work and as one act in the audit log."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from lavendertown.collaboration.storage import Storage
from lavendertown.core import clock
from lavendertown.core.errors import RaceError
from lavendertown.core.settings import load_settings
from lavendertown.records import validation
from lavendertown.records.queries import AuditQuery, ReportQuery
from lavendertown.records.record_classes import (
    ALL_ITEMS,
    AnnotationRecord,
    AuditEvent,
    Page,
    Record,
    RecordKind,
    ReportRecord,
)
from lavendertown.records.store import MIN_BULK_ROWS, Store
from lavendertown.records.summaries import summarize_record
from lavendertown.records.write_path import ImportBatch, add_on_behalf_of
from lavendertown.transfer.bundles.content import FindingNames, read_merged
from lavendertown.transfer.bundles.deletions import BUNDLE_KEY, DELETE_RECORD, IMPORT_RECORD, RecordKey
from lavendertown.transfer.bundles.masking import mask_content
from lavendertown.transfer.bundles.merging import (
    WRITTEN_STATES,
    DeletionState,
    MergePlan,
    MergeState,
    PlannedRecord,
    plan_merge,
)
from lavendertown.transfer.bundles.reading import Bundle
from lavendertown.transfer.values import COUNT_NAME_BY_KIND

STORE = "store"
"""The component of the audit event about a whole bundle."""
IMPORT_BUNDLE = "import_bundle"
UNDO_BUNDLE = "undo_bundle"
MERGED_KINDS = (
    RecordKind.REPORT,
    RecordKind.ANNOTATION,
    RecordKind.TRIAGE,
    RecordKind.EVIDENCE,
    RecordKind.INCIDENT,
)
_ATTEMPTS = 5
_IDS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class BundleReport:
    """A report of a bundle, and what an import does with it."""

    report_id: str
    title: str
    dataset: str
    findings: int
    state: MergeState


@dataclass(frozen=True, slots=True)
class DatasetEffect:
    """What the reports of a bundle mean for a dataset.

    Attributes:
        report_count: The number of its reports before.
        new, known: The number of findings that its reports did not have before, and of those that they had.
    """

    dataset: str
    report_count: int
    new: int
    known: int


@dataclass(frozen=True)
class BundlePreview:
    """What the import of a bundle changes.

    Attributes:
        bundle_id: The id for the undo.
        file: The name of the file.
        reports: The reports.
        datasets: The datasets that they join.
        counts: The number of records by :class:`MergeState`, for each of ``reports``, ``annotations``,
            ``triage``, ``evidence`` and ``incidents``.
        deletions: The number of deletions by :class:`DeletionState`.
    """

    bundle_id: str
    file: str
    reports: Sequence[BundleReport]
    datasets: Sequence[DatasetEffect]
    counts: Mapping[str, Mapping[MergeState, int]]
    deletions: Mapping[DeletionState, int]

    def count(self, *states: MergeState, kind: RecordKind | None = None) -> int:
        """Return the number of records in one of these states: of one kind, or of all."""
        names = [COUNT_NAME_BY_KIND[kind]] if kind is not None else list(self.counts)
        return sum(self.counts[name][state] for name in names for state in states)

    @property
    def changes_nothing(self) -> bool:
        """Whether the store has everything already, or keeps what it has."""
        return not (self.count(*WRITTEN_STATES) or self.deletions[DeletionState.TRASHED])

    def to_dict(self) -> dict[str, Any]:
        """Return the preview as JSON-compatible data."""
        return {
            "bundle_id": self.bundle_id,
            "file": self.file,
            **{name: {str(state): n for state, n in counts.items()} for name, counts in self.counts.items()},
            "deletions": {str(state): n for state, n in self.deletions.items()},
            "datasets": [asdict(each) for each in self.datasets],
            "report_list": [asdict(each) for each in self.reports],
        }


def preview_bundle(storage: Storage, bundle: Bundle) -> BundlePreview:
    """Return what :func:`import_bundle` would do, without writing anything; it raises the same errors."""
    return _build_preview(storage.store, bundle, _plan(storage.store, bundle))


def import_bundle(storage: Storage, bundle: Bundle, *, actor: str) -> BundlePreview:
    """Merge a bundle into a storage, completely or not at all, and return what that changed.

    Args:
        storage: The storage.
        bundle: The bundle.
        actor: Who imports it, for the audit log.

    Raises:
        ConflictError: Another report is stored under the id of one in the bundle, or a comment under the id
            of one, on another finding.
        StorageError: A stored record is unreadable, or the store does not respond.
    """
    store = storage.store
    for attempt in range(1, _ATTEMPTS + 1):
        plan = _plan(store, bundle)
        preview = _build_preview(store, bundle, plan)
        written = plan.written
        if not written:
            return preview
        try:
            storage.write_path.import_records(
                ImportBatch(
                    [each.to_imported() for each in written],
                    _build_events(written, _describe_import(preview), bundle.id, actor),
                    plan.aliases,
                )
            )
            break
        except RaceError:
            if attempt == _ATTEMPTS:
                raise
    rows = sum(len(each.record.findings) if isinstance(each.record, ReportRecord) else 1 for each in written)
    if rows >= MIN_BULK_ROWS:
        store.analyze()
    return preview


def _plan(store: Store, bundle: Bundle) -> MergePlan:
    content = mask_content(bundle.content, load_settings())
    return plan_merge(store, content, _find_undone(store, bundle.id))


def find_last_act(store: Store, bundle_id: str) -> AuditEvent | None:
    """Return the event of the latest import of a bundle, or of its undo; None if it was never imported."""
    if not validation.is_valid_id(bundle_id):
        return None
    query = AuditQuery(component=(STORE,), operation=(IMPORT_BUNDLE, UNDO_BUNDLE), record_id=(bundle_id,))
    return next(iter(store.scan(query, Page(limit=1))), None)


def read_act(store: Store, act: AuditEvent) -> list[AuditEvent]:
    """Return the events of the records that an act wrote."""
    query = AuditQuery(
        actor=(act.actor,), component=tuple(map(str, MERGED_KINDS)), since=act.at, until=act.at
    )
    return list(store.scan(query, ALL_ITEMS))


def _find_undone(store: Store, bundle_id: str) -> dict[RecordKey, int]:
    """Return the records that the undo of the last import wrote, with their versions."""
    act = find_last_act(store, bundle_id)
    if act is None or act.operation != UNDO_BUNDLE:
        return {}
    return {
        (RecordKind(each.component), each.record_id): int((each.after or {}).get("version", 0))
        for each in read_act(store, act)
    }


def _describe_import(preview: BundlePreview) -> dict[str, Any]:
    return {
        "file": preview.file,
        "reports": preview.count(*WRITTEN_STATES, kind=RecordKind.REPORT),
        "comments": preview.count(*WRITTEN_STATES, kind=RecordKind.ANNOTATION),
        "decisions": preview.count(*WRITTEN_STATES, kind=RecordKind.TRIAGE),
        "incidents": preview.count(*WRITTEN_STATES, kind=RecordKind.INCIDENT),
        "deletions": preview.deletions[DeletionState.TRASHED],
    }


def _build_events(
    written: Iterable[PlannedRecord], after: Mapping[str, Any], bundle_id: str, actor: str
) -> list[AuditEvent]:
    at = clock.now()
    events = [
        AuditEvent(
            at,
            actor,
            str(each.kind),
            each.record.id,
            IMPORT_RECORD if each.record.deleted_at is None else DELETE_RECORD,
            state_before(each.stored),
            add_on_behalf_of(_state_after(each.record, bundle_id)),
        )
        for each in written
    ]
    # The last one, so that it is the first of the act in the list of changes.
    return [*events, AuditEvent(at, actor, STORE, bundle_id, IMPORT_BUNDLE, None, add_on_behalf_of(after))]


def _state_after(record: Record, bundle_id: str) -> dict[str, Any]:
    state = summarize_record(record)
    return state if record.deleted_at is None else {**state, BUNDLE_KEY: bundle_id}


def state_before(stored: Record | None) -> dict[str, Any] | None:
    """Return the state of a record before an act, with what an undo restores besides the summary."""
    if stored is None:
        return None
    state = {**summarize_record(stored), "updated_at": stored.updated_at.isoformat()}
    return {**state, "report_id": stored.report_id} if isinstance(stored, AnnotationRecord) else state


def _build_preview(store: Store, bundle: Bundle, plan: MergePlan) -> BundlePreview:
    counts = {COUNT_NAME_BY_KIND[kind]: dict.fromkeys(MergeState, 0) for kind in MERGED_KINDS}
    for each in plan.records:
        counts[COUNT_NAME_BY_KIND[each.kind]][each.state] += 1
    merged = [
        each.record
        for each in plan.records
        if isinstance(each.record, ReportRecord) and each.state is not MergeState.IN_TRASH
    ]
    reports = [
        BundleReport(
            each.record.id, each.record.title, each.record.dataset, len(each.record.findings), each.state
        )
        for each in plan.records
        if isinstance(each.record, ReportRecord)
    ]
    deletions = dict.fromkeys(DeletionState, 0)
    for deletion in plan.deletions:
        deletions[deletion.state] += 1
    effects = _compute_effects(store, merged)
    return BundlePreview(bundle.id, bundle.name, reports, effects, counts, deletions)


def _compute_effects(store: Store, reports: Iterable[ReportRecord]) -> list[DatasetEffect]:
    names = FindingNames(store.aliases(), read_merged(store))
    findings: dict[str, set[str]] = {}
    for report in reports:
        found = findings.setdefault(report.dataset, set())
        found |= {names.resolve(finding.fingerprint) for finding in report.findings}
    return [
        DatasetEffect(
            dataset,
            store.count(ReportQuery(dataset=(dataset,))),
            len(wanted) - (known := _count_known(store, sorted(wanted))),
            known,
        )
        for dataset, wanted in sorted(findings.items())
    ]


def _count_known(store: Store, fingerprints: Sequence[str]) -> int:
    return sum(
        sum(1 for _ in store.read_identities(fingerprints[start : start + _IDS_AT_ONCE]))
        for start in range(0, len(fingerprints), _IDS_AT_ONCE)
    )
