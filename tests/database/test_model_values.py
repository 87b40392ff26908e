"""What an accessor returns, audits and compares is what the database stored."""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import math
import uuid
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import field_validator, model_validator
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship
from sqlmodel import Field, SQLModel

from lavendertown.database import application, startup
from lavendertown.database.audit_model import AuditLog
from lavendertown.database.model_accessor import ModelAccessor
from lavendertown.database.model_rows import read_fields, read_page
from lavendertown.errors import ConfigurationError, ConflictError, InvalidInputError, StorageError
from lavendertown.records.write_path import acting_for
from lavendertown.stores.sql.connection.engine import make_engine
from tests.support.fork_server import run_python


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


class Vehicle(Base):
    __tablename__ = "vehicles"
    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(sa.String(20))
    plate: Mapped[str] = mapped_column(sa.String(20), unique=True)
    __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "vehicle"}  # noqa: RUF012


class Revision(Base):
    __tablename__ = "revisions"
    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(sa.String(40))
    number: Mapped[int] = mapped_column()
    __mapper_args__ = {"version_id_col": number}  # noqa: RUF012


class Bus(Vehicle):
    __tablename__ = "buses"
    id: Mapped[int] = mapped_column(sa.ForeignKey("vehicles.id"), primary_key=True)
    seats: Mapped[int | None]
    tags: Mapped[list[str]] = mapped_column(sa.JSON, default=list)
    __mapper_args__ = {"polymorphic_identity": "bus"}  # noqa: RUF012


class Car(Vehicle):
    __mapper_args__ = {"polymorphic_identity": "car"}  # noqa: RUF012


class Truck(Vehicle):
    load: Mapped[int | None]
    __mapper_args__ = {"polymorphic_identity": "truck"}  # noqa: RUF012


class Badge(Base):
    __tablename__ = "badges"
    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(sa.String(40), unique=True)
    shelf: Mapped[str] = mapped_column(sa.String(40), default="A")
    slot: Mapped[int] = mapped_column(default=0)
    note: Mapped[str | None] = mapped_column(sa.String(40))
    deleted_at: Mapped[dt.datetime | None] = mapped_column(sa.DateTime(timezone=True))


class Shelf(Base):
    __tablename__ = "shelves"
    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str | None] = mapped_column(sa.String(40), unique=True)
    label: Mapped[str | None] = mapped_column(sa.String(40), unique=True)


