"""Values of masked columns reach no store by any entry point, and findings keep their ids."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lavendertown.collaboration.api import import_report
from lavendertown.collaboration.models import ShareableReport
from lavendertown.collaboration.storage import Storage, get_finding_id
from lavendertown.interchange import read_runs
from lavendertown.models import GhostFinding
from lavendertown.profile.evidence import ColumnProfile, Evidence, FindingSamples, SampleRow, ValueCount
from tests.contract.builders import at
from tests.contract.store_locations import StoreLocation

SECRET = "ana@example.org"
FINDINGS = [
    GhostFinding(
        "rule", "email", "error", f"{SECRET} is twice.", [1, 2], {"samples": [SECRET], "dataset": "c"}
    ),
    GhostFinding(
        "rule", "email, day", "error", f"{SECRET} is new.", [3], {"check": "keys", "values": [SECRET]}
    ),
    GhostFinding("null", "city", "info", "city is empty in 3 rows.", [4], {"samples": ["Oslo"]}),
]


@pytest.fixture
def storage(place: StoreLocation, monkeypatch: pytest.MonkeyPatch) -> Iterator[Storage]:
    monkeypatch.setenv("LAVENDERTOWN_EVIDENCE_MASK", "E-*,email")
    opened = place.open_storage()
    yield opened
    opened.close()


def make_report(**changes: Any) -> ShareableReport:
    coverage = {"guesses": [f"email: {SECRET} is text.", "Read as UTF-8."], "column_names": ["email", "city"]}
    parts = {"findings": list(FINDINGS), "metadata": {"dataset": "c", "coverage": coverage}} | changes
    return ShareableReport("r", "Customers", "Ana", at(0), **parts)


def evidence() -> Evidence:
    samples = FindingSamples("email", [SampleRow(1, {"email": SECRET})], [ValueCount(SECRET, 2)])
    return Evidence([ColumnProfile("email", "text", 9, 0, 9, SECRET, SECRET)], {"f": samples}, [], 9)


def stored_text(storage: Storage) -> str:
    report, kept = storage.load_report("r"), storage.reports.load_evidence("r")
    assert report is not None
    texts = [report.to_dict(), kept.to_dict() if kept else {}, storage.audit_log(), storage.query_findings()]
    return json.dumps(texts, default=str)


def test_saving_a_report_stores_no_value_of_a_masked_column(storage: Storage) -> None:
    given = make_report()
    storage.save_report(given, evidence=evidence())
    assert SECRET not in stored_text(storage)
    assert "Oslo" in stored_text(storage)
    assert storage.query_findings(search=SECRET) == []
    assert given.findings == FINDINGS, "what the caller passed is not changed"


def test_masked_findings_keep_their_ids_over_any_number_of_saves(storage: Storage) -> None:
    ids = [get_finding_id(each, "c") for each in FINDINGS]
    storage.save_report(make_report())
    for _ in range(2):
        report = storage.load_report("r")
        assert report is not None
        assert [get_finding_id(each, "c") for each in report.findings] == ids
        storage.save_report(report)
    assert sorted(storage.inbox.query_ids()) == sorted(ids)


def test_many_reports_and_imported_files_are_masked_too(storage: Storage, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    file.write_text(json.dumps(make_report().to_dict()), "utf-8")
    storage.save_report(import_report(file))
    assert SECRET not in stored_text(storage)
    storage.save_reports([make_report(findings=FINDINGS[:1])])
    assert SECRET not in stored_text(storage)


def test_values_of_failing_rows_from_other_tools_are_masked_too(storage: Storage) -> None:
    def expect(column: str, value: str) -> dict[str, Any]:
        return {
            "success": False,
            "expectation_config": {
                "type": "expect_column_values_to_be_unique",
                "kwargs": {"column": column},
            },
            "result": {
                "element_count": 9,
                "unexpected_count": 2,
                "partial_unexpected_list": [value, value],
                "partial_unexpected_index_list": [3, 5],
                "partial_unexpected_counts": [{"value": value, "count": 2}],
            },
        }

    content = {"success": False, "results": [expect("email", SECRET), expect("town", "Oslo")]}
    runs = read_runs([(io.BytesIO(json.dumps(content).encode()), "validation.json")], dataset="c")
    (saved,) = storage.imports.save(runs)
    kept = storage.reports.load_evidence(saved.report_id)
    assert kept is not None
    (samples,) = [each for each in kept.samples.values() if each.column == "town"]
    assert [(row.position, row.values) for row in samples.rows] == [
        (3, {"town": "Oslo"}),
        (5, {"town": "Oslo"}),
    ]
    assert [(each.value, each.count) for each in samples.frequent] == [("Oslo", 2)]
    assert len(kept.samples) == 2
    assert SECRET not in json.dumps([kept.to_dict(), storage.query_findings()], default=str)


def test_without_samples_no_sample_values_are_stored(
    place: StoreLocation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAVENDERTOWN_EVIDENCE_SAMPLES", "false")
    storage = place.open_storage()
    storage.save_report(make_report(findings=FINDINGS[2:]), evidence=evidence())
    assert "Oslo" not in stored_text(storage)
    assert SECRET not in json.dumps(storage.reports.load_evidence("r").to_dict())  # type: ignore[union-attr]
    storage.close()


def test_a_mask_counts_from_the_next_save_on(place: StoreLocation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LAVENDERTOWN_EVIDENCE_MASK", raising=False)
    opened = place.open_storage()
    try:
        opened.save_report(make_report(), evidence=evidence())
        assert SECRET in stored_text(opened)
        monkeypatch.setenv("LAVENDERTOWN_EVIDENCE_MASK", "email")
        opened.save_report(replace(make_report(), id="r2"), evidence=evidence())
        report, kept = opened.load_report("r2"), opened.reports.load_evidence("r2")
        assert report is not None
        assert kept is not None
        assert SECRET not in json.dumps([report.to_dict(), kept.to_dict()], default=str)
    finally:
        opened.close()
