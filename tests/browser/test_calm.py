"""What appears by itself moves nothing, and dates are those of the reader's locale."""

from __future__ import annotations

import datetime as dt
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import streamlit
from playwright.sync_api import Locator, Page, expect

from lavendertown.collaboration.models import Annotation
from lavendertown.collaboration.storage import FileStorage
from lavendertown.core.clock import now
from lavendertown.core.owner_rules import create_owner_rule
from lavendertown.records.record_classes import AuditEvent
from lavendertown.records.write_path import ImportBatch, WritePath
from lavendertown.stores.files import FileStore
from lavendertown.transfer.backups.backup import back_up
from lavendertown.transfer.backups.restore import restore_store
from lavendertown.transfer.locations import parse_location
from lavendertown.ui.components.shared.formatting import format_relative_time
from tests.browser.screens import (
    FIRST_VISIT_MS,
    click_until,
    open_as_visitor,
    remember_name,
    wait_for_end_of_run,
)
from tests.browser.test_findings import name_of, run
from tests.support.dashboard import Dashboard

WIDTHS = [1440, 400]
WORD_AGES = """async ([file, seconds]) => {
  const exported = Object.values(await import(file));
  const found = exported.flatMap((each) => { try { return [each, each()]; } catch { return [each]; } });
  const moment = found.map((each) => each?.default ?? each).find((each) => each?.duration);
  return seconds.map((each) => moment(Date.now() - each * 1000).fromNow());
}"""
"""Words the ages with the library that writes them in Streamlit's grids."""


@pytest.fixture
def storage(tmp_path: Path) -> FileStorage:
    """The store that ``file_dashboard`` serves, with two runs."""
    made = FileStorage(tmp_path / "data")
    for day, age in ((0, 9), (1, 2)):
        made.save_report(replace(run(day, "age", "city"), created_at=now() - dt.timedelta(days=age)))
    return made


def open_at_width(page: Page, url: str, width: int) -> None:
    """Open a URL as Maya, in a window of this width; a narrow one does not show her name."""
    remember_name(page, url, "Maya Lind")
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(url)
    wait_for_page(page)


def wait_for_page(page: Page) -> None:
    """Wait until a page is drawn as a whole."""
    expect(page.get_by_role("heading", level=1)).to_be_visible(timeout=FIRST_VISIT_MS)
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
    # What changes before the end of a run is on the page, and no news.
    wait_for_end_of_run(page)


def top_of(element: Locator) -> float:
    expect(element).to_be_visible()
    # Not bounding_box(), which is None for a row that is drawn again at this moment.
    return float(element.evaluate("each => each.getBoundingClientRect().top"))


@pytest.mark.parametrize(
    ("screen", "width"), [*(("", width) for width in WIDTHS), ("reports", 400), ("trends", 1440)]
)
def test_news_of_colleagues_moves_nothing(
    file_dashboard: Dashboard, storage: FileStorage, visitor: Callable[..., Page], screen: str, width: int
) -> None:
    page = visitor()
    open_at_width(page, f"{file_dashboard.url}/{screen}", width)
    below = page.get_by_test_id("stMetric" if screen == "trends" else "stTextInput").first
    expect(below).to_be_visible()
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
    before = top_of(below)
    storage.save_annotation(Annotation("a-1", name_of("age"), "Ben Okafor", now(), "Asked the shop."))
    news = page.get_by_text("1 new change by Ben Okafor")
    expect(news).to_be_visible()
    assert top_of(below) == before
    # In the top bar.
    assert top_of(news) < top_of(page.get_by_role("heading", level=1))
    page.get_by_role("button", name="Show", exact=True).click()
    expect(news).not_to_be_visible()


def save_view(storage: FileStorage) -> None:
    storage.views.save("Errors", {"severity": ["error"]}, author="Ben Okafor")


def rename_incident(storage: FileStorage) -> None:
    (incident,) = storage.incidents.query()
    storage.incidents.set_title(incident["id"], "The feed was cut off", actor="Ben Okafor")


def add_owner_rule(storage: FileStorage) -> None:
    storage.owner_rules.save([create_owner_rule("orders", "", "Ana")], actor="Ben Okafor")


def add_note(storage: FileStorage) -> None:
    storage.timeline.add("Loader fixed", now(), actor="Ben Okafor")


def add_person(storage: FileStorage) -> None:
    storage.people.save("Cy", actor="Ben Okafor")


@pytest.mark.parametrize(
    ("screen", "change"),
    [
        ("", save_view),
        ("?view=incidents", rename_incident),
        ("incident?id=", rename_incident),
        ("owners", add_owner_rule),
        ("trends", add_note),
        ("dataset?dataset=people", add_note),
        ("activity", add_person),
    ],
)
def test_what_a_screen_shows_is_announced_when_a_colleague_changes_it(
    file_dashboard: Dashboard,
    storage: FileStorage,
    visitor: Callable[..., Page],
    screen: str,
    change: Callable[[FileStorage], None],
) -> None:
    incident = storage.incidents.create("Cut off", [name_of("age")], actor="Ana")
    page = visitor()
    address = screen + incident if screen.endswith("id=") else screen
    open_as_visitor(page, f"{file_dashboard.url}/{address}", "Maya Lind")
    wait_for_page(page)
    change(storage)
    expect(page.get_by_text("1 new change by Ben Okafor")).to_be_visible()


