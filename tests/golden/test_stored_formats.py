"""What stores keep and answer does not change: the same on files, SQLite and PostgreSQL."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lavendertown.collaboration.storage import FileStorage
from tests.golden import goldens
from tests.golden.answers import answers
from tests.golden.command_line import run_json
from tests.golden.conftest import Filled
from tests.golden.recording import Recording, read_folder

KINDS = ("reports", "annotations", "rulesets", "triage", "people", "views", "events")


def test_every_file_is_written_byte_for_byte(filled: Filled, data_folder: Path) -> None:
    goldens.check_texts("store", read_folder(data_folder, filled.recording))


def test_public_methods_answer_with_the_same_keys_and_values(filled: Filled) -> None:
    goldens.check_value("storage.json", answers(filled.storage, filled.recording))


def test_golden_files_are_read_with_the_same_answers(tmp_path: Path) -> None:
    shutil.copytree(goldens.ASSETS / "store", tmp_path / "store")
    goldens.check_value("storage.json", answers(FileStorage(tmp_path / "store"), Recording()))


def test_golden_files_migrate_and_come_back_unchanged(
    backend: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    shutil.copytree(goldens.ASSETS / "store", tmp_path / "store")
    there = {"file": str(tmp_path / "other"), "sqlite": f"sqlite:///{tmp_path / 'other.db'}"}.get(backend)
    there = there or request.getfixturevalue("postgres_url")
    run_json("migrate", "--from", str(tmp_path / "store"), "--to", there)
    run_json("migrate", "--from", there, "--to", str(tmp_path / "back"))
    goldens.check_texts("store", read_folder(tmp_path / "back", Recording()))


def test_golden_records_equal_those_of_a_migrated_store(tmp_path: Path) -> None:
    """A migration compares digests: a record that another version wrote is not a conflict."""
    shutil.copytree(goldens.ASSETS / "store", tmp_path / "store")
    there = f"sqlite:///{tmp_path / 'store.db'}"
    run_json("migrate", "--from", str(tmp_path / "store"), "--to", there)
    again = run_json("migrate", "--from", str(tmp_path / "store"), "--to", there)
    assert {kind: again[kind]["skipped"] - again[kind]["read"] for kind in KINDS} == dict.fromkeys(KINDS, 0)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ({"a": [1, 2]}, {"a": [1, 3]}, "['a'][1] changed from 2 to 3"),
        ({"a": 1}, {"b": 1}, "['a'] is missing now"),
        ({"a": 1}, {"a": True}, "['a'] changed from 1 to True"),
        ([1], [1, 2], "has 2 items now instead of 1"),
    ],
)
def test_a_difference_is_one_sentence_and_how_to_accept_it(
    old: object, new: object, sentence: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(goldens, "ASSETS", tmp_path)
    (tmp_path / "x.json").write_text(goldens.as_text(old), "utf-8")
    with pytest.raises(AssertionError, match="make_golden_assets") as refused:
        goldens.check_value("x.json", new)
    assert sentence in str(refused.value)
