"""Rows that are stored and deleted together with related ones, in every kind of relationship and class."""

import decimal
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    MappedAsDataclass,
    attribute_keyed_dict,
    mapped_column,
    relationship,
)
from sqlmodel import Field, Relationship, SQLModel

from lavendertown.database import application
from lavendertown.database.audit_model import AuditLog
from lavendertown.database.model_accessor import ModelAccessor
from lavendertown.database.model_rows import read_page
from lavendertown.errors import ConfigurationError, ConflictError, InvalidInputError
from lavendertown.stores.sql.connection.mariadb import BACKENDS


class Base(DeclarativeBase):
    pass


class DataBase(MappedAsDataclass, DeclarativeBase):
    metadata = Base.metadata


class Crew(SQLModel, table=True):
    __tablename__ = "related_crews"
    metadata = Base.metadata
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=10)
    sailors: list["Sailor"] = Relationship(back_populates="crew", cascade_delete=True)


class Sailor(SQLModel, table=True):
    __tablename__ = "related_sailors"
    metadata = Base.metadata
    id: int | None = Field(default=None, primary_key=True)
    nick: str = Field(max_length=5, unique=True)
    crew_id: int = Field(foreign_key="related_crews.id")
    crew: Crew | None = Relationship(back_populates="sailors")


class Port(DataBase):
    __tablename__ = "ports"
    id: Mapped[int] = mapped_column(init=False, primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(20))


class House(Base):
    __tablename__ = "houses"
    id: Mapped[int] = mapped_column(primary_key=True)
    rooms: Mapped[dict[str, "Room"]] = relationship(
        collection_class=attribute_keyed_dict("name"), back_populates="house"
    )
    walls: Mapped[set["Wall"]] = relationship()


class Room(Base):
    __tablename__ = "rooms"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(20))
    house_id: Mapped[int | None] = mapped_column(sa.ForeignKey("houses.id"))
    house: Mapped[House | None] = relationship(back_populates="rooms")


class Wall(Base):
    __tablename__ = "walls"
    id: Mapped[int] = mapped_column(primary_key=True)
    house_id: Mapped[int] = mapped_column(sa.ForeignKey("houses.id"))
    house: Mapped[House] = relationship(overlaps="walls")


class Folder(Base):
    __tablename__ = "folders"
    id: Mapped[int] = mapped_column(primary_key=True)
    parent_id: Mapped[int | None] = mapped_column(sa.ForeignKey("folders.id"))
    folders: Mapped[list["Folder"]] = relationship(cascade="all, delete-orphan")


class Team(Base):
    """A class with relationships that are loaded by joins."""

    __tablename__ = "teams"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(20))
    port_id: Mapped[int | None] = mapped_column(sa.ForeignKey("ports.id"))
    port: Mapped[Port | None] = relationship(lazy="joined")
    players: Mapped[list["Player"]] = relationship(lazy="joined")


class Player(Base):
    __tablename__ = "players"
    id: Mapped[int] = mapped_column(primary_key=True)
    team_id: Mapped[int | None] = mapped_column(sa.ForeignKey("teams.id"))


LOADING = ("dynamic", "raise", "raise_on_sql", "write_only")
SHELVES: dict[str, tuple[type[Any], type[Any]]] = {}
for _lazy in LOADING:
    _key = sa.Column("shelf_id", sa.ForeignKey(f"shelves_{_lazy}.id"), nullable=True)
    _book = {"__tablename__": f"books_{_lazy}", "id": mapped_column(primary_key=True), "shelf_id": _key}
    _book["__annotations__"] = {"id": Mapped[int]}
    _Book = type(f"Book_{_lazy}", (Base,), _book)
    _shelf = {"__tablename__": f"shelves_{_lazy}", "id": mapped_column(primary_key=True)}
    _shelf |= {"__annotations__": {"id": Mapped[int]}, "books": relationship(_Book, lazy=_lazy)}
    SHELVES[_lazy] = (type(f"Shelf_{_lazy}", (Base,), _shelf), _Book)


def taken(database: application.Database, shown: str) -> str:
    """The message about a taken value; MariaDB names no table, so a value of another class is not found."""
    return shown if database.engine.dialect.name not in BACKENDS else "already has the same"


