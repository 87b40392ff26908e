"""What a table contains: the profile on Inspect, and the evidence of a saved report."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from streamlit.testing.v1 import AppTest

from lavendertown.collaboration.storage import FileStorage, get_finding_id
from lavendertown.profile.evidence import (
    ColumnProfile,
    Evidence,
    FindingSamples,
    Histogram,
    SampleRow,
    ValueCount,
)
from tests.ui.test_inspect import upload
from tests.ui.test_save_report import press, said

App = Callable[..., AppTest]
Save = Callable[..., Any]
CSV = b"order_id,customer_id,amount\n" + b"".join(
    b"%d,%s,%d\n" % (n, b"" if n % 9 == 0 else b"7", n % 5) for n in range(60)
)


def grid(app: AppTest, column: str) -> pd.DataFrame:
    """Return the grid that has this column."""
    (frame,) = [each.value for each in app.dataframe if column in each.value.columns]
    return frame


def test_an_inspection_opens_on_a_line_for_each_column(open_app: App) -> None:
    app = upload(open_app("inspect_"), "orders.csv", CSV)
    lines = grid(app, "Distribution")
    assert list(lines["Column"]) == ["order_id", "customer_id", "amount"]
    assert list(lines["Findings"]) == [0, 2, 0]
    assert lines["Missing"][1] == pytest.approx(7 / 60)
    assert list(lines["Range or most frequent"]) == ["0 to 59", "7 to 7", "0 to 4"]
    assert "60 rows · 3 columns · 96.1% of cells filled" in said(app)


def test_a_selected_column_shows_its_findings_only(open_app: App) -> None:
    app = upload(open_app("inspect_"), "orders.csv", CSV)
    folder = app.session_state["inspect:result"].folder.name
    expanders = len(app.expander)
    for row, heading, text in (
        (1, "## Findings in customer\\_id", ""),
        (2, "## Findings in amount", "No check found anything in this column."),
    ):
        app.session_state[f"inspect:columns:{folder}"] = {
            "selection": {"rows": [row], "columns": [], "cells": []}
        }
        app.run()
        assert not app.exception
        assert heading in said(app)
        assert text in said(app)
    assert len(app.expander) < expanders


def test_affected_cells_are_shown_as_the_file_has_them(open_app: App) -> None:
    lines = [b"%d;%d;%s" % (n, n % 7, b"" if n % 9 == 0 else b"4") for n in range(60)]
    app = upload(
        open_app("inspect_"), "t.csv", b"\n".join([b"id;amount;size", *lines, b"60;some;4", b"61;2,5;"])
    )
    folder = app.session_state["inspect:result"].folder.name
    app.session_state[f"inspect:tabs:{folder}"] = "Affected cells"
    app.run()
    styles = [each.proto.arrow_data.styler.display_values for each in app.dataframe]
    (shown,) = filter(None, styles)
    table = pa.ipc.open_stream(shown).read_all().to_pandas()
    assert ["60", "some", "4"] in table.to_numpy().tolist()
    assert ["61", "2,5", "(missing)"] in table.to_numpy().tolist()


@pytest.fixture
def evidence(save: Save, storage: FileStorage) -> Evidence:
    report = save("r-1")
    ids = [get_finding_id(finding) for finding in report.findings]
    rows = [
        SampleRow(3, {"order_id": "o1", "customer_id": None}),
        SampleRow(5, {"order_id": "o2", "customer_id": ""}),
    ]
    rows += [SampleRow(8 + n, {"order_id": f"o{n}", "customer_id": "  "}) for n in range(6)]
    evidence = Evidence(
        [ColumnProfile("price", "number", 100, 0, 90, 1, 900, [], Histogram(1.0, 9.0, [40, 59], 0, 1))],
        {
            ids[0]: FindingSamples("customer_id", rows, [ValueCount("", 3), ValueCount("  ", 2)]),
            ids[1]: FindingSamples("price", [SampleRow(7, {"order_id": "o7", "price": 900})]),
        },
        ["order_id"],
        3,
    )
    storage.save_report(report, evidence=evidence)
    return evidence


def test_a_report_shows_sample_rows_as_the_file_counts_them(open_app: App, evidence: Evidence) -> None:
    app = open_app(report="r-1")
    shown = grid(app, "order_id")
    assert list(shown["Row"]) == ["6", "8", "11", "12", "13"]
    assert list(shown["customer_id"][:3]) == ["(missing)", "(empty)", "(2 blanks)"]
    assert "5 of 41 rows. Rows as the file counts them; the data begins in row 3." in said(app)
    assert "**Most frequent affected values**" in said(app)
    assert "Show 8 rows" in [each.label for each in app.toggle]


def test_a_finding_shows_the_distribution_of_its_column(
    open_app: App, evidence: Evidence, save: Save
) -> None:
    finding_id = list(evidence.samples)[1]
    app = open_app(report="r-1", finding=finding_id)
    assert "**Distribution of the column**" in said(app)
    assert list(grid(app, "price")["price"]) == ["900"]


def test_samples_follow_a_finding_that_was_adopted_by_another_dataset(
    open_app: App, evidence: Evidence, storage: FileStorage, save: Save
) -> None:
    save("r-2", metadata={"dataset": "sales"})
    storage.datasets.adopt_history("orders", "sales", actor="Ana")
    app = open_app(report="r-1")
    assert "o1" in list(grid(app, "order_id")["order_id"])


def test_a_report_without_evidence_opens_as_before(open_app: App, save: Save) -> None:
    save("r-1")
    app = open_app(report="r-1")
    assert not app.exception
    assert "Sample rows" not in said(app)


def test_the_save_dialog_names_the_columns_whose_values_are_stored(
    open_app: App, storage: FileStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAVENDERTOWN_EVIDENCE_MASK", "order_*")
    app = press(upload(open_app("inspect_"), "orders.csv", CSV), "Save as report")
    assert "Stored values come from customer\\_id, amount. 1 column is masked." in said(app)
    press(app, "Save report")
    (report,) = storage.query_reports()
    stored = storage.reports.load_evidence(report["id"])
    assert stored is not None
    assert [profile.masked for profile in stored.columns] == [True, False, False]


def test_the_settings_can_forbid_sample_values(
    open_app: App, storage: FileStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAVENDERTOWN_EVIDENCE_SAMPLES", "false")
    app = press(upload(open_app("inspect_"), "orders.csv", CSV), "Save as report")
    assert "Sample values are off in the settings" in said(app)
    press(app, "Save report")
    (report,) = storage.query_reports()
    stored = storage.reports.load_evidence(report["id"])
    assert stored is not None
    assert (stored.samples, stored.columns[1].top, stored.columns[1].nulls) == ({}, [], 7)


def test_a_person_chooses_the_key_of_the_sample_rows(open_app: App, storage: FileStorage) -> None:
    app = press(upload(open_app("inspect_"), "orders.csv", CSV), "Save as report")
    field = app.multiselect(key="save:key")
    assert (field.options[0], field.value) == ("order_id", ["order_id"])
    field.set_value(["amount"])
    press(app, "Save report")
    (report,) = storage.query_reports()
    stored = storage.reports.load_evidence(report["id"])
    assert stored is not None
    assert stored.key == ["amount"]
    assert {tuple(row.values) for each in stored.samples.values() for row in each.rows} == {
        ("amount", "customer_id")
    }


def test_a_key_that_is_no_column_is_left_out(open_app: App, storage: FileStorage) -> None:
    app = press(upload(open_app("inspect_"), "orders.csv", CSV), "Save as report")
    app.multiselect(key="save:key").set_value(["no such column"])
    app = press(app, "Save report")
    assert not app.exception
    (report,) = storage.query_reports()
    stored = storage.reports.load_evidence(report["id"])
    assert stored is not None
    assert stored.key == []


def test_a_masked_column_is_no_suggested_key(open_app: App, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LAVENDERTOWN_EVIDENCE_MASK", "order_*")
    app = press(upload(open_app("inspect_"), "orders.csv", CSV), "Save as report")
    field = app.multiselect(key="save:key")
    assert (field.options, field.value) == (["customer_id", "amount"], [])


def test_a_report_says_what_was_left_out_of_its_evidence(
    open_app: App, save: Save, storage: FileStorage
) -> None:
    storage.save_report(save("r-1"), evidence=Evidence(omitted=["top values", "samples"]))
    text = "To keep the evidence small, it was stored without top values, samples."
    assert text in said(open_app(report="r-1"))
