"""The whole wizard in a browser: files to PostgreSQL with a reload in the middle, and the way back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import psutil
import psycopg2
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from lavendertown.collaboration import converters
from lavendertown.collaboration.database_storage import DatabaseStorage
from lavendertown.collaboration.models import Annotation, ShareableReport
from lavendertown.collaboration.storage import FileStorage, get_finding_id
from lavendertown.core.clock import now
from lavendertown.core.settings import load_settings
from lavendertown.models import GhostFinding
from lavendertown.stores.files import report_format
from lavendertown.stores.files.layout import Layout, file_name
from lavendertown.transfer import store_switch
from tests.browser.screens import find_comment, open_as_visitor, remember_name
from tests.support.dashboard import Dashboard

REPORTS = 1500
# Streamlit's own metric, table and grid: no caller can mend these.
UPSTREAM = {"svg-img-alt"}
MOVE_MS = 120_000
WAITING = "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = 'reports'::regclass"


def a_report(number: int, title: str = "") -> ShareableReport:
    findings = [
        GhostFinding(
            "null",
            column,
            "error",
            f"{column} is empty in 41 rows.",
            [3, 5],
            {"check": "nulls", "params": {}, "count": 41, "share": 0.1},
        )
        for column in ("customer_id", "price", "region")
    ]
    title = title or f"Orders, run {number}"
    metadata = {"dataset": f"orders_{number}"}
    report = ShareableReport(f"r-{number}", title, "Ana Ferreira", now(), findings, metadata=metadata)
    report.name_dataset()
    return report


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A data folder with many reports, a comment, and a file that was cut off."""
    layout = Layout(tmp_path / "data")
    layout.reports_dir.mkdir(parents=True)
    for number in range(REPORTS):
        record = replace(converters.to_report_record(a_report(number)), version=1)
        (layout.reports_dir / file_name(record.id)).write_bytes(report_format.write_report(record))
    (layout.reports_dir / "cut.json").write_text('{"id": "r-cut", "title": "Orde')
    about = get_finding_id(a_report(1).findings[0])
    FileStorage(tmp_path / "data").save_annotation(
        Annotation("a-1", about, "Ben Okafor", now(), "Asked the shop.", ["shop"], "reviewed")
    )
    return tmp_path / "data"


@pytest.fixture
def conflict(postgres_url: str) -> str:
    """The database holds one of the reports already, under another title."""
    storage = DatabaseStorage(postgres_url)
    storage.save_report(a_report(0, "Orders, as Emil sees them"))
    storage.close()
    return postgres_url


def fill_in(page: Page, url: str) -> str:
    """Fill in the PostgreSQL form; return the password that was typed."""
    parts = urlsplit(url)
    password = unquote(parts.password or "") or "s3cret/of@ours"
    choose(page, "Target", "PostgreSQL")
    page.get_by_role("textbox", name="Host").fill(parts.hostname or "")
    page.get_by_role("textbox", name="Port").fill(str(parts.port or 5432))
    page.get_by_role("textbox", name="Database").fill(parts.path.removeprefix("/"))
    page.get_by_role("textbox", name="User").fill(parts.username or "")
    page.get_by_role("textbox", name="Password").fill(password)
    return password


def is_nowhere(password: str, page: Page) -> bool:
    # The browser empties the field a moment after the answer is drawn.
    for field in page.locator("input[type=password]").all():
        expect(field).to_have_value("")
    shown = page.content() + page.evaluate("location.href")
    return not any(form in shown for form in (password, quote(password, safe=""), quote(password)))


@contextmanager
def held(url: str) -> Iterator[Callable[[], None]]:
    """Let nobody write reports to a database; yields what waits until a move waits, in its middle."""
    connection = psycopg2.connect(url)
    cursor = connection.cursor()

    def until_it_waits() -> None:
        waits = False
        while not waits:  # the test's own timeout ends it
            cursor.execute(WAITING)
            waits = cursor.fetchone() is not None

    try:
        cursor.execute("LOCK TABLE reports IN SHARE MODE")
        yield until_it_waits
    finally:
        connection.close()


def store_in_use(folder: Path) -> str:
    settings = load_settings(folder.parent, {"LAVENDERTOWN_DATA_DIR": str(folder)})
    return store_switch.current_location(settings).display_name


def press(page: Page, label: str) -> None:
    page.get_by_role("button", name=label).click()


def choose(page: Page, group: str, option: str) -> None:
    page.get_by_role("radiogroup", name=group).get_by_text(option, exact=True).click()


