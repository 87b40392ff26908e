"""An application's own tables beside LavenderTown's: their rows, audit events and CSV archive."""

from __future__ import annotations

import datetime as dt
import decimal
import json
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from lavendertown.collaboration.database_storage import DatabaseStorage
from lavendertown.database import (
    AuditLog,
    ModelAccessor,
    TableMixin,
    get_engine,
    set_database_url,
    transaction,
)
from tests.golden.command_line import run_json
from tests.golden.demo_store import MONDAY, TEXT
from tests.golden.recording import Recording


class Base(DeclarativeBase):
    """The application's declarative base."""


class Part(TableMixin, Base):
    """A versioned row with a value of each kind, which is deleted softly."""

    id: Mapped[str] = mapped_column(sa.String(36), primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(200))
    price: Mapped[decimal.Decimal] = mapped_column(sa.Numeric(10, 2))
    made: Mapped[dt.date]
    sold_at: Mapped[dt.datetime | None] = mapped_column(sa.DateTime())
    weight: Mapped[float | None]
    in_stock: Mapped[bool] = mapped_column(default=True)
    details: Mapped[Any] = mapped_column(sa.JSON, default=dict)
    version: Mapped[int] = mapped_column(default=0)
    deleted_at: Mapped[dt.datetime | None] = mapped_column(sa.DateTime())


class Person(TableMixin, Base):
    """A row with a number as its key, which is deleted for good."""

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    mail: Mapped[str | None] = mapped_column(unique=True)


def table_names(class_names: Iterable[str]) -> dict[str, str]:
    """Return the table that the plural rule gives to each class name."""
    found: dict[str, str] = {}
    for name in class_names:
        # A base of its own: two of the names have the same table.
        base = type("Own", (DeclarativeBase,), {})
        made: Any = type(name, (TableMixin, base), {"id": mapped_column(sa.Integer, primary_key=True)})
        found[name] = made.__tablename__
    return found


def fill(database_url: str) -> Recording:
    """Write rows of both classes, change, delete and restore some of them."""
    recording = Recording()
    # Not bootstrap(): it also makes the tables of classes that other tests have imported.
    DatabaseStorage(database_url).close()
    set_database_url(database_url)
    Base.metadata.create_all(get_engine())
    parts, people = ModelAccessor(Part, "parts"), ModelAccessor(Person, "people")
    first = Part(
        id="p 1",
        name=TEXT,
        price=decimal.Decimal("10.50"),
        made=dt.date(2026, 2, 28),
        sold_at=MONDAY.replace(tzinfo=None),
        weight=0.1,
        details={"b": [1, None, "ü"], "a": {}},
    )
    second = Part(id="p 2 ü", name="", price=decimal.Decimal("0.00"), made=dt.date(1999, 12, 31))
    with recording.step():
        parts.insert_many([first, second], actor="Ana")
    with recording.step():
        people.insert_many([Person(id=1, name="Ana", mail="ana@example.org"), Person(id=2, name="Ben")])
    first.price = decimal.Decimal("99.99")
    with recording.step():
        parts.save(first, actor="Ben")
    with recording.step():
        parts.delete(second.id, actor="Ben")
    with recording.step():
        people.delete(2, actor="Ana")
    with recording.step():
        parts.restore(second.id, actor="Ana")
    with recording.step():
        parts.delete(first.id, actor="Ana")
    return recording


def audit_events(recording: Recording) -> list[dict[str, Any]]:
    """Return the audit events about the application's rows, oldest first."""
    columns = ("timestamp", "actor", "component", "record_id", "operation", "before", "after")
    with transaction() as session:
        found = session.scalars(sa.select(AuditLog).order_by(AuditLog.id)).all()
        return [recording.fixed_value({name: getattr(each, name) for name in columns}) for each in found]


def archive(database_url: str, recording: Recording, scratch: Path) -> dict[str, str]:
    """Return the parts of the CSV archive: the application's tables whole, the headers of the others.

    The manifest is left without what differs from run to run: versions, times, checksums and row counts.
    """
    run_json("db", "export", str(scratch / "all.zip"), "--url", database_url)
    own = {f"tables/{table}.csv" for table in Base.metadata.tables}
    found: dict[str, str] = {}
    with zipfile.ZipFile(scratch / "all.zip") as made:
        for name in sorted(made.namelist()):
            text = made.read(name).decode("utf-8")
            if name == "manifest.json":
                text = _lasting_manifest(text)
            elif name not in own:
                text = text.split("\r\n", 1)[0] + "\r\n"
            found[name] = recording.fixed_text(text)
    return found


def _lasting_manifest(text: str) -> str:
    manifest = json.loads(text)
    for name in ("made_at", "lavendertown"):
        manifest[name] = f"<{name}>"
    for table in manifest["tables"]:
        table["rows"] = table["sha256"] = None
    return json.dumps(manifest, indent=1, ensure_ascii=False) + "\n"
