"""The evidence of a report is stored with it, on every store."""

from __future__ import annotations

from typing import Any

import pytest

from lavendertown.collaboration.storage import Storage
from lavendertown.core.errors import ConflictError, InvalidInputError
from lavendertown.profile.evidence import (
    MAX_EVIDENCE_BYTES,
    ColumnProfile,
    Evidence,
    FindingSamples,
    SampleRow,
)
from tests.contract.builders import report

EVIDENCE = Evidence(
    [ColumnProfile("email", "text", 4, 2, 2)],
    {"f1-x": FindingSamples("email", [SampleRow(3, {"id": 7, "email": "ü@x"})])},
    ["id"],
    2,
)


def test_a_report_opens_with_its_evidence(storage: Storage) -> None:
    storage.save_report(report("r1"), evidence=EVIDENCE)
    storage.save_report(report("r2"))
    assert storage.reports.load_evidence("r1") == EVIDENCE
    assert storage.reports.load_evidence("r2") is None
    assert storage.reports.load_evidence("no such report") is None


def test_a_report_that_is_saved_again_keeps_its_evidence_or_gets_new(storage: Storage) -> None:
    storage.save_report(report("r1"), evidence=EVIDENCE)
    storage.save_report(report("r1", title="Week 13"))
    assert storage.reports.load_evidence("r1") == EVIDENCE
    storage.save_report(report("r1", title="Week 14"), evidence=Evidence())
    assert storage.reports.load_evidence("r1") == Evidence()


def test_a_deleted_report_shows_no_evidence_until_it_is_restored(storage: Storage) -> None:
    storage.save_report(report("r1"), evidence=EVIDENCE)
    storage.delete_report("r1")
    assert storage.reports.load_evidence("r1") is None
    storage.restore_report("r1")
    assert storage.reports.load_evidence("r1") == EVIDENCE


def test_the_audit_log_has_the_size_of_evidence_and_no_value(storage: Storage) -> None:
    storage.save_report(report("r1"), evidence=EVIDENCE, actor="Ana")
    (event,) = storage.audit_log(component="evidence")
    assert (event["actor"], event["record_id"]) == ("Ana", "r1")
    assert event["after"]["size"] == EVIDENCE.size()
    assert "ü@x" not in str(event)


def test_evidence_is_not_stored_without_its_report(storage: Storage) -> None:
    storage.save_report(report("r1"))
    stale = report("r1", title="Late", version=7)
    with pytest.raises(ConflictError):
        storage.save_report(stale, evidence=EVIDENCE)
    assert storage.reports.load_evidence("r1") is None


def test_evidence_over_the_limit_is_stored_without_its_samples(storage: Storage) -> None:
    rows = [SampleRow(n, {"text": "x" * 200}) for n in range(20)]
    large = Evidence([], {f"f{n}": FindingSamples("text", rows) for n in range(100)})
    storage.save_report(report("r1"), evidence=large)
    stored = storage.reports.load_evidence("r1")
    assert stored is not None
    assert stored.size() <= MAX_EVIDENCE_BYTES
    assert stored.omitted == ["top values", "histograms", "samples"]


@pytest.mark.parametrize(
    "changes",
    [
        {"quantiles": 1},
        {"quantiles": [1, 2, 3, 4, "x"]},
        {"count": "x"},
        {"nulls": None},
        {"top": [{"value": 3, "count": 1}]},
        {"histogram": {"start": "a", "end": 2, "counts": []}},
        {"histogram": {"start": 1, "end": 2, "counts": [None]}},
    ],
)
def test_a_profile_with_wrong_values_is_refused(changes: dict[str, Any]) -> None:
    profile = {"name": "a", "kind": "number", "count": 3, "nulls": 0, "distinct": 3}
    assert Evidence.from_dict({"columns": [profile]}).columns[0].count == 3
    with pytest.raises(InvalidInputError):
        Evidence.from_dict({"columns": [profile | changes]})
