"""Zip files that hold a store: read within limits, their manifest checked field by field."""

from __future__ import annotations

import contextlib
import hashlib
import lzma
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

from lavendertown.core import json_codec

UNREADABLE_ZIP_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    KeyError,
    RuntimeError,
    OSError,
    OverflowError,
    UnicodeDecodeError,
)
"""What reading a zip file that is not whole may raise."""
MAX_CELL_LENGTH = 64 << 20
"""The longest cell of a CSV file, in characters."""
_MAX_MANIFEST = 128 << 20
_CHUNK_BYTES = 1 << 20
_SMALL = 256 << 20
_MAX_RATIO = 400
"""How many times its size in the zip a larger file may have; tables of ours stay below 100."""


def read_manifest(archive: zipfile.ZipFile) -> Mapping[str, Any] | None:
    """Return what ``manifest.json`` says; None where there is none, or it is not JSON.

    Raises:
        zipfile.BadZipFile: It is larger than any that was ever written.
    """
    if "manifest.json" not in archive.namelist():
        return None
    with archive.open("manifest.json") as file:
        data = file.read(_MAX_MANIFEST + 1)
    if len(data) > _MAX_MANIFEST:
        raise zipfile.BadZipFile("its manifest is too large")
    with contextlib.suppress(ValueError):
        found = json_codec.loads(data)
        return found if isinstance(found, dict) else None
    return None


def find_manifest_problem(manifest: Mapping[str, Any], *, with_columns: bool) -> str | None:
    """Say what is wrong with the tables of a manifest; None where nothing is."""
    found = manifest.get("tables")
    if not isinstance(found, list):
        return "its manifest lists no tables"
    names = set()
    for number, table in enumerate(found, start=1):
        if not isinstance(table, dict) or not isinstance(table.get("name"), str):
            return f"table {number} of its manifest has no name"
        name = table["name"]
        if name in names:
            return f"its manifest lists the table {name!r} twice"
        names.add(name)
        for key in ("file", "sha256"):
            if not isinstance(table.get(key), str):
                return f"{key} of the table {name!r} is {table.get(key)!r}, not text"
        if type(table.get("rows")) is not int or table["rows"] < 0:
            return f"rows of the table {name!r} is {table.get('rows')!r}, not a number of rows"
        if with_columns and not _is_column_list(table.get("columns")):
            return f"columns of the table {name!r} are not a list of names and types"
    return None


def _is_column_list(found: object) -> bool:
    return isinstance(found, list) and all(
        isinstance(each, dict) and isinstance(each.get("name"), str) and isinstance(each.get("type"), str)
        for each in found
    )


def check_unpacked_sizes(archive: zipfile.ZipFile) -> None:
    """Refuse a zip whose files would unpack to far more than tables ever do. Reading enforces the sizes.

    Raises:
        zipfile.BadZipFile: One of them would.
    """
    for entry in archive.infolist():
        if entry.file_size > max(_SMALL, entry.compress_size * _MAX_RATIO):
            raise zipfile.BadZipFile(
                f"{entry.filename!r} would unpack to {entry.file_size:,} bytes, more than "
                f"{_MAX_RATIO} times its size in the zip"
            )
    unpacked = sum(entry.file_size for entry in archive.infolist())
    packed = sum(entry.compress_size for entry in archive.infolist())
    if unpacked > max(_SMALL, packed * _MAX_RATIO):
        raise zipfile.BadZipFile(
            f"it would unpack to {unpacked:,} bytes, more than {_MAX_RATIO} times its size"
        )


def read_member_chunks(archive: zipfile.ZipFile, member: str) -> Iterator[bytes]:
    """Yield a member's content, at most 1 MB at a time."""
    with archive.open(member) as file:
        while data := file.read(_CHUNK_BYTES):
            yield data


def compute_member_digest(archive: zipfile.ZipFile, member: str) -> str:
    """Return the SHA-256 of a member's content, as a manifest has it."""
    digest = hashlib.sha256()
    for data in read_member_chunks(archive, member):
        digest.update(data)
    return digest.hexdigest()
