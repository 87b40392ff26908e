"""Data and Activity in a browser: a backup put back, the trash, the filters of the feed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from lavendertown.collaboration.database_storage import DatabaseStorage
from tests.browser.screens import choose_filter, open_as_visitor
from tests.contract.builders import report
from tests.support.dashboard import Dashboard

# Streamlit's own: no caller can mend it.
UPSTREAM = {"svg-img-alt"}


@pytest.fixture
def storage(tmp_path: Path) -> DatabaseStorage:
    """A SQLite database with two reports of Ana's."""
    made = DatabaseStorage(f"sqlite:///{tmp_path / 'store.db'}")
    for number, title in enumerate(("Orders, nightly", "Shipments")):
        made.save_report(report(f"r{number}", title=title, author="Ana Ferreira"))
    return made


@pytest.fixture
def served(storage: DatabaseStorage, start_server: Callable[..., Dashboard], tmp_path: Path) -> Dashboard:
    """A dashboard on that database."""
    url = f"sqlite:///{tmp_path / 'store.db'}"
    return start_server(LAVENDERTOWN_STORAGE_TYPE="database", LAVENDERTOWN_DATABASE_URL=url)


def open_tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name).click()


def test_a_backup_is_made_looked_at_put_back_and_that_is_undone(
    served: Dashboard, storage: DatabaseStorage, visitor: Callable[..., Page]
) -> None:
    page = visitor()
    open_as_visitor(page, f"{served.url}/data", "Chiyo Tanaka")
    page.get_by_role("button", name="Back up now").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    assert Path(download.value.path()).read_bytes().startswith(b"SQLite format 3\0")

    storage.delete_report("r1", actor="Ben Okafor")
    storage.save_report(report("r2", title="Returns"))
    open_tab(page, "Restore")
    page.get_by_role("combobox", name="A backup on the server").click()
    page.get_by_role("option").first.click()
    page.get_by_role("button", name="Preview changes").click()
    expect(page.get_by_text("The file is valid.")).to_be_visible()
    expect(page.get_by_text("1 comes back: Shipments")).to_be_visible()
    expect(page.get_by_text("1 goes: Returns")).to_be_visible()
    page.get_by_text("Numbers of rows").click()
    expect(page.get_by_role("row", name="reports 3 → 2")).to_be_visible()
    page.get_by_role("button", name="Replace all data with this backup").click()
    expect(page.get_by_text("The previous data is saved as")).to_be_visible()
    assert {row["id"] for row in storage.query_reports()} == {"r0", "r1"}

    first = page.get_by_text("is loaded: ").inner_text()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("is loaded: ")).not_to_have_text(first)
    assert {row["id"] for row in storage.query_reports()} == {"r0", "r2"}


def test_a_deleted_report_is_restored_from_the_trash(
    served: Dashboard, storage: DatabaseStorage, visitor: Callable[..., Page]
) -> None:
    storage.delete_report("r1", actor="Ben Okafor")
    page = visitor()
    open_as_visitor(page, f"{served.url}/data?tab=Trash", "Chiyo Tanaka")
    line = page.get_by_test_id("stCheckbox").filter(has_text="Shipments")
    expect(line).to_contain_text("by Ben Okafor")
    line.click()
    page.get_by_role("button", name="Restore 1 selected").click()
    expect(page.get_by_text("1 report restored.")).to_be_visible()
    expect(page.get_by_text("The trash is empty")).to_be_visible()
    assert storage.count_reports() == 2


def test_the_feed_is_filtered_and_the_address_keeps_it(
    served: Dashboard, storage: DatabaseStorage, visitor: Callable[..., Page]
) -> None:
    storage.delete_report("r1", actor="Ben Okafor")
    page = visitor()
    open_as_visitor(page, f"{served.url}/activity", "Chiyo Tanaka")
    expect(page.get_by_text("3 changes, newest first")).to_be_visible()
    choose_filter(page, "Person", "Ben Okafor")
    expect(page.get_by_text("1 change, newest first")).to_be_visible()
    address = str(page.evaluate("location.href"))
    assert "person=Ben" in address
    other = visitor()
    open_as_visitor(other, f"{served.url}/activity?record=r1&operation=create", "Ana Ferreira")
    expect(other.get_by_text("1 change, newest first")).to_be_visible()
    other.get_by_text("created the report").click()
    other.get_by_role("link", name="Open the report").click()
    expect(other.get_by_text("Shipments").first).to_be_visible()


@pytest.mark.parametrize("screen", ["data?tab=Trash", "data", "activity"])
def test_the_screens_are_accessible_and_draw_their_tables(
    served: Dashboard, storage: DatabaseStorage, visitor: Callable[..., Page], screen: str
) -> None:
    storage.delete_report("r1", actor="Ben Okafor")
    page = visitor()
    open_as_visitor(page, f"{served.url}/{screen}", "Chiyo Tanaka")
    if screen == "data":
        page.get_by_test_id("stExpander").get_by_text("Schema", exact=True).click()
        expect(page.get_by_role("figure", name="Diagram of").locator("svg")).to_be_visible()
        expect(page.get_by_role("row", name="identity_tags")).to_be_visible()
    else:
        expect(page.get_by_text("Shipments").first).to_be_visible()
    found = Axe().run(page).response["violations"]
    assert [each["id"] for each in found if each["id"] not in UPSTREAM] == []
