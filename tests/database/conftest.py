"""An application's database on each backend, with the tables of the test module."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from lavendertown.database import application, startup
from lavendertown.database.model_accessor import _HOOKS
from tests.support import mariadb


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres), *mariadb.PARAMS])
def app_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database on each backend that has LavenderTown's tables, or none (MariaDB)."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("sqlite_template"), tmp_path / "app.db")
        return f"sqlite:///{tmp_path / 'app.db'}"
    url: str = request.getfixturevalue("postgres_store_url" if request.param == "postgres" else "mariadb_url")
    return url


@pytest.fixture
def database(request: pytest.FixtureRequest, app_url: str) -> Iterator[application.Database]:
    """The application's database, with the tables of the module's ``Base`` and no hooks."""
    startup.bootstrap(database_url=app_url)
    startup.create_missing_tables(application.get_engine(), request.module.Base.metadata)
    yield application.current_database()
    application.current_database().close()
    _HOOKS.clear()
