"""Storage in SQLite or PostgreSQL."""

from __future__ import annotations

from lavendertown.collaboration.storage import Storage
from lavendertown.config import load_settings

MISSING = "SQLAlchemy is required. Install with: pip install lavendertown[database]"


class DatabaseStorage(Storage):
    """Storage in a database, with the methods of :class:`~lavendertown.collaboration.storage.Storage`.

    Args:
        database_url: ``sqlite:///path/to/file.db`` or ``postgresql://user:password@host/database``.
            The configured database by default, which is ``.lavendertown/lavendertown.db`` unless
            the settings say otherwise. An empty database gets its tables.

    Raises:
        ImportError: SQLAlchemy is not installed.
        ConfigurationError: The URL is not one, or its driver is not installed.
        StorageError: The database does not answer, or has another schema.
    """

    def __init__(self, database_url: str | None = None) -> None:
        try:
            import alembic  # noqa: F401
            import sqlalchemy  # noqa: F401
        except ImportError as error:
            raise ImportError(MISSING) from error
        from lavendertown.database.store import DatabaseStore

        super().__init__(DatabaseStore(database_url or load_settings().database_url))
