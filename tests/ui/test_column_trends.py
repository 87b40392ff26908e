"""Trends: the columns of one dataset over its runs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from lavendertown.collaboration.models import ShareableReport
from lavendertown.collaboration.storage import FileStorage
from lavendertown.core.clock import now
from lavendertown.profile.evidence import ColumnProfile, Evidence
from tests.ui.test_trends import texts

App = Callable[..., AppTest]


@pytest.fixture
def runs(storage: FileStorage) -> None:
    """Three weekly runs of orders, in which amounts grow and notes get lost."""
    for week in range(3):
        medians = [1.0, 2.0, 3.0 + 4 * week, 9.0, 20.0]
        columns = [
            ColumnProfile("order_id", "number", 100, 0, 100, 1, 100, [5.0 * week, 25, 50, 75, 95]),
            ColumnProfile("items", "number", 100, 0, 9, 0, 9, [0, 1, 2, 3, 4]),
            ColumnProfile("amount", "number", 100, 0, 90, 1, 20, medians),
            ColumnProfile("note", "text", 100, 30 * week, 40),
        ]
        created_at = now() - dt.timedelta(weeks=2 - week)
        saved = ShareableReport(
            f"r-{week}", f"Week <b>{week}", "Ana", created_at, metadata={"dataset": "orders"}
        )
        storage.save_report(saved, evidence=Evidence(columns))


def test_the_columns_that_moved_most_come_first(open_app: App, runs: None) -> None:
    app = open_app("trends")
    assert not app.exception
    shown = texts(app)
    assert "**amount** :small[:gray[median 11, was 3]]" in shown
    assert shown.index("**Missing values**") < shown.index("**amount**") < shown.index("**items**")
    assert "order_id" not in shown, "identifiers are no quantities"
    drawn = [each for each in app.get("plotly_chart") if "trends:columns:" in str(each.proto.id)]
    assert len(drawn) == 3


def test_the_menu_leads_to_the_reports(open_app: App, runs: None) -> None:
    app = open_app("trends", dataset="orders")
    (menu,) = [each for each in app.main if each.type == "menu_button" and each.proto.label == "Reports"]
    assert len(menu.proto.options) == 3
    assert menu.proto.options[0].endswith(": Week \\<b\\>2")


def test_several_datasets_ask_for_a_choice(open_app: App, runs: None, save: Callable[..., Any]) -> None:
    save("r-other", metadata={"dataset": "customers"})
    shown = texts(open_app("trends"))
    assert "Choose one dataset to see its columns over time." in shown
    assert "Columns over time appear after two runs" in texts(open_app("trends", dataset="customers"))
    assert "**Columns over time**" in texts(open_app("trends", dataset="orders"))
