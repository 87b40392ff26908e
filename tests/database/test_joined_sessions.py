"""Accessor calls take part in a session that the caller opened and handed to ``use_session``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from lavendertown.database import application, open_session, startup, use_session
from lavendertown.database.audit_model import AuditLog
from lavendertown.database.model_accessor import _HOOKS, ModelAccessor
from tests.support import mariadb


class Base(DeclarativeBase):
    pass


class Note(Base):
    __tablename__ = "joined_notes"
    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(sa.String(40))


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres), *mariadb.PARAMS])
def notes(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ModelAccessor[Note]]:
    """An accessor on each backend."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'app.db'}"
    else:
        url = request.getfixturevalue(f"{request.param}_url")
    startup.bootstrap(database_url=url)
    startup.create_missing_tables(application.get_engine(), Base.metadata)
    yield ModelAccessor(Note, "notes")
    application.current_database().close()
    _HOOKS.clear()


def own_session() -> orm.Session:
    return orm.Session(application.get_engine(), expire_on_commit=False)


SESSIONS = [lambda: open_session(application.get_engine()), own_session]


@pytest.mark.parametrize("make_session", SESSIONS, ids=["open_session", "sqlalchemy"])
def test_calls_join_the_session_that_is_handed_in(notes: ModelAccessor[Note], make_session: Any) -> None:
    with make_session() as session:
        session.add(Note(id=1, text="pending"))
        with use_session(session) as joined:
            assert joined is session
            found = notes.get(1)
            assert found is not None
            assert [each.text for each in notes.all()] == ["pending"]
            notes.insert(Note(id=2, text="mine"))
            found.text = "changed"
            notes.save(found)
        assert session.get(Note, 2) is not None
        session.commit()
    assert [each.text for each in notes.all()] == ["changed", "mine"]


@pytest.mark.parametrize("make_session", SESSIONS, ids=["open_session", "sqlalchemy"])
def test_a_rollback_undoes_joined_calls_and_their_audit(
    notes: ModelAccessor[Note], make_session: Any
) -> None:
    with make_session() as session:
        with use_session(session):
            notes.insert(Note(text="gone"))
            with application.transaction() as inner:
                assert inner is session
        session.rollback()
        assert session.scalars(sa.select(AuditLog)).all() == []
    assert notes.all() == []


def test_the_session_can_be_used_after_the_block_and_again(notes: ModelAccessor[Note]) -> None:
    with own_session() as session:
        for text in ("a", "b"):
            with use_session(session):
                notes.insert(Note(text=text))
            session.commit()
    notes.insert(Note(text="c"))
    assert [each.text for each in notes.all()] == ["a", "b", "c"]


def test_a_session_inside_a_transaction_does_not_take_its_place(notes: ModelAccessor[Note]) -> None:
    with application.transaction() as outer:
        with use_session(outer):
            notes.insert(Note(text="a"))
        assert application.current_database().current_session() is outer
        notes.insert(Note(text="b"))
    assert [each.text for each in notes.all()] == ["a", "b"]


def test_a_failed_call_leaves_the_session_usable(notes: ModelAccessor[Note]) -> None:
    with own_session() as session, use_session(session):
        notes.insert(Note(id=1, text="a"))
        with pytest.raises(Exception, match="already exists"):
            notes.insert(Note(id=1, text="b"))
        notes.insert(Note(id=2, text="c"))
        session.commit()
    assert [each.text for each in notes.all()] == ["a", "c"]


def test_work_after_the_commit_waits_for_the_sessions_own(notes: ModelAccessor[Note]) -> None:
    done: list[str] = []
    with own_session() as session:
        with use_session(session):
            notes.insert(Note(text="a"))
            application.current_database().after_commit(lambda: done.append("kept"))
        assert done == []
        session.commit()
        session.commit()
        assert done == ["kept"]
        with use_session(session):
            notes.insert(Note(text="b"))
            application.current_database().after_commit(lambda: done.append("undone"))
        session.rollback()
        session.commit()
    assert done == ["kept"]
