"""Reports: saved whole, listed as summaries, compared with earlier runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Unpack

from lavendertown.collaboration import converters, filters
from lavendertown.collaboration.models import ShareableReport
from lavendertown.collaboration.parts.adoption import adopt_certain_histories
from lavendertown.collaboration.parts.comparison import compare_reports
from lavendertown.collaboration.parts.context import StorageContext, StoragePart
from lavendertown.collaboration.parts.ownership import assign_by_owner_rules
from lavendertown.collaboration.parts.triage import Triage
from lavendertown.core import clock, json_codec
from lavendertown.core.errors import DamagedRecordError, InvalidInputError
from lavendertown.core.garbage_collection import gc_paused
from lavendertown.core.settings import Settings, load_settings
from lavendertown.profile.evidence import Evidence
from lavendertown.profile.masking import prepare_coverage, prepare_evidence, prepare_findings
from lavendertown.records import validation
from lavendertown.records.queries import AnnotationQuery, DeletedFilter, ReportFacet, ReportQuery
from lavendertown.records.record_classes import ALL_ITEMS, EvidenceRecord, Page, RecordKind, ReportRecord
from lavendertown.records.store import MIN_BULK_ROWS
from lavendertown.records.write_path import Change, SaveRecord

if TYPE_CHECKING:
    from lavendertown.drift.baseline import ProfileBaseline

_BASELINE_REPORTS = 12
"""The number of newest reports in which column profiles are sought, and whose rows show the usual pace."""


class Reports(StoragePart):
    """The reports of a storage."""

    def __init__(self, context: StorageContext, triage: Triage) -> None:
        super().__init__(context)
        self._triage = triage

    def save(
        self, report: ShareableReport, *, actor: str | None = None, evidence: Evidence | None = None
    ) -> str:
        """Save a report under its own id, new or changed, and return that id.

        Values of columns that the setting ``evidence.mask`` names are not stored, nor are sample values if
        ``evidence.samples`` is false.

        Findings of a new report that certainly continue vanished ones of the previous run adopt their history
        (:mod:`lavendertown.collaboration.parts.adoption`). The owner rules of the settings assign findings
        that no live report had before.

        Its annotations are saved with it; stored annotations that it lacks stay. Saving does not bring a
        deleted report back: restore it first.

        Args:
            report: The report. ``report.version``, when not None, must be the stored version.
            actor: The name in the audit log; by default the visitor on a project page, else the author.
            evidence: The evidence, which is stored with the report; None to keep what is stored.

        Raises:
            ConflictError: Somebody else changed (or deleted) the report or a carried annotation.
            InvalidInputError: An id, a time or a value cannot be stored, or a new annotation closes a
                finding without a reason. Nothing was written.
        """
        self._write([report], actor, {} if evidence is None else {report.id: evidence})
        return report.id

    def load_evidence(self, report_id: str) -> Evidence | None:
        """Return the evidence of a live report; None if it has none.

        Raises:
            DamagedRecordError: The evidence is stored but unreadable.
        """
        report = self.find(report_id)
        if report is None or report["deleted_at"] is not None:
            return None
        record = self._context.read_record(RecordKind.EVIDENCE, report_id)
        if not isinstance(record, EvidenceRecord) or record.deleted_at is not None:
            return None
        try:
            return Evidence.from_dict(record.content)
        except (InvalidInputError, AttributeError, KeyError, TypeError) as error:
            raise DamagedRecordError(
                f"The evidence of report {report_id!r} is unreadable: {error}"
            ) from error

    def load_baseline(self, dataset: str) -> ProfileBaseline | None:
        """Return the column profiles of the newest report of a dataset, to compare a table with.

        Reports without profiles, such as imported results, are passed over. None if none of the newest
        reports has any.

        Raises:
            DamagedRecordError: The evidence of a report is stored but unreadable.
        """
        # Only here, as it needs Polars.
        from lavendertown.drift.baseline import ProfileBaseline

        reports = self.query(dataset=dataset, limit=_BASELINE_REPORTS)
        for position, report in enumerate(reports):
            evidence = self.load_evidence(report["id"])
            if evidence is None or not evidence.columns:
                continue
            coverages = [self._load_coverage(each["id"]) for each in reports[position:]]
            row_counts = [each["rows"] for each in coverages if isinstance(each.get("rows"), int)]
            return ProfileBaseline(
                evidence,
                f"{report['title']}, {report['created_at']:%Y-%m-%d}",
                columns=coverages[0].get("column_names") or (),
                row_count=coverages[0].get("rows"),
                report_id=report["id"],
                row_counts=row_counts[::-1],
            )
        return None

    def _load_coverage(self, report_id: str) -> Mapping[str, Any]:
        coverage = self.load_metadata(report_id).get("coverage")
        return coverage if isinstance(coverage, Mapping) else {}

    def save_versioned(
        self, report: ShareableReport, *, actor: str | None = None, evidence: Evidence | None = None
    ) -> int:
        """Save a report like :meth:`save`, and return the version that it is stored at.

        A later edit of the report needs this version. One that is read after the save may be somebody
        else's, so that the edit would overwrite that change.
        """
        [stored] = self._write([report], actor, {} if evidence is None else {report.id: evidence})
        return stored.version

    def save_many(
        self,
        reports: Iterable[ShareableReport],
        *,
        actor: str | None = None,
        evidence: Mapping[str, Evidence] | None = None,
    ) -> list[str]:
        """Save many reports in one unit of work, all of them or none; return their ids in order.

        Args:
            reports: The reports.
            actor: As in :meth:`save`.
            evidence: The evidence by report id, as in :meth:`save`.
        """
        return [stored.id for stored in self._write(reports, actor, evidence or {})]

    def _write(
        self, reports: Iterable[ShareableReport], actor: str | None, evidence: Mapping[str, Evidence]
    ) -> list[ReportRecord]:
        """Save reports with their annotations and evidence; return the stored reports in order."""
        changes: list[Change] = []
        rows_saved = 0
        settings = load_settings()  # now, so that masks and owners count from the next save on
        with gc_paused():
            for report in reports:
                report.name_dataset()
                report = self._without_masked_values(report, settings)
                changes.append(SaveRecord(converters.to_report_record(report), report.version, actor))
                changes += [
                    SaveRecord(
                        converters.to_annotation_record(a, report.id),
                        a.version,
                        actor,
                        skip_if_unchanged=True,
                        imported=a.has_status_as_read,
                    )
                    for a in report.annotations
                ]
                if report.id in evidence:
                    changes.append(self._save_evidence(report, evidence[report.id], settings, actor))
                rows_saved += len(report.findings) + len(report.annotations)
            changes += assign_by_owner_rules(self._context, settings, changes)
            stored = self._context.write_path.commit(changes)
        if rows_saved >= MIN_BULK_ROWS:
            self._context.store.analyze()
        saved = [each for each in stored if isinstance(each, ReportRecord)]
        # In a unit of work of its own: until then, and if it fails, the same findings are only offered.
        adopt_certain_histories(self._context, self._triage, [each for each in saved if each.version == 1])
        return saved

    def _without_masked_values(self, report: ShareableReport, settings: Settings) -> ShareableReport:
        """Return the report as the settings allow it to be stored; its findings keep their ids."""
        if settings.evidence_samples and not settings.evidence_mask:
            return report
        metadata = report.metadata
        coverage = metadata.get("coverage")
        if isinstance(coverage, Mapping) and "guesses" in coverage:
            metadata = {**metadata, "coverage": prepare_coverage(coverage, settings)}
        findings = prepare_findings(report.findings, settings)
        return replace(report, findings=findings, metadata=metadata)

    def _save_evidence(
        self, report: ShareableReport, evidence: Evidence, settings: Settings, actor: str | None
    ) -> SaveRecord:
        content = prepare_evidence(evidence, settings).to_dict()
        stored = self._context.read_record(RecordKind.EVIDENCE, report.id)
        version = stored.version if stored is not None else 0
        size = len(json_codec.dumps(content))
        record = EvidenceRecord(report.id, size, content, clock.EPOCH, version)
        return SaveRecord(record, version, actor or report.author)

    def load(self, report_id: str) -> ShareableReport | None:
        """Return the whole report with its findings, their live annotations and its rule set.

        Returns None if there is no such report or it was deleted.
        """
        record = self._context.read_record(RecordKind.REPORT, report_id)
        if not isinstance(record, ReportRecord) or record.deleted_at is not None:
            return None
        annotations = self._context.store.scan(AnnotationQuery(report_id=report_id), ALL_ITEMS)
        try:
            return converters.to_report(record, annotations)
        except DamagedRecordError as error:
            item = f"report {report_id!r}"
            self._context.unreadable_reports[item] = str(error)
            raise DamagedRecordError(f"In {item}: {error}") from error

    def find(self, report_id: str) -> dict[str, Any] | None:
        """Return the summary of a report as :meth:`query` lists it, deleted ones too, or None."""
        if not validation.is_valid_id(report_id):
            return None
        query = ReportQuery(ids=(report_id,), deleted=DeletedFilter.INCLUDED)
        found = self._context.store.scan(query, Page(limit=1))
        return converters.report_to_row(found[0]) if found else None

    def load_metadata(self, report_id: str) -> dict[str, Any]:
        """Return the metadata of a report; empty if there is no such report."""
        record = self._context.read_record(RecordKind.REPORT, report_id)
        return dict(record.metadata) if isinstance(record, ReportRecord) else {}

    def delete(self, report_id: str, *, actor: str | None = None) -> bool:
        """Move a report to the trash; return False if it does not exist. Its annotations stay."""
        return self._context.delete_record(RecordKind.REPORT, report_id, actor)

    def restore(self, report_id: str, *, actor: str | None = None) -> bool:
        """Restore a report from the trash; return False if it was not there."""
        return self._context.restore_record(RecordKind.REPORT, report_id, actor)

    def query(
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

        ``search`` looks into title, dataset and the findings' descriptions; ``tags`` at the
        report's own and its findings'; ``status`` at the current status of any finding in it.

        Returns:
            Dictionaries with id, title, author, dataset, created_at, updated_at, finding_count,
            error_count, warning_count, info_count, tags (the report's own), version, deleted_at.
        """
        query = filters.build_report_query(
            author, start_date, end_date, search, tags, status, severity, dataset, include_deleted
        )
        found = self._context.store.scan(query, filters.make_page(limit, offset))
        return [converters.report_to_row(summary) for summary in found]

    def count(self, **filter_values: Unpack[filters.ReportFilters]) -> int:
        """Count the reports that :meth:`query` would list without a limit."""
        return self._context.store.count(filters.build_report_query(**filter_values))

    def count_by_value(self, **filter_values: Unpack[filters.ReportFilters]) -> dict[str, dict[str, int]]:
        """Count reports by each value of author, dataset, status, severity and tag.

        Each facet ignores its own filter, to show the other choices; tags do not, since several tags must
        all match.
        """
        query = filters.build_report_query(**filter_values)
        return {
            by.value: dict(self._context.store.group_reports(filters.without_facet(query, by), by))
            for by in ReportFacet
        }

    def known_tags(self) -> list[str]:
        """Return the tags in use, most used first."""
        return list(self._context.store.known_tags())

    def compare(self, report_id: str, before_id: str | None = None) -> dict[str, Any] | None:
        """Compare a report with an earlier one.

        Args:
            report_id: The later report.
            before_id: The earlier one; by default the previous run of the same dataset.

        Returns:
            None if there is no such live report. Otherwise ``report`` and ``before`` (None without an
            earlier run), summaries as :meth:`query` lists them, and ``findings``, each once, in the order of
            :class:`~lavendertown.collaboration.parts.comparison.RunChange` and then of the reports. A finding
            is a row as ``storage.findings.query`` lists it, from the earlier report if the later one lacks
            it, with change, before_severity, before_count and before_share (None if the earlier report lacks
            it).

        Raises:
            InvalidInputError: There is no live report ``before_id``.
        """
        return compare_reports(self._context, report_id, before_id)
