"""The path that must always work: find, save, open, annotate, see it. On every kind of store."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.screens import (
    choose_filter,
    comment_on_finding,
    find_comment,
    inspect_and_save,
    open_as_visitor,
)
from tests.support.dashboard import Dashboard


@pytest.fixture
def deliveries(tmp_path: Path) -> Path:
    """A CSV file with empty customers and a row that is there twice."""
    file = tmp_path / "deliveries_2026-11-20.csv"
    lines = [f"{1000 + i},{'' if i % 9 == 0 else i % 40},{i % 7 + 1}" for i in range(400)]
    file.write_text("\n".join(["order_id,customer_id,quantity", *lines, lines[5]]) + "\n")
    return file


def test_two_people_do_the_whole_path(
    dashboard: Dashboard, visitor: Callable[..., Page], deliveries: Path
) -> None:
    ana, ben = visitor(), visitor()
    open_as_visitor(ana, dashboard.url, "Ana Ferreira")
    inspect_and_save(ana, deliveries, "Deliveries, Friday")
    ana.get_by_role("textbox", name="Add a comment").fill("I was just writ")

    open_as_visitor(ben, f"{dashboard.url}/reports", "Ben Okafor")
    choose_filter(ben, "Author", "Ana Ferreira")
    expect(ben.get_by_text("1 of 1 report")).to_be_visible()
    today = dt.date.today()
    week = [f"from={today - dt.timedelta(days=3)}", f"to={today + dt.timedelta(days=1)}"]
    ben.goto(f"{dashboard.url}/reports?author=Ana+Ferreira&{'&'.join(week)}")
    ben.get_by_role("link", name="Deliveries, Friday").click()
    comment_on_finding(ben, "The till sends no customer.", "tills", "Investigating")

    expect(find_comment(ana, "The till sends no customer.")).to_be_visible()
    expect(find_comment(ana, "The till sends no customer.")).to_contain_text("Investigating")
    expect(find_comment(ana, "The till sends no customer.")).to_contain_text("tills")
    expect(ana.get_by_role("textbox", name="Add a comment")).to_have_value("I was just writ")
    expect(ana.get_by_text("1 new change by Ben Okafor")).to_be_visible()
    ana.get_by_role("button", name="Show", exact=True).click()
    expect(ana.get_by_role("combobox", name="Status", exact=True)).to_have_value("Investigating")


def test_a_report_outside_the_dates_is_not_listed(
    file_dashboard: Dashboard, visitor: Callable[..., Page], deliveries: Path
) -> None:
    ana = visitor()
    open_as_visitor(ana, file_dashboard.url, "Ana Ferreira")
    inspect_and_save(ana, deliveries, "Deliveries, Friday")
    ana.goto(f"{file_dashboard.url}/reports?when=2020-01-01&when=2020-01-31")
    expect(ana.get_by_text("No report matches these filters")).to_be_visible()
    ana.get_by_role("button", name="Clear filters").first.click()
    expect(ana.get_by_role("link", name="Deliveries, Friday")).to_be_visible()


def test_affected_rows_are_shown_to_who_has_the_data(
    file_dashboard: Dashboard, visitor: Callable[..., Page], deliveries: Path
) -> None:
    ana, ben = visitor(), visitor()
    open_as_visitor(ana, file_dashboard.url, "Ana Ferreira")
    inspect_and_save(ana, deliveries, "Deliveries, Friday")
    ana.get_by_text("Affected rows ·").click()
    expect(ana.get_by_text("Rows as the file counts them; the data begins in row 2.").last).to_be_visible()
    open_as_visitor(ben, ana.evaluate("location.href"), "Ben Okafor")
    ben.get_by_text("Affected rows ·").click()
    expect(ben.get_by_text("The complete rows stay with the person who inspected the file")).to_be_visible()
