"""Each screen by itself: links that open it, its accessibility, and that it asks nobody outside."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import urlparse

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, WebSocketRoute, expect
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState

from lavendertown.collaboration.models import Annotation, ShareableReport
from lavendertown.collaboration.storage import FileStorage, get_finding_id
from lavendertown.core.clock import now
from lavendertown.models import GhostFinding
from tests.browser.screens import FIRST_VISIT_MS, open_as_visitor, remember_name
from tests.support.dashboard import Dashboard

# Streamlit's own metric sparkline: an SVG without a name, which no caller can give it.
UPSTREAM = {"svg-img-alt"}


@pytest.fixture
def report(tmp_path: Path) -> ShareableReport:
    """A report in the store that ``file_dashboard`` serves, its second finding discussed."""
    findings = [
        GhostFinding(
            "null",
            "customer_id",
            "error",
            "customer_id is empty in 41 rows.",
            [1, 2],
            {"count": 41, "share": 0.1},
        ),
        GhostFinding(
            "outlier", "price", "warning", "price has 3 unusual values.", [7], {"count": 3, "share": 0.01}
        ),
    ]
    made = ShareableReport(
        "r-1", "Orders, nightly", "Ana Ferreira", now(), findings, metadata={"dataset": "orders"}
    )
    storage = FileStorage(tmp_path / "data")
    storage.save_report(made)
    storage.save_annotation(
        Annotation(
            "a-1", get_finding_id(findings[1]), "Ben Okafor", now(), "Asked the shop.", ["shop"], "reviewed"
        )
    )
    return made


def test_a_deep_link_opens_that_report_and_finding(
    file_dashboard: Dashboard, report: ShareableReport, visitor: Callable[..., Page]
) -> None:
    page = visitor()
    finding_id = get_finding_id(report.findings[1])
    open_as_visitor(page, f"{file_dashboard.url}/?report=r-1&finding={finding_id}", "Chiyo Tanaka")
    expect(page.get_by_role("heading", name="price has 3 unusual values.")).to_be_visible()
    expect(page.get_by_text("Asked the shop.")).to_be_visible()


def test_j_and_k_move_through_the_findings(
    file_dashboard: Dashboard, report: ShareableReport, visitor: Callable[..., Page]
) -> None:
    page = visitor()
    open_as_visitor(page, f"{file_dashboard.url}/?report=r-1", "Chiyo Tanaka")
    page.get_by_role("heading", name="Orders, nightly").click()
    # A key works once its button is there.
    expect(page.get_by_role("button", name="Next Shortcut J")).to_be_visible()
    page.keyboard.press("j")
    expect(page.get_by_role("heading", name="price has 3 unusual values.")).to_be_visible()
    page.keyboard.press("k")
    expect(page.get_by_role("heading", name="customer_id is empty in 41 rows.")).to_be_visible()


def test_a_reload_does_not_ask_again_who_one_is(
    file_dashboard: Dashboard, visitor: Callable[..., Page]
) -> None:
    page = visitor()
    open_as_visitor(page, file_dashboard.url, "Zoë Adams")
    page.reload()
    expect(page.get_by_role("button", name="Zoë Adams")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_deleted_report_can_be_restored_from_its_link(
    file_dashboard: Dashboard, report: ShareableReport, visitor: Callable[..., Page]
) -> None:
    page = visitor()
    open_as_visitor(page, f"{file_dashboard.url}/?report=r-1", "Chiyo Tanaka")
    page.get_by_role("button", name="More").click()
    page.get_by_role("menuitem", name="Delete report").click()
    expect(page.get_by_text("Deleted Orders, nightly.")).to_be_visible()
    page.goto(f"{file_dashboard.url}/?report=r-1")
    expect(page.get_by_text("was deleted by Chiyo Tanaka")).to_be_visible()
    page.get_by_role("button", name="Restore it").click()
    expect(page.get_by_role("heading", name="Orders, nightly")).to_be_visible()


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize(
    ("address", "landmark"),
    [
        pytest.param("", "2 findings ·", id="findings"),
        pytest.param("reports", "1 report, newest first", id="reports"),
        pytest.param("trends", "Current findings", id="trends"),
        pytest.param("inspect", "Upload a file", id="inspect"),
        pytest.param("rules?dataset=orders", "No rules yet", id="rules"),
        pytest.param("report?report=r-1", "Discussion", id="report"),
        pytest.param("dataset?dataset=orders", "that need attention or are open", id="dataset"),
        pytest.param("owners", "No owner rules yet", id="owners"),
        pytest.param("report?report=nobody", "No report", id="no report"),
        pytest.param("me", "Your name", id="who I am"),
    ],
)
def test_a_screen_is_accessible_and_asks_nobody_outside(
    address: str,
    landmark: str,
    colours: str,
    file_dashboard: Dashboard,
    report: ShareableReport,
    visitor: Callable[..., Page],
) -> None:
    page = visitor(color_scheme=colours)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    remember_name(page, file_dashboard.url, "Ana")
    page.goto(f"{file_dashboard.url}/{address}")
    expect(page.get_by_text(landmark).first).to_be_visible()
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)
    assert serious(page) == []
    hosts = {urlparse(url).hostname for url in asked if urlparse(url).scheme not in ("data", "blob")}
    assert hosts == {"127.0.0.1"}


def serious(page: Page) -> list[str]:
    """Run axe; return the serious and critical violations, and skipped levels of headings, with elements."""
    found = Axe().run(page).response["violations"]
    return [
        f"{rule['id']}: {[node['html'][:200] for node in rule['nodes']]}"
        for rule in found
        if (rule["impact"] in ("serious", "critical") or rule["id"] == "heading-order")
        and rule["id"] not in UPSTREAM
    ]


def test_the_two_columns_of_a_dataset_are_stacked_in_a_narrower_window(
    file_dashboard: Dashboard, report: ShareableReport, visitor: Callable[..., Page]
) -> None:
    page = visitor()
    corners: list[tuple[float, float]] = []
    for width in (1440, 1024):
        page.set_viewport_size({"width": width, "height": 900})
        open_as_visitor(page, f"{file_dashboard.url}/dataset?dataset=orders", "Chiyo Tanaka")
        columns = page.locator("[class*='st-key-stack-when-narrow'] [data-testid=stColumn]")
        expect(columns.nth(1).get_by_text("Runs", exact=True)).to_be_visible(timeout=FIRST_VISIT_MS)
        for number in (0, 1):
            box = columns.nth(number).bounding_box()
            assert box is not None
            corners.append((box["x"], box["y"]))
    wide_left, wide_right, left, right = corners
    assert wide_right[0] > wide_left[0]
    assert right[0] == left[0]
    assert right[1] > left[1]


def test_healthz_says_whether_the_store_answers(start_server: Callable[..., Dashboard]) -> None:
    well = start_server()
    with urllib.request.urlopen(well.url + "/healthz") as answer:
        assert json.load(answer) == {"status": "ok"}
    down = start_server(
        LAVENDERTOWN_STORAGE_TYPE="database", LAVENDERTOWN_DATABASE_URL="postgresql://nobody@127.0.0.1:9/none"
    )
    with pytest.raises(urllib.error.HTTPError, match="503") as refused:
        urllib.request.urlopen(down.url + "/healthz")
    assert json.load(refused.value) == {"status": "unavailable"}
    assert "PostgreSQL at 127.0.0.1:9/none does not answer" in down.log.read_text("utf-8")


def test_a_store_that_is_down_is_one_calm_sentence(
    start_server: Callable[..., Dashboard], visitor: Callable[..., Page]
) -> None:
    down = start_server(
        LAVENDERTOWN_STORAGE_TYPE="database", LAVENDERTOWN_DATABASE_URL="postgresql://nobody@127.0.0.1:9/none"
    )
    page = visitor()
    page.goto(down.url)
    expect(page.get_by_text("Reports cannot be read or saved now.")).to_be_visible()
    expect(page.get_by_role("heading", name="Findings")).to_be_visible()
    expect(page.get_by_text("Traceback")).to_have_count(0)


def test_a_refresh_that_is_late_does_not_blank_the_next_screen(
    file_dashboard: Dashboard, report: ShareableReport, visitor: Callable[..., Page]
) -> None:
    """The timed refreshes of the report are sent just after the click that leaves it, on a slow line."""
    page = visitor()
    refreshes: dict[str, bytes] = {}
    clicks: list[str] = []
    held: list[str | bytes] = []

    def connect(browser_side: WebSocketRoute) -> None:
        server_side = browser_side.connect_to_server()

        def answer(message: str | bytes) -> None:
            browser_side.send(message)
            if clicks == ["sent"]:
                clicks.append("answered")
                for refresh in refreshes.values():
                    server_side.send(refresh)

        def ask(message: str | bytes) -> None:
            if clicks:
                held.append(message)
                return
            server_side.send(message)
            assert isinstance(message, bytes)
            request = BackMsg.FromString(message).rerun_script
            if request.is_auto_rerun:
                refreshes[request.fragment_id] = message
            if any(each.HasField("string_trigger_value") for each in request.widget_states.widgets):
                clicks.append("sent")

        server_side.on_message(answer)
        browser_side.on_message(ask)
        servers.append(server_side)

    servers: list[WebSocketRoute] = []
    page.route_web_socket(re.compile("_stcore/stream"), connect)
    open_as_visitor(page, f"{file_dashboard.url}/?report=r-1", "Chiyo Tanaka")
    more = page.get_by_role("button", name="More")
    expect(more).to_be_visible(timeout=FIRST_VISIT_MS)
    # The news line and the thread.
    while len(refreshes) < 2:
        page.wait_for_timeout(100)
    more.click()
    page.get_by_role("menuitem", name="Delete report").click()
    while not held:
        page.wait_for_timeout(100)
    page.wait_for_timeout(1_000)
    clicks.clear()
    for message in held:
        servers[-1].send(message)
    expect(page.get_by_role("heading", name="Reports", exact=True)).to_be_visible()


def carry_in_refresh(page: Page, is_carried: Callable[[WidgetState], bool]) -> list[bytes]:
    """Let a timed refresh carry a widget's state that waits to be sent; return all refreshes as they come."""
    refreshes: list[bytes] = []
    waiting: list[bytes] = []
    done: list[bytes] = []

    def connect(browser_side: WebSocketRoute) -> None:
        server_side = browser_side.connect_to_server()

        def answer(message: str | bytes) -> None:
            browser_side.send(message)
            while waiting:
                done.append(waiting.pop())
                server_side.send(done[-1])

        def ask(message: str | bytes) -> None:
            assert isinstance(message, bytes)
            sent = BackMsg.FromString(message)
            request = sent.rerun_script
            if request.is_auto_rerun:
                refreshes.append(message)
            elif not done and any(map(is_carried, request.widget_states.widgets)):
                waiting.append(message)
                request.fragment_id = BackMsg.FromString(refreshes[-1]).rerun_script.fragment_id
                request.is_auto_rerun = True
                refreshes.append(message := sent.SerializeToString())
            server_side.send(message)

        server_side.on_message(answer)
        browser_side.on_message(ask)

    page.route_web_socket(re.compile("_stcore/stream"), connect)
    return refreshes


