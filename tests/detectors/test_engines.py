"""Checks over several columns give the same findings on every engine, also if they start from a sample."""

from __future__ import annotations

import dataclasses
from random import Random
from typing import Any

import narwhals as nw
import pytest

from benchmarks.quality.clean_tables import make_table
from benchmarks.quality.kinds_tables import KINDS
from benchmarks.quality.sheets import sheet_csv
from lavendertown.detectors import default_detectors, runner, table_queries
from lavendertown.detectors.runner import run_detectors
from lavendertown.tables import Table, from_frame, read_table
from tests.detectors.planted_files import frame_by_hand

PLANTED = {
    "key repeated: ledger": "keys",
    "key of two repeated: store_days": "keys",
    "copies with a new key: orders": "near_duplicates",
    "dependency broken: customers": "dependencies",
    "does not add up: orders": "arithmetic",
    "dates in reverse order: patients": "date_order",
    "gap in time: sensors": "time_gaps",
    "time repeated: meter": "repeated_times",
    "stuck: sensors": "stuck_values",
    "level shift: meter": "level_shifts",
    "unit mixed: people/inch": "outliers",
}


def planted_table(kind_name: str) -> Table:
    kind = next(kind for kind in KINDS if kind.name == kind_name)
    sheet = make_table(kind.tables[0], 3, 900)
    kind.plant(sheet, Random(kind_name))
    return read_table(sheet_csv(sheet), "t.csv")


def rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.10g}")
    if isinstance(value, dict):
        return {name: rounded(each) for name, each in value.items()}
    return [rounded(each) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("sample_rows", [20_000, 300])
@pytest.mark.parametrize("kind", PLANTED)
def test_engines_give_the_same_findings(kind: str, sample_rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "SMALL_TABLE_CELLS", 0)
    monkeypatch.setattr(table_queries, "SAMPLE_ROWS", sample_rows)
    table = planted_table(kind)
    native = table.frame.collect().to_native()
    expected, expected_checks = run_detectors(table, default_detectors())
    if sample_rows > 900:
        assert PLANTED[kind] in {finding.metadata["check"] for finding in expected}
    assert "check_error" not in {finding.ghost_type for finding in expected}
    for frame in (native.to_pandas(), native.to_arrow()):
        other = dataclasses.replace(table, frame=nw.from_native(frame).lazy())
        findings, checks = run_detectors(other, default_detectors())
        assert checks == expected_checks
        assert [rounded(f.to_dict()) for f in findings] == [rounded(f.to_dict()) for f in expected]


def test_frames_in_memory_give_the_same_findings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "SMALL_TABLE_CELLS", 0)
    table = from_frame(frame_by_hand().drop("tags", "place", "empty"))
    native = table.frame.collect().to_native()
    expected, expected_checks = run_detectors(table, default_detectors())
    assert {"durations", "totals", "infinite_values"} <= {finding.metadata["check"] for finding in expected}
    for frame in (native.to_pandas(), native.to_arrow()):
        other = dataclasses.replace(table, frame=nw.from_native(frame).lazy())
        findings, checks = run_detectors(other, default_detectors())
        assert checks == expected_checks
        assert [rounded(f.to_dict()) for f in findings] == [rounded(f.to_dict()) for f in expected]
