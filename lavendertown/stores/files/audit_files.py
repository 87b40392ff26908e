"""The append-only files of the audit log, one event a line."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

CHECKED_BYTES = 64
"""The number of bytes before an offset whose checksum shows that the file is still the same."""
AuditMark = Mapping[str, tuple[int, int]]
"""The end of the last line that was read of each file, and the checksum of the bytes before it."""


def list_audit_files(folder: Path) -> list[Path]:
    """Return the audit files in the order of their events; empty without the folder."""
    return sorted(folder.glob("*.jsonl")) if folder.is_dir() else []


def read_lines(path: Path, start: int) -> Iterator[bytes]:
    """Yield the complete lines after an offset; another process may still be writing the last line."""
    with path.open("rb") as file:
        file.seek(start)
        for line in file:
            if not line.endswith(b"\n"):
                return
            yield line


def read_tail(path: Path, offset: int) -> bytes:
    """Return the last bytes before an offset."""
    with path.open("rb") as file:
        file.seek(max(0, offset - CHECKED_BYTES))
        return file.read(min(offset, CHECKED_BYTES))


def checksum_before(path: Path, offset: int) -> int:
    """Return the checksum of the last bytes before an offset."""
    return zlib.crc32(read_tail(path, offset))


def is_same_file(path: Path, offset: int, checksum: int) -> bool:
    """Return whether a file still has what was read up to an offset; a restore replaces the files."""
    return 0 <= offset <= path.stat().st_size and checksum_before(path, offset) == checksum


def end_of_last_line(path: Path) -> int:
    """Return the end of a file's last complete line, usually by reading only its last byte."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - 1))
        is_complete = file.read(1) in (b"\n", b"")
    return size if is_complete else sum(map(len, read_lines(path, 0)))
