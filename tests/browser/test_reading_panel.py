"""The panel on Inspect in which users correct how a file was read."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.screens import GRID
from tests.browser.test_screens import serious
from tests.browser.test_uploads import open_inspect, upload
from tests.support.dashboard import Dashboard

Visitor = Callable[..., Page]

# The first row looks like the names, but they stand in the third.
TITLED = "region;code;day\nnorth;A;1\nname;amount;customer\n" + "".join(
    f"shop {i};{i * 3};{'' if i % 4 else 7}\n" for i in range(40)
)
UNUSUAL = "batch lies far outside its usual range"
CODES = "batch;stock\n" + "".join(f"{999999 if i == 7 else 100 + i % 50};{i}\n" for i in range(200))


@pytest.fixture
def page(visitor: Visitor, file_dashboard: Dashboard) -> Page:
    return open_inspect(visitor, file_dashboard)


def open_panel(page: Page) -> None:
    page.get_by_text("How this file was read").click()
    expect(page.get_by_role("button", name="Read again")).to_be_visible()


def test_a_corrected_header_row_changes_the_findings_and_reset_brings_them_back(page: Page) -> None:
    upload(page, "sales.csv", TITLED.encode())
    open_panel(page)
    row = page.get_by_role("spinbutton", name="Header row")
    expect(row).to_have_value("1")
    expect(page.get_by_text("customer is empty")).to_have_count(0)
    row.fill("3")
    row.press("Enter")
    page.get_by_role("button", name="Read again").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("customer is empty")).to_be_visible()
    expect(page.get_by_role("spinbutton", name="Header row")).to_have_value("3")
    page.get_by_role("button", name="Reset").click()
    expect(page.get_by_text("customer is empty")).to_have_count(0)


def test_a_column_becomes_text(page: Page) -> None:
    upload(page, "stock.csv", CODES.encode())
    open_panel(page)
    expect(page.get_by_text(UNUSUAL)).to_be_visible()
    page.locator(GRID).first.click(position={"x": 500, "y": 48})
    page.keyboard.press("Enter")
    expect(page.get_by_role("option", name="Text")).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    # The grid waits a moment before it sends an edit.
    expect(page.get_by_text("Set: batch as text")).to_be_visible()
    page.get_by_role("button", name="Read again").click()
    expect(page.get_by_text("batch: kept as text, as set.")).to_be_visible()
    expect(page.get_by_text(UNUSUAL)).to_have_count(0)


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_the_panel_is_accessible(colours: str, visitor: Visitor, file_dashboard: Dashboard) -> None:
    page = visitor(color_scheme=colours)
    page.goto(f"{file_dashboard.url}/inspect")
    upload(page, "stock.csv", CODES.encode())
    open_panel(page)
    page.get_by_role("spinbutton", name="Header row").fill("999")
    page.get_by_role("button", name="Read again").click()
    expect(page.get_by_text("choose an earlier line")).to_be_visible()
    expect(page.get_by_role("spinbutton", name="Header row")).to_have_value("999")
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)
    assert serious(page) == []


def test_the_panel_fits_a_narrow_window(visitor: Visitor, file_dashboard: Dashboard) -> None:
    page = visitor(viewport={"width": 400, "height": 900})
    page.goto(f"{file_dashboard.url}/inspect")
    upload(page, "stock.csv", CODES.encode())
    open_panel(page)
    for part in (page.locator(GRID).first, page.get_by_role("button", name="Reset")):
        part.scroll_into_view_if_needed()
        box = part.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 400
