"""A lock that another session holds on MariaDB: the writer is told by whom, and refused after a while."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import pytest
import sqlalchemy as sa

from lavendertown.collaboration.database_storage import DatabaseStorage
from lavendertown.core import locks
from lavendertown.errors import StorageUnavailableError
from lavendertown.stores.sql.connection.engine import make_engine
from lavendertown.stores.sql.schema import revisions, upgrade
from tests.contract.builders import report, sentence

LOCK_FOR_WRITERS = "SELECT version_num FROM alembic_version FOR UPDATE"
LOCK_FOR_TABLES = "SELECT GET_LOCK(CONCAT('lavendertown.', MD5(DATABASE())), 1)"
Notices = list[str]


@pytest.fixture
def notices(monkeypatch: pytest.MonkeyPatch) -> Notices:
    found: Notices = []
    monkeypatch.setattr(locks, "_bind", [lambda: found.append])
    return found


@contextmanager
def waiting_times(notice: float, give_up: float) -> Iterator[None]:
    token = locks.waiting_times.set(locks.WaitingTimes(notice, give_up))
    yield
    locks.waiting_times.reset(token)


@contextmanager
def other_session(url: str, statement: str) -> Iterator[tuple[int, sa.Connection]]:
    """Execute a statement in another session; yield the session's number and connection."""
    engine = make_engine(url)
    with engine.connect() as connection:
        number = connection.scalar(sa.text("SELECT CONNECTION_ID()"))
        connection.exec_driver_sql(statement).close()
        yield int(number or 0), connection
    engine.dispose()


@contextmanager
def account_without_privileges(url: str) -> Iterator[str]:
    """Make an account that may use this database only; yield the URL with it."""
    place = sa.make_url(url)
    name = f"plain_{str(place.database)[-8:]}"
    engine = make_engine(url)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"CREATE USER {name} IDENTIFIED BY 'secret'")
        connection.exec_driver_sql(f"GRANT ALL ON {place.database}.* TO {name}")
    yield place.set(username=name, password="secret").render_as_string(hide_password=False)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"DROP USER {name}")
    engine.dispose()


def save_when_free(storage: DatabaseStorage, notices: Notices, free: Callable[[], object]) -> str:
    """Save a report; free the lock when the writer is told that it waits. Return what the writer is told."""
    is_free = threading.Event()
    locks.set_notice_binder(lambda: lambda text: (notices.append(text), free(), is_free.set())[0])
    storage.save_report(report("r2"))
    assert is_free.wait(30)
    assert storage.count_reports() == 2
    (text,) = notices
    return text


@pytest.fixture
def opened(mariadb_url: str) -> Iterator[DatabaseStorage]:
    """A store with one report, whose writers are told early and wait for long."""
    with waiting_times(0.2, 60), closing(DatabaseStorage(mariadb_url)) as storage:
        storage.save_report(report("r1"))
        yield storage


def test_a_writer_is_told_who_holds_the_lock_and_goes_on(
    opened: DatabaseStorage, mariadb_url: str, notices: Notices
) -> None:
    with other_session(mariadb_url, LOCK_FOR_WRITERS) as (number, other):
        text = save_when_free(opened, notices, other.rollback)
    assert f"held by another session (connection {number}, user root, host 127.0.0.1)." in text
    assert opened.describe() in text


def test_a_writer_whose_account_sees_nobody_else_is_told_that_it_waits(
    opened: DatabaseStorage, mariadb_url: str, notices: Notices
) -> None:
    with (
        account_without_privileges(mariadb_url) as url,
        closing(DatabaseStorage(url)) as storage,
        other_session(mariadb_url, LOCK_FOR_WRITERS) as (_, other),
    ):
        text = save_when_free(storage, notices, other.rollback)
    assert "held by another session. " in text


def test_a_writer_is_told_of_a_locked_table(
    opened: DatabaseStorage, mariadb_url: str, notices: Notices
) -> None:
    with other_session(mariadb_url, "LOCK TABLES reports WRITE") as (_, other):
        text = save_when_free(opened, notices, lambda: other.exec_driver_sql("UNLOCK TABLES"))
    assert "held by another session. " in text


@pytest.mark.parametrize("statement", [LOCK_FOR_WRITERS, "LOCK TABLES reports WRITE"])
def test_a_writer_that_waited_for_too_long_is_refused(
    statement: str, mariadb_url: str, notices: Notices
) -> None:
    with waiting_times(0.2, 1), closing(DatabaseStorage(mariadb_url)) as storage:
        storage.save_report(report("r1"))
        with (
            other_session(mariadb_url, statement),
            pytest.raises(
                StorageUnavailableError, match="is locked by another session and was not released"
            ) as refused,
        ):
            storage.save_report(report("r2"))
        assert "nothing was written" in sentence(refused)
        assert len(notices) == 1
        storage.save_report(report("r3"))
        assert [row["id"] for row in storage.query_reports()] == ["r3", "r1"]


def test_opening_a_store_while_its_tables_are_made_is_told_and_refused(
    mariadb_url: str, notices: Notices
) -> None:
    with waiting_times(0.2, 0.4), other_session(mariadb_url, LOCK_FOR_TABLES) as (number, _):
        with pytest.raises(StorageUnavailableError, match=f"locked by another session .*{number}") as refused:
            DatabaseStorage(mariadb_url)
        assert "nothing was written" in sentence(refused)
    assert len(notices) == 1
    DatabaseStorage(mariadb_url).close()


@pytest.mark.parametrize("statement", ["SELECT * FROM reports", "LOCK TABLES findings WRITE"])
def test_a_change_of_the_schema_is_refused_while_a_table_is_in_use(
    statement: str, mariadb_url: str, notices: Notices
) -> None:
    with closing(DatabaseStorage(mariadb_url)) as storage:
        storage.save_report(report("r1"))
    with (
        waiting_times(0.2, 1),
        other_session(mariadb_url, statement),
        pytest.raises(StorageUnavailableError, match="was not released") as refused,
    ):
        upgrade.downgrade_database(mariadb_url, "0007", copy_first=False)
    assert "nothing was" in sentence(refused)
    assert len(notices) == 1
    with closing(DatabaseStorage(mariadb_url)) as storage:
        assert [row["id"] for row in storage.query_reports()] == ["r1"]


def test_only_a_change_of_the_schema_waits_longer_for_other_users_of_a_table(mariadb_url: str) -> None:
    engine = make_engine(mariadb_url)
    asked = sa.text("SELECT @@innodb_lock_wait_timeout, @@lock_wait_timeout")
    with engine.begin() as connection:
        assert connection.execute(asked).one() == (30, 30)
        revisions.lock_schema(connection)
        assert connection.execute(asked).one() == (30, 86_400)
    with engine.connect() as connection:
        assert connection.execute(asked).one() == (30, 30)
    engine.dispose()
