"""Unique indexes of classes with ``deleted_at``: restricted to live rows, and otherwise as declared."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from lavendertown.database.application import Database
from lavendertown.database.model_accessor import ModelAccessor
from lavendertown.database.startup import free_unique_values
from lavendertown.errors import ConfigurationError, ConflictError
from lavendertown.stores.sql.connection.engine import make_engine


class Base(DeclarativeBase):
    pass


class Member(Base):
    __tablename__ = "members"
    id: Mapped[int] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(sa.String(20), unique=True, index=True)
    mail: Mapped[str] = mapped_column(sa.String(40))
    team: Mapped[str | None] = mapped_column(sa.String(20))
    seat: Mapped[int | None]
    deleted_at: Mapped[dt.datetime | None] = mapped_column(sa.DateTime(timezone=True))
    __table_args__ = (
        sa.UniqueConstraint("team", "seat", name="one_seat", deferrable=True, initially="DEFERRED"),
        sa.Index(
            "leader",
            "team",
            unique=True,
            sqlite_where=sa.text("seat = 1 OR seat = 2"),
            postgresql_where=sa.text("seat = 1 OR seat = 2"),
        ),
    )


sa.Index("members_mail", sa.func.lower(Member.mail), unique=True)


@pytest.fixture
def members(app_url: str, request: pytest.FixtureRequest) -> ModelAccessor[Member]:
    if app_url.startswith("mariadb"):
        pytest.skip("MariaDB indexes no expressions")
    request.getfixturevalue("database")
    return ModelAccessor(Member, "members")


def member(code: str, mail: str, team: str | None = None, seat: int | None = None) -> Member:
    return Member(code=code, mail=mail, team=team, seat=seat)


@pytest.mark.parametrize(
    ("first", "second", "other"),
    [
        (member("a", "x"), member("a", "y"), member("b", "y")),
        (member("a", "Ana@x"), member("b", "aNA@x"), member("b", "Ana@y")),
        (member("a", "x", "red", 3), member("b", "y", "red", 3), member("b", "y", "red", 4)),
        (member("a", "x", "red", 1), member("b", "y", "red", 2), member("b", "y", "red", 3)),
    ],
    ids=["column", "expression", "named-constraint", "condition"],
)
def test_live_rows_collide_and_deleted_ones_do_not(
    members: ModelAccessor[Member], first: Member, second: Member, other: Member
) -> None:
    copies = [
        {name: getattr(each, name) for name in ("code", "mail", "team", "seat")} for each in (first, second)
    ]
    stored = members.insert(Member(**copies[0]))
    with pytest.raises(ConflictError):
        members.insert(Member(**copies[1]))
    members.insert(member(other.code, other.mail, other.team, other.seat))
    members.delete(stored.id)
    members.insert(Member(**{**copies[0], "mail": "new" if first.mail != "Ana@x" else "ANA@x"}))


@pytest.mark.usefixtures("members")
def test_given_names_are_kept(database: Database) -> None:
    catalog = (
        "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name = 'members'"
        if database.engine.dialect.name == "sqlite"
        else "SELECT indexname FROM pg_indexes WHERE tablename = 'members'"
    )
    with database.engine.connect() as connection:
        names = set(connection.scalars(sa.text(catalog)))
    assert names - {"members_pkey"} == {"leader", "members_mail", "one_seat", "uq_members_code_live"}


def test_a_table_is_restricted_once_and_so_are_its_copies() -> None:
    table = Member.__table__.to_metadata(sa.MetaData())  # type: ignore[attr-defined]
    free_unique_values(table)
    texts = index_texts(table)
    free_unique_values(table)
    assert index_texts(table) == texts
    assert index_texts(table.to_metadata(sa.MetaData())) == texts


def test_an_index_about_deletions_stays_as_it_is() -> None:
    table = sa.Table(
        "t",
        sa.MetaData(),
        sa.Column("a", sa.Integer),
        sa.Column("deleted_at", sa.DateTime),
        sa.Index("gone", "a", unique=True, sqlite_where=sa.text("deleted_at > 0")),
    )
    free_unique_values(table)
    assert index_texts(table) == ["CREATE UNIQUE INDEX gone ON t (a) WHERE deleted_at > 0"]


def test_options_and_conditions_of_one_database_are_kept() -> None:
    table = sa.Table(
        "t",
        sa.MetaData(),
        sa.Column("a", sa.Integer),
        sa.Column("b", sa.Integer),
        sa.Column("deleted_at", sa.DateTime),
        sa.UniqueConstraint("a", "b", postgresql_nulls_not_distinct=True),
    )
    sa.Index("odd", table.c.a, unique=True, postgresql_where=sa.or_(table.c.b == 1, table.c.b == 3))
    free_unique_values(table)
    assert index_texts(table, "postgresql://host/x") == [
        "CREATE UNIQUE INDEX odd ON t (a) WHERE (b = 1 OR b = 3) AND deleted_at IS NULL",
        "CREATE UNIQUE INDEX uq_t_a_b_live ON t (a, b) NULLS NOT DISTINCT WHERE deleted_at IS NULL",
    ]
    assert index_texts(table) == [
        "CREATE UNIQUE INDEX odd ON t (a) WHERE deleted_at IS NULL",
        "CREATE UNIQUE INDEX uq_t_a_b_live ON t (a, b) WHERE deleted_at IS NULL",
    ]


def test_a_unique_expression_is_refused_on_mariadb() -> None:
    table = Member.__table__.to_metadata(sa.MetaData())  # type: ignore[attr-defined]
    free_unique_values(table)
    index = next(each for each in table.indexes if each.name == "members_mail")
    with pytest.raises(ConfigurationError, match="The unique index members_mail has an expression"):
        sa.schema.CreateIndex(index).compile(make_engine("mariadb://localhost/x"))


def index_texts(table: Any, url: str = "sqlite://") -> list[str]:
    dialect = make_engine(url).dialect
    return sorted(str(sa.schema.CreateIndex(each).compile(dialect=dialect)) for each in table.indexes)
