"""Every contract test runs on files, SQLite and PostgreSQL."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg2
import pytest

from lavendertown.collaboration.storage import Storage
from tests.contract.store_locations import StoreLocation
from tests.support import mariadb
from tests.support.postgres import create_database, drop_database

BACKENDS = [
    pytest.param("file", id="file"),
    pytest.param("sqlite", id="sqlite"),
    pytest.param("postgres", id="postgres", marks=pytest.mark.postgres),
    *mariadb.PARAMS,
]


@pytest.fixture(params=BACKENDS)
def fresh_place(request: pytest.FixtureRequest, tmp_path: Path) -> StoreLocation:
    """A place of each kind where nothing is yet, no table either."""
    if request.param == "file":
        return StoreLocation("file", str(tmp_path / "store"))
    if request.param == "sqlite":
        return StoreLocation("sqlite", f"sqlite:///{tmp_path / 'store.db'}")
    return StoreLocation(request.param, request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture(params=BACKENDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[StoreLocation]:
    """An empty store of each kind, its tables made: once for each worker, not for each test."""
    if request.param == "file":
        yield StoreLocation("file", str(tmp_path / "store"))
    elif request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "store.db")
        yield StoreLocation("sqlite", f"sqlite:///{tmp_path / 'store.db'}")
    elif request.param == "postgres":
        url = request.getfixturevalue("postgres_tables")
        yield StoreLocation("postgres", url)
        empty(url)
    else:
        url = request.getfixturevalue("mariadb_tables")
        yield StoreLocation("mariadb", url)
        empty(url)


@pytest.fixture(scope="session")
def postgres_tables(postgres_server: str) -> Iterator[str]:
    url = create_database(postgres_server)
    StoreLocation("postgres", url).open_storage().close()
    yield url
    drop_database(postgres_server, url)


@pytest.fixture(scope="session")
def mariadb_tables() -> Iterator[str]:
    server = os.environ[mariadb.URL_VARIABLE]
    url = mariadb.create_database(server)
    StoreLocation("mariadb", url).open_storage().close()
    yield url
    mariadb.drop_database(server, url)


def empty(url: str) -> None:
    """Delete every row but the schema's version; the replica role does without foreign keys."""
    if url.startswith("mariadb"):
        mariadb.delete_all_rows(url)
        return
    connection = psycopg2.connect(url)
    with connection, connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        tables = [name for (name,) in cursor.fetchall() if name != "alembic_version"]
        cursor.execute(";".join(f'DELETE FROM "{name}"' for name in tables))
    connection.close()


@pytest.fixture
def open_storage(place: StoreLocation) -> Iterator[Callable[[], Storage]]:
    """Open one more handle on the place; all are closed at the end."""
    opened: list[Storage] = []

    def another() -> Storage:
        opened.append(place.open_storage())
        return opened[-1]

    yield another
    for storage in opened:
        storage.close()


@pytest.fixture
def storage(open_storage: Callable[[], Storage]) -> Storage:
    return open_storage()


@pytest.fixture
def local_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Move this process into a time zone until the test ends."""

    def set_zone(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield set_zone
    monkeypatch.undo()
    time.tzset()
