"""The guide's page in a real browser: `lavendertown ui` in the folder that the guide has built."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.screens import open_as_visitor
from tests.support.dashboard import Dashboard, free_port, serve_dashboard
from tests.test_guide import follow


@pytest.fixture
def built(tmp_path: Path) -> Iterator[Dashboard]:
    """The dashboard of a project that was made by the guide."""
    follow(tmp_path)
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "lavendertown",
        "ui",
        "--port",
        str(port),
        "--host",
        "127.0.0.1",
        "--",
        "--server.headless",
        "true",
    ]
    dashboard = serve_dashboard(command, port, {}, tmp_path / "dashboard.log", tmp_path)
    yield dashboard
    dashboard.stop()


def test_the_guides_page_shows_and_adds_rows(built: Dashboard, visitor: Callable[..., Page]) -> None:
    page = visitor()
    open_as_visitor(page, built.url, "Chiyo Tanaka")
    page.get_by_role("navigation").get_by_text("Project").click()
    page.get_by_text("Dataset owners").click()
    expect(page.get_by_text("orders · Cy Young")).to_be_visible()
    page.get_by_role("textbox", name="Dataset").fill("shipments")
    page.get_by_role("textbox", name="Owner").fill("Dee Fox")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_text("shipments · Dee Fox")).to_be_visible()
    page.get_by_role("textbox", name="Dataset").fill("returns")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_text("The dataset returns has no owner")).to_be_visible()
