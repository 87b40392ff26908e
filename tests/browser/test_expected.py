"""Saying on Inspect and on a report that something is expected."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from lavendertown.collaboration.storage import FileStorage
from lavendertown.rules.check_configuration import ColumnSettings
from tests.browser.screens import remember_name
from tests.browser.test_screens import serious
from tests.browser.test_uploads import open_inspect, upload
from tests.support.dashboard import Dashboard

Visitor = Callable[..., Page]
EMPTY = "discount is empty in 12 of 60 rows"
CSV = "order_id,amount,discount\n" + "".join(
    f"{i},{9999 if i == 7 else 100 + i % 9},{'' if i % 5 == 0 else 5}\n" for i in range(1, 61)
)


@pytest.fixture(params=[1440, 400], ids=["wide", "narrow"])
def page(request: pytest.FixtureRequest, visitor: Visitor, file_dashboard: Dashboard) -> Page:
    page = open_inspect(visitor, file_dashboard)
    remember_name(page, file_dashboard.url, "Ana")
    page.reload()
    page.set_viewport_size({"width": request.param, "height": 900})
    return page


def test_what_is_expected_is_not_reported_by_the_next_run(page: Page, tmp_path: Path) -> None:
    upload(page, "orders.csv", CSV.encode())
    page.get_by_text(EMPTY).click()
    page.get_by_role("button", name="Expected…").first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("The check for empty values does not run on")).to_be_visible()
    assert serious(page) == []
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_text("empty values are expected").first).to_be_visible()
    page.get_by_role("button", name="Check again").click()
    expect(page.get_by_text("have changed since this run")).to_have_count(0)
    expect(page.get_by_text(EMPTY)).to_have_count(0)
    expected = FileStorage(tmp_path / "data").dataset_settings.load_checks("orders").columns
    assert expected == {"discount": ColumnSettings(optional=True)}
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("button", name="Check again").click()
    expect(page.get_by_text(EMPTY)).to_be_visible()
