"""The rows of a worklist have keys and values as far as they may be shown and stored."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from lavendertown.core.errors import InvalidInputError
from lavendertown.core.file_limits import DEFAULT_FILE_LIMITS
from lavendertown.inspection.row_copies import copy_affected_rows, read_copied_rows
from lavendertown.inspection.worklist_rows import RowOptions, collect_rows
from lavendertown.interchange.worklists.worklist_file import FindingRows
from lavendertown.models import GhostFinding
from lavendertown.tables import Table, read_table

CSV = (
    b"id,start,end,note\nA1,2026-02-01,2026-01-01,x\nA2,2026-01-01,2026-02-01,y\nA3,2026-03-01,2026-01-05,\n"
)


@pytest.fixture
def table() -> Table:
    return read_table(CSV, "orders.csv", DEFAULT_FILE_LIMITS)


def finding(column: str, positions: list[int], **metadata: Any) -> GhostFinding:
    return GhostFinding("date", column, "warning", "It is wrong.", positions, metadata)


def collect(table: Table, found: GhostFinding, *key: str, **options: Any) -> FindingRows:
    values = {"dataset": "orders", "key": key, "chosen_key": (), "first_row": 2} | options
    (rows,) = collect_rows(table, [("f1-a", found)], RowOptions(**values))
    return rows


def test_one_column_has_its_value_and_several_are_named(table: Table) -> None:
    rows = collect(table, finding("note", [0, 2]), "id")
    assert (rows.column, rows.values, rows.positions, rows.first_row) == ("note", ["x", None], [0, 2], 2)
    assert (rows.keys, rows.stored_keys) == ([{"id": "A1"}, {"id": "A3"}], ["A1", "A3"])
    rows = collect(table, finding("start", [2], columns=["start", "note"]))
    assert (rows.column, rows.values) == ("start, note", ["start = 2026-03-01, note = (missing)"])
    assert (rows.keys, rows.stored_keys) == ([{}], [""])


def test_a_finding_about_whole_rows_shows_the_first_columns(table: Table) -> None:
    rows = collect(table, finding("*", [1]))
    assert rows.column == "whole row"
    assert rows.values == ["id = A2, start = 2026-01-01, end = 2026-02-01, note = y"]


def test_masked_values_are_neither_shown_nor_stored(table: Table) -> None:
    rows = collect(table, finding("note", [0, 2]), "id", masks=["ID", "note"])
    assert (rows.values, rows.keys, rows.stored_keys) == (
        ["•••", None],
        [{"id": "•••"}, {"id": "•••"}],
        ["•••", "•••"],
    )
    rows = collect(table, finding("note", [0]), "id", masks=["id"], chosen_key=["id"])
    assert (rows.keys, rows.stored_keys) == ([{"id": "A1"}], ["•••"])
    assert collect(table, finding("note", [0]), "id", keeps_samples=False).stored_keys == [""]


def test_copied_rows_are_the_same_rows(table: Table, tmp_path: Path) -> None:
    found = finding("note", [0, 2])
    copy_affected_rows(tmp_path, table, [found])
    assert collect(read_copied_rows(tmp_path), found, "id") == collect(table, found, "id")


def test_an_unknown_key_is_named(table: Table) -> None:
    with pytest.raises(InvalidInputError, match="'nix'"):
        collect(table, finding("note", [0]), "nix")


def test_long_keys_are_cut_for_the_store() -> None:
    wide = read_table(
        pl.DataFrame({"id": ["a" * 500], "n": [1]}).write_csv().encode(), "a.csv", DEFAULT_FILE_LIMITS
    )
    rows = collect(wide, finding("n", [0]), "id")
    assert [len(key) for key in rows.stored_keys] == [200]
