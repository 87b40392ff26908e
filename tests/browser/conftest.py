"""Fixtures of browser tests: each test has its own store and browser contexts.

The tests of a worker share one dashboard, because starting one takes seconds. A settings file, which the
dashboard reads again for each page, leads it to the store of the test. A test that needs other settings in
the environment, or stops its server, starts a dashboard of its own.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from tests.browser.screens import WAIT_MS
from tests.support import no_skips
from tests.support.browser import find_chromium, launch_options
from tests.support.dashboard import ROOT, Dashboard, free_port, serve_dashboard, start_dashboard

BACKENDS = [
    pytest.param("file", id="file"),
    pytest.param("sqlite", id="sqlite"),
    pytest.param("postgres", id="postgres", marks=pytest.mark.postgres),
]
HERE = Path(__file__).parent
RESULTS = ROOT / "test-results"
FAILED = pytest.StashKey[bool]()
# The timeout of a page does not apply to `expect`, whose default of 5 s is too short on a busy machine.
expect.set_options(timeout=WAIT_MS)
Reporting = Generator[None, pytest.TestReport, pytest.TestReport]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if not item.get_closest_marker("timeout"):
                item.add_marker(pytest.mark.timeout(300))
            # CI reports a second attempt as RERUN. It is a fault to repair, but stops no unrelated change.
            if os.environ.get(no_skips.VARIABLE):
                item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Reporting:
    report = yield
    if report.failed:
        item.stash[FAILED] = True
    return report


@pytest.fixture(scope="session")
def browser_type_launch_args() -> dict[str, Any]:
    chromium = find_chromium()
    if chromium is None:
        pytest.skip("No Chromium was found; `make test` installs it, or set LAVENDERTOWN_TEST_CHROMIUM.")
    return launch_options(chromium)


@pytest.fixture
def start_server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., Dashboard]]:
    """Return a function that starts dashboards with the given LAVENDERTOWN_* settings.

    All are stopped at the end; a failed test prints their output.
    """
    started: list[Dashboard] = []

    def start(**settings: str) -> Dashboard:
        settings = {"LAVENDERTOWN_DATA_DIR": str(tmp_path / "data"), **settings}
        started.append(start_dashboard(settings, tmp_path / f"dashboard-{len(started)}.log"))
        return started[-1]

    yield start
    for number, dashboard in enumerate(started):
        dashboard.stop()
        if request.node.stash.get(FAILED, False):
            print(f"Output of dashboard {number}:\n{dashboard.log.read_text('utf-8', 'replace')}")


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[], Dashboard]]:
    """Return a function that returns the dashboard of this worker, in a folder of its own, and starts it."""
    folder = tmp_path_factory.mktemp("server")
    (folder / ".streamlit").symlink_to(ROOT / ".streamlit")
    started: list[Dashboard] = []

    def find_or_start() -> Dashboard:
        if not started or started[-1].process.poll() is not None:
            port = free_port()
            command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "app.py")]
            command += ["--server.port", str(port), "--server.headless", "true"]
            started.append(serve_dashboard(command, port, {}, folder / f"{len(started)}.log", folder))
        return started[-1]

    yield find_or_start
    for dashboard in started:
        dashboard.stop()


@pytest.fixture
def use_server(
    shared_server: Callable[[], Dashboard], request: pytest.FixtureRequest
) -> Iterator[Callable[[dict[str, str]], Dashboard]]:
    """Return a function that leads the dashboard of this worker to a store, given by LAVENDERTOWN_* settings.

    A failed test prints what the dashboard wrote since then.
    """
    begins: list[tuple[Dashboard, int]] = []

    def use(settings: dict[str, str]) -> Dashboard:
        dashboard = shared_server()
        begins.append((dashboard, dashboard.log.stat().st_size))
        lines = [
            f"{name.removeprefix('LAVENDERTOWN_').lower()} = {json.dumps(value)}\n"
            for name, value in settings.items()
        ]
        (dashboard.log.parent / "lavendertown.toml").write_text("".join(lines), encoding="utf-8")
        return dashboard

    yield use
    for dashboard, begin in begins:
        if request.node.stash.get(FAILED, False):
            print(
                f"Output of the dashboard:\n{dashboard.log.read_bytes()[begin:].decode('utf-8', 'replace')}"
            )


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    """Return each kind of store: file, sqlite, postgres."""
    return str(request.param)


@pytest.fixture
def storage_settings(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """Return the settings of an empty store of this kind."""
    folder = {"LAVENDERTOWN_DATA_DIR": str(tmp_path / "data")}
    if backend == "file":
        return {**folder, "LAVENDERTOWN_STORAGE_TYPE": "file"}
    url = f"sqlite:///{tmp_path / 'store.db'}"
    if backend == "postgres":
        url = request.getfixturevalue("postgres_url")
    return {**folder, "LAVENDERTOWN_STORAGE_TYPE": "database", "LAVENDERTOWN_DATABASE_URL": url}


@pytest.fixture
def dashboard(
    storage_settings: dict[str, str], use_server: Callable[[dict[str, str]], Dashboard]
) -> Dashboard:
    """Return a dashboard on an empty store; the test runs once for each kind of store."""
    return use_server(storage_settings)


@pytest.fixture
def file_dashboard(tmp_path: Path, use_server: Callable[[dict[str, str]], Dashboard]) -> Dashboard:
    """Return a dashboard on an empty file store, for tests that need only one store."""
    return use_server({"LAVENDERTOWN_DATA_DIR": str(tmp_path / "data"), "LAVENDERTOWN_STORAGE_TYPE": "file"})


@pytest.fixture
def visitor(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Callable[..., Page]]:
    """Return a function that opens a page in a new context, as another user on another machine.

    Keyword arguments are passed to ``Browser.new_context``. Each open page of a failed test leaves a
    screenshot in ``test-results/``, and what the browsers complained of is printed. A test fails if a page
    violates the Content-Security-Policy.
    """
    opened: list[tuple[BrowserContext, Page]] = []
    violations: list[str] = []
    problems: list[str] = []

    def open_page(**options: Any) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        context.on("console", lambda message: _record_violation(message, violations))
        context.on("console", lambda message: _record_problem(message, problems))
        context.on("weberror", lambda error: problems.append(str(error.error)))
        page = context.new_page()
        page.set_default_timeout(WAIT_MS)
        opened.append((context, page))
        return page

    yield open_page
    for number, (context, page) in enumerate(opened):
        name = re.sub(r"[^\w.-]+", "-", request.node.name)
        screenshot = RESULTS / f"{name}-{number}.png"
        screenshot.unlink(missing_ok=True)
        if request.node.stash.get(FAILED, False) and not page.is_closed():
            RESULTS.mkdir(exist_ok=True)
            page.screenshot(path=screenshot, full_page=True)
        context.close()
    if request.node.stash.get(FAILED, False) and problems:
        print("Problems in the browsers:", *problems, sep="\n")
    assert violations == []


def _record_violation(message: ConsoleMessage, violations: list[str]) -> None:
    if "Content Security Policy" in message.text:
        violations.append(message.text)


def _record_problem(message: ConsoleMessage, problems: list[str]) -> None:
    if message.type == "error":
        problems.append(message.text)
