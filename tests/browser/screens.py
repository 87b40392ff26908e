"""What people do on the screens, in words the tests can be read by."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Locator, Page, expect

FIRST_VISIT_MS = 60_000
"""A first visit loads the whole front end, which takes its time on a busy machine."""


def come_in(page: Page, url: str, name: str) -> None:
    """Open an address as a first visitor and say who one is."""
    page.goto(url)
    page.get_by_role("combobox", name="Your name").fill(name, timeout=FIRST_VISIT_MS)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Continue").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("button", name=name)).to_be_visible()
    # The browser is told the name at the end of the run; a test is fast enough to leave before.
    page.wait_for_function("document.cookie.includes('lavendertown_person=')")


def inspect_and_save(page: Page, file: Path, title: str) -> None:
    """Upload a file, wait for its findings, save them as a report and wait for it."""
    page.get_by_role("navigation").get_by_role("link", name="Inspect").click()
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Save as report").click(timeout=60_000)
    field = page.get_by_role("textbox", name="Title")
    field.fill(title)
    field.blur()
    page.get_by_role("button", name="Save report").click()
    expect(page.get_by_role("heading", name=title)).to_be_visible()


def annotate(page: Page, comment: str, tag: str, status: str) -> None:
    """Comment on the open finding with a new tag and a status, and wait until it is in the thread."""
    page.get_by_role("textbox", name="Add a comment").fill(comment)
    page.get_by_role("combobox", name="Tags").fill(tag)
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    page.get_by_role("combobox", name="New status").click()
    page.get_by_role("option", name=status).click()
    page.get_by_role("button", name="Comment", exact=True).click()
    expect(said(page, comment)).to_be_visible()


def said(page: Page, comment: str) -> Locator:
    """The comment in the thread, as it is shown."""
    return page.get_by_test_id("stChatMessage").filter(has_text=comment)


def choose(page: Page, menu: str, value: str) -> None:
    """Pick a value of a filter menu."""
    page.get_by_role("button", name=menu, exact=True).click()
    page.get_by_role("menuitem", name=value).click()
