"""Table names from class names, and names that are taken."""

from __future__ import annotations

import types
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Mapped, configure_mappers, declared_attr, mapped_column

from lavendertown.database.base import Base, TableMixin
from lavendertown.database.table_names import table_name
from lavendertown.errors import ConfigurationError


class Named(Base):
    """Apart from the tables of an application, which all tests of this process share."""

    __abstract__ = True
    metadata = sa.MetaData()


def define(name: str, module: str = "app", base: type[Any] = Named, **parts: Any) -> type[Any]:
    """Define a mapped class with an id, as a module of this name would."""
    members = {"__module__": module, "id": mapped_column(sa.Integer, primary_key=True), **parts}
    return types.new_class(name, (TableMixin, base), {}, lambda body: body.update(members))


@pytest.fixture(autouse=True)
def no_tables() -> None:
    Named.metadata.clear()


@pytest.mark.parametrize(
    ("class_name", "expected"),
    [
        ("Category", "categories"),
        ("UserProfile", "user_profiles"),
        ("Box", "boxes"),
        ("Person", "people"),
        ("HTTPServer", "http_servers"),
        ("Status", "statuses"),
        ("Day", "days"),
        ("News", "news"),
        ("Child", "children"),
        ("GrandChild", "grand_children"),
        ("Stepchild", "stepchildren"),
        ("Salesperson", "salespeople"),
        ("Chairman", "chairmen"),
        ("Human", "humans"),
        ("Address", "addresses"),
        ("Analysis", "analyses"),
        ("Index", "indexes"),
        ("Batch", "batches"),
        ("Stomach", "stomachs"),
        ("Query", "queries"),
        ("Soliloquy", "soliloquies"),
        ("Survey", "surveys"),
        ("Photo", "photos"),
        ("Hero", "heroes"),
        ("Quiz", "quizzes"),
        ("Bus", "buses"),
        ("Alias", "aliases"),
        ("Lens", "lenses"),
        ("Iris", "irises"),
        ("Bookshelf", "bookshelves"),
        ("Roof", "roofs"),
        ("Cache", "caches"),
        ("Criterion", "criteria"),
        ("Medium", "media"),
        ("AuditLog", "audit_logs"),
        ("UserID", "user_ids"),
        ("JSONAPIToken", "jsonapi_tokens"),
        ("User2Group", "user2_groups"),
        ("user_profile", "user_profiles"),
        ("User_Profile", "user_profiles"),
        ("_Draft", "drafts"),
        ("ÄußereGröße", "äußere_größes"),
        ("A", "as"),
    ],
)
def test_a_class_name_becomes_a_plural_in_snake_case(class_name: str, expected: str) -> None:
    assert table_name(class_name) == expected


@pytest.mark.parametrize(
    "class_name", ["Users", "People", "Settings", "Series", "Equipment", "Metadata", "Menus", "Children"]
)
def test_a_plural_stays_as_it_is(class_name: str) -> None:
    assert table_name(class_name) == class_name.lower()


def test_a_model_is_named_after_its_class() -> None:
    assert define("Wolf").__table__.name == "wolves"


def test_an_explicit_name_wins() -> None:
    assert define("Fox", __tablename__="den").__table__.name == "den"
    assert define("Cub", __tablename__=declared_attr.directive(lambda _: "litter")).__table__.name == "litter"
    table = sa.Table("burrow", Named.metadata, sa.Column("id", sa.Integer, primary_key=True))
    assert define("Rabbit", id=None, __table__=table).__table__ is table


def test_a_derived_class_shares_the_table_unless_it_has_a_key_of_its_own() -> None:
    class Animal(TableMixin, Named):
        id: Mapped[int] = mapped_column(primary_key=True)
        kind: Mapped[str]
        __mapper_args__ = {"polymorphic_on": "kind", "polymorphic_identity": "animal"}  # noqa: RUF012

    class Bird(Animal):
        wings: Mapped[int | None]
        __mapper_args__ = {"polymorphic_identity": "bird"}  # noqa: RUF012

    class Horse(Animal):
        id: Mapped[int] = mapped_column(sa.ForeignKey("animals.id"), primary_key=True)
        __mapper_args__ = {"polymorphic_identity": "horse"}  # noqa: RUF012

    configure_mappers()
    assert Bird.__table__ is Animal.__table__
    assert Horse.__table__.name == "horses"


def test_two_classes_with_one_table_are_refused_by_name() -> None:
    first = define("Lamp", "app.rooms")
    with pytest.raises(ConfigurationError) as refused:
        define("Light", "app.streets", __tablename__="lamps")
    for words in ("app.rooms.Lamp", "app.streets.Light", "'lamps'", "__tablename__"):
        assert words in str(refused.value)
    assert Named.metadata.tables["lamps"] is first.__table__


def test_names_that_only_sqlite_holds_for_the_same_are_refused() -> None:
    first = define("Desk")
    with pytest.raises(ConfigurationError, match="'DESKS'"):
        define("Bureau", __tablename__="DESKS")
    assert list(Named.metadata.tables) == [first.__table__.name]


def test_one_name_in_two_schemas_is_allowed() -> None:
    first = define("Chair")
    other = define("Stool", __tablename__="chairs", __table_args__={"schema": "attic"})
    assert other.__table__ is not first.__table__


def test_a_table_without_a_class_is_in_the_way_too() -> None:
    sa.Table("tags_of_chairs", Named.metadata, sa.Column("id", sa.Integer))
    with pytest.raises(ConfigurationError, match="a table without a class already uses it"):
        define("Tagging", __tablename__="tags_of_chairs")


def test_a_module_that_runs_twice_is_told_so() -> None:
    first = define("Stove")
    with (
        pytest.warns(sa.exc.SAWarning, match="same class name"),
        pytest.raises(ConfigurationError) as refused,
    ):
        define("Stove")
    assert "The class app.Stove (table 'stoves') is defined twice." in str(refused.value)
    assert first.__table__.name == "stoves"


def test_lavendertowns_own_tables_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="'reports', which belongs to LavenderTown"):
        define("Report")
    assert define("Finding", __table_args__={"schema": "mine"}).__table__.schema == "mine"


def test_an_existing_table_may_be_extended_on_purpose() -> None:
    first = define("Shop")
    more = {"extend_existing": True}
    second = define("Store", __tablename__="shops", __table_args__=more, size=mapped_column(sa.Integer))
    assert second.__table__ is first.__table__
    assert "size" in first.__table__.columns