def comment(page: Page, text: str) -> None:
    page.get_by_role("textbox", name="Add a comment").fill(text)
    page.get_by_role("button", name="Comment", exact=True).click()
    expect(find_comment(page, text)).to_be_visible()


def to_target(page: Page) -> None:
    press(page, "Choose the target")
    expect(page.get_by_text("Where to?")).to_be_visible()


@pytest.mark.postgres
def test_files_move_to_postgresql_and_back_while_a_colleague_works(
    start_server: Callable[..., Dashboard], visitor: Callable[..., Page], files: Path, conflict: str
) -> None:
    dashboard = start_server()
    ana, ben = visitor(), visitor()
    open_as_visitor(ben, f"{dashboard.url}/?report=r-1", "Ben Okafor")
    open_as_visitor(ana, f"{dashboard.url}/migrate", "Ana Ferreira")

    expect(ana.get_by_text("1,500 reports.")).to_be_visible()
    to_target(ana)
    password = fill_in(ana, conflict)
    press(ana, "Test the connection")
    expect(ana.get_by_text(": 1 report.")).to_be_visible()
    assert is_nowhere(password, ana)

    press(ana, "Run a dry run")
    expect(ana.get_by_text("1 conflict", exact=True)).to_be_visible()
    expect(ana.get_by_text("1 in quarantine")).to_be_visible()
    expect(ana.get_by_text("reports/cut.json")).to_be_visible()
    choose(ana, "Keep for report r-0", "Source")
    expect(ana.get_by_text("The source is only read.")).to_be_visible()

    with held(conflict) as until_it_waits:
        press(ana, "Start the migration")
        until_it_waits()
        expect(ana.get_by_text("Copied records stay; a restart resumes from there.")).to_be_visible()
        ana.reload()
        expect(ana.get_by_text("You are migrating all data from files")).to_be_visible()
        expect(ana.get_by_role("button", name="Stop")).to_be_visible()
        assert is_nowhere(password, ana)
        comment(ben, "Written while it moves.")
        banner = ben.get_by_text("Ana Ferreira is migrating all data to PostgreSQL")
        expect(banner).to_be_visible()
        # Over the page, below what everybody reads.
        below = banner.bounding_box()
        assert below is not None
        assert below["y"] > ben.evaluate("window.innerHeight") - 100

    expect(ana.get_by_text("and match.")).to_be_visible(timeout=MOVE_MS)
    expect(ben.get_by_text("is migrating all data")).to_have_count(0)
    press(ana, "Continue to switch")
    press(ana, "Switch to PostgreSQL")
    expect(ana.get_by_text("records are now in", exact=False).first).to_be_visible()
    expect(ana.get_by_text("You can switch back")).to_be_visible()
    assert is_nowhere(password, ana)
    assert store_in_use(files).startswith("PostgreSQL")

    comment(ben, "Written after the switch.")
    expect(find_comment(ben, "Written while it moves.")).to_be_visible()
    ben.goto(f"{dashboard.url}/reports")
    expect(ben.get_by_text("1,500 reports, newest first")).to_be_visible()
    in_database(conflict)

    ana.reload()
    expect(ana.get_by_text("1 change was made since the switch.")).to_be_visible()
    go_back(ana)
    assert store_in_use(files).startswith("files")
    ben.goto(f"{dashboard.url}/?report=r-1")
    expect(find_comment(ben, "Written after the switch.")).to_be_visible()


def in_database(url: str) -> None:
    """Look at what arrived: the conflict decided for the source, and what Ben wrote meanwhile."""
    storage = DatabaseStorage(url)
    report = storage.load_report("r-0")
    comments = [note.comment for note in storage.get_annotations(get_finding_id(a_report(1).findings[0]))]
    storage.close()
    assert report is not None
    assert report.title == "Orders, run 0"
    assert comments == ["Asked the shop.", "Written while it moves.", "Written after the switch."]


def go_back(page: Page) -> None:
    """Move what was written since back into the files and use them again."""
    press(page, "Migrate them back first")
    press(page, "Run a dry run")
    expect(page.get_by_text("The source is only read.")).to_be_visible(timeout=MOVE_MS)
    press(page, "Start the migration")
    expect(page.get_by_text("and match.")).to_be_visible(timeout=MOVE_MS)
    press(page, "Continue to switch")
    press(page, "Switch to files")
    expect(page.get_by_text("You can switch back")).to_be_visible()


