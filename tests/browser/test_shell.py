"""What a reader sees where Streamlit would speak for itself: wrong addresses and a server that is away."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from lavendertown.collaboration.models import ShareableReport
from lavendertown.collaboration.storage import FileStorage
from lavendertown.core.clock import now
from lavendertown.models import GhostFinding
from tests.support.dashboard import ROOT, Dashboard, free_port, serve_dashboard

FIRST_VISIT_MS = 60_000
Restart = Callable[[], Dashboard]


@pytest.fixture
def restart(tmp_path: Path) -> Iterator[Restart]:
    """Start a dashboard on a file store; each further call starts it again on the same port."""
    port = free_port()
    settings = {"LAVENDERTOWN_DATA_DIR": str(tmp_path / "data"), "LAVENDERTOWN_STORAGE_TYPE": "file"}
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py"), "--server.port", str(port)]
    command += ["--server.address", "127.0.0.1", "--server.headless", "true"]
    started: list[Dashboard] = []

    def start() -> Dashboard:
        started.append(
            serve_dashboard(command, port, settings, tmp_path / f"server-{len(started)}.log", ROOT)
        )
        return started[-1]

    yield start
    for dashboard in started:
        dashboard.stop()


def save_report(folder: Path) -> None:
    finding = GhostFinding(
        "null", "age", "error", "age is empty in 11 rows.", [1], {"count": 11, "share": 0.1}
    )
    FileStorage(folder).save_report(
        ShareableReport("r-1", "People", "Ana", now(), [finding], metadata={"dataset": "people"})
    )


@pytest.mark.parametrize("path", ["nope", "nope/deeper/still", "reports/x?page=2"])
def test_a_wrong_address_says_so_in_our_words(
    path: str, file_dashboard: Dashboard, visitor: Callable[..., Page]
) -> None:
    page = visitor()
    page.goto(f"{file_dashboard.url}/{path}")
    expect(page.get_by_text("Nothing is at this address.")).to_be_visible(timeout=FIRST_VISIT_MS)
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("link", name="Reports").last.click()
    expect(page.get_by_text("No reports yet")).to_be_visible()


def test_a_link_to_a_report_under_a_wrong_address_opens_it(
    file_dashboard: Dashboard, tmp_path: Path, visitor: Callable[..., Page]
) -> None:
    save_report(tmp_path / "data")
    page = visitor()
    page.goto(f"{file_dashboard.url}/old/place?report=r-1")
    expect(page.get_by_role("heading", name="People")).to_be_visible(timeout=FIRST_VISIT_MS)


def test_findings_are_at_their_own_address_too(
    file_dashboard: Dashboard, tmp_path: Path, visitor: Callable[..., Page]
) -> None:
    save_report(tmp_path / "data")
    page = visitor()
    page.goto(f"{file_dashboard.url}/findings?view=all")
    expect(page.get_by_text("1 finding ·")).to_be_visible(timeout=FIRST_VISIT_MS)
    assert page.url.removeprefix(file_dashboard.url).startswith("/?view=all")


def test_a_page_survives_a_restart_of_the_server(
    restart: Restart, tmp_path: Path, visitor: Callable[..., Page]
) -> None:
    save_report(tmp_path / "data")
    server, page = restart(), visitor()
    page.goto(f"{server.url}/?report=r-1")
    field = page.get_by_role("textbox", name="Add a comment")
    field.fill("Half a sentence", timeout=FIRST_VISIT_MS)
    field.blur()
    server.process.kill()
    server.process.wait()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Connection lost")
    expect(dialog).to_contain_text("This page reconnects as soon as the server is back")
    assert "treamlit" not in page.locator("body").inner_text()
    restart()
    expect(dialog).to_have_count(0)
    expect(field).to_be_enabled()
    expect(field).to_have_value("Half a sentence")


def test_an_image_is_refused_in_our_words(
    file_dashboard: Dashboard, tmp_path: Path, visitor: Callable[..., Page]
) -> None:
    file = tmp_path / "photo.png"
    file.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    page = visitor()
    page.goto(f"{file_dashboard.url}/inspect")
    page.locator("input[type=file]").set_input_files(file, timeout=FIRST_VISIT_MS)
    expect(page.get_by_text("photo.png is an image, which is not supported")).to_be_visible()


def test_a_text_field_shows_no_hint_of_streamlit(
    file_dashboard: Dashboard, visitor: Callable[..., Page]
) -> None:
    page = visitor()
    page.goto(f"{file_dashboard.url}/me")
    page.get_by_role("textbox", name="Your name").press_sequentially("Ana", timeout=FIRST_VISIT_MS)
    hint = page.get_by_text("Press Enter to")
    expect(hint).to_be_attached()
    expect(hint).to_be_hidden()
