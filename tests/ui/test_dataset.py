"""The dataset screen: the numbers of one dataset, its findings, columns and runs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from lavendertown.collaboration.parts.triage import Decision
from lavendertown.collaboration.storage import FileStorage, get_finding_id
from lavendertown.core.clock import now
from lavendertown.profile.evidence import ColumnProfile, Evidence

App = Callable[..., AppTest]
Save = Callable[..., Any]
COLUMNS = [ColumnProfile("customer_id", "number", 410, 41, 300), ColumnProfile("price", "number", 410, 0, 99)]


def save_two_runs(save: Save, storage: FileStorage) -> Any:
    metadata = {"dataset": "orders", "coverage": {"rows": 400, "columns": 2}}
    save("r-0", title="Monday", created_at=now() - dt.timedelta(days=1), metadata=metadata)
    report = save("r-1", title="Tuesday", metadata={**metadata, "coverage": {"rows": 410, "columns": 2}})
    storage.save_report(report, evidence=Evidence(COLUMNS, {}, [], 1))
    save("other", metadata={"dataset": "parcels"})
    return report


def link_labels(app: AppTest) -> list[str]:
    return [each.proto.label for each in app.main if each.type == "page_link"]


def links_to_datasets(app: AppTest) -> set[str]:
    return {
        each.proto.query_string
        for each in app.main
        if each.type == "page_link" and each.proto.page == "dataset"
    }


def test_the_numbers_are_those_of_the_dataset(open_app: App, save: Save, storage: FileStorage) -> None:
    report = save_two_runs(save, storage)
    fixed = Decision(status="fixed", reason="Reloaded")
    storage.triage.decide(get_finding_id(report.findings[1]), fixed, actor="Ben")
    app = open_app("dataset", dataset="orders")
    assert not app.exception
    assert app.title[0].value == "orders"
    shown = {metric.label: (metric.value, metric.delta) for metric in app.metric}
    assert shown == {
        "Open findings": ("1", "of 2 known"),
        "Need attention": ("1", "of 2 known"),
        "Findings in the latest run": ("2", "same as the previous run"),
        "Rows in the latest run": ("410", "+10 since the previous run"),
    }
    labels = link_labels(app)
    assert [label.split(" &ensp;")[0] for label in labels if "customer" in label or "price" in label] == [
        ":red[:material/error:] customer\\_id is empty in 41 rows"
    ]
    assert [label.split(" &ensp;")[0] for label in labels if "day" in label] == ["Tuesday", "Monday"]


def test_the_columns_are_those_of_the_latest_run(open_app: App, save: Save, storage: FileStorage) -> None:
    save_two_runs(save, storage)
    frame = open_app("dataset", dataset="orders").dataframe[0].value
    assert list(frame["Column"]) == ["customer_id", "price"]
    assert list(frame["Findings"]) == [1, 1]
    assert list(frame["Missing"]) == [0.1, 0.0]


def test_the_settings_name_owner_rules_and_reading(
    open_app: App, save: Save, storage: FileStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = "dataset:parcels = Ben, dataset:ord* column:note = Eve, dataset:orders = Ana, dataset:* = Zoe"
    monkeypatch.setenv("LAVENDERTOWN_TRIAGE_OWNERS", rules)
    save("r-1")
    storage.dataset_settings.save("orders", "reading", {"delimiter": ";"}, actor="Ana")
    storage.dataset_settings.save("orders", "checks", {"checks": {"outliers": False}}, actor="Ana")
    storage.dataset_settings.save_row_key("orders", ["order_id", "line"], actor="Ana")
    app = open_app("dataset", dataset="orders")
    assert not app.exception
    (settings,) = (table.value for table in app.table if "Reading" in table.value.index)
    assert dict(zip(settings.index, settings.iloc[:, 0], strict=True)) == {
        "Owner of new findings": "Eve \\(note\\), Ana",
        "Open findings assigned to": "Ana (2)",
        "Rules": "0 rules, 1 check set",
        "Reading": "delimiter ';'",
        "Row key": "order\\_id, line",
    }


def test_a_run_without_evidence_says_that_columns_are_unknown(open_app: App, save: Save) -> None:
    save("r-1")
    app = open_app("dataset", dataset="orders")
    assert not app.exception
    assert any("saved without evidence" in caption.value for caption in app.caption)


def test_an_unknown_dataset_is_one_sentence(open_app: App, save: Save) -> None:
    save("r-1")
    assert "No report of parcels" in "".join(m.value for m in open_app("dataset", dataset="parcels").markdown)
    assert "No dataset chosen" in "".join(m.value for m in open_app("dataset").markdown)


def test_every_screen_links_to_the_page_of_a_dataset(open_app: App, save: Save, storage: FileStorage) -> None:
    report = save_two_runs(save, storage)
    finding_id = get_finding_id(report.findings[0])
    for app in (
        open_app("report", report="r-1"),
        open_app("findings", finding=finding_id),
        open_app("reports"),
        open_app("trends"),
    ):
        assert "dataset=orders" in links_to_datasets(app)
