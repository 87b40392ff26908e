"""Small findings, reports and annotations that differ only in what a test says."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Callable
from typing import Any

import pytest

from lavendertown.collaboration.models import Annotation, ShareableReport
from lavendertown.collaboration.storage import Storage, get_finding_id
from lavendertown.errors import LavenderTownError
from lavendertown.models import GhostFinding

UTC = dt.UTC
NOON = dt.datetime(2026, 3, 4, 12, 0, 0, 123456, tzinfo=UTC)
_numbers = itertools.count(1)


def at(hours: float) -> dt.datetime:
    """Return a moment so many hours after noon of 4 March 2026, UTC."""
    return NOON + dt.timedelta(hours=hours)


def finding(column: str = "email", **changes: Any) -> GhostFinding:
    values: dict[str, Any] = {
        "ghost_type": "null",
        "severity": "warning",
        "description": f"{column} is empty in 2 of 4 rows",
        "row_indices": [0, 3],
        "metadata": {"check": "nulls", "params": {}, "count": 2, "share": 0.5},
    }
    return GhostFinding(column=column, **(values | changes))


def report(
    report_id: str = "r1", findings: list[GhostFinding] | None = None, **changes: Any
) -> ShareableReport:
    values: dict[str, Any] = {"title": "Week 12", "author": "alice", "created_at": NOON}
    values |= changes
    made = [finding()] if findings is None else findings
    return ShareableReport(id=report_id, findings=made, **values)


def annotation(about: GhostFinding | str | None = None, **changes: Any) -> Annotation:
    """Return a note on a finding (or a finding id; the default finding when None)."""
    name = about if isinstance(about, str) else get_finding_id(about or finding())
    values: dict[str, Any] = {
        "id": f"a{next(_numbers)}",
        "author": "bob",
        "timestamp": NOON,
        "comment": "Looks odd",
    }
    return Annotation(finding_id=name, **(values | changes))


def ids(listed: list[dict[str, Any]]) -> list[str]:
    return [row["id"] for row in listed]


def status_of(storage: Storage, about: GhostFinding) -> str:
    (row,) = storage.query_findings(finding_id=get_finding_id(about), limit=1)
    status: str = row["status"]
    return status


def refusal(call: Callable[[], object]) -> str | None:
    """Return the sentence with which a call was refused, or None when it went well."""
    try:
        call()
    except LavenderTownError as refused:
        return str(refused)
    return None


def sentence(refused: pytest.ExceptionInfo[LavenderTownError]) -> str:
    """Return what a refusal says, having checked that it is one line for people."""
    words = str(refused.value)
    assert words
    assert "\n" not in words
    assert "Traceback" not in words
    return words
