"""Browser tests: each has a dashboard, a store and browser contexts of its own."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.support.browser import find_chromium, launch_options
from tests.support.dashboard import ROOT, Dashboard, start_dashboard

BACKENDS = [
    pytest.param("file", id="file"),
    pytest.param("sqlite", id="sqlite"),
    pytest.param("postgres", id="postgres", marks=pytest.mark.postgres),
]
HERE = Path(__file__).parent
RESULTS = ROOT / "test-results"
FAILED = pytest.StashKey[bool]()
WAIT_MS = 30_000
# A page's own timeout does not reach `expect`, which gives up after 5 s: too little on a busy machine.
expect.set_options(timeout=WAIT_MS)
Reporting = Generator[None, pytest.TestReport, pytest.TestReport]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)
            if not item.get_closest_marker("timeout"):
                item.add_marker(pytest.mark.timeout(300))


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
    """Start dashboards under given LAVENDERTOWN_* settings.

    All are stopped at the end; a failed test shows what they printed.
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
            print(f"Dashboard {number} printed:\n{dashboard.log.read_text('utf-8', 'replace')}")


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest) -> str:
    """Each kind of store: file, sqlite, postgres."""
    return str(request.param)


@pytest.fixture
def storage_settings(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> dict[str, str]:
    """The settings of an empty store of this kind."""
    folder = {"LAVENDERTOWN_DATA_DIR": str(tmp_path / "data")}
    if backend == "file":
        return {**folder, "LAVENDERTOWN_STORAGE_TYPE": "file"}
    url = f"sqlite:///{tmp_path / 'store.db'}"
    if backend == "postgres":
        url = request.getfixturevalue("postgres_url")
    return {**folder, "LAVENDERTOWN_STORAGE_TYPE": "database", "LAVENDERTOWN_DATABASE_URL": url}


@pytest.fixture
def dashboard(storage_settings: dict[str, str], start_server: Callable[..., Dashboard]) -> Dashboard:
    """A dashboard on an empty store; a test that takes it runs once for each kind of store."""
    return start_server(**storage_settings)


@pytest.fixture
def file_dashboard(start_server: Callable[..., Dashboard]) -> Dashboard:
    """A dashboard on an empty file store, for tests that need one store only."""
    return start_server(LAVENDERTOWN_STORAGE_TYPE="file")


@pytest.fixture
def visitor(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Callable[..., Page]]:
    """Open a page in a new context, as one more person at another machine.

    Keyword arguments go to ``Browser.new_context``. Each open page of a failed test leaves a
    screenshot in ``test-results/``.
    """
    opened: list[tuple[BrowserContext, Page]] = []

    def open_page(**options: Any) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        page = context.new_page()
        page.set_default_timeout(WAIT_MS)
        opened.append((context, page))
        return page

    yield open_page
    for number, (context, page) in enumerate(opened):
        name = re.sub(r"[^\w.-]+", "-", request.node.name)
        picture = RESULTS / f"{name}-{number}.png"
        picture.unlink(missing_ok=True)
        if request.node.stash.get(FAILED, False) and not page.is_closed():
            RESULTS.mkdir(exist_ok=True)
            page.screenshot(path=picture, full_page=True)
        context.close()
