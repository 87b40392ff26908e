"""The storage a team uses: one set of methods, the same on files, SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack

from lavendertown import rows
from lavendertown.collaboration import filters, mapping
from lavendertown.collaboration.annotations import Annotations
from lavendertown.collaboration.compare import Compare
from lavendertown.collaboration.desk import Desk
from lavendertown.collaboration.history import History
from lavendertown.collaboration.in_use import StillInUse
from lavendertown.collaboration.models import ShareableReport
from lavendertown.collaboration.people import People
from lavendertown.collaboration.rulesets import RuleSets
from lavendertown.collaboration.triage import Triage
from lavendertown.collaboration.views import Views
from lavendertown.config import Settings, load_settings
from lavendertown.errors import ConfigurationError, DamagedRecordError, UnfinishedMoveError
from lavendertown.identity import fingerprint
from lavendertown.models import GhostFinding
from lavendertown.records import rules
from lavendertown.records.accessor import Put, Remove, Restore, WritePath
from lavendertown.records.contract import Store
from lavendertown.records.files import FileStore
from lavendertown.records.queries import AnnotationQuery, By, Deleted, ReportQuery
from lavendertown.records.undisturbed import undisturbed
from lavendertown.records.values import (
    EVERYTHING,
    Kind,
    Page,
    ReportRecord,
    as_dict,
)


def get_finding_id(finding: GhostFinding, dataset: str | None = None) -> str:
    """Return the id under which a finding is discussed, the same in every run that finds it.

    Args:
        finding: The finding; its ``metadata["dataset"]`` is used unless ``dataset`` is given.
        dataset: Overrides the finding's own dataset.
    """
    if dataset is not None:
        finding = replace(finding, metadata={**finding.metadata, "dataset": dataset})
    return fingerprint(finding)


def get_storage_backend(settings: Settings | None = None) -> Storage:
    """Return the configured storage.

    Raises:
        ConfigurationError: The settings name a storage that does not exist.
        ImportError: They name a database and SQLAlchemy or its driver is missing.
        StorageError: The store does not answer, has another schema or is being moved into.
    """
    settings = settings or load_settings()
    storage = _backend(settings)
    if settings.root is not None:
        storage.writes.guards.append(StillInUse(settings))
    return storage


def _backend(settings: Settings) -> Storage:
    if settings.storage_type == "file":
        return FileStorage(settings.data_dir)
    if settings.storage_type == "database":
        from lavendertown.collaboration.database_storage import DatabaseStorage

        return DatabaseStorage(settings.database_url)
    raise ConfigurationError(
        f"LAVENDERTOWN_STORAGE_TYPE is {settings.storage_type!r}; use 'file' or 'database'."
    )


def refuse_half_filled(store: Store) -> None:
    """Close a store that holds only what an unfinished move has brought so far, and say so.

    Raises:
        UnfinishedMoveError: It does.
    """
    for move in store.moves():
        if move.half_filled:
            store.close()
            raise UnfinishedMoveError(
                f"The move from {move.source} into {move.target} is not finished, so records are missing "
                "here. Wait until it is, or go on with it: lavendertown migrate --from … --to … --resume, "
                "or the screen Move to another store."
            )


class Storage(Annotations, Compare, Desk, History, People, RuleSets, Triage, Views):
    """What a team keeps, over any store, every change through the one write path.

    Filters of the query methods: ``author``, ``dataset``, ``status`` and ``severity`` take one
    value or several (any of them matches); ``tags`` one or several (all of them must be there).
    ``start_date`` and ``end_date`` are inclusive; a bare date is that whole day, and a time without
    a zone is local. ``search`` is a literal text, whatever its case. Lists of dictionaries hold
    plain values with aware UTC times and can be changed freely.
    """

    def __init__(self, store: Store) -> None:
        refuse_half_filled(store)
        self.store = store
        self.writes = WritePath(store)
        self._met: dict[str, str] = {}

    # Reports

    def save_report(self, report: ShareableReport, *, actor: str | None = None) -> str:
        """Save a report under its own id, new or changed, and return that id.

        Annotations that the report carries are saved with it; those it does not carry stay.
        A deleted report is not brought back by saving it: restore it first.

        Args:
            report: The report. ``report.version``, when not None, must be the stored version.
            actor: Who saves, for the audit log; the report's author by default.

        Raises:
            ConflictError: Somebody else changed (or deleted) the report or a carried annotation.
            InvalidInputError: An id, a time or a value cannot be stored. Nothing was written.
        """
        self.save_reports([report], actor=actor)
        return report.id

    def save_reports(self, reports: Iterable[ShareableReport], *, actor: str | None = None) -> list[str]:
        """Save many reports in one unit of work, all of them or none; return their ids in order."""
        puts: list[Put | Remove | Restore] = []
        ids: list[str] = []
        with undisturbed():
            for report in reports:
                report.name_dataset()
                puts.append(Put(mapping.report_record(report), report.version, actor))
                puts += [
                    Put(mapping.annotation_record(a, report.id), a.version, actor, lenient=True)
                    for a in report.annotations
                ]
                ids.append(report.id)
            self.writes.commit(puts)
        return ids

    def load_report(self, report_id: str) -> ShareableReport | None:
        """Return the whole report with its findings, their live annotations and its rule set.

        Returns None where there is no such report or it was deleted.
        """
        record = self._read(Kind.REPORT, report_id)
        if not isinstance(record, ReportRecord) or record.deleted_at is not None:
            return None
        annotations = self.store.scan(AnnotationQuery(report_id=report_id), EVERYTHING)
        try:
            return mapping.report(record, annotations)
        except DamagedRecordError as error:
            item = f"report {report_id!r}"
            self._met[item] = str(error)
            raise DamagedRecordError(f"In {item}: {error}") from error

    def find_report(self, report_id: str) -> dict[str, Any] | None:
        """Return a report's header as :meth:`query_reports` lists it, deleted ones too, or None."""
        if not rules.is_id(report_id):
            return None
        query = ReportQuery(ids=(report_id,), deleted=Deleted.INCLUDED)
        found = self.store.scan(query, Page(limit=1))
        return mapping.report_row(found[0]) if found else None

    def report_metadata(self, report_id: str) -> dict[str, Any]:
        """Return a report's metadata, empty where there is no such report."""
        record = self._read(Kind.REPORT, report_id)
        return dict(record.metadata) if isinstance(record, ReportRecord) else {}

    def delete_report(self, report_id: str, *, actor: str = "internal") -> bool:
        """Put a report into the trash; say whether it was there. Its annotations stay."""
        return self.writes.commit([Remove(Kind.REPORT, report_id, actor)]) != []

    def restore_report(self, report_id: str, *, actor: str = "internal") -> bool:
        """Take a report back out of the trash; say whether it was in it."""
        return self.writes.commit([Restore(Kind.REPORT, report_id, actor)]) != []

    def query_reports(
        self,
        author: filters.Words = None,
        start_date: filters.When = None,
        end_date: filters.When = None,
        limit: int | None = 100,
        offset: int = 0,
        search: str | None = None,
        tags: filters.Words = None,
        status: filters.Words = None,
        severity: filters.Words = None,
        dataset: filters.Words = None,
        include_deleted: bool = False,
    ) -> list[dict[str, Any]]:
        """List reports, newest first, without reading a finding.

        ``search`` looks into title, dataset and the findings' descriptions; ``tags`` at the
        report's own and its findings'; ``status`` at the current status of any finding in it.

        Returns:
            Dictionaries with id, title, author, dataset, created_at, updated_at, finding_count,
            error_count, warning_count, info_count, tags (the report's own), version, deleted_at.
        """
        query = filters.report_query(
            author, start_date, end_date, search, tags, status, severity, dataset, include_deleted
        )
        found = self.store.scan(query, filters.page(limit, offset))
        return [mapping.report_row(header) for header in found]

    def count_reports(self, **filter_values: Unpack[filters.ReportFilters]) -> int:
        """Count the reports that :meth:`query_reports` would list without a limit."""
        return self.store.count(filters.report_query(**filter_values))

    def report_facets(self, **filter_values: Unpack[filters.ReportFilters]) -> dict[str, dict[str, int]]:
        """Count reports by each value of author, dataset, status, severity and tag.

        Each facet leaves its own filter out, so that it shows what else could be chosen; but tags,
        which narrow one another.
        """
        query = filters.report_query(**filter_values)
        return {by.value: dict(self.store.group(filters.without(query, by), by)) for by in By}

    # Findings

    def query_findings(
        self,
        report_id: str | None = None,
        limit: int | None = 100,
        offset: int = 0,
        **filter_values: Unpack[filters.FindingFilters],
    ) -> list[dict[str, Any]]:
        """List findings: newest report first, then in the report's order, without their rows.

        Args:
            report_id: Only that report's findings.
            limit: At most so many; None for all.
            offset: Leave so many out at the start.
            **filter_values: finding_id, author, dataset, ghost_type, column, severity, status,
                tags, search, start_date, end_date, include_deleted.

        Returns:
            Dictionaries with finding_id, report_id, position, dataset, ghost_type, column,
            severity, description, row_count, share, metadata, seen_at, status, tags,
            comment_count, first_seen, last_seen, times_seen.
        """
        query = filters.finding_query(report_id=report_id, **filter_values)
        return [mapping.row(found) for found in self.store.scan(query, filters.page(limit, offset))]

    def count_findings(
        self, report_id: str | None = None, **filter_values: Unpack[filters.FindingFilters]
    ) -> int:
        """Count the findings that :meth:`query_findings` would list without a limit."""
        return self.store.count(filters.finding_query(report_id=report_id, **filter_values))

    def finding_rows(self, report_id: str, position: int, limit: int = 100, offset: int = 0) -> list[Any]:
        """Return one page of a finding's affected row positions; empty where none are known."""
        packed = self.store.finding_rows(report_id, position) if rules.is_id(report_id) else None
        return rows.page(packed, offset, limit) if packed is not None else []

    # The store itself

    def known_tags(self) -> list[str]:
        """Return the tags in use, most used first."""
        return list(self.store.known_tags())

    def revision(self) -> str:
        """Return a token that changes with every committed change; cheap enough to poll."""
        return self.store.revision()

    def check(self) -> None:
        """Do a real read of the store.

        Raises:
            StorageError: With one sentence that says why it does not answer.
        """
        self.store.check()

    def describe(self) -> str:
        """Say what the storage is and where, such as ``"files in .lavendertown"``; no passwords."""
        return self.store.describe()

    def damage(self) -> list[dict[str, str]]:
        """Name stored items that cannot be read: dictionaries with item and reason.

        Files are all looked at; what lies in a database is named once somebody tried to read it.
        """
        met = [{"item": item, "reason": reason} for item, reason in self._met.items()]
        return [as_dict(found) for found in self.store.damage()] + met

    def close(self) -> None:
        """Let go of connections and files."""
        self.store.close()


class FileStorage(Storage):
    """Storage on plain files, the default. A folder that 0.7 wrote is read where it lies.

    Args:
        data_dir: The folder; the configured one (``.lavendertown``) by default. It is made with
            the first write.
    """

    def __init__(self, data_dir: str | Path | None = None) -> None:
        folder = Path(data_dir) if data_dir is not None else load_settings().data_dir
        super().__init__(FileStore(folder))


__all__ = [
    "FileStorage",
    "Storage",
    "get_finding_id",
    "get_storage_backend",
]
