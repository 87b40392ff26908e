"""Everything that a released version wrote as a backup or an export can still be restored."""

from __future__ import annotations

import hashlib
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from lavendertown.collaboration.database_storage import DatabaseStorage
from lavendertown.errors import InvalidInputError
from lavendertown.stores.sql.connection.engine import make_engine
from lavendertown.stores.sql.schema import upgrade
from lavendertown.transfer import upgrade_legacy
from lavendertown.transfer.backups.restore import restore_store
from tests.contract.builders import sentence
from tests.contract.store_locations import StoreLocation
from tests.database.test_restore import parts, program, put_together
from tests.migration.conftest import MakePlace
from tests.migration.stores import exact, told
from tests.schema.databases import ASSETS as SCHEMAS
from tests.schema.databases import copy_of, first_on_postgres, old_on_postgres, rows, without_keys
from tests.support import postgres

pytestmark = pytest.mark.slow

ASSETS = Path(__file__).parent / "assets"
REVISIONS = sorted(path.name for path in ASSETS.iterdir())
POSTGRES = pytest.param("postgres", marks=pytest.mark.postgres)
PLANTS = "CREATE TABLE plants (id INTEGER PRIMARY KEY, name VARCHAR(20), alive BOOLEAN, height NUMERIC(8, 2))"


def expected(revision: str, folder: Path) -> Any:
    """Return what the store says that the archives were made of, upgraded where it is."""
    url = copy_of(SCHEMAS / revision / "lavendertown.db", folder, "expected.db")
    upgrade.upgrade_database(url, copy_first=False)
    return exact(told(StoreLocation("sqlite", url)))


def with_plants(place: StoreLocation) -> StoreLocation:
    """Return a place with the application's table that the archives have."""
    DatabaseStorage(place.where).close()
    engine = make_engine(place.where)
    with engine.begin() as connection:
        connection.execute(sa.text(PLANTS))
    engine.dispose()
    return place


def plants(place: StoreLocation) -> list[tuple[Any, ...]]:
    engine = make_engine(place.where)
    with engine.connect() as connection:
        query = "SELECT id, name, alive, CAST(height AS VARCHAR(9)) FROM plants ORDER BY id"
        found = [tuple(row) for row in connection.execute(sa.text(query))]
    engine.dispose()
    return [
        (number, name, alive and bool(alive), float(height or 0)) for number, name, alive, height in found
    ]


PLANTED = [(1, "=lavender", True, 1.5), (2, "", False, -2.0), (3, None, None, 0.0)]


@pytest.mark.parametrize("backend", ["sqlite", POSTGRES])
@pytest.mark.parametrize("revision", REVISIONS)
def test_an_export_is_restored(revision: str, backend: str, make_place: MakePlace, tmp_path: Path) -> None:
    goal = with_plants(make_place(backend, "goal"))
    restore_store(goal.where, ASSETS / revision / "export.zip")
    assert exact(told(goal)) == expected(revision, tmp_path)
    assert plants(goal) == PLANTED


@pytest.mark.postgres
@pytest.mark.parametrize("revision", REVISIONS)
def test_an_archive_of_postgresql_is_restored(revision: str, make_place: MakePlace, tmp_path: Path) -> None:
    goal = with_plants(make_place("postgres", "goal"))
    restore_store(goal.where, ASSETS / revision / "postgres.zip")
    assert exact(told(goal)) == expected(revision, tmp_path)
    assert plants(goal) == PLANTED


@pytest.mark.parametrize("backend", ["file", "sqlite", POSTGRES])
@pytest.mark.parametrize("revision", REVISIONS[1:])
def test_a_zip_of_a_data_folder_is_restored(
    revision: str, backend: str, make_place: MakePlace, tmp_path: Path
) -> None:
    goal = make_place(backend, "goal")
    restore_store(goal.where, ASSETS / revision / "folder.zip")
    assert exact(told(goal)) == expected(revision, tmp_path)


