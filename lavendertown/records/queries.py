"""What can be asked of a store. The same query means the same on every backend.

Within one field several values mean "any of them", but for tags, which mean "all of them".
An empty field does not filter. Times are aware, both ends inclusive. ``search`` is a casefolded
literal substring.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum

from lavendertown.records.values import Kind


class Deleted(StrEnum):
    """Which records a query sees."""

    HIDDEN = "hidden"
    INCLUDED = "included"
    ONLY = "only"


@dataclass(frozen=True, slots=True)
class ReportQuery:
    """Reports, newest first, then by id, descending.

    Attributes:
        search: In the title, the dataset or the description of any of its findings.
        tags: Each on the report itself or on a finding in it.
        statuses: The current status of any finding in it.
        severities: The severity of any finding in it.
        finding_id: Holds this finding.
    """

    ids: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    start: dt.datetime | None = None
    end: dt.datetime | None = None
    search: str = ""
    tags: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()
    finding_id: str | None = None
    deleted: Deleted = Deleted.HIDDEN


@dataclass(frozen=True, slots=True)
class FindingQuery:
    """Occurrences of findings: newest report first, then in the report's order.

    Attributes:
        finding_ids: Any names of findings, as of annotations.
        search: In the description, the column or the dataset.
        tags: Each on the finding.
        start, end: When the report was made.
    """

    report_id: str | None = None
    finding_ids: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    ghost_types: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    search: str = ""
    start: dt.datetime | None = None
    end: dt.datetime | None = None
    deleted: Deleted = Deleted.HIDDEN


@dataclass(frozen=True, slots=True)
class AnnotationQuery:
    """Annotations, oldest first, then by id.

    Attributes:
        finding_ids: Any name of a finding: fingerprint, alias, or an id no report has yet.
        report_id: On findings of that report, or carried by it.
        search: In the comment.
        statuses: The status the annotation set.
        newest_first: Turns the order round.
    """

    ids: tuple[str, ...] = ()
    finding_ids: tuple[str, ...] = ()
    report_id: str | None = None
    authors: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    search: str = ""
    start: dt.datetime | None = None
    end: dt.datetime | None = None
    newest_first: bool = False
    deleted: Deleted = Deleted.HIDDEN


@dataclass(frozen=True, slots=True)
class RuleSetQuery:
    """Rule sets by name. ``search`` looks at name and description."""

    search: str = ""
    deleted: Deleted = Deleted.HIDDEN


@dataclass(frozen=True, slots=True)
class AuditQuery:
    """Audit events, newest first; of the same moment, the one recorded last first."""

    actors: tuple[str, ...] = ()
    components: tuple[str, ...] = ()
    operations: tuple[str, ...] = ()
    record_ids: tuple[str, ...] = ()
    since: dt.datetime | None = None
    until: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class PlainQuery:
    """Records of one of the flat kinds, by id: triage, people or views. The answer holds whole records.

    Attributes:
        merged: Only triage of findings that are handled as another one.
    """

    kind: Kind
    ids: tuple[str, ...] = ()
    merged: bool = False
    deleted: Deleted = Deleted.HIDDEN


Query = ReportQuery | FindingQuery | AnnotationQuery | RuleSetQuery | AuditQuery | PlainQuery


class By(StrEnum):
    """What reports can be grouped by. SEVERITY, STATUS and TAG count a report under each value it has."""

    AUTHOR = "author"
    DATASET = "dataset"
    STATUS = "status"
    SEVERITY = "severity"
    TAG = "tag"
