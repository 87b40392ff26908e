"""The store interface that every backend implements.

A store reads, scans, counts and groups records, and applies change sets. It does not validate, increment
versions, run hooks or create audit events: the write path (:mod:`lavendertown.records.write_path`) does
that, and passes the complete change set to the store.
"""

from __future__ import annotations

import abc
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, overload

from lavendertown.records.change_feed import ChangePage
from lavendertown.records.identities import (
    Acceptance,
    AnnotationText,
    DatasetRuns,
    Identity,
    LastOccurrences,
    StatusChange,
)
from lavendertown.records.queries import (
    AnnotationQuery,
    AuditQuery,
    FindingQuery,
    FlatRecordQuery,
    Query,
    ReportFacet,
    ReportQuery,
    RuleSetQuery,
)
from lavendertown.records.record_classes import (
    FIRST_PAGE,
    AnnotationRecord,
    AuditEvent,
    ChangeSet,
    FindingSummary,
    FlatRecord,
    MigrationRecord,
    Page,
    Record,
    RecordKind,
    ReportRecord,
    ReportSummary,
    RuleSetSummary,
    StoredVersion,
    UnreadableItem,
)

MIN_BULK_ROWS = 10_000
"""The number of findings or annotations from which a save counts as a bulk import."""


class UnitOfWork(abc.ABC):
    """A transaction on a store. It is the only writer of the records whose versions it locked."""

    @abc.abstractmethod
    def lock_versions(self, keys: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], StoredVersion]:
        """Lock these records for the unit of work, and return the state of those that are stored.

        Deleted records are included.

        Args:
            keys: The kind and id of each record.
        """

    @abc.abstractmethod
    def read_record(self, kind: str, record_id: str) -> Record | None:
        """Return the complete record as this unit of work sees it, deleted or not; None if not stored."""

    def assign_ids(self, records: Sequence[Record]) -> Sequence[Record]:
        """Return these new records, which have no ids, with ids that the store assigns."""
        raise NotImplementedError("This store does not assign ids; its records must have one.")

    @abc.abstractmethod
    def apply_changes(self, changes: ChangeSet) -> None:
        """Write the change set when the unit of work succeeds; otherwise write nothing.

        The store keeps its derived data up to date: when the identities were first and last seen, how
        often, their current status (of the latest live annotation that sets one), tags (of live
        annotations) and comment counts. An annotation on an id that no finding has yet is stored; it
        joins the finding as soon as one has that fingerprint, alias or 0.7 id.
        """


