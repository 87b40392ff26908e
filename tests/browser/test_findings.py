"""The desk in a real browser: several people at once, by mouse and by keys, on a wide and a narrow window."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from lavendertown.collaboration.models import Annotation, ShareableReport
from lavendertown.collaboration.parts.triage import Decision
from lavendertown.collaboration.storage import FileStorage, get_finding_id
from lavendertown.core.clock import now
from lavendertown.models import GhostFinding
from tests.browser.screens import click_first_row, click_until, open_as_visitor, press_until
from tests.support.dashboard import Dashboard

COLUMNS = ("age", "city", "email")
CELL = "td[role=gridcell]"


def run(day: int, *columns: str) -> ShareableReport:
    """A day's run of one suite, in which these columns have empty values."""
    found = [
        GhostFinding(
            "null",
            name,
            "error",
            f"{name} is empty in {10 + day} of 100 rows.",
            [1],
            {"check": "nulls", "params": {}, "count": 10 + day, "share": 0.1},
        )
        for name in columns
    ]
    ran = [{"check": "nulls", "column": name, "params": {}, "outcome": "passed"} for name in COLUMNS]
    metadata = {"dataset": "people", "coverage": {"ran": ran}}
    made = now() - timedelta(days=10 - day) if day < 2 else now()
    return ShareableReport(f"day {day}", f"People, day {day}", "Ana", made, found, metadata=metadata)


@pytest.fixture
def storage(tmp_path: Path) -> FileStorage:
    """The store that ``file_dashboard`` serves, after two runs."""
    made = FileStorage(tmp_path / "data")
    made.save_reports([run(0, "age", "city"), run(1, "age", "city", "email")])
    return made


def name_of(column: str) -> str:
    return get_finding_id(run(0, column).findings[0], "people")


def status(storage: FileStorage, column: str) -> str:
    (row,) = storage.inbox.load_rows([name_of(column)])
    return str(row["status"])


def toolbar(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=name == "Show").click()


def test_a_finding_keeps_its_thread_over_three_runs_and_comes_back(
    file_dashboard: Dashboard, storage: FileStorage, visitor: Callable[..., Page]
) -> None:
    page = visitor()
    open_as_visitor(page, f"{file_dashboard.url}/?finding={name_of('age')}", "Chiyo Tanaka")
    expect(page.get_by_role("heading", name="age is empty in 11 of 100 rows.")).to_be_visible()
    page.get_by_text("Discussion").click()
    # A key works once its button is there.
    expect(page.get_by_role("button", name=re.compile("Shortcut X"))).to_be_visible()
    page.keyboard.press("x")
    page.get_by_role("textbox", name="Why?").fill("The loader is mended.")
    toolbar(page, "Set to Fixed")
    expect(page.get_by_text("1 finding set to Fixed.")).to_be_visible()
    expect(page.get_by_text("Closed: The loader is mended.")).to_be_visible()
    storage.save_report(run(2, "city"))
    storage.save_report(run(3, "age", "city"))
    page.goto(f"{file_dashboard.url}/?finding={name_of('age')}")
    expect(page.get_by_role("heading", name="age is empty in 13 of 100 rows.")).to_be_visible()
    expect(page.get_by_text("it was fixed on")).to_be_visible()
    expect(page.get_by_test_id("stChatMessage").filter(has_text="The loader is mended.")).to_be_visible()


def test_many_are_decided_at_once_and_undone(
    file_dashboard: Dashboard, storage: FileStorage, visitor: Callable[..., Page]
) -> None:
    page = visitor()
    open_as_visitor(page, f"{file_dashboard.url}/", "Chiyo Tanaka")
    page.get_by_role("checkbox", name="Select: age is empty").check()
    expect(page.get_by_text("1 selected")).to_be_visible()
    toolbar(page, "Select all 3 that match")
    expect(page.get_by_text("3 selected")).to_be_visible()
    page.get_by_role("button", name="Assign", exact=True).click()
    page.get_by_role("menuitem", name="Chiyo Tanaka").click()
    expect(page.get_by_text("3 findings assigned to Chiyo Tanaka.")).to_be_visible()
    assert storage.inbox.count(assignee="Chiyo Tanaka") == 3
    toolbar(page, "Undo")
    expect(page.get_by_text("Undone.")).to_be_visible()
    assert storage.inbox.count(assignee="") == 3


