"""Unpack gzip files and the table in a zip archive, within the file limits and in memory only."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath, PureWindowsPath
from typing import IO

from lavendertown.core.errors import LavenderTownError, SeveralTablesError, UnreadableTableError
from lavendertown.core.file_limits import FileLimits

_CHUNK = 1 << 20
_MAX_LISTED = 4
_MAX_NAME = 80
_ENCRYPTED = 1
_SYSTEM_FOLDER = "__MACOSX"
_WORKBOOK_MEMBERS = frozenset({"[Content_Types].xml", "content.xml"})


@dataclass(frozen=True)
class ZipMember:
    """An unpacked member of a zip archive.

    Attributes:
        name: Its path in the archive.
        content: Its bytes.
        left_out: The paths of the other members.
    """

    name: str
    content: bytes
    left_out: tuple[str, ...] = ()


def decompress_gzip(raw: bytes, name: str, limits: FileLimits) -> bytes:
    """Return the unpacked content of a gzip file.

    Raises:
        FileLimitError: The content is larger than the limit.
        UnreadableTableError: The file is damaged.
    """
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(raw)) as packed:
            return _read_within_limit(packed, name, limits)
    except (OSError, EOFError, zlib.error) as error:
        raise UnreadableTableError(
            f"{name} is a damaged or truncated gzip file; compress it again."
        ) from error


def is_workbook(raw: bytes) -> bool | None:
    """Return whether a zip archive is a workbook (``.xlsx``, ``.ods``); None if it is damaged."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            members = archive.namelist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError):
        return None
    return any(member.startswith("xl/") or member in _WORKBOOK_MEMBERS for member in members)


def unpack_zip_member(
    raw: bytes, name: str, limits: FileLimits, endings: Iterable[str], wanted: str | None = None
) -> ZipMember:
    """Unpack the table in a zip archive.

    Args:
        raw: The archive.
        name: Its file name, for messages.
        limits: Limits for the size of the member, counted while it is unpacked.
        endings: The file name endings of tables, without the dot.
        wanted: The path of the member. Default: the only member whose ending is one of ``endings``, or
            the only member.

    Raises:
        FileLimitError: The member unpacks to more bytes than allowed.
        SeveralTablesError: The archive contains several tables, and none is wanted.
        UnreadableTableError: The archive is damaged or encrypted, contains no tables, or there is no member
            ``wanted``.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            _refuse_unsafe_paths(archive.namelist(), name)
            files = [info for info in archive.infolist() if not info.is_dir() and not _is_system_file(info)]
            member = _choose_member(files, name, frozenset(endings), wanted)
            if member.flag_bits & _ENCRYPTED:
                raise UnreadableTableError(
                    f"{name} is encrypted; unpack it with its password and use {show_name(member.filename)}."
                )
            with archive.open(member) as packed:
                content = _read_within_limit(packed, name, limits)
    except LavenderTownError:
        raise  # they are ValueErrors too
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError) as error:
        raise UnreadableTableError(
            f"{name} is a damaged zip archive or compressed in an unusual way; pack it again as a usual zip."
        ) from error
    left_out = tuple(info.filename for info in files if info is not member)
    return ZipMember(member.filename, content, left_out)


def list_names(names: Iterable[str]) -> str:
    """Return the first few names as a list for a sentence: ``a.csv, b.csv and 7 more``."""
    shown = [show_name(name) for name in names]
    listed = ", ".join(shown[:_MAX_LISTED])
    return f"{listed} and {len(shown) - _MAX_LISTED:,} more" if len(shown) > _MAX_LISTED else listed


def show_name(name: str) -> str:
    """Return a name from a file for a message: short and without control characters."""
    clean = "".join(sign if sign.isprintable() else "\ufffd" for sign in name)
    half = _MAX_NAME // 2
    return clean if len(clean) <= _MAX_NAME else f"{clean[:half]}…{clean[-half + 1 :]}"


def _choose_member(
    files: list[zipfile.ZipInfo], name: str, endings: frozenset[str], wanted: str | None
) -> zipfile.ZipInfo:
    if wanted is not None:
        found = [info for info in files if info.filename == wanted]
        if not found:
            raise UnreadableTableError(
                f"{name} has no member {show_name(wanted)}; it contains "
                f"{list_names(info.filename for info in files) or 'no files'}."
            )
        candidates = found[-1:]  # the last member of a name is the current one, as for unzip
    else:
        tables = [info for info in files if _file_ending(info).lstrip(".") in endings]
        data = [info for info in tables if _file_ending(info) != ".txt"]
        candidates = (data if len(data) == 1 else tables) or files  # a .txt next to a table is a remark
    if not candidates:
        raise UnreadableTableError(f"{name} is an empty zip archive; put a table in it, such as a CSV file.")
    if len(candidates) > 1:
        names = [info.filename for info in candidates]
        raise SeveralTablesError(
            f"{name} contains {len(names):,} files ({list_names(names)}); extract one of them, or on the "
            f"command line name it as {name}::{show_name(names[0])}.",
            names,
        )
    return candidates[0]


def _file_ending(info: zipfile.ZipInfo) -> str:
    path = PurePosixPath(info.filename.lower())
    return PurePosixPath(path.stem).suffix if path.suffix == ".gz" else path.suffix


def _is_system_file(info: zipfile.ZipInfo) -> bool:
    path = PurePosixPath(info.filename)
    return _SYSTEM_FOLDER in path.parts or path.name.startswith(".") or path.name == "Thumbs.db"


def _refuse_unsafe_paths(members: Iterable[str], name: str) -> None:
    """Raise if a member's path leads outside the folder that the archive is unpacked to."""
    for member in members:
        path = PureWindowsPath(member)  # takes / and \ for separators, and knows drives
        if ".." in path.parts or path.anchor:
            raise UnreadableTableError(
                f"{name} has a member with an unsafe path ({show_name(member)}); pack it again without '..' "
                "and absolute paths."
            )


def _read_within_limit(packed: IO[bytes] | gzip.GzipFile, name: str, limits: FileLimits) -> bytes:
    unpacked = bytearray()
    while chunk := packed.read(_CHUNK):
        unpacked += chunk
        limits.check_size(len(unpacked), name)
    return bytes(unpacked)
