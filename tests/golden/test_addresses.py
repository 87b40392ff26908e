"""Links that people saved keep working: views, filters and what a chart counts."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path

import pytest

from lavendertown.collaboration.models import ShareableReport
from lavendertown.collaboration.parts.triage import Decision
from lavendertown.collaboration.storage import FileStorage, get_finding_id
from tests.golden import addresses, demo_store
from tests.golden.goldens import ASSETS, check_value, read_golden


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the golden store, which the dashboard is configured to show."""
    shutil.copytree(ASSETS / "store", tmp_path / "store")
    monkeypatch.setenv("LAVENDERTOWN_DATA_DIR", str(tmp_path / "store"))
    monkeypatch.setenv("LAVENDERTOWN_STORAGE_TYPE", "file")
    return tmp_path / "store"


@pytest.mark.slow
def test_a_saved_address_lists_the_same(store: Path) -> None:
    saved = read_golden("addresses.json")
    check_value("addresses.json", addresses.list_all(saved))


def test_what_a_chart_links_to_is_what_the_findings_screen_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAVENDERTOWN_DATA_DIR", str(tmp_path / "new"))
    storage = FileStorage(tmp_path / "new")
    finding = demo_store.null_finding(5)
    for days in (70, 1):  # before today, where the charts end
        seen = dt.datetime.now(dt.UTC) - dt.timedelta(days=days)
        storage.save_report(ShareableReport(f"r{days}", "Orders", "Ana", seen, [finding]))
    fixed = Decision(status="fixed", reason="Loaded again.")
    storage.triage.decide(get_finding_id(finding), fixed, actor="Ben")
    links = addresses.chart_links()
    assert {link.split("~")[0] for link in links} == {"seen", "found", "open", "closed", "closing"}
    assert sum(storage.inbox.count(counted=link) for link in links) > 0