def was_carried(refreshes: Sequence[bytes], is_carried: Callable[[WidgetState], bool]) -> bool:
    requests = [BackMsg.FromString(each).rerun_script for each in refreshes]
    return any(is_carried(state) for each in requests for state in each.widget_states.widgets)


def is_click(state: WidgetState) -> bool:
    return state.HasField("trigger_value")


def is_status(state: WidgetState) -> bool:
    return "detail:status" in state.id and state.string_value == "Investigating"


def test_a_click_that_a_refresh_carries_is_done_once(
    file_dashboard: Dashboard, report: ShareableReport, visitor: Callable[..., Page], tmp_path: Path
) -> None:
    page = visitor()
    refreshes = carry_in_refresh(page, is_click)
    finding_id = get_finding_id(report.findings[0])
    open_as_visitor(page, f"{file_dashboard.url}/?report=r-1&finding={finding_id}", "Chiyo Tanaka")
    comment = page.get_by_role("textbox", name="Add a comment")
    comment.fill("Asked the shop.", timeout=FIRST_VISIT_MS)
    while not refreshes:
        page.wait_for_timeout(100)
    page.get_by_role("button", name="Comment", exact=True).click()
    expect(page.get_by_text("1 comment", exact=True)).to_be_visible()
    expect(comment).to_have_value("")
    page.wait_for_timeout(1_000)
    storage = FileStorage(tmp_path / "data")
    assert [each.comment for each in storage.get_annotations(finding_id)] == ["Asked the shop."]
    assert was_carried(refreshes, is_click)


def test_a_value_that_a_refresh_carries_is_set_once(
    file_dashboard: Dashboard, report: ShareableReport, visitor: Callable[..., Page], tmp_path: Path
) -> None:
    page = visitor()
    refreshes = carry_in_refresh(page, is_status)
    finding_id = get_finding_id(report.findings[0])
    open_as_visitor(page, f"{file_dashboard.url}/?report=r-1&finding={finding_id}", "Chiyo Tanaka")
    status = page.get_by_role("combobox", name="Status", exact=True)
    expect(status).to_be_visible(timeout=FIRST_VISIT_MS)
    while not refreshes:
        page.wait_for_timeout(100)
    status.click()
    page.get_by_role("option", name="Investigating").click()
    page.wait_for_timeout(4_000)
    expect(status).to_have_value("Investigating")
    events = FileStorage(tmp_path / "data").get_annotations(finding_id)
    assert [each.status for each in events] == ["needs-investigation"]
    assert was_carried(refreshes, is_status)
