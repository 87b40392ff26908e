"""``lavendertown analyze --engine``."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest

from tests.cli.conftest import Run

pytest.importorskip("duckdb")


@pytest.fixture
def parts(folder: Path) -> Path:
    path = folder / "parts"
    path.mkdir()
    for i in range(2):
        frame = pl.DataFrame(
            {"id": [i], "city": [None if i else "Ulm"]}, schema={"id": pl.Int64, "city": pl.String}
        )
        frame.write_parquet(path / f"{i}.parquet")
    return path


@pytest.mark.parametrize("source", ["parts", "parts/*.parquet", "parts/1.parquet"])
def test_duckdb_checks_files_and_says_so(source: str, run: Run, parts: Path) -> None:
    result = run("analyze", source, "--engine", "duckdb")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "DuckDB was chosen." in result.stdout
    assert "city is empty" in result.stdout
    coverage = json.loads(run("analyze", source, "--engine", "duckdb", "--json").stdout)["coverage"]
    assert coverage["engine"] == {"name": "duckdb", "reason": "DuckDB was chosen."}


def test_a_report_of_duckdb_has_profiles_and_samples(run: Run, parts: Path) -> None:
    result = run(
        "analyze", "parts", "--engine", "duckdb", "--save", "--author", "Ana", "--rows-out", "rows", "--json"
    )
    assert result.exit_code == 0, result.stderr
    shown = run("report", "show", json.loads(result.stdout)["report_id"])
    assert "city is empty in 1 of 2 rows (50%)." in shown.stdout
    assert any("Ulm" not in path.read_text() for path in Path("rows").glob("*.csv"))


def test_small_files_have_no_word_about_the_engine(run: Run, parts: Path) -> None:
    assert "engine" not in json.loads(run("analyze", "parts", "--json").stdout)["coverage"]


@pytest.mark.parametrize(
    ("source", "reason"), [("orders.csv", "is not a Parquet file"), ("-", "local Parquet files only")]
)
def test_other_sources_are_refused(source: str, reason: str, run: Run) -> None:
    result = run("analyze", source, "--engine", "duckdb")
    assert result.exit_code == 2
    assert reason in result.stderr
