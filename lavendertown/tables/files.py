"""Read a data file: detect its format and call the reader for it."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from pathlib import Path, PurePath
from typing import Any, BinaryIO

import polars as pl
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from lavendertown.core.errors import InvalidInputError, UnreadableTableError
from lavendertown.core.file_limits import DEFAULT_FILE_LIMITS, FileLimits
from lavendertown.core.reading import DETECT, Reading
from lavendertown.tables import delimited, excel, json_files
from lavendertown.tables.frames import from_arrow, from_columns
from lavendertown.tables.reader_errors import translate_reader_errors
from lavendertown.tables.table import Table

ENDINGS = {
    "csv": ("csv", "tsv", "tab", "psv", "txt"),
    "parquet": ("parquet", "pq"),
    "excel": ("xlsx", "xlsm", "xls", "xlsb", "ods"),
    "json": ("json",),
    "jsonl": ("jsonl", "ndjson"),
}
"""Supported file name endings, by format."""

_FORMAT_NAMES = {
    "csv": "a CSV",
    "parquet": "a Parquet",
    "excel": "an Excel",
    "json": "a JSON",
    "jsonl": "a JSON lines",
}
_CHUNK = 1 << 20
_USUAL_ENDINGS = {"csv": ".csv", "parquet": ".parquet", "excel": ".xlsx", "json": ".json"}
_LABELS = {"csv": "CSV", "parquet": "Parquet", "excel": "Excel", "json": "JSON", "jsonl": "JSON lines"}
_NOT_READ = {
    b"ARROW1\x00": "a Feather (Arrow) file",
    b"FEA1": "a Feather file",
    b"Obj\x01": "an Avro file",
    b"SQLite format 3\x00": "an SQLite database",
    b"\x89HDF\r\n": "an HDF5 file",
    b"%PDF-": "a PDF file",
}
"""Signatures of common file formats that are not supported."""

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
) -> Table:
    """Read a CSV, Parquet, Excel or JSON file (CSV and JSON also gzipped) as a table.

    Args:
        source: A path, the file's bytes, or an open binary file.
        name: The file's name, used to detect the format and in messages. Default: the name of the path
            or of the open file.
        limits: Limits for the size of the unpacked and parsed file.
        reading: Settings that are known; the others are detected.

    Raises:
        FileLimitError: The file exceeds a limit.
        UnreadableTableError: The file does not exist or cannot be read as a table.
        InvalidInputError: ``source`` is not a path, bytes or a file.
    """
    raw, given = _read_bytes(source)
    shown = PurePath(name or given or "the data").name
    limits.check_size(len(raw), shown)
    if raw.startswith(b"\x1f\x8b"):
        raw, ending_of = _decompress(raw, shown, limits), shown.removesuffix(".gz")
    else:
        ending_of = shown
    if not raw:
        raise UnreadableTableError(f"{shown} is empty (0 bytes).")
    _refuse_other_formats(raw, shown)
    kind = _detect_format(raw, PurePath(ending_of).suffix.lower().lstrip("."), shown)
    with translate_reader_errors(shown, _LABELS[kind]):
        if kind == "csv":
            return delimited.read_delimited(raw, shown, limits, reading)
        if kind == "excel":
            return excel.read_workbook(raw, shown, limits, reading)
        if kind == "parquet":
            return _read_parquet(raw, shown, limits)
        return json_files.read_json(raw, shown, limits, by_line=kind == "jsonl")


def _read_bytes(source: str | Path | bytes | BinaryIO) -> tuple[bytes, str | None]:
    if isinstance(source, (bytes, bytearray, memoryview)):
        return bytes(source), None
    if isinstance(source, (str, Path)):
        return _read_file(Path(source)), str(source)
    if not hasattr(source, "read"):
        raise InvalidInputError(
            f"A {type(source).__name__} is neither a path nor an open file; pass one of them."
        )
    if hasattr(source, "seek") and source.seekable():
        source.seek(0)
    read: Any = source.read()
    own = getattr(source, "name", None)
    return read.encode("utf-8") if isinstance(read, str) else read, own if isinstance(own, str) else None


def _read_file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise UnreadableTableError(f"There is no file {path}; check the path.") from error
    except IsADirectoryError as error:
        raise UnreadableTableError(f"{path} is a folder; give the path of a file in it.") from error
    except PermissionError as error:
        raise UnreadableTableError(f"No permission to read {path}.") from error


def _decompress(raw: bytes, name: str, limits: FileLimits) -> bytes:
    unpacked = bytearray()
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(raw)) as packed:
            while chunk := packed.read(_CHUNK):
                unpacked += chunk
                limits.check_size(len(unpacked), name)
    except (OSError, EOFError, zlib.error) as error:
        raise UnreadableTableError(
            f"{name} is a damaged or truncated gzip file; compress it again."
        ) from error
    return bytes(unpacked)


def _detect_format(raw: bytes, ending: str, name: str) -> str:
    by_name = next((kind for kind, endings in ENDINGS.items() if ending in endings), None)
    by_content = _format_by_signature(raw)
    if by_content is None:
        if by_name in ("parquet", "excel"):
            raise UnreadableTableError(
                _describe_wrong_format(name, by_name, "" if _is_binary(raw) else "text")
            )
        return by_name or ("json" if raw.lstrip()[:1] in (b"[", b"{") else "csv")
    if by_name in (None, by_content):
        return by_content
    raise UnreadableTableError(_describe_wrong_format(name, by_name, by_content))


def _format_by_signature(raw: bytes) -> str | None:
    if raw.startswith(b"PAR1"):
        return "parquet"
    return "excel" if raw.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")) else None


def _is_binary(raw: bytes) -> bool:
    return b"\x00" in raw[:1_000]


def _describe_wrong_format(name: str, by_name: str, content: str) -> str:
    mismatch = f"{name} is not {_FORMAT_NAMES[by_name]} file, although its name says so"
    if content == "text":
        return f"{mismatch}; its content is text. Rename it to end in .csv or .json."
    if not content:
        return f"{mismatch}; it is damaged or has a different format."
    return (
        f"{mismatch}; its content is {_FORMAT_NAMES[content]} file. Rename it to end in "
        f"{_USUAL_ENDINGS[content]}."
    )


def _refuse_other_formats(raw: bytes, name: str) -> None:
    """Raise for a known format that is not supported, with a hint about the alternative."""
    what = next((what for start, what in _NOT_READ.items() if raw.startswith(start)), None)
    if raw.startswith(b"ORC") and raw[-4:-1] == b"ORC":
        what = "an ORC file"
    if what:
        raise UnreadableTableError(
            f"{name} is {what}, which is not supported; save the table as Parquet or CSV."
        )
    packed = next((what for start, what in _NOT_UNPACKED.items() if raw.startswith(start)), None)
    if packed and _is_binary(raw):
        raise UnreadableTableError(f"{name} is {packed}, which is not supported; unpack it first.")
    if raw.startswith(b"PK\x03\x04"):
        _refuse_zip_archive(raw, name)


def _refuse_zip_archive(raw: bytes, name: str) -> None:
    """Raise for a zip archive that is not a workbook (workbooks are zip archives too)."""
    try:
        members = zipfile.ZipFile(io.BytesIO(raw)).namelist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError):
        return  # damaged; the workbook reader reports it
    if any(
        member.startswith("xl/") or member in ("[Content_Types].xml", "content.xml") for member in members
    ):
        return
    inside = f" and choose {PurePath(members[0]).name} in it" if len(members) == 1 else ""
    raise UnreadableTableError(f"{name} is a zip archive, which is not supported. Unpack it{inside}.")


def _read_parquet(raw: bytes, name: str, limits: FileLimits) -> Table:
    shape = pq.read_metadata(io.BytesIO(raw))
    limits.check_shape(shape.num_rows, shape.num_columns, name)
    groups = (shape.row_group(i) for i in range(shape.num_row_groups))
    limits.check_size(sum(group.total_byte_size for group in groups), name)
    try:
        frame = pl.read_parquet(io.BytesIO(raw))
    except pl.exceptions.PolarsError:
        # Polars refuses equal column names and decimals of more than 38 digits; PyArrow reads both.
        table = pq.ParquetFile(io.BytesIO(raw)).read()
        table.validate(full=True)
        return from_arrow(table, name=name)
    return from_columns(frame.columns, frame.get_columns(), height=frame.height, name=name)
