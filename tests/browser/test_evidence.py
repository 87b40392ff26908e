"""A colleague sees the bad values of a shared report, but none of a masked column."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.screens import FIRST_VISIT_MS, GRID, go_to_inspect, inspect_and_save, open_as_visitor
from tests.support.dashboard import Dashboard

ROWS = "".join(f"o{n},person{n}@example.org,{10 + n % 7}\n" for n in range(60))
CSV = f"order_id,email,amount\n{ROWS}o60,nobody@example.org,99999\no61,not an address,\n"


def save_report(page: Page, url: str, folder: Path) -> str:
    """Inspect and save a file as Ana, and return the address of the report."""
    file = folder / "orders.csv"
    file.write_text(CSV, "utf-8")
    open_as_visitor(page, url, "Ana")
    inspect_and_save(page, file, "Orders, May")
    return page.evaluate("location.href")  # type: ignore[no-any-return]


def grid_text(page: Page) -> str:
    """Return the cells of the sample rows, which the grid repeats for screen readers."""
    grid = page.locator(f"{GRID}").filter(has=page.locator("canvas")).last
    expect(grid.locator("td").first).to_be_attached()
    return " ".join(grid.locator("td").all_text_contents())


def test_a_colleague_sees_the_bad_value_with_its_key_and_row(
    visitor: Callable[..., Page], start_server: Callable[..., Dashboard], tmp_path: Path
) -> None:
    address = save_report(visitor(), start_server().url, tmp_path)
    colleague = visitor()
    colleague.goto(address)
    expect(colleague.get_by_text("Sample rows", exact=True)).to_be_visible(timeout=FIRST_VISIT_MS)
    expect(colleague.get_by_text("Rows as the file counts them; the data begins in row 2.")).to_be_visible()
    assert "o60" in grid_text(colleague) or "o61" in grid_text(colleague)


def test_values_of_masked_columns_are_nowhere_in_the_store(
    visitor: Callable[..., Page], start_server: Callable[..., Dashboard], tmp_path: Path
) -> None:
    page, dashboard = visitor(), start_server(LAVENDERTOWN_EVIDENCE_MASK="Email,amount,order_*")
    save_report(page, dashboard.url, tmp_path)
    expect(page.get_by_text("Sample rows", exact=True)).to_be_visible()
    stored = b"".join(path.read_bytes() for path in (tmp_path / "data").rglob("*.json*"))
    assert b"amount" in stored
    for value in (b"99999", b"example.org", b"not an address", b"o60"):
        assert value not in stored


def test_a_person_saves_a_report_without_values(
    visitor: Callable[..., Page], start_server: Callable[..., Dashboard], tmp_path: Path
) -> None:
    page, dashboard = visitor(), start_server()
    file = tmp_path / "orders.csv"
    file.write_text(CSV, "utf-8")
    open_as_visitor(page, dashboard.url, "Ana")
    go_to_inspect(page)
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Save as report").click(timeout=60_000)
    expect(page.get_by_text("Stored values come from order_id, email, amount.")).to_be_visible()
    page.get_by_text("Keep sample values for colleagues").click()
    expect(
        page.get_by_text("The report keeps no sample rows; the text of a finding may still quote a value.")
    ).to_be_visible()
    page.get_by_role("button", name="Save report").click()
    expect(page.get_by_role("heading", name="Orders")).to_be_visible()
    (stored,) = (tmp_path / "data" / "evidence").glob("*.json")
    text = stored.read_text("utf-8")
    assert '"samples":{}' in text.replace(" ", "")
    assert "example.org" not in text
