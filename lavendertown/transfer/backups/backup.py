"""Back up any store into one file, while it is in use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lavendertown.core import clock
from lavendertown.core.atomic_files import find_free_path
from lavendertown.core.errors import StorageUnavailableError
from lavendertown.core.settings import load_settings
from lavendertown.transfer.backups.archive import ArchiveResult, write_archive
from lavendertown.transfer.locations import StoreLocation
from lavendertown.transfer.values import QuarantinedItem

FOLDER_BACKUP_PREFIX = "files-"
ARCHIVE_PREFIX = "archive-"


@dataclass(frozen=True)
class Backup:
    """A finished backup.

    Attributes:
        file: The backup file.
        unreadable: Unreadable items of the store; an archive contains them unchanged.
    """

    file: Path
    unreadable: Sequence[QuarantinedItem] = ()

    @property
    def unreadable_message(self) -> str:
        """Return a sentence about the unreadable items; an empty string if there are none."""
        if not self.unreadable:
            return ""
        first, more = self.unreadable[0], len(self.unreadable) - 1
        others = f", and {more:,} more" if more else ""
        return f"Unreadable, copied unchanged: {first.item} ({first.reason.rstrip('.')}){others}."


def back_up(
    location: StoreLocation, folder: Path | None = None, *, as_archive: bool = False, is_frozen: bool = False
) -> Backup:
    """Back up a store into a new file.

    A SQLite database is copied into another SQLite file. PostgreSQL is dumped with ``pg_dump`` if that is
    installed and not older than the server. Otherwise, the backup is an archive, see
    :mod:`lavendertown.transfer.backups.archive`.

    Args:
        location: The store.
        folder: The folder for the file; by default :func:`backup_folder`.
        as_archive: Write an archive, which any kind of store can restore.
        is_frozen: Whether the caller has already blocked writing to the data folder.

    Raises:
        InvalidInputError: The data folder is empty.
        SchemaError: The database is empty, or belongs to another program or version.
        StorageError: The backup failed; or the database is a MariaDB, which has its own backup program.
    """
    folder = folder or backup_folder(location)
    if location.folder is not None or as_archive:
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageUnavailableError(
                f"{location.display_name} could not be backed up to {folder} ({error.strerror or error}); "
                "nothing was changed. Free some space or change the folder's permissions, then try again."
            ) from error
        stem = FOLDER_BACKUP_PREFIX if location.folder is not None else ARCHIVE_PREFIX
        file = find_free_path(folder, f"{stem}{clock.now():%Y%m%dT%H%M%S}", ".zip")
        archive = write_archive(location, file, is_frozen=is_frozen)
        return Backup(archive.file, archive.unreadable)
    from lavendertown.stores.sql.connection.engine import make_engine
    from lavendertown.stores.sql.copies.backup import copy_database

    archives: list[ArchiveResult] = []
    engine = make_engine(location.url)
    try:
        file = copy_database(engine, folder, lambda file: archives.append(write_archive(location, file)))
        return Backup(file, archives[0].unreadable if archives else ())
    finally:
        engine.dispose()


def backup_folder(location: StoreLocation) -> Path:
    """Return the default folder for backups of a store."""
    if location.file is not None:
        return location.file.parent / "backups"
    return (location.folder or load_settings().data_dir) / "backups"
