"""Settings for values of frames and typed files, and settings that do not apply to a source."""

from __future__ import annotations

import datetime as dt
import io
import json
from collections.abc import Callable
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.feather as feather  # type: ignore[import-untyped]
import pyarrow.orc as orc  # type: ignore[import-untyped]
import pytest

from lavendertown.inspector import Inspector
from lavendertown.tables import Reading, Table, read_table
from tests.tables.test_excel import values, workbook

ROWS = {
    "code": [1204, 77, 3],
    "day": ["03/02/2018", "04/02/2018", "05/02/2018"],
    "price": ["1.204,5", "7,25", "none"],
    "n": [1.5, -9.0, 2.0],
}
READING = Reading(
    types={"code": "text"}, date_order="day", decimal=",", thousands=".", null_words=("none", "-9")
)


def parquet(frame: pl.DataFrame) -> Table:
    out = io.BytesIO()
    frame.write_parquet(out)
    return read_table(out.getvalue(), "orders.parquet", reading=READING)


def avro(frame: pl.DataFrame) -> Table:
    out = io.BytesIO()
    frame.write_avro(out)
    return read_table(out.getvalue(), "orders.avro", reading=READING)


def arrow(frame: pl.DataFrame) -> Table:
    out = io.BytesIO()
    feather.write_feather(frame.to_arrow(), out)
    return read_table(out.getvalue(), "orders.arrow", reading=READING)


def orc_file(frame: pl.DataFrame) -> Table:
    out = pa.BufferOutputStream()
    orc.write_table(frame.to_arrow().cast(pa.schema([(n, _plain(t)) for n, t in _types(frame)])), out)
    return read_table(out.getvalue().to_pybytes(), "orders.orc", reading=READING)


def _types(frame: pl.DataFrame) -> list[tuple[str, pa.DataType]]:
    return [(each.name, each.type) for each in frame.to_arrow().schema]


def _plain(kind: pa.DataType) -> pa.DataType:
    return pa.string() if pa.types.is_large_string(kind) or pa.types.is_string_view(kind) else kind


def json_list(frame: pl.DataFrame) -> Table:
    return read_table(json.dumps(frame.to_dicts()).encode(), "orders.json", reading=READING)


def polars(frame: pl.DataFrame) -> Table:
    return Inspector(frame, reading=READING).table


def pandas(frame: pl.DataFrame) -> Table:
    return Inspector(pd.DataFrame(frame.to_dict(as_series=False)), reading=READING).table


def arrow_table(frame: pl.DataFrame) -> Table:
    return Inspector(frame.to_arrow(), reading=READING).table


@pytest.mark.parametrize(
    "read",
    [parquet, avro, arrow, orc_file, json_list, polars, pandas, arrow_table],
    ids=lambda each: each.__name__,
)
def test_settings_for_values_count_for_every_typed_source(read: Callable[[pl.DataFrame], Table]) -> None:
    table = read(pl.DataFrame(ROWS))
    assert values(table, "code") == ["1204", "77", "3"]
    assert values(table, "day") == [dt.date(2018, 2, 3), dt.date(2018, 2, 4), dt.date(2018, 2, 5)]
    assert values(table, "price") == [1204.5, 7.25, None]
    assert values(table, "n") == [1.5, None, 2.0]
    assert table.rows([0])["price"].tolist() == ["1.204,5"], "rows are shown as the source has them"
    assert table.given == READING
    assert not [each for each in table.guesses if "Not used" in each or "cannot be told apart" in each]


@pytest.mark.parametrize("source", ["orders.parquet", "orders.json", "a frame"])
def test_settings_that_do_not_apply_are_named_in_one_sentence(source: str) -> None:
    frame, reading = pl.DataFrame({"a": [1, 2]}), Reading(delimiter=";", sheet="May", types={"b": "text"})
    out = io.BytesIO(b'[{"a": 1}, {"a": 2}]')
    if source == "orders.parquet":
        frame.write_parquet(out)
    data: Any = frame if source == "a frame" else (out.getvalue(), source)
    guesses = Inspector(data, reading=reading).table.guesses
    assert [each for each in guesses if each.startswith("Not used")] == [
        f"Not used, because {what_is(source)} has no such setting: sheet May, delimiter ';'."
    ]
    assert "The type set for b is not used: there is no such column." in guesses


def what_is(source: str) -> str:
    names = {"orders.parquet": "a Parquet file", "orders.json": "a JSON file"}
    return names.get(source, source)


