"""An application's own classes, as the tests of RPC serve them."""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import uuid
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlmodel import Field, SQLModel


class RpcUser(SQLModel, table=True):
    __tablename__ = "rpc_users"
    id: int | None = Field(default=None, primary_key=True)
    name: str
    email: str = Field(unique=True)
    deleted_at: dt.datetime | None = Field(default=None, index=True)


class Base(DeclarativeBase):
    pass


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Order(Base):
    __tablename__ = "rpc_orders"
    id: Mapped[int] = mapped_column(primary_key=True)


class Line(Base):
    __tablename__ = "rpc_lines"
    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(sa.ForeignKey("rpc_orders.id"))
    text: Mapped[str] = mapped_column(sa.String(5), default="new")
    mark: Mapped[str] = mapped_column(sa.String(5), server_default="-")


class Named(Base):
    __tablename__ = "rpc_named"
    name: Mapped[str] = mapped_column(sa.String(100), primary_key=True)


class Drawing(Base):
    __tablename__ = "rpc_drawings"
    id: Mapped[int] = mapped_column(primary_key=True)
    image: Mapped[bytes | None]


class Part(Base):
    """One column of each type that can be served."""

    __tablename__ = "rpc_parts"
    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    label: Mapped[str] = mapped_column(sa.String(20))
    weight: Mapped[float | None]
    pieces: Mapped[int | None] = mapped_column(sa.BigInteger)
    price: Mapped[decimal.Decimal | None] = mapped_column(sa.Numeric(10, 2))
    made: Mapped[dt.date | None]
    opens: Mapped[dt.time | None]
    lasts: Mapped[dt.timedelta | None]
    seen_at: Mapped[dt.datetime | None] = mapped_column(sa.DateTime(timezone=True))
    is_new: Mapped[bool | None]
    color: Mapped[Color | None]
    extra: Mapped[Any | None] = mapped_column(sa.JSON)
    version: Mapped[int] = mapped_column(default=0)
