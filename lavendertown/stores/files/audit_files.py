"""The append-only files of the audit log, one event a line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path


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


def end_of_last_line(path: Path) -> int:
    """Return the end of a file's last complete line, usually by reading only its last byte."""
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - 1))
        is_complete = file.read(1) in (b"\n", b"")
    return size if is_complete else sum(map(len, read_lines(path, 0)))
