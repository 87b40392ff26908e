"""Results of another tool, dropped on Inspect."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.screens import FIRST_VISIT_MS
from tests.browser.test_screens import serious
from tests.support.dashboard import Dashboard

SAMPLES = Path(__file__).parents[1] / "interchange" / "samples"
DBT = sorted((SAMPLES / "dbt").glob("generated_dbt-1.9.11__*.json"))


@pytest.mark.parametrize("width", [1440, 400])
def test_results_are_previewed_imported_and_undone(
    width: int, visitor: Callable[..., Page], file_dashboard: Dashboard
) -> None:
    page = visitor(viewport={"width": width, "height": 1000})
    page.goto(f"{file_dashboard.url}/inspect")
    page.locator("input[type=file]").set_input_files(DBT, timeout=FIRST_VISIT_MS)
    expect(page.get_by_text("have results of dbt")).to_be_visible()
    expect(page.get_by_role("button", name="Import 1 run")).to_be_visible()
    if width > 800:  # The navigation of a narrow window is Streamlit's own.
        assert serious(page) == []
    overflow = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    assert overflow <= 0
    page.get_by_role("button", name="Import 1 run").click()
    page.get_by_role("textbox", name="Your name").fill("Ana")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="dbt: people_dq")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("1 report moved to the trash")).to_be_visible()
    expect(page.get_by_role("heading", name="Reports", exact=True)).to_be_visible()
