"""A visitor without a name: reads everything, and is asked for the name by the first write, in place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from lavendertown.collaboration.models import ShareableReport
from lavendertown.collaboration.storage import FileStorage, get_finding_id
from lavendertown.core.clock import now
from lavendertown.models import GhostFinding
from tests.browser.screens import find_comment
from tests.support.dashboard import Dashboard

FINDING = GhostFinding(
    "null",
    "age",
    "error",
    "age is empty in 11 of 100 rows.",
    [1],
    {"check": "nulls", "params": {}, "count": 11, "share": 0.1},
)
FINDING_ID = get_finding_id(FINDING, "people")
NAME = "Chiyo Tanaka"


@pytest.fixture
def storage(tmp_path: Path) -> FileStorage:
    """The store that ``file_dashboard`` serves, with one report and one in the trash."""
    made = FileStorage(tmp_path / "data")
    for report_id in ("r-1", "r-2"):
        made.save_report(
            ShareableReport(
                report_id, f"People {report_id}", "Ana", now(), [FINDING], metadata={"dataset": "people"}
            )
        )
    made.delete_report("r-2", actor="Ana")
    return made


@pytest.fixture
def page(file_dashboard: Dashboard, storage: FileStorage, visitor: Callable[..., Page]) -> Page:
    """A first visitor, at a link to a finding."""
    opened = visitor()
    opened.goto(f"{file_dashboard.url}/?report=r-1&finding={FINDING_ID}")
    expect(opened.get_by_role("heading", name="age is empty")).to_be_visible(timeout=60_000)
    return opened


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def comment(page: Page, text: str) -> None:
    page.get_by_role("textbox", name="Add a comment").fill(text)
    button(page, "Comment").click()
    expect(page.get_by_role("textbox", name="Your name")).to_be_focused()


def test_a_link_to_a_finding_asks_a_first_visitor_nothing(page: Page) -> None:
    expect(page.get_by_role("textbox", name="Your name")).to_have_count(0)
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(button(page, "Set your name")).to_be_visible()


@pytest.mark.parametrize("address", ["?report=r-1&finding={}", "?finding={}"])
def test_a_link_to_a_finding_shows_it_on_a_phone(
    address: str, file_dashboard: Dashboard, storage: FileStorage, visitor: Callable[..., Page]
) -> None:
    page = visitor(viewport={"width": 400, "height": 860})
    page.goto(f"{file_dashboard.url}/{address.format(FINDING_ID)}")
    expect(page.get_by_role("heading", name="age is empty")).to_be_in_viewport(timeout=60_000)
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_the_comment_is_saved_when_the_name_is_typed_and_the_button_clicked(page: Page) -> None:
    comment(page, "The till sends no age.")
    page.keyboard.type(NAME)
    button(page, "Continue").click()
    expect(find_comment(page, "The till sends no age.")).to_contain_text(NAME)
    expect(page.get_by_role("textbox", name="Add a comment")).to_have_value("")
    expect(button(page, NAME)).to_be_visible()


def test_the_name_is_asked_for_once_in_a_browser(page: Page) -> None:
    comment(page, "The till sends no age.")
    page.keyboard.type(NAME)
    with page.expect_response("**/remember/*"):
        page.keyboard.press("Enter")
    expect(find_comment(page, "The till sends no age.")).to_contain_text(NAME)
    page.reload()
    page.get_by_role("textbox", name="Add a comment").fill("They fix it on Monday.")
    button(page, "Comment").click()
    expect(find_comment(page, "They fix it on Monday.")).to_contain_text(NAME)


def test_a_known_name_is_one_click(page: Page) -> None:
    comment(page, "The till sends no age.")
    button(page, "Ana").click()
    expect(find_comment(page, "The till sends no age.")).to_contain_text("Ana")


def test_a_refused_name_says_why_and_keeps_the_comment(page: Page) -> None:
    comment(page, "The till sends no age.")
    page.keyboard.type("x" * 81)
    page.keyboard.press("Enter")
    expect(page.get_by_text("This name is longer than 80 characters")).to_be_visible()
    page.get_by_role("textbox", name="Your name").fill(NAME)
    page.keyboard.press("Enter")
    expect(find_comment(page, "The till sends no age.")).to_contain_text(NAME)


def test_cancel_keeps_the_comment_unsent(page: Page) -> None:
    comment(page, "The till sends no age.")
    field = page.get_by_role("textbox", name="Add a comment")
    expect(field).to_have_value("The till sends no age.")
    expect(field).to_be_disabled()
    button(page, "Cancel").click()
    expect(field).to_be_enabled()
    expect(page.get_by_role("textbox", name="Your name")).to_have_count(0)
    expect(page.get_by_role("textbox", name="Add a comment")).to_have_value("The till sends no age.")


def set_status(page: Page) -> None:
    page.get_by_role("combobox", name="Status", exact=True).click()
    page.get_by_role("option", name="Investigating").click()


def set_assignee(page: Page) -> None:
    page.get_by_role("combobox", name="Assignee").click()
    page.get_by_role("option", name="Ana").click()


def close_with_reason(page: Page) -> None:
    page.get_by_role("combobox", name="Status", exact=True).click()
    page.get_by_role("option", name="Fixed").click()
    page.get_by_role("textbox", name="Why?").fill("Fixed in the loader.")
    button(page, "Set to Fixed").click()


def snooze(page: Page) -> None:
    button(page, "Actions").click()
    page.get_by_role("menuitem", name="for a week").click()


def rename(page: Page) -> None:
    button(page, "More").click()
    page.get_by_role("menuitem", name="Rename").click()
    page.get_by_role("textbox", name="Title").fill("People, again")
    page.get_by_role("textbox", name="Title").blur()
    button(page, "Rename").click()


def delete(page: Page) -> None:
    button(page, "More").click()
    page.get_by_role("menuitem", name="Delete report").click()


def restore(page: Page) -> None:
    page.goto(f"{page.url.split('/report')[0]}/data?tab=Trash")
    page.get_by_test_id("stCheckbox").filter(has_text="People r-2").click()
    button(page, "Restore 1 selected").click()


def snooze_selected(page: Page) -> None:
    page.goto(page.url.split("/report")[0])
    page.locator("tbody input").first.check()
    expect(page.get_by_text("1 selected")).to_be_visible()
    button(page, "Snooze").click()
    page.get_by_role("menuitem", name="For a week").click()


def save_view(page: Page) -> None:
    page.goto(page.url.split("/report")[0])
    button(page, "Views").click()
    page.get_by_role("menuitem", name="Save this view").click()
    page.get_by_role("textbox", name="Name", exact=True).fill("Orders")
    page.get_by_role("textbox", name="Name", exact=True).blur()
    button(page, "Save for the team").click()


@pytest.mark.parametrize(
    ("act", "outcome"),
    [
        (set_assignee, "1 finding assigned to Ana."),
        (close_with_reason, "1 finding set to Fixed."),
        (snooze, "1 finding snoozed until"),
        (rename, "People, again"),
        (delete, "Deleted People r-1."),
        (restore, "1 report restored."),
        (snooze_selected, "1 finding snoozed until"),
        (save_view, "Saved the view Orders"),
    ],
)
def test_each_write_happens_when_the_name_is_given(
    act: Callable[[Page], None], outcome: str, page: Page, storage: FileStorage
) -> None:
    act(page)
    expect(page.get_by_role("textbox", name="Your name")).to_be_focused()
    page.keyboard.type(NAME)
    page.keyboard.press("Enter")
    expect(page.get_by_text(outcome).first).to_be_visible()
    expect(page.get_by_role("textbox", name="Your name")).to_have_count(0)
    assert NAME in {event["actor"] for event in storage.audit_log(limit=20)}


def test_a_status_is_set_when_the_name_is_given(page: Page) -> None:
    set_status(page)
    expect(page.get_by_role("textbox", name="Your name")).to_be_focused()
    expect(page.get_by_role("combobox", name="Status", exact=True)).to_have_value("Open")
    page.keyboard.type(NAME)
    page.keyboard.press("Enter")
    expect(page.get_by_role("combobox", name="Status", exact=True)).to_have_value("Investigating")


def test_a_report_is_saved_when_the_name_is_given(
    file_dashboard: Dashboard, visitor: Callable[..., Page], tmp_path: Path
) -> None:
    file = tmp_path / "deliveries.csv"
    file.write_text("id,city\n" + "".join(f"{i},{'' if i % 5 else 'Oslo'}\n" for i in range(100)))
    page = visitor()
    page.goto(f"{file_dashboard.url}/inspect")
    page.locator("input[type=file]").set_input_files(file, timeout=60_000)
    button(page, "Save as report").click(timeout=60_000)
    button(page, "Save report").click()
    expect(page.get_by_role("textbox", name="Your name")).to_be_focused()
    page.keyboard.type(NAME)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Deliveries")).to_be_visible()
    expect(page.get_by_text(f"{NAME} ·").first).to_be_visible()
