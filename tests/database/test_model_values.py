"""What an accessor returns, audits and compares is what the database stored."""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from sqlmodel import Field, SQLModel

from lavendertown.database import application, startup
from lavendertown.database.audit_model import AuditLog
from lavendertown.database.model_accessor import _HOOKS, ModelAccessor
from lavendertown.errors import ConfigurationError, ConflictError, InvalidInputError
from tests.support import mariadb


class Base(DeclarativeBase):
    pass


class Task(Base):
    __tablename__ = "tasks"
    id: Mapped[int] = mapped_column(primary_key=True)
    title: Mapped[str] = mapped_column(sa.String(40))
    state: Mapped[str] = mapped_column(sa.String(20), default="open")
    rank: Mapped[int] = mapped_column(server_default="7")
    tags: Mapped[list[str]] = mapped_column(sa.JSON, default=list)
    changes: Mapped[int] = mapped_column(default=0, onupdate=lambda: 1)
    cost: Mapped[decimal.Decimal] = mapped_column(sa.Numeric(12, 2), default=decimal.Decimal("1.5"))


class Color(enum.Enum):
    RED = "r"
    BLUE = "b"


def keyed_class(name: str, kind: Any) -> type[Any]:
    columns = {"id": mapped_column(kind, primary_key=True), "title": mapped_column(sa.String(40))}
    marks = {"deleted_at": mapped_column(sa.DateTime(timezone=True), nullable=True)}
    return type(name, (Base,), {"__tablename__": name.lower(), **columns, **marks})


# MariaDB has no text keys of unlimited length.
ByText = keyed_class("ByText", sa.Text().with_variant(sa.String(400), "mysql", "mariadb"))
KEYS: list[tuple[type[Any], Any]] = [
    *((ByText, text) for text in ("a/b", "a\\b", " ", ".", "", "ä" * 300, " x ", "a\nb")),
    (keyed_class("ByNumber", sa.Integer), 0),
    (keyed_class("ByDate", sa.Date), dt.date(2026, 3, 4)),
    (keyed_class("ByTime", sa.DateTime), dt.datetime(2026, 3, 4, 5, 6, 7)),
    (keyed_class("ByZonedTime", sa.DateTime(timezone=True)), dt.datetime(2026, 3, 4, 5, tzinfo=dt.UTC)),
    (keyed_class("ByUuid", sa.Uuid), uuid.UUID(int=5)),
    (keyed_class("ByDecimal", sa.Numeric(8, 2)), decimal.Decimal("4.5")),
    (keyed_class("ByEnum", sa.Enum(Color)), Color.BLUE),
    (keyed_class("ByFixedText", sa.CHAR(8)), "ab"),
]


class Badge(Base):
    __tablename__ = "badges"
    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(sa.String(40), unique=True)
    shelf: Mapped[str] = mapped_column(sa.String(40), default="A")
    slot: Mapped[int] = mapped_column(default=0)
    note: Mapped[str | None] = mapped_column(sa.String(40))
    deleted_at: Mapped[dt.datetime | None] = mapped_column(sa.DateTime(timezone=True))


