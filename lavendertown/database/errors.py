"""Driver errors, turned into our own. The only place that knows their texts."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import sqlalchemy as sa
from sqlalchemy.engine import URL

from lavendertown.database import plans
from lavendertown.errors import (
    ConfigurationError,
    LavenderTownError,
    RaceError,
    StorageError,
    StorageUnavailableError,
)

_LOCKED = "{where} is locked by another program; nothing was written. Try again in a moment."
_SQLITE = (
    ("disk is full", "The disk of {where} is full; nothing was written. Free some space and try again."),
    ("readonly", "{where} cannot be written; nothing was written. Change its permissions."),
    ("unable to open", "{where} cannot be opened. Check that its folder exists and can be written."),
    ("locked", _LOCKED),
    ("not a database", "{where} is not a SQLite database; nothing was changed. Choose another file."),
    ("malformed", "{where} is damaged; nothing was changed. Restore it from a backup."),
    ("disk i/o", "{where} cannot be read or written (disk error); nothing was written."),
)

# serialization_failure, deadlock_detected, and plans that are not there any more
_POSTGRES_RACES = ("40001", "40P01", *plans.LOST)
# MariaDB's: a deadlock, which takes the savepoints with it, and a row that changed since the first look.
_MARIADB_RACES = (1213, 1305, 1020)
_MARIADB_WAITED = 1205
_NAMES = {"postgresql": "PostgreSQL", "mariadb": "MariaDB", "mysql": "MySQL"}


def where(url: URL) -> str:
    """Name a database for people, without its password."""
    if url.get_backend_name() == "sqlite":
        return f"SQLite at {url.database}" if url.database else "SQLite in memory"
    port = f":{url.port}" if url.port else ""
    name = _NAMES[url.get_backend_name()]
    return f"{name} at {url.host or 'localhost'}{port}/{url.database or ''}"


def reason(error: BaseException) -> str:
    """Say in one line what an application's own code raised, for a sentence of ours."""
    said = error.orig if isinstance(error, sa.exc.DBAPIError) and error.orig is not None else error
    text = next((line.strip() for line in str(said).splitlines() if line.strip()), "").rstrip(".")
    if isinstance(error, LavenderTownError) and text:
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


@contextlib.contextmanager
def translated(url: URL) -> Iterator[None]:
    """Turn whatever the driver raises into one clear sentence."""
    try:
        yield
    except sa.exc.IntegrityError as error:
        raise _integrity(url, error) from error
    except sa.exc.DBAPIError as error:
        raise _driver(url, error) from error
    except sa.exc.InvalidRequestError as error:
        if "not a MariaDB" not in str(error):
            raise
        raise ConfigurationError(
            f"{where(url)} is a MySQL, on which LavenderTown cannot keep its records. Choose a MariaDB."
        ) from error
    except sa.exc.TimeoutError as error:
        raise StorageUnavailableError(
            f"{where(url)} has no free connection; nothing was written. Try again in a moment."
        ) from error


def _integrity(url: URL, error: sa.exc.IntegrityError) -> Exception:
    text = _text(error)
    if "unique" in text.lower() or "duplicate" in text.lower():
        return RaceError(
            "Somebody else saved a record with this id at the same moment; nothing was written. Try again."
        )
    return StorageError(f"{where(url)} refused the change; nothing was written: {_first_line(text)}.")


def _driver(url: URL, error: sa.exc.DBAPIError) -> Exception:
    text = _text(error)
    place = where(url)
    if url.get_backend_name() == "sqlite":
        for sign, sentence in _SQLITE:
            if sign in text.lower():
                return StorageUnavailableError(sentence.format(where=place))
        return StorageError(f"{place} did not do it; nothing was written: {_first_line(text)}.")
    number = _number(error)
    if number == _MARIADB_WAITED:
        return StorageUnavailableError(_LOCKED.format(where=place))
    if getattr(error.orig, "pgcode", None) in _POSTGRES_RACES or number in _MARIADB_RACES:
        return RaceError(
            "Somebody else changed the same findings at the same moment; nothing was written. Try again."
        )
    if error.connection_invalidated or isinstance(error, (sa.exc.OperationalError, sa.exc.InterfaceError)):
        return StorageUnavailableError(
            f"{place} does not answer; nothing was written ({_first_line(text)}). "
            "Check that the server runs and the URL is right, then try again."
        )
    return StorageError(f"{place} did not do it; nothing was written: {_first_line(text)}.")


def _text(error: sa.exc.DBAPIError) -> str:
    """Return what the driver said, without the number that PyMySQL puts before it."""
    said = error.orig.args[1] if _number(error) is not None and error.orig is not None else error.orig
    return str(said)


def _number(error: sa.exc.DBAPIError) -> int | None:
    """Return the number of MariaDB's error; None of another database's."""
    args = error.orig.args if error.orig is not None else ()
    return args[0] if len(args) == 2 and isinstance(args[0], int) else None


def _first_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[0].rstrip(".") if lines else "no reason given"