def test_the_second_of_two_people_is_told_who_was_faster(
    file_dashboard: Dashboard, storage: FileStorage, visitor: Callable[..., Page]
) -> None:
    first = visitor()
    open_as_visitor(first, f"{file_dashboard.url}/?finding={name_of('age')}", "Chiyo Tanaka")
    toolbar(first, "Actions")
    first.get_by_role("menuitem", name="Pin a note").click()
    first.get_by_role("textbox", name="Pinned note").fill("See the wiki.")
    storage.triage.decide(name_of("age"), Decision(note="Ask Ben first."), actor="Ben Okafor")
    toolbar(first, "Pin")
    expect(first.get_by_text("Not saved:")).to_contain_text("Ben Okafor")
    assert storage.triage.load(name_of("age"))["note"] == "Ask Ben first."
    expect(first.get_by_role("textbox", name="Pinned note")).to_have_value("See the wiki.")
    toolbar(first, "Pin")
    expect(first.get_by_text("1 finding with another note.")).to_be_visible()


def test_what_others_do_is_announced_and_moves_nothing(
    file_dashboard: Dashboard, storage: FileStorage, visitor: Callable[..., Page]
) -> None:
    page = visitor()
    open_as_visitor(page, f"{file_dashboard.url}/", "Chiyo Tanaka")
    expect(page.get_by_text("3 findings ·")).to_be_visible()
    storage.triage.decide(name_of("age"), Decision(status="fixed", reason="Mended"), actor="Ben Okafor")
    expect(page.get_by_text("by Ben Okafor")).to_be_visible()
    expect(page.get_by_text("3 findings ·")).to_be_visible()
    toolbar(page, "Show")
    expect(page.get_by_text("2 findings ·")).to_be_visible()


def test_from_the_list_to_closed_by_keyboard_only(
    file_dashboard: Dashboard, storage: FileStorage, visitor: Callable[..., Page]
) -> None:
    page = visitor()
    open_as_visitor(page, f"{file_dashboard.url}/", "Chiyo Tanaka")
    # A key works once its button is there, which is drawn last.
    expect(page.get_by_role("button", name="Open the first")).to_be_visible()
    page.keyboard.press("o")
    opened = page.get_by_role("heading", name="of 100 rows.")
    expect(opened).to_be_visible()
    before = opened.inner_text()
    page.keyboard.press("j")
    expect(opened).not_to_have_text(before)
    column = opened.inner_text().split()[0]
    page.keyboard.press("x")
    expect(page.get_by_role("textbox", name="Why?")).to_be_visible()
    page.keyboard.press("Tab")
    page.get_by_role("textbox", name="Why?").focus()
    # The keys are silent while one types: none of these letters opens anything.
    page.keyboard.type("jokax mended")
    page.keyboard.press("Tab")
    page.get_by_role("button", name="Set to Fixed").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 finding set to Fixed.")).to_be_visible()
    assert status(storage, column) == "fixed"


def listed(page: Page) -> list[str]:
    """Return the findings in the list, in its order."""
    expect(page.locator("tbody a").first).to_be_visible()
    return page.locator("tbody a").all_text_contents()


def test_a_click_anywhere_in_a_row_opens_it_and_marks_it(
    file_dashboard: Dashboard, storage: FileStorage, visitor: Callable[..., Page]
) -> None:
    page = visitor(viewport={"width": 1440, "height": 900})
    open_as_visitor(page, f"{file_dashboard.url}/", "Chiyo Tanaka")
    row = page.locator("tbody tr", has_text="city is empty")
    row.locator("td[data-column=rows]").click()
    expect(page.get_by_role("heading", name="city is empty in 11 of 100 rows.")).to_be_visible()
    expect(page).to_have_url(re.compile(f"finding={name_of('city')}"))
    expect(page.locator("tbody a[aria-current=true]")).to_have_text("city is empty")
    # Dataset and column stay visible next to the open finding.
    expect(row).to_contain_text("people.city")
    page.keyboard.press("j")
    expect(page.locator("tbody a[aria-current=true]")).not_to_have_text("city is empty")


