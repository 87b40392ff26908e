"""The change feed misses no event and repeats none, whenever its transaction was committed."""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from lavendertown.collaboration.database_storage import DatabaseStorage
from lavendertown.collaboration.models import ShareableReport
from lavendertown.collaboration.storage import FileStorage, Storage
from lavendertown.core.errors import InvalidInputError
from lavendertown.records.change_feed import write_cursor
from lavendertown.stores.sql.schema.tables import audit_log


@pytest.fixture(params=["files", "sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Storage]:
    if request.param == "files":
        opened: Storage = FileStorage(tmp_path / "data")
    elif request.param == "sqlite":
        opened = DatabaseStorage(f"sqlite:///{tmp_path / 'lavendertown.db'}")
    else:
        opened = DatabaseStorage(request.getfixturevalue("postgres_url"))
    yield opened
    opened.close()


@pytest.fixture
def on_postgres(postgres_url: str) -> Iterator[DatabaseStorage]:
    opened = DatabaseStorage(postgres_url)
    yield opened
    opened.close()


def save(storage: Storage, name: str) -> None:
    storage.save_report(ShareableReport(name, name, "Ana", dt.datetime(2026, 11, 28, tzinfo=dt.UTC)))


def read(storage: Storage, cursor: str = "") -> tuple[list[str], str]:
    page = storage.audit.read_changes(cursor)
    return [each.event.record_id for each in page.changes], page.cursor


def insert(connection: sa.Connection, name: str) -> None:
    values = {"at": dt.datetime.now(dt.UTC), "actor": "x", "component": "parts", "operation": "create"}
    connection.execute(sa.insert(audit_log).values(record_id=name, **values))


def test_each_event_is_read_once(storage: Storage) -> None:
    assert read(storage) == ([], "")
    names = [f"r-{n}" for n in range(5)]
    for name in names:
        save(storage, name)
    seen, cursor, more = [], "", True
    while more:
        page = storage.audit.read_changes(cursor, limit=2)
        seen += [each.event.record_id for each in page.changes]
        cursor, more = page.cursor, page.has_more
    assert seen == names
    assert read(storage, cursor) == ([], cursor)
    assert storage.audit.end_of_changes() == cursor


def test_reading_goes_on_behind_any_event(storage: Storage) -> None:
    for name in ("a", "b", "c"):
        save(storage, name)
    first = storage.audit.read_changes().changes[0]
    assert read(storage, first.cursor)[0] == ["b", "c"]


def test_a_cursor_of_another_log_is_refused(storage: Storage, tmp_path: Path) -> None:
    other = FileStorage(tmp_path / "other")
    save(other, "a")
    save(storage, "b")
    beyond = base64.urlsafe_b64encode(b'{"k":%d,"t":1}' % 2**70).decode("ascii")
    before_start = write_cursor({"2026-01.jsonl": [-1, 0]})
    for cursor in ("nonsense", read(other)[1] + "x", "eyJrIjo5OSwidCI6MX0", beyond, before_start):
        with pytest.raises(InvalidInputError, match="does not belong to this change log"):
            storage.audit.read_changes(cursor)


@pytest.mark.postgres
def test_a_transaction_that_commits_late_is_not_missed(on_postgres: DatabaseStorage) -> None:
    engine = on_postgres.store.engine  # type: ignore[attr-defined]
    save(on_postgres, "before")
    with engine.connect() as slow, engine.begin() as fast:
        insert(slow, "slow")
        insert(fast, "fast")
        fast.commit()
        seen, cursor = read(on_postgres)
        assert seen == ["before"]
        assert read(on_postgres, cursor)[0] == []
        assert on_postgres.audit.end_of_changes() == on_postgres.audit.read_changes().changes[-1].cursor
        slow.commit()
    assert read(on_postgres, cursor)[0] == ["slow", "fast"]


@pytest.mark.postgres
def test_the_end_is_before_the_first_event_while_an_earlier_one_is_not_committed(
    on_postgres: DatabaseStorage,
) -> None:
    engine = on_postgres.store.engine  # type: ignore[attr-defined]
    with engine.connect() as slow, engine.begin() as fast:
        insert(slow, "slow")
        insert(fast, "fast")
        fast.commit()
        cursor = on_postgres.audit.end_of_changes()
        slow.commit()
    assert read(on_postgres, cursor)[0] == ["slow", "fast"]


@pytest.mark.postgres
def test_a_rolled_back_gap_does_not_block_readers(on_postgres: DatabaseStorage) -> None:
    engine = on_postgres.store.engine  # type: ignore[attr-defined]
    with engine.connect() as failed, engine.connect() as busy, engine.connect() as third:
        insert(failed, "failed")
        insert(third, "third")
        third.commit()
        seen, cursor = read(on_postgres)
        assert seen == []
        failed.rollback()
        insert(busy, "busy")
        assert read(on_postgres, cursor)[0] == ["third"]
        busy.rollback()


@pytest.mark.postgres
def test_no_event_of_concurrent_transactions_is_missed(on_postgres: DatabaseStorage) -> None:
    engine = on_postgres.store.engine  # type: ignore[attr-defined]
    seen: list[str] = []
    cursor = ""
    connections = [engine.connect() for _ in range(5)]
    for round_ in range(20):
        for n, connection in enumerate(connections):
            insert(connection, f"{round_}-{n}")
        # They end in another order than they began in, and one of them takes its event back.
        for n in (3, 1, 4, 0):
            connections[n].commit()
            found, cursor = read(on_postgres, cursor)
            seen += found
        connections[2].rollback()
    for connection in connections:
        connection.close()
    seen += read(on_postgres, cursor)[0]
    assert sorted(seen) == sorted(f"{r}-{n}" for r in range(20) for n in (0, 1, 3, 4))
