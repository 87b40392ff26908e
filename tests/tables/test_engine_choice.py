"""Which engine computes, why, and what is refused."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from lavendertown.core.errors import FileLimitError, InvalidInputError, UnreadableTableError
from lavendertown.core.file_limits import FileLimits
from lavendertown.core.reading import Reading
from lavendertown.inspector import Inspector
from lavendertown.tables.engines import engine_choice

duckdb = pytest.importorskip("duckdb")


@pytest.fixture
def parts(tmp_path: Path) -> Path:
    folder = tmp_path / "orders"
    folder.mkdir()
    for i in range(3):
        pl.DataFrame({"id": [2 * i, 2 * i + 1], "city": ["Ulm", None]}).write_parquet(folder / f"{i}.parquet")
    return folder


def test_small_files_are_read_into_memory(parts: Path) -> None:
    table = Inspector(parts).table
    assert (table.engine.name, table.engine.reason, table.row_count) == ("polars", "", 6)


def test_large_files_stay_on_disk_and_say_why(parts: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_choice, "LARGE_FILE_BYTES", 100)
    inspector = Inspector(parts)
    assert inspector.table.engine.name == "duckdb"
    reason = "The table has 6 rows and 0 MB unpacked, so DuckDB reads it in parts instead of into memory."
    assert inspector.coverage()["engine"] == {"name": "duckdb", "reason": reason}
    assert inspector.dataset == "orders"
    assert inspector.table.guesses[0].startswith("Read 3 files as one table: 0.parquet,")
    assert inspector.table.rows([5, 0])["id"].tolist() == [5, 0]


def test_files_over_the_limit_of_cells_are_read_by_duckdb(parts: Path) -> None:
    limits = FileLimits(cells=5)
    assert Inspector(str(parts / "*.parquet"), limits=limits).table.engine.name == "duckdb"
    with pytest.raises(FileLimitError, match="cells"):
        Inspector(parts, limits=limits, engine="polars")
    with pytest.raises(FileLimitError, match="columns"):
        Inspector(parts, limits=FileLimits(columns=1), engine="duckdb")


def test_settings_for_values_are_for_tables_in_memory(parts: Path) -> None:
    reading = Reading(null_words=("Ulm",))
    assert Inspector(parts, reading=reading, limits=FileLimits(cells=50)).table.engine.name == "polars"
    with pytest.raises(InvalidInputError, match="settings for its values"):
        Inspector(parts, reading=reading, engine="duckdb")


def test_other_files_are_refused_with_the_reason(parts: Path, tmp_path: Path) -> None:
    csv = tmp_path / "a.csv"
    csv.write_text("a,b\n1,2\n")
    with pytest.raises(InvalidInputError, match=r"DuckDB cannot check a.csv: a.csv is not a Parquet file"):
        Inspector(csv, engine="duckdb")
    pl.DataFrame({"id": ["x"], "city": ["Ulm"]}).write_parquet(parts / "9.parquet")
    with pytest.raises(InvalidInputError, match=r"9.parquet has other columns or types than 0.parquet"):
        Inspector(parts, engine="duckdb")
    with pytest.raises(InvalidInputError, match="cannot be read"):
        Inspector(tmp_path / "none.parquet", engine="duckdb")
    with pytest.raises(UnreadableTableError, match="There is no file"):
        Inspector(tmp_path / "none.parquet")


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pl.DataFrame({"id": range(5_000)}).write_parquet(path)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(InvalidInputError, match="cannot be read"):
        Inspector(path, engine="duckdb")


def test_relations_stay_in_duckdb_if_they_are_large(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = duckdb.connect()
    relation = connection.sql("SELECT range AS id, range % 3 AS part FROM range(100)")
    small = Inspector(relation).table
    assert (small.engine.name, small.engine.reason) == (
        "polars",
        "The relation is small, so it was read into memory.",
    )
    monkeypatch.setattr(engine_choice, "LARGE_RELATION_CELLS", 10)
    assert Inspector(relation).table.engine.name == "duckdb"
    assert Inspector(relation, engine="polars").table.engine.name == "polars"


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM orders ORDER BY part",
        "SELECT part, count(*) AS n FROM orders GROUP BY part",
        "SELECT a.id FROM orders AS a JOIN orders AS b USING (part)",
        "SELECT id, random() AS r FROM orders",
    ],
)
def test_relations_without_a_fixed_order_are_read_into_memory(
    query: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_choice, "LARGE_RELATION_CELLS", 1)
    connection = duckdb.connect()
    connection.execute("CREATE TABLE orders AS SELECT range AS id, range % 3 AS part FROM range(9)")
    table = Inspector(connection.sql(query)).table
    assert table.engine.name == "polars"
    assert "no fixed order" in table.engine.reason
    with pytest.raises(InvalidInputError, match=r"no fixed order .* Save its result"):
        Inspector(connection.sql(query), engine="duckdb")
    with pytest.raises(FileLimitError, match="The relation has"):
        Inspector(connection.sql(query), limits=FileLimits(cells=2))


def test_frames_in_memory_and_unknown_engines_are_refused(parts: Path) -> None:
    with pytest.raises(InvalidInputError, match="is in memory already"):
        Inspector(pl.DataFrame({"a": [1]}), engine="duckdb")
    with pytest.raises(InvalidInputError, match="There is no engine 'spark'; use auto, polars, duckdb"):
        Inspector(parts, engine="spark")  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError, match="by their path only"):
        Inspector((parts / "0.parquet").read_bytes(), engine="duckdb")
    with pytest.raises(InvalidInputError, match="on polars already"):
        Inspector(Inspector(parts).table, engine="duckdb")


def test_a_source_that_changed_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pl.DataFrame({"id": range(5)}).write_parquet(path)
    table = Inspector(path, engine="duckdb").table
    pl.DataFrame({"id": range(2)}).write_parquet(path)
    with pytest.raises(InvalidInputError, match="no longer has row 4"):
        table.rows([4])
