"""The first screen of an empty store in the browser of a newcomer: a drop zone, and a demo."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from lavendertown.collaboration.storage import FileStorage
from tests.browser.screens import FIRST_VISIT_MS, comment_on_finding, remember_name
from tests.support.dashboard import Dashboard


def test_a_newcomer_tries_the_demo_and_leaves_it(
    file_dashboard: Dashboard, tmp_path: Path, visitor: Callable[..., Page]
) -> None:
    page = visitor()
    remember_name(page, file_dashboard.url, "Ana")
    page.goto(file_dashboard.url)
    page.get_by_role("button", name="Look at a demo team").click(timeout=FIRST_VISIT_MS)
    expect(page.get_by_text("This is a demo team.")).to_be_visible(timeout=180_000)
    page.get_by_role("button", name="Open the first").click()
    comment_on_finding(page, "Tried in the demo.", "tried", "Reviewed")
    expect(page.get_by_role("button", name="Admin")).to_have_count(0)

    page.get_by_role("button", name="Leave the demo").click()
    expect(page.get_by_text("No findings yet")).to_be_visible()
    expect(page.get_by_role("button", name="Admin")).to_be_visible()
    storage = FileStorage(tmp_path / "data")
    assert storage.query_reports() == []
    assert storage.query_annotations() == []


def test_a_newcomer_drops_a_file_on_the_first_screen(
    file_dashboard: Dashboard, tmp_path: Path, visitor: Callable[..., Page]
) -> None:
    file = tmp_path / "orders.csv"
    file.write_text("order,city\n" + "".join(f"{n},{'' if n % 4 else 'Rome'}\n" for n in range(40)))
    page = visitor()
    page.goto(file_dashboard.url)
    page.locator("input[type=file]").set_input_files(file, timeout=FIRST_VISIT_MS)
    expect(page.get_by_role("heading", name="Inspect")).to_be_visible()
    expect(page.get_by_role("button", name="Save as report")).to_be_visible(timeout=FIRST_VISIT_MS)
    page.get_by_role("navigation").get_by_role("link", name="Findings").click()
    page.get_by_role("link", name="Continue with orders.csv").click()
    expect(page.get_by_role("button", name="Save as report")).to_be_visible()
