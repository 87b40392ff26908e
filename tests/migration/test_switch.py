"""After a move the target becomes the store in use, and nothing written meanwhile is lost."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from lavendertown.collaboration.database_storage import DatabaseStorage
from lavendertown.collaboration.storage import FileStorage, Storage, get_storage_backend
from lavendertown.core.settings import load_settings
from lavendertown.errors import ConfigurationError, NotFoundError, StoreMovedError
from lavendertown.transfer import migrator, store_switch
from lavendertown.transfer.values import MigrationRequest
from tests.contract.builders import annotation, report


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project folder with one report on files."""
    monkeypatch.chdir(tmp_path)
    for name in ("STORAGE_TYPE", "DATABASE_URL", "DATA_DIR"):
        monkeypatch.delenv(f"LAVENDERTOWN_{name}", raising=False)
    with_storage(lambda storage: storage.save_report(report("r1")))
    return tmp_path


def with_storage(work: object) -> None:
    storage = get_storage_backend()
    try:
        work(storage)  # type: ignore[operator]
    finally:
        storage.close()


def listed() -> set[str]:
    found: set[str] = set()
    with_storage(lambda storage: found.update(row["id"] for row in storage.query_reports()))
    return found


REQUEST = MigrationRequest(".lavendertown", "sqlite:///team.db", actor="Ana")


def test_the_target_is_in_use_after_the_switch(home: Path) -> None:
    outcome = migrator.migrate_store(REQUEST)
    said = store_switch.switch_store(load_settings(), REQUEST, outcome)
    assert said == "The team's records are now in SQLite at team.db."
    assert load_settings().storage_type == "database"
    assert listed() == {"r1"}


def test_what_was_written_after_the_move_comes_along(home: Path) -> None:
    outcome = migrator.migrate_store(REQUEST)
    with_storage(lambda storage: storage.save_report(report("late")))
    with_storage(lambda storage: storage.save_annotation(annotation(id="a-late")))
    with_storage(lambda storage: storage.delete_report("r1", actor="bob"))
    said = store_switch.switch_store(load_settings(), REQUEST, outcome)
    assert "changes made since the migration were copied" in said
    assert listed() == {"late"}
    with_storage(lambda storage: assert_has(storage, "a-late"))


def assert_has(storage: Storage, annotation_id: str) -> None:
    assert storage.annotations.load(annotation_id) is not None


def test_what_the_target_kept_in_a_conflict_stays_as_it_is(home: Path) -> None:
    theirs = DatabaseStorage(REQUEST.target)
    theirs.save_report(report("r1", title="Theirs"))
    theirs.close()
    outcome = migrator.migrate_store(REQUEST)
    assert outcome.conflict_count == 1
    store_switch.switch_store(load_settings(), REQUEST, outcome)
    with_storage(lambda storage: assert_titled(storage, "Theirs"))


def assert_titled(storage: Storage, title: str) -> None:
    assert [row["title"] for row in storage.query_reports()] == [title]


def test_a_store_that_was_opened_before_refuses_to_be_written(home: Path) -> None:
    before = get_storage_backend()
    before.save_report(report("r2"))
    outcome = migrator.migrate_store(REQUEST)
    store_switch.switch_store(load_settings(), REQUEST, outcome)
    with pytest.raises(StoreMovedError, match="moved to another store"):
        before.save_report(report("lost"))
    assert "lost" not in {row["id"] for row in FileStorage().query_reports()}


def test_a_writer_who_waits_while_the_store_is_held_is_refused(home: Path) -> None:
    before = get_storage_backend()
    outcome = migrator.migrate_store(REQUEST)
    refused: list[Exception] = []

    def write() -> None:
        try:
            before.save_report(report("waiting"))
        except StoreMovedError as error:
            refused.append(error)

    with FileStorage().store.block_writes():
        writer = threading.Thread(target=write)
        writer.start()
        store_switch._write_config(load_settings(), store_switch.parse_location(REQUEST.target))
    writer.join()
    assert refused
    assert outcome.verified