@pytest.mark.parametrize("screen", ["", "report?report=day 1", "trends", "rules"])
def test_every_screen_says_that_a_backup_replaced_all_data(
    file_dashboard: Dashboard, storage: FileStorage, visitor: Callable[..., Page], tmp_path: Path, screen: str
) -> None:
    backup = back_up(parse_location(str(tmp_path / "data"))).file
    storage.save_annotation(Annotation("a-1", name_of("age"), "Ben Okafor", now(), "Asked the shop."))
    page = visitor()
    open_as_visitor(page, f"{file_dashboard.url}/{screen}", "Maya Lind")
    wait_for_page(page)
    restore_store(str(tmp_path / "data"), backup, actor="Ben Okafor")
    expect(page.get_by_text("All data was replaced by Ben Okafor")).to_be_visible()


def test_a_comment_that_meets_a_restore_is_refused_and_kept(
    file_dashboard: Dashboard, storage: FileStorage, visitor: Callable[..., Page], tmp_path: Path
) -> None:
    page, store = visitor(), FileStore(tmp_path / "data")
    open_as_visitor(page, f"{file_dashboard.url}/report?report=day 1", "Maya Lind")
    wait_for_page(page)
    box = page.get_by_role("textbox", name="Add a comment")
    box.fill("Asked the shop.")
    event = AuditEvent(now(), "Ben Okafor", "store", "backup.zip", "restore", None, {})
    with store.replace_all() as staged:
        for folder in store.layout.record_dirs:
            if folder.exists():
                shutil.copytree(folder, staged / folder.name)
        WritePath(FileStore(staged)).import_records(ImportBatch(history=[event]))
        page.get_by_role("button", name="Comment", exact=True).click()
        # The write waits for the lock; it is sent by now.
        page.wait_for_timeout(1_000)
    expect(page.get_by_text("Not saved: Ben Okafor replaced all data")).to_be_visible()
    expect(box).to_have_value("Asked the shop.")
    assert storage.get_annotations(name_of("age")) == []
    click_until(
        page.get_by_role("button", name="Comment", exact=True),
        page.get_by_test_id("stChatMessage").filter(has_text="Asked the shop."),
    )


@pytest.mark.parametrize("width", WIDTHS)
def test_a_notice_with_undo_moves_nothing(
    file_dashboard: Dashboard, storage: FileStorage, visitor: Callable[..., Page], width: int
) -> None:
    page = visitor()
    open_at_width(page, f"{file_dashboard.url}/trends", width)
    number = page.get_by_test_id("stMetric").first
    expect(number).to_be_visible()
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
    before = top_of(number)
    click_until(page.get_by_role("button", name="Add a note"), page.get_by_role("dialog"))
    field = page.get_by_role("textbox", name="Note")
    field.fill("Loader fixed")
    field.blur()
    page.get_by_role("button", name="Add note", exact=True).click()
    undo = page.get_by_role("button", name="Undo", exact=True)
    expect(undo).to_be_in_viewport()
    expect(page.get_by_text("Note added.")).to_be_in_viewport()
    assert top_of(number) == before
    undo.click()
    expect(page.get_by_text("Note deleted.")).to_be_visible()
    page.get_by_role("button", name="Dismiss", exact=True).click()
    expect(undo).to_have_count(0)
    assert top_of(number) == before


@pytest.mark.parametrize("width", WIDTHS)
def test_the_question_for_a_name_moves_nothing(
    file_dashboard: Dashboard, storage: FileStorage, visitor: Callable[..., Page], width: int
) -> None:
    page = visitor(viewport={"width": width, "height": 900})
    page.goto(file_dashboard.url)
    page.locator("tbody a").first.click(timeout=FIRST_VISIT_MS)
    comment = page.get_by_role("textbox", name="Add a comment")
    comment.fill("Asked the shop.")
    above = page.get_by_role("tab", name="Discussion")
    before = top_of(above)
    comment.press("Control+Enter")
    name = page.get_by_role("textbox", name="Your name")
    expect(name).to_be_focused()
    expect(name).to_be_in_viewport()
    assert top_of(above) == before
    page.get_by_role("button", name="Cancel", exact=True).click()
    expect(name).to_have_count(0)
    assert top_of(above) == before


@pytest.mark.parametrize("width", WIDTHS)
def test_the_error_of_a_form_moves_nothing_and_covers_no_button(
    file_dashboard: Dashboard, storage: FileStorage, visitor: Callable[..., Page], width: int
) -> None:
    page = visitor()
    open_at_width(page, f"{file_dashboard.url}/?finding={name_of('age')}", width)
    above = page.get_by_role("tab", name="Discussion")
    send = page.get_by_role("button", name="Comment", exact=True)
    expect(send).to_be_visible()
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
    expect(page.get_by_text("No comments yet.")).to_be_visible()
    before = top_of(send) - top_of(above)
    send.click()
    error = page.get_by_role("alert").filter(has_text="Nothing is decided.")
    expect(error).to_be_in_viewport()
    assert top_of(send) - top_of(above) == before
    page.get_by_role("textbox", name="Add a comment").fill("Asked the shop.")
    page.get_by_test_id("stMain").evaluate("each => each.scrollTo(0, each.scrollHeight)")
    send_box = send.bounding_box()
    assert send_box is not None
    assert send_box["y"] + send_box["height"] < top_of(error)
    send.click()
    expect(error).to_have_count(0)


