"""Keys and values that a database stores in another form than the given one, or not at all."""

from __future__ import annotations

import datetime as dt
import decimal
import uuid
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from lavendertown.database import application
from lavendertown.database.audit_model import AuditLog
from lavendertown.database.model_accessor import ModelAccessor
from lavendertown.errors import InvalidInputError

EAST = dt.timezone(dt.timedelta(hours=2))


class Base(DeclarativeBase):
    pass


class Upper(sa.types.TypeDecorator[str]):
    """Text that is stored in upper case."""

    impl = sa.String(40)
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Any) -> str | None:
        return value.upper() if value is not None else None


class Code(Base):
    __tablename__ = "codes"
    id: Mapped[str] = mapped_column(Upper, primary_key=True)
    uses: Mapped[int] = mapped_column(default=0)


class Token(Base):
    __tablename__ = "tokens"
    id: Mapped[str] = mapped_column(sa.Uuid(as_uuid=False), primary_key=True)
    uses: Mapped[int] = mapped_column(default=0)


class Price(Base):
    __tablename__ = "prices"
    id: Mapped[decimal.Decimal] = mapped_column(sa.Numeric(8, 2), primary_key=True)
    uses: Mapped[int] = mapped_column(default=0)


class Ratio(Base):
    __tablename__ = "ratios"
    id: Mapped[float] = mapped_column(sa.REAL, primary_key=True)


class Row(Base):
    __tablename__ = "rows"
    id: Mapped[int] = mapped_column(primary_key=True)
    count: Mapped[int | None] = mapped_column(sa.SmallInteger)
    took: Mapped[dt.timedelta | None]
    at: Mapped[dt.time | None]
    zoned: Mapped[dt.time | None] = mapped_column(sa.Time(timezone=True))
    ended_at: Mapped[dt.datetime | None] = mapped_column(sa.DateTime(timezone=True))
    token: Mapped[str | None] = mapped_column(sa.Uuid(as_uuid=False))
    cost: Mapped[decimal.Decimal | None] = mapped_column(sa.Numeric(8, 2))


TOKEN = uuid.UUID(int=0xABC)


@pytest.mark.parametrize(
    ("model", "given", "stored"),
    [(Code, "ab", "AB"), (Token, TOKEN.hex, str(TOKEN)), (Token, str(TOKEN).upper(), str(TOKEN))],
)
@pytest.mark.parametrize("together", [False, True])
def test_a_row_has_the_key_that_the_database_stores(
    database: application.Database, model: type[Any], given: str, stored: str, together: bool
) -> None:
    rows = ModelAccessor(model, "rows")

    def write() -> None:
        row = rows.insert(model(id=given))
        assert (row.id, row.uses) == (stored, 0)
        row.uses = 1
        rows.save(row)

    if together:
        with database.transaction():
            write()
    else:
        write()
    found = rows.get(given)
    assert found is not None
    assert (found.id, found.uses) == (stored, 1)
    assert rows.delete(given)
    with database.transaction() as session:
        events = session.scalars(sa.select(AuditLog).order_by(AuditLog.id)).all()
        assert [each.record_id for each in events] == [stored, stored, stored]
        assert events[0].after == {"id": stored, "uses": 0}


def test_a_decimal_key_with_too_many_decimals_is_one_sentence(database: application.Database) -> None:
    prices = ModelAccessor(Price, "prices")
    for call in (lambda: prices.insert(Price(id=decimal.Decimal("1.005"))), lambda: prices.delete("1.005")):
        with pytest.raises(InvalidInputError, match="give a number with at most 2 decimals"):
            call()
    assert prices.insert(Price(id=decimal.Decimal("1.50"))).uses == 0
    assert prices.delete(1.5)


@pytest.mark.postgres
def test_a_key_that_does_not_find_its_row_is_refused(postgres_store_url: str) -> None:
    database = application.Database(postgres_store_url)
    Base.metadata.create_all(database.engine)
    ratios = ModelAccessor(Ratio, "ratios", database=database)
    with pytest.raises(InvalidInputError, match=r"The id '0.1' of a record of ratios is not what"):
        ratios.insert(Ratio(id=0.1))
    assert ratios.all() == []
    database.close()


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("took", 5, "took: 5 is not of the type timedelta"),
        ("at", dt.time(4, 5, tzinfo=EAST), r"at: 04:05:00\+02:00 has a time zone, which the column does not"),
        ("ended_at", dt.datetime(1, 1, 1, tzinfo=EAST), "ended_at: .* is not within the years 1 to 9999"),
        ("token", "x", "token: 'x' is not a UUID"),
    ],
)
def test_a_value_that_cannot_be_kept_is_named(
    database: application.Database, name: str, value: Any, reason: str
) -> None:
    with pytest.raises(InvalidInputError, match=f"^Row cannot be saved: {reason}"):
        ModelAccessor(Row, "rows").insert(Row(**{name: value}))


def test_a_time_of_day_with_an_offset_is_stored_as_the_same_time(database: application.Database) -> None:
    rows = ModelAccessor(Row, "rows")
    row = rows.insert(Row(zoned=dt.time(1, 2, tzinfo=EAST)))
    stored = row.zoned
    assert stored is not None
    # Only PostgreSQL keeps the offset.
    assert (stored if stored.tzinfo is not None else stored.replace(tzinfo=dt.UTC)) in (
        dt.time(1, 2, tzinfo=EAST),
        dt.time(23, 2, tzinfo=dt.UTC),
    )


def test_true_is_one_in_a_column_of_numbers(database: application.Database) -> None:
    assert ModelAccessor(Row, "rows").insert(Row(count=True)).count == 1


@pytest.mark.postgres
@pytest.mark.parametrize(("name", "value"), [("count", 40_000), ("cost", decimal.Decimal(10) ** 8)])
def test_a_number_that_the_server_refuses_is_invalid_input(
    postgres_store_url: str, name: str, value: Any
) -> None:
    database = application.Database(postgres_store_url)
    Base.metadata.create_all(database.engine)
    with pytest.raises(InvalidInputError, match=r"^A value of rows cannot be stored: .*(range|overflow)\."):
        ModelAccessor(Row, "rows", database=database).insert(Row(**{name: value}))
    database.close()
