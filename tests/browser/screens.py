"""Actions of users on the screens, shared by browser tests."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote, urlsplit

from playwright.sync_api import Locator, Page, expect

from lavendertown.ui.server.name_cookie import COOKIE

FIRST_VISIT_MS = 60_000
"""Timeout of a first visit, which loads the whole front end."""

WAIT_MS = 30_000
"""Timeout of every other wait: the default of 5 s is too short on a busy machine."""

GRID = "[data-testid=stDataFrame]"


def remember_name(page: Page, url: str, name: str) -> None:
    """Let the browser know the user's name, as if it had been entered on an earlier day.

    Entering it is tested in ``test_name.py``; here it would cost every visitor a further page.
    """
    parts = urlsplit(url)
    address = f"{parts.scheme}://{parts.netloc}"
    page.context.add_cookies([{"name": COOKIE, "value": quote(name, safe=""), "url": address}])


def open_as_visitor(page: Page, url: str, name: str) -> None:
    """Open a URL as a user whose name is stored in this browser."""
    remember_name(page, url, name)
    page.goto(url)
    # Keys pressed before the screen is drawn are lost.
    expect(page.get_by_role("button", name=name)).to_be_visible(timeout=FIRST_VISIT_MS)


def go_to_inspect(page: Page) -> None:
    """Go to the screen Inspect. The first screen of an empty store has a field for files too."""
    page.get_by_role("navigation").get_by_role("link", name="Inspect").click()
    expect(page.get_by_role("heading", name="Inspect", exact=True)).to_be_visible()


def inspect_and_save(page: Page, file: Path, title: str) -> None:
    """Upload a file, wait for its findings, and save them as a report."""
    go_to_inspect(page)
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Save as report").click(timeout=60_000)
    field = page.get_by_role("textbox", name="Title")
    field.fill(title)
    field.blur()
    page.get_by_role("button", name="Save report").click()
    expect(page.get_by_role("heading", name=title)).to_be_visible()


def comment_on_finding(page: Page, comment: str, tag: str, status: str) -> None:
    """Add a comment with a new tag and a status to the open finding, and wait until the thread shows it."""
    page.get_by_role("textbox", name="Add a comment").fill(comment)
    page.get_by_role("combobox", name="Tags").fill(tag)
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    page.get_by_role("combobox", name="New status").click()
    page.get_by_role("option", name=status).click()
    page.get_by_role("button", name="Comment", exact=True).click()
    expect(find_comment(page, comment)).to_be_visible()


def find_comment(page: Page, comment: str) -> Locator:
    """Return the comment in the thread."""
    return page.get_by_test_id("stChatMessage").filter(has_text=comment)


def click_until(button: Locator, expected: Locator) -> None:
    """Click a button until its effect shows: a click while the page changes reaches nobody."""
    for wait in (10_000, 20_000, WAIT_MS):
        button.click()
        try:
            expect(expected).to_be_visible(timeout=wait)
            return
        except AssertionError:
            if wait == WAIT_MS:
                raise


def wait_for_end_of_run(page: Page) -> None:
    """Wait until the run of the page's script has ended."""
    expect(page.locator("[data-testid=stApp][data-test-script-state=notRunning]")).to_be_visible()


def press_until(page: Page, key: str, focused: Locator) -> None:
    """Press a key until it moves the focus: a key pressed while the page changes reaches nobody."""
    for wait in (10_000, 20_000, WAIT_MS):
        page.keyboard.press(key)
        try:
            expect(focused).to_be_focused(timeout=wait)
            return
        except AssertionError:
            if wait == WAIT_MS:
                raise


def click_first_row(page: Page, x: int, expected: Locator) -> None:
    """Click in the first row of the first grid, ``x`` pixels from its left, until one ``expected`` is shown.

    A grid whose rows have just changed draws itself anew and drops a click made in that moment; nothing on
    the page says when it is ready.
    """
    for wait in (10_000, 20_000, WAIT_MS):
        page.locator(GRID).first.click(position={"x": x, "y": 52})
        try:
            expect(expected).to_have_count(1, timeout=wait)
            return
        except AssertionError:
            if wait == WAIT_MS:
                raise


def choose_filter(page: Page, menu: str, value: str) -> None:
    """Choose a value in a filter menu."""
    page.get_by_role("button", name=menu, exact=True).click()
    page.get_by_role("menuitem", name=value).click()
