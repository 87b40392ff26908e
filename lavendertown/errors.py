"""Public import path of the errors in :mod:`lavendertown.core.errors`."""

from lavendertown.core.errors import (
    ConfigurationError,
    ConflictError,
    DamagedRecordError,
    FileLimitError,
    InvalidInputError,
    LavenderTownError,
    NotFoundError,
    RaceError,
    RefusedRowsError,
    SchemaError,
    SeveralTablesError,
    StorageError,
    StorageUnavailableError,
    StoreMovedError,
    UnfinishedMigrationError,
    UnreadableTableError,
)

__all__ = [
    "ConfigurationError",
    "ConflictError",
    "DamagedRecordError",
    "FileLimitError",
    "InvalidInputError",
    "LavenderTownError",
    "NotFoundError",
    "RaceError",
    "RefusedRowsError",
    "SchemaError",
    "SeveralTablesError",
    "StorageError",
    "StorageUnavailableError",
    "StoreMovedError",
    "UnfinishedMigrationError",
    "UnreadableTableError",
]
