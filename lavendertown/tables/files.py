"""Read a data file: detect its format and call the reader for it."""

from __future__ import annotations

import codecs
import os
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path, PurePath
from typing import Any, BinaryIO

from lavendertown.core.errors import InvalidInputError, UnreadableTableError
from lavendertown.core.file_limits import DEFAULT_FILE_LIMITS, FileLimits
from lavendertown.core.reading import DETECT, Reading
from lavendertown.core.table_formats import TABLE_FORMATS
from lavendertown.tables import columnar
from lavendertown.tables.reader_errors import translate_reader_errors
from lavendertown.tables.sources import archives, duckdb_files, sqlite_files
from lavendertown.tables.table import Table
from lavendertown.tables.text_files import delimited, json_files
from lavendertown.tables.value_settings import apply_value_settings, applying_settings, note_unused_settings
from lavendertown.tables.workbooks import excel

PART_SIGN = "::"
"""Follows the path of a zip archive or a database, before the name of one of its tables."""

_FORMATS = {each.name: each for each in TABLE_FORMATS}
_PHRASES = {name: each.phrase for name, each in _FORMATS.items()} | {"zip": "a zip"}
_USUAL_ENDINGS = {name: each.endings[0] for name, each in _FORMATS.items()} | {"zip": "zip"}
FORMAT_LABELS = (*(each.label for each in TABLE_FORMATS), "SQLite", "DuckDB")
"""The names of all formats that :func:`read_table` reads."""

_SIGNATURES = {
    b"PAR1": "parquet",
    columnar.ARROW_FILE: "arrow",
    columnar.ARROW_STREAM: "arrow",
    columnar.AVRO: "avro",
    b"\xd0\xcf\x11\xe0": "excel",
}
_HEAD_BYTES = 256
_ZIP = b"PK\x03\x04"
_EMPTY_ZIP = b"PK\x05\x06"
_NOT_READ = {
    b"FEA1": "a Feather file of the old version 1",
    b"\x89HDF\r\n": "an HDF5 file",
    b"%PDF-": "a PDF file",
    b"$FL2": "an SPSS file",
    b"$FL3": "an SPSS file",
    b"<stata_dta>": "a Stata file",
    b"\x89PNG": "an image",
    b"\xff\xd8\xff": "an image",
}
"""Signatures of common file formats that are not supported."""

_MARKUP = {b"<?xml": "an XML file", b"<!doctype html": "an HTML page", b"<html": "an HTML page"}
"""The first characters, in lower case, of texts that are not tables."""

_OTHER_ENDINGS = {
    "docx": "a Word document",
    "pptx": "a PowerPoint presentation",
    "numbers": "a Numbers spreadsheet",
    "sas7bdat": "a SAS file",
    "dta": "a Stata file",
    "rds": "an R file",
    "rdata": "an R file",
    "pkl": "a Python pickle",
    "pickle": "a Python pickle",
    "npy": "a NumPy file",
    "npz": "a NumPy file",
    "mdb": "an Access database",
    "accdb": "an Access database",
    "xml": "an XML file",
    "yaml": "a YAML file",
    "yml": "a YAML file",
}
"""File name endings of formats that are not supported, and whose content may look like another one."""

_NOT_UNPACKED = {
    b"\x28\xb5\x2f\xfd": "compressed with zstd",
    b"\xfd7zXZ\x00": "compressed with xz",
    b"BZh": "compressed with bzip2",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"Rar!\x1a\x07": "a RAR archive",
}


def read_table(
    source: str | Path | bytes | BinaryIO,
    name: str | None = None,
    limits: FileLimits = DEFAULT_FILE_LIMITS,
    reading: Reading = DETECT,
    *,
    member: str | None = None,
) -> Table:
    """Read a data file, also gzipped or in a zip archive, or a table of a database file.

    Args:
        source: A path, the file's bytes, or an open binary file.
        name: The file's name, used to detect the format and in messages. Default: the name of the path
            or of the open file.
        limits: Limits for the size of the unpacked and parsed file.
        reading: Settings that are known; the others are detected. For a database, those of
            values apply.
        member: The path of the file in a zip archive, or the table of an SQLite or DuckDB file. Default: the
            only one in it.

    Raises:
        FileLimitError: The file exceeds a limit.
        SeveralTablesError: The archive or database has several tables, and ``member`` is not given.
        UnreadableTableError: The file does not exist or cannot be read as a table.
        InvalidInputError: ``source`` is not a path, bytes or a file.
    """
    if isinstance(source, (str, Path)) and (read_database := find_database_reader(Path(source))):
        found = read_database(Path(source), member, limits=limits, name=PurePath(name or source).name)
        return apply_value_settings(found, reading, "a database")
    raw, given = _read_bytes(source)
    shown = PurePath(name or given or "the data").name
    if _database_reader(raw):
        with tempfile.TemporaryDirectory(prefix="lavendertown-database-") as folder:
            # The database libraries read files only.
            copy = Path(folder, "database")
            copy.write_bytes(raw)
            return read_table(copy, shown, limits, reading, member=member)
    raw, kind = unpack_file(raw, shown, limits)
    if kind == "zip":
        return _read_zip(raw, shown, limits, reading, member)
    if member is not None:
        raise UnreadableTableError(
            f"{shown} is {_PHRASES[kind]} file, neither a zip archive nor a database; leave out "
            f"::{archives.show_name(member)}."
        )
    return read_unpacked(raw, kind, shown, limits, reading)


