"""The error family: each message says what happened, to which thing, and what to do next."""

from __future__ import annotations

from collections.abc import Sequence


class LavenderTownError(Exception):
    """Base of every error this package raises on purpose.

    The message is one or two plain sentences that may be shown to a user as they are.
    """


class InvalidInputError(LavenderTownError, ValueError):
    """A value that was handed in cannot be accepted; nothing was written."""


class NotFoundError(LavenderTownError, LookupError):
    """The named record does not exist (or was deleted)."""


class ConflictError(LavenderTownError):
    """The record changed since the caller read it; nothing was written.

    Attributes:
        kind: The record's kind, such as ``"report"``.
        record_id: Its id.
        stored_version: The version that is in the store now, None when unknown.
        changed_by: Who made the stored version, None when unknown.
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
    """Two writers met over the same new record; trying again settles it. Nothing was written."""


class ConfigurationError(LavenderTownError):
    """A setting is missing, unknown or contradicts another."""


class StorageError(LavenderTownError):
    """The store could not do what was asked; what was acknowledged before is kept."""


class StorageUnavailableError(StorageError):
    """The store does not answer (server down, folder gone or not writable, disk full)."""


class DamagedRecordError(StorageError):
    """A stored record cannot be read. The message names the file or row."""


class SchemaError(StorageError):
    """The database's schema is not the one this version works with; nothing was changed."""


class UnreadableTableError(InvalidInputError):
    """A data file cannot be read as a table. The message names the file and, where known, the line."""


class StoreMovedError(StorageError):
    """The team's records live in another store since this one was opened; nothing was written."""


class UnfinishedMoveError(StorageError):
    """The store is still being filled from another one, or was when somebody interrupted that."""


class RefusedRowsError(InvalidInputError):
    """Rows of a file cannot be brought in; nothing was written.

    Attributes:
        problems: A sentence for each row, with its file and number; at most 100.
    """

    def __init__(self, message: str, problems: Sequence[str]) -> None:
        super().__init__(message)
        self.problems = tuple(problems)
