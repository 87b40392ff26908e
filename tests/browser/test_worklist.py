"""Rows of a finding are given out in the browser, and the filled file is read there."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from openpyxl import load_workbook
from playwright.sync_api import Page, expect

from lavendertown.collaboration.storage import FileStorage
from lavendertown.interchange.worklists import filled_file
from tests.browser.screens import FIRST_VISIT_MS, click_until, inspect_and_save, open_as_visitor
from tests.browser.test_screens import serious
from tests.support.dashboard import Dashboard

Visitor = Callable[..., Page]
CSV = "order_id,amount,country\n" + "".join(
    f"{i},{'' if i % 5 == 0 else 100 + i % 9},NL\n" for i in range(1, 26)
)


@pytest.fixture(params=[1440, 400], ids=["wide", "narrow"])
def page(request: pytest.FixtureRequest, visitor: Visitor, file_dashboard: Dashboard, tmp_path: Path) -> Page:
    """The report of a file that was inspected in this session."""
    page = visitor()
    open_as_visitor(page, file_dashboard.url, "Ana")
    (tmp_path / "orders.csv").write_text(CSV)
    inspect_and_save(page, tmp_path / "orders.csv", "Orders")
    page.set_viewport_size({"width": request.param, "height": 1000})
    return page


def take_picture(page: Page, name: str) -> None:
    folder = os.environ.get("WORKLIST_PICTURES")
    if folder:
        width = (page.viewport_size or {"width": 0})["width"]
        page.screenshot(path=f"{folder}/{name}-{width}.png", full_page=True)


def fill_rows(file: Path, answers: dict[int, tuple[str, str]]) -> None:
    """Mark rows by their row numbers, and sort the sheet upside down."""
    book = load_workbook(file)
    sheet = book["Rows"]
    head, *rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    for row in rows:
        mark, reason = answers.get(row[head.index("row")], ("", ""))
        if mark:
            row[head.index(mark)] = "x"
            row[head.index("reason")] = reason
    for number, row in enumerate(reversed(rows), 2):
        for place, value in enumerate(row, 1):
            sheet.cell(number, place).value = value
    book.save(file)


def give_file(page: Page, file: Path) -> None:
    click_until(page.get_by_role("button", name="Read a filled file…"), page.get_by_role("dialog"))
    page.get_by_role("dialog").locator("input[type=file]").set_input_files(file)


def test_rows_are_given_out_and_their_answers_come_back(page: Page, tmp_path: Path) -> None:
    make = page.get_by_role("button", name="Make worklist")
    click_until(page.get_by_text("Row worklist", exact=True), make)
    expect(page.get_by_role("radio", name="All open findings")).to_be_visible()
    take_picture(page, "1-make")
    saved = page.get_by_role("button", name="Unassigned: 5 rows (.xlsx)")
    # Not clicked again: each click makes a worklist.
    make.click()
    expect(saved).to_be_visible(timeout=FIRST_VISIT_MS)
    take_picture(page, "2-made")
    with page.expect_download() as download:
        saved.click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    fill_rows(file, {6: ("done", ""), 11: ("cannot", "The *customer* is gone"), 16: ("cannot", "")})
    give_file(page, file)
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("2 answers to save")).to_be_visible(timeout=FIRST_VISIT_MS)
    expect(dialog.get_by_text("'cannot' is marked without a reason.")).to_be_visible()
    take_picture(page, "3-preview")
    assert serious(page) == []
    dialog.get_by_role("button", name="Save 2 answers").click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_text("2 of 5 rows answered: 1 done, 1 cannot")).to_be_visible()
    take_picture(page, "4-answered")
    storage = FileStorage(tmp_path / "data")
    (row,) = storage.worklists.query()
    assert (row["done_count"], row["cannot_count"], row["last_read_by"]) == (1, 1, "Ana")
    page.get_by_role("button", name="Undo").first.click()
    expect(page.get_by_text("0 of 5 rows answered")).to_be_visible()


def test_an_answer_of_a_colleague_is_shown_and_replaced_on_request(page: Page, tmp_path: Path) -> None:
    make = page.get_by_role("button", name="Make worklist")
    click_until(page.get_by_text("Row worklist", exact=True), make)
    saved = page.get_by_role("button", name="Unassigned: 5 rows (.xlsx)")
    # Not clicked again: each click makes a worklist.
    make.click()
    expect(saved).to_be_visible(timeout=FIRST_VISIT_MS)
    with page.expect_download() as download:
        saved.click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    fill_rows(file, {6: ("cannot", "Closed")})
    storage = FileStorage(tmp_path / "data")
    storage.worklists.save_answers(filled_file.read_filled_file(file.read_bytes(), file.name), author="Ben")
    download.value.save_as(file)
    fill_rows(file, {6: ("done", "")})
    page.reload()
    expect(page.get_by_text("1 of 5 rows answered: 0 done, 1 cannot")).to_be_visible()
    click_until(
        page.get_by_text("Row worklist", exact=True), page.get_by_role("button", name="Read a filled file…")
    )
    give_file(page, file)
    dialog = page.get_by_role("dialog")
    told = "Row 6, key 5: the file has 'done', Ben saved 'cannot' (Closed)."
    expect(dialog.get_by_text(told)).to_be_visible(timeout=FIRST_VISIT_MS)
    take_picture(page, "5-conflict")
    expect(dialog.get_by_role("button", name="Save 0 answers")).to_be_disabled()
    dialog.get_by_role("button", name="Save and overwrite 1 conflict").click()
    expect(dialog).to_have_count(0)
    expect(page.get_by_text("1 of 5 rows answered: 1 done, 0 cannot")).to_be_visible()