def audited(component: str) -> list[tuple[str, Any]]:
    with application.use_session() as session:
        query = sa.select(AuditLog.operation, AuditLog.record_id)
        rows = session.execute(query.where(AuditLog.component == component).order_by(AuditLog.id))
        return [(row[0], row[1]) for row in rows]


@pytest.mark.parametrize("model", [Crew, Port], ids=["SQLModel", "dataclass"])
def test_rows_of_classes_without_hash_are_deleted_together(
    database: application.Database, model: type[Any]
) -> None:
    accessor = ModelAccessor(model, "rows")
    first, second = accessor.insert_many([model(name="a"), model(name="b")])
    assert accessor.delete_many([first.id, second.id, second.id]) == 2
    assert accessor.all() == []
    assert [operation for operation, _ in audited("rows")] == ["create", "create", "delete", "delete"]


def test_a_parent_is_deleted_with_children_without_hash(database: application.Database) -> None:
    crews, sailors = ModelAccessor(Crew, "crews"), ModelAccessor(Sailor, "sailors")
    crew = crews.insert(Crew(name="x", sailors=[Sailor(nick="a"), Sailor(nick="b")]))
    assert crews.delete(crew.id)
    assert sailors.all() == []
    assert [operation for operation, _ in audited("sailors")] == ["create", "create", "delete", "delete"]


def test_a_child_is_stored_with_its_new_or_stored_parent(database: application.Database) -> None:
    crews, sailors = ModelAccessor(Crew, "crews"), ModelAccessor(Sailor, "sailors")
    first = sailors.insert(Sailor(nick="a", crew=Crew(name="new")))
    (crew,) = crews.all()
    assert first.crew_id == crew.id
    second = sailors.insert(Sailor(nick="b", crew=crew))
    assert second.crew_id == crew.id
    assert audited("crews") == [("create", str(crew.id))]
    walls = ModelAccessor(Wall, "walls")
    assert walls.insert(Wall(house=House())).house_id == 1
    with pytest.raises(InvalidInputError, match="crew_id"):
        sailors.insert(Sailor(nick="d"))
    with pytest.raises(InvalidInputError, match="house_id: a value is required"):
        walls.insert(Wall())


def test_children_in_dictionaries_and_sets_are_released(database: application.Database) -> None:
    houses, rooms = ModelAccessor(House, "houses"), ModelAccessor(Room, "rooms")
    house = houses.insert(House(rooms={"hall": Room(name="hall"), "attic": Room(name="attic")}))
    assert houses.delete(house.id)
    assert [room.house_id for room in rooms.all()] == [None, None]
    assert [operation for operation, _ in audited("rooms")] == ["create", "create", "update", "update"]


@pytest.mark.parametrize("lazy", LOADING[:3])
def test_children_that_are_not_loaded_as_a_list_are_released_and_audited(
    database: application.Database, lazy: str
) -> None:
    shelf_class, book_class = SHELVES[lazy]
    shelves, books = ModelAccessor(shelf_class, "shelves"), ModelAccessor(book_class, "books")
    shelf = shelves.insert(shelf_class())
    books.insert_many([book_class(shelf_id=shelf.id), book_class(shelf_id=shelf.id)])
    assert shelves.delete(shelf.id)
    assert [book.shelf_id for book in books.all()] == [None, None]
    assert [operation for operation, _ in audited("books")] == ["create", "create", "update", "update"]


def test_a_relationship_whose_rows_cannot_be_found_is_named(database: application.Database) -> None:
    shelf_class, _ = SHELVES["write_only"]
    shelves = ModelAccessor(shelf_class, "shelves")
    shelf = shelves.insert(shelf_class())
    with pytest.raises(ConfigurationError, match=r"Shelf_write_only\.books is write_only"):
        shelves.delete(shelf.id)
    assert len(shelves.all()) == 1


def test_rows_with_relationships_that_are_loaded_by_joins(database: application.Database) -> None:
    teams = ModelAccessor(Team, "teams")
    teams.insert_many([Team(name="a", port=Port(name="p"), players=[Player(), Player()]), Team(name="b")])
    with_port, without = teams.all()
    assert [len(each.players) for each in (with_port, without)] == [2, 0]
    assert [each.name for each in read_page(teams, 10)] == ["a", "b"]
    for each in (with_port, without):
        each.name += "!"
        teams.save(each)
    assert teams.delete_many([with_port.id, without.id]) == 2
    assert [each.team_id for each in ModelAccessor(Player, "players").all()] == [None, None]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["parent first", "child first"])
