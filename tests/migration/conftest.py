"""Places to move from and to, two of each kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.contract.places import Place
from tests.support.postgres import create_database, drop_database

MakePlace = Callable[[str, str], Place]


@pytest.fixture
def make_place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakePlace]:
    """Return a place of a kind where nothing is yet."""
    databases: list[str] = []

    def make(backend: str, name: str) -> Place:
        if backend == "file":
            return Place("file", str(tmp_path / name))
        if backend == "sqlite":
            return Place("sqlite", f"sqlite:///{tmp_path / name}.db")
        if backend == "mariadb":
            return Place("mariadb", request.getfixturevalue("mariadb_url"))
        databases.append(create_database(request.getfixturevalue("postgres_server")))
        return Place("postgres", databases[-1])

    yield make
    for url in databases:
        drop_database(request.getfixturevalue("postgres_server"), url)
