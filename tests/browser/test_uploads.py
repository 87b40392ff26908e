"""Files that would hurt a careless reader: one sentence, and nobody else notices."""

from __future__ import annotations

import gzip
import io
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import openpyxl
import psutil
from openpyxl import load_workbook
from playwright.sync_api import Page, expect

from tests.browser.screens import click_until, open_as_visitor
from tests.support.dashboard import Dashboard

Visitor = Callable[..., Page]
OVER_MEMORY = gzip.compress(b"a,b\n" + b"word,other word\n" * 12_000_000, 1)
GOOD = b"order_id,customer_id\n1,7\n2,\n3,9\n4,\n"


def open_inspect(visitor: Visitor, dashboard: Dashboard) -> Page:
    page = visitor()
    page.goto(f"{dashboard.url}/inspect")
    return page


def upload(page: Page, name: str, content: bytes) -> None:
    file = {"name": name, "mimeType": "application/octet-stream", "buffer": content}
    field = page.locator("input[type=file]")
    # For a moment there is the field of the file before, too.
    expect(field).to_have_count(1)
    field.set_input_files(files=[file])  # type: ignore[list-item]


def far_cells() -> bytes:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet["A1"], sheet["XFD1048576"] = 1, 2
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def busy_workers(dashboard: Dashboard) -> list[psutil.Process]:
    """Workers that have read something: those that are kept ready have not."""
    children = psutil.Process(dashboard.process.pid).children()
    return [child for child in children if child.memory_info().rss > 300 * 1024**2]


def test_a_workbook_with_cells_far_apart_is_one_sentence_and_the_next_file_is_checked(
    visitor: Visitor, file_dashboard: Dashboard
) -> None:
    page = open_inspect(visitor, file_dashboard)
    upload(page, "far.xlsx", far_cells())
    expect(page.get_by_text("far.xlsx has 17,179,869,184 cells")).to_be_visible()
    upload(page, "orders.csv", GOOD)
    expect(page.get_by_text("customer_id is empty")).to_be_visible()


def test_a_file_over_the_memory_limit_is_one_sentence_while_others_go_on(
    visitor: Visitor, start_server: Callable[..., Dashboard]
) -> None:
    dashboard = start_server(LAVENDERTOWN_LIMITS_MEMORY_MB="600")
    first, second = open_inspect(visitor, dashboard), open_inspect(visitor, dashboard)
    upload(first, "large.csv.gz", OVER_MEMORY)
    upload(second, "orders.csv", GOOD)
    expect(second.get_by_text("customer_id is empty")).to_be_visible()
    expect(
        first.get_by_text("large.csv.gz needs more than 600 MB of memory, the limit of this server")
    ).to_be_visible(timeout=120_000)
    assert busy_workers(dashboard) == []


def test_a_second_file_waits_in_line_and_cancel_lets_it_run(
    visitor: Visitor, start_server: Callable[..., Dashboard], tmp_path: Path
) -> None:
    dashboard = start_server(LAVENDERTOWN_LIMITS_INSPECTIONS="1")
    first, second = open_inspect(visitor, dashboard), open_inspect(visitor, dashboard)
    upload(first, "large.csv.gz", OVER_MEMORY)
    expect(first.get_by_role("button", name="Cancel", exact=True)).to_be_visible()
    upload(second, "orders.csv", GOOD)
    expect(second.get_by_text("Waiting for a free slot")).to_be_visible()
    first.get_by_role("button", name="Cancel", exact=True).click()
    expect(first.get_by_role("button", name="Try sample data")).to_be_visible()
    expect(second.get_by_text("customer_id is empty")).to_be_visible()
    assert busy_workers(dashboard) == []


def test_an_inspection_goes_on_while_its_visitor_is_on_another_screen(
    visitor: Visitor, file_dashboard: Dashboard
) -> None:
    page = open_inspect(visitor, file_dashboard)
    upload(page, "large.csv.gz", gzip.compress(b"a,b\n" + b"word,\n" * 2_000_000, 1))
    # While the file is sent, there is a button Cancel upload: who leaves then, has uploaded nothing.
    expect(page.get_by_role("button", name="Cancel", exact=True)).to_be_visible()
    page.get_by_role("navigation").get_by_role("link", name="Reports").click()
    expect(page.get_by_role("heading", name="Reports")).to_be_visible()
    page.get_by_role("navigation").get_by_role("link", name="Inspect").click()
    expect(page.get_by_text("b is empty")).to_be_visible(timeout=120_000)


def test_an_upload_over_the_limit_is_refused_in_our_words(
    visitor: Visitor, start_server: Callable[..., Dashboard]
) -> None:
    dashboard = start_server(LAVENDERTOWN_LIMITS_UPLOADS_MB="1")
    page = open_inspect(visitor, dashboard)
    upload(page, "orders.csv", b"a,b\n" + b"1,2\n" * 400_000)
    expect(page.get_by_text("The server is out of space for uploads")).to_be_visible()


def test_all_affected_rows_are_downloaded_before_and_after_the_report_is_saved(
    visitor: Visitor, file_dashboard: Dashboard
) -> None:
    page = visitor()
    open_as_visitor(page, f"{file_dashboard.url}/inspect", "Chiyo Tanaka")
    upload(
        page,
        "orders.csv",
        b"order_id,customer_id\n" + b"".join(b"%d,\n%d,7\n" % (i, -i) for i in range(1, 301)),
    )
    page.get_by_text("customer_id is empty").click()
    assert downloaded_rows(page) == [f"{2 * i + 2},{i + 1}," for i in range(300)]
    page.get_by_role("button", name="Other format").click()
    sheet = load_workbook(BytesIO(download_rows(page, "Excel", "xlsx").read_bytes()))["Rows"]
    assert [cell.value for cell in sheet[1]] == ["finding", "row", "order_id", "customer_id"]
    assert [row[1:3] for row in sheet.iter_rows(min_row=2, values_only=True)] == [
        (2 * i + 2, i + 1) for i in range(300)
    ]
    page.get_by_role("button", name="Save as report").click()
    page.get_by_role("button", name="Save report").click()
    page.get_by_text("Affected rows ·").click()
    assert len(downloaded_rows(page)) == 300


def downloaded_rows(page: Page) -> list[str]:
    header, *rows = download_rows(page, "CSV", "csv").read_text("utf-8-sig").splitlines()
    assert header == "finding,row,order_id,customer_id"
    return [row.split(",", 1)[1] for row in rows]


def download_rows(page: Page, label: str, ending: str) -> Path:
    choice = page.get_by_text(label, exact=True)
    click_until(page.get_by_role("button", name="Download rows"), choice)
    choice.click()
    with page.expect_download() as download:
        page.get_by_role("button", name=f"Save as {label}").click()
    assert download.value.suggested_filename == f"orders-customer_id-null.{ending}"
    return Path(download.value.path())