@pytest.mark.parametrize("width", WIDTHS)
def test_the_error_of_a_dialog_moves_nothing(
    file_dashboard: Dashboard, storage: FileStorage, visitor: Callable[..., Page], width: int
) -> None:
    page = visitor()
    open_at_width(page, f"{file_dashboard.url}/?finding={name_of('age')}", width)
    dialog = page.get_by_role("dialog")
    click_until(page.get_by_role("button", name="Close…"), dialog)
    send = dialog.get_by_role("button", name="Set to Fixed")
    # The dialog moves while it opens.
    send.click(trial=True)
    before = top_of(send)
    send.click()
    expect(dialog.get_by_text("Closing a finding needs a reason")).to_be_in_viewport()
    assert top_of(send) == before


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("screen", ["", "reports"])
def test_one_day_alone_filters_and_moves_nothing(
    file_dashboard: Dashboard, storage: FileStorage, visitor: Callable[..., Page], screen: str, width: int
) -> None:
    page = visitor()
    open_at_width(page, f"{file_dashboard.url}/{screen}", width)
    row = page.locator("tbody tr").first if not screen else page.get_by_role("link", name="People, day 1")
    expect(row).to_be_visible()
    if width < 900:
        page.get_by_role("button", name="Filters").click()
    menu = page.get_by_test_id("stPopoverButton").filter(has_text="Last seen" if not screen else "Date")
    expect(menu).to_be_visible()
    before = top_of(row)
    last = page.get_by_role("group", name="Until").get_by_role("spinbutton")
    click_until(menu, last.first)
    last.first.click()
    yesterday = now() - dt.timedelta(days=1)
    page.keyboard.type(f"{yesterday:%Y%m%d}")
    page.get_by_text("Since", exact=True).click()
    chosen = page.get_by_role("button", name=f"Until {yesterday.day} {yesterday:%b}", exact=False)
    expect(chosen).to_be_visible()
    expect(row).to_be_visible()
    # On a phone, the button that clears the filters of findings begins a line of its own.
    if screen or width > 900:
        assert top_of(row) == before
    page.keyboard.press("Escape")
    expect(page).to_have_url(re.compile(f"to={yesterday:%Y-%m-%d}"))
    page.reload()
    expect(row).to_be_visible()
    if width > 900:
        expect(chosen).to_be_visible()


@pytest.mark.parametrize(("locale", "first"), [("de-DE", 0), ("en-US", 6), ("ar-EG", 5)])
def test_calendars_and_charts_begin_weeks_on_the_same_day(
    file_dashboard: Dashboard, storage: FileStorage, visitor: Callable[..., Page], locale: str, first: int
) -> None:
    page = visitor(locale=locale, timezone_id="UTC")
    open_as_visitor(page, f"{file_dashboard.url}/reports", "Maya Lind")
    chart = page.locator("[aria-label^='Bar chart of findings per week']")
    expect(chart).to_have_count(1)
    last = (chart.get_attribute("aria-label") or "").rsplit("; ", 1)[-1].split(" ")[:2]
    begin = dt.datetime.strptime(" ".join([*last, str(now().year)]), "%d %b %Y").replace(tzinfo=dt.UTC)
    assert begin.weekday() == first
    first_day = page.get_by_role("group", name="Since").get_by_role("spinbutton").first
    click_until(page.get_by_role("button", name="Date", exact=True), first_day)
    first_day.click()
    days = page.locator("[role=grid] [role=button][aria-label]")
    expect(days.first).to_be_visible()
    assert days.evaluate_all("cells => cells[0].closest('tr').cells.length") == 7
    weekday = page.evaluate("locale => new Intl.Locale(locale).getWeekInfo().firstDay - 1", locale)
    assert weekday == first


def test_lists_word_ages_as_the_grids_do(
    file_dashboard: Dashboard, storage: FileStorage, visitor: Callable[..., Page]
) -> None:
    page = visitor()
    open_as_visitor(page, f"{file_dashboard.url}/reports", "Maya Lind")
    expect(page.get_by_role("link", name="2 days ago")).to_be_visible()
    (moment,) = (Path(streamlit.__file__).parent / "static" / "static" / "js").glob("moment.*.js")
    seconds = [1, 44, 46, 100, 43 * 60, 46 * 60, 5_000, 21 * 3_600, 23 * 3_600]
    seconds += [days * 86_400 for days in (2, 25, 27, 40, 50, 310, 330, 500, 600, 1_100)]
    worded = page.evaluate(WORD_AGES, [f"/static/js/{moment.name}", seconds])
    assert worded == [format_relative_time(now() - dt.timedelta(seconds=each)) for each in seconds]