@pytest.mark.parametrize("revision", sorted(path.name for path in SCHEMAS.glob("000*")))
def test_a_copy_of_sqlite_is_restored(revision: str, make_place: MakePlace, tmp_path: Path) -> None:
    goal = make_place("sqlite", "goal")
    file = SCHEMAS / revision / "lavendertown.db"
    before = file.read_bytes()
    restore_store(goal.where, file)
    assert exact(told(goal)) == expected(revision, tmp_path)
    assert file.read_bytes() == before


@pytest.mark.postgres
def test_a_dump_of_the_first_schema_is_restored(
    postgres_url: str, make_place: MakePlace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    binaries = postgres.find_binaries()
    if binaries is None or not (binaries / "bin" / "pg_restore").is_file():
        pytest.skip("There is no pg_restore beside the server.")
    program(tmp_path, monkeypatch, "pg_restore", f'exec "{binaries / "bin" / "pg_restore"}" "$@"')
    first_on_postgres(postgres_url)
    dump, goal = tmp_path / "first.dump", make_place("postgres", "goal")
    command = [binaries / "bin" / "pg_dump", "--format=custom", f"--file={dump}", f"--dbname={postgres_url}"]
    subprocess.run(command, check=True)
    restore_store(goal.where, dump)
    upgrade.upgrade_database(postgres_url, copy_first=False)
    before, after = without_keys(rows(postgres_url)), without_keys(rows(goal.where))
    assert len(after.pop("audit_log")) == len(before.pop("audit_log")) + 1
    assert after == before


@pytest.mark.postgres
@pytest.mark.parametrize("backend", ["file", "sqlite", POSTGRES])
def test_a_backup_of_07_without_pg_dump_is_restored(
    backend: str,
    postgres_url: str,
    make_place: MakePlace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LAVENDERTOWN_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("PATH", "/nowhere")
    old_on_postgres(postgres_url)
    upgraded = upgrade_legacy.upgrade_legacy_database(postgres_url)
    assert upgraded is not None
    assert upgraded.backup is not None
    goal = make_place(backend, "goal")
    restore_store(goal.where, upgraded.backup)
    assert exact(told(goal)) == exact(told(StoreLocation("postgres", postgres_url)))


@pytest.mark.parametrize("value", ["'{'", "'[1]'", "x'5aff'", "5"])
def test_a_copy_of_an_earlier_schema_that_cannot_be_upgraded_is_refused(value: str, tmp_path: Path) -> None:
    copy = Path(copy_of(SCHEMAS / "0002" / "lavendertown.db", tmp_path, "copy.db").removeprefix("sqlite:///"))
    with closing(sqlite3.connect(copy)) as raw, raw:
        raw.execute(f"UPDATE findings SET metadata = {value}")
    with pytest.raises(InvalidInputError, match=r"copy\.db is damaged .*; nothing was changed") as refused:
        restore_store(f"sqlite:///{tmp_path / 'goal.db'}", copy)
    sentence(refused)


@pytest.mark.postgres
def test_an_archive_of_postgresql_with_a_finding_that_has_no_report_is_refused(
    make_place: MakePlace, tmp_path: Path
) -> None:
    goal, found = with_plants(make_place("postgres", "goal")), parts(ASSETS / "0007" / "postgres.zip")
    before = rows(goal.where)
    lines = found["tables/findings.csv"].replace(b"\n1,0,", b"\n4711,0,")
    checksums = (hashlib.sha256(data).hexdigest().encode() for data in (found["tables/findings.csv"], lines))
    found["manifest.json"] = found["manifest.json"].replace(*checksums)
    put_together(tmp_path / "lost.zip", found | {"tables/findings.csv": lines})
    with pytest.raises(
        InvalidInputError, match=r"report of a finding is missing \(report 4711, position 0\)"
    ) as refused:
        restore_store(goal.where, tmp_path / "lost.zip")
    assert "nothing was changed" in sentence(refused)
    assert rows(goal.where) == before
