"""The panel on Inspect in which users correct how a file was read."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from lavendertown.collaboration.storage import get_finding_id
from lavendertown.inspector import Inspector
from lavendertown.tables import Reading
from tests.browser.screens import GRID, go_to_inspect, open_as_visitor
from tests.browser.test_screens import serious
from tests.browser.test_uploads import open_inspect, upload
from tests.support.dashboard import Dashboard

Visitor = Callable[..., Page]

# The first row looks like the names, but they stand in the third.
TITLED = "region;code;day\nnorth;A;1\nname;amount;customer\n" + "".join(
    f"shop {i};{i * 3};{'' if i % 4 else 7}\n" for i in range(40)
)
UNUSUAL = "batch has outliers"
CODES = "batch;stock\n" + "".join(f"{999999 if i == 7 else 100 + i % 50};{i}\n" for i in range(200))
STAND_INS = "code;note\n" + "".join(f"{i * 7};{'none' if i % 5 == 0 else f'text {i}'}\n" for i in range(60))


@pytest.fixture
def page(visitor: Visitor, file_dashboard: Dashboard) -> Page:
    return open_inspect(visitor, file_dashboard)


def open_panel(page: Page) -> None:
    page.get_by_text("Reading settings").click()
    expect(page.get_by_role("button", name="Reset")).to_be_visible()


def test_a_corrected_header_row_changes_the_findings_and_reset_brings_them_back(page: Page) -> None:
    upload(page, "sales.csv", TITLED.encode())
    open_panel(page)
    row = page.get_by_role("spinbutton", name="Header row")
    expect(row).to_have_value("1")
    expect(page.get_by_text("customer is empty")).to_have_count(0)
    row.fill("3")
    row.press("Enter")
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
    expect(page.get_by_text("Set: batch as text")).to_be_visible()
    expect(page.get_by_text("batch: kept as text, as set.")).to_be_visible()
    expect(page.get_by_text(UNUSUAL)).to_have_count(0)


def save(page: Page, title: str) -> None:
    page.get_by_role("button", name="Save as report").click()
    field = page.get_by_role("textbox", name="Title")
    field.fill(title)
    field.blur()
    page.get_by_role("button", name="Save report").click()
    expect(page.get_by_role("heading", name=title)).to_be_visible()


def test_what_a_corrected_guess_shows_is_neither_new_nor_gone(
    visitor: Visitor, file_dashboard: Dashboard
) -> None:
    page = visitor()
    open_as_visitor(page, f"{file_dashboard.url}/inspect", "Ana Ferreira")
    upload(page, "stock_1.csv", STAND_INS.encode())
    expect(page.get_by_text("note has the placeholder 'none'")).to_be_visible()
    save(page, "Stock, Monday")
    go_to_inspect(page)
    upload(page, "stock_2.csv", STAND_INS.encode())
    open_panel(page)
    words = page.get_by_role("textbox", name="Missing-value words")
    words.fill("none")
    words.press("Enter")
    expect(page.get_by_text("Set: missing-value words none")).to_be_visible()
    expect(page.get_by_text("note is empty in")).to_be_visible()
    save(page, "Stock, Tuesday")
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("button", name="2 Reading changed")).to_be_visible()
    readings = (Reading(), Reading(null_words=("none",)))
    inspectors = [Inspector((STAND_INS.encode(), "stock_1.csv"), reading=reading) for reading in readings]
    for inspector in inspectors:
        (finding,) = inspector.detect()
        page.goto(f"{file_dashboard.url}/?view=all&finding={get_finding_id(finding, 'stock')}")
        expect(page.get_by_text("Reading changed").first).to_be_visible()
    go_to_inspect(page)
    upload(page, "stock_3.csv", STAND_INS.encode())
    page.get_by_text("Reading settings").first.wait_for()
    expect(page.get_by_text("Read as last time: missing-value words none")).to_be_visible()


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_the_panel_is_accessible(colours: str, visitor: Visitor, file_dashboard: Dashboard) -> None:
    page = visitor(color_scheme=colours)
    page.goto(f"{file_dashboard.url}/inspect")
    upload(page, "stock.csv", CODES.encode())
    open_panel(page)
    page.get_by_role("spinbutton", name="Header row").fill("999")
    page.keyboard.press("Enter")
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
