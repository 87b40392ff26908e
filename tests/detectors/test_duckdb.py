"""On DuckDB, every check gives the same findings as in memory: row for row, and in the same order."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from lavendertown.detectors import default_detectors, runner, table_queries
from lavendertown.inspector import Inspector
from lavendertown.models import GhostFinding
from lavendertown.tables.engines import exact_quantiles
from tests.detectors.planted_files import BY_HAND, FILE_NAMES, write_planted
from tests.detectors.test_engines import rounded

duckdb = pytest.importorskip("duckdb")

NOT_IN_PARQUET = {"error_cells"}
NOT_PLANTED = {"row_count"}


@pytest.fixture(autouse=True)
def engines_keep_small_tables(monkeypatch: pytest.MonkeyPatch) -> None:
    """Small tables would be read into memory before the checks run."""
    monkeypatch.setattr(runner, "SMALL_TABLE_CELLS", 0)


def as_dicts(findings: list[GhostFinding]) -> list[dict[str, Any]]:
    """Return findings to compare; what nested values look like as text differs between engines."""
    return [rounded(finding.to_dict()) for finding in findings if finding.column != "tags"]


def described(inspector: Inspector) -> list[Any]:
    return [(check.to_dict(), check.column) for check in inspector.checks]


@pytest.mark.parametrize("sample_rows", [20_000, 150])
@pytest.mark.parametrize("name", FILE_NAMES)
def test_duckdb_gives_the_same_findings(
    name: str, sample_rows: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_queries, "SAMPLE_ROWS", sample_rows)
    monkeypatch.setattr(exact_quantiles, "MAX_READ", 20)
    path = write_planted(name, tmp_path)
    in_memory, on_duckdb = Inspector(path, engine="polars"), Inspector(path, engine="duckdb")
    assert on_duckdb.table.engine.name == "duckdb"
    expected = in_memory.detect()
    assert "check_error" not in {finding.ghost_type for finding in expected}
    assert as_dicts(on_duckdb.detect()) == as_dicts(expected)
    assert described(on_duckdb) == described(in_memory)
    assert on_duckdb.table.columns == in_memory.table.columns
    assert [c.kind for c in on_duckdb.table.schema] == [c.kind for c in in_memory.table.schema]


def test_the_files_have_a_finding_of_every_check(tmp_path: Path) -> None:
    found = {
        finding.metadata["check"]
        for name in FILE_NAMES
        for finding in Inspector(write_planted(name, tmp_path), engine="polars").detect()
    }
    checks = {detector.check for detector in default_detectors()}
    assert checks - found <= NOT_IN_PARQUET | NOT_PLANTED


def test_a_relation_gives_the_same_findings_as_the_frame(tmp_path: Path) -> None:
    path = write_planted(BY_HAND, tmp_path)
    connection = duckdb.connect()
    relation = connection.read_parquet(str(path))
    on_duckdb = Inspector(relation, engine="duckdb")
    expected = Inspector(pl.read_parquet(path), engine="auto")
    assert as_dicts(on_duckdb.detect()) == as_dicts(expected.detect())
    positions = on_duckdb.findings[0].row_indices if on_duckdb.findings else None
    shown = on_duckdb.table.rows(positions or [5, 3])
    assert shown["row"].tolist() == expected.table.rows(positions or [5, 3])["row"].tolist()


def test_a_check_that_duckdb_cannot_run_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: Any, **options: Any) -> Any:
        raise NotImplementedError("no quantiles here")

    monkeypatch.setattr(table_queries, "compute_quantiles", refuse)
    inspector = Inspector(write_planted("impossible sign: orders", tmp_path), engine="duckdb")
    findings = inspector.detect()
    assert "check_error" not in {finding.ghost_type for finding in findings}
    not_run = inspector.coverage()["not_run"]
    assert {entry["check"] for entry in not_run} == {"outliers"}
    assert {entry["reason"] for entry in not_run} == {"DuckDB cannot run it: no quantiles here."}
    assert "outliers" not in {entry["check"] for entry in inspector.coverage()["ran"]}
