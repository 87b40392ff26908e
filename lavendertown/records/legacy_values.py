"""Normalize values that LavenderTown 0.7 accepted and current stores do not.

No information is lost: empty and duplicate tags and whitespace around tags have no meaning, and a status or
a severity in another spelling is the same one. A value that cannot be normalized is returned unchanged and
refused when it is stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lavendertown.core import statuses
from lavendertown.core.findings import SEVERITIES

_STATUS_BY_SPELLING = {name.replace("_", "-"): name for name in statuses.NAMES}


def normalize_tags(value: Any) -> Any:
    """Return a list of tags without surrounding whitespace, empty tags and duplicates."""
    if value is None or value == "":
        return []
    if isinstance(value, str):
        value = [value]
    if not isinstance(value, list | tuple):
        return value
    texts = [each.strip() if isinstance(each, str) else each for each in value if each is not None]
    if not all(isinstance(each, str) for each in texts):
        return value
    return [each for each in dict.fromkeys(texts) if each]


def normalize_annotation(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return an annotation of version 0.7 with normalized tags, status, author and comment."""
    changed = dict(data) | {"tags": normalize_tags(data.get("tags"))}
    status = data.get("status")
    if isinstance(status, str):
        spelling = status.strip().casefold().replace("_", "-").replace(" ", "-")
        changed["status"] = _STATUS_BY_SPELLING.get(spelling, status) if spelling else None
    for name in ("author", "comment"):
        if name in data and data[name] is None:
            changed[name] = ""
    return changed


def normalize_report(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return a report of version 0.7 with normalized tags, severities, title and author."""
    changed = dict(data)
    metadata = data.get("metadata")
    if isinstance(metadata, dict) and "tags" in metadata:
        changed["metadata"] = metadata | {"tags": normalize_tags(metadata["tags"])}
    if isinstance(data.get("findings"), list):
        changed["findings"] = normalize_findings(data["findings"])
    for name in ("author", "title"):
        if name in data and data[name] is None:
            changed[name] = ""
    return changed


def normalize_findings(findings: list[Any]) -> list[Any]:
    """Return findings of version 0.7 with normalized severities."""
    return [_normalize_finding(each) if isinstance(each, dict) else each for each in findings]


def _normalize_finding(finding: Mapping[str, Any]) -> dict[str, Any]:
    severity = finding.get("severity")
    normalized = severity.strip().casefold() if isinstance(severity, str) else severity
    return dict(finding) | {"severity": normalized} if normalized in SEVERITIES else dict(finding)


def values_differ(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Return whether any value of ``after`` differs; missing and empty values count as equal."""
    return any((before.get(name) or None) != (value or None) for name, value in after.items())
