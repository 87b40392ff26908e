"""Write files atomically, and find names that no file has yet."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def write_atomically(target: Path) -> Iterator[Path]:
    """Yield a temporary path to write to, and rename it to the target when the block succeeds.

    The content is flushed to disk before the rename. A block that raises leaves no file.

    Raises:
        OSError: The file cannot be written.
    """
    temporary = target.with_name(f"{target.name}.part")
    try:
        yield temporary
        _flush_to_disk(temporary)
        temporary.rename(target)
        _flush_to_disk(target.parent)
    finally:
        temporary.unlink(missing_ok=True)


def find_free_path(folder: Path, stem: str, suffix: str) -> Path:
    """Return a path that does not exist yet, with a number after the stem if needed."""
    numbers = ("", *(f"-{number}" for number in range(2, 1000)))
    return next(path for number in numbers if not (path := folder / f"{stem}{number}{suffix}").exists())


def _flush_to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