def split_part(source: str) -> tuple[Path, str | None]:
    """Return the path and the part of ``path::part``; a file whose own name contains the sign is kept whole.

    Raises:
        UnreadableTableError: Nothing follows the sign.
    """
    head, sign, part = source.partition(PART_SIGN)
    if not sign or os.path.exists(source):  # noqa: PTH110 - for a name that is too long, Path.exists raises
        return Path(source), None
    if not head or not part:
        raise UnreadableTableError(
            f"{source} is not complete; write file.zip::member or file.db::table, such as shop.db::orders."
        )
    return Path(head), part


def find_database_reader(path: Path) -> Callable[..., Table] | None:
    """Return the reader for a database file, by the file's first bytes; None for any other file."""
    try:
        if not path.is_file():
            return None
        with path.open("rb") as file:
            return _database_reader(file.read(duckdb_files.HEAD_BYTES))
    except (OSError, ValueError):
        return None  # the reader of files says why


def _database_reader(head: bytes) -> Callable[..., Table] | None:
    if head.startswith(sqlite_files.SQLITE_HEADER):
        return sqlite_files.read_sqlite_file
    return duckdb_files.read_duckdb_file if duckdb_files.is_duckdb_file(head) else None


def unpack_file(raw: bytes, name: str, limits: FileLimits) -> tuple[bytes, str]:
    """Return the content of a file, unpacked if it is gzipped, and its format: the name of one, or zip.

    Raises:
        FileLimitError: The content is larger than the limit.
        UnreadableTableError: The file is empty, damaged, or has a format that is not supported.
    """
    limits.check_size(len(raw), name)
    if raw.startswith(b"\x1f\x8b"):
        raw, ending_of = archives.decompress_gzip(raw, name, limits), name.removesuffix(".gz")
    else:
        ending_of = name
    if not raw:
        raise UnreadableTableError(f"{name} is empty (0 bytes).")
    _refuse_other_formats(raw, name)
    return raw, _detect_format(raw, PurePath(ending_of).suffix.lower().lstrip("."), name)


def read_unpacked(raw: bytes, kind: str, name: str, limits: FileLimits, reading: Reading) -> Table:
    """Read the content of a file, as :func:`unpack_file` returns it, as a table.

    Raises:
        FileLimitError: The file exceeds a limit.
        UnreadableTableError: The content cannot be read as a table.
    """
    if kind == "zip":
        return _read_zip(raw, name, limits, reading, None)
    source = f"{_PHRASES[kind]} file"
    with translate_reader_errors(name, _FORMATS[kind].label):
        if kind == "csv":
            table = delimited.read_delimited(raw, name, limits, applying_settings(reading, kind))
            return note_unused_settings(table, reading, source, kind)
        if kind == "excel":
            table = excel.read_workbook(raw, name, limits, applying_settings(reading, kind))
            return note_unused_settings(table, reading, source, kind)
        if kind in _TYPED_READERS:
            table = _TYPED_READERS[kind](raw, name, limits)
        else:
            table = json_files.read_json(raw, name, limits, reading.encoding, by_line=kind == "jsonl")
        return apply_value_settings(table, reading, source, kind)


def _read_zip(raw: bytes, name: str, limits: FileLimits, reading: Reading, wanted: str | None) -> Table:
    """Read a zip archive; the table has the name of the member if that was given, else of the archive."""
    endings = [ending for each in TABLE_FORMATS for ending in each.endings]
    unpacked = archives.unpack_zip_member(raw, name, limits, endings, wanted)
    inside = PurePath(unpacked.name).name
    content, kind = unpack_file(unpacked.content, archives.show_name(inside), limits)
    if kind == "zip":
        raise UnreadableTableError(
            f"{name} contains another archive ({archives.show_name(inside)}); extract that one and use the "
            "table in it."
        )
    table = read_unpacked(content, kind, archives.show_name(inside), limits, reading)
    note = f"Read {archives.show_name(unpacked.name)} in the zip archive {name}."
    if unpacked.left_out and wanted is None:
        note = f"{note[:-1]}; left out: {archives.list_names(unpacked.left_out)}."
    return replace(table, name=inside if wanted else name, guesses=[note, *table.guesses])


