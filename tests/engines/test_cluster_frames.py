"""On Dask and a local Spark, the checks give the same findings as in memory, without row numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from lavendertown.core.errors import FileLimitError, InvalidInputError
from lavendertown.core.file_limits import FileLimits
from lavendertown.detectors import Nulls, runner, table_queries
from lavendertown.inspector import Inspector
from lavendertown.models import GhostFinding
from tests.detectors.planted_files import BY_HAND, write_planted
from tests.detectors.test_engines import rounded

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning"),
    # Dask still calls pandas with it.
    pytest.mark.filterwarnings("ignore:The inplace keyword in DataFrame.reset_index is deprecated"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

Load = Callable[[Path], Any]

COLUMNS = {
    BY_HAND: ["row", "start", "end", "days", "region", "amount", "article", "rate", "constant", 'Flag "1"'],
    "copies: orders": None,
    "coordinates swapped": None,
}


@pytest.fixture(scope="module")
def spark() -> Iterator[Any]:
    """A Spark in this machine."""
    sql = pytest.importorskip("pyspark.sql")
    session = (
        sql.SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "2")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.sql.files.maxPartitionBytes", "4096")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


@pytest.fixture(params=["dask", "pyspark"])
def load(request: pytest.FixtureRequest) -> Load:
    """Read a Parquet file with Dask or Spark, in several partitions."""
    if request.param == "dask":
        frames = pytest.importorskip("dask.dataframe")
        return lambda path: frames.read_parquet(str(path)).repartition(npartitions=3)
    session = request.getfixturevalue("spark")
    return lambda path: session.read.parquet(str(path))


def without_rows(findings: list[GhostFinding]) -> list[dict[str, Any]]:
    """Return findings to compare: only checks in memory know which rows are related."""
    compared = []
    for finding in findings:
        values = rounded(finding.to_dict())
        values["row_indices"] = None
        values["metadata"].pop("related", None)
        compared.append(values)
    return compared


@pytest.mark.parametrize("name", COLUMNS)
def test_the_findings_are_the_same_without_rows(
    name: str, load: Load, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "SMALL_TABLE_CELLS", 0)
    monkeypatch.setattr(table_queries, "SAMPLE_ROWS", 100)
    path = write_planted(name, tmp_path, rows=300)
    frame = pl.read_parquet(path)
    frame.select(COLUMNS[name] or pl.all()).write_parquet(path)
    expected, inspector = Inspector(path, engine="polars", dataset="d"), Inspector(load(path), dataset="d")
    found = inspector.detect()
    assert without_rows(found) == without_rows(expected.detect())
    assert all(finding.row_indices is None for finding in found)
    assert "not_run" not in inspector.coverage()


def test_small_tables_and_bad_choices(load: Load, tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pl.DataFrame({"id": range(40), "city": ["Ulm", None] * 20}).write_parquet(path)
    data = load(path)
    inspector = Inspector(data, detectors=[Nulls()])
    (finding,) = inspector.detect()
    assert (finding.column, finding.metadata["count"], finding.row_indices) == ("city", 20, None)
    assert inspector.coverage()["engine"]["name"] == inspector.table.engine.name
    assert inspector.table.rows([3, 1])["id"].tolist() == [3, 1]
    assert [column.count for column in inspector.evidence().columns] == [40, 40]
    assert Inspector(data, detectors=[Nulls()], engine="polars").detect()[0].row_indices == list(
        range(1, 40, 2)
    )
    with pytest.raises(InvalidInputError, match="DuckDB cannot check a data frame of"):
        Inspector(data, engine="duckdb")
    with pytest.raises(FileLimitError, match="cells"):
        Inspector(data, engine="polars", limits=FileLimits(cells=10))
