"""The panel on Inspect in which users correct how a file was read."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_uploads import open_inspect, upload
from tests.support.dashboard import Dashboard

Visitor = Callable[..., Page]

# The comments of the first column have as many semicolons as commas, and the second line looks like names.
REMARKS = "".join(f"R{i},{i % 7}.5;{'' if i % 3 else i},ok\n" for i in range(40))
TITLED = "region,code;day\nnorth,A;1\nname,amount;customer\n".replace(",", ";") + "".join(
    f"shop {i};{i * 3};{'' if i % 4 else 7}\n" for i in range(40)
)


@pytest.fixture
def page(visitor: Visitor, file_dashboard: Dashboard) -> Page:
    return open_inspect(visitor, file_dashboard)


def choose(page: Page, field: str, option: str) -> None:
    """Choose an option of a field in the panel by keyboard."""
    box = page.get_by_role("combobox", name=field)
    box.click()
    page.get_by_role("option", name=option, exact=True).click()
    expect(box).to_have_value(option)


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