def _read_bytes(source: str | Path | bytes | BinaryIO) -> tuple[bytes, str | None]:
    if isinstance(source, (bytes, bytearray, memoryview)):
        return bytes(source), None
    if isinstance(source, (str, Path)):
        return read_file(Path(source)), str(source)
    if not hasattr(source, "read"):
        raise InvalidInputError(
            f"A {type(source).__name__} is neither a path nor an open file; pass one of them."
        )
    if hasattr(source, "seek") and source.seekable():
        source.seek(0)
    read: Any = source.read()
    own = getattr(source, "name", None)
    return read.encode("utf-8") if isinstance(read, str) else read, own if isinstance(own, str) else None


def read_file(path: Path) -> bytes:
    """Return the bytes of a file.

    Raises:
        UnreadableTableError: There is no such file, or it is a folder or not readable.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise UnreadableTableError(f"There is no file {path}; check the path.") from error
    except IsADirectoryError as error:
        raise UnreadableTableError(f"{path} is a folder; give the path of a file in it.") from error
    except PermissionError as error:
        raise UnreadableTableError(f"No permission to read {path}.") from error
    except (OSError, ValueError) as error:  # such as a name that is too long
        reason = getattr(error, "strerror", None) or error
        raise UnreadableTableError(f"{path} cannot be read: {reason}. Check the path.") from error


def _detect_format(raw: bytes, ending: str, name: str) -> str:
    by_name = next((each.name for each in TABLE_FORMATS if ending in each.endings), None)
    by_content = _format_by_signature(raw, ending)
    if by_content is None:
        if by_name and _FORMATS[by_name].is_binary:
            raise UnreadableTableError(
                _describe_wrong_format(name, by_name, "" if _is_binary(raw) else "text")
            )
        return by_name or ("json" if raw.lstrip()[:1] in (b"[", b"{") else "csv")
    if by_name in (None, by_content):
        return by_content
    raise UnreadableTableError(_describe_wrong_format(name, by_name, by_content))


def _format_by_signature(raw: bytes, ending: str) -> str | None:
    if raw.startswith((_ZIP, _EMPTY_ZIP)):
        workbook = archives.is_workbook(raw)
        return "excel" if workbook or (workbook is None and ending != "zip") else "zip"
    if raw.startswith(b"ORC") and raw[-4:-1] == b"ORC":
        return "orc"
    return next((kind for start, kind in _SIGNATURES.items() if raw.startswith(start)), None)


def _is_binary(raw: bytes) -> bool:
    return b"\x00" in raw[:1_000]


def _describe_wrong_format(name: str, by_name: str, content: str) -> str:
    mismatch = f"{name} is not {_PHRASES[by_name]} file, although its name says so"
    if content == "text":
        return f"{mismatch}; its content is text. Rename it to end in .csv or .json."
    if not content:
        return f"{mismatch}; it is damaged or has a different format."
    return (
        f"{mismatch}; its content is {_PHRASES[content]} file. Rename it to end in "
        f".{_USUAL_ENDINGS[content]}."
    )


def _refuse_other_formats(raw: bytes, name: str) -> None:
    """Raise for a known format that is not supported, with a hint about the alternative."""
    if _database_reader(raw):
        raise UnreadableTableError(
            f"{name} is a database, which is read only as a single file that is not packed; unpack it, or "
            "save the table as Parquet."
        )
    what = next((what for start, what in _NOT_READ.items() if raw.startswith(start)), None)
    text = raw[:_HEAD_BYTES].removeprefix(codecs.BOM_UTF8).lstrip().lower()
    what = what or next((what for start, what in _MARKUP.items() if text.startswith(start)), None)
    what = what or _OTHER_ENDINGS.get(PurePath(name.removesuffix(".gz")).suffix.lower().lstrip("."))
    if what:
        raise UnreadableTableError(
            f"{name} is {what}, which is not supported; save the table as Parquet or CSV."
        )
    if raw[257:262] == b"ustar":
        raise UnreadableTableError(f"{name} is a tar archive, which is not supported; unpack it first.")
    packed = next((what for start, what in _NOT_UNPACKED.items() if raw.startswith(start)), None)
    if packed and _is_binary(raw):
        raise UnreadableTableError(f"{name} is {packed}, which is not supported; unpack it first.")


_TYPED_READERS = {
    "parquet": columnar.read_parquet,
    "arrow": columnar.read_arrow,
    "orc": columnar.read_orc,
    "avro": columnar.read_avro,
}
"""The readers of formats whose columns have types."""
