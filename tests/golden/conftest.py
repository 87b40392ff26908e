"""The demo store on files, SQLite and PostgreSQL: filled once for each worker and only read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lavendertown.collaboration.storage import Storage
from tests.contract.store_locations import StoreLocation
from tests.golden import demo_store
from tests.golden.command_line import run_json
from tests.golden.recording import Recording
from tests.support.postgres import create_database, drop_database


@dataclass(frozen=True)
class Filled:
    """The demo store in a place, and what was generated while it was filled."""

    place: StoreLocation
    storage: Storage
    recording: Recording


@pytest.fixture(
    scope="session", params=["file", "sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
)
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def filled(
    backend: str, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Filled]:
    """The demo store; tests do not write into it."""
    folder = tmp_path_factory.mktemp("golden")
    if backend == "postgres":
        server = request.getfixturevalue("postgres_server")
        place = StoreLocation(backend, create_database(server))
    elif backend == "sqlite":
        place = StoreLocation(backend, f"sqlite:///{folder / 'store.db'}")
    else:
        place = StoreLocation(backend, str(folder / "store"))
    storage = place.open_storage()
    yield Filled(place, storage, demo_store.fill(storage))
    storage.close()
    if backend == "postgres":
        drop_database(server, place.where)


@pytest.fixture
def data_folder(filled: Filled, tmp_path: Path) -> Path:
    """The demo store as a data folder: the store itself, or what a migration makes of a database."""
    if filled.place.backend == "file":
        return Path(filled.place.where)
    run_json("migrate", "--from", filled.place.where, "--to", str(tmp_path / "folder"))
    return tmp_path / "folder"
