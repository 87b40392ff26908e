"""Write and open archives: zip files of the data-folder layout with a manifest and checksums.

Members have the names and formats of a data folder (:mod:`lavendertown.stores.files.layout`), so an archive
unpacked into an empty folder is a data folder. Tables without records, such as an application's own, are
stored as ``tables/NAME.csv`` in the format of an export. Unreadable items of the store are copied unchanged
into ``quarantine/``. ``manifest.json`` has these keys:

* ``archive``: the format, :data:`ARCHIVE_FORMAT`,
* ``counts``: the number of records of each kind,
* ``members``: the SHA-256 of each member except the tables,
* ``tables``: the tables, each with its file, number of rows, SHA-256 and columns,
* ``unreadable``: the items in ``quarantine/``, with reasons.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import tempfile
import time
import zipfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from lavendertown import __version__
from lavendertown.core import clock, json_codec
from lavendertown.core.atomic_files import write_atomically
from lavendertown.core.errors import InvalidInputError, StorageUnavailableError
from lavendertown.records.record_classes import (
    FLAT_RECORD_CLASSES,
    KIND_BY_CLASS,
    AnnotationRecord,
    FlatRecord,
    ReportRecord,
)
from lavendertown.stores import zip_files
from lavendertown.stores.files import formats, report_format
from lavendertown.stores.files.layout import Layout, file_name
from lavendertown.transfer.locations import StoreLocation, folder_has_records
from lavendertown.transfer.readers.folder_source import FolderSource
from lavendertown.transfer.readers.quarantine import Quarantine
from lavendertown.transfer.readers.source import Source
from lavendertown.transfer.values import COUNT_NAME_BY_KIND, QuarantinedItem
from lavendertown.transfer.verification import BEGINNING_OF_TIME

ARCHIVE_FORMAT = 1
MANIFEST_NAME = "manifest.json"
_TABLES, _QUARANTINE = "tables", "quarantine"
_LAYOUT = Layout(Path())
_RECORD_FOLDERS = frozenset(folder.name for folder in _LAYOUT.record_dirs)
_SHA256 = re.compile("[0-9a-f]{64}")

WriteTables = Callable[[zipfile.ZipFile], Sequence[Mapping[str, Any]]]


@dataclass(frozen=True)
class ArchiveResult:
    """A written archive.

    Attributes:
        file: The zip file.
        counts: The number of records of each kind, and of rows of each other table.
        unreadable: Unreadable items of the store; the archive contains them unchanged.
    """

    file: Path
    counts: Mapping[str, int]
    unreadable: Sequence[QuarantinedItem]


def write_archive(location: StoreLocation, file: Path, *, is_frozen: bool = False) -> ArchiveResult:
    """Write a consistent copy of a store into a new archive.

    Writing to a data folder is blocked while it is read; a database is read in one transaction.

    Args:
        location: The store.
        file: The archive.
        is_frozen: Whether the caller has already blocked writing to the data folder.

    Raises:
        InvalidInputError: The file exists already, or the data folder is empty.
        SchemaError: The database is empty, or belongs to another program or version.
        StorageError: The store does not respond, or the file cannot be written.
    """
    if file.exists():
        raise InvalidInputError(f"{file} already exists; nothing was changed. Choose another name.")
    try:
        with tempfile.TemporaryDirectory() as scratch:
            quarantine = Quarantine(Path(scratch))
            with (
                _open_snapshot(location, quarantine, is_frozen) as (source, write_tables),
                write_atomically(file) as draft,
                zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as zip_file,
            ):
                return _write_contents(ArchiveWriter(zip_file), source, write_tables, file)
    except OSError as error:
        raise StorageUnavailableError(
            f"{file} could not be written ({error.strerror or error}); nothing was changed. Free some space "
            "or choose another folder, then try again."
        ) from error


@contextlib.contextmanager
def _open_snapshot(
    location: StoreLocation, quarantine: Quarantine, is_frozen: bool
) -> Iterator[tuple[Source, WriteTables]]:
    """Open a consistent snapshot of a store; yield it and a function that writes its other tables."""
    if location.folder is not None:
        if not folder_has_records(location):
            raise InvalidInputError(f"There is nothing to archive: {location.display_name} are empty.")
        folder = FolderSource(location.folder, None, quarantine)
        with contextlib.nullcontext() if is_frozen else folder.freeze_writes():
            yield folder, lambda zip_file: ()
        return
    from lavendertown.stores.sql.copies.export import write_other_tables
    from lavendertown.stores.sql.transaction_store import open_snapshot_store
    from lavendertown.transfer.readers.database_source import DatabaseSource

    with open_snapshot_store(location.url) as store:
        yield (
            DatabaseSource(store, quarantine),
            lambda zip_file: write_other_tables(store.connection, zip_file),
        )


class ArchiveWriter:
    """Adds members to a zip file and collects their checksums and counts."""

    def __init__(self, zip_file: zipfile.ZipFile) -> None:
        self.zip = zip_file
        self.members: dict[str, str] = {}
        self.counts: Counter[str] = Counter()

    def add_report(self, report: ReportRecord) -> None:
        """Add a report, and count its findings."""
        self.add_member(_LAYOUT.report_file(report.id), report_format.write_report(report), "reports")
        self.counts["findings"] += len(report.findings)

    def add_aliases(self, aliases: Mapping[str, str]) -> None:
        """Add the older ids of findings with their current ids, if there are any."""
        if aliases:
            self.add_member(_LAYOUT.aliases_file, formats.write_aliases(aliases))

    def add_threads(self, annotations: Iterable[AnnotationRecord]) -> None:
        """Add annotations, a member per finding."""
        threads: defaultdict[str, list[AnnotationRecord]] = defaultdict(list)
        for annotation in annotations:
            threads[annotation.finding_id].append(annotation)
        for finding_id, thread in sorted(threads.items()):
            thread.sort(key=lambda annotation: (annotation.created_at, annotation.id))
            path = _LAYOUT.thread_file(finding_id)
            self.add_member(path, formats.write_thread(thread), "annotations", len(thread))

    def add_flat_record(self, record: FlatRecord) -> None:
        """Add a record of a flat kind."""
        kind = KIND_BY_CLASS[type(record)]
        path = _LAYOUT.flat_dir(kind) / file_name(record.id)
        self.add_member(path, formats.write_flat_record(record), COUNT_NAME_BY_KIND[kind])

    def write_manifest(self, marks: Mapping[str, Any]) -> None:
        """Write the manifest with these keys, the version, the time, the counts and the checksums."""
        manifest = {
            **marks,
            "lavendertown": __version__,
            "made_at": clock.now().isoformat(),
            "counts": self.counts,
            "members": self.members,
        }
        self.zip.writestr(MANIFEST_NAME, json_codec.dumps(manifest, indent=True), zipfile.ZIP_DEFLATED)

    def add_member(self, path: Path, data: bytes, count_as: str = "", count: int = 1) -> None:
        """Add a file, and count its records."""
        name = path.as_posix()
        number = 1
        while name in self.members:
            # A manually edited audit file can contain events of another month.
            number += 1
            name = path.with_name(f"{path.stem}-{number}{path.suffix}").as_posix()
        self.zip.writestr(name, data, zipfile.ZIP_DEFLATED)
        self.members[name] = hashlib.sha256(data).hexdigest()
        if count_as:
            self.counts[count_as] += count


def _write_contents(
    writer: ArchiveWriter, source: Source, write_tables: WriteTables, file: Path
) -> ArchiveResult:
    _write_records(writer, source)
    tables = write_tables(writer.zip)
    unreadable = source.quarantine.items
    if source.quarantine.folder is not None:
        for path in sorted(source.quarantine.folder.iterdir()):
            if not path.is_symlink():
                writer.add_member(Path(_QUARANTINE) / path.name, path.read_bytes())
    writer.write_manifest(
        {
            "archive": ARCHIVE_FORMAT,
            "tables": tables,
            "unreadable": [asdict(each) for each in unreadable],
        }
    )
    rows = {str(table["name"]): int(table["rows"]) for table in tables}
    return ArchiveResult(file, {**writer.counts, **rows}, unreadable)


def _write_records(writer: ArchiveWriter, source: Source) -> None:
    """Write each record into the member that corresponds to its file in a data folder."""
    for report in source.read_reports():
        writer.add_report(report)
    writer.add_aliases(source.read_aliases())
    writer.add_threads(source.read_annotations())
    for ruleset in source.read_rulesets():
        writer.add_member(_LAYOUT.ruleset_file(ruleset.id), formats.write_ruleset(ruleset), "rulesets")
    for kind in FLAT_RECORD_CLASSES:
        for record in source.read_flat_records(kind):
            writer.add_flat_record(record)
    for path, events in groupby(
        source.read_events(BEGINNING_OF_TIME), lambda event: _LAYOUT.audit_file(event.at)
    ):
        lines = [formats.write_event(event) for event in events]
        writer.add_member(path, b"".join(lines), "events", len(lines))
    for migration in source.store.migrations() if source.store is not None else ():
        writer.add_member(_LAYOUT.migration_file(migration.id), formats.write_migration(migration))


@dataclass(frozen=True)
class Archive:
    """An open archive whose checksums are correct.

    Attributes:
        path: The file.
        zip: The open zip file.
        manifest: The manifest; a minimal one for a zip of a data folder that has none.
        folder: The folder with the unpacked records.
    """

    path: Path
    zip: zipfile.ZipFile
    manifest: Mapping[str, Any]
    folder: Path


def damaged_file_error(path: Path, reason: str) -> InvalidInputError:
    """Return the error for a damaged file."""
    return InvalidInputError(f"{path} is damaged ({reason}); nothing was changed. Choose another backup.")


def is_archive(zip_file: zipfile.ZipFile, manifest: Mapping[str, Any] | None) -> bool:
    """Return whether a zip is an archive, or a zipped data folder as earlier versions made it."""
    if manifest is not None:
        return "archive" in manifest
    names = zip_file.namelist()
    return (
        MANIFEST_NAME not in names
        and bool(names)
        and all(_member_folder(name) in _RECORD_FOLDERS for name in names)
    )


@contextlib.contextmanager
def open_archive(
    path: Path, zip_file: zipfile.ZipFile, manifest: Mapping[str, Any] | None
) -> Iterator[Archive]:
    """Check an archive and unpack its records into a temporary folder.

    Raises:
        InvalidInputError: The archive is damaged, or of a format that this version does not read.
        StorageUnavailableError: There is not enough space for the unpacked records.
    """
    manifest = manifest or {"archive": ARCHIVE_FORMAT, "tables": []}
    if manifest["archive"] != ARCHIVE_FORMAT:
        raise InvalidInputError(
            f"{path} has the archive format {manifest['archive']!r}; this version reads {ARCHIVE_FORMAT}. "
            "Nothing was changed. Restore it with the version that wrote it."
        )
    with tempfile.TemporaryDirectory() as scratch:
        problem = unpack_records(path, zip_file, manifest, Path(scratch), {*_RECORD_FOLDERS, _QUARANTINE})
        if problem is not None:
            raise damaged_file_error(path, problem)
        yield Archive(path, zip_file, manifest, Path(scratch))


def unpack_records(
    path: Path, zip_file: zipfile.ZipFile, manifest: Mapping[str, Any], target: Path, folders: Set[str]
) -> str | None:
    """Check the members of a zip against its manifest, and unpack the records.

    Args:
        path: The file, for messages.
        zip_file: The open zip file.
        manifest: The manifest.
        target: An empty folder.
        folders: The folders that may contain records.

    Returns:
        What is wrong with the file, in a few words; None if nothing is.

    Raises:
        StorageUnavailableError: There is not enough space for the unpacked records.
    """
    try:
        problem = _find_problem(zip_file, manifest, folders)
        if problem is not None:
            return problem
        _require_free_space(path, zip_file, target)
        return _unpack_members(zip_file, manifest.get("members"), target, folders)
    except zip_files.UNREADABLE_ZIP_ERRORS as error:
        return str(error) or type(error).__name__


def _member_folder(name: str) -> str:
    """Return the folder of a member; an empty string if the name is not a file directly in a folder."""
    folder, _, rest = name.partition("/")
    return folder if rest and not re.search(r"[/\\\0]", rest) and rest not in (".", "..") else ""


def _find_problem(zip_file: zipfile.ZipFile, manifest: Mapping[str, Any], folders: Set[str]) -> str | None:
    """Return what is wrong with the manifest, the list of members or the tables; None if nothing is."""
    zip_files.check_unpacked_sizes(zip_file)
    problem = zip_files.find_manifest_problem(manifest, with_columns=True)
    if problem is not None:
        return problem
    names = zip_file.namelist()
    if len(set(names)) < len(names):
        return "two members have the same name"
    allowed = {*folders, *((_TABLES,) if manifest["tables"] else ())}
    for name in names:
        if name != MANIFEST_NAME and _member_folder(name) not in allowed:
            return f"{name!r} is not a member of an archive"
    if "members" not in manifest:
        return None if MANIFEST_NAME not in names else "the manifest lists no members"
    members = manifest["members"]
    if not isinstance(members, dict) or not all(map(_is_digest, members.values())):
        return "the members in the manifest are not names with checksums"
    listed = {*members, *(table["file"] for table in manifest["tables"]), MANIFEST_NAME}
    if missing := sorted(listed - set(names)):
        return f"{missing[0]} is missing"
    if added := sorted(set(names) - listed):
        return f"{added[0]} is not listed in the manifest"
    for table in manifest["tables"]:
        if zip_files.compute_member_digest(zip_file, table["file"]) != table["sha256"]:
            return f"{table['file']} does not match its checksum"
    return None


def _is_digest(value: object) -> bool:
    return isinstance(value, str) and _SHA256.fullmatch(value) is not None


def _require_free_space(path: Path, zip_file: zipfile.ZipFile, folder: Path) -> None:
    needed = sum(entry.file_size for entry in zip_file.infolist())
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise StorageUnavailableError(
            f"Unpacking {path} needs {needed:,} bytes, and {free:,} bytes are free for temporary files; "
            "nothing was changed. Free some space, then try again."
        )


def _unpack_members(
    zip_file: zipfile.ZipFile, members: Mapping[str, str] | None, folder: Path, folders: Set[str]
) -> str | None:
    """Unpack the records into a folder; return which member does not match its checksum, or None."""
    for entry in zip_file.infolist():
        if _member_folder(entry.filename) not in folders:
            continue
        path = folder / entry.filename
        path.parent.mkdir(exist_ok=True)
        digest = hashlib.sha256()
        with path.open("wb") as file:
            for data in zip_files.read_member_chunks(zip_file, entry.filename):
                digest.update(data)
                file.write(data)
        if members is not None and digest.hexdigest() != members[entry.filename]:
            return f"{entry.filename} does not match its checksum"
        # The modification time of the file is the only time that a rule set of 0.7 has.
        modified = time.mktime((*entry.date_time, 0, 0, -1))
        os.utime(path, (modified, modified))
    return None
