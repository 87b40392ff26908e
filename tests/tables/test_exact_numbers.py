"""Numbers beyond 64 bits stay exact: different values are never said to be equal."""

from __future__ import annotations

import decimal
import io
import json

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lavendertown.inspector import Inspector
from lavendertown.tables import Table, from_frame, read_table
from lavendertown.tables.exact_numbers import number_series

BIG = [2**64 + i for i in range(12)]
DECIMALS = [decimal.Decimal(f"12345678901234567890.{i:02}") for i in range(12)]


def values(table: Table, position: int = 0) -> list[object]:
    return table.frame.collect()[f"c{position}"].to_list()


def parquet_decimals(precision: int) -> bytes:
    kind = pa.decimal256(precision, 2) if precision > 38 else pa.decimal128(precision, 2)
    out = io.BytesIO()
    pq.write_table(pa.table({"h": pa.array(DECIMALS, type=kind)}), out)
    return out.getvalue()


SOURCES = {
    "pandas objects": pd.DataFrame({"h": BIG}, dtype=object),
    "pandas objects below 2**64": pd.DataFrame({"h": [2**63 + i for i in range(12)]}, dtype=object),
    "pandas unsigned": pd.DataFrame({"h": np.array([2**64 - 1 - i for i in range(12)], dtype="uint64")}),
    "pandas category": pd.DataFrame({"h": pd.Series(BIG, dtype="category")}),
    "Polars Int128": pl.DataFrame({"h": pl.Series([-number for number in BIG], dtype=pl.Int128)}),
    "Polars UInt128": pl.DataFrame({"h": pl.Series([2**127 + i for i in range(12)], dtype=pl.UInt128)}),
    "integers among floats": pd.DataFrame({"h": [2**53 + i for i in range(11)] + [0.5]}, dtype=object),
    "decimals": pd.DataFrame({"h": DECIMALS}),
    "beyond every number type": pd.DataFrame({"h": [10**60 + i for i in range(12)]}, dtype=object),
    "JSON": (json.dumps([{"h": number} for number in BIG]).encode(), "big.json"),
    "JSON lines": ("\n".join(json.dumps({"h": -number}) for number in BIG).encode(), "big.jsonl"),
    "JSON columns": (b'{"h": [%s]}' % b",".join(b"%d%05000d" % (i + 1, i) for i in range(12)), "big.json"),
    "CSV": ("\n".join(["h", *map(str, BIG)]).encode(), "big.csv"),
    "negative in CSV": ("\n".join(["h", *(str(-number) for number in BIG)]).encode(), "big.csv"),
    "pointed in CSV": ("\n".join(["h", *(f"{2**54 + i}.0" for i in range(12))]).encode(), "big.csv"),
    "grouped in CSV": ("\n".join(["h;x", *(f"{number:,};1.5" for number in BIG)]).encode(), "big.csv"),
    "decimal commas in CSV": (
        "\n".join(["h;x", *(f"{n:,},25;1,5".replace(",", ".", 6) for n in BIG)]).encode(),
        "big.csv",
    ),
    "Parquet decimals": (parquet_decimals(38), "big.parquet"),
    "wide Parquet decimals": (parquet_decimals(60), "big.parquet"),
    "Arrow decimals": pa.table({"h": pa.array(DECIMALS, type=pa.decimal256(60, 2))}),
}


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES.keys())
def test_different_long_numbers_are_not_equal(source: object) -> None:
    inspector = Inspector(source)
    types = {finding.ghost_type for finding in inspector.detect() if finding.column in ("h", "*")}
    assert types <= {"outlier"}
    assert len(set(values(inspector.table))) == 12


@pytest.mark.parametrize(
    ("data", "expected", "dtype"),
    [
        ([1, 2**63], [1, 2**63], pl.UInt64),
        ([-1, 2**63], [-1, 2**63], pl.Decimal),
        ([2**53 + 1, 0.5], [2**53 + 1, decimal.Decimal("0.5")], pl.Decimal),
        ([2**53, 0.5], [2.0**53, 0.5], pl.Float64),
        ([10**40, 1], [str(10**40), "1"], pl.String),
        ([10**400, 0.5], [float("inf"), 0.5], pl.Float64),
        ([10**400, 10**400 + 1, 0.5], [str(10**400), str(10**400 + 1), "0.5"], pl.String),
        ([decimal.Decimal("1.50"), 2], [decimal.Decimal("1.5"), 2], pl.Decimal),
        ([decimal.Decimal("Infinity"), 0.5], [float("inf"), 0.5], pl.Float64),
    ],
)
def test_the_narrowest_exact_type_is_taken(
    data: list[object], expected: list[object], dtype: type[pl.DataType]
) -> None:
    series = number_series(data)
    assert series.to_list() == expected
    assert series.dtype == dtype


@given(st.lists(st.integers() | st.none() | st.floats(allow_nan=False), min_size=1, max_size=6))
def test_every_mix_of_numbers_keeps_its_different_values(data: list[float | None]) -> None:
    exact = {decimal.Decimal(value) if isinstance(value, int) else decimal.Decimal(repr(value))
             for value in data if value is not None}  # fmt: skip
    series = number_series(data)
    assert series.drop_nulls().n_unique() == len({value + 0 for value in exact})


def test_a_long_number_in_csv_is_no_error_and_says_how_it_is_kept() -> None:
    table = read_table(b"a,b\n-1e5,1\n-" + b"9" * 30 + b",2\n", "big.csv")
    assert values(table) == ["-1e5", "-" + "9" * 30]
    assert "a is kept as text: it holds numbers too long to be kept exactly." in table.guesses


def test_an_outlier_among_decimals_is_still_found() -> None:
    data = pd.DataFrame({"amount": [*(i % 37 + i / 100 for i in range(100)), 10**25]}, dtype=object)
    assert [f.ghost_type for f in Inspector(data).detect()] == ["outlier"]


def test_rows_with_long_numbers_are_shown_as_they_are() -> None:
    table = from_frame(pl.DataFrame({"h": pl.Series(BIG, dtype=pl.Int128)}))
    assert [int(value) for value in table.rows([0, 11])["h"]] == [BIG[0], BIG[11]]
