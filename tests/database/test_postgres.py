"""A store on PostgreSQL: its connections, its transactions, and text that stays what it is."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, suppress

import psycopg2
import pytest
import sqlalchemy as sa

from lavendertown.collaboration.database_storage import DatabaseStorage
from lavendertown.errors import StorageError
from lavendertown.records.record_classes import Record, RecordKind
from lavendertown.records.store import UnitOfWork
from tests.contract.builders import annotation, finding, ids, report

pytestmark = pytest.mark.postgres


@pytest.fixture
def storage(postgres_url: str) -> Iterator[DatabaseStorage]:
    with closing(DatabaseStorage(postgres_url)) as made:
        yield made


def test_a_connection_that_the_server_ended_is_noticed_before_it_is_used(
    storage: DatabaseStorage, postgres_url: str
) -> None:
    for call in (storage.query_reports, lambda: storage.save_report(report("r1"))):
        storage.query_reports()
        with closing(psycopg2.connect(postgres_url)) as other, other, other.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            assert cursor.rowcount == 1
            wait_until_alone(cursor)
        call()
    assert ids(storage.query_reports()) == ["r1"]


def test_one_connection_serves_one_after_the_other_and_is_given_back(
    storage: DatabaseStorage, postgres_url: str
) -> None:
    with closing(psycopg2.connect(postgres_url)) as other, other, other.cursor() as cursor:
        for number in range(3):
            storage.save_report(report(f"r{number}"))
            storage.query_reports()
            assert storage.load_report(f"r{number}") is not None
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        assert cursor.fetchone() == (2,)
        storage.close()
        wait_until_alone(cursor)


def test_an_idle_connection_is_in_no_transaction(storage: DatabaseStorage, postgres_url: str) -> None:
    with closing(psycopg2.connect(postgres_url)) as other, other, other.cursor() as cursor:
        for call in (storage.query_reports, lambda: storage.load_report("r1"), lambda: None):
            storage.save_report(report("r1"))
            call()
            cursor.execute(
                "SELECT state FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            assert cursor.fetchall() == [("idle",)]
            cursor.execute("SELECT pg_stat_clear_snapshot()")


def wait_until_alone(cursor: psycopg2.extensions.cursor) -> None:
    others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    while True:
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        cursor.execute(others)
        if cursor.fetchone() == (1,):
            return


def test_a_failed_transaction_is_never_taken_for_a_saved_one(storage: DatabaseStorage) -> None:
    def swallow(unit: UnitOfWork, record: Record) -> None:
        with suppress(sa.exc.DBAPIError):
            unit.connection.exec_driver_sql("SELECT * FROM nothing_of_that_name")  # type: ignore[attr-defined]

    storage.write_path.hooks.add_after(RecordKind.REPORT, "create", swallow)
    with pytest.raises(StorageError, match="nothing was written"):
        storage.save_report(report("r1"))
    storage.write_path.hooks.after.clear()
    assert storage.query_reports() == []
    storage.save_report(report("r1"))


def test_rows_are_read_in_portions_inside_a_session(storage: DatabaseStorage) -> None:
    storage.save_reports(report(f"r{n}") for n in range(30))
    with storage.session() as session:
        query = sa.text("SELECT id FROM reports").execution_options(yield_per=7)
        assert sum(len(list(part)) for part in session.scalars(query).partitions()) == 30


def test_many_rows_in_one_statement_stay_what_they_are(storage: DatabaseStorage) -> None:
    odd = ["100 % %s %(rows)s", 'it\'s \\ "quoted"', "tab\tline\nend\r", "$1 $$ {} []", "snö ☃ 👻", "null"]
    odd += ["", "NULL", 'a","b', "\x1e between \x1e and \x1f", "\\x00", "{1,2}"]
    findings = [finding(text or "c", description=text, metadata={"text": text, "none": None}) for text in odd]
    storage.save_report(report("r1", findings))
    loaded = storage.load_report("r1")
    assert loaded is not None
    assert [found.description for found in loaded.findings] == odd
    assert [found.metadata["text"] for found in loaded.findings] == odd
    assert [found.column for found in loaded.findings] == [text or "c" for text in odd]


def asked_of(postgres_url: str, sql: str) -> None:
    with closing(psycopg2.connect(postgres_url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(sql)


ODD = "it's \\' \"quoted\" \\\\ é"


def test_text_stays_whole_where_the_server_reads_backslashes_in_its_own_way(postgres_url: str) -> None:
    name = sa.make_url(postgres_url).database
    asked_of(postgres_url, f'ALTER DATABASE "{name}" SET standard_conforming_strings = off')
    with closing(DatabaseStorage(postgres_url)) as storage:
        storage.save_report(report("r1", [finding("a", description=ODD)], title=ODD))
        (row,) = storage.query_findings("r1")
        assert row["description"] == ODD
        assert storage.query_reports(search=ODD)[0]["title"] == ODD


def test_a_database_that_keeps_another_encoding_keeps_what_that_can_hold(postgres_url: str) -> None:
    url = sa.make_url(postgres_url)
    name = f"{url.database}_latin"
    asked_of(postgres_url, f"CREATE DATABASE \"{name}\" ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    try:
        with closing(
            DatabaseStorage(url.set(database=name).render_as_string(hide_password=False))
        ) as storage:
            storage.save_report(report("r1", [finding("a", description=ODD)], title=ODD))
            (row,) = storage.query_findings("r1")
            assert row["description"] == ODD
            with pytest.raises(StorageError, match="nothing was written"):
                storage.save_report(report("r2", title="snow ☃"))
            assert ids(storage.query_reports()) == ["r1"]
    finally:
        asked_of(postgres_url, f'DROP DATABASE "{name}"')


def test_the_planner_knows_of_an_import(storage: DatabaseStorage, postgres_url: str) -> None:
    columns = [finding(f"c{number}") for number in range(500)]
    storage.save_reports(report(f"r{number}", columns) for number in range(21))
    storage.annotations.save_many(annotation(columns[number % 500]) for number in range(10_001))
    with closing(psycopg2.connect(postgres_url)) as connection, connection.cursor() as cursor:
        tables = ("reports", "identities", "findings", "annotations")
        cursor.execute("SELECT relname FROM pg_class WHERE relname IN %s AND reltuples < 21", (tables,))
        assert cursor.fetchall() == []


class Name(str):
    """As other libraries have them: a text that is no plain one."""

    __slots__ = ()


def test_a_text_of_another_class_is_a_text(storage: DatabaseStorage) -> None:
    for title in ("one", "two"):
        storage.save_report(report(Name('a, "b" {c} NULL'), title=title))
    (row,) = storage.query_reports()
    assert (row["id"], row["title"], row["version"]) == ('a, "b" {c} NULL', "two", 2)
    storage.save_reports(report(Name(f"a,{number}")) for number in range(3))
    assert storage.count_reports() == 4
    storage.save_report(report(Name("a,1"), title="three"))
    assert storage.count_reports() == 4
