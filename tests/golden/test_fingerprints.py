"""A finding keeps its fingerprint: everything a team has decided about it hangs on it."""

from __future__ import annotations

from pathlib import Path

import pytest

from lavendertown.collaboration.storage import FileStorage
from tests.golden import fingerprints
from tests.golden.command_line import run_json
from tests.golden.goldens import REGENERATE, check_value, read_golden

NO_LONGER_FOUND = {
    "f1-fea1a5966db627b3df22bac459d7fdcd": "the film Infinity is no infinite number",
    "f1-49965f17892d0e3d558790fda48602c8": "-26.45 is not far where 5% of the values are below -26.21",
}
"""Findings of earlier versions that were false. They keep their fingerprint in stores that have them."""


def test_every_kind_of_finding_keeps_its_fingerprint() -> None:
    entries = read_golden("fingerprints.json")
    check_value("fingerprints.json", fingerprints.with_fingerprints(entries))


def test_checks_of_today_give_the_demo_the_fingerprints_of_the_golden_files(tmp_path: Path) -> None:
    """New findings may come; one that was there is still there under its fingerprint."""
    found = fingerprints.demo_findings(tmp_path / "store")
    lost = read_golden("demo_findings.json").keys() - found.keys() - NO_LONGER_FOUND.keys()
    assert not lost, f"The demo no longer has these findings, or they have another fingerprint. {REGENERATE}"


def test_findings_that_an_earlier_version_described_keep_their_fingerprint() -> None:
    entries = read_golden("demo_findings.json")
    assert {fingerprints.fingerprint(entry): entry for entry in entries.values()} == entries


def test_ids_of_version_0_7_lead_to_the_fingerprint(tmp_path: Path) -> None:
    storage = FileStorage(tmp_path / "store")
    check_value("legacy_ids.json", fingerprints.aliases(storage))


def test_the_demo_command_prints_the_same_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAVENDERTOWN_DATA_DIR", str(tmp_path / "store"))
    answer = run_json("demo", "--reports", "1")
    names = ("added", "store", "reports", "findings", "annotations", "datasets", "people", "first", "last")
    assert sorted(answer) == sorted(names)
