"""Check stores that dashboard visitors enter: which folders, files and database URLs they may use.

The text that :func:`vet_store` returns is safe to pass to any function that takes a folder or a URL. The
command line does not use this module: its users may use whatever the operating system allows.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path

from lavendertown.core.errors import InvalidInputError
from lavendertown.core.settings import VARIABLE_PREFIX, Settings
from lavendertown.transfer import locations, store_switch

SQLITE_SUFFIXES = (".db", ".sqlite", ".sqlite3")


def vet_store(text: str, settings: Settings) -> str:
    """Return a folder's absolute path or a database URL that is safe to open for a visitor.

    Paths are resolved, including links and ``..``, before they are compared with the folders that migrations
    may use. URLs keep only a few options, and their connections are isolated from this machine's own
    database credentials. The store in use and the store before the last switch are returned unchanged.

    Raises:
        InvalidInputError: The location or one of its options may not be used. The message does not reveal
            whether a path exists.
        ConfigurationError: The URL is malformed, or the kind of database is not supported.
        ImportError: The URL is that of a database, and SQLAlchemy is not installed.
    """
    text = text.strip()
    if not text:
        raise InvalidInputError("No store was given. Enter a data folder or a database URL.")
    known = (store_switch.current_address(settings), store_switch.previous_address(settings))
    if text in known:
        return text
    paths = _known_paths(known)
    if "://" not in text:
        return _vet_path(text, settings, paths, file=False)
    with locations.database_libraries():
        from lavendertown.stores.sql.connection.visitor_urls import vet_url
    return vet_url(
        text,
        partial(_vet_path, settings=settings, known=paths, file=True),
        partial(_vet_certificate, settings),
    )


def _vet_certificate(settings: Settings, text: str) -> str:
    path = _resolve_allowed_path(text, settings)
    if path is None or not _is_file(path):
        raise InvalidInputError(
            "The file in the option sslrootcert cannot be used. Put it into "
            f"{_format_allowed_folders(settings)}."
        )
    return str(path)


def _vet_path(text: str, settings: Settings, known: Iterable[Path], *, file: bool) -> str:
    path = _resolve_path(text)
    if path is not None and path in known:
        return str(path)
    path = _resolve_allowed_path(text, settings)
    if path is None:
        raise InvalidInputError(
            f"Migrations started in the browser can only use {_format_allowed_folders(settings)}. Choose a "
            "path inside, ask an administrator to add the folder to "
            f"{VARIABLE_PREFIX}MIGRATION_FOLDERS, or use `lavendertown migrate`."
        )
    if (file or _is_file(path)) and path.suffix.lower() not in SQLITE_SUFFIXES:
        raise InvalidInputError(f"The name of a SQLite file must end in {', '.join(SQLITE_SUFFIXES)}.")
    return str(path)


def _known_paths(texts: Iterable[str | None]) -> list[Path]:
    """Return the paths of the stores that are folders or SQLite files."""
    paths = [locations.parse_location(text).file if "://" in text else Path(text) for text in texts if text]
    return [path.resolve() for path in paths if path is not None]


def _resolve_allowed_path(text: str, settings: Settings) -> Path | None:
    """Return the resolved path; None if it is outside of the allowed folders."""
    path = _resolve_path(text)
    if path is None:
        return None
    folders = [folder.resolve() for folder in (settings.data_dir, *settings.migration_folders)]
    return path if any(path.is_relative_to(folder) for folder in folders) else None


def _resolve_path(text: str) -> Path | None:
    try:
        return Path(text).expanduser().resolve()
    except (OSError, ValueError, RuntimeError):
        # A NUL character, a loop of links, or an unknown user after "~".
        return None


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False


def _format_allowed_folders(settings: Settings) -> str:
    names = [str(folder) for folder in (settings.data_dir, *settings.migration_folders)]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