def test_the_list_works_with_the_keyboard_alone(
    file_dashboard: Dashboard, storage: FileStorage, visitor: Callable[..., Page]
) -> None:
    page = visitor()
    open_as_visitor(page, f"{file_dashboard.url}/", "Chiyo Tanaka")
    first, second = listed(page)[:2]
    page.get_by_role("link", name=first, exact=True).focus()
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("link", name=second, exact=True)).to_be_focused()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Space")
    expect(page.get_by_text("1 selected")).to_be_visible()
    expect(page.get_by_role("checkbox", name=f"Select: {second}")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name=second)).to_be_visible()


def test_a_header_sorts_the_list_and_the_address_holds_it(
    file_dashboard: Dashboard, storage: FileStorage, visitor: Callable[..., Page]
) -> None:
    storage.save_annotation(Annotation("c-1", name_of("city"), "Ben", now(), "Ask the loader's owner."))
    page = visitor(viewport={"width": 1440, "height": 900})
    open_as_visitor(page, f"{file_dashboard.url}/?sort=first_seen", "Chiyo Tanaka")
    assert listed(page)[0] == "email is empty"
    page.get_by_role("columnheader", name="Comments").get_by_role("button").click()
    expect(page).to_have_url(re.compile("sort=comment_count"))
    expect(page.locator("tbody a").first).to_have_text("city is empty")
    expect(page.locator("th[aria-sort=descending]")).to_have_text("Comments")


def test_the_columns_of_a_person_are_the_same_in_another_browser(
    file_dashboard: Dashboard, storage: FileStorage, visitor: Callable[..., Page]
) -> None:
    page, other = visitor(viewport={"width": 1440, "height": 900}), visitor()
    open_as_visitor(page, f"{file_dashboard.url}/", "Chiyo Tanaka")
    header = page.get_by_role("columnheader", name="Trend")
    expect(header).to_be_visible()
    toolbar(page, "Columns")
    page.get_by_role("menuitem", name="Trend").click()
    expect(header).to_have_count(0)
    open_as_visitor(other, f"{file_dashboard.url}/", "Chiyo Tanaka")
    expect(other.get_by_role("columnheader", name="Status")).to_be_visible()
    expect(other.get_by_role("columnheader", name="Trend")).to_have_count(0)
    assert storage.people.load_hidden_columns("Chiyo Tanaka") == ["seen"]
    assert storage.people.load_hidden_columns("Ana") == []


def test_below_900_pixels_a_finding_is_a_page_and_the_filters_one_button(
    file_dashboard: Dashboard, storage: FileStorage, visitor: Callable[..., Page]
) -> None:
    page = visitor(viewport={"width": 880, "height": 900})
    open_as_visitor(page, f"{file_dashboard.url}/", "Chiyo Tanaka")
    severity = page.get_by_role("button", name="Severity", exact=True).first
    expect(page.get_by_role("searchbox", name="Search findings")).to_be_visible()
    expect(severity).not_to_be_visible()
    page.get_by_role("button", name="Filters").click()
    page.get_by_role("button", name="Dataset", exact=True).click()
    page.get_by_role("menuitem", name="people").click()
    expect(page.get_by_role("button", name="Filters · 1")).to_be_visible()
    page.get_by_role("link", name="city is empty").click()
    expect(page.get_by_role("heading", name="city is empty in 11 of 100 rows.")).to_be_visible()
    expect(page.get_by_role("link", name="city is empty")).not_to_be_visible()
    expect(page.get_by_role("searchbox", name="Search findings")).not_to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.get_by_role("button", name="List").click()
    expect(page.get_by_role("link", name="city is empty")).to_be_visible()


def test_help_lists_the_keys_and_says_what_the_words_mean(
    file_dashboard: Dashboard, storage: FileStorage, visitor: Callable[..., Page]
) -> None:
    page = visitor()
    open_as_visitor(page, f"{file_dashboard.url}/", "Chiyo Tanaka")
    expect(page.get_by_role("button", name="Help")).to_be_visible()
    page.keyboard.press("h")
    expect(page.get_by_role("dialog")).to_contain_text("next, previous finding")
    expect(page.get_by_role("dialog")).to_contain_text("its check ran in the latest run and found nothing")


