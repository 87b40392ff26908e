"""Which hooks an accessor runs, and what happens when their module runs again."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlmodel import Field, SQLModel

from lavendertown.database.application import transaction
from lavendertown.database.audit_model import AuditLog
from lavendertown.database.model_accessor import ModelAccessor
from lavendertown.errors import InvalidInputError

pytestmark = pytest.mark.usefixtures("database")


class Base(DeclarativeBase):
    pass


class Item(Base):
    __tablename__ = "hooked_items"
    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(sa.String(40))
    tags: Mapped[list[str]] = mapped_column(sa.JSON, default=list)
    deleted_at: Mapped[dt.datetime | None] = mapped_column(sa.DateTime(timezone=True))


class Booking(SQLModel, table=True):
    __tablename__ = "hooked_bookings"
    id: int | None = Field(default=None, primary_key=True)
    day: dt.date


PAGE = """
@items.before_insert()
def add_mark(session, item):
    item.text += "+"

items.after_insert()(lambda session, item: seen.append(item.text))
"""


def test_a_page_that_runs_again_registers_its_hooks_once() -> None:
    seen: list[str] = []
    for _ in range(3):
        items = ModelAccessor(Item, "items")
        exec(compile(PAGE, "page.py", "exec"), {"items": items, "seen": seen, "__name__": "__main__"})
    assert items.insert(Item(text="a")).text == "a+"
    assert seen == ["a+"]


def test_the_function_that_was_defined_last_counts() -> None:
    items = ModelAccessor(Item, "items")
    for mark in ("old", "new"):
        source = PAGE.replace('"+"', repr(mark))
        exec(compile(source, "page.py", "exec"), {"items": items, "seen": [], "__name__": "page"})
    assert items.insert(Item(text="a ")).text == "a new"


def test_hooks_run_for_every_accessor_of_the_component_only() -> None:
    first, second, other = (ModelAccessor(Item, name) for name in ("items", "items", "drafts"))

    @first.before_insert()
    def add_mark(session: object, item: Item) -> None:
        item.text += "+"

    assert second.insert(Item(text="a")).text == "a+"
    assert other.insert(Item(text="b")).text == "b"


def test_functions_of_other_names_or_modules_all_run() -> None:
    items = ModelAccessor(Item, "items")
    for module in ("one", "two"):
        exec(PAGE, {"items": items, "seen": [], "__name__": module})
    assert items.insert(Item(text="a")).text == "a++"


def stored(items: ModelAccessor[Item], key: int) -> Item:
    found = items.get(key, include_deleted=True)
    assert found is not None
    return found


def test_what_a_before_hook_changes_in_place_is_stored_and_audited() -> None:
    items = ModelAccessor(Item, "items")

    @items.before_insert()
    @items.before_update()
    def add_tag(session: object, item: Item) -> None:
        item.tags.append(item.text)

    item = items.insert(Item(text="a", tags=[]))
    assert stored(items, item.id).tags == ["a"]
    item.text = "b"
    assert items.save(item).tags == ["a", "b"]
    assert stored(items, item.id).tags == ["a", "b"]
    with transaction() as session:
        row = session.get_one(Item, item.id)
        row.text = "c"
        items.save(row)
    assert stored(items, item.id).tags == ["a", "b", "c"]
    with transaction() as session:
        events = session.scalars(sa.select(AuditLog).order_by(AuditLog.id)).all()
        assert [each.after["tags"] for each in events] == [["a"], ["a", "b"], ["a", "b", "c"]]


@pytest.mark.parametrize("when", ["before_insert", "before_update"])
def test_what_a_before_hook_sets_is_converted(when: str) -> None:
    bookings = ModelAccessor(Booking, "bookings")
    booking = bookings.insert(Booking(day=dt.date(2026, 1, 1)))

    @getattr(bookings, when)()  # type: ignore[untyped-decorator]
    def set_day(session: object, each: Any) -> None:
        each.day = "2026-03-04"

    if when == "before_insert":
        booking = bookings.insert(Booking(day=dt.date(2026, 1, 1)))
    else:
        booking.day = dt.date(2026, 2, 2)
        bookings.save(booking)
    found = bookings.get(booking.id)
    assert found is not None
    assert found.day == booking.day == dt.date(2026, 3, 4)


@pytest.mark.parametrize("when", ["before_insert", "before_update"])
def test_a_deletion_time_set_by_a_before_hook_is_stored(when: str) -> None:
    items, moment = ModelAccessor(Item, "items"), dt.datetime(2026, 3, 4, tzinfo=dt.UTC)
    item = items.insert(Item(text="a"))

    @getattr(items, when)()  # type: ignore[untyped-decorator]
    def delete(session: object, each: Item) -> None:
        each.deleted_at = moment

    if when == "before_insert":
        item = items.insert(Item(text="b"))
    else:
        item.text = "b"
        items.save(item)
    found = stored(items, item.id)
    assert found.deleted_at is not None
    assert found.deleted_at == item.deleted_at
    assert found.deleted_at.replace(tzinfo=dt.UTC) == moment
    assert items.all() == [] if when == "before_update" else len(items.all()) == 1


@pytest.mark.parametrize("by_statement", [True, False])
@pytest.mark.parametrize("when", ["after_insert", "after_update"])
def test_what_an_after_hook_changes_is_stored_and_returned(when: str, by_statement: bool) -> None:
    items = ModelAccessor(Item, "items")
    item = items.insert(Item(text="a"))

    @getattr(items, when)()  # type: ignore[untyped-decorator]
    def number(session: Any, each: Item) -> None:
        if by_statement:
            session.execute(sa.update(Item).where(Item.id == each.id).values(text="numbered"))
        else:
            each.text = "numbered"
            each.tags.append("x")

    if when == "after_insert":
        item = items.insert(Item(text="b"))
    else:
        item.text = "b"
        items.save(item)
    assert item.text == "numbered"
    found = stored(items, item.id)
    assert (found.text, found.tags) == ("numbered", item.tags) == ("numbered", [] if by_statement else ["x"])
    item.text = "again"
    _ = items.save(item)


@pytest.mark.parametrize("when", ["before_update", "after_update"])
def test_a_hook_cannot_change_the_key_of_a_stored_row(when: str) -> None:
    items = ModelAccessor(Item, "items")
    item = items.insert(Item(text="a"))

    @getattr(items, when)()  # type: ignore[untyped-decorator]
    def move(session: object, each: Item) -> None:
        each.id += 1

    item.text = "b"
    with pytest.raises(InvalidInputError, match="The id of a stored record of items cannot be changed"):
        items.save(item)
    assert [each.text for each in items.all()] == ["a"]
