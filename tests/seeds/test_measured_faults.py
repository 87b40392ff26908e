"""The faults that were measured in the three libraries these documents are from, each with our figure.

What they did stands in the name or the first line of each test; it does not happen here.
"""

from __future__ import annotations

import datetime as dt
import logging
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from lavendertown import database as db
from lavendertown.collaboration.database_storage import DatabaseStorage
from lavendertown.database import application, startup
from lavendertown.database.model_accessor import _HOOKS
from lavendertown.database.table_names import table_name
from lavendertown.errors import ConflictError, SchemaError
from tests.contract.builders import report

BACKENDS = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


class Valve(db.TableMixin, db.Base):
    id: Mapped[int] = mapped_column(primary_key=True)
    serial: Mapped[str] = mapped_column(sa.String(40), unique=True)
    turns: Mapped[int] = mapped_column(default=0)
    place: Mapped[str] = mapped_column(sa.String(40), default="store")
    deleted_at: Mapped[dt.datetime | None] = mapped_column(sa.DateTime(timezone=True), default=None)


@pytest.fixture(params=BACKENDS)
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'app.db'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def valves(url: str) -> Iterator[db.ModelAccessor[Valve]]:
    # Vention Storage: PostgreSQL failed at bootstrap.
    db.bootstrap(database_url=url)
    startup.create_missing_tables(db.get_engine(), db.Base.metadata)
    yield db.ModelAccessor(Valve, "valves")
    application.current_database().close()
    _HOOKS.clear()


def events() -> list[tuple[str, str]]:
    with db.transaction() as session:
        found = session.exec(sa.select(db.AuditLog).order_by(db.AuditLog.id))
        return [(event.operation, event.actor) for event in found]


# Vention Storage


