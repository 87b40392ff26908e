"""The Rules screen in a browser: a rule with its preview, the tabs, and a narrow window."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from lavendertown.collaboration.storage import FileStorage
from tests.browser.screens import remember_name
from tests.browser.test_expected import CSV
from tests.browser.test_screens import serious
from tests.browser.test_uploads import upload
from tests.support.dashboard import Dashboard

Visitor = Callable[..., Page]


def open_rules(page: Page, dashboard: Dashboard, width: int) -> None:
    """Inspect the table as Ana, then open its rules."""
    remember_name(page, dashboard.url, "Ana")
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(f"{dashboard.url}/inspect")
    upload(page, "orders.csv", CSV.encode())
    expect(page.get_by_role("button", name="Save as report")).to_be_visible(timeout=60_000)
    page.get_by_role("navigation").get_by_role("link", name="Rules").click()
    expect(page.get_by_text("No rules yet")).to_be_visible()
    page.set_viewport_size({"width": width, "height": 900})


@pytest.mark.parametrize("width", [1440, 400])
def test_a_rule_is_written_with_a_preview_on_the_data(
    width: int, visitor: Visitor, file_dashboard: Dashboard, tmp_path: Path
) -> None:
    page = visitor()
    open_rules(page, file_dashboard, width)
    page.get_by_role("button", name="Add rule").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("This rule cannot run yet")).to_be_visible()
    dialog.get_by_role("combobox", name="Type").click()
    page.get_by_role("option", name="Range").click()
    expect(dialog.get_by_role("textbox", name="Highest value")).to_be_visible()
    dialog.get_by_role("combobox", name="Column").click()
    page.get_by_role("option", name="amount").click()
    dialog.get_by_role("textbox", name="Highest value").fill("500")
    page.keyboard.press("Enter")
    expect(dialog.get_by_text("amount is above 500 in 1 of 60 rows")).to_be_visible()
    assert serious(page) == []
    dialog.get_by_role("button", name="Save rule").click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_text("amount range").first).to_be_visible()
    (rule,) = FileStorage(tmp_path / "data").dataset_settings.load_checks("orders").rules
    assert (rule.rule_type, rule.column, rule.parameters) == ("range", "amount", {"max_value": 500})
    for tab, landmark in (
        ("Checks", "Save checks"),
        ("Columns", "Column or pattern"),
        ("History", "rule amount range"),
    ):
        page.get_by_role("tab", name=tab).click()
        expect(page.get_by_text(landmark).first).to_be_visible()
        expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)
        # In a narrow window, axe finds fault with Streamlit's own menu.
        assert width == 400 or serious(page) == []
    overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert overflow <= 0


def test_rules_of_a_file_are_imported_and_exported(
    visitor: Visitor, file_dashboard: Dashboard, tmp_path: Path
) -> None:
    page = visitor()
    open_rules(page, file_dashboard, 1440)
    rules = "rules:\n- {name: amount is there, rule_type: not_null, column: amount}\n"
    page.get_by_role("button", name="Import").click()
    field = page.get_by_role("dialog").locator("input[type=file]")
    photo = {"name": "photo.png", "mimeType": "image/png", "buffer": b"no rules"}
    field.set_input_files(files=[photo])  # type: ignore[list-item]
    expect(page.get_by_text("choose one of the formats listed above")).to_be_visible()
    file = {"name": "shop.yaml", "mimeType": "application/yaml", "buffer": rules.encode()}
    field.set_input_files(files=[file])  # type: ignore[list-item]
    page.get_by_role("button", name="Add 1 rule").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_text("amount is there").first).to_be_visible()
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Great Expectations suite").click()
    assert download.value.suggested_filename == "orders-rules.json"
    assert "expect_column_values_to_not_be_null" in Path(download.value.path()).read_text("utf-8")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("No rules yet")).to_be_visible()
    assert FileStorage(tmp_path / "data").dataset_settings.load_checks("orders").rules == ()
