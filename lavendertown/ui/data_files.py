"""The files of the screen Data: where backups lie, a data folder as a zip, an upload as a file."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from streamlit.runtime.uploaded_file_manager import UploadedFile

from lavendertown import clock
from lavendertown.config import Settings
from lavendertown.errors import StorageUnavailableError
from lavendertown.records.files import FileStore
from lavendertown.records.files.layout import Layout
from lavendertown.records.values import Kind

FILES = "files-"
EXPORT = "export-"


@dataclass(frozen=True)
class Copy:
    """A file in the folder of backups.

    Attributes:
        size: In bytes.
        made: Seconds since 1970.
    """

    path: Path
    size: int
    made: float


def folder(settings: Settings) -> Path:
    """Return where backups and exports of the configured store are put."""
    if settings.storage_type == "database":
        from lavendertown.migration.places import read_place

        place = read_place(settings.database_url)
        if place.file is not None:
            return place.file.parent / "backups"
    return settings.data_dir / "backups"


def copies(settings: Settings, *, exports: bool = False) -> list[Copy]:
    """List the backups, or the exports, that were made, newest first."""
    place = folder(settings)
    if not place.is_dir():
        return []
    found = []
    for path in place.iterdir():
        if _fits(path.name, settings, exports) and path.is_file():
            stat = path.stat()
            found.append(Copy(path, stat.st_size, stat.st_mtime))
    return sorted(found, key=lambda copy: (copy.made, copy.path.name), reverse=True)


def _fits(name: str, settings: Settings, exports: bool) -> bool:
    """Tell whether a file is of the configured kind of store; several may share the folder."""
    if exports or name.startswith(EXPORT):
        return exports and name.startswith(EXPORT) and name.endswith(".zip")
    if settings.storage_type == "file":
        return name.startswith(FILES) and name.endswith(".zip")
    suffixes = (".db",) if settings.database_url.startswith("sqlite") else (".zip", ".dump")
    return name.endswith(suffixes) and not name.startswith(FILES)


def free_name(place: Path, stem: str, suffix: str) -> Path:
    """Return a path that is not taken: the stem, the time, and a number where needed."""
    start = f"{stem}{clock.now():%Y%m%dT%H%M%S}"
    numbers = ("", *(f"-{number}" for number in range(2, 1000)))
    return next(path for number in numbers if not (path := place / f"{start}{number}{suffix}").exists())


def zip_folder(store: FileStore, place: Path) -> Path:
    """Copy a data folder's records into a zip while nobody writes; return it.

    Settings, databases and earlier backups in the folder are left out.

    Raises:
        StorageUnavailableError: The folder cannot be read, or the zip not be written.
    """
    root = store.layout.root
    try:
        place.mkdir(parents=True, exist_ok=True)
        target = free_name(place, FILES, ".zip")
        draft = target.with_name(f"{target.name}.part")
        try:
            with store.frozen(), zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as made:
                for path in records(store.layout):
                    made.write(path, path.relative_to(root))
            return draft.rename(target)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise StorageUnavailableError(
            f"The files could not be copied to {place} ({error.strerror or error}); nothing was changed. "
            "Free some space or change the folder's permissions, then try again."
        ) from error


def records(layout: Layout) -> Iterator[Path]:
    """Yield the files that hold a data folder's records."""
    folders = {
        layout.reports,
        layout.annotations,
        layout.rulesets,
        layout.old_rulesets,
        layout.aliases.parent,
        layout.moves,
        layout.audit,
        *(layout.plain(kind) for kind in (Kind.TRIAGE, Kind.PERSON, Kind.VIEW)),
    }
    for each in sorted(folders):
        yield from (path for path in sorted(each.rglob("*")) if path.is_file())


@contextmanager
def as_file(source: Path | UploadedFile) -> Iterator[Path]:
    """Give a file on the server as it is, and an uploaded one as a file of its name, for a while."""
    if isinstance(source, Path):
        yield source
        return
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / (Path(source.name).name or "upload")
        with path.open("wb") as file:
            source.seek(0)
            shutil.copyfileobj(source, file)
        yield path
