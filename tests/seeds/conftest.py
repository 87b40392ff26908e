"""The places of the contract suite."""

from __future__ import annotations

from tests.contract.conftest import (
    fresh_place,
    mariadb_tables,
    open_storage,
    place,
    postgres_tables,
    storage,
)

__all__ = [
    "fresh_place",
    "mariadb_tables",
    "open_storage",
    "place",
    "postgres_tables",
    "storage",
]
