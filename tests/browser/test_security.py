"""What a stranger and a hostile page can do to the dashboard."""

from __future__ import annotations

import http.client
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.screens import remember_name
from tests.database.project_files import write
from tests.support.dashboard import ROOT, Dashboard, free_port, serve_dashboard


def ask(dashboard: Dashboard, path: str, **headers: str) -> http.client.HTTPResponse:
    with closing(http.client.HTTPConnection(urlsplit(dashboard.url).netloc, timeout=30)) as connection:
        connection.request("GET", path, headers=headers)
        with connection.getresponse() as answer:
            return answer


def test_every_answer_carries_the_security_headers(file_dashboard: Dashboard) -> None:
    for path in (
        "/",
        "/reports",
        "/healthz",
        "/_stcore/health",
        "/static/none.js",
        "/media/none",
        "/remember/x",
    ):
        answer = ask(file_dashboard, path)
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; ")
        assert "frame-ancestors 'none'" in policy
        assert "'sha256-" in policy
        assert "script-src 'self' 'unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"


def test_only_names_of_this_machine_and_those_in_the_settings_are_answered(
    start_server: Callable[..., Dashboard],
) -> None:
    dashboard = start_server(LAVENDERTOWN_SERVER_NAMES="quality.example.org, *.intern.example")
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    upgrade["Sec-WebSocket-Key"] = "dGhlIHNhbXBsZSBub25jZQ=="
    names = {"localhost": True, "127.0.0.1:8501": True, "[::1]:8501": True, "quality.example.org": True}
    names |= {"a.intern.example": True, "evil.example": False, "localhost.evil.example": False}
    for name, allowed in names.items():
        assert (ask(dashboard, "/healthz", Host=name).status == 200) is allowed
        assert (ask(dashboard, "/", Host=name).status == 200) is allowed
        stream = ask(dashboard, "/_stcore/stream", Host=name, Origin=f"http://{name}", **upgrade)
        assert (stream.status == 400) is not allowed


def test_the_session_cookie_is_random_lasting_and_hidden_from_scripts(
    file_dashboard: Dashboard, visitor: Callable[..., Page]
) -> None:
    ana, ben = visitor(), visitor()
    for page in (ana, ben):
        page.goto(file_dashboard.url)
        expect(page.get_by_role("heading", name="Findings")).to_be_visible()

    def key(page: Page) -> str:
        (found,) = [each for each in page.context.cookies() if each["name"] == "lavendertown_session"]
        assert found["httpOnly"]
        assert found["sameSite"] == "Lax"
        return str(found["value"])

    first = key(ana)
    assert first != key(ben)
    assert "lavendertown_session" not in ana.evaluate("document.cookie")
    ana.reload()
    expect(ana.get_by_role("heading", name="Findings")).to_be_visible()
    assert key(ana) == first


OWN_PAGE = """
import pandas as pd
import streamlit as st

TITLE = "Elements"
SCRIPT = "export default ({parentElement}) => { parentElement.querySelector('p').textContent = 'Script ran' }"

def page(db):
    st.bar_chart({"a": [1, 2, 3]})
    st.graphviz_chart("digraph { orders -> customers }")
    st.dataframe(pd.DataFrame({"a": [1, 2]}))
    st.download_button("Download", b"a,b", "table.csv")
    st.components.v2.component("mine", html="<p>Waiting</p>", js=SCRIPT)()
"""
PLANTED = """
import streamlit as st

TITLE = "Planted"

def page(db):
    st.html("<script>document.title = 'planted'</script>", unsafe_allow_javascript=True)
    st.markdown("![](http://127.0.0.1:9/outside.png)")
    st.markdown("The end")
"""


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Dashboard]:
    """The dashboard of a project with pages of its own."""
    write(tmp_path, {"pages/elements.py": OWN_PAGE, "pages/planted.py": PLANTED})
    port = free_port()
    command = [
        sys.executable,
        "-m",
        "lavendertown",
        "ui",
        "--port",
        str(port),
        "--",
        "--server.headless=true",
    ]
    settings = {"PYTHONPATH": str(ROOT), "LAVENDERTOWN_STORAGE_TYPE": "database"}
    started = serve_dashboard(command, port, settings, tmp_path / "log", tmp_path)
    yield started
    started.stop()


def test_a_projects_own_page_works_under_the_policy(project: Dashboard, visitor: Callable[..., Page]) -> None:
    page = visitor(color_scheme="dark")
    remember_name(page, project.url, "Ana")
    page.goto(f"{project.url}/page-elements")
    expect(page.get_by_text("Script ran")).to_be_visible()
    expect(page.get_by_test_id("stVegaLiteChart").locator("canvas, svg").first).to_be_visible()
    expect(page.get_by_test_id("stGraphVizChart").locator("text").last).to_be_visible()
    expect(page.get_by_test_id("stDataFrame").locator("canvas").first).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("button", name="Download", exact=True).click()
    assert Path(download.value.path()).read_text() == "a,b"


def test_what_was_planted_in_a_page_neither_runs_nor_calls_outside(
    project: Dashboard, browser: Browser
) -> None:
    context = browser.new_context()
    page = context.new_page()
    remember_name(page, project.url, "Ana")
    with page.expect_console_message(lambda message: "img-src" in message.text):
        page.goto(f"{project.url}/page-planted")
    expect(page.get_by_text("The end")).to_be_visible()
    assert page.title() != "planted"
    context.close()
