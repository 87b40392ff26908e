"""Storage is composed of parts; its own methods are those that the design fixes, and about the store."""

from __future__ import annotations

import inspect
from pathlib import Path

from lavendertown.collaboration.parts.context import StoragePart
from lavendertown.collaboration.storage import FileStorage, Storage

FIXED = {
    *("save_report", "save_reports", "load_report", "delete_report", "restore_report"),
    *("query_reports", "count_reports", "query_findings"),
    *("save_annotation", "get_annotations", "load_annotations", "query_annotations"),
    *("delete_annotation", "restore_annotation", "save_ruleset", "load_ruleset", "query_rulesets"),
    "audit_log",
}
ABOUT_THE_STORE = {"revision", "check", "describe", "unreadable_items", "close"}


def test_a_storage_inherits_nothing_and_has_the_fixed_methods_only() -> None:
    public = {name for name in vars(Storage) if not name.startswith("_")}
    assert Storage.__bases__ == (object,)
    assert public == FIXED | ABOUT_THE_STORE


def test_a_method_of_the_storage_takes_the_arguments_of_its_part(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    pairs = {
        "save_report": storage.reports.save,
        "save_reports": storage.reports.save_many,
        "query_reports": storage.reports.query,
        "count_reports": storage.reports.count,
        "query_findings": storage.findings.query,
        "query_annotations": storage.annotations.query,
        "query_rulesets": storage.rulesets.query,
        "audit_log": storage.audit.query,
    }
    for name, method in pairs.items():
        assert inspect.signature(getattr(storage, name)) == inspect.signature(method), name


def test_every_part_has_the_context_of_its_storage(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path)
    parts = [part for part in vars(storage).values() if isinstance(part, StoragePart)]
    assert len(parts) == 22
    assert all(part._context.store is storage.store for part in parts)
