"""SARIF 2.1.0: a run for each dataset, a result for each finding, closed findings as suppressions.

What SARIF has no place for is in the property bags under the key ``lavendertown``, so that an import gives
the same findings: their ids, checks, statuses and the coverage of the run. Sample values are left out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from lavendertown import __version__
from lavendertown.core import json_codec, statuses
from lavendertown.interchange.exports.content import ExportContent, ExportedFinding, status_label
from lavendertown.interchange.wording import shorten

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
FINGERPRINT = "lavendertown/v1"
"""The key in ``partialFingerprints`` of the id of a finding."""
PROPERTIES = "lavendertown"
"""The key in property bags of what only LavenderTown reads."""
LEVELS = {"error": "error", "warning": "warning", "info": "note"}


def write_sarif(content: ExportContent) -> bytes:
    """Return a SARIF log. A list of findings is a run for each dataset, at the time of its last finding.

    Raises:
        InvalidInputError: A value cannot be written as JSON.
    """
    by_dataset: dict[str, list[ExportedFinding]] = {}
    if content.report is not None:
        by_dataset[_report_dataset(content)] = []
    for finding in content.findings:
        by_dataset.setdefault(finding.dataset, []).append(finding)
    log = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [_make_run(content, dataset, findings) for dataset, findings in by_dataset.items()],
    }
    return json_codec.dumps(json_codec.to_jsonable(log, "export"), indent=True) + b"\n"


def _report_dataset(content: ExportContent) -> str:
    metadata = content.report["metadata"] if content.report is not None else {}
    return str(metadata.get("dataset") or "")


def _make_run(content: ExportContent, dataset: str, findings: Sequence[ExportedFinding]) -> dict[str, Any]:
    rules: dict[str, ExportedFinding] = {}
    for finding in findings:
        rules.setdefault(_rule_id(finding), finding)
    positions = {rule: position for position, rule in enumerate(rules)}
    bag: dict[str, Any] = {"title": content.title, "dataset": dataset}
    ran_at = max((each.last_seen for each in findings if each.last_seen), default=content.exported_at)
    run_id = ""
    if content.report is not None:
        ran_at, run_id = dt.datetime.fromisoformat(content.report["created_at"]), content.report["id"]
        bag |= {"report_id": run_id, "author": content.report["author"]}
        if dataset == _report_dataset(content):
            bag["coverage"] = content.report["metadata"].get("coverage")
    return {
        "tool": {
            "driver": {
                "name": "LavenderTown",
                "version": __version__,
                "rules": [_make_rule(rule, finding) for rule, finding in rules.items()],
            }
        },
        # The category, and behind the last slash the id of the run.
        "automationDetails": {"id": f"{dataset}/{run_id}"},
        "invocations": [{"executionSuccessful": True, "endTimeUtc": _format_utc(ran_at)}],
        "results": [_make_result(finding, positions[_rule_id(finding)]) for finding in findings],
        "properties": {PROPERTIES: bag},
    }


def _rule_id(finding: ExportedFinding) -> str:
    check = finding.metadata.get("check_id") or finding.metadata.get("check")
    return f"{finding.ghost_type}/{check}" if check else finding.ghost_type


def _make_rule(rule: str, finding: ExportedFinding) -> dict[str, Any]:
    check = str(finding.metadata.get("check") or finding.ghost_type)
    return {
        "id": rule,
        "name": check,
        "shortDescription": {"text": f"The check {shorten(check)} ({finding.ghost_type})."},
        "defaultConfiguration": {"level": LEVELS[finding.severity]},
    }


def _make_result(finding: ExportedFinding, rule_index: int) -> dict[str, Any]:
    location = {
        "physicalLocation": {"artifactLocation": {"uri": quote(finding.dataset or "dataset", safe="")}},
        "logicalLocations": [{"name": finding.column, "kind": "member"}],
    }
    return {
        "ruleId": _rule_id(finding),
        "ruleIndex": rule_index,
        "kind": "fail",
        "level": LEVELS[finding.severity],
        "message": {"text": finding.description or _rule_id(finding)},
        "locations": [location],
        "partialFingerprints": {FINGERPRINT: finding.finding_id},
        # An empty list says that the finding is open; without the list, nobody would know.
        "suppressions": [_make_suppression(finding)] if statuses.is_closed(finding.status) else [],
        "properties": {
            "tags": list(dict.fromkeys(finding.tags)),
            "status": finding.status,
            "assignee": finding.assignee,
            PROPERTIES: {
                "ghost_type": finding.ghost_type,
                "column": finding.column,
                "description": finding.description,
                "metadata": finding.metadata,
                "annotation": _last_decision(finding),
            },
        },
    }


def _make_suppression(finding: ExportedFinding) -> dict[str, Any]:
    decision = _last_decision(finding) or {}
    reason = finding.close_reason or decision.get("comment") or status_label(finding.status)
    return {"kind": "external", "status": "accepted", "justification": reason}


def _last_decision(finding: ExportedFinding) -> Mapping[str, Any] | None:
    """Return the newest annotation with a status, which decides the status of the finding."""
    decisions = [each for each in finding.annotations if each.get("status")]
    return decisions[-1] if decisions else None


def _format_utc(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
