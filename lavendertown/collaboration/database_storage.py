"""Storage in SQLite or PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from lavendertown.collaboration.storage import Storage
from lavendertown.core.settings import load_settings

if TYPE_CHECKING:
    from lavendertown.database.session import Session

SQLALCHEMY_MISSING = "SQLAlchemy is required. Install with: pip install lavendertown[database]"


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
            raise ImportError(SQLALCHEMY_MISSING) from error
        from lavendertown.database.application import Database
        from lavendertown.stores.sql.store import DatabaseStore

        store = DatabaseStore(database_url or load_settings().database_url)
        super().__init__(store)
        self._database = Database(store.url, store.engine)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Open a SQLAlchemy session for one request or page action.

        It is one unit of work: committed at the end of the block, rolled back if the block raises, closed in
        any case. A nested ``session()`` of the same thread and task joins it.

        Raises:
            StoreMovedError: The settings name another database now; nothing was written.
        """
        with self._database.transaction() as session:
            yield session
            for guard in self.write_path.commit_guards:
                guard()
