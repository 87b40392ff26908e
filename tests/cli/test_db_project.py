from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from lavendertown.cli import cli
from lavendertown.stores.sql.schema.revisions import HEAD
from tests.database.project_files import GLOBAL_MODELS, USER_MODELS, forget, write

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The working folder, a project with a model."""
    monkeypatch.chdir(tmp_path)
    write(tmp_path, {"components/user/user_models.py": USER_MODELS})
    yield tmp_path
    forget(tmp_path)


def run(*args: str, exit_code: int = 0) -> Result:
    result = CliRunner().invoke(cli, ["db", *args])
    assert result.exit_code == exit_code, result.output
    return result


def revise() -> None:
    run("revision", "--autogenerate", "-m", "Add user table")


def test_init_writes_what_alembic_needs(folder: Path) -> None:
    result = run("revision", "--init")
    assert result.stdout.splitlines() == [
        "Wrote migrations/alembic.ini.",
        "Wrote migrations/env.py.",
        "Wrote migrations/script.py.mako.",
    ]
    assert (folder / "migrations" / "versions").is_dir()
    assert (folder / "migrations" / "seed").is_dir()
    assert "nothing was written" in run("revision", "--init").stdout


def test_a_revision_needs_a_message() -> None:
    assert "-m TEXT" in run("revision", "--autogenerate", exit_code=2).stderr


def test_upgrade_brings_ours_and_then_the_project_s_up_to_date() -> None:
    revise()
    said = run("upgrade").stdout.splitlines()
    assert said[0].endswith("lavendertown.db.")
    assert said[1].startswith("Changed the project's own tables from no revision to ")
    assert len(said) == 2
    assert "models and database match" in run("check").stdout


def test_upgrade_backs_up_before_the_project_s_migrations() -> None:
    run("init")
    revise()
    said = json.loads(run("upgrade", "--json").stdout)
    assert (said["before"], said["after"], said["backup"]) == (HEAD, HEAD, None)
    assert said["project"]["before"] == ""
    assert Path(said["project"]["backup"]).is_file()


def test_check_says_no_before_the_upgrade_and_when_models_differ(folder: Path) -> None:
    run("init")
    assert run("check").stdout.count("\n") == 1
    revise()
    assert "lavendertown db upgrade" in run("check", exit_code=1).stdout
    run("upgrade")
    run("check")
    write(folder, {"models/global_models.py": GLOBAL_MODELS})
    said = run("check", exit_code=1).stdout
    assert "its models differ from them" in said
    assert "add table 'system_settings'" in said


def test_current_names_both() -> None:
    run("init")
    revise()
    run("upgrade")
    said = json.loads(run("current", "--json").stdout)
    assert said["state"] == "current"
    assert said["project"]["revision"] == said["project"]["head"] != ""


def test_a_revision_is_not_written_where_nothing_differs() -> None:
    revise()
    run("upgrade")
    said = json.loads(run("revision", "--autogenerate", "-m", "Nothing", "--json").stdout)
    assert said == {"files": [], "revision": None}


def test_downgrade_takes_the_project_s_tables_back() -> None:
    revise()
    run("upgrade")
    assert "--yes" in run("downgrade", "--project", "-1", exit_code=2).stderr
    said = run("downgrade", "--project", "-1", "--yes").stdout
    assert said.startswith("Backed up to ")
    assert said.endswith(" to no revision.\n")
    run("check", exit_code=1)


def test_downgrade_names_what_it_takes_back() -> None:
    assert "--project REVISION" in run("downgrade", "--yes", exit_code=2).stderr
    assert "no migrations of its own" in run("downgrade", "--project", "-1", "--yes", exit_code=2).stderr


def test_upgrade_as_sql_changes_nothing(folder: Path) -> None:
    revise()
    before = sorted(path for path in folder.rglob("*.db"))
    said = run("upgrade", "--sql", "--url", "postgresql://nobody@nowhere/none").stdout
    assert "CREATE TABLE reports" in said
    assert said.index("CREATE TABLE reports") < said.index("CREATE TABLE users")
    assert sorted(path for path in folder.rglob("*.db")) == before


def test_a_model_that_cannot_be_imported_is_one_sentence(folder: Path) -> None:
    write(folder, {"models/broken.py": "import no_such_thing\n"})
    said = run("revision", "--autogenerate", "-m", "Broken", exit_code=2).stderr
    assert "models/broken.py cannot be imported: ModuleNotFoundError" in said
    assert said.count("\n") == 1


def test_another_program_s_migrations_are_left_alone(folder: Path) -> None:
    write(folder, {"migrations/env.py": "# Flask-Migrate's\n", "models/broken.py": "import no_such_thing\n"})
    run("init")
    run("check")
    assert "another program" in run("revision", "--init", exit_code=2).stderr