def test_a_parent_and_its_child_are_deleted_by_one_call(
    database: application.Database, order: tuple[int, int]
) -> None:
    folders = ModelAccessor(Folder, "folders")
    parent = folders.insert(Folder(folders=[Folder()]))
    ids = [parent.id, next(row.id for row in folders.all() if row.id != parent.id)]
    assert folders.delete_many([ids[i] for i in order]) == 2
    assert folders.all() == []
    deleted = [record_id for operation, record_id in audited("folders") if operation == "delete"]
    assert sorted(map(int, deleted)) == sorted(ids)


def test_the_same_object_twice_is_one_row(database: application.Database) -> None:
    crews = ModelAccessor(Crew, "crews")
    crew = Crew(name="x")
    assert crews.insert_many([crew, crew]) == [crew, crew]
    assert [each.name for each in crews.all()] == ["x"]
    assert len(audited("crews")) == 1


def test_errors_of_children_name_row_and_value(database: application.Database) -> None:
    crews = ModelAccessor(Crew, "crews")
    with pytest.raises(InvalidInputError, match="Row 2 of insert_many: Sailor cannot be saved: nick"):
        crews.insert_many([Crew(name="k"), Crew(name="l", sailors=[Sailor(nick="too long")])])
    crews.insert(Crew(name="m", sailors=[Sailor(nick="q")]))
    with pytest.raises(ConflictError, match=taken(database, "Another Sailor already has the nick 'q'")):
        crews.insert(Crew(name="n", sailors=[Sailor(nick="q")]))
    assert len(crews.all()) == 1


def test_a_value_that_a_hook_repeats_in_another_class_is_named(database: application.Database) -> None:
    notes, crews = ModelAccessor(Note, "notes"), ModelAccessor(Crew, "crews")
    notes.insert(Note(id="a", code="x"))

    @crews.after_insert()
    def add_note(session: Any, crew: Crew) -> None:
        session.add(Note(id="b", code="x"))

    with pytest.raises(ConflictError, match=taken(database, "Another Note already has the code 'x'")):
        crews.insert(Crew(name="k"))
    assert crews.all() == []


class Measure(Base):
    __tablename__ = "measures"
    id: Mapped[decimal.Decimal] = mapped_column(sa.Numeric(12, 5), primary_key=True)
    title: Mapped[str] = mapped_column(sa.String(20))


@pytest.mark.parametrize("key", [3, 3.0, "3", decimal.Decimal("3.00")])
def test_a_decimal_key_has_one_text(database: application.Database, key: Any) -> None:
    measures = ModelAccessor(Measure, "measures")
    row = measures.insert(Measure(id=key, title="a"))
    row.title = "b"
    measures.save(row)
    assert measures.delete(key)
    assert {record_id for _, record_id in audited("measures")} == {"3.00000"}


def test_the_audit_log_is_compared_with_columns_and_long_keys(database: application.Database) -> None:
    crews = ModelAccessor(Crew, "crews")
    crews.insert_many([Crew(name=f"c{n}") for n in range(11)])
    with database.transaction() as session:
        ids = sa.select(Crew.id).where(Crew.id > 9)  # type: ignore[operator,arg-type]
        query = sa.select(AuditLog).where(AuditLog.component == "crews")
        assert len(session.scalars(query.where(AuditLog.record_id.in_(ids))).all()) == 2
        for compare in (lambda: AuditLog.record_id > 9, lambda: AuditLog.record_id.between(2, 10)):
            with pytest.raises(InvalidInputError, match="cast"):
                compare()
        assert len(session.scalars(query.where(sa.cast(AuditLog.record_id, sa.Integer) > 9)).all()) == 2
    notes = ModelAccessor(Note, "notes")
    key = "x" * 150 + "y" * 60
    notes.insert(Note(id=key))
    with database.transaction() as session:
        assert len(session.scalars(sa.select(AuditLog).where(AuditLog.record_id == key)).all()) == 1


class Note(Base):
    __tablename__ = "notes"
    id: Mapped[str] = mapped_column(sa.String(400), primary_key=True)
    code: Mapped[str | None] = mapped_column(sa.String(20), unique=True)