def test_text_files_name_settings_of_workbooks_and_workbooks_those_of_text() -> None:
    text = read_table(b"a;b\n1;2\n", "orders.csv", reading=Reading(cell_range="A1:B2", encoding="utf-8"))
    assert "Not used, because a CSV file has no such setting: cells A1:B2." in text.guesses
    book = read_table(workbook(Data=[["a"], [1]]), "orders.xlsx", reading=Reading(encoding="utf-8"))
    assert "Not used, because an Excel file has no such setting: encoding utf-8." in book.guesses


def test_a_json_file_is_read_in_the_given_encoding() -> None:
    raw = '[{"name": "Zürich"}]'.encode("cp850")
    assert values(read_table(raw, "a.json", reading=Reading(encoding="cp850")), "name") == ["Zürich"]


def test_a_text_column_that_does_not_fit_the_set_notation_stays_text() -> None:
    table = Inspector(pl.DataFrame({"name": ["a", "b", "c"]}), reading=Reading(decimal=",")).table
    assert (values(table, "name"), table.column("name").kind) == (["a", "b", "c"], "text")


def test_a_number_column_that_is_wanted_as_number_keeps_its_exact_values() -> None:
    big = 2**60 + 1
    table = Inspector(pl.DataFrame({"n": [big, 1]}), reading=Reading(types={"n": "number"})).table
    assert values(table, "n") == [big, 1]


@pytest.mark.parametrize(
    ("thousands", "cells", "expected"),
    [
        (".", ["1.234", "2.500", "7"], [1234, 2500, 7]),
        (",", ["1,234", "2,500", "7"], [1234, 2500, 7]),
        (" ", ["1 234", "2\u202f500", "7"], [1234, 2500, 7]),
        ("'", ["1'234", "2\u2019500", "7"], [1234, 2500, 7]),
        ("", ["1.234", "2.500", "7"], [1.234, 2.5, 7.0]),
    ],
)
def test_the_thousands_sign_that_is_set_counts(
    thousands: str, cells: list[str], expected: list[float]
) -> None:
    raw = "n;m\n" + "".join(f"{cell};x\n" for cell in cells)
    table = read_table(raw.encode(), "orders.csv", reading=Reading(thousands=thousands))
    assert values(table, "n") == expected


def test_text_cells_of_a_workbook_are_read_in_the_set_notation() -> None:
    book = workbook(
        Data=[["n", "day"], ["1.234,5", "03/02/2018"], ["7,5", "04/02/2018"], ["8,5", "05/02/2018"]]
    )
    table = read_table(book, "orders.xlsx", reading=Reading(decimal=",", date_order="day"))
    assert values(table, "n") == [1234.5, 7.5, 8.5]
    assert values(table, "day")[0] == dt.date(2018, 2, 3)


def test_numbers_of_a_workbook_stay_numbers_beside_text_with_a_decimal_comma() -> None:
    book = workbook(Data=[["n"], [2.5], ["1,5"], [3], ["many"]])
    table = read_table(book, "orders.xlsx", reading=Reading(types={"n": "number"}, decimal=","))
    assert values(table, "n") == [2.5, 1.5, 3.0, None]


@pytest.mark.parametrize(
    ("values", "thousands"),
    [
        (["1 204,5", "2 300,25", "17,1"], " "),
        (["1 204.5", "2 300.25", "17.1"], " "),
        (["1'204,5", "2'300,25", "17,1"], "'"),
        (["1204,5", "2300,25", "17,1"], ""),
        (["1204.5", "2300.25", "17.1"], ""),
        (["1,204.5", "2,300.25", "17.1"], ","),
        (["1.204,5", "2.300,25", "17,1"], "."),
    ],
)
def test_either_decimal_sign_is_read_next_to_a_separator_that_is_set(
    values: list[str], thousands: str
) -> None:
    text = "\n".join(["a;b", *(f"{value};x" for value in values)])
    table = read_table(text.encode(), "t.csv", reading=Reading(thousands=thousands))
    assert table.frame.collect().to_native()["c0"].to_list() == [1204.5, 2300.25, 17.1]


@pytest.mark.parametrize("reading", [Reading(decimal="."), Reading(thousands=",")])
def test_a_column_that_is_text_only_because_of_the_set_signs_is_named(reading: Reading) -> None:
    text = "a;b\n" + "".join(f"{n},5;x\n" for n in range(9))
    table = read_table(text.encode(), "t.csv", reading=reading)
    assert table.schema[0].kind == "text"
    (guess,) = [each for each in table.guesses if each.startswith("a ")]
    assert guess == "a is kept as text: numbers such as 0,5 do not have the signs that are set."
