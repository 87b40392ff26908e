"""Incidents in a real browser: grouped by one person, closed by another, by keys and on a phone."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from lavendertown.collaboration.storage import FileStorage
from tests.browser.screens import find_comment, open_as_visitor, press_until
from tests.browser.test_findings import name_of, run
from tests.support.dashboard import Dashboard


@pytest.fixture
def storage(tmp_path: Path) -> FileStorage:
    """The store that ``file_dashboard`` serves, with one run whose findings have nearly the same rows."""
    made = FileStorage(tmp_path / "data")
    report = run(1, "age", "city", "email")
    for finding in report.findings:
        others = [each for each in report.findings if each is not finding]
        finding.metadata["related"] = [{"check": "nulls", "column": each.column} for each in others]
    made.save_report(report)
    return made


def violations(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [each["id"] for each in found if each["impact"] in ("serious", "critical")]


def test_two_people_group_discuss_and_close_what_has_one_cause(
    file_dashboard: Dashboard, storage: FileStorage, visitor: Callable[..., Page]
) -> None:
    maya, ben = visitor(), visitor()
    open_as_visitor(maya, f"{file_dashboard.url}/?finding={name_of('age')}", "Maya Lind")
    expect(maya.get_by_text("Group these 3 findings?")).to_be_visible()
    maya.get_by_role("button", name="Group…").click()
    maya.get_by_role("textbox", name="Title").fill("Till offline")
    maya.get_by_role("button", name="Group 3 findings").click()
    expect(maya.get_by_text("3 findings grouped into")).to_be_visible()
    maya.get_by_role("link", name=re.compile("Incident Till offline")).click()
    expect(maya.get_by_role("heading", name="Till offline")).to_be_visible()

    open_as_visitor(ben, f"{file_dashboard.url}/?view=incidents", "Ben Okafor")
    ben.get_by_role("link", name=re.compile("Till offline")).click()
    press_until(ben, "m", ben.get_by_role("textbox", name="Add a comment"))
    ben.keyboard.type("The shop lost its **network**.")
    ben.keyboard.press("Control+Enter")
    expect(find_comment(ben, "The shop lost its network.")).to_be_visible()
    expect(find_comment(maya, "The shop lost its network.")).to_be_visible()
    assert violations(ben) == []

    ben.get_by_role("button", name="Close…").click()
    ben.get_by_role("textbox", name="Why?").fill("The day was loaded again.")
    assert violations(ben) == []
    ben.get_by_role("button", name="Set to Fixed").click()
    expect(ben.get_by_text("3 findings set to Fixed.")).to_be_visible()
    expect(ben.get_by_text("0 of 3 findings open")).to_be_visible()
    maya.reload()
    expect(maya.get_by_text("0 of 3 findings open")).to_be_visible()
    ben.get_by_role("button", name="Undo").click()
    expect(ben.get_by_text("3 of 3 findings open")).to_be_visible()
    assert storage.inbox.count(state="open") == 3


def test_selected_findings_are_grouped_by_keyboard(
    file_dashboard: Dashboard, storage: FileStorage, visitor: Callable[..., Page]
) -> None:
    page = visitor()
    open_as_visitor(page, f"{file_dashboard.url}/", "Maya Lind")
    page.locator("tbody input").first.check()
    expect(page.get_by_text("1 selected")).to_be_visible()
    page.get_by_role("button", name="Group…").focus()
    page.keyboard.press("Enter")
    title = page.get_by_role("textbox", name="Title")
    expect(title).to_be_focused()
    page.keyboard.type("Till offline")
    page.keyboard.press("Tab")
    submit = page.get_by_role("button", name="Group 1 finding")
    submit.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 finding grouped into")).to_be_visible()
    (made,) = storage.incidents.query()
    assert (made["title"], len(made["members"])) == ("Till offline", 1)


def test_an_incident_fits_a_phone(
    file_dashboard: Dashboard, storage: FileStorage, visitor: Callable[..., Page]
) -> None:
    names = [name_of(column) for column in ("age", "city", "email")]
    made = storage.incidents.create("Till offline since Monday morning, again", names, actor="Ana")
    page = visitor()
    page.set_viewport_size({"width": 400, "height": 800})
    page.goto(f"{file_dashboard.url}/incident?id={made}")
    expect(page.get_by_role("heading", name="Till offline since Monday morning, again")).to_be_visible()
    expect(page.get_by_role("button", name="Remove")).to_have_count(3)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.get_by_role("link", name=re.compile("city is empty")).click()
    expect(page.get_by_role("heading", name="city is empty in 11 of 100 rows.")).to_be_visible()
