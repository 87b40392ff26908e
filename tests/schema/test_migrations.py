"""The migrations and the tables in the code say the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from lavendertown.collaboration.database_storage import DatabaseStorage
from lavendertown.database.engine import make_engine
from lavendertown.database.tables import UNWATCHED, metadata


def differences(url: str) -> list[object]:
    DatabaseStorage(url).close()
    engine = make_engine(url)
    with engine.connect() as connection:
        watched = engine.dialect.name != "postgresql"
        options = {"compare_type": True, "include_object": _all if watched else _all_but_unwatched}
        context = MigrationContext.configure(connection, opts=options)
        found = [
            difference for difference in compare_metadata(context, metadata) if not _version_table(difference)
        ]
    engine.dispose()
    return found


def _all(*_: object) -> bool:
    return True


def _all_but_unwatched(found: Any, name: object, kind: str, *_: object) -> bool:
    return not (kind == "foreign_key_constraint" and found.table.name == UNWATCHED)


def _version_table(difference: object) -> bool:
    return isinstance(difference, tuple) and getattr(difference[1], "name", "") == "alembic_version"


def test_sqlite_has_the_tables_of_the_code(tmp_path: Path) -> None:
    assert differences(f"sqlite:///{tmp_path / 'x.db'}") == []


@pytest.mark.postgres
def test_postgresql_has_the_tables_of_the_code(postgres_url: str) -> None:
    assert differences(postgres_url) == []


@pytest.mark.postgres
def test_postgresql_looks_up_no_report_for_a_finding(postgres_url: str) -> None:
    DatabaseStorage(postgres_url).close()
    engine = make_engine(postgres_url)
    inspector = sa.inspect(engine)
    watched = {name for name in metadata.tables if inspector.get_foreign_keys(name)}
    engine.dispose()
    declared = {name for name, table in metadata.tables.items() if table.foreign_keys}
    assert declared - watched == {UNWATCHED}


def test_every_index_is_made(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'x.db'}"
    DatabaseStorage(url).close()
    engine = make_engine(url)
    with engine.connect() as connection:
        names = sa.text("SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")
        made = set(connection.scalars(names))
    engine.dispose()
    assert made == {index.name for table in metadata.tables.values() for index in table.indexes}
