"""Files of the Data screen: backups, exports and uploads."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from streamlit.runtime.uploaded_file_manager import UploadedFile

from lavendertown.core.settings import Settings
from lavendertown.stores.files.layout import Layout
from lavendertown.transfer.backups.backup import ARCHIVE_PREFIX, FOLDER_BACKUP_PREFIX, backup_folder
from lavendertown.transfer.store_switch import current_location

EXPORT = "export-"


@dataclass(frozen=True)
class BackupFile:
    """A file in the backup folder.

    Attributes:
        path: The file.
        size: Its size in bytes.
        modified_at: The time of its last change, in seconds since 1970.
    """

    path: Path
    size: int
    modified_at: float


def list_backup_files(settings: Settings, *, exports: bool = False) -> list[BackupFile]:
    """List the backups or the exports, newest first."""
    folder = backup_folder(current_location(settings))
    if not folder.is_dir():
        return []
    files = []
    for path in folder.iterdir():
        if _is_backup_file(path.name, settings, exports) and path.is_file():
            stat = path.stat()
            files.append(BackupFile(path, stat.st_size, stat.st_mtime))
    return sorted(files, key=lambda copy: (copy.modified_at, copy.path.name), reverse=True)


def _is_backup_file(name: str, settings: Settings, exports: bool) -> bool:
    """Return whether a file belongs to the configured kind of store; several kinds may share the folder."""
    if exports or name.startswith(EXPORT):
        return exports and name.startswith(EXPORT) and name.endswith(".zip")
    if settings.storage_type == "file":
        return name.startswith(FOLDER_BACKUP_PREFIX) and name.endswith(".zip")
    if name.startswith(ARCHIVE_PREFIX):
        return name.endswith(".zip")
    suffixes = (".db",) if settings.database_url.startswith("sqlite") else (".zip", ".dump")
    return name.endswith(suffixes) and not name.startswith(FOLDER_BACKUP_PREFIX)


def record_files(layout: Layout) -> Iterator[Path]:
    """Yield the record files of a data folder."""
    for each in sorted(layout.record_dirs):
        yield from (path for path in sorted(each.rglob("*")) if path.is_file())


@contextmanager
def open_as_file(source: Path | UploadedFile) -> Iterator[Path]:
    """Yield the path of a file on the server, or of a temporary file with the content of an upload."""
    if isinstance(source, Path):
        yield source
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / (Path(source.name).name or "upload")
        with path.open("wb") as file:
            source.seek(0)
            shutil.copyfileobj(source, file)
        yield path
