"""A lock that another program holds: the visitor is told, refused after a while, and loses nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from lavendertown.collaboration.storage import FileStorage
from tests.browser.screens import find_comment, open_as_visitor
from tests.contract.builders import report
from tests.support.dashboard import Dashboard
from tests.test_locks import held_elsewhere


def test_a_visitor_is_told_of_a_lock_and_keeps_what_they_typed(
    file_dashboard: Dashboard, visitor: Callable[..., Page], tmp_path: Path
) -> None:
    FileStorage(tmp_path / "data").save_report(report("r1"))
    page = visitor()
    open_as_visitor(page, f"{file_dashboard.url}/?report=r1", "Ana Ferreira")
    page.get_by_role("textbox", name="Add a comment").fill("The tills were offline.")
    with held_elsewhere(tmp_path / "data" / ".lock") as holder:
        page.get_by_role("button", name="Comment", exact=True).click()
        expect(page.get_by_text("Waiting for the lock on the data folder")).to_be_visible()
        refusal = page.get_by_text(f"is locked by another process (pid {holder.pid}")
        expect(refusal).to_be_visible(timeout=60_000)
    expect(page.get_by_role("textbox", name="Add a comment")).to_have_value("The tills were offline.")
    page.get_by_role("button", name="Comment", exact=True).click()
    expect(find_comment(page, "The tills were offline.")).to_be_visible()
