"""Store locations: parse a folder path or database URL, and inspect or open the store there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from lavendertown.core.errors import ConfigurationError, InvalidInputError, SchemaError
from lavendertown.records.queries import DeletedFilter, ReportQuery
from lavendertown.records.record_classes import MigrationRecord
from lavendertown.records.store import Store
from lavendertown.stores.files import FileStore
from lavendertown.stores.files.layout import Layout

if TYPE_CHECKING:
    from lavendertown.stores.sql.store import DatabaseStore

SQLITE_HEADER = b"SQLite format 3\0"
_PORTS = {"postgresql": 5432, "mariadb": 3306}


@dataclass(frozen=True)
class StoreLocation:
    """The location of a data folder or a database.

    Attributes:
        kind: ``"folder"``, ``"sqlite"``, ``"postgresql"`` or ``"mariadb"``.
        folder: The data folder; None for a database.
        url: The database's URL with its password; empty for a folder.
        display_name: A name for people, without the password.
        canonical_address: Equal for all spellings of the same location; without user and password.
    """

    kind: str
    folder: Path | None
    url: str = field(repr=False)
    display_name: str
    canonical_address: str

    @property
    def file(self) -> Path | None:
        """Return the SQLite file; None for any other kind of store."""
        return Path(self.canonical_address.removeprefix("sqlite:")) if self.kind == "sqlite" else None

    @property
    def exists(self) -> bool:
        """Return whether the folder or file exists; always True for a database server."""
        path = self.folder or self.file
        return path is None or path.exists()


@dataclass(frozen=True)
class StoreInspection:
    """The result of inspecting a store.

    Attributes:
        kind: The location's kind.
        display_name: The location's name for people.
        state: ``"empty"``, ``"ready"``, ``"old"`` (written by 0.7; usable as a source) or ``"refused"``.
        reports: The number of reports, deleted ones included; None if unknown.
        unfinished: An unfinished migration into the store.
        message: A description of the store, or why it cannot be used.
    """

    kind: str
    display_name: str
    state: str
    reports: int | None
    unfinished: MigrationRecord | None
    message: str


def parse_location(text: str) -> StoreLocation:
    """Return the location for a folder path or a database URL.

    Raises:
        InvalidInputError: The text is neither a folder path nor a URL.
        ConfigurationError: The URL is malformed, or the kind of database is not supported.
        ImportError: The URL is that of a database, and SQLAlchemy is not installed.
    """
    text = text.strip()
    if not text:
        raise InvalidInputError("No store was given. Enter a data folder or a database URL.")
    if "://" in text:
        return _parse_database_url(text)
    path = Path(text).expanduser()
    if path.is_file():
        if path.open("rb").read(16) == SQLITE_HEADER:
            return _parse_database_url(f"sqlite:///{path}")
        raise InvalidInputError(f"{path} is a file, not a data folder. Enter the folder that contains it.")
    if not path.exists() and path.suffix in (".db", ".sqlite", ".sqlite3"):
        raise InvalidInputError(
            f"{path} would be read as a folder. For a SQLite file, enter sqlite:///{path}."
        )
    return StoreLocation("folder", path, "", f"files in {_shorten_path(path)}", f"folder:{path.resolve()}")


@contextmanager
def database_libraries() -> Iterator[None]:
    """Raise an error that says what to install if an import in the block fails.

    Raises:
        ImportError: SQLAlchemy is not installed.
    """
    try:
        yield
    except ImportError as error:
        from lavendertown.collaboration.database_storage import SQLALCHEMY_MISSING

        raise ImportError(SQLALCHEMY_MISSING) from error


def _parse_database_url(text: str) -> StoreLocation:
    with database_libraries():
        from lavendertown.stores.sql.connection.engine import read_url
        from lavendertown.stores.sql.connection.errors import store_name
    url = read_url(text)
    url_text = url.render_as_string(hide_password=False)
    if url.get_backend_name() == "sqlite":
        if not url.database or url.database == ":memory:":
            raise ConfigurationError(
                "A SQLite database in memory cannot be used, because it is lost on closing. Enter a file."
            )
        file = Path(url.database)
        return StoreLocation(
            "sqlite", None, url_text, f"SQLite at {_shorten_path(file)}", f"sqlite:{file.resolve()}"
        )
    # The same database for every user: the user name is left out.
    backend = url.get_backend_name()
    address = f"{backend}:{url.host or 'localhost'}:{url.port or _PORTS[backend]}/{url.database or ''}"
    return StoreLocation(backend, None, url_text, store_name(url), address)


def _shorten_path(path: Path) -> str:
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def read_store_state(location: StoreLocation) -> str:
    """Return ``"empty"``, ``"ready"``, ``"old"`` (written by 0.7) or another schema state; change nothing.

    Raises:
        StorageUnavailableError: The database does not respond.
    """
    if location.kind == "folder":
        return "ready" if location.exists and folder_has_records(location) else "empty"
    from lavendertown.stores.sql.schema import revisions

    schema = revisions.inspect_schema(location.url)
    if schema.state is revisions.SchemaState.CURRENT:
        return "ready"
    return "old" if schema.is_legacy else schema.state.value


def folder_has_records(location: StoreLocation) -> bool:
    """Return whether a data folder contains any records, audit events or migrations."""
    assert location.folder is not None
    layout = Layout(location.folder)
    folders = (
        layout.reports_dir,
        layout.annotations_dir,
        layout.rulesets_dir,
        layout.old_rulesets_dir,
        layout.audit_dir,
    )
    return any(
        next(folder.iterdir(), None) for folder in (*folders, layout.migrations_dir) if folder.is_dir()
    )


def is_legacy_database(location: StoreLocation) -> bool:
    """Return whether a database was written by LavenderTown 0.7."""
    return location.kind != "folder" and read_store_state(location) == "old"


def open_store(location: StoreLocation) -> Store:
    """Open the store at a location; create the tables in an empty database.

    Raises:
        SchemaError: The database has another schema.
        StorageUnavailableError: The database does not respond.
    """
    if location.folder is not None:
        return FileStore(location.folder)
    return open_database(location)


def open_database(location: StoreLocation) -> DatabaseStore:
    """Open a database; create the tables if it is empty."""
    from lavendertown.stores.sql.store import DatabaseStore

    return DatabaseStore(location.url)


def inspect_store(text: str) -> StoreInspection:
    """Inspect the store at a path or URL without changing anything.

    Raises:
        LavenderTownError: The text is not a location, or the store does not respond.
    """
    location = parse_location(text)
    state = read_store_state(location)
    name = _capitalize(location.display_name)
    if state == "empty":
        suffix = "" if location.exists else ", which does not exist yet"
        return StoreInspection(
            location.kind, location.display_name, state, 0, None, f"{name}{suffix}: empty."
        )
    if state == "old":
        message = f"{name}: written by LavenderTown 0.7."
        return StoreInspection(location.kind, location.display_name, state, None, None, message)
    try:
        store = open_store(location)
    except SchemaError as error:
        return StoreInspection(location.kind, location.display_name, "refused", None, None, str(error))
    try:
        count = store.count(ReportQuery(deleted=DeletedFilter.INCLUDED))
        unfinished = next((each for each in store.migrations() if each.finished_at is None), None)
    finally:
        store.close()
    message = f"{name}: {count:,} report{'' if count == 1 else 's'}."
    return StoreInspection(location.kind, location.display_name, "ready", count, unfinished, message)


def _capitalize(text: str) -> str:
    return text[:1].upper() + text[1:]