class Slot(Base):
    __tablename__ = "slots"
    __table_args__ = (sa.UniqueConstraint("shelf", "place", name="uq_slots_place"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    shelf: Mapped[str] = mapped_column(sa.String(40))
    place: Mapped[int]


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    customer: Mapped[str] = mapped_column(sa.String(40))
    lines: Mapped[list[Line]] = relationship(back_populates="order")


class Line(Base):
    __tablename__ = "order_lines"
    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(sa.ForeignKey("orders.id"))
    product: Mapped[str] = mapped_column(sa.String(10))
    count: Mapped[int] = mapped_column(default=1)
    order: Mapped[Order] = relationship(back_populates="lines")


class Visit(SQLModel, table=True):
    __tablename__ = "visits"
    id: int | None = Field(default=None, primary_key=True)
    place: str
    day: dt.date
    guests: int = 1
    ended_at: dt.datetime | None = Field(default=None, sa_type=sa.DateTime(timezone=True))  # type: ignore[call-overload]


class Sample(Base):
    __tablename__ = "samples"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    data: Mapped[bytes] = mapped_column(sa.LargeBinary, nullable=True)
    at: Mapped[dt.time] = mapped_column(sa.Time, nullable=True)
    took: Mapped[dt.timedelta] = mapped_column(sa.Interval, nullable=True)
    price: Mapped[decimal.Decimal] = mapped_column(sa.Numeric(30, 8), nullable=True)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres), *mariadb.PARAMS])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[application.Database]:
    """An application's database on each backend, with the tables of this module."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'app.db'}"
    else:
        url = request.getfixturevalue(f"{request.param}_url")
    startup.bootstrap(database_url=url)
    startup.create_missing_tables(application.get_engine(), Base.metadata)
    yield application.current_database()
    application.current_database().close()
    _HOOKS.clear()


def audited(component: str) -> list[tuple[str, Any, Any]]:
    """Return operation, before and after of each event of a component, oldest first."""
    with application.transaction() as session:
        query = sa.select(AuditLog).where(AuditLog.component == component).order_by(AuditLog.id)
        return [(each.operation, each.before, each.after) for each in session.scalars(query)]


# Defaults


def test_an_inserted_row_has_what_the_database_chose(database: application.Database) -> None:
    task = ModelAccessor(Task, "tasks").insert(Task(title="Fix"))
    assert (task.state, task.rank, task.tags, task.changes) == ("open", 7, [], 0)
    ((_, before, after),) = audited("tasks")
    assert before is None
    wanted = {
        "id": task.id,
        "title": "Fix",
        "state": "open",
        "rank": 7,
        "tags": [],
        "changes": 0,
        "cost": "1.50",
    }
    assert after == wanted


def test_a_row_with_defaults_is_saved_without_a_false_conflict(database: application.Database) -> None:
    tasks = ModelAccessor(Task, "tasks")
    task = tasks.insert(Task(title="Fix"))
    task.state, task.rank, task.tags, task.cost = "done", 8, ["a"], decimal.Decimal("2")
    tasks.save(task)
    task.state, task.cost = "open", decimal.Decimal("3")
    assert tasks.save(task).changes == 1
    stored = tasks.get(task.id)
    assert stored is not None
    assert (stored.state, stored.rank, stored.tags, stored.changes) == ("open", 8, ["a"], 1)


def test_the_audit_log_states_only_changes_that_happened(database: application.Database) -> None:
    tasks = ModelAccessor(Task, "tasks")
    task = tasks.insert(Task(title="Fix"))
    task.title = "Mend"
    tasks.save(task)
    _, before, after = audited("tasks")[-1]
    assert {name for name in after if before[name] != after[name]} == {"title", "changes"}
    assert (before["changes"], after["changes"]) == (0, 1)


# Keys


@pytest.mark.parametrize(("model", "key"), KEYS, ids=[f"{m.__name__}-{n}" for n, (m, _) in enumerate(KEYS)])
def test_a_row_of_any_key_is_deleted_and_restored(
    database: application.Database, model: type[Any], key: Any
) -> None:
    rows = ModelAccessor(model, "things")
    rows.insert(model(id=key, title="one"))
    with pytest.raises(ConflictError):
        rows.insert(model(id=key, title="two"))
    assert rows.delete(key)
    assert rows.get(key) is None
    assert rows.restore(key)
    assert rows.get(key) is not None
    assert rows.delete_many([key, key]) == 1
    assert [operation for operation, _, _ in audited("things")] == [
        "create", "soft_delete", "restore", "soft_delete",
    ]  # fmt: skip


@pytest.mark.parametrize("key", ["abc", 1.5, None, True, 2**70, [1]], ids=repr)
def test_a_key_that_no_row_can_have_is_one_sentence(database: application.Database, key: Any) -> None:
    tasks = ModelAccessor(Task, "tasks")
    for call in (tasks.get, tasks.delete, tasks.restore):
        with pytest.raises(InvalidInputError, match=r"^The id .* of tasks"):
            call(key)


def test_a_class_with_two_keys_is_refused() -> None:
    class Pair(Base):
        __tablename__ = "pairs"
        left: Mapped[int] = mapped_column(primary_key=True)
        right: Mapped[int] = mapped_column(primary_key=True)

    with pytest.raises(ConfigurationError, match="Pair needs exactly one primary key column"):
        ModelAccessor(Pair, "pairs")


def test_the_key_of_a_stored_row_cannot_be_changed(database: application.Database) -> None:
    tasks = ModelAccessor(Task, "tasks")
    task = tasks.insert(Task(title="Fix"))
    task.id += 1
    with pytest.raises(InvalidInputError, match="The id of a stored record of tasks cannot be changed"):
        tasks.save(task)


# Unique values


def test_a_taken_unique_value_is_named(database: application.Database) -> None:
    badges = ModelAccessor(Badge, "badges")
    first, second = badges.insert_many([Badge(code="x1"), Badge(code="x2")])
    with pytest.raises(ConflictError, match="Another Badge has the code 'x1' already"):
        badges.insert(Badge(code="x1"))
    second.code = "x1"
    with pytest.raises(ConflictError, match="Another Badge has the code 'x1' already"):
        badges.save(second)
    with pytest.raises(ConflictError, match="Another Badge has the code 'x2' already"):
        badges.insert_many([Badge(code="x3"), Badge(code="x2")])
    with pytest.raises(ConflictError, match="Another Badge has the code 'x9' already"):
        badges.insert_many([Badge(code="x9"), Badge(code="x9")])
    assert first.code == "x1"
    assert len(badges.all()) == 2


def test_a_taken_pair_of_values_is_named_and_the_outer_unit_goes_on(database: application.Database) -> None:
    slots = ModelAccessor(Slot, "slots")
    with application.transaction():
        slots.insert(Slot(shelf="A", place=1))
        with pytest.raises(ConflictError, match="Another Slot has the shelf 'A' and place 1 already"):
            slots.insert_many([Slot(shelf="A", place=2), Slot(shelf="A", place=1)])
        slots.insert(Slot(shelf="A", place=2))
    assert [(each.shelf, each.place) for each in slots.all()] == [("A", 1), ("A", 2)]


def test_restoring_over_a_taken_unique_value_names_it(database: application.Database) -> None:
    badges = ModelAccessor(Badge, "badges")
    old = badges.insert(Badge(code="x1"))
    badges.delete(old.id)
    badges.insert(Badge(code="x1"))
    with pytest.raises(ConflictError, match="Another Badge has the code 'x1' already"):
        badges.restore(old.id)


# Saving


def test_json_that_was_changed_in_place_is_saved(database: application.Database) -> None:
    tasks = ModelAccessor(Task, "tasks")
    task = tasks.insert(Task(title="Fix", tags=["a"]))
    task.tags.append("b")
    assert tasks.save(task).tags == ["a", "b"]
    read = tasks.get(task.id)
    assert read is not None
    read.tags[0] = "c"
    tasks.save(read)
    assert [each.tags for each in tasks.all()] == [["c", "b"]]


def test_json_changed_in_place_inside_a_transaction_is_saved(database: application.Database) -> None:
    tasks = ModelAccessor(Task, "tasks")
    made = tasks.insert(Task(title="Fix", tags=["a"]))
    with application.transaction() as session:
        task = session.get_one(Task, made.id)
        task.tags.append("b")
        task.title = "Mend"
        session.flush()
        tasks.save(task)
        task.tags.append("c")
        tasks.save(task)
    assert [(each.title, each.tags) for each in tasks.all()] == [("Mend", ["a", "b", "c"])]


def test_json_changed_by_two_people_is_a_conflict(database: application.Database) -> None:
    tasks = ModelAccessor(Task, "tasks")
    task = tasks.insert(Task(title="Fix", tags=["a"]))
    mine, theirs = tasks.get(task.id), tasks.get(task.id)
    assert mine is not None
    assert theirs is not None
    mine.tags.append("m")
    theirs.tags.append("t")
    tasks.save(mine)
    with pytest.raises(ConflictError):
        tasks.save(theirs)


def test_a_deletion_time_set_by_hand_is_stored(database: application.Database) -> None:
    badges = ModelAccessor(Badge, "badges")
    badge = badges.insert(Badge(code="x1"))
    badge.deleted_at = dt.datetime(2026, 3, 4, tzinfo=dt.UTC)
    badges.save(badge)
    assert badges.get(badge.id) is None
    stored = badges.get(badge.id, include_deleted=True)
    assert stored is not None
    assert stored.deleted_at == badge.deleted_at
    assert audited("badges")[-1][2]["deleted_at"].startswith("2026-03-04T00:00:00")


# Relationships, conversion, sentences


def test_children_of_a_new_row_are_stored_and_audited(database: application.Database) -> None:
    orders, lines = ModelAccessor(Order, "orders"), ModelAccessor(Line, "lines")
    order = orders.insert(Order(customer="Ann", lines=[Line(product="tea"), Line(product="milk", count=2)]))
    assert [(each.product, each.count, each.order_id) for each in lines.all()] == [
        ("tea", 1, order.id),
        ("milk", 2, order.id),
    ]
    assert [(operation, after["product"], after["count"]) for operation, _, after in audited("lines")] == [
        ("create", "tea", 1),
        ("create", "milk", 2),
    ]


def test_a_child_that_may_not_be_stored_undoes_its_parent(database: application.Database) -> None:
    orders, lines = ModelAccessor(Order, "orders"), ModelAccessor(Line, "lines")
    with pytest.raises(InvalidInputError, match="Line cannot be saved: product: it is longer than 10"):
        orders.insert(Order(customer="Ann", lines=[Line(product="tea" * 10)]))
    assert (orders.all(), lines.all(), audited("orders")) == ([], [], [])


def test_values_of_a_sqlmodel_are_converted(database: application.Database) -> None:
    visits = ModelAccessor(Visit, "visits")
    visit = visits.insert(Visit(place="Bath", day="2026-03-04", guests="3"))  # type: ignore[arg-type]
    assert (visit.day, visit.guests) == (dt.date(2026, 3, 4), 3)
    visit.guests = "4"  # type: ignore[assignment]
    assert visits.save(visit).guests == 4
    assert [(each.day, each.guests) for each in visits.all()] == [(dt.date(2026, 3, 4), 4)]


def test_a_time_without_zone_is_one_sentence(database: application.Database) -> None:
    badges, visits = ModelAccessor(Badge, "badges"), ModelAccessor(Visit, "visits")
    naive = dt.datetime(2026, 3, 4)
    with pytest.raises(InvalidInputError, match=r"Badge cannot be saved: deleted_at: .* has no time zone"):
        badges.insert(Badge(code="x", deleted_at=naive))
    with pytest.raises(InvalidInputError, match=r"Visit cannot be saved: ended_at: .* has no time zone"):
        visits.insert(Visit(place="Bath", day=dt.date(2026, 3, 4), ended_at=naive))


def test_what_is_no_instance_of_the_class_is_one_sentence(database: application.Database) -> None:
    tasks = ModelAccessor(Task, "tasks")
    for call in (tasks.insert, tasks.save):
        with pytest.raises(InvalidInputError, match=r"^A NoneType cannot be stored as a record of tasks"):
            call(None)  # type: ignore[arg-type]


def test_a_bad_row_of_many_is_named_by_its_position(database: application.Database) -> None:
    tasks = ModelAccessor(Task, "tasks")
    for bad in (None, Task(title="x" * 50), Task(title="a\0b")):
        with pytest.raises(InvalidInputError, match=r"^Row 2 of insert_many: "):
            tasks.insert_many([Task(title="Fix"), bad])  # type: ignore[list-item]
    assert tasks.all() == []


# The audit log


def test_the_audit_log_is_found_by_keys_of_any_type(database: application.Database) -> None:
    tasks, samples = ModelAccessor(Task, "tasks"), ModelAccessor(Sample, "samples")
    task = tasks.insert(Task(title="Fix"))
    sample = samples.insert(Sample(id=uuid.UUID(int=7)))
    found = AuditLog.record_id
    joined = sa.exists().where(found == Task.id, Task.title == "Fix")
    conditions = [found == task.id, task.id == found, found == str(task.id), found == sample.id]
    conditions += [found.in_([task.id, 99]), found.not_in([task.id]), found != task.id, joined]
    conditions += [found.is_not(None), found.like("0000%")]
    with application.transaction() as session:
        counts = [len(session.scalars(sa.select(AuditLog).where(each)).all()) for each in conditions]
        assert counts == [1, 1, 1, 1, 1, 1, 1, 1, 2, 1]
        assert session.scalars(sa.select(AuditLog).order_by(found.desc())).first().record_id == str(task.id)
        assert session.query(AuditLog).filter_by(record_id=task.id).count() == 1


# Types


def test_columns_of_every_type_are_stored_and_audited(database: application.Database) -> None:
    samples = ModelAccessor(Sample, "samples")
    sample = Sample(id=uuid.UUID(int=7), data=b"\x00\xff", at=dt.time(4, 5), took=dt.timedelta(minutes=2))
    samples.insert(sample)
    stored = samples.get(str(sample.id))
    assert stored is not None
    assert (stored.data, stored.at, stored.took) == (b"\x00\xff", dt.time(4, 5), dt.timedelta(minutes=2))
    after = audited("samples")[0][2]
    assert (after["data"]["bytes"], len(after["data"]["sha256"])) == (2, 64)
    assert (after["at"], after["took"]) == ("04:05:00", 120.0)
    stored.data = b"new"
    samples.save(stored)
    assert audited("samples")[-1][2]["data"]["bytes"] == 3


@pytest.mark.parametrize("given", [5, 2.25, decimal.Decimal("2.5")])
def test_an_exact_column_takes_any_number(database: application.Database, given: Any) -> None:
    samples = ModelAccessor(Sample, "samples")
    sample = samples.insert(Sample(id=uuid.uuid4(), price=given))
    assert sample.price == decimal.Decimal(str(given))
    sample.price = 4  # type: ignore[assignment]
    assert samples.save(sample).price == decimal.Decimal(4)