class Store(abc.ABC):
    """A store of records."""

    @abc.abstractmethod
    def unit_of_work(self) -> AbstractContextManager[UnitOfWork]:
        """Open a unit of work, which is committed when the block succeeds and rolled back when it raises.

        Raises:
            StorageUnavailableError: The store is unavailable or not writable.
        """

    @abc.abstractmethod
    def read_record(self, kind: RecordKind, record_id: str) -> Record | None:
        """Return the complete record, deleted or not; None if it is not stored.

        Raises:
            DamagedRecordError: The record is stored but unreadable.
        """

    @abc.abstractmethod
    def read_records(self, kind: RecordKind, ids: Sequence[str]) -> Mapping[str, Record]:
        """Return the complete records that are stored, deleted or not, by id.

        Raises:
            DamagedRecordError: A record is stored but unreadable.
        """

    def read_light_report(self, report_id: str) -> ReportRecord | None:
        """Return a report, deleted or not, for callers that need no row positions and no ids of version 0.7.

        These may be missing, so that a store can leave out what takes long to read. None if it is not stored.

        Raises:
            DamagedRecordError: The report is stored but unreadable.
        """
        report = self.read_record(RecordKind.REPORT, report_id)
        assert report is None or isinstance(report, ReportRecord)
        return report

    @overload
    def scan(self, query: ReportQuery, page: Page = ...) -> Sequence[ReportSummary]: ...
    @overload
    def scan(self, query: FindingQuery, page: Page = ...) -> Sequence[FindingSummary]: ...
    @overload
    def scan(self, query: AnnotationQuery, page: Page = ...) -> Sequence[AnnotationRecord]: ...
    @overload
    def scan(self, query: RuleSetQuery, page: Page = ...) -> Sequence[RuleSetSummary]: ...
    @overload
    def scan(self, query: AuditQuery, page: Page = ...) -> Sequence[AuditEvent]: ...
    @overload
    def scan(self, query: FlatRecordQuery, page: Page = ...) -> Sequence[FlatRecord]: ...
    @abc.abstractmethod
    def scan(self, query: Query, page: Page = FIRST_PAGE) -> Sequence[Any]:
        """Return one page of results, in the order that the class of the query defines."""

    @abc.abstractmethod
    def count(self, query: Query) -> int:
        """Return the number of matching records."""

    @abc.abstractmethod
    def group_reports(self, query: ReportQuery, by: ReportFacet) -> Mapping[str, int]:
        """Return the number of matching reports for each value of a facet."""

    @abc.abstractmethod
    def resolve_fingerprint(self, finding_id: str) -> str:
        """Return the fingerprint for any id of a finding; an unknown id is returned unchanged."""

    @abc.abstractmethod
    def aliases(self) -> Mapping[str, str]:
        """Return the stored older ids of findings, with their current ids."""

    @abc.abstractmethod
    def finding_rows(self, report_id: str, position: int) -> bytes | None:
        """Return the packed rows of a finding, see :mod:`lavendertown.core.row_positions`."""

    @abc.abstractmethod
    def read_identities(
        self, fingerprints: Sequence[str] | None = None, datasets: Sequence[str] | None = None
    ) -> Iterable[Identity]:
        """Return the findings in live reports, each once.

        Args:
            fingerprints: Only findings with these fingerprints; None for all.
            datasets: Only findings of these datasets; None for all.
        """

    @abc.abstractmethod
    def annotation_texts(self, fingerprints: Sequence[str] | None = None) -> Iterable[AnnotationText]:
        """Return the searched texts of all live annotations, or of those on these findings."""

    @abc.abstractmethod
    def latest_runs(self, datasets: Sequence[str] | None = None) -> Mapping[str, DatasetRuns]:
        """Return the latest runs of all datasets that have any, or of the given ones."""

    @abc.abstractmethod
    def executed_check_keys(self, report_ids: Sequence[str]) -> Mapping[str, frozenset[str]]:
        """Return the keys of the checks that each of these reports completed."""

    @abc.abstractmethod
    def acceptances(self, fingerprints: Sequence[str] | None = None) -> Mapping[str, Acceptance]:
        """Return the acceptance of each finding whose status is accepted: of all, or of the given ones."""

    @abc.abstractmethod
    def last_occurrences(self, fingerprints: Sequence[str]) -> Mapping[str, LastOccurrences]:
        """Return the latest occurrences in live reports of the findings with these fingerprints."""

    @abc.abstractmethod
    def report_fingerprints(
        self, report_ids: Sequence[str], severities: Sequence[str] = ()
    ) -> frozenset[str]:
        """Return the fingerprints of the findings in these reports, deleted reports included.

        Args:
            report_ids: The reports.
            severities: Only findings that have one of these severities in a report; empty for all.
        """

    @abc.abstractmethod
    def status_changes(self, datasets: Sequence[str] | None = None) -> Sequence[StatusChange]:
        """Return the live annotations that set a status, oldest first, then by id.

        Args:
            datasets: Only annotations on findings of these datasets; None for all.
        """

    @abc.abstractmethod
    def events_since(self, mark: Any) -> tuple[Any, Sequence[AuditEvent] | None]:
        """Return a mark for the current state, and the audit events committed since an earlier mark.

        Args:
            mark: A mark that an earlier call on this store object returned; None for the first call.

        Returns:
            The new mark and the events; None instead of the events if they cannot be determined.
        """

    @abc.abstractmethod
    def read_changes(self, cursor: str, limit: int) -> ChangePage:
        """Return the audit events after a cursor, in the order in which they were committed.

        Args:
            cursor: A cursor that an earlier call returned; empty for the beginning.
            limit: The maximum number of events.

        Raises:
            InvalidInputError: The cursor does not belong to this store's log.
        """

    @abc.abstractmethod
    def end_of_changes(self) -> str:
        """Return the cursor after the newest event."""

    @abc.abstractmethod
    def known_tags(self) -> Sequence[str]:
        """Return the tags of live reports and findings, most used first, then by name."""

    @abc.abstractmethod
    def change_token(self) -> str:
        """Return a token that differs after every committed change."""

    @abc.abstractmethod
    def migrations(self) -> Sequence[MigrationRecord]:
        """Return the ledger of migrations into this store, oldest first."""

    @abc.abstractmethod
    def block_writes(self) -> AbstractContextManager[None]:
        """Block commits while the block runs; other writers wait. Reading is not affected.

        Raises:
            StorageUnavailableError: The store is unavailable or not writable.
        """

    def analyze(self) -> None:  # noqa: B027
        """Update the store's statistics for query planning after a bulk import."""

    @abc.abstractmethod
    def check_readable(self) -> None:
        """Read from the store to verify that it works.

        Raises:
            StorageError: Reading failed; the message gives the reason in one sentence.
        """

    @abc.abstractmethod
    def describe(self) -> str:
        """Return a short description of the store and its location, without passwords."""

    @abc.abstractmethod
    def unreadable_items(self) -> Sequence[UnreadableItem]:
        """Return the items that are stored but unreadable."""

    @abc.abstractmethod
    def close(self) -> None:
        """Close connections. The store can still be used; it reopens them by itself."""
