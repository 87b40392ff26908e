"""The inspector: sources, dataset names, coverage, identity."""

from __future__ import annotations

import datetime as dt
import io
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path

import openpyxl
import pandas as pd
import polars as pl
import pytest

from lavendertown.core import json_codec
from lavendertown.core.fingerprints import compute_fingerprint
from lavendertown.detectors import Nulls, Outliers
from lavendertown.errors import InvalidInputError, UnreadableTableError
from lavendertown.inspector import Inspector

RAW = b"a,b\n1,x\n,y\n3,-\n"


def test_a_path_an_upload_and_a_frame_give_the_same_findings(tmp_path: Path) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(RAW)
    by_path = Inspector(path).detect()
    assert Inspector((io.BytesIO(RAW), "orders.csv")).detect() == by_path
    frame = pl.DataFrame({"a": [1, None, 3], "b": ["x", "y", "-"]})
    assert Inspector(frame, dataset="orders").detect() == by_path


def test_the_dataset_is_the_files_stem_unless_told() -> None:
    assert Inspector((RAW, "orders.csv")).dataset == "orders"
    assert Inspector((RAW, "orders.csv"), dataset="sales").detect()[0].metadata["dataset"] == "sales"
    frame = Inspector(pl.DataFrame({"a": [None]}))
    assert frame.dataset is None
    assert "dataset" not in frame.detect()[0].metadata


def test_a_finding_keeps_its_identity_when_counts_change() -> None:
    few = pd.DataFrame({"a": [1.0, None] + [5.0] * 50, "b": [*range(17)] * 3 + [9_999], "c": ["x", "-"] * 26})
    many = pd.concat([few, few.assign(a=None)], ignore_index=True)
    first, second = (
        {compute_fingerprint(f) for f in Inspector(d, dataset="d").detect()} for d in (few, many)
    )
    assert len(first) >= 3
    assert first <= second


def test_another_choice_is_another_check() -> None:
    data = pd.DataFrame({"a": [None, 1.0, 2.0]})
    one, other = (Inspector(data, detectors=[Nulls(t)]).detect()[0] for t in (0.0, 0.1))
    assert compute_fingerprint(one) != compute_fingerprint(other)


def test_coverage_tells_what_ran_and_passed() -> None:
    inspector = Inspector((RAW, "orders.csv"))
    inspector.detect()
    coverage = inspector.coverage()
    assert (coverage["rows"], coverage["columns"], coverage["failed"]) == (3, 2, 0)
    ran = {(r["check"], r["column"]): r["outcome"] for r in coverage["ran"]}
    assert ran[("nulls", "a")] == "found"
    assert ran[("nulls", "b")] == "passed"
    assert coverage["passed"] == list(ran.values()).count("passed")
    assert coverage["checks_run"] == len(ran)
    assert json_codec.to_jsonable(coverage) == coverage


def test_checks_of_text_pass_in_columns_without_text() -> None:
    for value in (1.5, dt.date(2026, 1, 2), True):
        inspector = Inspector(pl.DataFrame({"a": [value, None, value]}))
        inspector.detect()
        ran = {each.check: each.outcome for each in inspector.checks if each.column == "a"}
        assert (ran["types"], ran["disguised_nulls"]) == ("passed", "passed")


def test_a_check_that_cannot_speak_is_not_said_to_have_passed() -> None:
    inspector = Inspector(pl.DataFrame({"text": list("abcdefghijkl")}), detectors=[Outliers()])
    assert inspector.detect() == []
    assert inspector.checks == []


def header_only_workbook() -> bytes:
    book, out = openpyxl.Workbook(), io.BytesIO()
    book.worksheets[0].append(["a", "b"])
    book.save(out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "missing"),
    [
        (pd.DataFrame(), "rows and no columns"),
        (pd.DataFrame(index=[1, 2]), "columns"),
        (pd.DataFrame({"a": []}), "rows"),
        (pl.DataFrame({"a": []}), "rows"),
        (pl.LazyFrame({"a": []}), "rows"),
        (pl.DataFrame({"a": []}).to_arrow(), "rows"),
        ((b"a,b,c\n", "o.csv"), "rows"),
        ((b"[]", "o.json"), "rows and no columns"),
        ((b'{"a": [], "b": []}', "o.json"), "rows"),
        ((b'{"total": 0, "data": []}', "o.json"), "rows and no columns"),
        ((header_only_workbook(), "o.xlsx"), "rows"),
    ],
)
def test_an_empty_delivery_is_an_error(data: object, missing: str) -> None:
    inspector = Inspector(data, dataset="orders")
    (finding,) = inspector.detect()
    assert (finding.ghost_type, finding.column, finding.severity) == ("null", "*", "error")
    assert finding.description == f"The table has no {missing}."
    assert finding.metadata == {
        "check": "row_count",
        "params": {},
        "dataset": "orders",
        "count": 0,
        "share": 0.0,
        "total_count": inspector.table.row_count,
    }
    assert {"check": "row_count", "column": "*", "params": {}, "outcome": "found"} in (
        inspector.coverage()["ran"]
    )


def test_a_table_with_rows_passes_the_row_count() -> None:
    ran = Inspector((RAW, "orders.csv")).coverage()["ran"]
    assert {"check": "row_count", "column": "*", "params": {}, "outcome": "passed"} in ran


def test_what_cannot_be_inspected_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="cannot be inspected"):
        Inspector(3)


def test_findings_hold_only_plain_values() -> None:
    for finding in Inspector((RAW, "orders.csv")).detect():
        assert json_codec.to_jsonable(finding.to_dict()) == finding.to_dict()


def test_one_of_several_tables_is_named_after_the_path(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
        connection.executescript(
            "CREATE TABLE orders (id); CREATE TABLE people (id); INSERT INTO orders VALUES (1)"
        )
    with zipfile.ZipFile(tmp_path / "orders.zip", "w") as archive:
        archive.writestr("may.csv", "id,amount\n1,2\n2,3\n")
        archive.writestr("june.csv", "id,amount\n1,2\n")
    for source, rows in (("shop.db::orders", 1), (Path("orders.zip::may.csv"), 2)):
        assert Inspector(tmp_path / source).table.row_count == rows
    with pytest.raises(UnreadableTableError, match="has no table people2"):
        Inspector(f"{tmp_path}/shop.db::people2")
    with pytest.raises(UnreadableTableError, match="is not complete"):
        Inspector(f"{tmp_path}/shop.db::")
    with pytest.raises(InvalidInputError, match="leave out engine='duckdb'"):
        Inspector(f"{tmp_path}/orders.zip::may.csv", engine="duckdb")
