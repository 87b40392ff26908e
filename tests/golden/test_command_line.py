"""What the command line prints with ``--json``, and the revisions of the schema, do not change."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.contract.store_locations import StoreLocation
from tests.golden import command_line, demo_store
from tests.golden.goldens import check_value, read_golden
from tests.golden.recording import Recording

BACKENDS = ["file", "sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StoreLocation:
    """The empty store that is configured in the working folder."""
    monkeypatch.chdir(tmp_path)
    # `db seed` puts the working folder in front.
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setenv("LAVENDERTOWN_DATA_DIR", str(tmp_path / "data"))
    if request.param == "file":
        return StoreLocation("file", str(tmp_path / "data"))
    url = f"sqlite:///{tmp_path / 'store.db'}"
    if request.param == "postgres":
        url = request.getfixturevalue("postgres_url")
    monkeypatch.setenv("LAVENDERTOWN_DATABASE_URL", url)
    monkeypatch.setenv("LAVENDERTOWN_STORAGE_TYPE", "database")
    return StoreLocation(request.param, url)


def fill(place: StoreLocation) -> Recording:
    storage = place.open_storage()
    try:
        return demo_store.fill(storage)
    finally:
        storage.close()


@pytest.mark.parametrize("place", BACKENDS, indirect=True)
def test_commands_about_records_print_the_same(place: StoreLocation, tmp_path: Path) -> None:
    answers = command_line.answers_about_records(fill(place), tmp_path)
    check_value("cli_records.json", answers)


@pytest.mark.parametrize("place", BACKENDS, indirect=True)
def test_commands_about_rules_print_the_same(place: StoreLocation, tmp_path: Path) -> None:
    check_value("cli_rules.json", command_line.answers_about_rules(tmp_path))


@pytest.mark.parametrize("place", BACKENDS, indirect=True)
def test_commands_about_stores_print_the_same(place: StoreLocation, tmp_path: Path) -> None:
    fill(place)
    check_value("cli_stores.json", command_line.answers_about_stores(place.where, tmp_path))


@pytest.mark.slow
@pytest.mark.parametrize("place", BACKENDS[1:], indirect=True)
def test_commands_about_databases_print_the_same(place: StoreLocation, tmp_path: Path) -> None:
    check_value("cli_databases.json", command_line.answers_about_databases(place.where, tmp_path))


@pytest.mark.parametrize("place", BACKENDS[:1], indirect=True)
def test_commands_about_tokens_print_the_same(place: StoreLocation) -> None:
    check_value("cli_tokens.json", command_line.answers_about_tokens())


def test_every_command_with_json_has_a_golden_answer() -> None:
    pinned = {
        name
        for part in ("records", "rules", "stores", "databases", "tokens")
        for name in read_golden(f"cli_{part}.json")
    }
    # Its answer is compared with the fingerprints of the demo.
    assert command_line.commands_with_json() - pinned == {"demo"}


def test_revisions_keep_their_ids_and_order() -> None:
    released = read_golden("revisions.json")
    # A new revision goes behind the released ones; regenerate to release it.
    check_value("revisions.json", command_line.revisions()[: len(released)])
