"""Places to move from and to, two of each kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.contract.store_locations import StoreLocation
from tests.support.postgres import create_database, drop_database

MakePlace = Callable[[str, str], StoreLocation]


@pytest.fixture
def make_place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakePlace]:
    """Return a place of a kind where nothing is yet."""
    databases: list[str] = []

    def make(backend: str, name: str) -> StoreLocation:
        if backend == "file":
            return StoreLocation("file", str(tmp_path / name))
        if backend == "sqlite":
            return StoreLocation("sqlite", f"sqlite:///{tmp_path / name}.db")
        if backend == "mariadb":
            return StoreLocation("mariadb", request.getfixturevalue("mariadb_url"))
        databases.append(create_database(request.getfixturevalue("postgres_server")))
        return StoreLocation("postgres", databases[-1])

    yield make
    for url in databases:
        drop_database(request.getfixturevalue("postgres_server"), url)
