"""Plain alembic commands work on the configured database."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from lavendertown.stores.sql.connection.engine import make_engine
from lavendertown.stores.sql.schema import revisions
from lavendertown.stores.sql.schema.revisions import HEAD, SchemaState
from tests.schema.databases import FIRST, OLD, assert_same, copy_of, rows
from tests.support.fork_server import run_python

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
INI = Path(revisions.__file__).parent / "migrations" / "alembic.ini"
BACKENDS = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture(params=BACKENDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A place for a database; the odd name would break an ini file."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / '100% ours.db'}"
    return str(request.getfixturevalue("postgres_url"))


def run(url: str, folder: Path, *command: str, **environ: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "LAVENDERTOWN_DATABASE_URL": url, **environ}
    return run_python("-m", "alembic", *command, folder=folder, environ=environment)


def alembic(url: str, folder: Path, *command: str) -> str:
    done = run(url, folder, "-c", str(INI), *command)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_up_down_current_and_check(url: str, tmp_path: Path) -> None:
    alembic(url, tmp_path, "upgrade", "head")
    assert revisions.inspect_schema(url).state is SchemaState.CURRENT
    assert f"{HEAD} (head)" in alembic(url, tmp_path, "current")
    assert "No new upgrade operations detected" in alembic(url, tmp_path, "check")
    alembic(url, tmp_path, "downgrade", "0001")
    assert revisions.inspect_schema(url).state is SchemaState.OLDER
    alembic(url, tmp_path, "downgrade", "base")
    assert revisions.inspect_schema(url).state is SchemaState.EMPTY


def test_tables_of_others_are_not_to_be_dropped(url: str, tmp_path: Path) -> None:
    alembic(url, tmp_path, "upgrade", "head")
    engine = make_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE somebody_elses (id INTEGER PRIMARY KEY)")
    engine.dispose()
    assert "No new upgrade operations detected" in alembic(url, tmp_path, "check")


def test_an_older_database_keeps_its_rows(tmp_path: Path) -> None:
    url = copy_of(FIRST, tmp_path)
    before = rows(url)
    alembic(url, tmp_path, "upgrade", "head")
    assert_same(before, rows(url))


def test_a_database_that_is_not_ours_to_change_is_refused_in_a_sentence(tmp_path: Path) -> None:
    url = copy_of(OLD, tmp_path)
    refused = run(url, tmp_path, "-c", str(INI), "upgrade", "head")
    assert refused.returncode != 0
    assert "written by LavenderTown 0.7" in refused.stdout + refused.stderr
    assert "Traceback" not in refused.stderr
    assert (tmp_path / "store.db").read_bytes() == OLD.read_bytes()


def test_in_a_checkout_no_option_is_needed(tmp_path: Path) -> None:
    shown = run(f"sqlite:///{tmp_path / 'x.db'}", ROOT, "history")
    assert (shown.returncode, f"-> {HEAD} (head)" in shown.stdout) == (0, True), shown.stderr


def test_a_percent_sign_in_the_packages_folder_does_no_harm(tmp_path: Path) -> None:
    place = tmp_path / "100% ours"
    shutil.copytree(ROOT / "lavendertown", place / "lavendertown")
    ini = place / "lavendertown" / INI.relative_to(ROOT / "lavendertown")
    url = f"sqlite:///{tmp_path / 'x.db'}"
    done = run(url, tmp_path, "-c", str(ini), "upgrade", "head", PYTHONPATH=str(place))
    assert done.returncode == 0, done.stderr
    assert revisions.inspect_schema(url).state is SchemaState.CURRENT


def test_sql_is_written_without_a_database(url: str, tmp_path: Path) -> None:
    written = alembic(url, tmp_path, "upgrade", "head", "--sql")
    assert "CREATE TABLE reports" in written
    assert f"version_num='{HEAD}'" in written
    assert revisions.inspect_schema(url).state is SchemaState.EMPTY


@pytest.mark.parametrize("origin", ["the settings file", "the environment"])
def test_alembic_in_another_folder_uses_the_database_of_the_project(origin: str, tmp_path: Path) -> None:
    project, elsewhere = tmp_path / "project", tmp_path / "elsewhere"
    project.mkdir()
    elsewhere.mkdir()
    shutil.copy(ROOT / "alembic.ini", project)
    if origin == "the settings file":
        (project / "lavendertown.toml").write_text('database = "sqlite:///team.db"\n')
    url = "sqlite:///team.db" if origin == "the environment" else ""
    upgraded = run(url, elsewhere, "-c", "../project/alembic.ini", "upgrade", "head")
    assert upgraded.returncode == 0, upgraded.stderr
    shown = run(url, elsewhere, "-c", "../project/alembic.ini", "current")
    assert f"{HEAD} (head)" in shown.stdout
    assert revisions.inspect_schema(f"sqlite:///{project / 'team.db'}").state is SchemaState.CURRENT
    assert list(elsewhere.iterdir()) == []
