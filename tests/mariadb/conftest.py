"""What is so on MariaDB alone. These tests are collected by `make test-mariadb` only."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lavendertown.collaboration.database_storage import DatabaseStorage
from lavendertown.collaboration.storage import Storage
from tests.support.mariadb import PARAMS

collect_ignore_glob = [] if PARAMS else ["test_*.py"]


@pytest.fixture
def storage(mariadb_url: str) -> Iterator[Storage]:
    opened = DatabaseStorage(mariadb_url)
    yield opened
    opened.close()
