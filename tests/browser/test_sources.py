"""Sources that an administrator configured, and uploads of several tables and files."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.screens import open_as_visitor
from tests.support.dashboard import Dashboard

GOOD = "order_id,customer_id\n1,7\n2,\n3,9\n4,\n"


@pytest.fixture
def dashboard(start_server: Callable[..., Dashboard], tmp_path: Path) -> Dashboard:
    """A dashboard with two configured sources; the server of one of them does not answer."""
    (tmp_path / "exports").mkdir()
    for part in (1, 2):
        (tmp_path / "exports" / f"orders-{part}.csv").write_text(GOOD)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "config.toml").write_text(
        f'[sources."Shop orders"]\npath = "{tmp_path}/exports/*.csv"\n'
        '[sources.Stock]\nurl = "postgresql://ana:${STOCK_PASSWORD}@127.0.0.1:1/shop"\ntable = "stock"\n'
    )
    return start_server(LAVENDERTOWN_STORAGE_TYPE="file", STOCK_PASSWORD="s3crt")


def test_a_configured_source_is_inspected_and_saved(
    visitor: Callable[..., Page], dashboard: Dashboard
) -> None:
    page = visitor()
    open_as_visitor(page, f"{dashboard.url}/inspect", "Chiyo Tanaka")
    page.get_by_role("button", name="Inspect source").click()
    expect(page.get_by_text("customer_id is empty")).to_be_visible()
    page.get_by_role("button", name="Save as report").click()
    page.get_by_role("button", name="Save report").click()
    expect(page.get_by_role("heading", name="Shop orders")).to_be_visible()


def test_a_source_that_does_not_answer_is_one_sentence_without_its_server(
    visitor: Callable[..., Page], dashboard: Dashboard
) -> None:
    page = visitor()
    page.goto(f"{dashboard.url}/inspect")
    page.get_by_role("combobox", name="Source").click()
    page.get_by_role("option", name="Stock").click()
    page.get_by_role("button", name="Inspect source").click()
    expect(page.get_by_text("The source Stock cannot be read. Ask your administrator")).to_be_visible()
    assert "s3crt" not in page.content()
    assert "127.0.0.1:1" not in page.content()
    log = dashboard.log.read_text("utf-8", "replace")
    assert "The source Stock cannot be read: postgresql://127.0.0.1/shop" in log
    assert "s3crt" not in log


def test_a_table_of_a_database_is_chosen_and_part_files_are_one_table(
    visitor: Callable[..., Page], dashboard: Dashboard, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
        connection.executescript(
            "CREATE TABLE customers (id); CREATE TABLE orders (id, amount);"
            "INSERT INTO orders VALUES (1, 2), (3, NULL);"
        )
    page = visitor()
    page.goto(f"{dashboard.url}/inspect")
    page.locator("input[type=file]").set_input_files(tmp_path / "shop.db")
    page.get_by_role("combobox", name="Table to inspect").click()
    page.get_by_role("option", name="orders").click()
    page.get_by_role("button", name="Inspect table").click()
    expect(page.get_by_text("amount is empty")).to_be_visible()
    page.get_by_role("button", name="Start over").click()
    parts = sorted((tmp_path / "exports").iterdir())
    page.locator("input[type=file]").set_input_files(parts)
    expect(page.get_by_text("8 rows · 2 columns")).to_be_visible()
