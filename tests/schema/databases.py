"""The asset databases as SQLite files and on PostgreSQL, and what is in a database, row by row."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from lavendertown.database import schema
from lavendertown.database.engine import BEGIN, make_engine
from lavendertown.database.upgrade import changing

ASSETS = Path(__file__).parent / "assets"
FIRST = ASSETS / "0001" / "lavendertown.db"
OLD = ASSETS / "071" / "lavendertown.db"


def copy_of(asset: Path, folder: Path, name: str = "store.db") -> str:
    """Copy an asset and return its URL."""
    return f"sqlite:///{shutil.copy(asset, folder / name)}"


def rows(url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of every table but the schema's revision, times and JSON as they read."""
    engine = make_engine(url)
    found = sa.MetaData()
    with engine.connect().execution_options(**{BEGIN: "BEGIN"}) as connection:
        found.reflect(connection)
        content = {
            table.name: sorted((tuple(row) for row in connection.execute(sa.select(table))), key=repr)
            for table in found.sorted_tables
            if table.name != "alembic_version"
        }
    engine.dispose()
    return content


def first_on_postgres(url: str) -> None:
    """Make a PostgreSQL database as the first schema had it, with the asset's rows."""
    source, target = make_engine(f"sqlite:///{FIRST}"), make_engine(url)
    with changing(target) as connection:
        schema.migrate(connection, "0001")
    from lavendertown.database.tables import metadata

    with source.connect().execution_options(**{BEGIN: "BEGIN"}) as old, target.begin() as new:
        for table in metadata.sorted_tables:
            if not sa.inspect(old).has_table(table.name):
                continue
            found = [dict(row) for row in old.execute(sa.select(table)).mappings()]
            if found:
                new.execute(sa.insert(table), found)
    source.dispose()
    target.dispose()


def old_on_postgres(url: str) -> None:
    """Make a PostgreSQL database as 0.7.1 did, with the asset's rows."""
    source, target = sa.create_engine(f"sqlite:///{OLD}"), make_engine(url)
    found = sa.MetaData()
    found.reflect(source)
    for table in found.tables.values():
        for column in table.columns:
            # SQLite's DATETIME has no meaning elsewhere.
            column.type = column.type.as_generic()
    found.create_all(target)
    with source.connect() as old, target.begin() as new:
        for table in found.sorted_tables:
            content = [dict(row) for row in old.execute(sa.select(table)).mappings()]
            if content:
                new.execute(sa.insert(table), content)
    source.dispose()
    target.dispose()
