"""Files to import: opened several times, unpacked, and measured."""

from __future__ import annotations

import codecs
import gzip
import hashlib
import io
import re
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import BinaryIO, TextIO

from lavendertown.core.errors import InvalidInputError
from lavendertown.core.file_limits import DEFAULT_FILE_LIMITS, FileLimits

_CHUNK = 1024 * 1024
_GZIP_SIGNATURE = b"\x1f\x8b"
_ZIP_SIGNATURE = b"PK\x03\x04"
_UTF8_MARK = codecs.BOM_UTF8
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_MAX_MEMBERS = 100
_MAX_DIGITS = 300
_MAX_BLANK = 4096
"""The number of bytes at the start of a file that may be white space."""
_UNACCEPTED = re.compile(rb"NaN|Infinity|(?<![0-9])[0-9]{%d}|[eE][+-]?[0-9]{5}" % _MAX_DIGITS)


class ImportFileError(InvalidInputError):
    """A file cannot be imported. The message names the file and, if known, the place."""


class UnknownFormatError(ImportFileError):
    """A file has no known format of results; a mapping of its columns may read it."""


@dataclass(slots=True)
class ResultFile:
    """A file to import, unpacked.

    Attributes:
        name: The file name, for messages and as the default name of a dataset.
        digest: The SHA-256 of the unpacked content, 64 hex digits.
        needs_cleaning: Whether the content may have what a JSON parser does not accept: bare NaN or
            Infinity, or numbers of extreme length.
    """

    name: str
    digest: str
    needs_cleaning: bool
    _stream: BinaryIO = field(repr=False)

    def open_bytes(self) -> BinaryIO:
        """Return the content from its start, as UTF-8 if it begins with a byte order mark."""
        self._stream.seek(0)
        mark = self._stream.read(3)
        self._stream.seek(len(_UTF8_MARK) if mark == _UTF8_MARK else 0)
        if mark[:2] in _UTF16_MARKS:
            return _Utf16Stream(self._stream)  # type: ignore[return-value]
        return self._stream

    def open_unchanged(self) -> BinaryIO:
        """Return the content from its start as it is, for parsers that recognize its encoding themselves."""
        self._stream.seek(0)
        return self._stream

    def first_character(self) -> bytes:
        """Return the first character that is no white space, which tells JSON, XML and CSV apart."""
        return self.open_bytes().read(_MAX_BLANK).lstrip()[:1]

    def open_text(self, errors: str = "strict") -> TextIO:
        """Return the content from its start as text, for the csv module."""
        return io.TextIOWrapper(_Unclosed(self.open_bytes()), "utf-8", errors, newline="")  # type: ignore[type-var]


class _Utf16Stream:
    """UTF-16 as UTF-8. Unlike the codec's stream, it offers only reading."""

    def __init__(self, stream: BinaryIO) -> None:
        self._recoder = codecs.EncodedFile(stream, "utf-8", "utf-16")

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, about as many as wanted; empty at the end."""
        return self._recoder.read(size)


class _Unclosed(io.RawIOBase):
    """A stream that stays open when its wrapper is garbage-collected."""

    def __init__(self, stream: BinaryIO) -> None:
        self._inner = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        data = self._inner.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


def open_result_files(
    stream: BinaryIO, name: str, opened: ExitStack, limits: FileLimits = DEFAULT_FILE_LIMITS
) -> Iterator[ResultFile]:
    """Yield the file, or the files that a zip archive contains; gzip is unpacked.

    Args:
        stream: The content; it must stay open as long as the files are used.
        name: The file name, with or without its folder.
        opened: Closes the temporary files, which the files use until then.
        limits: The maximum size after unpacking.

    Raises:
        ImportFileError: The file is empty, or a damaged archive.
        FileLimitError: The unpacked content is larger than the limit.
    """
    short_name = PurePath(name).name or name
    seekable = stream if stream.seekable() else _spool(stream, short_name, opened, limits)
    seekable.seek(0)
    signature = seekable.read(4)
    seekable.seek(0)
    if not signature:
        raise ImportFileError(f"{short_name} is empty; export the results again.")
    if signature.startswith(_GZIP_SIGNATURE):
        unpacked = _spool(gzip.GzipFile(fileobj=seekable), short_name, opened, limits)  # type: ignore[arg-type]
        yield _measure(unpacked, short_name.removesuffix(".gz"), limits)
    elif signature == _ZIP_SIGNATURE:
        yield from _open_members(seekable, short_name, opened, limits)
    else:
        yield _measure(seekable, short_name, limits)


def _open_members(stream: BinaryIO, name: str, opened: ExitStack, limits: FileLimits) -> Iterator[ResultFile]:
    try:
        with zipfile.ZipFile(stream) as archive:
            members = [each for each in archive.infolist() if _is_result_member(each)]
            if not 0 < len(members) <= _MAX_MEMBERS:
                raise ImportFileError(
                    f"{name} has {len(members):,} files; put between 1 and {_MAX_MEMBERS} into it."
                )
            for member in members:
                member_name = PurePath(member.filename).name
                with archive.open(member) as packed:
                    unpacked = _spool(packed, f"{member_name} in {name}", opened, limits)  # type: ignore[arg-type]
                yield _measure(unpacked, member_name, limits)
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError) as error:
        raise ImportFileError(
            f"{name} is a damaged or encrypted zip archive; unpack it and import the files in it."
        ) from error


def _is_result_member(member: zipfile.ZipInfo) -> bool:
    return not member.is_dir() and not member.filename.startswith("__MACOSX/")


def _spool(stream: BinaryIO, name: str, opened: ExitStack, limits: FileLimits) -> BinaryIO:
    """Copy a stream that cannot be read twice into a temporary file, up to the size limit."""
    target = opened.enter_context(tempfile.TemporaryFile())  # noqa: SIM115
    size = 0
    try:
        while chunk := stream.read(_CHUNK):
            size += len(chunk)
            limits.check_size(size, name)
            target.write(chunk)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ImportFileError(f"{name} is damaged or incomplete; copy or export it again.") from error
    target.seek(0)
    return target


def _measure(stream: BinaryIO, name: str, limits: FileLimits) -> ResultFile:
    stream.seek(0, io.SEEK_END)
    size = stream.tell()
    limits.check_size(size, name)
    if not size:
        raise ImportFileError(f"{name} is empty; export the results again.")
    stream.seek(0)
    digest, needs_cleaning, end = hashlib.sha256(), False, b""
    while chunk := stream.read(_CHUNK):
        digest.update(chunk)
        needs_cleaning = needs_cleaning or _UNACCEPTED.search(end + chunk) is not None
        end = chunk[-_MAX_DIGITS:]
    return ResultFile(name, digest.hexdigest(), needs_cleaning, stream)
