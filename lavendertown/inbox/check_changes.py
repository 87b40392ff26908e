"""Why a run says nothing about a finding: its check was switched off, or ran with other settings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lavendertown.core.fingerprints import check_key


def describe_check_change(coverage: Mapping[str, Any], metadata: Mapping[str, Any], column: str) -> str:
    """Return what changed about the check of a finding, as a sentence; empty if nothing is known.

    Args:
        coverage: The coverage of the run that does not have the finding.
        metadata: The metadata of the finding.
        column: Its column.
    """
    check, params = metadata.get("check"), metadata.get("params") or {}
    for entry in _list_entries(coverage, "switched_off"):
        if entry.get("check") == check and entry.get("column") in ("", column):
            return f"Check changed: it did not run in the latest report, because {entry.get('reason')}."
    for entry in _list_entries(coverage, "ran"):
        is_same = (entry.get("check"), entry.get("column"), entry.get("params") or {}) == (
            check,
            column,
            params,
        )
        if is_same and check_key(entry, "", column) != check_key(metadata, "", column):
            return "Check changed: it ran with other settings in the latest report, and found nothing."
    return ""


def _list_entries(coverage: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    entries = coverage.get(name)
    return [each for each in entries if isinstance(each, Mapping)] if isinstance(entries, list) else []
