"""Findings in a short form for agents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lavendertown.collaboration.storage import Storage
from lavendertown.core import json_codec
from lavendertown.core.errors import NotFoundError

MAX_OCCURRENCES = 20
MAX_COMMENTS = 50
MAX_HISTORY = 50
MAX_ROWS = 20
_SUMMARY = (
    *("finding_id", "description", "dataset", "column", "ghost_type", "severity", "status"),
    *(
        "attention",
        "attention_text",
        "assignee",
        "tags",
        "snoozed",
        "first_seen",
        "last_seen",
        "times_seen",
        "comment_count",
    ),
)
_DETAILS = (
    *("close_reason", "note", "snooze_until", "snooze_factor", "fixed_at", "regressed_at", "report_id"),
    *("verified_in", "accepted_until", "ceiling_count", "ceiling_share", "due_at"),
    *("incident_id", "incident_title"),
)
_OCCURRENCE = ("report_id", "seen_at", "severity", "description", "row_count", "share")
_BOOKKEEPING = frozenset(("version", "updated_at", "deleted_at", "on_behalf_of", "id", "finding_id"))


def summarize_finding(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of the inbox for a list."""
    summary = {name: row[name] for name in _SUMMARY}
    return {
        **summary,
        "run_state": row["seen"],
        "affected_rows": row["last_count"],
        "affected_share": row["last_share"],
    }


def describe_finding(storage: Storage, finding_id: str) -> dict[str, Any]:
    """Return a finding with its last occurrences, comments and changes, the newest first.

    Raises:
        NotFoundError: No report has it.
    """
    rows = storage.inbox.load_rows([finding_id])
    if not rows:
        raise NotFoundError(f"There is no finding {finding_id[:200]!r} in any report.")
    [row] = rows
    name = row["finding_id"]
    occurrences = storage.query_findings(finding_id=name, limit=MAX_OCCURRENCES)
    comments = storage.query_annotations(finding_id=name, limit=MAX_COMMENTS)
    events = storage.audit.query(finding_id=name, limit=MAX_HISTORY)
    described = {
        "finding": {
            **summarize_finding(row),
            **{each: row[each] for each in _DETAILS},
            "affected_rows_in_newest_runs": row["runs"],
            "first_affected_positions": storage.findings.load_rows(
                row["report_id"], row["position"], MAX_ROWS
            ),
            "metadata": occurrences[0]["metadata"] if occurrences else {},
            **_describe_samples(storage, row),
        },
        "occurrences": [{each: found[each] for each in _OCCURRENCE} for found in occurrences],
        "comments": [_describe_comment(each) for each in comments],
        "history": [_describe_event(each) for each in events],
    }
    plain: dict[str, Any] = json_codec.to_jsonable(described)
    return plain


def _describe_samples(storage: Storage, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return sample rows and frequent values as the newest report has them; both empty without evidence."""
    evidence = storage.reports.load_evidence(row["report_id"])
    samples = None
    if evidence is not None:
        samples = storage.findings.find_samples(evidence, row["finding_id"], row["column"])
    if evidence is None or samples is None:
        return {"sample_rows": [], "frequent_values": []}
    return {
        "sample_rows": [
            {"row": each.position + evidence.first_row, "values": each.values} for each in samples.rows
        ],
        "frequent_values": [{"value": each.value, "rows": each.count} for each in samples.frequent],
    }


def _describe_comment(annotation: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": annotation["id"],
        "at": annotation["timestamp"],
        "author": annotation["author"],
        "comment": annotation["comment"],
        "tags": annotation["tags"],
        "status": annotation["status"],
    }


def _describe_event(event: Mapping[str, Any]) -> dict[str, Any]:
    before, after = event["before"] or {}, event["after"] or {}
    names = [name for name in {**before, **after} if name not in _BOOKKEEPING]
    return {
        "at": event["at"],
        "actor": event["actor"],
        "on_behalf_of": after.get("on_behalf_of") or before.get("on_behalf_of", ""),
        "what": event["component"],
        "operation": event["operation"],
        "changes": {
            name: {"from": before.get(name), "to": after.get(name)}
            for name in names
            if before.get(name) != after.get(name)
        },
    }
