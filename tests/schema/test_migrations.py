"""The migrations and the tables in the code say the same."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from lavendertown.collaboration.database_storage import DatabaseStorage
from lavendertown.stores.sql.connection.engine import make_engine
from lavendertown.stores.sql.schema.tables import metadata


def differences(url: str) -> list[object]:
    DatabaseStorage(url).close()
    engine = make_engine(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        found = [
            difference for difference in compare_metadata(context, metadata) if not _version_table(difference)
        ]
    engine.dispose()
    return found


def _version_table(difference: object) -> bool:
    return isinstance(difference, tuple) and getattr(difference[1], "name", "") == "alembic_version"


def test_sqlite_has_the_tables_of_the_code(tmp_path: Path) -> None:
    assert differences(f"sqlite:///{tmp_path / 'x.db'}") == []


@pytest.mark.postgres
def test_postgresql_has_the_tables_of_the_code(postgres_url: str) -> None:
    assert differences(postgres_url) == []


@pytest.mark.postgres
def test_postgresql_has_the_foreign_keys_of_the_code_and_has_checked_them(postgres_url: str) -> None:
    DatabaseStorage(postgres_url).close()
    engine = make_engine(postgres_url)
    with engine.connect() as connection:
        query = sa.text("SELECT conname, convalidated FROM pg_constraint WHERE contype = 'f'")
        made = dict(connection.execute(query).all())
    engine.dispose()
    declared = {
        str(constraint.name)
        for table in metadata.tables.values()
        for constraint in table.foreign_key_constraints
    }
    assert made == dict.fromkeys(declared, True)


def test_every_index_is_made(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'x.db'}"
    DatabaseStorage(url).close()
    engine = make_engine(url)
    with engine.connect() as connection:
        names = sa.text("SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")
        made = set(connection.scalars(names))
    engine.dispose()
    assert made == {index.name for table in metadata.tables.values() for index in table.indexes}
