"""Rows that hold the totals of other rows."""

from __future__ import annotations

import dataclasses

import narwhals as nw
import pytest

from lavendertown.detectors import TotalRows
from lavendertown.detectors.runner import run_detectors
from lavendertown.tables import Table, read_table

GROUPS = [(f"North{group}", [10 * i + group for i in range(1, 6)]) for group in range(4)]


def table_of(rows: list[tuple[str, float | str]]) -> Table:
    lines = "\n".join(f"2026,{name},{amount}" for name, amount in rows)
    return read_table(f"year,region,amount\n{lines}\n2026,,7\n2026,,{-7}\n".encode(), "sales.csv")


def with_subtotals(label: str) -> list[tuple[str, float | str]]:
    rows: list[tuple[str, float | str]] = []
    for name, amounts in GROUPS:
        rows += [(name, amount) for amount in amounts]
        rows.append((label.format(name), sum(amounts)))
    return rows


@pytest.mark.parametrize("label", ["{} total", "Subtotal", "Total {}", "TOTAL", "Zwischensumme", "Summe {}"])
@pytest.mark.parametrize("to_engine", ["to_native", "to_pandas", "to_arrow"])
def test_rows_of_subtotals_are_found(label: str, to_engine: str) -> None:
    table = table_of(with_subtotals(label))
    native = getattr(table.frame.collect(), to_engine)()
    engine = dataclasses.replace(table, frame=nw.from_native(native).lazy())
    ((found,), _) = run_detectors(engine, [TotalRows()])
    assert (found.ghost_type, found.column, found.row_indices) == ("dependency", "region", [5, 11, 17, 23])
    first = label.format("North0")
    assert found.description == (
        f"region: 4 of 26 rows (15.4%) have totals of other rows, as '{first}' does; "
        "a sum of amount counts these twice."
    )


def test_a_grand_total_of_subtotals_is_found_too() -> None:
    rows = with_subtotals("{} total")
    rows.insert(0, ("Grand total", sum(sum(amounts) for _, amounts in GROUPS)))
    ((found,), _) = run_detectors(table_of(rows), [TotalRows()])
    assert found.row_indices == [0, 6, 12, 18, 24]


@pytest.mark.parametrize(
    "rows",
    [
        [(f"Total {i}", 10 * i) for i in range(3)] + [(f"Shell {i}", 7 * i) for i in range(9)],
        [("Total Wine", 30), ("TotalEnergies", 60), ("Aldi", 11), ("Lidl", 14), ("Rewe", 99)],
        [(name, amount) for name, amounts in GROUPS for amount in amounts],
        [(f"{name} total", sum(amounts)) for name, amounts in GROUPS],
    ],
)
def test_labels_that_only_look_like_totals_are_left_alone(rows: list[tuple[str, float | str]]) -> None:
    findings, _ = run_detectors(table_of(rows), [TotalRows()])
    assert not findings
