"""Accessor calls take part in a session that the caller opened and handed to ``use_session``."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from lavendertown.database import application, open_session, use_session
from lavendertown.database.audit_model import AuditLog
from lavendertown.database.model_accessor import ModelAccessor
from lavendertown.errors import ConflictError, InvalidInputError


class Base(DeclarativeBase):
    pass


class Note(Base):
    __tablename__ = "joined_notes"
    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(sa.String(40))


@pytest.fixture
def notes(database: application.Database) -> ModelAccessor[Note]:
    return ModelAccessor(Note, "notes")


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


def test_calls_join_the_session_of_a_registry(notes: ModelAccessor[Note]) -> None:
    registry = orm.scoped_session(orm.sessionmaker(application.get_engine()))
    with use_session(registry) as joined:
        assert joined is registry()
        notes.insert(Note(id=1, text="mine"))
    registry.rollback()
    registry.remove()
    assert notes.all() == []


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


def test_the_session_of_the_transaction_is_joined_until_the_transaction_ends(
    notes: ModelAccessor[Note],
) -> None:
    with application.transaction() as outer:
        with use_session(outer):
            notes.insert(Note(text="a"))
            assert outer.scalars(sa.select(Note.text)).all() == ["a"]
        notes.insert(Note(text="b"))
        assert outer.scalars(sa.select(Note.text)).all() == ["a", "b"]
        outer.rollback()
    assert notes.all() == []


def test_a_failed_call_leaves_the_session_usable(notes: ModelAccessor[Note]) -> None:
    with own_session() as session, use_session(session):
        notes.insert(Note(id=1, text="a"))
        with pytest.raises(ConflictError, match="already exists"):
            notes.insert(Note(id=1, text="b"))
        notes.insert(Note(id=2, text="c"))
        session.commit()
    assert [each.text for each in notes.all()] == ["a", "c"]


def test_a_taken_value_of_a_row_in_the_session_is_a_conflict(notes: ModelAccessor[Note]) -> None:
    notes.insert(Note(id=1, text="a"))
    with own_session() as session, use_session(session):
        session.add(Note(id=1, text="b"))
        with pytest.raises(
            ConflictError, match=r"^Another Note already has the same id; nothing was written"
        ):
            notes.insert(Note(id=2, text="c"))


@pytest.mark.parametrize("given", ["x", Note(text="a")])
def test_what_is_no_session_is_one_sentence(database: application.Database, given: Any) -> None:
    with pytest.raises(InvalidInputError, match=r"^use_session takes a session"), use_session(given):
        pass


def test_a_joined_session_keeps_the_actor(notes: ModelAccessor[Note], app_url: str) -> None:
    with application.current_database().atomic("Ana") as outer, use_session(orm.Session(outer.get_bind())):
        notes.insert(Note(text="a"))
    with application.transaction() as session:
        assert session.scalars(sa.select(AuditLog.actor)).all() == ["Ana"]


def test_a_rollback_of_the_session_removes_the_key_that_the_database_assigned(
    notes: ModelAccessor[Note],
) -> None:
    note = Note(text="mine")
    with own_session() as session:
        with use_session(session):
            notes.insert(note)
        session.rollback()
    other = notes.insert(Note(text="theirs"))
    notes.save(note)
    assert note.id != other.id
    assert [each.text for each in notes.all()] == ["theirs", "mine"]
