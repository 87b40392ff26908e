"""Findings and their fingerprints: those a person can build, and those of the demo."""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path
from typing import Any

from lavendertown.collaboration.storage import FileStorage, Storage, get_finding_id
from lavendertown.demo import write_demo_data
from lavendertown.models import GhostFinding
from tests.golden import demo_store

NOW = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
DEMO_REPORTS = 12


def fingerprint(entry: dict[str, Any]) -> str:
    """Return the fingerprint of a finding as a golden file describes it."""
    found = GhostFinding(
        entry["ghost_type"], entry["column"], "info", entry["description"], None, entry["metadata"]
    )
    return get_finding_id(found, entry["dataset"])


def demo_findings(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the findings of the demo store by fingerprint, with what identifies each."""
    storage = FileStorage(folder)
    write_demo_data(storage, reports=DEMO_REPORTS, seed=1, now=NOW)
    rows = storage.query_findings(limit=None)
    storage.close()
    names = ("ghost_type", "column", "description", "dataset")
    return {
        row["finding_id"]: {name: row[name] for name in names}
        | {
            "metadata": {
                key: row["metadata"][key] for key in ("check", "check_id", "params") if key in row["metadata"]
            }
        }
        for row in rows
    }


def with_fingerprints(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the entries of a golden file with the fingerprints that they have now."""
    return [{**entry, "fingerprint": fingerprint(entry)} for entry in entries]


def aliases(storage: Storage) -> dict[str, str]:
    """Return the fingerprint that each id of version 0.7 leads to, once a report has the finding."""
    findings = [demo_store.null_finding(5), demo_store.text_finding(3), demo_store.TOOL, demo_store.RANGE]
    names = [legacy_id(each) for each in findings]
    # An alias is kept for ids that somebody uses.
    storage.annotations.save_many([demo_store.note(f"a{n}", name, n, "Old") for n, name in enumerate(names)])
    storage.save_report(demo_store.report("r1", 0, findings))
    return {name: storage.findings.resolve_id(name) for name in names}


def legacy_id(finding: GhostFinding) -> str:
    """Return the id that version 0.7 gave to a finding."""
    key = f"{finding.ghost_type}:{finding.column}:{finding.description}"
    return hashlib.md5(key.encode(), usedforsecurity=False).hexdigest()
