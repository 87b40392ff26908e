"""Limits on the size of data files."""

from __future__ import annotations

from dataclasses import dataclass

import psutil

from lavendertown.core.errors import FileLimitError
from lavendertown.core.settings import Settings

MEGABYTE = 1024**2
MAX_MEMORY_MB = 4_096


@dataclass(frozen=True)
class FileLimits:
    """The maximum size of a data file after decompression and parsing.

    Attributes:
        uncompressed_bytes: The maximum size of a file, or of the unpacked content of a gzip file or workbook.
        cells: The maximum of rows times columns.
        columns: The maximum number of columns.
        memory_bytes: The memory for a table that is read in parts instead, which the other limits except
            that of columns do not concern.
    """

    uncompressed_bytes: int = 2_000 * MEGABYTE
    cells: int = 100_000_000
    columns: int = 16_384
    memory_bytes: int = 1_000 * MEGABYTE

    def check_size(self, size: int, name: str) -> None:
        """Refuse a file that is larger than ``uncompressed_bytes``.

        Raises:
            FileLimitError: The file is larger.
        """
        if size > self.uncompressed_bytes:
            raise FileLimitError(
                f"{name} unpacks to more than the limit of {self.uncompressed_bytes // MEGABYTE:,} MB. "
                "Split it into smaller files, or raise the setting limits.uncompressed_mb."
            )

    def check_shape(self, rows: int, columns: int, name: str) -> None:
        """Refuse a table with too many columns or cells.

        Raises:
            FileLimitError: The table has more columns than ``columns``, or more cells than ``cells``.
        """
        if columns > self.columns:
            raise FileLimitError(
                f"{name} has {columns:,} columns; the limit is {self.columns:,}. "
                "Remove columns, or raise the setting limits.columns."
            )
        if rows * columns > self.cells:
            raise FileLimitError(
                f"{name} has {rows * columns:,} cells ({rows:,} rows of {columns:,} columns); the limit is "
                f"{self.cells:,}. Split it into smaller files, or raise the setting limits.cells."
            )


DEFAULT_FILE_LIMITS = FileLimits()


def limits_from_settings(settings: Settings) -> FileLimits:
    """Return the limits on data files from the settings."""
    return FileLimits(
        uncompressed_bytes=settings.limits_uncompressed_mb * MEGABYTE,
        cells=settings.limits_cells,
        columns=settings.limits_columns,
        memory_bytes=memory_limit(settings),
    )


def memory_limit(settings: Settings) -> int:
    """Return the memory limit of an inspection in bytes."""
    if settings.limits_memory_mb:
        return settings.limits_memory_mb * MEGABYTE
    return min(MAX_MEMORY_MB * MEGABYTE, int(psutil.virtual_memory().total) // 2)
