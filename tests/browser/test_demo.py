"""The demo team's store in the browser of a newcomer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from lavendertown.collaboration.storage import FileStorage
from tests.browser.screens import FIRST_VISIT_MS, comment_on_finding
from tests.support.dashboard import Dashboard


def test_a_newcomer_tries_the_demo_and_leaves_it(
    file_dashboard: Dashboard, tmp_path: Path, visitor: Callable[..., Page]
) -> None:
    page = visitor()
    page.context.add_cookies([{"name": "lavendertown_person", "value": "Ana", "url": file_dashboard.url}])
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
