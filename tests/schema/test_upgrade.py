"""Schemas of earlier versions are refused untouched, and upgraded without losing a row."""

from __future__ import annotations

import hashlib
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from lavendertown.collaboration.database_storage import DatabaseStorage
from lavendertown.errors import InvalidInputError, SchemaError
from lavendertown.stores.sql.connection.engine import make_engine
from lavendertown.stores.sql.schema import revisions, upgrade
from lavendertown.stores.sql.schema.revisions import SchemaState
from tests.schema.databases import FIRST, OLD, assert_same, copy_of, first_on_postgres, old_on_postgres, rows
from tests.support.fork_server import run_python

BACKENDS = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(params=BACKENDS)
def first(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database with the first schema, on each backend."""
    monkeypatch.setenv("LAVENDERTOWN_DATA_DIR", str(tmp_path / "data"))
    if request.param == "sqlite":
        return copy_of(FIRST, tmp_path)
    url: str = request.getfixturevalue("postgres_url")
    first_on_postgres(url)
    return url


@pytest.fixture(params=BACKENDS)
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'new.db'}"
    return str(request.getfixturevalue("postgres_url"))


def test_an_older_database_is_refused_and_stays_as_it_is(first: str) -> None:
    before = rows(first)
    with pytest.raises(SchemaError, match=r"earlier version .*db upgrade .*Nothing was changed"):
        DatabaseStorage(first)
    assert revisions.inspect_schema(first).state is SchemaState.OLDER
    assert rows(first) == before


def test_no_byte_of_a_refused_file_changes(tmp_path: Path) -> None:
    for asset in (FIRST, OLD):
        url = copy_of(asset, tmp_path, f"{asset.parent.name}.db")
        path = Path(url.removeprefix("sqlite:///"))
        with pytest.raises(SchemaError):
            DatabaseStorage(url)
        assert digest(path) == digest(asset)
        assert sorted(p.name for p in tmp_path.iterdir() if p.name.startswith(path.name)) == [path.name]


def test_an_upgrade_keeps_every_row(first: str) -> None:
    before = rows(first)
    changed = upgrade.upgrade_database(first)
    assert (changed.before, changed.after) == ("0001", revisions.HEAD)
    after = rows(first)
    assert_same(before, after)
    assert after["moves"] == []
    assert revisions.inspect_schema(first).state is SchemaState.CURRENT
    storage = DatabaseStorage(first)
    assert storage.count_reports() == 2
    storage.close()


def test_an_upgrade_backs_up_first(first: str) -> None:
    before = rows(first)
    changed = upgrade.upgrade_database(first)
    assert changed.backup is not None
    assert changed.backup.parent.name == "backups"
    if changed.backup.suffix == ".db":
        assert rows(f"sqlite:///{changed.backup}") == before


def test_a_current_database_is_left_alone(first: str) -> None:
    upgrade.upgrade_database(first)
    again = upgrade.upgrade_database(first)
    assert (again.before, again.after, again.backup) == (revisions.HEAD, revisions.HEAD, None)


def test_an_empty_database_gets_its_tables(empty: str) -> None:
    changed = upgrade.upgrade_database(empty)
    assert (changed.before, changed.after, changed.backup) == ("", revisions.HEAD, None)
    DatabaseStorage(empty).close()


def test_down_and_up_again_keeps_every_row(first: str) -> None:
    before = rows(first)
    upgrade.upgrade_database(first)
    assert upgrade.downgrade_database(first, "0001").backup is not None
    assert rows(first) == before
    upgrade.upgrade_database(first)
    assert_same(before, rows(first))


@pytest.mark.parametrize(
    ("revision", "why"),
    [("0000", "There is no revision"), ("base", "There is no revision"), ("0001", "cannot")],
)
def test_a_downgrade_that_makes_no_sense_is_refused(tmp_path: Path, revision: str, why: str) -> None:
    with pytest.raises(InvalidInputError, match=why):
        upgrade.downgrade_database(copy_of(FIRST, tmp_path), revision)


def test_a_newer_database_is_refused(empty: str) -> None:
    upgrade.upgrade_database(empty)
    engine = make_engine(empty)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    before = rows(empty)
    assert revisions.inspect_schema(empty).state is SchemaState.NEWER
    for attempt in (DatabaseStorage, upgrade.upgrade_database):
        with pytest.raises(SchemaError, match="newer version of LavenderTown"):
            attempt(empty)
    assert rows(empty) == before


def test_another_programs_tables_are_refused(empty: str) -> None:
    engine = make_engine(empty)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE alembic_version (version_num VARCHAR(32) PRIMARY KEY)"))
        connection.execute(sa.text("INSERT INTO alembic_version VALUES ('a1b2c3d4e5f6')"))
    engine.dispose()
    assert revisions.inspect_schema(empty).state is SchemaState.UNVERSIONED
    for attempt in (DatabaseStorage, upgrade.upgrade_database):
        with pytest.raises(SchemaError, match="another program"):
            attempt(empty)


@pytest.mark.postgres
def test_a_database_of_0_7_on_postgresql_is_recognised(postgres_url: str) -> None:
    old_on_postgres(postgres_url)
    before = rows(postgres_url)
    with pytest.raises(SchemaError, match=r"written by LavenderTown 0\.7.*lavendertown db upgrade"):
        DatabaseStorage(postgres_url)
    assert rows(postgres_url) == before


_UPGRADE = (
    "import sys; from lavendertown.stores.sql.schema.upgrade import upgrade_database;"
    " upgrade_database(sys.argv[1])"
)


@pytest.mark.slow
def test_six_processes_upgrade_at_once(first: str) -> None:
    before = rows(first)
    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(lambda _: run_python("-c", _UPGRADE, first), range(6)))
    assert [process.returncode for process in done] == [0] * 6, [process.stderr for process in done]
    assert_same(before, rows(first))
    (_,) = folder_of_backups(first).iterdir()


def folder_of_backups(url: str) -> Path:
    if url.startswith("sqlite"):
        return Path(url.removeprefix("sqlite:///")).parent / "backups"
    return Path(os.environ["LAVENDERTOWN_DATA_DIR"]) / "backups"


_FULL = """
import resource, sys
from lavendertown.stores.sql.schema.upgrade import upgrade_database
resource.setrlimit(resource.RLIMIT_FSIZE, (2048, 2048))
try:
    upgrade_database(sys.argv[1])
except Exception as error:
    print(type(error).__name__, error)
"""


def test_a_backup_that_has_no_room_stops_the_upgrade(first: str) -> None:
    before = rows(first)
    done = run_python("-c", _FULL, first)
    assert done.stdout.startswith("Storage"), done.stderr
    assert "nothing was changed" in done.stdout
    assert len(done.stdout.splitlines()) == 1
    assert list(folder_of_backups(first).iterdir()) == []
    assert revisions.inspect_schema(first).state is SchemaState.OLDER
    assert rows(first) == before


# A migration that makes a parent table anew, as SQLite must to change a column.
_BATCH = """
import sqlalchemy as sa
from alembic import op
revision, down_revision, branch_labels, depends_on = "batch", "{head}", None, None
def upgrade():
    with op.batch_alter_table("identities") as table:
        table.alter_column("description", new_column_name="words", existing_type=sa.Text())
        table.add_column(sa.Column("extra", sa.Integer(), nullable=False, server_default="0"))
        table.alter_column("dataset", existing_type=sa.String(255), nullable=True)
{more}
def downgrade(): pass
"""


def batch_scripts(tmp_path: Path, more: str = "") -> Config:
    """Our migrations, and one more that changes a table which others refer to with cascading deletes."""
    scripts = tmp_path / "migrations"
    original = Path(revisions.__file__).parent / "migrations"
    (scripts / "versions").mkdir(parents=True)
    for path in [original / "env.py", *(original / "versions").glob("0*.py")]:
        (scripts / path.relative_to(original)).write_bytes(path.read_bytes())
    (scripts / "versions" / "batch.py").write_text(_BATCH.format(more=more, head=revisions.HEAD))
    config = Config()
    config.set_main_option("script_location", str(scripts))
    return config


def cascading(tmp_path: Path) -> str:
    """The first schema's asset, upgraded, with a table whose rows go when their identity goes."""
    url = copy_of(FIRST, tmp_path)
    upgrade.upgrade_database(url)
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as raw, raw:
        raw.execute(
            'CREATE TABLE watchers (identity_key INTEGER REFERENCES identities("key") ON DELETE CASCADE)'
        )
        raw.execute('INSERT INTO watchers SELECT "key" FROM identities')
    return url


def run(engine: sa.Engine, config: Config) -> None:
    with upgrade.schema_change(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "batch")


def test_a_batch_migration_of_a_parent_table_keeps_its_children(tmp_path: Path) -> None:
    url = cascading(tmp_path)
    before = rows(url)
    assert before["watchers"]
    config = batch_scripts(tmp_path)
    engine = make_engine(url)
    run(engine, config)
    engine.dispose()
    after = rows(url)
    children = ("watchers", "annotations", "identity_tags", "identity_aliases", "findings")
    assert {name: after[name] for name in children} == {name: before[name] for name in children}
    assert len(after["identities"]) == len(before["identities"])


def test_a_migration_that_leaves_rows_without_a_parent_is_undone(tmp_path: Path) -> None:
    url = cascading(tmp_path)
    before = rows(url)
    config = batch_scripts(tmp_path, "    op.execute('DELETE FROM identities')")
    engine = make_engine(url)
    with pytest.raises(SchemaError, match="refer to missing rows"):
        run(engine, config)
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    engine.dispose()
    assert rows(url) == before


_KILLED = """
import os, signal, sys
import sqlalchemy as sa
from lavendertown.stores.sql.schema.upgrade import upgrade_database
url, point = sys.argv[1:]
@sa.event.listens_for(sa.Engine, "before_cursor_execute")
def before(connection, cursor, statement, *_):
    if statement.split()[:3] == point.split():
        os.kill(os.getpid(), signal.SIGKILL)
@sa.event.listens_for(sa.Engine, "commit")
def commit(_):
    if point == "commit":
        os.kill(os.getpid(), signal.SIGKILL)
upgrade_database(url)
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    "point", ["CREATE TABLE moves", "CREATE INDEX ix_audit_log_at", "UPDATE alembic_version SET", "commit"]
)
def test_an_upgrade_that_is_killed_leaves_the_old_schema_whole(first: str, point: str) -> None:
    before = rows(first)
    done = run_python("-c", _KILLED, first, point)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert revisions.inspect_schema(first).state is SchemaState.OLDER
    assert rows(first) == before
    upgrade.upgrade_database(first)
    assert_same(before, rows(first))


_READ_ONLY = """
import os, sys
import alembic.command, alembic.config, sqlalchemy.dialects.sqlite
from lavendertown.stores.sql.connection.engine import make_engine
from lavendertown.stores.sql.schema.upgrade import upgrade_database
make_engine(sys.argv[1]).dispose()
os.setgroups([]); os.setuid(65534)
try:
    upgrade_database(sys.argv[1])
except Exception as error:
    print(type(error).__name__, error)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="needs another user to be refused")
def test_a_file_that_cannot_be_written_is_refused_in_a_sentence() -> None:
    with tempfile.TemporaryDirectory(dir=os.path.realpath("/tmp")) as name:
        folder = Path(name)
        url = copy_of(FIRST, folder)
        (folder / "store.db").chmod(0o444)
        folder.chmod(0o555)
        done = subprocess.run(
            [sys.executable, "-c", _READ_ONLY, url], capture_output=True, text=True, check=False
        )
        assert done.stdout.startswith("StorageUnavailableError"), done.stderr
        assert "permissions" in done.stdout
        assert digest(folder / "store.db") == digest(FIRST)
