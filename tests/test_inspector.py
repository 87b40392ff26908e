"""The inspector: sources, dataset names, coverage, identity."""

from __future__ import annotations

import io
from pathlib import Path

import pandas as pd
import polars as pl
import pytest

from lavendertown import codec
from lavendertown.detectors import Nulls, Outliers
from lavendertown.errors import InvalidInputError
from lavendertown.identity import fingerprint
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
    first, second = ({fingerprint(f) for f in Inspector(d, dataset="d").detect()} for d in (few, many))
    assert len(first) >= 3
    assert first <= second


def test_another_choice_is_another_check() -> None:
    data = pd.DataFrame({"a": [None, 1.0, 2.0]})
    one, other = (Inspector(data, detectors=[Nulls(t)]).detect()[0] for t in (0.0, 0.1))
    assert fingerprint(one) != fingerprint(other)


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
    assert codec.plain(coverage) == coverage


def test_a_check_that_cannot_speak_is_not_said_to_have_passed() -> None:
    inspector = Inspector(pl.DataFrame({"text": list("abcdefghijkl")}), detectors=[Outliers()])
    assert inspector.detect() == []
    assert inspector.checks == []


@pytest.mark.parametrize("data", [pd.DataFrame(), pl.DataFrame({"a": []}), (b"a,b,c\n", "o.csv")])
def test_a_table_without_rows_or_columns_has_no_findings(data: object) -> None:
    inspector = Inspector(data)
    assert inspector.detect() == []
    assert inspector.coverage()["checks_run"] == 0


def test_what_cannot_be_inspected_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="cannot be inspected"):
        Inspector(3)


def test_findings_hold_only_plain_values() -> None:
    for finding in Inspector((RAW, "orders.csv")).detect():
        assert codec.plain(finding.to_dict()) == finding.to_dict()
