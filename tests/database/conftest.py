"""An application's database on each backend, with the tables of the test module."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lavendertown.database import application, startup
from lavendertown.database.model_accessor import _HOOKS
from tests.support import mariadb


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres), *mariadb.PARAMS])
def app_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database on each backend."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'app.db'}"
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def database(request: pytest.FixtureRequest, app_url: str) -> Iterator[application.Database]:
    """The application's database, with the tables of the module's ``Base`` and no hooks."""
    startup.bootstrap(database_url=app_url)
    startup.create_missing_tables(application.get_engine(), request.module.Base.metadata)
    yield application.current_database()
    application.current_database().close()
    _HOOKS.clear()
