"""Tables of DuckDB files; duckdb is not a dependency, so most of it is skipped without it."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from lavendertown.core.file_limits import FileLimits
from lavendertown.errors import FileLimitError, UnreadableTableError
from lavendertown.tables import read_table
from lavendertown.tables.sources.duckdb_files import read_duckdb_file


@pytest.mark.skipif(importlib.util.find_spec("duckdb") is not None, reason="duckdb is installed")
def test_without_duckdb_the_message_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "shop.duckdb").write_bytes(bytes(8) + b"DUCK" + bytes(100))
    with pytest.raises(
        UnreadableTableError, match=r"shop\.duckdb is a DuckDB database; to read it, install duckdb"
    ):
        read_duckdb_file(tmp_path / "shop.duckdb")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableTableError, match=r"There is no file .*gone\.duckdb"):
        read_duckdb_file(tmp_path / "gone.duckdb")


def test_tables_and_queries_are_read(tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    path = tmp_path / "shop.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE orders AS SELECT 1 AS id, {'city': 'Ulm'} AS address")
    table = read_duckdb_file(path)
    assert (table.name, table.columns, table.row_count) == ("orders", ["id", "address.city"], 1)
    assert read_duckdb_file(path, query="SELECT 1 AS a UNION ALL SELECT 2").row_count == 2
    with pytest.raises(FileLimitError):
        read_duckdb_file(path, "orders", limits=FileLimits(columns=1))
    for query in ("DROP TABLE orders", "SELEC 1", "CREATE TABLE t (a INT)"):
        with pytest.raises(UnreadableTableError, match="cannot be read"):
            read_duckdb_file(path, query=query)
    with pytest.raises(UnreadableTableError, match="has no table gone; it has orders"):
        read_duckdb_file(path, "gone")


def test_tables_of_other_schemas_are_named_with_theirs(tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    path = tmp_path / "shop.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE SCHEMA staging; CREATE TABLE staging.orders AS SELECT 1 AS id")
    assert read_duckdb_file(path).name == "staging.orders"
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE orders AS SELECT 1 AS id UNION ALL SELECT 2")
    assert read_duckdb_file(path, "staging.orders").row_count == 1
    assert read_duckdb_file(path, "main.orders").row_count == 2
    with pytest.raises(UnreadableTableError, match=r"2 tables \(orders, staging\.orders\)"):
        read_duckdb_file(path)


def test_a_view_of_a_foreign_file_reads_no_other_file(tmp_path: Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    (tmp_path / "secret.csv").write_text("a\n1\n")
    with duckdb.connect(str(tmp_path / "shop.duckdb")) as connection:
        connection.execute(f"CREATE VIEW v AS SELECT * FROM read_csv('{tmp_path / 'secret.csv'}')")
    with pytest.raises(UnreadableTableError, match="cannot be read: Permission Error"):
        read_table(tmp_path / "shop.duckdb", member="v")


def test_a_text_with_the_signature_is_no_duckdb_file() -> None:
    assert read_table(b"id,name\nDUCK,1\n", "ducks.csv").columns == ["id", "name"]
