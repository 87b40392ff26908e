"""What instances are after a rollback, and that saving them again loses nothing."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import orm
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from lavendertown.core.settings import Settings, load_settings
from lavendertown.database import Session, application
from lavendertown.database.model_accessor import ModelAccessor
from lavendertown.errors import ConflictError, InvalidInputError


class Base(DeclarativeBase):
    pass


class Box(Base):
    __tablename__ = "boxes"
    id: Mapped[int] = mapped_column(primary_key=True)
    label: Mapped[str] = mapped_column(sa.String(20), unique=True)
    things: Mapped[list[Thing]] = relationship(back_populates="box", cascade="all, delete-orphan")


class Thing(Base):
    __tablename__ = "things_in_boxes"
    id: Mapped[int] = mapped_column(primary_key=True)
    box_id: Mapped[int] = mapped_column(sa.ForeignKey("boxes.id"))
    name: Mapped[str] = mapped_column(sa.String(20))
    box: Mapped[Box] = relationship(back_populates="things")


@pytest.fixture
def boxes(database: application.Database) -> ModelAccessor[Box]:
    return ModelAccessor(Box, "boxes")


def labels(boxes: ModelAccessor[Box]) -> list[str]:
    return [each.label for each in boxes.all()]


def refuse_once(boxes: ModelAccessor[Box]) -> None:
    """Register a hook that refuses the first insert after the row was written."""
    refused: list[Box] = []

    @boxes.after_insert()
    def refuse(session: Any, box: Box) -> None:
        if not refused:
            refused.append(box)
            raise ValueError("Not now.")


@pytest.mark.parametrize("inside", [False, True])
def test_an_instance_whose_insert_failed_can_be_saved(boxes: ModelAccessor[Box], inside: bool) -> None:
    refuse_once(boxes)
    box = Box(label="a", things=[Thing(name="x")])

    def insert_and_save() -> None:
        with pytest.raises(ValueError, match="Not now"):
            boxes.insert(box)
        assert (box.id, box.things[0].id) == (None, None)
        boxes.save(box)

    if inside:
        with application.transaction():
            insert_and_save()
    else:
        insert_and_save()
    assert labels(boxes) == ["a"]
    assert [each.box_id for each in ModelAccessor(Thing, "things").all()] == [box.id]


def test_a_failed_insert_does_not_overwrite_the_row_that_got_its_key(boxes: ModelAccessor[Box]) -> None:
    refuse_once(boxes)
    box = Box(label="mine")
    with pytest.raises(ValueError, match="Not now"):
        boxes.insert(box)
    boxes.insert(Box(label="theirs"))
    boxes.save(box)
    assert sorted(labels(boxes)) == ["mine", "theirs"]


class Stop(Exception):
    """Ends a unit of work."""


@contextlib.contextmanager
def undone(database: application.Database, atomic: bool = False) -> Iterator[Session]:
    """A unit of work that is rolled back at the end of the block."""
    with contextlib.suppress(Stop), database.atomic() if atomic else database.transaction() as session:
        yield session
        raise Stop


@pytest.mark.parametrize("atomic", [False, True])
def test_a_unit_of_work_that_is_undone_leaves_its_new_instances_new(
    boxes: ModelAccessor[Box], database: application.Database, atomic: bool
) -> None:
    box, plain = Box(label="a"), Box(label="b")
    with undone(database, atomic) as session:
        boxes.insert(box)
        session.add(plain)
        session.flush()
    assert [orm.attributes.instance_state(each).key for each in (box, plain)] == [None, None]
    boxes.insert(Box(label="theirs"))
    boxes.save(box)
    boxes.save(plain)
    assert sorted(labels(boxes)) == ["a", "b", "theirs"]


def test_a_commit_that_fails_leaves_new_instances_new(
    boxes: ModelAccessor[Box], database: application.Database
) -> None:
    boxes.insert(Box(label="a"))
    box = Box(label="a")
    with pytest.raises(sa.exc.IntegrityError), database.transaction() as session:
        session.add(box)
    box.label = "b"
    boxes.save(box)
    assert labels(boxes) == ["a", "b"]


@pytest.mark.parametrize("atomic", [False, True])
def test_instances_that_were_only_read_stay_usable(
    boxes: ModelAccessor[Box], database: application.Database, atomic: bool
) -> None:
    made = boxes.insert(Box(label="a", things=[Thing(name="x")]))
    with undone(database, atomic) as session:
        box = session.get_one(Box, made.id)
        session.add(Box(label="new"))
        session.flush()
        box.label = "b"
    assert box.label == "b"
    boxes.save(box)
    assert labels(boxes) == ["b"]


def test_a_written_instance_of_an_undone_unit_is_not_saved_without_loading_it_again(
    boxes: ModelAccessor[Box], database: application.Database
) -> None:
    made = boxes.insert(Box(label="a"))
    with undone(database) as session:
        box = session.get_one(Box, made.id)
        box.label = "b"
        session.flush()
    with pytest.raises(InvalidInputError, match=r"of boxes are not loaded any more.*; load the record"):
        boxes.save(box)
    assert labels(boxes) == ["a"]


def test_what_was_committed_inside_stays_usable(
    boxes: ModelAccessor[Box], database: application.Database
) -> None:
    with undone(database) as session:
        box = boxes.insert(Box(label="a"))
        session.commit()
    assert (box.label, labels(boxes)) == ("a", ["a"])
    box.label = "b"
    boxes.save(box)
    assert labels(boxes) == ["b"]


def test_many_threads_agree_on_the_configured_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Settings] = []

    def read_slowly() -> Settings:
        read.append(load_settings())
        # Until every thread that may pass has passed.
        threading.Event().wait(0.1)
        return read[-1]

    monkeypatch.setenv("LAVENDERTOWN_DATABASE_URL", f"sqlite:///{tmp_path / 'configured.db'}")
    monkeypatch.setattr(application, "_chosen", None)
    monkeypatch.setattr(application, "load_settings", read_slowly)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: application.current_database(), range(8)))
    assert len(read) == len({id(each) for each in found}) == 1
    found[0].close()


def test_a_conflict_inside_a_unit_of_work_does_not_end_it(
    boxes: ModelAccessor[Box], database: application.Database
) -> None:
    with database.transaction():
        boxes.insert(Box(label="a"))
        again = Box(label="a")
        with pytest.raises(ConflictError):
            boxes.insert(again)
        again.label = "b"
        boxes.save(again)
    assert labels(boxes) == ["a", "b"]
