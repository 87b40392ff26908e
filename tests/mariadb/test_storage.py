"""LavenderTown's own tables on MariaDB: how they are made, who waits for whom, what is refused."""

from __future__ import annotations

import threading
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from lavendertown.cli import cli
from lavendertown.collaboration.database_storage import DatabaseStorage
from lavendertown.collaboration.storage import Storage
from lavendertown.errors import ConflictError, InvalidInputError, StorageError, StorageUnavailableError
from lavendertown.records.record_classes import AnnotationRecord, Record, RecordKind, ReportRecord
from lavendertown.records.store import UnitOfWork
from lavendertown.records.write_path import ImportBatch, ImportedRecord
from lavendertown.stores.sql.connection.engine import make_engine
from lavendertown.stores.sql.copies import backup
from lavendertown.stores.sql.copies.export import export_database
from lavendertown.stores.sql.schema import revisions
from lavendertown.transfer.backups.archive import write_archive
from lavendertown.transfer.backups.restore import restore_store
from lavendertown.transfer.locations import parse_location
from tests.contract.builders import NOON, annotation, finding, report, sentence
from tests.database.test_restore import without_audit
from tests.schema.databases import rows, without_keys

import_zip = partial(restore_store, operation="import", replace=False)


@pytest.mark.parametrize("scheme", ["mysql", "mariadb", "mysql+pymysql", "mariadb+pymysql"])
def test_every_form_of_the_url_opens_the_same_store(scheme: str, storage: Storage, mariadb_url: str) -> None:
    storage.save_report(report("r1"))
    url = mariadb_url.replace("mariadb+pymysql", scheme)
    with closing(DatabaseStorage(url)) as other:
        assert other.load_report("r1") is not None


def test_the_words_for_the_place_have_no_password(storage: Storage) -> None:
    assert storage.describe().startswith("MariaDB at 127.0.0.1:")
    assert "@" not in storage.describe()


def test_every_table_compares_byte_by_byte_whatever_the_database_does(
    storage: Storage, mariadb_url: str
) -> None:
    engine = make_engine(mariadb_url)
    with engine.connect() as connection:
        found = connection.execute(
            sa.text(
                "SELECT table_name, table_collation FROM information_schema.tables "
                "WHERE table_schema = DATABASE() AND table_name <> 'alembic_version'"
            )
        )
        collations = dict(found.all())
    engine.dispose()
    assert set(collations.values()) == {"utf8mb4_nopad_bin"}
    assert "reports" in collations


def test_more_than_64_kilobytes_have_room_everywhere(storage: Storage) -> None:
    long = "ü" * 100_000
    positions = list(range(0, 9_000_000, 30))
    storage.save_report(report("r1", [finding("c", metadata={"x": long}, row_indices=positions)]))
    read = storage.store.read_record("report", "r1")
    assert isinstance(read, ReportRecord)
    # New titles, descriptions and comments are shorter; those of other stores are imported as they are.
    longer = replace(read, id="r2", title=long, findings=(read.findings[0]._replace(description=long),))
    about = read.findings[0].fingerprint
    note = AnnotationRecord("a1", about, "bob", NOON, long, (), None, "r2", NOON, 1)
    storage.write_path.import_records(ImportBatch([ImportedRecord(longer), ImportedRecord(note)]))
    loaded = storage.load_report("r2")
    assert loaded is not None
    assert (loaded.title, loaded.findings[0].metadata["x"]) == (long, long)
    assert (loaded.findings[0].description, loaded.annotations[0].comment) == (long, long)
    assert loaded.findings[0].row_indices == positions


def test_metadata_may_be_nested_deeper_than_mariadbs_json(storage: Storage) -> None:
    nested: list[object] = []
    for _ in range(60):
        nested = [nested]
    storage.save_report(report("r1", metadata={"nested": nested}))
    loaded = storage.load_report("r1")
    assert loaded is not None
    assert loaded.metadata["nested"] == nested


