"""The queries that every store answers with the same result.

A filter has the same name everywhere: as keyword of the public method, field of the query, and parameter
of the SQL statement.

Several values in a field match records with any of them; several tags match records with all of them.
An empty field does not filter. Times are timezone-aware; both ends of a range are inclusive. ``search`` is
a casefolded literal substring.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from lavendertown.records.record_classes import RecordKind


class DeletedFilter(StrEnum):
    """Whether a query returns deleted records."""

    HIDDEN = "hidden"
    INCLUDED = "included"
    ONLY = "only"


@dataclass(frozen=True, slots=True)
class ReportQuery:
    """Reports, newest first, then by id, descending.

    Attributes:
        search: A text in the title, the dataset or the description of any finding in the report.
        tags: Tags of the report itself or of findings in it.
        status: The current status of any finding in the report.
        severity: The severity of any finding in the report.
        finding_id: A finding in the report.
    """

    ids: tuple[str, ...] = ()
    author: tuple[str, ...] = ()
    dataset: tuple[str, ...] = ()
    start_date: dt.datetime | None = None
    end_date: dt.datetime | None = None
    search: str = ""
    tags: tuple[str, ...] = ()
    status: tuple[str, ...] = ()
    severity: tuple[str, ...] = ()
    finding_id: str | None = None
    deleted: DeletedFilter = DeletedFilter.HIDDEN


@dataclass(frozen=True, slots=True)
class FindingQuery:
    """Occurrences of findings: newest report first, then in the order of the report.

    Attributes:
        finding_id: Ids of findings: fingerprints, aliases or ids of version 0.7.
        search: A text in the description, the column or the dataset.
        tags: Tags of the finding.
        start_date, end_date: The range of the report's creation time.
    """

    report_id: str | None = None
    finding_id: tuple[str, ...] = ()
    author: tuple[str, ...] = ()
    dataset: tuple[str, ...] = ()
    ghost_type: tuple[str, ...] = ()
    column: tuple[str, ...] = ()
    severity: tuple[str, ...] = ()
    status: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    search: str = ""
    start_date: dt.datetime | None = None
    end_date: dt.datetime | None = None
    deleted: DeletedFilter = DeletedFilter.HIDDEN


@dataclass(frozen=True, slots=True)
class AnnotationQuery:
    """Annotations, oldest first, then by id.

    Attributes:
        finding_id: Ids of findings: fingerprints, aliases, or ids that no report has yet.
        report_id: The report whose findings are annotated, or that carried the annotations.
        search: A text in the comment.
        status: The status that the annotation set.
        with_comment: Only annotations with a text: those without one are events, not comments.
        newest_first: Whether to reverse the order.
    """

    ids: tuple[str, ...] = ()
    finding_id: tuple[str, ...] = ()
    report_id: str | None = None
    author: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    status: tuple[str, ...] = ()
    search: str = ""
    start_date: dt.datetime | None = None
    end_date: dt.datetime | None = None
    newest_first: bool = False
    deleted: DeletedFilter = DeletedFilter.HIDDEN
    with_comment: bool = False


@dataclass(frozen=True, slots=True)
class RuleSetQuery:
    """Rule sets, by name. ``search`` is a text in the name or description."""

    search: str = ""
    deleted: DeletedFilter = DeletedFilter.HIDDEN


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """Audit events, newest first; of events with the same time, the one recorded last first."""

    actor: tuple[str, ...] = ()
    component: tuple[str, ...] = ()
    operation: tuple[str, ...] = ()
    record_id: tuple[str, ...] = ()
    since: dt.datetime | None = None
    until: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class FlatRecordQuery:
    """Records of a flat kind (triage, people, views, …), by id. The result has complete records.

    Attributes:
        merged: Whether to return only triage records of findings that are merged into another one.
        report_id: Only worklists of this report; only for that kind.
        pending: Whether to return only notifications that are still to be sent.
        finished_until: Only notifications that are not to be sent any more, and did not change after this
            time; None for all.
    """

    kind: RecordKind
    ids: tuple[str, ...] = ()
    merged: bool = False
    pending: bool = False
    deleted: DeletedFilter = DeletedFilter.HIDDEN
    report_id: str = ""
    finished_until: dt.datetime | None = None


Query = ReportQuery | FindingQuery | AnnotationQuery | RuleSetQuery | AuditQuery | FlatRecordQuery


class ReportFacet(StrEnum):
    """A property by which reports are grouped. With several values, a report counts in each group."""

    AUTHOR = "author"
    DATASET = "dataset"
    STATUS = "status"
    SEVERITY = "severity"
    TAG = "tag"