def test_there_is_a_way_back(home: Path) -> None:
    outcome = migrator.migrate_store(REQUEST)
    assert store_switch.describe_previous_store(load_settings()) is None
    store_switch.switch_store(load_settings(), REQUEST, outcome)
    assert store_switch.describe_previous_store(load_settings()) == "files in .lavendertown"
    assert store_switch.count_changes_since_switch(load_settings()) == 0
    with_storage(lambda storage: storage.save_report(report("newer")))
    assert store_switch.count_changes_since_switch(load_settings()) == 1
    assert (
        store_switch.switch_back(load_settings()) == "The team's records are in files in .lavendertown again."
    )
    assert listed() == {"r1"}
    with pytest.raises(NotFoundError):
        store_switch.switch_back(load_settings())


def test_the_settings_file_is_for_its_owner_only(home: Path) -> None:
    outcome = migrator.migrate_store(REQUEST)
    store_switch.switch_store(load_settings(), REQUEST, outcome)
    assert Path(".lavendertown/config.toml").stat().st_mode & 0o777 == 0o600


def test_a_switch_and_the_way_back_keep_the_other_settings(home: Path) -> None:
    path = Path(".lavendertown/config.toml")
    path.write_text(
        'migration_folders = ["/srv/a b"]\nLAVENDERTOWN_SERVER_NAMES = ["db.example"]\n'
        '[sources."the orders"]\npath = "/srv/orders.csv"\n[sources.stock]\npath = "/srv/stock.csv"\n'
    )
    outcome = migrator.migrate_store(REQUEST)
    store_switch.switch_store(load_settings(), REQUEST, outcome)
    assert load_settings().storage_type == "database"
    assert load_settings().migration_folders == (Path("/srv/a b"),)
    store_switch.switch_back(load_settings())
    assert load_settings().storage_type == "file"
    assert load_settings().server_names == ("db.example",)
    assert [source.name for source in load_settings().sources] == ["stock", "the orders"]


@pytest.mark.parametrize(
    ("where", "sentence"),
    [
        ("environment", "The environment sets LAVENDERTOWN_STORAGE_TYPE"),
        (".env", ".env sets LAVENDERTOWN_STORAGE_TYPE"),
        ("lavendertown.toml", "Lavendertown.toml sets storage_type"),
    ],
)
def test_a_setting_that_goes_before_is_named(
    home: Path, monkeypatch: pytest.MonkeyPatch, where: str, sentence: str
) -> None:
    if where == "environment":
        monkeypatch.setenv("LAVENDERTOWN_STORAGE_TYPE", "file")
    elif where == ".env":
        Path(where).write_text("LAVENDERTOWN_STORAGE_TYPE=file\n")
    else:
        Path(where).write_text('storage_type = "file"\n')
    outcome = migrator.migrate_store(REQUEST)
    said = store_switch.find_blocking_setting(load_settings(), REQUEST.target)
    assert said is not None
    assert said.startswith(sentence)
    assert "database" in said
    with pytest.raises(ConfigurationError):
        store_switch.switch_store(load_settings(), REQUEST, outcome)
    assert not Path(".lavendertown/config.toml").exists()


def test_config_yaml_does_not_block_a_switch(home: Path) -> None:
    Path("config.yaml").write_text("database: sqlite:///first.db\n")
    with_storage(lambda storage: storage.save_report(report("r2")))
    request = MigrationRequest("sqlite:///first.db", "sqlite:///team.db")
    store_switch.switch_store(load_settings(), request, migrator.migrate_store(request))
    assert listed() == {"r2"}
    assert load_settings().database_url == "sqlite:///team.db"
    back = MigrationRequest("sqlite:///team.db", ".lavendertown")
    store_switch.switch_store(load_settings(), back, migrator.migrate_store(back))
    assert (load_settings().storage_type, listed()) == ("file", {"r1", "r2"})


def test_a_folder_elsewhere_is_named_by_the_environment(home: Path) -> None:
    said = store_switch.find_blocking_setting(load_settings(), "other")
    assert said is not None
    assert "LAVENDERTOWN_DATA_DIR=other" in said
