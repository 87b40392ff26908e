"""Plain values to export: findings with their discussions and evidence, and the report they belong to."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lavendertown.core import statuses
from lavendertown.core.findings import SEVERITIES
from lavendertown.interchange.wording import format_percent
from lavendertown.profile.evidence import ColumnProfile, FindingSamples


@dataclass(frozen=True, slots=True)
class ExportedFinding:
    """A finding as it is exported.

    Attributes:
        finding_id: Its current id.
        report_id: The report of this occurrence.
        dataset, ghost_type, column, severity, description, metadata: As in the report.
        row_count: The number of affected rows; None if unknown.
        share: The affected share of all rows, 0 to 1; None if unknown.
        status: Its current status.
        tags, assignee, close_reason: As its thread and triage have them; empty for none.
        due_at: When it is due; None if it has no due date.
        first_seen, last_seen, times_seen: When and how often reports had it.
        annotations: Its thread, oldest first: dictionaries of :class:`Annotation`.
        samples: The samples that were stored with the report, if there are any.
        profile: The stored profile of its column, if there is one.
        first_row: The number that the source counts for the row at position 0.
        answers: The answers of its worklists, see ``storage.worklists.count_answers``; None without any.
    """

    finding_id: str
    report_id: str
    dataset: str
    ghost_type: str
    column: str
    severity: str
    description: str
    metadata: Mapping[str, Any]
    row_count: int | None
    share: float | None
    status: str
    tags: tuple[str, ...] = ()
    assignee: str = ""
    close_reason: str = ""
    due_at: dt.datetime | None = None
    first_seen: dt.datetime | None = None
    last_seen: dt.datetime | None = None
    times_seen: int = 0
    annotations: tuple[Mapping[str, Any], ...] = ()
    samples: FindingSamples | None = None
    profile: ColumnProfile | None = None
    first_row: int = 1
    answers: Mapping[str, Any] | None = None

    @property
    def thread_text(self) -> str:
        """The thread as text: one entry a line, with its author, time, status and tags."""
        return "\n".join(map(describe_annotation, self.annotations))


@dataclass(frozen=True, slots=True)
class ExportContent:
    """What is exported.

    Attributes:
        title: The title of the report, or a name for the list.
        exported_at: When it was read.
        findings: The findings, in the order of the report or the list.
        report: The whole report as :meth:`ShareableReport.to_dict` returns it; None for a list of findings
            of several reports.
        evidence: The evidence of the report as JSON values; None if it has none.
    """

    title: str
    exported_at: dt.datetime
    findings: Sequence[ExportedFinding] = ()
    report: Mapping[str, Any] | None = None
    evidence: Mapping[str, Any] | None = None

    def by_severity(self) -> list[ExportedFinding]:
        """Return the findings, the most severe first, else in their order."""
        return sorted(self.findings, key=lambda finding: -SEVERITIES.index(finding.severity))

    def summary_line(self) -> str:
        """Return how many findings there are, by severity, and how many of them are open."""
        counts = Counter(finding.severity for finding in self.findings)
        total = len(self.findings)
        if not total:
            return "No findings."
        parts = [
            f"{counts[name]:,} {name}{'' if counts[name] == 1 else 's'}"
            for name in reversed(SEVERITIES)
            if counts[name]
        ]
        still_open = sum(not statuses.is_closed(finding.status) for finding in self.findings)
        noun = "finding" if total == 1 else "findings"
        return f"{total:,} {noun}: {', '.join(parts)}; {still_open:,} open."


def describe_annotation(annotation: Mapping[str, Any]) -> str:
    """Return an annotation as text: author, time, status, tags, comment."""
    status = annotation.get("status")
    changes = [f"-> {status_label(status)}"] if status else []
    changes += [f"#{tag}" for tag in annotation.get("tags") or ()]
    head = f"{annotation['author']}, {format_time(annotation['timestamp'])}"
    text = " ".join([*changes, str(annotation.get("comment") or "")]).strip()
    return f"{head}: {text}" if text else head


def status_label(name: str) -> str:
    """Return the name of a status that people read."""
    status = statuses.BY_NAME.get(name)
    return status.label if status else name


def format_share(share: float | None) -> str:
    """Return a share as a percentage; empty if it is unknown."""
    return "" if share is None else format_percent(share)


def format_rows(finding: ExportedFinding) -> str:
    """Return the number and share of affected rows; empty if both are unknown."""
    share = format_share(finding.share)
    if finding.row_count is None:
        return share
    return f"{finding.row_count:,} ({share})" if share else f"{finding.row_count:,}"


def format_time(value: Any) -> str:
    """Return a time, also in ISO format, in UTC."""
    moment = value if isinstance(value, dt.datetime) else dt.datetime.fromisoformat(str(value))
    return f"{moment.astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC"
