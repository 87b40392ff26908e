"""Translate driver errors into LavenderTown's errors, by error code.

Three errors have no code and are recognized by their text: SQLAlchemy's refusal of a MySQL server that is
not MariaDB, PyMySQL's refusal to send a local file to the server, and a TLS connection that was not made.
"""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.engine import URL

from lavendertown.core import locks
from lavendertown.core.errors import (
    ConfigurationError,
    LavenderTownError,
    RaceError,
    StorageError,
    StorageUnavailableError,
)

_LOCKED = "{where} is locked by another program; nothing was written. Try again in a moment."
_DISK_FULL = "The disk of {where} is full; nothing was written. Free some space, then try again."

# By primary result code: Python has no names for some extended codes.
_SQLITE_UNAVAILABLE = {
    sqlite3.SQLITE_FULL: _DISK_FULL,
    sqlite3.SQLITE_READONLY: "{where} is read-only; nothing was written. Change its permissions.",
    sqlite3.SQLITE_CANTOPEN: "{where} cannot be opened. Check that its folder exists and is writable.",
    sqlite3.SQLITE_BUSY: _LOCKED,
    sqlite3.SQLITE_LOCKED: _LOCKED,
    sqlite3.SQLITE_PROTOCOL: _LOCKED,
    sqlite3.SQLITE_NOTADB: "{where} is not a SQLite database; nothing was changed. Choose another file.",
    sqlite3.SQLITE_CORRUPT: "{where} is damaged; nothing was changed. Restore it from a backup.",
    sqlite3.SQLITE_IOERR: "{where} cannot be read or written (disk error); nothing was written.",
}
_SQLITE_DUPLICATES = ("SQLITE_CONSTRAINT_UNIQUE", "SQLITE_CONSTRAINT_PRIMARYKEY", "SQLITE_CONSTRAINT_ROWID")

# disk_full, read_only_sql_transaction
_POSTGRES_UNAVAILABLE = {
    "53100": _DISK_FULL,
    "25006": "{where} is read-only; nothing was written. Choose a server that accepts writes.",
}
# connection_exception, insufficient_resources, operator_intervention such as a shutdown
_POSTGRES_UNREACHABLE = ("08", "53", "57P")
# lock_not_available: lock_timeout is over
_POSTGRES_LOCK_TIMEOUT = "55P03"
# unique_violation
_POSTGRES_DUPLICATE = "23505"
# serialization_failure, deadlock_detected
_POSTGRES_RACES = ("40001", "40P01")

# ER_DISK_FULL, ER_RECORD_FILE_FULL
_MARIADB_UNAVAILABLE = {1021: _DISK_FULL, 1114: _DISK_FULL}
# A connection is refused or closed: too many connections, access denied (twice), unknown database, shutdown,
# host blocked or not allowed. PyMySQL's own error numbers are 2000 to 2999.
_MARIADB_UNREACHABLE = (1040, 1044, 1045, 1049, 1053, 1129, 1130)
# ER_DUP_KEY, ER_DUP_ENTRY, ER_DUP_UNIQUE, ER_DUP_ENTRY_WITH_KEY_NAME
_MARIADB_DUPLICATES = (1022, 1062, 1169, 1586)
# ER_LOCK_DEADLOCK, ER_SP_DOES_NOT_EXIST (a deadlock removes the savepoints), and ER_CHECKREAD (a row changed
# since it was first read)
_MARIADB_RACES = (1213, 1305, 1020)
# ER_LOCK_WAIT_TIMEOUT: innodb_lock_wait_timeout or lock_wait_timeout is over
_MARIADB_LOCK_TIMEOUT = 1205
# ER_SPECIFIC_ACCESS_DENIED_ERROR
_MARIADB_DENIED = 1227

# libpq's and OpenSSL's words, which are not translated.
_TLS = re.compile(r"\bSSL\b|\bcertificate\b|no encryption|sslmode", re.IGNORECASE)

# In URLs, up to the last @ before the host, and in connection strings.
_PASSWORDS = (
    re.compile(r"(://[^\s:/@]*:)[^\s]*(?=@)"),
    re.compile(r"(\bpassword\s*=\s*)('(?:[^'\\]|\\.)*'|[^\s&]+)", re.IGNORECASE),
)
_DATABASE_NAMES = {"postgresql": "PostgreSQL", "mariadb": "MariaDB", "mysql": "MySQL"}


def store_name(url: URL) -> str:
    """Return the name of a database for messages, without its password."""
    if url.get_backend_name() == "sqlite":
        return f"SQLite at {url.database}" if url.database else "SQLite in memory"
    port = f":{url.port}" if url.port else ""
    name = _DATABASE_NAMES[url.get_backend_name()]
    host = f"[{url.host}]" if ":" in (url.host or "") else url.host or "localhost"
    return f"{name} at {host}{port}/{url.database or ''}"


def driver_reason(error: BaseException) -> str:
    """Return one line on an error that application code raised, for use in an error message."""
    cause = error.orig if isinstance(error, sa.exc.DBAPIError) and error.orig is not None else error
    text = next((line.strip() for line in str(cause).splitlines() if line.strip()), "").rstrip(".")
    text = hide_passwords(text)
    if isinstance(error, LavenderTownError) and text:
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def hide_passwords(text: str, password: object = None) -> str:
    """Return a message with the passwords in URLs and connection strings replaced by asterisks.

    Args:
        text: A message from a driver or an application.
        password: The password of the connection; every occurrence is hidden.
    """
    if password and len(str(password)) > 2:
        text = text.replace(str(password), "***")
    for pattern in _PASSWORDS:
        text = pattern.sub(r"\1***", text)
    return text


