"""Copies of the affected rows of an inspection, for sources that cannot be read a second time.

A database, a file on a server or a folder may change between the inspection and the download of rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import narwhals as nw
import pandas as pd
import polars as pl

from lavendertown.core import json_codec
from lavendertown.core.findings import GhostFinding
from lavendertown.tables import ROW, Column, Table
from lavendertown.tables.frames import select_source_values

_ROWS_FILE, _COLUMNS_FILE = "copied-rows.arrow", "copied-rows.json"


def copy_affected_rows(folder: Path, table: Table, findings: Sequence[GhostFinding]) -> None:
    """Write the affected rows of all findings, once each, into a folder."""
    positions = sorted({position for finding in findings for position in finding.row_indices or []})
    rows = table.frame.filter(nw.col(ROW).is_in(positions)).collect().to_polars().sort(ROW)
    rows.write_ipc(folder / _ROWS_FILE, compression="zstd")
    columns = [{**asdict(column), "declared": sorted(column.declared)} for column in table.schema]
    (folder / _COLUMNS_FILE).write_bytes(json_codec.dumps({"columns": columns, "rows": table.row_count}))


def has_copied_rows(folder: Path) -> bool:
    """Return whether a folder has copied rows."""
    return (folder / _COLUMNS_FILE).exists()


def read_copied_rows(folder: Path) -> Table:
    """Return a table whose affected rows are those in a folder; it has no other rows."""
    facts: dict[str, Any] = json_codec.loads((folder / _COLUMNS_FILE).read_bytes())
    rows = pl.read_ipc(folder / _ROWS_FILE)
    schema = tuple(Column(**{**each, "declared": frozenset(each["declared"])}) for each in facts["columns"])

    def preview(positions: list[int], columns: Sequence[Column]) -> pd.DataFrame:
        places = rows[ROW].search_sorted(pl.Series(positions, dtype=pl.Int64))
        return select_source_values(rows, places.to_list(), columns)

    return Table(nw.from_native(rows).lazy(), schema, facts["rows"], preview)