class Ticket(Base):
    __tablename__ = "tickets"
    __table_args__ = (sa.UniqueConstraint("desk", "number"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    desk: Mapped[str] = mapped_column(sa.String(40), server_default="A")
    number: Mapped[int]


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


class Locker(Base):
    __tablename__ = "lockers"
    code: Mapped[str] = mapped_column(sa.String(40), primary_key=True)


class Folder(Base):
    __tablename__ = "folders"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(40))
    pages: Mapped[list[Page]] = relationship(cascade="all, delete-orphan")


class Page(Base):
    __tablename__ = "pages"
    id: Mapped[int] = mapped_column(primary_key=True)
    folder_id: Mapped[int] = mapped_column(sa.ForeignKey("folders.id"))
    text: Mapped[str] = mapped_column(sa.String(40))


class Team(Base):
    __tablename__ = "teams"
    id: Mapped[int] = mapped_column(primary_key=True)
    players: Mapped[list[Player]] = relationship()


class Player(Base):
    __tablename__ = "players"
    id: Mapped[int] = mapped_column(primary_key=True)
    team_id: Mapped[int | None] = mapped_column(sa.ForeignKey("teams.id"))
    name: Mapped[str] = mapped_column(sa.String(40))


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
    free: Mapped[decimal.Decimal | None]


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


def test_many_rows_are_found_by_zoned_times_in_one_statement(database: application.Database) -> None:
    model: Any = next(model for model, _ in KEYS if model.__name__ == "ByZonedTime")
    rows = ModelAccessor(model, "things")
    zone = dt.timezone(dt.timedelta(hours=2))
    keys = [dt.datetime(2026, 3, 4, 5, minute, tzinfo=zone) for minute in range(40)]
    inserted = rows.insert_many([model(id=key, title="one") for key in keys])
    assert [each.title for each in inserted] == ["one"] * 40
    statements: list[str] = []
    sa.event.listen(
        database.engine, "before_cursor_execute", lambda *given: statements.append(given[2].upper())
    )
    assert rows.delete_many(keys) == 40
    assert len([each for each in statements if each.startswith("SELECT")]) < 10
    assert rows.all() == []


@pytest.mark.parametrize(
    "model", [model for model, _ in KEYS if model.__name__ in ("ByZonedTime", "ByFixedText")]
)
def test_stored_values_are_read_whatever_form_the_key_has(
    database: application.Database, model: type[Any]
) -> None:
    key = next(key for each, key in KEYS if each is model)
    rows = ModelAccessor(model, "things")
    hooked: list[Any] = []

    @rows.after_insert()
    def set_title(session: Any, row: Any) -> None:
        session.execute(sa.update(model).values(title="from the database"))
        hooked.append(row)

    assert rows.insert(model(id=key, title="given")).title == "from the database"


@pytest.mark.parametrize("key", ["a\0b", "\ud800", ["a"], {"a": 1}, b"a", 1.5, True, None], ids=ascii)
def test_a_text_key_that_no_row_can_have_is_one_sentence(database: application.Database, key: Any) -> None:
    texts: ModelAccessor[Any] = ModelAccessor(ByText, "texts")
    for call in (texts.get, texts.delete, texts.restore):
        with pytest.raises(
            InvalidInputError, match=r"^The id .* of (a record of )?texts.*[;,] give [^\n]*\.$"
        ):
            call(key)


def test_a_member_of_an_enumeration_is_the_key_that_is_its_value(database: application.Database) -> None:
    texts: ModelAccessor[Any] = ModelAccessor(ByText, "texts")
    texts.insert(ByText(id=Color.RED.value, title="red"))
    found = texts.get(Color.RED)
    assert found is not None
    assert found.title == "red"
    assert texts.delete(Color.RED)
    assert [after["id"] for _, _, after in audited("texts")] == ["r", "r"]


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


def test_a_class_with_two_keys_is_refused_by_bootstrap() -> None:
    class Pairs(DeclarativeBase):
        pass

    class Pair(Pairs):
        __tablename__ = "pairs"
        left: Mapped[int] = mapped_column(primary_key=True)
        right: Mapped[int] = mapped_column(primary_key=True)

    class Link(Pairs):
        __tablename__ = "links"
        task: Mapped[int] = mapped_column(sa.ForeignKey("tasks.id"), primary_key=True)
        badge: Mapped[int] = mapped_column(sa.ForeignKey("badges.id"), primary_key=True)

    startup.refuse_composite_keys([sa.inspect(Link)])
    with pytest.raises(ConfigurationError, match=r"^The primary key of Pair has the columns left and right"):
        startup.refuse_composite_keys(Pairs.registry.mappers)


def test_bootstrap_refuses_a_class_with_two_keys(tmp_path: Path) -> None:
    script = """
from lavendertown.database import bootstrap
from sqlmodel import Field, SQLModel

class Pair(SQLModel, table=True):
    left: int = Field(primary_key=True)
    right: int = Field(primary_key=True)

bootstrap(database_url="sqlite:///pairs.db")
"""
    done = run_python("-c", script, folder=tmp_path)
    assert "ConfigurationError: The primary key of Pair has the columns left and right" in done.stderr
    assert list(tmp_path.iterdir()) == []


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
    with pytest.raises(ConflictError, match="Another Badge already has the code 'x1'"):
        badges.insert(Badge(code="x1"))
    second.code = "x1"
    with pytest.raises(ConflictError, match="Another Badge already has the code 'x1'"):
        badges.save(second)
    with pytest.raises(ConflictError, match="Row 2 of insert_many: Another Badge already has the code 'x2'"):
        badges.insert_many([Badge(code="x3"), Badge(code="x2")])
    with pytest.raises(ConflictError, match="Row 2 of insert_many: Another Badge already has the code 'x9'"):
        badges.insert_many([Badge(code="x9"), Badge(code="x9")])
    assert first.code == "x1"
    assert len(badges.all()) == 2


def test_a_value_that_a_row_of_another_class_in_the_table_has_is_named(
    database: application.Database,
) -> None:
    cars, trucks = ModelAccessor(Car, "cars"), ModelAccessor(Truck, "trucks")
    cars.insert(Car(plate="LT 1"))
    with pytest.raises(ConflictError, match="Another Vehicle already has the plate 'LT 1'"):
        trucks.insert(Truck(plate="LT 1"))
    trucks.insert(Truck(plate="LT 2"))
    with pytest.raises(ConflictError, match="Another Vehicle already has the plate 'LT 2'"):
        trucks.insert_many([Truck(plate="LT 3"), Truck(plate="LT 2")])


def test_a_taken_pair_of_values_is_named_and_the_outer_unit_goes_on(database: application.Database) -> None:
    slots = ModelAccessor(Slot, "slots")
    with application.transaction():
        slots.insert(Slot(shelf="A", place=1))
        with pytest.raises(ConflictError, match="Another Slot already has the shelf 'A' and place 1"):
            slots.insert_many([Slot(shelf="A", place=2), Slot(shelf="A", place=1)])
        slots.insert(Slot(shelf="A", place=2))
    assert [(each.shelf, each.place) for each in slots.all()] == [("A", 1), ("A", 2)]


def test_restoring_over_a_taken_unique_value_names_it(database: application.Database) -> None:
    badges = ModelAccessor(Badge, "badges")
    old = badges.insert(Badge(code="x1"))
    badges.delete(old.id)
    badges.insert(Badge(code="x1"))
    with pytest.raises(ConflictError, match="Another Badge already has the code 'x1'"):
        badges.restore(old.id)


def test_a_soft_deleted_row_or_null_is_not_named_as_taken(database: application.Database) -> None:
    badges, shelves = ModelAccessor(Badge, "badges"), ModelAccessor(Shelf, "shelves")
    old = badges.insert(Badge(code="x1"))
    badges.delete(old.id)
    badges.insert(Badge(code="x2"))
    with pytest.raises(ConflictError, match="Another Badge already has the code 'x2'"):
        badges.insert_many([Badge(code="x1"), Badge(code="x2")])
    shelves.insert(Shelf(label="l1"))
    with pytest.raises(ConflictError, match="Another Shelf already has the label 'l1'"):
        shelves.insert_many([Shelf(code=None, label="l2"), Shelf(code=None, label="l1")])


def test_a_taken_value_is_named_beside_one_that_the_database_chooses(database: application.Database) -> None:
    tickets = ModelAccessor(Ticket, "tickets")
    tickets.insert(Ticket(number=7))
    taken = "Another Ticket already has the same desk and number 7; nothing was written"
    with pytest.raises(ConflictError, match=f"^{taken}"):
        tickets.insert(Ticket(number=7))
    with pytest.raises(ConflictError, match=f"^Row 2 of insert_many: {taken}"):
        tickets.insert_many([Ticket(number=8), Ticket(number=7)])
    with pytest.raises(ConflictError, match=r"^Another Ticket already has the desk 'A' and number 7;"):
        tickets.insert(Ticket(desk="A", number=7))


def test_a_taken_key_of_many_rows_is_named_by_its_position(database: application.Database) -> None:
    lockers = ModelAccessor(Locker, "lockers")
    with pytest.raises(ConflictError, match=r"^Row 3 of insert_many: Row 1 has the same code '07';"):
        lockers.insert_many([Locker(code="07"), Locker(code="08"), Locker(code="07")])
    lockers.insert(Locker(code="07"))
    with pytest.raises(ConflictError, match=r"^Row 2 of insert_many: The record of lockers '07' already"):
        lockers.insert_many([Locker(code="08"), Locker(code="07")])
    assert [each.code for each in lockers.all()] == ["07"]


def test_a_value_that_a_hook_repeats_is_named(database: application.Database) -> None:
    badges = ModelAccessor(Badge, "badges")
    badges.insert(Badge(code="x1"))

    @badges.before_insert()
    def add_another(session: Any, badge: Badge) -> None:
        session.add(Badge(code="x1"))

    with pytest.raises(ConflictError, match="Another Badge already has the code 'x1'; nothing was written"):
        badges.insert(Badge(code="x3"))


# Saving


def test_all_values_of_a_derived_class_are_stored_and_audited(database: application.Database) -> None:
    vehicles, buses = ModelAccessor(Vehicle, "vehicles"), ModelAccessor(Bus, "buses")
    bus, _ = vehicles.insert_many([Bus(plate="LT 1", seats=40), Car(plate="LT 2")])
    for seats in (41, 42):
        found = vehicles.get(bus.id) if seats == 42 else bus
        assert isinstance(found, Bus)
        found.seats = seats
        found.tags.append("red")
        vehicles.save(found)
        stored = buses.get(bus.id)
        assert stored is not None
        assert (stored.seats, stored.tags) == (seats, found.tags)
    with pytest.raises(InvalidInputError, match="Bus cannot be saved: seats: 'x'"):
        vehicles.insert(Bus(plate="LT 3", seats="x"))
    vehicles.delete(bus.id)
    before = [before.get("seats") for _, before, _ in audited("vehicles") if before is not None]
    assert before == [40, 41, 42]


def test_rows_of_derived_classes_are_read_with_all_values(database: application.Database) -> None:
    vehicles = ModelAccessor(Vehicle, "vehicles")
    vehicles.insert_many([Bus(plate="LT 1", seats=40), Truck(plate="LT 2", load=7), Car(plate="LT 3")])
    for rows in (vehicles.all(), read_page(vehicles, 9), [vehicles.get(number) for number in (1, 2, 3)]):
        bus, truck, car = rows
        assert (bus.seats, bus.tags, truck.load, car.plate) == (40, [], 7, "LT 3")  # type: ignore[union-attr]


def test_a_version_that_sqlalchemy_counts_needs_no_value(database: application.Database) -> None:
    revisions = ModelAccessor(Revision, "revisions")
    revision = revisions.insert(Revision(text="a"))
    assert revision.number == 1
    revision.text = "b"
    assert revisions.save(revision).number == 2
    assert audited("revisions")[-1][2] == {"id": revision.id, "text": "b", "number": 2}


def test_a_record_saved_by_its_id_is_compared_when_it_is_saved_again(database: application.Database) -> None:
    tasks = ModelAccessor(Task, "tasks")
    stored = tasks.insert(Task(title="Fix", tags=["a"]))
    mine = tasks.save(Task(id=stored.id, title="Mine"))
    assert (mine.title, mine.tags, mine.rank) == ("Mine", ["a"], 7)
    theirs = tasks.get(stored.id)
    assert theirs is not None
    theirs.title, theirs.state = "Theirs", "done"
    tasks.save(theirs)
    mine.title = "Mine again"
    with pytest.raises(ConflictError):
        tasks.save(mine)
    assert [(each.title, each.state) for each in tasks.all()] == [("Theirs", "done")]


def test_a_new_record_with_an_id_needs_all_required_values(database: application.Database) -> None:
    tasks, visits = ModelAccessor(Task, "tasks"), ModelAccessor(Visit, "visits")
    with pytest.raises(InvalidInputError, match=r"^Task cannot be saved: title: a value is required\.$"):
        tasks.save(Task(id=9, state="open"))
    with pytest.raises(InvalidInputError, match=r"^Visit cannot be saved: day: Input should be a valid date"):
        visits.save(Visit(id=9, place="Bath"))  # type: ignore[call-arg]
    assert (tasks.all(), visits.all()) == ([], [])
    assert tasks.save(Task(id=9, title="Fix")).state == "open"


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


def test_children_of_a_new_row_name_for_whom_the_actor_acts(database: application.Database) -> None:
    orders, _ = ModelAccessor(Order, "orders"), ModelAccessor(Line, "lines")
    with acting_for("Maya"):
        orders.insert(Order(customer="Ann", lines=[Line(product="tea")]), actor="ci-bot")
    for component in ("orders", "lines"):
        assert [after["on_behalf_of"] for _, _, after in audited(component)] == ["Maya"]


def test_a_child_that_may_not_be_stored_undoes_its_parent(database: application.Database) -> None:
    orders, lines = ModelAccessor(Order, "orders"), ModelAccessor(Line, "lines")
    with pytest.raises(InvalidInputError, match="Line cannot be saved: product: it is longer than 10"):
        orders.insert(Order(customer="Ann", lines=[Line(product="tea" * 10)]))
    assert (orders.all(), lines.all(), audited("orders")) == ([], [], [])


NEW_CHILD = "A new Line cannot be saved through a stored record of orders; nothing was written"


def test_a_new_child_of_a_stored_row_is_refused(database: application.Database) -> None:
    orders, lines = ModelAccessor(Order, "orders"), ModelAccessor(Line, "lines")
    order = orders.insert(Order(customer="Ann", lines=[]))
    order.lines.append(Line(product="tea"))
    with pytest.raises(InvalidInputError, match=NEW_CHILD):
        orders.save(order)
    order.customer = "Ben"
    with pytest.raises(InvalidInputError, match=NEW_CHILD):
        orders.save(order)
    with pytest.raises(InvalidInputError, match=NEW_CHILD):
        orders.save(Order(id=order.id, customer="Cy", lines=[Line(product="tea")]))
    assert ([each.customer for each in orders.all()], lines.all()) == (["Ann"], [])


def test_a_new_child_of_a_row_in_the_session_is_refused(database: application.Database) -> None:
    orders, lines = ModelAccessor(Order, "orders"), ModelAccessor(Line, "lines")
    made = orders.insert(Order(customer="Ann"))
    with database.transaction() as session:
        order = session.get_one(Order, made.id)
        order.lines.append(Line(product="tea" * 10))
        with pytest.raises(InvalidInputError, match=NEW_CHILD):
            orders.save(order)
        session.rollback()
    assert lines.all() == []


def test_a_changed_relationship_of_a_stored_row_is_refused(database: application.Database) -> None:
    orders, lines = ModelAccessor(Order, "orders"), ModelAccessor(Line, "lines")
    order, other = orders.insert(Order(customer="Ann", lines=[Line(product="tea")])), Order(customer="Ben")
    orders.insert(other)
    (line,) = order.lines
    line.order = other
    with pytest.raises(InvalidInputError, match="The change of order in a stored record of lines cannot"):
        lines.save(line)
    line.order_id = other.id
    lines.save(line)
    assert [each.order_id for each in lines.all()] == [other.id]
    with pytest.raises(InvalidInputError, match="The change of lines in a stored record of orders cannot"):
        orders.save(order)


def test_children_that_are_deleted_with_their_parent_are_audited(database: application.Database) -> None:
    folders, pages = ModelAccessor(Folder, "folders"), ModelAccessor(Page, "pages")
    folder = folders.insert(Folder(name="May", pages=[Page(text="one"), Page(text="two")]))
    kept = folders.insert(Folder(name="June", pages=[Page(text="three")]))
    assert folders.delete(folder.id, actor="Ana")
    assert [(each.text, each.folder_id) for each in pages.all()] == [("three", kept.id)]
    with database.transaction() as session:
        query = sa.select(AuditLog).where(AuditLog.component == "pages", AuditLog.operation == "delete")
        events = session.scalars(query.order_by(AuditLog.record_id)).all()
        assert [(each.actor, each.before["text"], each.after) for each in events] == [
            ("Ana", "one", None),
            ("Ana", "two", None),
        ]


def test_children_that_a_deleted_parent_releases_are_audited(database: application.Database) -> None:
    teams, players = ModelAccessor(Team, "teams"), ModelAccessor(Player, "players")
    team = teams.insert(Team(players=[Player(name="Ann"), Player(name="Bo")]))
    assert teams.delete(team.id, actor="Cy")
    assert [(each.name, each.team_id) for each in players.all()] == [("Ann", None), ("Bo", None)]
    with database.transaction() as session:
        query = sa.select(AuditLog).where(AuditLog.component == "players", AuditLog.operation == "update")
        events = session.scalars(query.order_by(AuditLog.record_id)).all()
        assert [(each.actor, each.before, each.after) for each in events] == [
            (
                "Cy",
                {"id": number, "team_id": team.id, "name": name},
                {"id": number, "team_id": None, "name": name},
            )
            for number, name in ((1, "Ann"), (2, "Bo"))
        ]


def test_an_entry_of_the_audit_log_has_the_key_of_its_class(database: application.Database) -> None:
    order = ModelAccessor(Order, "orders").insert(Order(customer="Ann"))
    ModelAccessor(Locker, "lockers").insert(Locker(code="07"))
    with database.transaction() as session:
        entries = {each.component: each for each in session.scalars(sa.select(AuditLog))}
        assert entries["orders"].record_id == order.id
        assert entries["lockers"].record_id == "07"
        session.refresh(entries["orders"])
        assert entries["orders"].record_id == order.id
        assert not session.dirty


def test_entries_of_the_audit_log_cannot_be_changed(database: application.Database) -> None:
    ModelAccessor(Order, "orders").insert(Order(customer="Ann"), actor="Ana")
    for change in (lambda entry, _: setattr(entry, "actor", "Ben"), lambda entry, db: db.delete(entry)):
        with pytest.raises(InvalidInputError, match="audit log cannot"), database.transaction() as session:
            change(session.scalars(sa.select(AuditLog)).one(), session)
    with pytest.raises(InvalidInputError, match="audit log cannot"), database.transaction() as session:
        session.add(AuditLog())
    with database.transaction() as session:
        assert session.scalars(sa.select(AuditLog)).one().actor == "Ana"


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


def test_the_row_that_the_database_refuses_is_named_by_its_position(database: application.Database) -> None:
    lines = ModelAccessor(Line, "lines")
    order = ModelAccessor(Order, "orders").insert(Order(customer="Ann"))
    rows = [Line(order_id=order.id, product="nut"), Line(order_id=99, product="nut")]
    with pytest.raises(StorageError, match=r"^Row 2 of insert_many: .* refused the change"):
        lines.insert_many(rows)
    with application.transaction():
        with pytest.raises(StorageError, match=r"^Row 2 of insert_many: .* refused the change"):
            lines.insert_many(rows)
        assert lines.insert(rows[0]).count == 1
    assert [each.product for each in lines.all()] == ["nut"]


@pytest.mark.parametrize("given", [None, 5, "ab", Task(title="Fix")])
def test_what_is_no_list_is_one_sentence(database: application.Database, given: Any) -> None:
    tasks = ModelAccessor(Task, "tasks")
    for call in (tasks.insert_many, tasks.delete_many):
        with pytest.raises(InvalidInputError, match=r"_many takes a list of (rows|ids), not a"):
            call(given)


def test_the_row_that_a_hook_refuses_is_named_by_its_position(database: application.Database) -> None:
    tasks = ModelAccessor(Task, "refused_tasks")

    @tasks.before_insert()
    def refuse(_: Any, task: Task) -> None:
        if task.title == "Rest":
            raise ValueError("Nobody rests here.")

    with pytest.raises(InvalidInputError, match=r"^Row 2 of insert_many: Nobody rests here\.$"):
        tasks.insert_many([Task(title="Fix"), Task(title="Rest")])
    with pytest.raises(ValueError, match=r"^Nobody rests here\.$"):
        tasks.insert(Task(title="Rest"))
    assert tasks.all() == []


# The audit log


def test_the_audit_log_is_found_by_keys_of_any_type(database: application.Database) -> None:
    tasks, samples = ModelAccessor(Task, "tasks"), ModelAccessor(Sample, "samples")
    task = tasks.insert(Task(title="Fix"))
    sample = samples.insert(Sample(id=uuid.UUID(int=7)))
    found = AuditLog.record_id
    joined = sa.exists().where(found == Task.id, Task.title == "Fix")
    by_uuid = sa.exists().where(found == Sample.id)
    conditions = [found == task.id, task.id == found, found == str(task.id), found == sample.id]
    conditions += [found.in_([task.id, 99]), found.not_in([task.id]), found != task.id, joined]
    conditions += [found.is_not(None), found.like("0000%"), by_uuid, found.in_(sa.select(Sample.id))]
    with application.transaction() as session:
        counts = [len(session.scalars(sa.select(AuditLog).where(each)).all()) for each in conditions]
        assert counts == [1, 1, 1, 1, 1, 1, 1, 1, 2, 1, 1, 1]
        assert session.scalars(sa.select(AuditLog).order_by(found.desc())).first().record_id == task.id
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


@pytest.mark.parametrize("given", [math.inf, decimal.Decimal("-Infinity")])
def test_an_exact_column_takes_no_infinite_number(database: application.Database, given: Any) -> None:
    with pytest.raises(InvalidInputError, match=r"price: -?Infinity is not a finite number"):
        ModelAccessor(Sample, "samples").insert(Sample(id=uuid.uuid4(), price=given))


D = decimal.Decimal
EXACT = [
    *("0.1", "-0.00000001", "12345678901234567890.12345678", "-1234567890123456789012.5", "0.30000001"),
    *("9007199254740993", "9223372036854775807", "9223372036854775808", "1234567890123456789.00000001"),
]


@pytest.mark.parametrize("text", EXACT)
def test_a_decimal_number_is_stored_exactly(database: application.Database, text: str) -> None:
    samples, number = ModelAccessor(Sample, "samples"), D(text)
    sample = samples.insert(Sample(id=uuid.UUID(int=7), price=number, free=number))
    stored = samples.get(sample.id)
    assert stored is not None
    assert (sample.price, stored.price, stored.free) == (number, number, number)
    assert D(audited("samples")[0][2]["price"]) == number
    literal = sa.literal(number, sa.Numeric(30, 8)).compile(
        database.engine, compile_kwargs={"literal_binds": True}
    )
    with database.transaction() as session:
        for column in (Sample.price, Sample.free):
            found = session.scalars(sa.select(Sample).where(column == number)).all()
            assert [each.id for each in found] == [sample.id]
        if database.engine.dialect.name != "mariadb":  # There, 1E-8 in SQL is a float.
            assert session.scalar(sa.select(sa.literal_column(str(literal), sa.Numeric(30, 8)))) == number


def test_decimal_numbers_are_sorted_and_compared_as_numbers(database: application.Database) -> None:
    samples = ModelAccessor(Sample, "samples")
    prices = [D(text) for text in ("10", "9.5", "-3", "100.25", "99999999999.12")]
    samples.insert_many([Sample(id=uuid.uuid4(), price=price) for price in prices])
    with database.transaction() as session:
        ordered = session.scalars(sa.select(Sample.price).order_by(Sample.price)).all()
        assert ordered == sorted(prices)
        high = sa.select(Sample.price).where(Sample.price > D("99.5")).order_by(Sample.price)
        assert session.scalars(high).all() == prices[-2:]
        assert session.scalar(sa.select(sa.func.sum(Sample.price))) == sum(prices)


def test_decimals_beyond_the_scale_are_rounded_alike(database: application.Database) -> None:
    tasks = ModelAccessor(Task, "tasks")
    costs = ("1.005", "-1.005", "2.675", "0.004")
    made = tasks.insert_many([Task(title="Fix", cost=D(cost)) for cost in costs])
    assert [each.cost for each in made] == [D(text) for text in ("1.01", "-1.01", "2.68", "0.00")]


def test_numbers_that_an_earlier_version_stored_in_sqlite_are_read(tmp_path: Path) -> None:
    engine = make_engine(f"sqlite:///{tmp_path / 'old.db'}")
    Sample.__table__.create(engine)  # type: ignore[attr-defined]
    old = [(1, 9.9), (2, 12345678901234.56), (3, 5.0), (4, 0.1 + 0.2)]
    with engine.begin() as connection:
        for number, price in old:
            key = uuid.UUID(int=number).hex
            connection.exec_driver_sql(
                "INSERT INTO samples (id, price, free) VALUES (?, ?, ?)", (key, price, price)
            )
        query = sa.select(Sample.price, Sample.free).order_by(Sample.id)
        found = [tuple(row) for row in connection.execute(query)]
    engine.dispose()
    assert [str(price) for price, _ in found] == [
        "9.90000000", "12345678901234.56000000", "5.00000000", "0.30000000",
    ]  # fmt: skip
    assert [str(free) for _, free in found] == [
        "9.9000000000", "12345678901234.5600000000", "5.0000000000", "0.3000000000",
    ]  # fmt: skip


class Stay(SQLModel, table=True):
    __tablename__ = "stays"
    id: int | None = Field(default=None, primary_key=True)
    email: str = Field(alias="emailAddress")
    first: int = 0
    last: int = 0
    took: dt.timedelta | None = None

    @field_validator("email")
    @classmethod
    def lower_address(cls, value: str) -> str:
        if "@" not in value:
            raise ValueError("no @")
        return value.lower()

    @model_validator(mode="after")
    def end_after_start(self) -> Stay:
        if self.last < self.first:
            raise ValueError("last is before first")
        return self


class Draft(Base):
    __tablename__ = "drafts"
    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(sa.String(40))
    note: Mapped[str | None] = mapped_column(sa.String(40), deferred=True)
    version: Mapped[int]


@pytest.fixture
def stays(database: application.Database) -> ModelAccessor[Stay]:
    startup.create_missing_tables(application.get_engine(), Stay.metadata)
    return ModelAccessor(Stay, "stays")


def test_the_validators_of_a_class_run_on_insert_and_save(stays: ModelAccessor[Stay]) -> None:
    with pytest.raises(InvalidInputError, match=r"^Stay cannot be saved: email: .*no @\.$"):
        stays.insert(Stay(emailAddress="x"))
    with pytest.raises(InvalidInputError, match="last is before first"):
        stays.insert(Stay(emailAddress="a@b", first=2, last=1))
    stored = stays.insert(Stay(emailAddress="Ana@B", first=1, last=2))
    assert stored.email == "ana@b"
    stored.first = 3
    with pytest.raises(InvalidInputError, match="last is before first"):
        stays.save(stored)
    stored.last = 4
    assert stays.save(stored).last == 4


def test_an_interval_is_a_field_of_its_own_kind(stays: ModelAccessor[Stay]) -> None:
    assert [field.kind for field in read_fields(stays) if field.name == "took"] == ["interval"]


def test_a_version_without_default_is_set_by_the_accessor(database: application.Database) -> None:
    drafts = ModelAccessor(Draft, "drafts")
    stored = drafts.insert(Draft(text="a"))
    assert stored.version == 1
    found = drafts.get(stored.id)
    assert found is not None
    found.text = "b"
    assert drafts.save(found).version == 2


def test_a_row_with_a_deferred_column_is_saved_without_it(database: application.Database) -> None:
    drafts = ModelAccessor(Draft, "drafts")
    stored = drafts.insert(Draft(text="a", note="kept"))
    found = drafts.get(stored.id)
    assert found is not None
    found.text = "b"
    drafts.save(found)
    with application.current_database().use_session() as session:
        assert session.scalars(sa.select(Draft.note)).all() == ["kept"]


def test_a_deletion_day_without_time_is_refused() -> None:
    marks = {"deleted_at": mapped_column(sa.Date, nullable=True)}
    columns = {"id": mapped_column(sa.Integer, primary_key=True)}
    base = type("DatedBase", (DeclarativeBase,), {})
    found = type("DatedRow", (base,), {"__tablename__": "dated", **columns, **marks})
    with pytest.raises(ConfigurationError, match=r"^DatedRow\.deleted_at must be a datetime"):
        ModelAccessor(found, "dated")


class Setting(Base):
    __tablename__ = "settings"
    id: Mapped[int] = mapped_column(primary_key=True)
    value: Mapped[Any] = mapped_column(sa.JSON)
    unit: Mapped[str] = mapped_column(sa.String(20), default="kg")
    mood: Mapped[str] = mapped_column(sa.Enum("calm", "angry", name="mood"), default="calm")
    set_at: Mapped[dt.datetime | None] = mapped_column(sa.DateTime(timezone=True))


@pytest.mark.parametrize("value", [0, 5, -1.5, 2**60, True, "5", "x", [1], {"a": 1}])
def test_json_holds_any_value(database: application.Database, value: Any) -> None:
    settings = ModelAccessor(Setting, "settings")
    assert settings.insert(Setting(value=value)).value == value
    assert [row.value for row in settings.all()] == [value]


def test_a_value_that_was_removed_is_required(database: application.Database) -> None:
    settings = ModelAccessor(Setting, "settings")
    row = settings.insert(Setting(value=1, unit=None))
    assert row.unit == "kg"
    row.unit = None  # type: ignore[assignment]
    with pytest.raises(InvalidInputError, match="unit: a value is required"):
        settings.save(row)
    with pytest.raises(InvalidInputError, match="unit: a value is required"):
        settings.save(Setting(id=row.id, value=2, unit=None))
    with pytest.raises(InvalidInputError, match="mood: 'sad' is not one of 'calm', 'angry'"):
        settings.insert(Setting(value=1, mood="sad"))


def test_times_with_an_offset_are_stored_as_the_same_moment(database: application.Database) -> None:
    settings = ModelAccessor(Setting, "settings")
    moment = dt.datetime(2026, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=5)))
    row = settings.insert(Setting(value=1, set_at=moment))
    assert row.set_at is not None
    assert row.set_at.replace(tzinfo=None) == dt.datetime(2025, 12, 31, 19)
    found = settings.get(row.id)
    assert found is not None
    assert found.set_at == row.set_at
    with database.transaction() as session:
        same = session.scalars(sa.select(Setting).where(Setting.set_at == moment)).all()
    assert len(same) == 1


class Stamp(SQLModel, table=True):
    __tablename__ = "stamps"
    metadata = Base.metadata
    id: int | None = Field(default=None, primary_key=True)
    made: dt.datetime = Field(sa_column=sa.Column(sa.DateTime, server_default=sa.func.now(), nullable=False))
    unit: str = Field(sa_column=sa.Column(sa.String(20), default="kg", nullable=False))


def test_fields_that_the_database_fills_need_no_value(database: application.Database) -> None:
    stamps = ModelAccessor(Stamp, "stamps")
    row = stamps.insert(Stamp())
    assert isinstance(row.made, dt.datetime)
    assert row.unit == "kg"
    row.unit = None  # type: ignore[assignment]
    with pytest.raises(InvalidInputError, match="unit"):
        stamps.save(row)