def test_a_deadlock_is_a_race_that_can_be_tried_again(storage: Storage, mariadb_url: str) -> None:
    for name in ("r1", "r2"):
        storage.save_report(report(name))
    engine = make_engine(mariadb_url)
    at_first = threading.Barrier(2)
    told: list[Exception] = []

    def cross(first: str, second: str) -> None:
        from lavendertown.stores.sql.connection.errors import translate_errors

        try:
            with translate_errors(engine.url), engine.begin() as connection:
                update = sa.text("UPDATE reports SET title = :title WHERE id = :id")
                connection.execute(update, {"title": first, "id": first})
                at_first.wait(30)
                with connection.begin_nested():
                    connection.execute(update, {"title": first, "id": second})
        except ConflictError as error:
            told.append(error)

    threads = [threading.Thread(target=cross, args=pair) for pair in (("r1", "r2"), ("r2", "r1"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    engine.dispose()
    assert len(told) == 1
    assert "at the same time; nothing was written" in str(told[0])


def test_an_update_sees_what_was_there_before_it(mariadb_url: str) -> None:
    engine = make_engine(mariadb_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TEMPORARY TABLE pairs (a INTEGER, b INTEGER)")
        connection.exec_driver_sql("INSERT INTO pairs VALUES (1, 2)")
        connection.exec_driver_sql("UPDATE pairs SET a = b, b = a")
        assert connection.exec_driver_sql("SELECT a, b FROM pairs").one() == (2, 1)
    engine.dispose()


def test_connections_that_the_server_ended_are_replaced(storage: Storage, mariadb_url: str) -> None:
    storage.save_report(report("r1"))
    engine = make_engine(mariadb_url)
    with engine.connect() as connection:
        others = (
            "SELECT id FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()"
        )
        for (number,) in connection.exec_driver_sql(others).all():
            connection.exec_driver_sql(f"KILL {number}")
    engine.dispose()
    assert storage.load_report("r1") is not None
    storage.save_report(report("r2"))


def test_a_server_that_ends_in_the_middle_is_named_and_nothing_is_written(
    storage: Storage, mariadb_url: str
) -> None:
    engine = make_engine(mariadb_url)

    def end(unit: UnitOfWork, record: Record) -> None:
        number = unit.session.connection().exec_driver_sql("SELECT CONNECTION_ID()").scalar()
        with engine.connect() as other:
            other.exec_driver_sql(f"KILL {number}")

    storage.write_path.hooks.add_after(RecordKind.REPORT, "create", end)
    with pytest.raises(StorageUnavailableError, match=r"MariaDB at .* does not answer; nothing was written"):
        storage.save_report(report("r1"))
    engine.dispose()
    assert storage.load_report("r1") is None


def test_a_database_half_made_is_refused_and_not_touched(storage: Storage, mariadb_url: str) -> None:
    engine = make_engine(mariadb_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM alembic_version")
    engine.dispose()
    before = rows(mariadb_url)
    with pytest.raises(StorageError, match="has no valid revision") as refused:
        DatabaseStorage(mariadb_url)
    assert "Nothing was changed" in sentence(refused)
    assert rows(mariadb_url) == before


def test_a_backup_is_left_to_mariadbs_own_program(storage: Storage, mariadb_url: str, tmp_path: Path) -> None:
    engine = make_engine(mariadb_url)
    with pytest.raises(StorageError, match="mariadb-dump --single-transaction test_") as refused:
        backup.copy_database(engine, tmp_path / "backups")
    engine.dispose()
    sentence(refused)
    assert not (tmp_path / "backups").exists()


def test_a_backup_of_another_kind_is_refused(storage: Storage, mariadb_url: str, tmp_path: Path) -> None:
    with closing(DatabaseStorage(f"sqlite:///{tmp_path / 'own.db'}")) as other:
        other.save_report(report("r1"))
    with pytest.raises(InvalidInputError, match="backup of SQLite and cannot be restored into MariaDB"):
        restore_store(mariadb_url, tmp_path / "own.db")


def test_exported_rows_come_from_sqlite_and_go_back(mariadb_url: str, tmp_path: Path) -> None:
    first, last = (f"sqlite:///{tmp_path / name}.db" for name in ("first", "last"))
    with closing(DatabaseStorage(first)) as storage:
        found = [finding("=1+1", metadata={"x": None}), finding("c", row_indices=[1, 5])]
        storage.save_report(report("=r1", found, annotations=[annotation(found[0], status="fixed")]))
        storage.save_report(report("gone"))
        storage.delete_report("gone")
    import_zip(mariadb_url, export_database(first, tmp_path / "a.zip").file)
    with closing(DatabaseStorage(mariadb_url)) as storage:
        assert storage.load_report("=r1") is not None
    import_zip(last, export_database(mariadb_url, tmp_path / "b.zip").file)
    assert without_audit(without_keys(rows(last))) == without_audit(without_keys(rows(first)))


def test_an_archive_is_restored_where_nothing_is_and_can_be_made(mariadb_url: str, tmp_path: Path) -> None:
    with closing(DatabaseStorage(f"sqlite:///{tmp_path / 'first.db'}")) as storage:
        storage.save_report(report("r1", annotations=[annotation(status="fixed")]))
        made = write_archive(parse_location(f"sqlite:///{tmp_path / 'first.db'}"), tmp_path / "a.zip")
    assert restore_store(mariadb_url, made.file).rows["reports"] == 1
    again = write_archive(parse_location(mariadb_url), tmp_path / "b.zip")
    assert again.counts == {**made.counts, "events": made.counts["events"] + 1}


def test_replacing_rows_is_refused_for_there_is_no_backup(
    storage: Storage, mariadb_url: str, tmp_path: Path
) -> None:
    storage.save_report(report("r1"))
    made = export_database(mariadb_url, tmp_path / "a.zip").file
    before = rows(mariadb_url)
    with pytest.raises(StorageError, match="mariadb-dump"):
        import_zip(mariadb_url, made, replace=True)
    assert rows(mariadb_url) == before


def test_the_command_line_makes_and_checks_it(mariadb_url: str, tmp_path: Path) -> None:
    def run(*words: str) -> int:
        return CliRunner().invoke(cli, ["db", *words, "--url", mariadb_url]).exit_code

    assert run("check") == 1
    assert run("init") == 0
    assert (run("check"), run("upgrade")) == (0, 0)
    assert run("backup", "--to", str(tmp_path)) == 2


def test_the_newest_schema_is_what_the_tables_say(storage: Storage, mariadb_url: str) -> None:
    assert revisions.inspect_schema(mariadb_url).state is revisions.SchemaState.CURRENT
    engine = make_engine(mariadb_url)
    with engine.connect() as connection:
        look = sa.inspect(connection)
        for table in revisions.metadata.sorted_tables:
            assert {c["name"] for c in look.get_columns(table.name)} == set(table.columns.keys())
            indexes = {index["name"] for index in look.get_indexes(table.name)}
            assert {index.name for index in table.indexes} <= indexes
            keys = {key["name"] for key in look.get_foreign_keys(table.name)}
            assert keys == {key.name for key in table.foreign_key_constraints}
    engine.dispose()
