"""A bundle leaves by the Export menu of a report, and comes in on Inspect of another team."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from lavendertown.collaboration.models import ShareableReport
from lavendertown.collaboration.parts.triage import Decision
from lavendertown.collaboration.storage import FileStorage, get_finding_id
from tests.browser.screens import FIRST_VISIT_MS, click_until, wait_for_end_of_run
from tests.browser.test_screens import serious
from tests.contract.builders import annotation, at, finding, report
from tests.support.dashboard import Dashboard


def orders(report_id: str, title: str, hours: float, *columns: str) -> ShareableReport:
    findings = [finding(column) for column in columns]
    return report(report_id, findings, title=title, created_at=at(hours), metadata={"dataset": "orders"})


def test_a_bundle_goes_from_one_team_to_another(
    visitor: Callable[..., Page], start_server: Callable[..., Dashboard], tmp_path: Path
) -> None:
    ours, theirs = FileStorage(tmp_path / "ours"), FileStorage(tmp_path / "theirs")
    saved = orders("r1", "Week 12", 0, "email", "phone")
    ours.save_report(saved)
    name = get_finding_id(saved.findings[0])
    ours.save_annotation(annotation(name, id="n1", comment="Ask the shop"))
    ours.triage.decide(name, Decision(assignee="Ana"), actor="Ana")
    theirs.save_report(orders("r0", "Week 11", -168, "email"))
    urls = [
        start_server(LAVENDERTOWN_STORAGE_TYPE="file", LAVENDERTOWN_DATA_DIR=str(tmp_path / team)).url
        for team in ("ours", "theirs")
    ]

    page = visitor(viewport={"width": 1440, "height": 1000})
    page.goto(f"{urls[0]}/report?report=r1")
    export, download = (page.get_by_role("button", name=name) for name in ("Export", "Bundle (.bundle.zip)"))
    expect(export).to_be_visible(timeout=FIRST_VISIT_MS)
    click_until(export, download)
    # A run that begins in the meantime would end the download.
    wait_for_end_of_run(page)
    with page.expect_download() as started:
        download.click()
    bundle = tmp_path / started.value.suggested_filename
    started.value.save_as(bundle)
    assert bundle.name == "week-12-r1.bundle.zip"

    for width in (400, 1440):
        page = visitor(viewport={"width": width, "height": 1000})
        page.goto(f"{urls[1]}/inspect")
        page.locator("input[type=file]").set_input_files(bundle, timeout=FIRST_VISIT_MS)
        expect(page.get_by_text("is a bundle of 1 report")).to_be_visible()
        expect(page.get_by_role("button", name="Import bundle")).to_be_visible()
        overflow = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert overflow <= 0
    # Only in the wide window: the navigation of a narrow one is Streamlit's own.
    assert serious(page) == []
    page.get_by_role("button", name="Import bundle").click()
    page.get_by_role("textbox", name="Your name").fill("Zoe")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Week 12")).to_be_visible()
    assert [each.comment for each in theirs.get_annotations(name)] == ["Ask the shop"]
    assert theirs.triage.load(name)["assignee"] == "Ana"
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Undone: 1 report, 1 comment and 1 decision.")).to_be_visible()
    expect(page.get_by_role("heading", name="Reports", exact=True)).to_be_visible()
    assert [row["id"] for row in theirs.query_reports()] == ["r0"]
