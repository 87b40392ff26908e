"""Every contract test runs on files, SQLite and PostgreSQL."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lavendertown.collaboration.storage import Storage
from tests.contract.places import Place

BACKENDS = [
    pytest.param("file", id="file"),
    pytest.param("sqlite", id="sqlite"),
    pytest.param("postgres", id="postgres", marks=pytest.mark.postgres),
]


@pytest.fixture(params=BACKENDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """An empty place of each kind."""
    if request.param == "file":
        return Place("file", str(tmp_path / "store"))
    if request.param == "sqlite":
        return Place("sqlite", f"sqlite:///{tmp_path / 'store.db'}")
    return Place("postgres", request.getfixturevalue("postgres_url"))


@pytest.fixture
def open_storage(place: Place) -> Iterator[Callable[[], Storage]]:
    """Open one more handle on the place; all are closed at the end."""
    opened: list[Storage] = []

    def another() -> Storage:
        opened.append(place.open())
        return opened[-1]

    yield another
    for storage in opened:
        storage.close()


@pytest.fixture
def storage(open_storage: Callable[[], Storage]) -> Storage:
    return open_storage()


@pytest.fixture
def local_zone(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Move this process into a time zone until the test ends."""

    def set_zone(name: str) -> None:
        monkeypatch.setenv("TZ", name)
        time.tzset()

    yield set_zone
    monkeypatch.undo()
    time.tzset()