def test_increments_of_eight_threads_are_counted_or_refused(valves: db.ModelAccessor[Valve]) -> None:
    """There, 27 of 200 were left and nobody was told."""
    row = valves.insert(Valve(serial="a"))
    refused: list[str] = []

    def turn() -> None:
        for _ in range(25):
            mine = valves.get(row.id)
            assert mine is not None
            mine.turns += 1
            try:
                valves.save(mine)
            except ConflictError as error:
                refused.append(str(error))

    threads = [threading.Thread(target=turn) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = valves.get(row.id)
    assert found is not None
    assert found.turns + len(refused) == 200
    assert all("changed" in sentence for sentence in refused)


def test_a_partial_update_resets_no_other_column(valves: db.ModelAccessor[Valve]) -> None:
    row = valves.insert(Valve(serial="a", turns=7, place="roof"))
    valves.save(Valve(id=row.id, place="cellar"))
    found = valves.get(row.id)
    assert found is not None
    assert (found.serial, found.turns, found.place) == ("a", 7, "cellar")


def test_saving_a_deleted_row_does_not_revive_it(valves: db.ModelAccessor[Valve]) -> None:
    row = valves.insert(Valve(serial="a"))
    valves.delete(row.id)
    with pytest.raises(ConflictError):
        valves.save(Valve(id=row.id, place="roof"))
    assert valves.get(row.id) is None


def test_a_deleted_row_does_not_keep_its_unique_value(valves: db.ModelAccessor[Valve]) -> None:
    old = valves.insert(Valve(serial="a"))
    valves.delete(old.id)
    assert valves.insert(Valve(serial="a")).id != old.id


def test_a_hooks_error_that_is_swallowed_outside_commits_nothing(valves: db.ModelAccessor[Valve]) -> None:
    @valves.after_insert()
    def refuse(session: object, instance: Valve) -> None:
        raise RuntimeError("no")

    with db.transaction(), suppress(RuntimeError):
        valves.insert(Valve(serial="a"))
    assert valves.all() == []
    assert events() == []


def test_every_change_says_who_made_it(valves: db.ModelAccessor[Valve]) -> None:
    row = valves.insert(Valve(serial="a"), actor="Ana")
    valves.delete(row.id, actor="Ben")
    valves.restore(row.id, actor="Cy")
    assert events() == [("create", "Ana"), ("soft_delete", "Ben"), ("restore", "Cy")]


def test_any_sqlite_file_is_no_backup(tmp_path: Path) -> None:
    """There, whatever SQLite file was handed in took the place of the database."""
    from lavendertown.transfer.backups.restore import restore_store

    own, other = f"sqlite:///{tmp_path / 'own.db'}", tmp_path / "other.db"
    with closing(DatabaseStorage(own)) as storage:
        storage.save_report(report("kept"))
        engine = sa.create_engine(f"sqlite:///{other}")
        with engine.begin() as connection:
            connection.execute(sa.text("CREATE TABLE songs (name TEXT)"))
        engine.dispose()
        with pytest.raises(SchemaError):
            restore_store(own, other)
        assert storage.count_reports() == 1


# Noventa


def test_a_duplicate_key_breaks_no_later_request(url: str) -> None:
    """There, one immortal session per thread broke the next ten requests."""
    with closing(DatabaseStorage(url)) as storage:
        startup.create_missing_tables(storage.store.engine, db.Base.metadata)  # type: ignore[attr-defined]
        with storage.session() as session:
            session.add(Valve(serial="a"))
        for number in range(10):
            with pytest.raises(sa.exc.IntegrityError), storage.session() as session:
                session.add(Valve(serial="a"))
            with storage.session() as session:
                session.add(Valve(serial=f"b{number}"))
        with storage.session() as session:
            assert session.query(Valve).count() == 11


@pytest.mark.postgres
def test_nobody_commits_anothers_rows(postgres_url: str) -> None:
    """There, two requests on one thread shared a session, and the second committed the first's rows."""
    with closing(DatabaseStorage(postgres_url)) as storage:
        startup.create_missing_tables(storage.store.engine, db.Base.metadata)  # type: ignore[attr-defined]
        begun, go_on = threading.Event(), threading.Event()

        def fail() -> None:
            with pytest.raises(ZeroDivisionError), storage.session() as session:  # noqa: PT012
                session.add(Valve(serial="never"))
                session.flush()
                begun.set()
                go_on.wait(30)
                raise ZeroDivisionError

        first = threading.Thread(target=fail)
        first.start()
        assert begun.wait(30)
        with storage.session() as session:
            session.add(Valve(serial="mine"))
        go_on.set()
        first.join()
        with storage.session() as session:
            assert [valve.serial for valve in session.query(Valve)] == ["mine"]


# pytentd


def test_a_memory_database_is_the_same_in_every_thread() -> None:
    """There, it was empty from a second thread."""
    engine = db.connect({"driver": "sqlite", "path": ":memory:"})
    db.install_tables(engine)
    with db.open_session(engine) as session:
        session.add(Valve(serial="a"))
        session.commit()
    found: list[int] = []

    def look() -> None:
        with db.open_session(engine) as session:
            found.append(session.query(Valve).count())

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert found == [1]
    engine.dispose()


def test_a_question_mark_in_a_path_does_not_cut_it(tmp_path: Path) -> None:
    engine = db.connect({"driver": "sqlite", "path": str(tmp_path / "what?.db")})
    db.install_tables(engine)
    engine.dispose()
    assert (tmp_path / "what?.db").exists()
    assert not (tmp_path / "what").exists()


def test_tables_are_named_in_english() -> None:
    """There, Category had the table categorys."""
    names = [table_name(name) for name in ("Category", "Person", "UserProfile", "Box", "Day")]
    assert names == ["categories", "people", "user_profiles", "boxes", "days"]


def test_foreign_keys_are_on(tmp_path: Path) -> None:
    engine = db.connect({"driver": "sqlite", "path": str(tmp_path / "x.db")})
    with engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    engine.dispose()


def test_no_statement_is_echoed(tmp_path: Path, caplog: pytest.LogCaptureFixture, capsys: object) -> None:
    """There, all SQL was printed, with its values."""
    assert isinstance(capsys, pytest.CaptureFixture)
    with caplog.at_level(logging.INFO):
        engine = db.connect({"driver": "sqlite", "path": str(tmp_path / "x.db")})
        db.install_tables(engine)
        with db.open_session(engine) as session:
            session.add(Valve(serial="a secret"))
            session.commit()
        engine.dispose()
    written = capsys.readouterr()
    assert "secret" not in written.out + written.err + caplog.text
