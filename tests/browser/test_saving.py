"""Saving a report from the dialog, on a browser that is too slow for the server."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import ConsoleMessage, Page, expect
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from lavendertown.collaboration.storage import FileStorage
from tests.browser.screens import go_to_inspect, inspect_and_save, open_as_visitor, remember_name
from tests.support.dashboard import Dashboard

BROKEN = ("delta path", "'setIn' cannot be called")
OPENED = 4
SLOWDOWN = 8
"""How many times slower the browser's processor runs while a report is saved."""


@pytest.fixture
def orders(tmp_path: Path) -> Path:
    """A small CSV file with empty values in four columns."""
    file = tmp_path / "orders.csv"
    rows = [",".join("" if (row + column) % 5 == 0 else str(row) for column in range(4)) for row in range(9)]
    file.write_text("\n".join(["order,customer,shop,till", *rows]) + "\n")
    return file


@pytest.mark.timeout(900)
@pytest.mark.parametrize("saves", [1, pytest.param(20, marks=pytest.mark.soak)])
def test_the_page_survives_many_saves_on_a_slow_browser(
    saves: int, file_dashboard: Dashboard, visitor: Callable[..., Page], orders: Path
) -> None:
    page = visitor()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if is_broken(message) else None)
    open_as_visitor(page, file_dashboard.url, "Ana Ferreira")
    processor = page.context.new_cdp_session(page)
    for number in range(saves):
        open_findings(page, orders)
        page.get_by_role("button", name="Save as report").click()
        save = page.get_by_role("button", name="Save report")
        expect(save).to_be_visible()
        processor.send("Emulation.setCPUThrottlingRate", {"rate": SLOWDOWN})
        # Leaving a field that was typed into and the click are two requests on each other's heels.
        page.get_by_role("textbox", name="Title").fill(f"Orders {number}")
        page.get_by_label("Note for your colleagues").fill("Look at the tills.")
        save.click()
        expect(page.get_by_text("Discussion").first, f"save {number + 1}: {errors}").to_be_visible()
        processor.send("Emulation.setCPUThrottlingRate", {"rate": 1})
        expect(page.get_by_role("navigation")).to_be_visible()
        assert errors == []


def test_a_table_of_other_columns_is_saved_under_another_name(
    file_dashboard: Dashboard, visitor: Callable[..., Page], orders: Path
) -> None:
    page = visitor()
    open_as_visitor(page, file_dashboard.url, "Ana Ferreira")
    inspect_and_save(page, orders, "Orders")
    orders.write_text("parcel,weight,carrier\n1,,a\n2,3,b\n")
    upload(page, orders)
    page.get_by_role("button", name="Save as report").click()
    expect(page.get_by_text("Is this the same table as orders?")).to_be_visible()
    page.get_by_role("button", name="Use another name").click()
    expect(page.get_by_role("textbox", name="Dataset")).to_have_value("orders_2")
    expect(page.get_by_text("New dataset orders_2.")).to_be_visible()
    # What is typed counts, though nothing but the button takes the focus from it.
    page.get_by_role("textbox", name="Dataset").fill("shipments")
    page.get_by_role("button", name="Save report").click()
    expect(page.get_by_role("heading", name="Orders")).to_be_visible()
    assert {row["dataset"] for row in FileStorage(orders.parent / "data").query_reports()} == {
        "orders",
        "shipments",
    }


def test_inspect_asks_for_no_refreshes(file_dashboard: Dashboard, visitor: Callable[..., Page]) -> None:
    # A refresh on its way while the server opens the report names the screen that was left: a white page.
    page = visitor()
    asked: list[str] = []

    def note(frame: bytes | str) -> None:
        if isinstance(frame, bytes):
            asked.append(str(ForwardMsg.FromString(frame).WhichOneof("type")))

    page.on("websocket", lambda socket: socket.on("framereceived", note))
    remember_name(page, file_dashboard.url, "Ana")
    page.goto(f"{file_dashboard.url}/inspect")
    expect(page.locator("input[type=file]")).to_be_attached()
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)
    assert "delta" in asked
    assert "auto_rerun" not in asked


def is_broken(message: ConsoleMessage) -> bool:
    """Whether the browser says that the page's tree of elements is broken."""
    return message.type == "error" and any(words in message.text for words in BROKEN)


def upload(page: Page, file: Path) -> None:
    """Give a file to the Inspect screen."""
    go_to_inspect(page)
    page.locator("input[type=file]").set_input_files(file)


def open_findings(page: Page, file: Path) -> None:
    """Inspect a file and open its first findings."""
    upload(page, file)
    findings = page.get_by_test_id("stExpander").filter(has_text="is empty in")
    for place in range(OPENED):
        # A click on a page that is still being drawn can be lost.
        expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)
        findings.nth(place).locator("summary").click()
        expect(findings.nth(place).get_by_test_id("stDataFrame")).to_be_visible()
