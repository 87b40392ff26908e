"""The screen Owner rules in a browser: a rule is added, moved and deleted, and assigns a new finding."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from lavendertown.collaboration.storage import FileStorage
from tests.browser.screens import open_as_visitor
from tests.browser.test_findings import run
from tests.browser.test_screens import serious
from tests.support.dashboard import Dashboard


@pytest.mark.parametrize("width", [1440, 400])
def test_a_rule_is_added_moved_and_deleted(
    width: int, file_dashboard: Dashboard, tmp_path: Path, visitor: Callable[..., Page]
) -> None:
    storage = FileStorage(tmp_path / "data")
    storage.save_report(run(0, "city"))
    page = visitor()
    open_as_visitor(page, f"{file_dashboard.url}/owners", "Maya Lind")
    page.set_viewport_size({"width": width, "height": 900})
    rules = (
        ("people*", "Ben Okafor", "Matches 1 dataset: people."),
        ("orders", "Maya Lind", "Matches no dataset with reports yet."),
    )
    page.get_by_role("button", name="Add rule").click()
    page.get_by_role("button", name="Save rule").click()
    expect(page.get_by_text("An owner rule needs a dataset, a column or both")).to_be_visible()
    page.keyboard.press("Escape")
    for dataset, owner, matches in rules:
        page.get_by_role("button", name="Add rule").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_role("textbox", name="Dataset").fill(dataset)
        dialog.get_by_role("combobox", name="Owner").fill(owner)
        page.keyboard.press("Enter")
        expect(dialog.get_by_text(matches)).to_be_visible()
        assert serious(page) == []
        dialog.get_by_role("button", name="Save rule").click()
        expect(dialog).to_have_count(0)
        expect(page.get_by_text("Rule added.")).to_be_visible()
    if width == 1440:  # Streamlit's own menu of a narrow window is a list with other elements.
        assert serious(page) == []
    page.get_by_role("button", name="More").nth(1).click()
    page.get_by_role("menuitem", name="Move up").click()
    expect(page.get_by_text("Rule moved up.")).to_be_visible()
    assert [rule.owner for rule in storage.owner_rules.list_stored()] == ["Maya Lind", "Ben Okafor"]
    width_of_page = page.evaluate("document.documentElement.scrollWidth")
    assert width_of_page <= width
    page.get_by_role("button", name="More").nth(1).click()
    page.get_by_role("menuitem", name="Delete").click()
    expect(page.get_by_text("Rule deleted.")).to_be_visible()
    assert [rule.owner for rule in storage.owner_rules.list_stored()] == ["Maya Lind"]
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("Undone.")).to_be_visible()
    storage.save_report(run(1, "city", "age"))
    assert {row["column"]: row["assignee"] for row in storage.inbox.query()} == {
        "city": "",
        "age": "Ben Okafor",
    }