def test_the_desk_is_accessible_and_fits_a_narrow_window(
    file_dashboard: Dashboard, storage: FileStorage, visitor: Callable[..., Page]
) -> None:
    page = visitor()
    open_as_visitor(page, f"{file_dashboard.url}/?finding={name_of('age')}", "Chiyo Tanaka")
    expect(page.get_by_role("heading", name="age is empty")).to_be_visible()
    found = Axe().run(page).response["violations"]
    assert [each["id"] for each in found if each["impact"] in ("serious", "critical")] == []
    page.set_viewport_size({"width": 400, "height": 800})
    expect(page.get_by_role("heading", name="age is empty")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_changed_check_is_asked_about_and_keeps_its_thread(
    file_dashboard: Dashboard, storage: FileStorage, visitor: Callable[..., Page]
) -> None:
    storage.save_annotation(Annotation("note", name_of("age"), "Ben", now(), "Ask the clinic."))
    later = run(2, "age", "city")
    later.findings[0].metadata["params"] = {"limit": 5}
    later.metadata["coverage"] = {"ran": []}
    storage.save_report(later)
    page = visitor()
    open_as_visitor(page, f"{file_dashboard.url}/?view=twins", "Chiyo Tanaka")
    toolbar(page, "Open the first")
    expect(page.get_by_text("Is this the same as")).to_be_visible()
    toolbar(page, "Same finding")
    expect(page.get_by_text("They are one finding now")).to_be_visible()
    expect(page.get_by_test_id("stChatMessage").filter(has_text="Ask the clinic.")).to_be_visible()
    page.get_by_role("tab", name="History").click()
    expect(page.get_by_text("Seen first: 10 rows").first).to_be_visible()
    expect(page.get_by_text("Ben commented on it: Ask the clinic.").first).to_be_visible()
    assert storage.findings.resolve_id(name_of("age")) == get_finding_id(later.findings[0], "people")


def test_a_bar_leads_to_the_findings_it_counts(
    file_dashboard: Dashboard, storage: FileStorage, visitor: Callable[..., Page]
) -> None:
    page = visitor()
    open_as_visitor(page, f"{file_dashboard.url}/trends?period=4w", "Chiyo Tanaka")
    bars = page.locator("[class*='st-key-trends-severity'] .bars path")
    # The first trace counts errors, one bar a day; nine days ago one run had found two.
    expect(bars.nth(27)).to_be_attached()
    page.locator("[class*='st-key-trends-severity'] .bars .point").nth(17).click(force=True)
    expect(page.get_by_role("heading", name="Findings", exact=True)).to_be_visible()
    expect(page.get_by_text("2 findings ·")).to_be_visible()
    expect(page.get_by_role("button", name="in the latest runs up to")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Trends")).to_be_visible()
    page.get_by_role("button", name="Findings", exact=True).nth(0).click()
    page.get_by_role("menuitem", name=": 3 found").first.click()
    expect(page.get_by_text("3 findings ·")).to_be_visible()


def test_a_run_is_compared_with_the_one_before(
    file_dashboard: Dashboard, storage: FileStorage, visitor: Callable[..., Page]
) -> None:
    later = run(2, "age")
    later.findings[0].metadata["share"] = 0.2
    storage.save_report(later)
    page = visitor()
    open_as_visitor(page, f"{file_dashboard.url}/?report=day 2", "Chiyo Tanaka")
    toolbar(page, "Compare")
    expect(page.get_by_role("button", name="1 Worse")).to_be_visible()
    expect(page.get_by_role("button", name="2 Gone")).to_be_visible()
    toolbar(page, "1 Worse")
    expect(page.locator(CELL, has_text="Gone")).to_have_count(0)
    click_first_row(page, 260, page.get_by_role("heading", name="age is empty in 12 of 100 rows."))
    toolbar(page, "2 Gone")
    expect(page.locator(CELL, has_text="Gone")).to_have_count(2)
    click_first_row(page, 260, page.get_by_role("heading", name="city is empty in 11 of 100 rows."))
    expect(page.get_by_role("heading", name="Findings", exact=True)).to_be_visible()


def save_view(page: Page, name: str) -> None:
    toolbar(page, "Views")
    page.get_by_role("menuitem", name="Save this view").click()
    page.get_by_role("textbox", name="Name", exact=True).fill(name)
    page.keyboard.press("Enter")


def top_of(locator: Locator) -> float:
    """Return the vertical position of an element in the window, once it does not move."""
    locator.click(trial=True)
    box = locator.bounding_box()
    assert box is not None
    return box["y"]


def test_a_saved_view_shows_exactly_what_was_saved_and_is_replaced_only_when_confirmed(
    file_dashboard: Dashboard, visitor: Callable[..., Page], storage: FileStorage
) -> None:
    storage.triage.decide(name_of("city"), Decision(status="fixed", reason="Repaired."), actor="Ana")
    ana, ben = visitor(), visitor()
    first, last = (f"{now() + timedelta(days=number):%Y-%m-%d}" for number in (-30, 1))
    address = f"{file_dashboard.url}/?view=open&sort=last_count&when={first}&when={last}&severity=error"
    open_as_visitor(ana, address, "Ana")
    save_view(ana, "Errors of today")
    expect(ana.get_by_text("Saved the view Errors of today for everybody.")).to_be_visible()
    open_as_visitor(ben, f"{file_dashboard.url}/?view=closed", "Ben")
    toolbar(ben, "Views")
    ben.get_by_role("menuitem", name="Errors of today").click()
    expect(ben.get_by_text("2 findings · rows counted")).to_be_visible()
    for part in ("view=open", "sort=last_count", "severity=error"):
        expect(ben).to_have_url(re.compile(part))
    [view] = storage.views.query()
    # The link is one of an earlier version, which had both days in one parameter.
    assert (view["query"]["from"], view["query"]["to"]) == ([first], [last])

    ben.get_by_role("button", name="All", exact=False).first.click()
    toolbar(ben, "Views")
    ben.get_by_role("menuitem", name="Save this view").click()
    ben.get_by_role("textbox", name="Name", exact=True).fill("Errors of today")
    top = top_of(ben.get_by_role("button", name="Save for the team"))
    ben.keyboard.press("Enter")
    expect(ben.get_by_text("Ana saved a view with this name on")).to_be_visible()
    assert storage.views.query() == [view]
    replace_button = ben.get_by_role("button", name="Replace for the team")
    assert top_of(replace_button) == top
    replace_button.click()
    expect(ben.get_by_text("Saved the view Errors of today for everybody.")).to_be_visible()
    assert [each["author"] for each in storage.views.query()] == ["Ben"]


@pytest.mark.parametrize(
    ("screen", "button", "item", "field"),
    [
        ("", "Views", "Save this view…", "Name"),
        ("trends", "Add a note", "", "Note"),
        ("owners", "Add rule", "", "Dataset"),
        ("report?report=day 1", "More", "Rename…", "Title"),
    ],
)
def test_the_first_field_of_a_dialog_has_the_focus(
    file_dashboard: Dashboard,
    storage: FileStorage,
    visitor: Callable[..., Page],
    screen: str,
    button: str,
    item: str,
    field: str,
) -> None:
    page = visitor()
    open_as_visitor(page, f"{file_dashboard.url}/{screen}", "Chiyo Tanaka")
    opener = page.get_by_role("button", name=button).last
    if item:
        chosen = page.get_by_role("menuitem", name=item)
        click_until(opener, chosen)
        chosen.click()
    else:
        click_until(opener, page.get_by_role("dialog"))
    expect(page.get_by_role("dialog").get_by_role("textbox", name=field)).to_be_focused()


def test_search_comment_and_close_have_keys_that_are_silent_while_typing(
    file_dashboard: Dashboard, storage: FileStorage, visitor: Callable[..., Page]
) -> None:
    page = visitor()
    open_as_visitor(page, f"{file_dashboard.url}/?finding={name_of('age')}", "Chiyo Tanaka")
    expect(page.get_by_role("button", name="Close…")).to_be_visible()
    search = page.get_by_role("searchbox", name="Search findings")
    press_until(page, "/", search)
    page.keyboard.type("m?/")
    expect(search).to_have_value("m?/")
    search.fill("")
    search.blur()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("send the comment")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).not_to_be_visible()

    press_until(page, "m", page.get_by_role("textbox", name="Add a comment"))
    page.keyboard.type("Asked the shop / at noon?")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_test_id("stChatMessage")).to_contain_text("Asked the shop / at noon?")

    press_until(page, "a", page.get_by_role("dialog").get_by_role("combobox", name="Assignee"))
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).not_to_be_visible()
    press_until(page, "x", page.get_by_role("textbox", name="Why?"))
    page.keyboard.type("By design.")
    page.get_by_role("radio", name="False alarm").click()
    page.get_by_role("button", name="Set to False alarm").click()
    expect(page.get_by_text("1 finding set to False alarm.")).to_be_visible()
    assert status(storage, "age") == "false_positive"