@contextlib.contextmanager
def translate_errors(url: URL) -> Iterator[None]:
    """Translate the driver errors that the block raises into LavenderTown's errors."""
    try:
        yield
    except sa.exc.IntegrityError as error:
        raise _translate_integrity_error(url, error) from error
    except sa.exc.DBAPIError as error:
        raise _translate_driver_error(url, error) from error
    except sa.exc.InvalidRequestError as error:
        if "not a MariaDB" not in str(error):
            raise
        raise ConfigurationError(
            f"{store_name(url)} is a MySQL server, which LavenderTown does not support. Use a MariaDB server."
        ) from error
    except RuntimeError as error:
        if "LOAD_LOCAL" not in str(error):
            raise
        raise StorageUnavailableError(
            f"{store_name(url)} requested a file of this machine, which was refused; nothing was written. "
            "Check that the URL names your own server."
        ) from error
    except sa.exc.TimeoutError as error:
        raise StorageUnavailableError(
            f"{store_name(url)} has no free connection; nothing was written. Try again in a moment."
        ) from error


def is_sqlite_locked(error: sa.exc.DBAPIError) -> bool:
    """Return whether a statement failed because another connection holds SQLite's lock."""
    return _sqlite_code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def lacks_privilege(error: sa.exc.DBAPIError) -> bool:
    """Return whether MariaDB refused a statement because the account lacks a privilege."""
    return _mariadb_number(error) == _MARIADB_DENIED


def is_duplicate(error: sa.exc.IntegrityError) -> bool:
    """Return whether an integrity error is a duplicate of a unique value, not another violation."""
    return (
        getattr(error.orig, "sqlite_errorname", None) in _SQLITE_DUPLICATES
        or _postgres_code(error) == _POSTGRES_DUPLICATE
        or _mariadb_number(error) in _MARIADB_DUPLICATES
    )


def _translate_integrity_error(url: URL, error: sa.exc.IntegrityError) -> Exception:
    if is_duplicate(error):
        return RaceError(
            "Another user saved a record with this id at the same time; nothing was written. Try again."
        )
    return StorageError(
        f"{store_name(url)} refused the change; nothing was written: {first_line(url, error)}."
    )


def _translate_driver_error(url: URL, error: sa.exc.DBAPIError) -> Exception:
    reason = first_line(url, error)
    database = store_name(url)
    sqlite_code, sqlstate, number = _sqlite_code(error), _postgres_code(error), _mariadb_number(error)
    sentence = (
        _SQLITE_UNAVAILABLE.get(sqlite_code or 0)
        or _POSTGRES_UNAVAILABLE.get(sqlstate or "")
        or _MARIADB_UNAVAILABLE.get(number or 0)
    )
    if sentence is not None:
        return StorageUnavailableError(sentence.format(where=database))
    if sqlstate == _POSTGRES_LOCK_TIMEOUT or number == _MARIADB_LOCK_TIMEOUT:
        return locks.lock_timeout_error(database, "another session")
    if sqlstate in _POSTGRES_RACES or number in _MARIADB_RACES:
        return RaceError(
            "Another user changed the same findings at the same time; nothing was written. Try again."
        )
    if url.get_backend_name() != "sqlite" and _is_unreachable(error):
        if _TLS.search(reason):
            return StorageUnavailableError(
                f"{database} cannot be used with these TLS options; nothing was written ({reason}). Check "
                "the options of the database, such as sslmode and sslrootcert, and the name of the host."
            )
        return StorageUnavailableError(
            f"{database} does not answer; nothing was written ({reason}). "
            "Check that the server is running and the URL is correct, then try again."
        )
    return StorageError(f"{database} reported an error; nothing was written: {reason}.")


def _is_unreachable(error: sa.exc.DBAPIError) -> bool:
    """Return whether a server could not be reached or closed the connection."""
    if error.connection_invalidated:
        return True
    if not isinstance(error, (sa.exc.OperationalError, sa.exc.InterfaceError)):
        return False
    sqlstate, number = _postgres_code(error), _mariadb_number(error)
    if sqlstate is not None:
        return sqlstate.startswith(_POSTGRES_UNREACHABLE)
    return number is None or number in _MARIADB_UNREACHABLE or 2000 <= number < 3000


def _sqlite_code(error: sa.exc.DBAPIError) -> int | None:
    """Return SQLite's primary result code, the low byte of the extended one; None for other drivers."""
    code: int | None = getattr(error.orig, "sqlite_errorcode", None)
    return None if code is None else code & 0xFF


def _postgres_code(error: sa.exc.DBAPIError) -> str | None:
    """Return PostgreSQL's SQLSTATE; None if the server sent none, as when the connection is refused."""
    code: str | None = getattr(error.orig, "pgcode", None)
    return code


def _mariadb_number(error: sa.exc.DBAPIError) -> int | None:
    """Return MariaDB's error number; None for other databases."""
    args = error.orig.args if error.orig is not None else ()
    return args[0] if len(args) == 2 and isinstance(args[0], int) else None


def first_line(url: URL, error: sa.exc.DBAPIError) -> str:
    """Return the first line of the driver's message, without PyMySQL's error number.

    libpq has a line for each address of a host: one about TLS says more than one about an address at which
    nothing listens.
    """
    message = error.orig.args[1] if _mariadb_number(error) is not None and error.orig else error.orig
    text = hide_passwords(str(message), url.password)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    about_tls = [line for line in lines if _TLS.search(line)]
    return [*about_tls, *lines][0].rstrip(".") if lines else "no reason given"
