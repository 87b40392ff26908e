"""What changed from one run of a dataset to another: new, back, worse, better, gone."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from lavendertown.collaboration import mapping
from lavendertown.collaboration.core import Core
from lavendertown.errors import InvalidInputError
from lavendertown.identity import check_key, covered
from lavendertown.models import SEVERITIES
from lavendertown.records import rules
from lavendertown.records.queries import FindingQuery, ReportQuery
from lavendertown.records.values import EVERYTHING, FindingHeader, Kind, Page, ReportHeader, ReportRecord


class Change(StrEnum):
    """What became of a finding between two runs.

    NEW was never seen before; BACK was, but not in the earlier run. WORSE and BETTER go by severity,
    then by the share of affected rows, or their number where a share is not known. GONE is checked and
    not there any more; of NOT_CHECKED the later run does not say that its check ran.
    """

    NEW = "new"
    BACK = "back"
    WORSE = "worse"
    BETTER = "better"
    SAME = "same"
    GONE = "gone"
    NOT_CHECKED = "not_checked"


class Compare(Core):
    """Two reports of a storage side by side."""

    def compare_report(self, report_id: str, before_id: str | None = None) -> dict[str, Any] | None:
        """Compare a report with an earlier one.

        Args:
            report_id: The later report.
            before_id: The earlier one; by default the run of the same dataset before it.

        Returns:
            None where there is no such live report. Otherwise ``report`` and ``before``, headers as
            ``query_reports`` lists them (before: None where there is no earlier run), and
            ``findings``, each once, in the order of :class:`Change` and then as the reports list them: as
            ``query_findings`` lists them, those of the earlier report where the later one has none, with
            change, and before_severity, before_count and before_share (None where it was not there).

        Raises:
            InvalidInputError: There is no live report ``before_id``.
        """
        report = self._live(report_id)
        if report is None:
            return None
        before = self._live(before_id) if before_id is not None else self._run_before(report)
        if before_id is not None and before is None:
            raise InvalidInputError(f"There is no report {before_id!r} to compare with; choose another one.")
        findings = self._changes(report, before) if before is not None else []
        return {
            "report": mapping.report_row(report),
            "before": mapping.report_row(before) if before is not None else None,
            "findings": findings,
        }

    def _changes(self, report: ReportHeader, before: ReportHeader) -> list[dict[str, Any]]:
        now, then = self._held(report.id), self._held(before.id)
        record = self._read(Kind.REPORT, report.id)
        ran = covered(record.metadata, report.dataset) if isinstance(record, ReportRecord) else frozenset()
        found = [
            _row(each, then.get(name), _change(each, then.get(name), report)) for name, each in now.items()
        ]
        for name, each in then.items():
            if name not in now:
                checked = check_key(each.metadata, each.dataset, each.column) in ran
                found.append(_row(each, each, Change.GONE if checked else Change.NOT_CHECKED))
        order = list(Change)
        return sorted(found, key=lambda row: order.index(row["change"]))

    def _held(self, report_id: str) -> dict[str, FindingHeader]:
        found: dict[str, FindingHeader] = {}
        for each in self.store.scan(FindingQuery(report_id=report_id), EVERYTHING):
            found.setdefault(each.finding_id, each)
        return found

    def _live(self, report_id: str) -> ReportHeader | None:
        if not rules.is_id(report_id):
            return None
        return next(iter(self.store.scan(ReportQuery(ids=(report_id,)), Page(limit=1))), None)

    def _run_before(self, report: ReportHeader) -> ReportHeader | None:
        if not report.dataset:
            return None
        query = ReportQuery(datasets=(report.dataset,), end=report.created_at)
        offset = 0
        while found := self.store.scan(query, Page(20, offset)):
            for each in found:
                if (each.created_at, each.id) < (report.created_at, report.id):
                    return each
            offset += len(found)
        return None


def _change(now: FindingHeader, then: FindingHeader | None, report: ReportHeader) -> Change:
    if then is None:
        return Change.BACK if now.first_seen < report.created_at else Change.NEW
    measures: tuple[tuple[float | None, float | None], ...] = (
        (SEVERITIES.index(now.severity), SEVERITIES.index(then.severity)),
        (now.share, then.share)
        if now.share is not None and then.share is not None
        else (now.row_count, then.row_count),
    )
    for new, old in measures:
        if new is not None and old is not None and new != old:
            return Change.WORSE if new > old else Change.BETTER
    return Change.SAME


def _row(finding: FindingHeader, then: FindingHeader | None, change: Change) -> dict[str, Any]:
    before: Mapping[str, Any] = {
        "before_severity": then.severity if then is not None else None,
        "before_count": then.row_count if then is not None else None,
        "before_share": then.share if then is not None else None,
    }
    return {**mapping.row(finding), **before, "change": change.value}
