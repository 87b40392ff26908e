"""The public storage: the same methods on files, SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Unpack

from lavendertown.collaboration import filters
from lavendertown.collaboration.active_store_guard import ActiveStoreGuard
from lavendertown.collaboration.models import Annotation, ShareableReport
from lavendertown.collaboration.parts.annotations import Annotations
from lavendertown.collaboration.parts.audit import AuditTrail
from lavendertown.collaboration.parts.context import StorageContext
from lavendertown.collaboration.parts.dataset_settings import DatasetSettings
from lavendertown.collaboration.parts.datasets import Datasets
from lavendertown.collaboration.parts.exports import Exports
from lavendertown.collaboration.parts.findings import Findings
from lavendertown.collaboration.parts.gate import Gate
from lavendertown.collaboration.parts.imports import Imports
from lavendertown.collaboration.parts.inbox import FindingsInbox
from lavendertown.collaboration.parts.incidents import Incidents
from lavendertown.collaboration.parts.notifications import Notifications
from lavendertown.collaboration.parts.ownership import OwnerRules
from lavendertown.collaboration.parts.people import People
from lavendertown.collaboration.parts.reports import Reports
from lavendertown.collaboration.parts.rulesets import RuleSets
from lavendertown.collaboration.parts.source_checks import SourceChecks
from lavendertown.collaboration.parts.tickets import Tickets
from lavendertown.collaboration.parts.timeline import Timeline
from lavendertown.collaboration.parts.trends import Trends
from lavendertown.collaboration.parts.triage import Triage
from lavendertown.collaboration.parts.views import Views
from lavendertown.collaboration.parts.worklists import Worklists
from lavendertown.core.errors import ConfigurationError, UnfinishedMigrationError
from lavendertown.core.findings import GhostFinding
from lavendertown.core.fingerprints import compute_fingerprint
from lavendertown.core.settings import Settings, load_settings
from lavendertown.profile.evidence import Evidence
from lavendertown.records.record_classes import attributes_to_dict
from lavendertown.records.store import Store
from lavendertown.rules.models import RuleSet
from lavendertown.stores.files import FileStore


def get_finding_id(finding: GhostFinding, dataset: str | None = None) -> str:
    """Return the stable id of a finding: the same in every run that finds it.

    Args:
        finding: The finding, with its dataset in ``metadata["dataset"]``.
        dataset: Replaces the dataset of the finding.
    """
    if dataset is not None:
        finding = replace(finding, metadata={**finding.metadata, "dataset": dataset})
    return compute_fingerprint(finding)


def get_storage_backend(settings: Settings | None = None) -> Storage:
    """Return the configured storage.

    Raises:
        ConfigurationError: The settings name an unknown kind of storage.
        ImportError: They name a database, and SQLAlchemy or its driver is missing.
        StorageError: The store does not answer, has another schema, or a migration into it is unfinished.
    """
    settings = settings or load_settings()
    storage = _open_storage(settings)
    if settings.root is not None:
        storage.write_path.commit_guards.append(ActiveStoreGuard(settings))
    return storage


def _open_storage(settings: Settings) -> Storage:
    if settings.storage_type == "file":
        return FileStorage(settings.data_dir)
    if settings.storage_type == "database":
        from lavendertown.collaboration.database_storage import DatabaseStorage

        return DatabaseStorage(settings.database_url)
    raise ConfigurationError(
        f"LAVENDERTOWN_STORAGE_TYPE is {settings.storage_type!r}; use 'file' or 'database'."
    )


def refuse_unfinished_migration(store: Store) -> None:
    """Close a store and refuse it if a migration into it is unfinished.

    Raises:
        UnfinishedMigrationError: Records are still missing in the store.
    """
    for migration in store.migrations():
        if migration.left_store_incomplete:
            store.close()
            raise UnfinishedMigrationError(
                f"The migration from {migration.source} to {migration.target} is not finished, so records "
                "are missing here. Wait for it, or resume it: lavendertown migrate --from … --to … --resume, "
                "or on the screen Migrate storage."
            )


class Storage:
    """The records of a team in one store, composed of parts; every change goes through one write path.

    The methods here are the stable public interface; the parts offer the rest.

    Filters of the query methods: ``author``, ``dataset``, ``status`` and ``severity`` take one value or
    several, of which any matches; ``tags`` takes one or several, of which all must match. ``start_date`` and
    ``end_date`` are inclusive; a bare date is the whole day, and a time without a zone is local. ``search``
    is a literal text; case does not matter. Lists of dictionaries contain plain values with aware UTC times
    and may be changed freely.

    Attributes:
        reports, imports, exports, findings, annotations, triage, datasets, inbox, trends, gate, audit,
            people, views, rulesets, dataset_settings, owner_rules, incidents, worklists, notifications,
            tickets, source_checks, timeline: The parts.
        store: The store below; for tools that read it directly.
        write_path: The write path of all parts.
    """

    def __init__(self, store: Store) -> None:
        refuse_unfinished_migration(store)
        self._context = StorageContext(store)
        self.store = store
        self.write_path = self._context.write_path
        self.triage = Triage(self._context)
        self.reports = Reports(self._context, self.triage)
        self.dataset_settings = DatasetSettings(self._context)
        self.owner_rules = OwnerRules(self._context, self.dataset_settings)
        self.imports = Imports(self._context, self.reports, self.dataset_settings)
        self.findings = Findings(self._context)
        self.annotations = Annotations(self._context, self.triage)
        self.datasets = Datasets(self._context, self.triage)
        self.timeline = Timeline(self._context, self.dataset_settings)
        self.trends = Trends(self._context)
        self.incidents = Incidents(self._context, self.triage)
        self.worklists = Worklists(self._context, self.findings, self.triage)
        self.inbox = FindingsInbox(self._context, self.trends, self.incidents)
        self.exports = Exports(
            self._context, self.reports, self.findings, self.annotations, self.inbox, self.worklists
        )
        self.gate = Gate(self._context, self.triage)
        self.audit = AuditTrail(self._context, self.findings)
        self.people = People(self._context)
        self.views = Views(self._context)
        self.rulesets = RuleSets(self._context)
        self.notifications = Notifications(self._context, self.inbox, self.people, self.views)
        self.source_checks = SourceChecks(self._context, self.dataset_settings)
        self.tickets = Tickets(self._context, self.inbox, self.annotations)

    def save_report(
        self, report: ShareableReport, *, actor: str | None = None, evidence: Evidence | None = None
    ) -> str:
        """Save a report under its own id, new or changed, and return that id.

        See :meth:`lavendertown.collaboration.parts.reports.Reports.save`.
        """
        return self.reports.save(report, actor=actor, evidence=evidence)

    def save_reports(
        self,
        reports: Iterable[ShareableReport],
        *,
        actor: str | None = None,
        evidence: Mapping[str, Evidence] | None = None,
    ) -> list[str]:
        """Save many reports in one unit of work, all of them or none; return their ids in order."""
        return self.reports.save_many(reports, actor=actor, evidence=evidence)

    def load_report(self, report_id: str) -> ShareableReport | None:
        """Return the whole report with its findings, their live annotations and its rule set.

        See :meth:`lavendertown.collaboration.parts.reports.Reports.load`.
        """
        return self.reports.load(report_id)

    def delete_report(self, report_id: str, *, actor: str | None = None) -> bool:
        """Move a report to the trash; return False if it does not exist. Its annotations stay."""
        return self.reports.delete(report_id, actor=actor)

    def restore_report(self, report_id: str, *, actor: str | None = None) -> bool:
        """Restore a report from the trash; return False if it was not there."""
        return self.reports.restore(report_id, actor=actor)

    def query_reports(
        self,
        author: filters.OneOrMany = None,
        start_date: filters.DateLike = None,
        end_date: filters.DateLike = None,
        limit: int | None = 100,
        offset: int = 0,
        search: str | None = None,
        tags: filters.OneOrMany = None,
        status: filters.OneOrMany = None,
        severity: filters.OneOrMany = None,
        dataset: filters.OneOrMany = None,
        include_deleted: bool = False,
    ) -> list[dict[str, Any]]:
        """List reports, newest first, without reading a finding.

        See :meth:`lavendertown.collaboration.parts.reports.Reports.query`.
        """
        return self.reports.query(
            author,
            start_date,
            end_date,
            limit,
            offset,
            search,
            tags,
            status,
            severity,
            dataset,
            include_deleted,
        )

    def count_reports(self, **filter_values: Unpack[filters.ReportFilters]) -> int:
        """Count the reports that :meth:`query_reports` would list without a limit."""
        return self.reports.count(**filter_values)

    def query_findings(
        self,
        report_id: str | None = None,
        limit: int | None = 100,
        offset: int = 0,
        **filter_values: Unpack[filters.FindingFilters],
    ) -> list[dict[str, Any]]:
        """List findings: newest report first, then in the report's order, without their rows.

        See :meth:`lavendertown.collaboration.parts.findings.Findings.query`.
        """
        return self.findings.query(report_id, limit, offset, **filter_values)

    def save_annotation(self, annotation: Annotation, *, actor: str | None = None) -> str:
        """Save an annotation, new or changed, and return its id.

        See :meth:`lavendertown.collaboration.parts.annotations.Annotations.save`.
        """
        return self.annotations.save(annotation, actor=actor)

    def get_annotations(self, finding_id: str) -> list[Annotation]:
        """Return the live annotations on a finding, oldest first; old ids of the finding work too."""
        return self.annotations.list_on_finding(finding_id)

    load_annotations = get_annotations

    def query_annotations(
        self,
        finding_id: filters.OneOrMany = None,
        limit: int | None = 100,
        offset: int = 0,
        newest_first: bool = True,
        **filter_values: Unpack[filters.AnnotationFilters],
    ) -> list[dict[str, Any]]:
        """List annotations.

        See :meth:`lavendertown.collaboration.parts.annotations.Annotations.query`.
        """
        return self.annotations.query(finding_id, limit, offset, newest_first, **filter_values)

    def delete_annotation(self, annotation_id: str, *, actor: str | None = None) -> bool:
        """Delete an annotation and recompute the finding's status; return False if it does not exist."""
        return self.annotations.delete(annotation_id, actor=actor)

    def restore_annotation(self, annotation_id: str, *, actor: str | None = None) -> bool:
        """Restore a deleted annotation; return False if it was not deleted."""
        return self.annotations.restore(annotation_id, actor=actor)

    def save_ruleset(self, ruleset: RuleSet, *, actor: str | None = None) -> str:
        """Save a rule set under its name, new or changed, and return the name."""
        return self.rulesets.save(ruleset, actor=actor)

    def load_ruleset(self, name: str) -> RuleSet | None:
        """Return the live rule set with this name, or None."""
        return self.rulesets.load(name)

    def query_rulesets(
        self,
        search: str | None = None,
        limit: int | None = 100,
        offset: int = 0,
        include_deleted: bool = False,
    ) -> list[dict[str, Any]]:
        """List rule sets by name: name, description, rule_count, updated_at, version, deleted_at."""
        return self.rulesets.query(search, limit, offset, include_deleted)

    def audit_log(
        self,
        component: filters.OneOrMany = None,
        record_id: str | None = None,
        actor: filters.OneOrMany = None,
        operation: filters.OneOrMany = None,
        since: filters.DateLike = None,
        until: filters.DateLike = None,
        limit: int | None = 100,
        offset: int = 0,
        finding_id: str | None = None,
    ) -> list[dict[str, Any]]:
        """List changes, newest first.

        See :meth:`lavendertown.collaboration.parts.audit.AuditTrail.query`.
        """
        return self.audit.query(
            component, record_id, actor, operation, since, until, limit, offset, finding_id
        )

    def revision(self) -> str:
        """Return a token that changes with every committed change; cheap enough to poll."""
        return self.store.change_token()

    def check(self) -> None:
        """Read from the store to see that it answers.

        Raises:
            StorageError: It does not answer; the message says why.
        """
        self.store.check_readable()

    def describe(self) -> str:
        """Return kind and location, such as ``"files in .lavendertown"``; without passwords."""
        return self.store.describe()

    def unreadable_items(self) -> list[dict[str, str]]:
        """List stored items that cannot be read: dictionaries with item and reason.

        All files are checked; an item in a database is listed after somebody tried to read it.
        """
        loaded = [
            {"item": item, "reason": reason} for item, reason in self._context.unreadable_reports.items()
        ]
        return [attributes_to_dict(found) for found in self.store.unreadable_items()] + loaded

    def close(self) -> None:
        """Close connections and files."""
        self.store.close()


class FileStorage(Storage):
    """Storage in plain files, the default; reads folders of version 0.7 in place.

    Args:
        data_dir: The folder; by default the configured one (``.lavendertown``). It is created by the
            first write.
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
