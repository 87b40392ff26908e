from __future__ import annotations

from collections.abc import Iterator

import pytest

from lavendertown.collaboration.storage import Storage
from tests.migration.conftest import MakePlace, make_place
from tests.transfer.bundle_helpers import Open

__all__ = ["make_place"]


@pytest.fixture
def open_store(make_place: MakePlace) -> Iterator[Open]:
    """Open a store of a kind, with a name."""
    opened: list[Storage] = []

    def make(backend: str, name: str) -> Storage:
        opened.append(make_place(backend, name).open_storage())
        return opened[-1]

    yield make
    for storage in opened:
        storage.close()
