"""Open any store as the source of a migration."""

from __future__ import annotations

import datetime as dt

from lavendertown.collaboration.storage import refuse_unfinished_migration
from lavendertown.core.errors import InvalidInputError
from lavendertown.stores.files.layout import Layout
from lavendertown.transfer.locations import StoreLocation, open_database, read_store_state
from lavendertown.transfer.readers.database_source import DatabaseSource
from lavendertown.transfer.readers.folder_source import FolderSource
from lavendertown.transfer.readers.quarantine import Quarantine
from lavendertown.transfer.readers.source import Source


def open_source(location: StoreLocation, zone: dt.tzinfo | None, quarantine: Quarantine) -> Source:
    """Open the store at a location for reading.

    Args:
        location: The store.
        zone: The time zone for times without one; None for the default of the kind of store.
        quarantine: Takes what cannot be read.

    Raises:
        InvalidInputError: There is no store at the location, or the database is empty.
        SchemaError: The database has a schema that cannot be read.
        UnfinishedMigrationError: The store is the target of an unfinished migration.
        StorageUnavailableError: The store does not respond.
    """
    if not location.exists:
        raise InvalidInputError(
            f"There is no store to migrate from: {location.folder or location.file} does not exist."
        )
    if location.folder is not None:
        folder = FolderSource(location.folder, zone, quarantine)
        # Only a target of a migration is checked, because the check fails on damaged files.
        return _refuse_unfinished(folder) if Layout(location.folder).migrations_dir.is_dir() else folder
    state = read_store_state(location)
    if state == "empty":
        raise InvalidInputError(f"There is nothing to migrate: {location.display_name} is empty.")
    if state == "old":
        # Needs SQLAlchemy, which data folders do not.
        from lavendertown.transfer.readers.legacy_source import LegacyDatabaseSource

        return LegacyDatabaseSource.open(location.url, zone, quarantine)
    return _refuse_unfinished(DatabaseSource(open_database(location), quarantine))


def _refuse_unfinished(source: Source) -> Source:
    if source.store is not None:
        refuse_unfinished_migration(source.store)
    return source
