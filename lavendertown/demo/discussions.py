"""Turn stories into annotations on the findings of the deliveries."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from lavendertown.collaboration.models import Annotation, ShareableReport
from lavendertown.collaboration.storage import get_finding_id
from lavendertown.core.findings import GhostFinding
from lavendertown.demo.deliveries import Delivery
from lavendertown.demo.stories import STORIES, Remark, RemarkTiming, Story

_LABEL_COLUMNS = {"movies": "Title", "passengers": "name", "penguins": "Individual ID"}


@dataclass(frozen=True)
class CheckedDelivery:
    """A delivery and the report on it."""

    delivery: Delivery
    report: ShareableReport


def add_discussions(runs: Sequence[CheckedDelivery], now: dt.datetime) -> None:
    """Add the threads to the reports; omit remarks that would be later than ``now``."""
    for number, story in enumerate(STORIES):
        _add_thread(number, story, [run for run in runs if run.delivery.dataset == story.dataset], now)


def find_assignees(reports: Sequence[ShareableReport]) -> dict[str, list[str]]:
    """Return the findings to assign to each person: those whose latest status is their investigation."""
    with_status = sorted(
        (annotation for report in reports for annotation in report.annotations if annotation.status),
        key=lambda annotation: annotation.timestamp,
    )
    latest = {annotation.finding_id: annotation for annotation in with_status}
    assignees: dict[str, list[str]] = {}
    for finding_id, annotation in latest.items():
        if annotation.status == "needs-investigation":
            assignees.setdefault(annotation.author, []).append(finding_id)
    return assignees


def _add_thread(number: int, story: Story, runs: Sequence[CheckedDelivery], now: dt.datetime) -> None:
    findings = [_matching_finding(run, story) for run in runs]
    for step, remark in enumerate(story.remarks):
        week = _delivery_position(remark, findings)
        if week is None:
            return
        # A remark on a finding that is gone refers to its last occurrence.
        seen = max(index for index in range(week + 1) if findings[index] is not None)
        finding = findings[seen]
        written = runs[week].delivery.arrived + dt.timedelta(hours=remark.hours)
        if finding is None or written > now:
            return
        runs[seen].report.annotations.append(
            Annotation(
                id=f"demo-{story.dataset}-{number + 1:02}-{step + 1}",
                finding_id=get_finding_id(finding),
                author=remark.author,
                timestamp=written,
                comment=remark.text.format_map(_placeholder_values(runs[seen], finding)),
                tags=list(remark.tags),
                status=remark.status,
            )
        )


def _matching_finding(run: CheckedDelivery, story: Story) -> GhostFinding | None:
    return next(
        (
            finding
            for finding in run.report.findings
            if finding.column == story.column and finding.ghost_type in story.ghost_types
        ),
        None,
    )


def _delivery_position(remark: Remark, findings: Sequence[GhostFinding | None]) -> int | None:
    """Return the position of the delivery that a remark follows, or None."""
    present = [week for week, finding in enumerate(findings) if finding is not None]
    if remark.when is RemarkTiming.WORST:
        worst = max(present, key=lambda week: _finding_share(findings[week]), default=0)
        return worst if worst > 0 else None
    weeks = {
        RemarkTiming.SEEN: present,
        RemarkTiming.GONE: [
            week + 1 for week in present if week + 1 < len(findings) and findings[week + 1] is None
        ],
        RemarkTiming.BACK: [week for week in present[1:] if findings[week - 1] is None],
    }[remark.when]
    in_range = -len(weeks) <= remark.nth < len(weeks)
    return weeks[remark.nth] if in_range else None


def _finding_share(finding: GhostFinding | None) -> float:
    return float(finding.metadata.get("share") or 0.0) if finding else 0.0


def _placeholder_values(run: CheckedDelivery, finding: GhostFinding) -> dict[str, str]:
    frame = run.delivery.frame
    row = _pick_example_row(frame, finding)
    value = pd.to_numeric(row[finding.column], errors="coerce")
    return {
        "count": f"{finding.metadata['count']:,}",
        "share": f"{100 * _finding_share(finding):.3g}%",
        "value": f"{value:g}",
        "example": str(row[_LABEL_COLUMNS[run.delivery.dataset]]),
        "remark": str(row.get("Comments", "")).rstrip("."),
    }


def _pick_example_row(frame: pd.DataFrame, finding: GhostFinding) -> pd.Series:
    """Return the affected row with the largest number, else the first one."""
    rows = frame.iloc[finding.row_indices] if finding.row_indices else frame
    numbers = pd.to_numeric(rows[finding.column], errors="coerce")
    position = int(numbers.argmax()) if numbers.notna().any() else 0
    return rows.iloc[position]
