"""Driver errors are recognized by their code, whatever their text says or in which language it is."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from lavendertown.errors import RaceError, StorageError, StorageUnavailableError
from lavendertown.stores.sql.connection.engine import make_engine, read_url
from lavendertown.stores.sql.connection.errors import translate_errors
from tests.support.mariadb import PARAMS

URLS = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres), *PARAMS]


@pytest.fixture(params=URLS)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sa.Engine]:
    """A database with a table whose names sound like errors."""
    is_file = request.param == "sqlite"
    url = f"sqlite:///{tmp_path / 'x.db'}" if is_file else request.getfixturevalue(f"{request.param}_url")
    opened = make_engine(read_url(url))
    with opened.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TABLE items (id INTEGER PRIMARY KEY, code VARCHAR(20) UNIQUE, duplicate_of INTEGER, "
            "unique_name VARCHAR(20) NOT NULL, CONSTRAINT unique_duplicate CHECK (duplicate_of > 0))"
        )
        connection.exec_driver_sql("INSERT INTO items VALUES (1, 'a', 1, 'one')")
    yield opened
    opened.dispose()


def run(engine: sa.Engine, statement: str) -> Any:
    with translate_errors(engine.url), engine.begin() as connection:
        return connection.exec_driver_sql(statement)


@pytest.mark.parametrize("values", ["(1, 'b', 1, 'two')", "(2, 'a', 1, 'two')"])
def test_a_duplicate_key_is_a_race(engine: sa.Engine, values: str) -> None:
    with pytest.raises(RaceError, match="Another user saved a record with this id"):
        run(engine, f"INSERT INTO items VALUES {values}")


@pytest.mark.parametrize("values", ["(2, 'b', 1, NULL)", "(2, 'b', -1, 'two')"])
def test_another_violated_constraint_is_no_race_whatever_it_is_called(engine: sa.Engine, values: str) -> None:
    sentence = "(refused the change|reported an error); nothing was written"
    with pytest.raises(StorageError, match=sentence) as refused:
        run(engine, f"INSERT INTO items VALUES {values}")
    assert type(refused.value) is StorageError


@pytest.mark.parametrize("name", ["locked", "readonly", "malformed", "disk_is_full"])
def test_a_wrong_statement_is_not_taken_for_a_broken_file(tmp_path: Path, name: str) -> None:
    engine = make_engine(read_url(f"sqlite:///{tmp_path / 'x.db'}"))
    with pytest.raises(StorageError, match=f"reported an error; nothing was written: no such column: {name}"):
        run(engine, f"SELECT {name} FROM sqlite_master")
    engine.dispose()


def create_table_file(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE items (text)")
    connection.close()


@pytest.mark.parametrize(
    ("before", "statement", "sentence"),
    [
        ("PRAGMA max_page_count=2", "INSERT INTO items VALUES (zeroblob(99999))", "The disk of .* is full"),
        ("PRAGMA query_only=1", "INSERT INTO items VALUES (1)", "is read-only; .* permissions"),
        ("PRAGMA user_version", "ATTACH '/no/such/folder/x.db' AS other", "cannot be opened. Check"),
    ],
)
def test_sqlite_says_what_is_wrong_with_its_file(
    tmp_path: Path, before: str, statement: str, sentence: str
) -> None:
    create_table_file(tmp_path / "x.db")
    engine = make_engine(read_url(f"sqlite:///{tmp_path / 'x.db'}"))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(before)
        with pytest.raises(StorageUnavailableError, match=sentence), translate_errors(engine.url):
            connection.exec_driver_sql(statement)
    engine.dispose()


def test_a_damaged_sqlite_file_is_said_to_be_damaged(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    create_table_file(path)
    with path.open("r+b") as file:
        file.seek(100)
        file.write(b"\xff" * 200)
    engine = make_engine(read_url(f"sqlite:///{path}"))
    with pytest.raises(StorageUnavailableError, match="is damaged; nothing was changed"):
        run(engine, "SELECT * FROM items")
    engine.dispose()


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("code", "kind", "sentence"),
    [
        ("53100", StorageUnavailableError, "The disk of .* is full"),
        ("25006", StorageUnavailableError, "is read-only; nothing was written"),
        ("55P03", StorageUnavailableError, "is locked by another session"),
        ("40001", RaceError, "changed the same findings at the same time"),
        ("40P01", RaceError, "changed the same findings at the same time"),
        ("23505", RaceError, "saved a record with this id"),
        ("57P01", StorageUnavailableError, "does not answer; nothing was written"),
        ("57014", StorageError, "reported an error; nothing was written"),
    ],
)
def test_postgresql_is_understood_by_its_code_in_any_language(
    postgres_url: str, code: str, kind: type[Exception], sentence: str
) -> None:
    engine = make_engine(read_url(postgres_url))
    with pytest.raises(kind, match=sentence):
        run(engine, f"DO $$ BEGIN RAISE EXCEPTION 'プログラムエラー' USING ERRCODE = '{code}'; END $$")
    engine.dispose()
