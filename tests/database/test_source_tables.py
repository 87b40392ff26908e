"""Tables of databases by URL, as data to check."""

from __future__ import annotations

import decimal
from pathlib import Path

import pytest

from lavendertown.core.file_limits import FileLimits
from lavendertown.database.source_tables import read_database_table
from lavendertown.errors import FileLimitError, InvalidInputError, UnreadableTableError
from lavendertown.stores.sql.connection.engine import make_engine
from lavendertown.tables import Table
from tests.support import mariadb


def run(url: str, *statements: str) -> None:
    engine = make_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


def values(table: Table, name: str) -> list[object]:
    return table.frame.collect()[table.column(name).key].to_list()


@pytest.fixture
def shop(postgres_url: str) -> str:
    run(
        postgres_url,
        "CREATE TABLE orders (id int, amount numeric(30, 2), key uuid, day date, tags text[], more json)",
        "INSERT INTO orders VALUES (1, 10.50, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '2026-05-01', '{a}', "
        "'{\"a\": 1}'), (2, NULL, NULL, NULL, NULL, NULL)",
        "CREATE SEQUENCE numbers",
        "CREATE SCHEMA old",
        "CREATE TABLE old.items (name text)",
    )
    return postgres_url


@pytest.mark.postgres
def test_a_postgres_table_is_read(shop: str) -> None:
    table = read_database_table(shop)
    assert (table.name, table.columns) == ("orders", ["id", "amount", "key", "day", "tags", "more"])
    assert values(table, "amount") == [decimal.Decimal("10.50"), None]
    assert values(table, "key") == ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", None]
    assert [column.kind for column in table.schema] == ["number", "number", "text", "time", "other", "other"]
    assert table.guesses[0].startswith("Read the table orders in postgresql://")
    assert read_database_table(shop, "old.items").columns == ["name"]


@pytest.fixture(params=[pytest.param("postgres", marks=pytest.mark.postgres), *mariadb.PARAMS])
def server(request: pytest.FixtureRequest) -> str:
    """The URL of a database with a table of two rows, on each kind of server."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    run(url, "CREATE TABLE numbers (n int)", "INSERT INTO numbers VALUES (1), (NULL)")
    return url


@pytest.mark.parametrize(
    "write",
    [
        "DELETE FROM numbers",
        "INSERT INTO numbers VALUES (3)",
        "CREATE TABLE more (n int)",
        "DROP TABLE numbers",
    ],
)
def test_a_server_refuses_to_write(server: str, write: str) -> None:
    with pytest.raises(UnreadableTableError, match="cannot be read: "):
        read_database_table(server, query=write)
    assert values(read_database_table(server), "n") == [1, None]


@pytest.mark.postgres
def test_a_postgres_query_is_taken_literally_and_cannot_write(shop: str) -> None:
    query = "SELECT id, 'a%s:b' AS x FROM orders WHERE 'x' LIKE '%'"
    assert values(read_database_table(shop, query=query), "x") == ["a%s:b"] * 2
    # A rollback does not undo nextval.
    for write in ("SELECT nextval('numbers')", "DELETE FROM orders RETURNING id", "CREATE TABLE t (a int)"):
        with pytest.raises(UnreadableTableError, match="cannot be read"):
            read_database_table(shop, query=write)
    assert read_database_table(shop, "orders").row_count == 2


@pytest.mark.postgres
def test_a_table_has_to_be_named_and_to_exist(shop: str) -> None:
    with pytest.raises(UnreadableTableError, match="has no table gone; it has orders"):
        read_database_table(shop, "gone")
    with pytest.raises(UnreadableTableError, match=r"has no table old\.gone"):
        read_database_table(shop, "old.gone")
    with pytest.raises(FileLimitError, match="12 cells"):
        read_database_table(shop, limits=FileLimits(cells=10))
    run(shop, "CREATE TABLE b (a int)")
    with pytest.raises(UnreadableTableError, match=r"has 2 tables \(b, orders\); name one: --table b"):
        read_database_table(shop)


def test_a_sqlite_url_reads_the_file_and_creates_none(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    with pytest.raises(UnreadableTableError, match="There is no file"):
        read_database_table(url)
    assert list(tmp_path.iterdir()) == []
    run(url, "CREATE TABLE orders (id int)", "INSERT INTO orders VALUES (1)")
    assert values(read_database_table(url, "orders"), "id") == [1]
    with pytest.raises(InvalidInputError, match="names no SQLite file"):
        read_database_table("sqlite://")


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (
            "s3://bucket/orders.csv",
            "SQLAlchemy does not know databases of the kind s3://; give the path of a file",
        ),
        ("postgresql://ana:sec@ret@host/shop", "malformed; write it as driver://"),
        ("postgresql://ana:secret@host:port/shop", "malformed; write it as driver://"),
        ("postgresql://ana:secret@127.0.0.1:1/shop", r"^postgresql://127\.0\.0\.1/shop cannot be read: "),
    ],
)
def test_a_url_that_cannot_be_used_is_one_sentence_without_its_password(url: str, message: str) -> None:
    with pytest.raises((InvalidInputError, UnreadableTableError), match=message) as caught:
        read_database_table(url)
    assert "sec" not in str(caught.value)
