"""Exports: reports and lists of findings as plain values, for the formats of ``lavendertown.interchange``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Unpack

from lavendertown.collaboration.parts.annotations import Annotations
from lavendertown.collaboration.parts.context import StorageContext, StoragePart
from lavendertown.collaboration.parts.findings import Findings
from lavendertown.collaboration.parts.inbox import FindingsInbox, InboxFilters
from lavendertown.collaboration.parts.reports import Reports
from lavendertown.collaboration.parts.worklists import Worklists
from lavendertown.core import clock
from lavendertown.core.errors import DamagedRecordError, NotFoundError
from lavendertown.interchange.exports import ExportContent, ExportedFinding
from lavendertown.profile.evidence import Evidence

_BATCH = 500
_COPIED = (
    *("finding_id", "report_id", "dataset", "ghost_type", "column", "severity", "description", "metadata"),
    *("row_count", "share", "status", "first_seen", "last_seen", "times_seen"),
)


class Exports(StoragePart):
    """Reads everything that an export of a report or a list of findings needs."""

    def __init__(
        self,
        context: StorageContext,
        reports: Reports,
        findings: Findings,
        annotations: Annotations,
        inbox: FindingsInbox,
        worklists: Worklists,
    ) -> None:
        super().__init__(context)
        self._reports = reports
        self._findings = findings
        self._annotations = annotations
        self._inbox = inbox
        self._worklists = worklists

    def read_report(self, report_id: str) -> ExportContent:
        """Return a report with its evidence, and its findings with their threads and triage.

        Raises:
            NotFoundError: There is no live report with this id.
            DamagedRecordError: The report or its evidence is stored but unreadable.
        """
        report = self._reports.load(report_id)
        if report is None:
            raise NotFoundError(f"There is no report {report_id!r}; it may have been deleted.")
        evidence = self._reports.load_evidence(report_id)
        occurrences = self._findings.query(report_id, limit=None)
        triage = self._inbox.load_rows([row["finding_id"] for row in occurrences])
        findings = self._build_findings(occurrences, triage, {report_id: evidence})
        return ExportContent(
            report.title,
            clock.now(),
            findings,
            report.to_dict(),
            evidence.to_dict() if evidence is not None else None,
        )

    def read_inbox(
        self, title: str = "Findings", order: str = "severity", **filter_values: Unpack[InboxFilters]
    ) -> ExportContent:
        """Return all findings of the inbox that match, each in its last report.

        Args:
            title: A name for the list.
            order: As in :meth:`FindingsInbox.query`.
            **filter_values: See :class:`~lavendertown.collaboration.parts.inbox.InboxFilters`.
        """
        rows = self._inbox.query(None, 0, order, **filter_values)
        wanted = {(row["report_id"], row["finding_id"]) for row in rows}
        report_ids = dict.fromkeys(row["report_id"] for row in rows)
        listed = (self._findings.query(report_id, limit=None) for report_id in report_ids)
        occurrences = {
            each["finding_id"]: each
            for page in listed
            for each in page
            if (each["report_id"], each["finding_id"]) in wanted
        }
        evidence = {report_id: self._find_evidence(report_id) for report_id in report_ids}
        # A finding whose last report was deleted since the list was read is left out.
        present = [occurrences[row["finding_id"]] for row in rows if row["finding_id"] in occurrences]
        return ExportContent(title, clock.now(), self._build_findings(present, rows, evidence))

    def _find_evidence(self, report_id: str) -> Evidence | None:
        """Return the evidence of a report; None if it is missing, or unreadable and so listed as damaged."""
        try:
            return self._reports.load_evidence(report_id)
        except DamagedRecordError:
            return None

    def _build_findings(
        self,
        occurrences: Sequence[Mapping[str, Any]],
        triage_rows: Iterable[Mapping[str, Any]],
        evidence: Mapping[str, Evidence | None],
    ) -> list[ExportedFinding]:
        triage = {row["finding_id"]: row for row in triage_rows}
        threads = self._read_threads([row["finding_id"] for row in occurrences])
        answers = {report_id: self._worklists.count_answers(report_id) for report_id in evidence}
        return [
            self._build_finding(
                row,
                triage.get(row["finding_id"], {}),
                threads[row["finding_id"]],
                evidence[row["report_id"]],
                answers[row["report_id"]].get(row["finding_id"]),
            )
            for row in occurrences
        ]

    def _build_finding(
        self,
        row: Mapping[str, Any],
        triage: Mapping[str, Any],
        thread: Sequence[Mapping[str, Any]],
        evidence: Evidence | None,
        answers: Mapping[str, Any] | None,
    ) -> ExportedFinding:
        samples = profile = None
        if evidence is not None:
            samples = self._findings.find_samples(evidence, row["finding_id"], row["column"])
            profile = evidence.column(row["column"])
        return ExportedFinding(
            **{name: row[name] for name in _COPIED},
            tags=tuple(row["tags"]),
            assignee=triage.get("assignee", ""),
            close_reason=triage.get("close_reason", ""),
            due_at=triage.get("due_at"),
            annotations=tuple(thread),
            samples=samples,
            profile=profile,
            first_row=evidence.first_row if evidence is not None else 1,
            answers=answers,
        )

    def _read_threads(self, finding_ids: Sequence[str]) -> dict[str, list[Mapping[str, Any]]]:
        """Return the annotations of each finding, oldest first."""
        threads: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
        wanted = list(dict.fromkeys(finding_ids))
        for start in range(0, len(wanted), _BATCH):
            batch = wanted[start : start + _BATCH]
            for row in self._annotations.query(batch, limit=None, newest_first=False):
                threads[self._context.resolve_finding(row["finding_id"])].append(_to_public_row(row))
        return threads


def _to_public_row(row: Mapping[str, Any]) -> dict[str, Any]:
    kept = ("id", "finding_id", "author", "timestamp", "comment", "tags", "status", "version")
    return {name: row[name] for name in kept}
