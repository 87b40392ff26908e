"""``lavendertown db seed``: the project's seeds, and those LavenderTown ships, on files and in a database."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lavendertown.collaboration.storage import get_storage_backend
from tests.cli.conftest import Run
from tests.database.project_files import forget, write

Answer = Callable[..., Any]
SEEDS = {
    "migrations/seed/1_first.py": "def seed_one(db):\n    '''One.'''\n\ndef seed_two(db): pass\n",
    "migrations/seed/2_second.py": "def seed_one(db): pass\n",
}


@pytest.fixture(autouse=True)
def own_path(folder: Path) -> Iterator[None]:
    yield
    forget(folder)


def states(lines: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(line["name"], line["state"]) for line in lines]


def test_without_seeds_it_says_what_there_is(run: Run, folder: Path) -> None:
    done = run("db", "seed")
    assert (done.exit_code, done.stderr) == (0, "")
    assert "--only starter_rulesets" in done.stdout
    assert not (folder / ".lavendertown").exists()


def test_each_runs_once_and_says_so(run: Run, folder: Path) -> None:
    write(folder, SEEDS)
    said = run("db", "seed").stdout.splitlines()
    assert said[0] == "Ran first.seed_one (migrations/seed/1_first.py)."
    assert len(said) == 3
    assert run("db", "seed").stdout.startswith("Ran before on ")


def test_a_dry_run_and_a_list_make_nothing(run: Run, folder: Path) -> None:
    write(folder, SEEDS)
    said = run("db", "seed", "--dry-run").stdout.splitlines()
    assert said[0] == "Would run first.seed_one (migrations/seed/1_first.py)."
    listed = run("db", "seed", "--list").stdout
    assert "One." in listed
    assert "starter_rulesets  pending" in listed
    assert not (folder / ".lavendertown").exists()


@pytest.mark.parametrize(
    ("word", "names"),
    [
        ("second.seed_one", ["second.seed_one"]),
        ("two", ["first.seed_two"]),
        ("seed_two", ["first.seed_two"]),
        ("first", ["first.seed_one", "first.seed_two"]),
        ("1_first.py", ["first.seed_one", "first.seed_two"]),
    ],
)
def test_only_takes_a_seed_a_function_or_a_file(
    answer: Answer, folder: Path, word: str, names: list[str]
) -> None:
    write(folder, SEEDS)
    assert [line["name"] for line in answer("db", "seed", "--only", word)] == names


@pytest.mark.parametrize(
    ("word", "sentence"),
    [("three", "There is no seed 'three'"), ("one", "is ambiguous: first.seed_one, second.seed_one")],
)
def test_only_refuses_what_is_unknown_or_unclear(run: Run, folder: Path, word: str, sentence: str) -> None:
    write(folder, SEEDS)
    done = run("db", "seed", "--only", word)
    assert done.exit_code == 2
    assert sentence in done.stderr
    assert "starter_rulesets" in done.stderr


def test_what_ran_before_a_failure_is_said(run: Run, folder: Path) -> None:
    write(folder, {**SEEDS, "migrations/seed/2_second.py": "def seed_bad(db):\n    1 / 0\n"})
    done = run("db", "seed")
    assert done.exit_code == 2
    assert done.stdout.count("Ran first.seed_") == 2
    assert "second.seed_bad (migrations/seed/2_second.py, line 2) failed: ZeroDivisionError" in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_starter_rule_sets_come_once_on_files_and_databases(answer: Answer) -> None:
    arguments = ("db", "seed", "--only", "starter_rulesets")
    assert states(answer(*arguments, "--dry-run")) == [("starter_rulesets", "pending")]
    assert states(answer(*arguments)) == [("starter_rulesets", "ran")]
    assert states(answer(*arguments)) == [("starter_rulesets", "done")]
    storage = get_storage_backend()
    assert len(storage.query_rulesets()) == 4
    storage.close()


@pytest.mark.slow
def test_the_demo_reports_come_once_on_files_and_databases(answer: Answer) -> None:
    assert states(answer("db", "seed", "--only", "demo")) == [("demo", "ran")]
    assert states(answer("db", "seed", "--only", "demo")) == [("demo", "done")]
    storage = get_storage_backend()
    assert storage.count_reports() == 30
    storage.close()


def test_plain_files_need_no_database_library(
    run: Run, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAVENDERTOWN_STORAGE_TYPE", "file")
    monkeypatch.setitem(sys.modules, "lavendertown.database.seeds", None)
    monkeypatch.delattr("lavendertown.database.seeds", raising=False)
    assert run("db", "seed", "--only", "starter_rulesets").stdout == "Ran starter_rulesets.\n"
    write(folder, SEEDS)
    done = run("db", "seed")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "pip install lavendertown[database]" in done.stderr


def test_another_database_can_be_named(answer: Answer, folder: Path) -> None:
    write(folder, SEEDS)
    url = f"sqlite:///{folder / 'other.db'}"
    answer("db", "seed", "--only", "two", "--url", url)
    assert states(answer("db", "seed", "--list", "--url", url))[1] == ("first.seed_two", "done")
    assert states(answer("db", "seed", "--list"))[1] == ("first.seed_two", "pending")
