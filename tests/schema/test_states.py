"""A database that is not ours, or not quite, is refused in a sentence, and stays as it is to the byte."""

from __future__ import annotations

import hashlib
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from lavendertown.collaboration.database_storage import DatabaseStorage
from lavendertown.errors import SchemaError, StorageUnavailableError
from lavendertown.stores.sql.connection.engine import make_engine
from lavendertown.stores.sql.schema import revisions, upgrade
from lavendertown.stores.sql.schema.revisions import HEAD, SchemaState
from tests.schema.databases import FIRST, OLD, copy_of, first_on_postgres, old_on_postgres

BACKENDS = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
VERSIONS = "CREATE TABLE alembic_version (version_num VARCHAR(32) PRIMARY KEY)"

FOREIGN = {
    "revisions of another program": [VERSIONS, "INSERT INTO alembic_version VALUES ('a1b2c3d4e5f6')"],
    "a first revision of another program": [VERSIONS, "INSERT INTO alembic_version VALUES ('0001')"],
    "our newest revision, but not our tables": [
        VERSIONS,
        f"INSERT INTO alembic_version VALUES ('{HEAD}')",
        "CREATE TABLE reports (id TEXT)",
    ],
    "a table that bears one of our names": ["CREATE TABLE findings (id TEXT)"],
    "another program's reports": ["CREATE TABLE reports (id TEXT)"],
}
UNMARKED = {
    "no revision": "DELETE FROM alembic_version",
    "no table of revisions": "DROP TABLE alembic_version",
    "another program's revision": "UPDATE alembic_version SET version_num = 'a1b2c3d4e5f6'",
}


@pytest.fixture(params=BACKENDS)
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'new.db'}"
    return str(request.getfixturevalue("postgres_url"))


def execute(url: str, *statements: str) -> None:
    engine = make_engine(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


def everything(url: str) -> object:
    """What must not change: each file's bytes; each table, column and index of the catalog, and its file."""
    if url.startswith("sqlite"):
        folder = Path(url.removeprefix("sqlite:///")).parent
        files = (path for path in folder.rglob("*") if path.is_file())
        return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
    engine = make_engine(url)
    with engine.connect() as connection:
        statement = sa.text(
            "SELECT c.oid, c.relname, c.relfilenode, c.xmin, a.attname, a.xmin, s.n_tup_ins, s.n_tup_upd, "
            "s.n_tup_del FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid "
            "LEFT JOIN pg_stat_user_tables s ON s.relid = c.oid "
            "WHERE c.relnamespace = 'public'::regnamespace ORDER BY c.oid, a.attnum"
        )
        found = connection.execute(statement).all()
    engine.dispose()
    return found


def is_refused(url: str, why: str) -> None:
    before = everything(url)
    for attempt in (DatabaseStorage, upgrade.upgrade_database):
        with pytest.raises(SchemaError, match=rf"{why}.*Nothing was changed\."):
            attempt(url)
    with pytest.raises(SchemaError, match=why):
        upgrade.downgrade_database(url, "0001")
    assert everything(url) == before


@pytest.mark.parametrize("name", FOREIGN)
def test_another_programs_database_is_refused(name: str, empty: str) -> None:
    execute(empty, *FOREIGN[name])
    assert revisions.inspect_schema(empty).state is SchemaState.UNVERSIONED
    is_refused(empty, r"another program\. Choose an empty database")


@pytest.mark.parametrize("name", UNMARKED)
def test_our_tables_without_our_revision_are_refused(name: str, empty: str) -> None:
    upgrade.upgrade_database(empty)
    execute(empty, UNMARKED[name])
    assert revisions.inspect_schema(empty).state is SchemaState.UNVERSIONED
    is_refused(empty, r"has no valid revision\. Restore the database from a backup")


def test_a_newer_database_is_refused(empty: str) -> None:
    upgrade.upgrade_database(empty)
    execute(empty, "UPDATE alembic_version SET version_num = '9999'")
    assert revisions.inspect_schema(empty).state is SchemaState.NEWER
    is_refused(empty, "newer version of LavenderTown. Install that version")


def test_a_table_of_revisions_without_a_line_is_empty(empty: str) -> None:
    execute(empty, VERSIONS)
    assert revisions.inspect_schema(empty).state is SchemaState.EMPTY
    DatabaseStorage(empty).close()
    assert revisions.inspect_schema(empty).state is SchemaState.CURRENT


def test_tables_of_others_beside_ours_stay(empty: str) -> None:
    execute(empty, "CREATE TABLE invoices (id INTEGER)", "INSERT INTO invoices VALUES (7)")
    upgrade.upgrade_database(empty)
    engine = make_engine(empty)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT id FROM invoices").scalar() == 7
    engine.dispose()


@pytest.mark.parametrize("asset", [FIRST, OLD], ids=["older", "0.7"])
def test_a_refused_file_stays_as_it_is_and_nothing_lies_beside_it(asset: Path, tmp_path: Path) -> None:
    url = copy_of(asset, tmp_path)
    before = everything(url)
    with pytest.raises(SchemaError, match=r"lavendertown db upgrade .*backed up first"):
        DatabaseStorage(url)
    assert everything(url) == before


@pytest.mark.postgres
@pytest.mark.parametrize("make", [first_on_postgres, old_on_postgres], ids=["older", "0.7"])
def test_a_refused_server_stays_as_it_is(make: object, postgres_url: str) -> None:
    assert callable(make)
    make(postgres_url)
    before = everything(postgres_url)
    with pytest.raises(SchemaError, match=r"lavendertown db upgrade .*backed up first"):
        DatabaseStorage(postgres_url)
    assert everything(postgres_url) == before


def test_a_look_at_a_file_that_is_not_there_makes_none(tmp_path: Path) -> None:
    assert revisions.inspect_schema(f"sqlite:///{tmp_path / 'deep' / 'new.db'}").state is SchemaState.EMPTY
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_made_for_a_new_database(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'deep' / 'er' / 'new.db'}"
    upgrade.upgrade_database(url)
    with closing(sqlite3.connect(tmp_path / "deep" / "er" / "new.db")) as raw:
        assert raw.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", "utf-8")
    with pytest.raises(StorageUnavailableError, match="cannot be created"):
        upgrade.upgrade_database(f"sqlite:///{tmp_path / 'file' / 'new.db'}")


@pytest.mark.postgres
def test_tables_created_while_the_state_is_read_are_not_taken_for_unmarked_ones(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_revisions = revisions.read_revisions

    def read_after_another_process(connection: sa.Connection) -> set[str]:
        monkeypatch.undo()
        DatabaseStorage(postgres_url).close()
        return read_revisions(connection)

    monkeypatch.setattr(revisions, "read_revisions", read_after_another_process)
    DatabaseStorage(postgres_url).close()
