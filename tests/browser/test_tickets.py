"""Tickets in a real browser: the tracker is down, its reason is shown, and the ticket is sent again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from lavendertown.collaboration.storage import FileStorage
from tests.browser.screens import open_as_visitor
from tests.browser.test_findings import name_of, run
from tests.support.dashboard import Dashboard
from tests.support.receivers import http_receiver


def test_a_ticket_that_its_tracker_refused_is_sent_again(
    use_server: Callable[[dict[str, Any]], Dashboard],
    visitor: Callable[..., Page],
    tmp_path: Path,
) -> None:
    storage = FileStorage(tmp_path / "data")
    storage.save_report(run(1, "age"))
    with http_receiver() as tracker:
        dashboard = use_server(
            {
                "LAVENDERTOWN_DATA_DIR": str(tmp_path / "data"),
                "LAVENDERTOWN_STORAGE_TYPE": "file",
                "LAVENDERTOWN_TICKETS.HELPDESK.TYPE": "github",
                "LAVENDERTOWN_TICKETS.HELPDESK.URL": tracker.url,
                "LAVENDERTOWN_TICKETS.HELPDESK.ALLOW_PRIVATE": True,
            }
        )
        tracker.status = 503
        page = visitor()
        open_as_visitor(page, f"{dashboard.url}/?finding={name_of('age')}", "Maya Lind")
        page.get_by_role("button", name="Actions").last.click()
        page.get_by_role("menuitem", name="Create a ticket: helpdesk").click()
        expect(page.get_by_text("No ticket was created: 127.0.0.1 answered with status 503.")).to_be_visible()
        assert storage.get_annotations(name_of("age")) == []
        page.set_viewport_size({"width": 400, "height": 900})
        tracker.status, tracker.answer = 201, b'{"html_url": "https://example.org/issues/7"}'
        page.get_by_role("button", name="Send again").click()
        expect(page.get_by_text("Created a ticket in helpdesk. https://example.org/issues/7")).to_be_visible()
        expect(page.get_by_role("button", name="Send again")).to_have_count(0)
    (note,) = storage.get_annotations(name_of("age"))
    assert note.comment == "Created a ticket in helpdesk: https://example.org/issues/7"
