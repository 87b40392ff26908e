"""One door for data files: which format, then its reader."""

from __future__ import annotations

import gzip
import io
import zlib
from pathlib import Path, PurePath
from typing import Any, BinaryIO

import polars as pl

from lavendertown.errors import InvalidInputError, UnreadableTableError
from lavendertown.tables import delimited, excel, json_files
from lavendertown.tables.frames import from_columns
from lavendertown.tables.table import Table

ENDINGS = {
    "csv": ("csv", "tsv", "tab", "psv", "txt"),
    "parquet": ("parquet", "pq"),
    "excel": ("xlsx", "xlsm", "xls", "xlsb", "ods"),
    "json": ("json",),
    "jsonl": ("jsonl", "ndjson"),
}
"""File name endings that are read, by format."""

_NAMES = {
    "csv": "a CSV",
    "parquet": "a Parquet",
    "excel": "an Excel",
    "json": "a JSON",
    "jsonl": "a JSON lines",
}
_USUAL = {"csv": ".csv", "parquet": ".parquet", "excel": ".xlsx", "json": ".json"}


def read_table(source: str | Path | bytes | BinaryIO, name: str | None = None) -> Table:
    """Read a CSV, Parquet, Excel or JSON file (CSV and JSON also gzipped) as a table.

    Args:
        source: A path, the file's bytes, or an open binary file.
        name: The file's name, which tells the format and appears in messages. Default: the path's
            or the open file's own name.

    Raises:
        UnreadableTableError: There is no such file, or it cannot be read as a table.
        InvalidInputError: ``source`` is nothing that can be read.
    """
    raw, given = _bytes(source)
    shown = PurePath(name or given or "the data").name
    if raw.startswith(b"\x1f\x8b"):
        raw, ending_of = _unzipped(raw, shown), shown.removesuffix(".gz")
    else:
        ending_of = shown
    if not raw:
        raise UnreadableTableError(f"{shown} is empty (0 bytes).")
    kind = _format(raw, PurePath(ending_of).suffix.lower().lstrip("."), shown)
    if kind == "csv":
        return delimited.read(raw, shown)
    if kind == "excel":
        return excel.read(raw, shown)
    if kind == "parquet":
        return _parquet(raw, shown)
    return json_files.read(raw, shown, by_line=kind == "jsonl")


def _bytes(source: str | Path | bytes | BinaryIO) -> tuple[bytes, str | None]:
    if isinstance(source, (bytes, bytearray, memoryview)):
        return bytes(source), None
    if isinstance(source, (str, Path)):
        return _file(Path(source)), str(source)
    if not hasattr(source, "read"):
        raise InvalidInputError(f"A {type(source).__name__} is neither a path nor a file.")
    if hasattr(source, "seek") and source.seekable():
        source.seek(0)
    read: Any = source.read()
    own = getattr(source, "name", None)
    return read.encode("utf-8") if isinstance(read, str) else read, own if isinstance(own, str) else None


def _file(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as error:
        raise UnreadableTableError(f"There is no file {path}.") from error
    except IsADirectoryError as error:
        raise UnreadableTableError(f"{path} is a folder; name a file in it.") from error
    except PermissionError as error:
        raise UnreadableTableError(f"{path} may not be read by this user.") from error


def _unzipped(raw: bytes, name: str) -> bytes:
    try:
        return gzip.decompress(raw)
    except (OSError, EOFError, zlib.error) as error:
        raise UnreadableTableError(f"{name} is gzipped, but damaged or cut off.") from error


def _format(raw: bytes, ending: str, name: str) -> str:
    by_name = next((kind for kind, endings in ENDINGS.items() if ending in endings), None)
    by_content = _signature(raw)
    if by_content is None:
        if by_name in ("parquet", "excel"):
            raise UnreadableTableError(_not_that(name, by_name, "" if _is_binary(raw) else "text"))
        return by_name or ("json" if raw.lstrip()[:1] in (b"[", b"{") else "csv")
    if by_name in (None, by_content):
        return by_content
    raise UnreadableTableError(_not_that(name, by_name, by_content))


def _signature(raw: bytes) -> str | None:
    if raw.startswith(b"PAR1"):
        return "parquet"
    return "excel" if raw.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")) else None


def _is_binary(raw: bytes) -> bool:
    return b"\x00" in raw[:1_000]


def _not_that(name: str, by_name: str, content: str) -> str:
    said = f"{name} is not {_NAMES[by_name]} file, although its name says so"
    if content == "text":
        return f"{said}; by its content it is text. Rename it to end in .csv or .json."
    if not content:
        return f"{said}; it is damaged or of another format."
    return f"{said}; by its content it is {_NAMES[content]} file. Rename it to end in {_USUAL[content]}."


def _parquet(raw: bytes, name: str) -> Table:
    try:
        frame = pl.read_parquet(io.BytesIO(raw))
    except (pl.exceptions.PolarsError, OSError) as error:
        raise UnreadableTableError(f"{name} is a damaged or cut off Parquet file.") from error
    return from_columns(frame.columns, frame.get_columns(), height=frame.height, name=name)
