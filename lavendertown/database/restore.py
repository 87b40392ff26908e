"""Putting a backup back."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import URL

from lavendertown.database import schema
from lavendertown.database.copies import Copy, open_sqlite
from lavendertown.database.copies_postgres import open_archive, open_dump
from lavendertown.database.engine import read_url
from lavendertown.database.errors import where
from lavendertown.database.replace import look_at, refuse_other_tables, replacing
from lavendertown.errors import InvalidInputError

_SQLITE_HEADER = b"SQLite format 3\0"
_KINDS = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}


@dataclass(frozen=True)
class Restored:
    """What a restore did, or would do.

    Attributes:
        before: The revision the database had; empty where it had no tables.
        rows: How many rows of each table were put back.
        held: How many rows each table had before.
        replaced: The copy of what was there before; None where there was nothing, and in a dry run.
    """

    before: str
    rows: Mapping[str, int]
    held: Mapping[str, int]
    replaced: Path | None


def restore(
    database_url: str, file: Path | str, *, actor: str = "internal", dry_run: bool = False
) -> Restored:
    """Put a backup in the place of everything a database holds, audit log included.

    The file is a SQLite file, our archive, or a custom-format file of ``pg_dump``; it is checked
    first. All rows are replaced in one transaction, in which nobody else writes: what somebody
    committed before is in the copy that is kept, what somebody commits afterwards comes on top. The
    restored audit log ends in one line about this.

    Args:
        database_url: The database; an empty one gets its tables.
        file: The backup.
        actor: Who does it, for the audit log.
        dry_run: Check everything, say what would be done, and change nothing.

    Raises:
        InvalidInputError: The file is no backup, damaged, the database itself, or of the other kind.
        SchemaError: The file or the database is of another program or version.
        StorageError: The database does not answer, or could not be backed up. In every case,
            nothing was changed.
    """
    file, url = Path(file), read_url(database_url)
    _refuse_itself(file, url)
    with open_copy(file) as copy:
        _refuse_other_kind(copy, url)
        if dry_run:
            return _preview(copy, database_url)
        with replacing(database_url) as place:
            refuse_other_tables(str(file), _columns(copy), place.tables, place.held)
            kept = place.clear()
            for table in place.tables:
                if table.name in copy.rows:
                    copy.fill(place.connection, table.name)
            told = {"file": file.name, "rows": dict(copy.rows), "kept": kept.name if kept else None}
            place.finish(actor, "restore", file.name, told)
        return Restored(place.before, copy.rows, place.held, kept)


def _refuse_itself(file: Path, url: URL) -> None:
    own = Path(url.database or "")
    if url.get_backend_name() == "sqlite" and file.exists() and own.exists() and file.samefile(own):
        raise InvalidInputError(f"{file} is the database itself; nothing was changed. Name a backup of it.")


def _refuse_other_kind(copy: Copy, url: URL) -> None:
    if copy.backend != url.get_backend_name():
        raise InvalidInputError(
            f"{copy.path} is a backup of {_KINDS[copy.backend]} and cannot be put back into {where(url)}; "
            "nothing was changed. From one kind of database to the other it goes with: lavendertown migrate, "
            "or lavendertown db export and db import"
        )


def _columns(copy: Copy) -> dict[str, set[str]]:
    return {table: set(copy.columns(table)) for table in copy.rows}


def _preview(copy: Copy, database_url: str) -> Restored:
    tables, held = look_at(database_url)
    refuse_other_tables(str(copy.path), _columns(copy), tables, held)
    return Restored(schema.HEAD if held else "", copy.rows, held, None)


@contextlib.contextmanager
def open_copy(path: Path) -> Iterator[Copy]:
    """Open and check a copy: a SQLite file, our archive, or a custom-format file of pg_dump.

    Raises:
        InvalidInputError: It is none of these, or damaged.
        SchemaError: It is of another program, or of another version of LavenderTown.
        StorageError: It is a dump, and pg_restore is not there.
    """
    try:
        with path.open("rb") as file:
            head = file.read(16)
    except OSError as error:
        raise InvalidInputError(
            f"{path} cannot be read ({error.strerror}); nothing was changed. Name a backup of this database."
        ) from error
    if head == _SQLITE_HEADER:
        opened: contextlib.AbstractContextManager[Copy] = open_sqlite(path)
    elif head.startswith(b"PK"):
        opened = open_archive(path)
    elif head.startswith(b"PGDMP"):
        opened = open_dump(path)
    else:
        raise InvalidInputError(
            f"{path} is no backup: neither a SQLite database, nor an archive of ours, nor a dump of pg_dump. "
            "Nothing was changed. Choose another file."
        )
    with opened as copy:
        yield copy
