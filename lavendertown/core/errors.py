"""The errors LavenderTown raises. Each message says what happened, to which item, and what to do next."""

from __future__ import annotations

from collections.abc import Sequence


class LavenderTownError(Exception):
    """Base class of every error that this package raises deliberately.

    The message is one or two plain sentences that can be shown to a user unchanged.
    """


class InvalidInputError(LavenderTownError, ValueError):
    """An input value is not acceptable; nothing was written."""


class NotFoundError(LavenderTownError, LookupError):
    """The requested record does not exist or was deleted."""


class ConflictError(LavenderTownError):
    """The record changed since the caller read it; nothing was written.

    Attributes:
        kind: The record's kind, such as ``"report"``.
        record_id: The record's id.
        stored_version: The version that the store has now; None if unknown.
        changed_by: The author of the stored version; None if unknown.
    """

    def __init__(
        self,
        message: str,
        *,
        kind: str = "",
        record_id: str = "",
        stored_version: int | None = None,
        changed_by: str | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.record_id = record_id
        self.stored_version = stored_version
        self.changed_by = changed_by


class RaceError(ConflictError):
    """Two writers changed the same record at the same time; nothing was written. The caller can retry."""


class ConfigurationError(LavenderTownError):
    """A setting is missing, unknown or in conflict with another."""


class StorageError(LavenderTownError):
    """The store could not complete an operation; earlier committed changes are kept."""


class StorageUnavailableError(StorageError):
    """The store is unavailable (server down, folder missing or not writable, disk full)."""


class DamagedRecordError(StorageError):
    """A stored record is unreadable. The message names the file or row."""


class SchemaError(StorageError):
    """The database schema does not match this version of LavenderTown; nothing was changed."""


class UnreadableTableError(InvalidInputError):
    """A data file cannot be read as a table. The message names the file and, if known, the line."""


class SeveralTablesError(UnreadableTableError):
    """A file or database has several tables, and none was named.

    Attributes:
        names: The names of the tables, in order.
    """

    def __init__(self, message: str, names: Sequence[str]) -> None:
        super().__init__(message)
        self.names = tuple(names)


class FileLimitError(UnreadableTableError):
    """A data file exceeds a limit. The message names the file, the limit and its setting."""


class StoreMovedError(StorageError):
    """The records were migrated to another store after this one was opened; nothing was written."""


class UnfinishedMigrationError(StorageError):
    """A migration into the store is still running or was interrupted."""


class RefusedRowsError(InvalidInputError):
    """Rows of a file cannot be imported; nothing was written.

    Attributes:
        problems: One sentence per row, with the file and row number; at most 100.
    """

    def __init__(self, message: str, problems: Sequence[str]) -> None:
        super().__init__(message)
        self.problems = tuple(problems)
