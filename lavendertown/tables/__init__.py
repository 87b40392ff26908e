"""Read data files and frames into tables that checks can run on."""

from __future__ import annotations

from lavendertown.core.reading import Reading
from lavendertown.tables.files import FORMAT_LABELS, read_table
from lavendertown.tables.frames import from_frame
from lavendertown.tables.table import ROW, Column, Table

__all__ = [
    "FORMAT_LABELS",
    "ROW",
    "Column",
    "Reading",
    "Table",
    "from_frame",
    "read_table",
]
