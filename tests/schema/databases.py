"""The asset databases as SQLite files and on PostgreSQL, and what is in a database, row by row."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from lavendertown.stores.sql.connection.engine import BEGIN_OPTION, make_engine
from lavendertown.stores.sql.schema import revisions
from lavendertown.stores.sql.schema.upgrade import schema_change
from lavendertown.stores.sql.statements.column_types import JsonData, UtcDateTime

ASSETS = Path(__file__).parent / "assets"
FIRST = ASSETS / "0001" / "lavendertown.db"
OLD = ASSETS / "071" / "lavendertown.db"


def copy_of(asset: Path, folder: Path, name: str = "store.db") -> str:
    """Copy an asset and return its URL."""
    return f"sqlite:///{shutil.copy(asset, folder / name)}"


def rows(url: str) -> dict[str, list[tuple[tuple[str, Any], ...]]]:
    """Return every row of every table but the schema's revision, as pairs of column and value."""
    engine = make_engine(url)
    found = sa.MetaData()
    with engine.connect().execution_options(**{BEGIN_OPTION: "BEGIN"}) as connection:
        found.reflect(connection)
        content = {
            table.name: sorted(
                (tuple(sorted(row.items())) for row in connection.execute(sa.select(table)).mappings()),
                key=repr,
            )
            for table in found.sorted_tables
            if table.name != "alembic_version"
        }
    engine.dispose()
    return content


def without_keys(content: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """Return rows without the numbers that a database gives them, which differ from store to store.

    Neither is the last count of a finding compared that only deleted reports hold: nobody sees it.
    """

    def kept(row: tuple[tuple[str, Any], ...]) -> tuple[tuple[str, Any], ...]:
        left_out = {"key", "report_key", "identity_key"}
        if dict(row).get("times_seen") == 0:
            left_out |= {"last_count", "last_share"}
        return tuple(pair for pair in row if pair[0] not in left_out)

    return {name: sorted(map(kept, lines), key=repr) for name, lines in content.items()}


def both(before: Any, after: Any) -> tuple[Any, Any]:
    """Return the rows of the tables and columns that both have, so that a change of schema is left out."""
    tables = sorted(before.keys() & after.keys())
    columns = {
        name: {c for row in before[name] for c, _ in row} & {c for row in after[name] for c, _ in row}
        for name in tables
        if before[name] and after[name]
    }

    def kept(content: Any) -> Any:
        return {
            name: sorted(
                (tuple(pair for pair in row if pair[0] in columns.get(name, ())) for row in content[name]),
                key=repr,
            )
            for name in tables
        }

    return kept(before), kept(after)


def assert_same(before: object, after: object) -> None:
    """Assert that an upgrade lost nothing: a finding that came back after it was fixed is open now."""
    kept, now = both(before, after)
    for found in (kept, now):
        found["identities"] = [tuple(p for p in row if p[0] != "status") for row in found["identities"]]
    assert now == kept


def first_on_postgres(url: str) -> None:
    """Make a PostgreSQL database as the first schema had it, with the asset's rows."""
    source, target = make_engine(f"sqlite:///{FIRST}"), make_engine(url)
    with schema_change(target) as connection:
        revisions.run_migrations(connection, "0001")
    found_tables = sa.MetaData()
    found_tables.reflect(target)
    for table in found_tables.tables.values():
        for column in table.columns:
            if isinstance(column.type, sa.DateTime):
                column.type = UtcDateTime()
            elif isinstance(column.type, sa.JSON):
                column.type = JsonData
    with source.connect().execution_options(**{BEGIN_OPTION: "BEGIN"}) as old, target.begin() as new:
        for table in found_tables.sorted_tables:
            if table.name == "alembic_version":
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
