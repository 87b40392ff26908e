"""Errors as Connect reports them: a code, and one sentence without SQL, paths or tracebacks."""

from __future__ import annotations

import logging
import re

from connectrpc.code import Code
from connectrpc.errors import ConnectError

from lavendertown.core.errors import (
    ConfigurationError,
    ConflictError,
    FileLimitError,
    InvalidInputError,
    LavenderTownError,
    NotFoundError,
    RaceError,
    SchemaError,
    StorageError,
    StorageUnavailableError,
    StoreMovedError,
    UnfinishedMigrationError,
)
from lavendertown.database.model_rows import RecordLimitError, is_unique_violation, refusal_sentence

log = logging.getLogger("lavendertown.rpc")
_MAX_LENGTH = 1000
_UNFORESEEN = "Unexpected error; see the server's log."
_UNAVAILABLE = "The store does not answer, or is busy; nothing was written. Try again in a moment."
_REFUSED = "The store could not carry out this call; nothing was written. The server's log says why."
_MOVED = "The records are being moved, or were moved, to another store; nothing was written. Try again later."

# The message of these was written for people and holds what the caller sent, never SQL.
_SHOWN: tuple[tuple[type[Exception], Code], ...] = (
    (RecordLimitError, Code.RESOURCE_EXHAUSTED),
    (FileLimitError, Code.RESOURCE_EXHAUSTED),
    (RaceError, Code.ABORTED),
    (ConflictError, Code.ABORTED),
    (NotFoundError, Code.NOT_FOUND),
    (InvalidInputError, Code.INVALID_ARGUMENT),
)
# The message of these may name files, hosts or SQL: it goes to the log only.
_HIDDEN: tuple[tuple[type[Exception], Code, str], ...] = (
    (StoreMovedError, Code.UNAVAILABLE, _MOVED),
    (UnfinishedMigrationError, Code.UNAVAILABLE, _MOVED),
    (StorageUnavailableError, Code.UNAVAILABLE, _UNAVAILABLE),
    (SchemaError, Code.FAILED_PRECONDITION, _REFUSED),
    (ConfigurationError, Code.FAILED_PRECONDITION, _REFUSED),
    (StorageError, Code.INTERNAL, _REFUSED),
    (LavenderTownError, Code.INTERNAL, _UNFORESEEN),
)


def connect_error(error: Exception) -> ConnectError:
    """Return the error that a caller sees; what it hides is logged."""
    if isinstance(error, ConnectError):
        return error
    if is_unique_violation(error):
        return ConnectError(Code.ALREADY_EXISTS, one_sentence(_duplicate_sentence(error)))
    if refusal := refusal_sentence(error):
        return ConnectError(Code.FAILED_PRECONDITION, refusal)
    for kind, code in _SHOWN:
        if isinstance(error, kind):
            return ConnectError(code, one_sentence(str(error)))
    for hidden, code, sentence in _HIDDEN:
        if isinstance(error, hidden):
            log.error("A call failed: %s", error)
            return ConnectError(code, sentence)
    log.error("A call failed unexpectedly", exc_info=error)
    return ConnectError(Code.INTERNAL, _UNFORESEEN)


def _duplicate_sentence(error: Exception) -> str:
    if isinstance(error, RaceError):
        return "Another record has one of these unique values already; nothing was written."
    return str(error)


def hook_refusal(error: ValueError) -> ConnectError:
    """Return the error of a hook that refused a change by a ValueError, in the hook's own words."""
    return ConnectError(Code.INVALID_ARGUMENT, one_sentence(str(error)) or "The change was refused.")


def one_sentence(text: str) -> str:
    """Return a message on one line, of a bounded length."""
    line = re.sub(r"\s+", " ", text).strip()
    return line if len(line) <= _MAX_LENGTH else f"{line[:_MAX_LENGTH]}…"
