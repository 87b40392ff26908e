"""The records of a bundle, and how the ids of findings lead to their identities."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field

from lavendertown.core.errors import ConflictError, NotFoundError
from lavendertown.records import validation
from lavendertown.records.json_records import merged_into_map
from lavendertown.records.queries import AnnotationQuery, FlatRecordQuery
from lavendertown.records.record_classes import (
    ALL_ITEMS,
    AnnotationRecord,
    EvidenceRecord,
    IncidentRecord,
    Record,
    RecordKind,
    ReportRecord,
    TriageRecord,
)
from lavendertown.records.store import Store
from lavendertown.transfer.bundles.deletions import Deletion, collect_deletions
from lavendertown.transfer.readers.batches import RECORDS_PER_BATCH

_ATTEMPTS = 5
_IDS_AT_ONCE = 500


@dataclass(frozen=True)
class BundleContent:
    """The records of a bundle. All are live; the others belong to the reports and their findings.

    Attributes:
        aliases: Older ids of findings with their current ids.
        deletions: The deleted reports of their datasets, and the deleted annotations of their threads.
    """

    reports: tuple[ReportRecord, ...]
    evidence: tuple[EvidenceRecord, ...] = ()
    annotations: tuple[AnnotationRecord, ...] = ()
    triage: tuple[TriageRecord, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    incidents: tuple[IncidentRecord, ...] = ()
    deletions: tuple[Deletion, ...] = ()

    def records(self) -> Iterator[Record]:
        """Yield all records, the reports first."""
        yield from self.reports
        yield from self.annotations
        yield from self.triage
        yield from self.evidence
        yield from self.incidents

    def fingerprints(self) -> frozenset[str]:
        """Return the fingerprints of the findings in the reports."""
        return frozenset(finding.fingerprint for report in self.reports for finding in report.findings)

    def datasets(self) -> frozenset[str]:
        """Return the datasets of the reports."""
        return frozenset(report.dataset for report in self.reports)

    def incident_ids(self) -> frozenset[str]:
        """Return the ids of the incidents, which have threads as findings do."""
        return frozenset(incident.id for incident in self.incidents)


class FindingNames:
    """The names of findings in one store or bundle, and the identity that each one leads to.

    Args:
        aliases: Older ids of findings with their current ids.
        merged: Findings with the ones that they are merged into.
    """

    def __init__(self, aliases: Mapping[str, str], merged: Mapping[str, str]) -> None:
        self._aliases = aliases
        self._merged = merged

    def resolve(self, name: str) -> str:
        """Return the identity of a finding; an unknown name is returned unchanged."""
        name = self._aliases.get(name, name)
        for _ in range(len(self._merged)):
            if name not in self._merged:
                break
            name = self._merged[name]
        return name

    def names_of(self, fingerprints: Iterable[str]) -> frozenset[str]:
        """Return all names of the findings with these fingerprints, those of merged findings included."""
        given = set(fingerprints)
        identities = {self.resolve(name) for name in given}
        known = (*self._aliases, *self._merged)
        return frozenset(given | identities | {name for name in known if self.resolve(name) in identities})


def read_merged(store: Store) -> dict[str, str]:
    """Return the merged findings of a store, with the findings they are merged into."""
    query = FlatRecordQuery(RecordKind.TRIAGE, merged=True)
    return merged_into_map(store.scan(query, ALL_ITEMS))


def read_stored(store: Store, kind: RecordKind, ids: Iterable[str]) -> dict[str, Record]:
    """Return the records of a kind that a store has, deleted or not, by id."""
    wanted = sorted(set(ids))
    found: dict[str, Record] = {}
    for start in range(0, len(wanted), RECORDS_PER_BATCH):
        found |= store.read_records(kind, wanted[start : start + RECORDS_PER_BATCH])
    return found


def collect_content(store: Store, report_ids: Iterable[str]) -> BundleContent:
    """Return these reports, and everything that belongs to them and their findings, as of one moment.

    Args:
        store: The store.
        report_ids: The reports.

    Raises:
        NotFoundError: There is no live report with one of these ids.
        DamagedRecordError: A record is stored but unreadable.
        ConflictError: The store is changed all the time.
    """
    wanted = list(dict.fromkeys(report_ids))
    for _ in range(_ATTEMPTS):
        before = store.change_token()
        content = _collect_content(store, wanted)
        if store.change_token() == before:
            return content
    raise ConflictError("The reports were changed while they were exported. Try again.")


def _collect_content(store: Store, report_ids: list[str]) -> BundleContent:
    stored = read_stored(store, RecordKind.REPORT, filter(validation.is_valid_id, report_ids))
    reports = []
    for report_id in report_ids:
        report = stored.get(report_id)
        if not isinstance(report, ReportRecord) or report.deleted_at is not None:
            raise NotFoundError(f"There is no report {report_id[:200]!r}; it may have been deleted.")
        reports.append(report)
    fingerprints = BundleContent(tuple(reports)).fingerprints()
    aliases = dict(store.aliases())
    names = FindingNames(aliases, read_merged(store)).names_of(fingerprints)
    incidents = tuple(each for each in _scan_incidents(store) if not names.isdisjoint(each.members))
    threads = names | {each.id for each in incidents}
    annotations = _read_annotations(store, threads)
    for annotation in annotations:
        # An id of version 0.7 that is not stored as an alias yet.
        if annotation.finding_id not in threads:
            aliases[annotation.finding_id] = store.resolve_fingerprint(annotation.finding_id)
    triage = read_stored(store, RecordKind.TRIAGE, names).values()
    evidence = read_stored(store, RecordKind.EVIDENCE, report_ids).values()
    return BundleContent(
        tuple(reports),
        tuple(each for each in evidence if isinstance(each, EvidenceRecord) and each.deleted_at is None),
        annotations,
        tuple(each for each in triage if isinstance(each, TriageRecord) and each.deleted_at is None),
        _relevant_aliases(aliases, names, annotations),
        incidents,
        collect_deletions(store, BundleContent(tuple(reports)).datasets(), threads),
    )


def _scan_incidents(store: Store) -> Iterator[IncidentRecord]:
    for each in store.scan(FlatRecordQuery(RecordKind.INCIDENT), ALL_ITEMS):
        if isinstance(each, IncidentRecord):
            yield each


def _read_annotations(store: Store, names: Set[str]) -> tuple[AnnotationRecord, ...]:
    wanted = sorted(names)
    found: dict[str, AnnotationRecord] = {}
    for start in range(0, len(wanted), _IDS_AT_ONCE):
        query = AnnotationQuery(finding_id=tuple(wanted[start : start + _IDS_AT_ONCE]))
        found |= {annotation.id: annotation for annotation in store.scan(query, ALL_ITEMS)}
    return tuple(found.values())


def _relevant_aliases(
    aliases: Mapping[str, str], names: Set[str], annotations: Iterable[AnnotationRecord]
) -> dict[str, str]:
    used = names | {annotation.finding_id for annotation in annotations}
    return {old: new for old, new in aliases.items() if old in used and new in names}
