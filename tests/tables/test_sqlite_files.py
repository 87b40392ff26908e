"""Tables of SQLite files."""

from __future__ import annotations

import datetime as dt
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from lavendertown.core.file_limits import FileLimits
from lavendertown.errors import FileLimitError, SeveralTablesError, UnreadableTableError
from lavendertown.tables import Table, read_table
from lavendertown.tables.sources.sqlite_files import read_sqlite_file

ORDERS = """
CREATE TABLE orders (id INTEGER, amount REAL, placed DATE, note BLOB);
INSERT INTO orders VALUES
  (1, 10.5, '2026-05-01', x'ff'), (2, NULL, '2026-05-02', NULL), (3, 'lots', NULL, NULL);
"""


def make_file(path: Path, script: str = ORDERS) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(script)
    return path


def values(table: Table, name: str) -> list[object]:
    return table.frame.collect()[table.column(name).key].to_list()


def test_the_only_table_is_read(tmp_path: Path) -> None:
    table = read_sqlite_file(make_file(tmp_path / "shop.db"))
    assert (table.name, table.columns, table.row_count) == ("orders", ["id", "amount", "placed", "note"], 3)
    assert values(table, "id") == [1, 2, 3]
    assert values(table, "placed") == [dt.date(2026, 5, 1), dt.date(2026, 5, 2), None]
    assert table.frame.collect()[str(table.column("amount").kinds_key)].to_list() == ["number", None, "text"]
    assert table.guesses[0] == "Read the table orders in the SQLite database shop.db."


def test_a_table_or_a_view_is_chosen_by_name(tmp_path: Path) -> None:
    script = 'CREATE TABLE "odd ""name" (a); CREATE VIEW small AS SELECT id FROM orders WHERE id < 3;'
    path = make_file(tmp_path / "shop.db", ORDERS + script)
    assert read_sqlite_file(path, "small").row_count == 2
    assert read_sqlite_file(path, 'odd "name').columns == ["a"]
    assert read_sqlite_file(path, "ORDERS").name == "orders"
    with pytest.raises(UnreadableTableError) as caught:
        read_sqlite_file(path)
    assert str(caught.value) == ('shop.db has 2 tables (odd "name, orders); name one: shop.db::odd "name.')
    with pytest.raises(UnreadableTableError, match=r'shop\.db has no table gone; it has odd "name, orders'):
        read_sqlite_file(path, "gone")


def test_a_database_is_read_like_any_other_file(tmp_path: Path) -> None:
    path = make_file(tmp_path / "upload", ORDERS + "CREATE TABLE customers (a);")
    assert read_table(path, "shop.db", member="orders").row_count == 3
    assert read_table(path.read_bytes(), "shop.db", member="orders").name == "orders"
    with pytest.raises(SeveralTablesError, match=r"shop\.db has 2 tables") as caught:
        read_table(path, "shop.db")
    assert caught.value.names == ("customers", "orders")


def test_a_query_is_read(tmp_path: Path) -> None:
    path = make_file(tmp_path / "shop.db")
    table = read_sqlite_file(path, query="SELECT id, id AS id FROM orders WHERE note IS NULL")
    assert (table.name, table.columns, table.row_count) == ("shop.db", ["id", "id (2)"], 2)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELEC 1", "The query failed in the SQLite database shop.db: near"),
        ("DELETE FROM orders", "attempt to write a readonly database"),
        ("PRAGMA user_version = 7", "attempt to write a readonly database"),
        ("BEGIN", "The query returns no rows; write one that does"),
        ("SELECT 1; SELECT 2", "You can only execute one statement"),
    ],
)
def test_a_query_cannot_write(tmp_path: Path, query: str, message: str) -> None:
    path = make_file(tmp_path / "shop.db")
    before = path.read_bytes()
    with pytest.raises(UnreadableTableError, match=message):
        read_sqlite_file(path, query=query)
    assert path.read_bytes() == before


def test_a_missing_file_is_not_created(tmp_path: Path) -> None:
    with pytest.raises(UnreadableTableError, match=r"There is no file .*gone\.db"):
        read_sqlite_file(tmp_path / "gone.db")
    assert not (tmp_path / "gone.db").exists()


def test_a_damaged_file_and_one_without_tables_are_one_sentence(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.db"
    damaged.write_bytes(b"SQLite format 3\x00" + b"\xff" * 4_000)
    with pytest.raises(UnreadableTableError, match=r"cannot be read from the SQLite database damaged\.db"):
        read_sqlite_file(damaged)
    empty = make_file(tmp_path / "empty.db", "CREATE TABLE t (a); DROP TABLE t;")
    with pytest.raises(UnreadableTableError, match=r"empty\.db has no tables"):
        read_sqlite_file(empty)


def test_text_that_is_not_utf8_is_read(tmp_path: Path) -> None:
    path = make_file(
        tmp_path / "shop.db", "CREATE TABLE t (a TEXT); INSERT INTO t VALUES (CAST(x'4bf6' AS TEXT));"
    )
    assert values(read_sqlite_file(path), "a") == ["K\ufffd"]


def test_the_limits_hold(tmp_path: Path) -> None:
    path = make_file(tmp_path / "shop.db")
    with pytest.raises(FileLimitError, match="has 12 cells"):
        read_sqlite_file(path, limits=FileLimits(cells=10))
    with pytest.raises(FileLimitError, match="4 columns"):
        read_sqlite_file(path, limits=FileLimits(columns=3))
    with pytest.raises(FileLimitError, match="unpacks to more than"):
        read_sqlite_file(path, limits=FileLimits(uncompressed_bytes=1_000))
    endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n"
    with pytest.raises(FileLimitError, match="cells"):
        read_sqlite_file(path, query=endless, limits=FileLimits(cells=20_000))
