"""Where a store is: what people write for it, what it is called, and a first look that changes nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from lavendertown.errors import ConfigurationError, InvalidInputError, SchemaError
from lavendertown.records.contract import Store
from lavendertown.records.files import FileStore
from lavendertown.records.files.layout import Layout
from lavendertown.records.queries import Deleted, ReportQuery
from lavendertown.records.values import Move

if TYPE_CHECKING:
    from lavendertown.database.store import DatabaseStore

_SQLITE_HEADER = b"SQLite format 3\0"
_PORTS = {"postgresql": 5432, "mariadb": 3306}


@dataclass(frozen=True)
class Place:
    """A data folder or a database.

    Attributes:
        kind: ``"folder"``, ``"sqlite"``, ``"postgresql"`` or ``"mariadb"``.
        folder: The data folder; None for a database.
        url: The database's URL with its password; empty for a folder.
        words: Names it for people, without the password.
        location: The same for every way of writing the same place, without the password.
    """

    kind: str
    folder: Path | None
    url: str = field(repr=False)
    words: str
    location: str

    @property
    def file(self) -> Path | None:
        """The SQLite file, where it is one."""
        return Path(self.location.removeprefix("sqlite:")) if self.kind == "sqlite" else None

    @property
    def exists(self) -> bool:
        """Tell whether there is a folder or file; of a server nothing is known before it is asked."""
        path = self.folder or self.file
        return path is None or path.exists()


@dataclass(frozen=True)
class Looked:
    """What a first look at a place found.

    Attributes:
        state: ``"empty"``, ``"ready"``, ``"old"`` (written by 0.7; fine as a source) or ``"refused"``.
        reports: How many there are, deleted ones included; None where that is not known.
        unfinished: A move into it that was not finished.
        sentence: What it is, or why it cannot be used.
    """

    kind: str
    words: str
    state: str
    reports: int | None
    unfinished: Move | None
    sentence: str


def read_place(text: str) -> Place:
    """Return the place that a folder's path or a database's URL names.

    Raises:
        InvalidInputError: It names neither.
        ConfigurationError: It is no URL, or of a database that is not supported.
        ImportError: It is a database and SQLAlchemy is missing.
    """
    text = text.strip()
    if not text:
        raise InvalidInputError("No store is named; give a data folder or a database URL.")
    if "://" in text:
        return _database(text)
    path = Path(text).expanduser()
    if path.is_file():
        if path.open("rb").read(16) == _SQLITE_HEADER:
            return _database(f"sqlite:///{path}")
        raise InvalidInputError(f"{path} is a file, not a data folder; give the folder it lies in.")
    if not path.exists() and path.suffix in (".db", ".sqlite", ".sqlite3"):
        raise InvalidInputError(f"For a SQLite file write sqlite:///{path}; {path} would be a folder.")
    return Place("folder", path, "", f"files in {_short(path)}", f"folder:{path.resolve()}")


def _database(text: str) -> Place:
    try:
        from lavendertown.database.engine import read_url
        from lavendertown.database.errors import where
    except ImportError as error:
        from lavendertown.collaboration.database_storage import MISSING

        raise ImportError(MISSING) from error
    url = read_url(text)
    full = url.render_as_string(hide_password=False)
    if url.get_backend_name() == "sqlite":
        if not url.database or url.database == ":memory:":
            raise ConfigurationError("A SQLite database in memory is gone when it is closed; name a file.")
        return Place("sqlite", None, full, where(url), f"sqlite:{Path(url.database).resolve()}")
    # Who logs in is not part of the place.
    backend = url.get_backend_name()
    location = f"{backend}:{url.host or 'localhost'}:{url.port or _PORTS[backend]}/{url.database or ''}"
    return Place(backend, None, full, where(url), location)


def _short(path: Path) -> str:
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def state(place: Place) -> str:
    """Return ``"empty"``, ``"ready"``, or what else a database's schema is; changes nothing.

    Raises:
        StorageUnavailableError: The database does not answer.
    """
    if place.kind == "folder":
        return "ready" if place.exists and any_records(place) else "empty"
    from lavendertown.database import schema

    found = schema.look(place.url)
    if found.state is schema.State.CURRENT:
        return "ready"
    return "old" if found.is_old else found.state.value


def any_records(place: Place) -> bool:
    """Tell whether a folder holds anything a store writes."""
    assert place.folder is not None
    layout = Layout(place.folder)
    folders = (layout.reports, layout.annotations, layout.rulesets, layout.old_rulesets, layout.audit)
    return any(next(folder.iterdir(), None) for folder in (*folders, layout.moves) if folder.is_dir())


def is_old(place: Place) -> bool:
    """Tell whether a database was written by LavenderTown 0.7."""
    return place.kind != "folder" and state(place) == "old"


def open_store(place: Place) -> Store:
    """Open a place as a store; a database that is empty gets its tables.

    Raises:
        SchemaError: The database has another schema.
        StorageUnavailableError: It does not answer.
    """
    if place.folder is not None:
        return FileStore(place.folder)
    return open_database(place)


def open_database(place: Place) -> DatabaseStore:
    """Open a database as :func:`open_store` does."""
    from lavendertown.database.store import DatabaseStore

    return DatabaseStore(place.url)


def look(text: str) -> Looked:
    """Look at what a path or URL names: connects and reads, changes nothing.

    Raises:
        LavenderTownError: It names nothing, or does not answer.
    """
    place = read_place(text)
    found = state(place)
    if found == "empty":
        new = "" if place.exists else ", which does not exist yet"
        return Looked(place.kind, place.words, found, 0, None, f"{_capital(place.words)}{new}: empty.")
    if found == "old":
        sentence = f"{_capital(place.words)}: written by LavenderTown 0.7."
        return Looked(place.kind, place.words, found, None, None, sentence)
    try:
        store = open_store(place)
    except SchemaError as error:
        return Looked(place.kind, place.words, "refused", None, None, str(error))
    try:
        count = store.count(ReportQuery(deleted=Deleted.INCLUDED))
        unfinished = next((move for move in store.moves() if move.finished_at is None), None)
    finally:
        store.close()
    sentence = f"{_capital(place.words)}: holds {count:,} report{'' if count == 1 else 's'}."
    return Looked(place.kind, place.words, "ready", count, unfinished, sentence)


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]
