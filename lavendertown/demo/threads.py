"""From the stories to annotations on the findings that the checks really found."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from lavendertown.collaboration.models import Annotation, ShareableReport
from lavendertown.collaboration.storage import get_finding_id
from lavendertown.demo.deliveries import Delivery
from lavendertown.demo.stories import STORIES
from lavendertown.demo.story import Remark, Story, When
from lavendertown.models import GhostFinding

_LABELS = {"movies": "Title", "passengers": "name", "penguins": "Individual ID"}


@dataclass(frozen=True)
class Run:
    """One delivery and the report of what was found in it."""

    delivery: Delivery
    report: ShareableReport


def discuss(runs: Sequence[Run], now: dt.datetime) -> None:
    """Put the threads on the reports; a remark that would lie after ``now`` is left out."""
    for number, story in enumerate(STORIES):
        _tell(number, story, [run for run in runs if run.delivery.dataset == story.dataset], now)


def looked_after(reports: Sequence[ShareableReport]) -> dict[str, list[str]]:
    """Return who looks after which findings: whoever said last that they investigate them."""
    said = sorted(
        (a for report in reports for a in report.annotations if a.status), key=lambda a: a.timestamp
    )
    last = {annotation.finding_id: annotation for annotation in said}
    found: dict[str, list[str]] = {}
    for name, annotation in last.items():
        if annotation.status == "needs-investigation":
            found.setdefault(annotation.author, []).append(name)
    return found


def _tell(number: int, story: Story, runs: Sequence[Run], now: dt.datetime) -> None:
    found = [_finding(run, story) for run in runs]
    for step, remark in enumerate(story.remarks):
        week = _week(remark, found)
        if week is None:
            return
        # A remark on a finding that is gone is about the last time it was there.
        seen = max(w for w in range(week + 1) if found[w] is not None)
        finding = found[seen]
        written = runs[week].delivery.arrived + dt.timedelta(hours=remark.hours)
        if finding is None or written > now:
            return
        runs[seen].report.annotations.append(
            Annotation(
                id=f"demo-{story.dataset}-{number + 1:02}-{step + 1}",
                finding_id=get_finding_id(finding),
                author=remark.author,
                timestamp=written,
                comment=remark.text.format_map(_facts(runs[seen], finding)),
                tags=list(remark.tags),
                status=remark.status,
            )
        )


def _finding(run: Run, story: Story) -> GhostFinding | None:
    of_column = (f for f in run.report.findings if f.column == story.column)
    return next((f for f in of_column if f.ghost_type in story.ghost_types), None)


def _week(remark: Remark, found: Sequence[GhostFinding | None]) -> int | None:
    """Return the position of the delivery a remark follows; None where there is none such."""
    there = [week for week, finding in enumerate(found) if finding is not None]
    if remark.when is When.WORST:
        worst = max(there, key=lambda week: _share(found[week]), default=0)
        return worst if worst > 0 else None
    weeks = {
        When.SEEN: there,
        When.GONE: [w + 1 for w in there if w + 1 < len(found) and found[w + 1] is None],
        When.BACK: [w for w in there[1:] if found[w - 1] is None],
    }[remark.when]
    in_range = -len(weeks) <= remark.nth < len(weeks)
    return weeks[remark.nth] if in_range else None


def _share(finding: GhostFinding | None) -> float:
    return float(finding.metadata.get("share") or 0.0) if finding else 0.0


def _facts(run: Run, finding: GhostFinding) -> dict[str, str]:
    frame = run.delivery.frame
    row = _example(frame, finding)
    value = pd.to_numeric(row[finding.column], errors="coerce")
    return {
        "count": f"{finding.metadata['count']:,}",
        "share": f"{100 * _share(finding):.3g} %",
        "value": f"{value:g}",
        "example": str(row[_LABELS[run.delivery.dataset]]),
        "remark": str(row.get("Comments", "")).rstrip("."),
    }


def _example(frame: pd.DataFrame, finding: GhostFinding) -> pd.Series:
    """Return an affected row: the one with the largest number, else the first."""
    rows = frame.iloc[finding.row_indices] if finding.row_indices else frame
    numbers = pd.to_numeric(rows[finding.column], errors="coerce")
    place = int(numbers.argmax()) if numbers.notna().any() else 0
    return rows.iloc[place]