@pytest.mark.postgres
def test_a_move_whose_server_was_killed_is_offered_again_and_finished(
    start_server: Callable[..., Dashboard], visitor: Callable[..., Page], files: Path, conflict: str
) -> None:
    page = visitor()
    dashboard = start_server()
    open_as_visitor(page, f"{dashboard.url}/migrate", "Ana Ferreira")
    to_target(page)
    fill_in(page, conflict)
    press(page, "Run a dry run")
    with held(conflict) as until_it_waits:
        press(page, "Start the migration")
        until_it_waits()
        kill(dashboard)
    page.goto(f"{start_server().url}/migrate")
    to_target(page)
    fill_in(page, conflict)
    press(page, "Test the connection")
    expect(page.get_by_text("was not finished.")).to_be_visible()
    press(page, "Resume")
    expect(page.get_by_text("and match.")).to_be_visible(timeout=MOVE_MS)


def kill(dashboard: Dashboard) -> None:
    """End a server and its workers as a power cut would."""
    server = psutil.Process(dashboard.process.pid)
    family = [server, *server.children(recursive=True)]
    for process in family:
        process.kill()
    psutil.wait_procs(family, timeout=30)


@pytest.mark.postgres
def test_a_pasted_url_keeps_its_password_to_itself(
    start_server: Callable[..., Dashboard], visitor: Callable[..., Page], files: Path, postgres_url: str
) -> None:
    parts = urlsplit(postgres_url)
    address = parts._replace(
        netloc=f"{parts.username}:of%2Fours@{parts.hostname}:{parts.port or 5432}"
    ).geturl()
    page = visitor()
    open_as_visitor(page, f"{start_server().url}/migrate", "Ana Ferreira")
    to_target(page)
    choose(page, "Target", "PostgreSQL")
    choose(page, "Connection details", "Paste a URL")
    page.get_by_role("textbox", name="URL").fill(address if not parts.password else postgres_url)
    press(page, "Test the connection")
    expect(page.get_by_text(": empty.")).to_be_visible()
    assert is_nowhere(unquote(parts.password or "") or "of/ours", page)
    press(page, "Run a dry run")
    expect(page.get_by_text("The source is only read.")).to_be_visible(timeout=MOVE_MS)
    assert is_nowhere(unquote(parts.password or "") or "of/ours", page)


def test_where_the_environment_fixes_the_store_the_line_to_change_is_named(
    start_server: Callable[..., Dashboard], visitor: Callable[..., Page], files: Path
) -> None:
    page = visitor()
    dashboard = start_server(LAVENDERTOWN_STORAGE_TYPE="file")
    open_as_visitor(page, f"{dashboard.url}/migrate", "Ana Ferreira")
    to_target(page)
    press(page, "Run a dry run")
    press(page, "Start the migration")
    press(page, "Continue to switch")
    expect(page.get_by_text("LAVENDERTOWN_STORAGE_TYPE")).to_be_visible()
    expect(page.get_by_role("button", name="Switch to SQLite")).to_have_count(0)


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_the_wizard_is_accessible_and_fits_a_narrow_window(
    colours: str, start_server: Callable[..., Dashboard], visitor: Callable[..., Page], files: Path
) -> None:
    page = visitor(color_scheme=colours)
    dashboard = start_server()
    remember_name(page, dashboard.url, "Ana")
    page.goto(f"{dashboard.url}/migrate")
    to_target(page)
    assert serious(page) == []
    press(page, "Run a dry run")
    expect(page.get_by_text("1 in quarantine")).to_be_visible()
    assert serious(page) == []
    assert fits_a_narrow_window(page)
    press(page, "Start the migration")
    press(page, "Continue to switch")
    expect(page.get_by_role("button", name="Switch to SQLite")).to_be_visible()
    assert serious(page) == []
    assert fits_a_narrow_window(page)
    press(page, "Switch to SQLite")
    expect(page.get_by_text("You can switch back")).to_be_visible()
    assert serious(page) == []


def fits_a_narrow_window(page: Page) -> bool:
    page.set_viewport_size({"width": 400, "height": 900})
    fits = page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.set_viewport_size({"width": 1280, "height": 900})
    return bool(fits)


def serious(page: Page) -> list[str]:
    """Run axe; return the serious and critical violations with the elements they are about."""
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)
    return [
        f"{rule['id']}: {[node['html'][:200] for node in rule['nodes']]}"
        for rule in Axe().run(page).response["violations"]
        if rule["impact"] in ("serious", "critical") and rule["id"] not in UPSTREAM
    ]
