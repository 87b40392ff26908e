"""The type of a column: numbers and dates in any notation, and the cells that do not fit."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from lavendertown.core.findings import GhostFinding
from lavendertown.inspector import Inspector
from lavendertown.tables import Reading, Table, read_table


def read(cells: list[str], name: str = "x", **settings: Any) -> Table:
    """Read a column of these cells below a name, next to a column of text."""
    lines = [f"label;{name}", *(f"a{i};{cell}" for i, cell in enumerate(cells))]
    return read_table("\n".join(lines).encode(), "t.csv", reading=Reading(**settings))


def values(table: Table, name: str = "x") -> list[Any]:
    return table.frame.collect()[table.column(name).key].to_list()


def findings(cells: list[str], name: str = "x", **settings: Any) -> list[GhostFinding]:
    return [each for each in Inspector(read(cells, name, **settings)).detect() if each.column == name]


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["$1,561.25", "$199.42", "$0.50"], [1561.25, 199.42, 0.5]),
        (["€ 1.561,25", "€ 199,42", "€ 0,50"], [1561.25, 199.42, 0.5]),
        (["1 204 EUR", "980 EUR", "12 300 EUR"], [1204, 980, 12300]),
        (["17%", "24 %", "8%"], [17, 24, 8]),
        (["4.8 kg", "6.7 kg", "8.0 kg"], [4.8, 6.7, 8.0]),
        (["21 °C", "-3 °C", "7 °C"], [21, -3, 7]),
        (["1 204", "980", "2 500 000"], [1204, 980, 2500000]),
        (["1'204", "980", "2'500'000"], [1204, 980, 2500000]),
        (["1\u202f204,5", "980,25", "12,5"], [1204.5, 980.25, 12.5]),
        (["(1,250.00)", "300.00", "(4.50)"], [-1250.0, 300.0, -4.5]),
        (["-$5.00", "$-6.00", "$7.00"], [-5, -6, 7]),
        (["\u22125", "6", "7"], [-5, 6, 7]),
        (["12.50-", "300.25", "1.75-"], [-12.5, 300.25, -1.75]),
        (["1,20,400", "12,34,567", "3,400"], [120400, 1234567, 3400]),
    ],
)
def test_numbers_are_read_in_any_notation(cells: list[str], expected: list[float]) -> None:
    table = read(cells)
    assert values(table) == expected
    assert any(sentence.startswith("x: ") for sentence in table.guesses)
    assert table.rows(range(len(cells)))["x"].tolist() == cells, "the preview shows the cells as written"
    assert not findings(cells)


@pytest.mark.parametrize(
    "cells",
    [
        ["007", "010", "042"],
        ["555 123 456", "555 123 457", "555 123 458"],
        ["+49 170 123", "+49 171 124", "+49 30 1"],
        ["12A", "14B", "3", "5", "7C", "9", "11", "13", "15", "17D", "20E", "22"],
        ["1st", "2nd", "3rd"],
        ["10k", "20k", "1M"],
        ["1.2.3", "1.2.4", "2.0.1"],
        ["10:30", "11:15", "12:00"],
        ["5 kg", "3 g", "2 lb"],
        ["1234567890123456", "1234567890123457", "1234567890123458 "],
    ],
)
def test_codes_and_mixed_units_stay_text(cells: list[str]) -> None:
    assert read(cells).column("x").kind in ("text", "number")
    assert [str(value) for value in values(read(cells))] == [cell.strip() for cell in cells] or values(
        read(cells)
    ) == cells


def test_identifiers_are_not_converted() -> None:
    cells = ["$100", "$200", "$300"]
    assert read(cells, name="order_id").column("order_id").kind == "text"
    assert read(cells, name="price").column("price").kind == "number"


@pytest.mark.parametrize(
    ("cells", "name", "kind", "guess"),
    [
        (["1.204", "12.500"] * 3, "x", "number", "the point is read as the decimal sign"),
        (["1.204.500", "2.500"] * 3, "x", "number", "points are read as thousands separators"),
        (["12", "14B"] * 6, "x", "text", "it has not only digits but also codes such as 14B"),
        (["12", "13", "14", "new"] * 4, "order_no", "text", "the name says that the digits are codes"),
        ([f"2125551{i:03}" for i in range(9)], "Telefon", "text", "the name says that the digits are codes"),
    ],
)
def test_no_column_is_converted_or_left_as_text_silently(
    cells: list[str], name: str, kind: str, guess: str
) -> None:
    table = read(cells, name)
    assert table.column(name).kind == kind
    assert any(guess in sentence for sentence in table.guesses)


@pytest.mark.parametrize(
    ("cell", "phrase"),
    [
        ("2024-03-01T10:00:00+02:00", "read as times with an offset, and converted to UTC."),
        ("2024-03-01 10:00:00 UTC", "read as times in UTC."),
        ("2024-03-01T10:00:00Z", "read as dates, year first (2024-01-31)."),
    ],
)
def test_a_conversion_of_time_zones_is_said(cell: str, phrase: str) -> None:
    assert f"x: {phrase}" in read([cell] * 4).guesses


def test_points_part_thousands_where_the_file_shows_it() -> None:
    assert values(read(["1.204.500", "2.500", "12"])) == [1204500, 2500, 12]
    table = read_table(b"x;y\n1.204;0,5\n2.500;1,5\n", "t.csv")
    assert values(table) == [1204, 2500]
    assert "x: points are read as thousands separators (1.234 is 1234)." in table.guesses
    assert read(["192.168.100.101", "192.168.100.102", "192.168.100.103"]).column("x").kind == "text"


@pytest.mark.parametrize("sign", [".", ","])
def test_long_numbers_in_scientific_notation_stay_text(sign: str) -> None:
    cells = [f"4{sign}00{i}E+12" if i % 3 == 0 else f"40012345678{i}" for i in range(9)]
    table = read([*cells, "none"])
    assert table.column("x").kind == "text"
    assert any("have lost digits" in sentence for sentence in table.guesses)
    (lost,) = [each for each in findings(cells) if each.metadata["check"] == "lost_digits"]
    assert list(lost.row_indices or []) == [0, 3, 6]


def test_cells_that_do_not_fit_are_a_finding_with_their_rows() -> None:
    cells = ["8%", "", "3--%", "nopct", *(f"{i}%" for i in range(14))]
    table = read(cells)
    assert values(table)[:4] == [8, None, None, None]
    found = {each.metadata["check"]: each for each in findings(cells)}
    assert list(found["types"].row_indices or []) == [2, 3]
    assert list(found["nulls"].row_indices or []) == [1]
    assert table.rows([2])["x"].tolist() == ["3--%"]


def test_placeholders_among_numbers_stand_for_missing_values() -> None:
    cells = ["n/a", *(f"{i}.5 kg" for i in range(12)), "-"]
    found = {each.metadata["check"]: each for each in findings(cells)}
    assert list(found["disguised_nulls"].row_indices or []) == [0, 13]
    assert "types" not in found


def test_infinite_numbers_among_numbers_are_found() -> None:
    cells = ["inf", "-inf", *(f"{i}.5 kg" for i in range(12))]
    found = {each.metadata["check"]: each for each in findings(cells)}
    assert list(found["infinite_values"].row_indices or []) == [0, 1]
    assert "types" not in found


def test_rows_that_differ_only_in_a_cell_that_does_not_fit_are_no_copies() -> None:
    lines = ["x", *(f"{i}%" for i in range(12)), "odd", "odder"]
    table = read_table("\n".join(lines).encode(), "t.csv")
    assert table.column("x").kind == "number"
    assert not [each for each in Inspector(table).detect() if each.ghost_type == "duplicate"]


@pytest.mark.parametrize(("share", "kind"), [(6, "number"), (5, "text")])
def test_three_of_five_values_decide(share: int, kind: str) -> None:
    cells = [*(f"{i} kg" for i in range(share)), *(f"word{'s' * i}" for i in range(10 - share))]
    table = read(cells)
    assert table.column("x").kind == kind
    assert ("x is kept as text: only 50% of its values are numbers." in table.guesses) == (kind == "text")


DAY = dt.date(2024, 1, 31)


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["31 Jan 2024", "1 Feb 2024", "2 Mar 2024"], [DAY, dt.date(2024, 2, 1), dt.date(2024, 3, 2)]),
        (["Jan 31, 2024", "Feb 1, 2024", "Mar 2, 2024"], [DAY, dt.date(2024, 2, 1), dt.date(2024, 3, 2)]),
        (
            ["31. Januar 2024", "1. März 2024", "2. Dez. 2024"],
            [DAY, dt.date(2024, 3, 1), dt.date(2024, 12, 2)],
        ),
        (["31 janv. 2024", "1 juin 2024", "2 août 2024"], [DAY, dt.date(2024, 6, 1), dt.date(2024, 8, 2)]),
        (
            ["31 enero 2024", "1 julio 2024", "2 gennaio 2024"],
            [DAY, dt.date(2024, 7, 1), dt.date(2024, 1, 2)],
        ),
        (["2024/01/31", "2024/02/01", "2024/03/02"], [DAY, dt.date(2024, 2, 1), dt.date(2024, 3, 2)]),
        (["31/01/24", "01/02/24", "02/03/99"], [DAY, dt.date(2024, 2, 1), dt.date(1999, 3, 2)]),
        (
            ["1/31/2024 1:05 PM", "2/1/2024 12:00 AM", "3/2/2024 12:30 PM"],
            [
                dt.datetime(2024, 1, 31, 13, 5),
                dt.datetime(2024, 2, 1, 0, 0),
                dt.datetime(2024, 3, 2, 12, 30),
            ],
        ),
    ],
)
def test_dates_are_read_in_any_format(cells: list[str], expected: list[dt.date]) -> None:
    assert values(read(cells)) == expected
    assert not findings(cells)


def test_several_date_formats_are_a_finding_with_the_odd_rows() -> None:
    cells = [
        "2024-01-05",
        "05.01.2024",
        "2024-01-07",
        "Jan 8, 2024",
        "2024-01-09",
        "2024/01/10",
        "2024-01-11",
    ]
    (found,) = findings(cells)
    assert found.ghost_type == "date"
    assert list(found.row_indices or []) == [1, 3, 5]
    assert "most are written as 2024-01-31, but 3 of 7 rows (42.9%) are not" in found.description


def test_days_and_months_that_cannot_be_told_apart_stay_text_until_somebody_says_which() -> None:
    cells = ["03/02/2018 10:21:42", "03/02/2018 18:03:52", "05/02/2018 20:11:20"]
    table = read(cells)
    assert table.column("x").kind == "text"
    assert "x is kept as text: day and month cannot be told apart (03/02/2018 10:21:42)." in table.guesses
    assert values(read(cells, date_order="day"))[0] == dt.datetime(2018, 2, 3, 10, 21, 42)
    assert values(read(cells, date_order="month"))[0] == dt.datetime(2018, 3, 2, 10, 21, 42)


def test_long_numbers_in_scientific_notation_have_lost_digits() -> None:
    cells = ["4006381333931", "4.00638E+12", "4006381333955", "4.00638E+12", "4006381333979"]
    (found,) = findings(cells, name="gtin")
    assert (found.ghost_type, list(found.row_indices or [])) == ("format", [1, 3])
    assert read(cells).column("x").kind == "text"
    assert not findings(["1.5E+12", "2.5E+12", "3.1E+12"])


@pytest.mark.parametrize(
    ("name", "cells", "kind", "lost"),
    [
        ("EAN", [f"4,0063{i}E+12" for i in range(8)], "text", 8),
        ("account_id", [f"1.23457E+1{i}" for i in range(8)], "text", 8),
        ("code", [f"{i}E{i}" for i in range(1, 9)], "text", 0),
        ("code", [f"A{i}E2" for i in range(1, 9)], "text", 0),
        ("refraction_index", [f"1.3{i}E+00" for i in range(8)], "number", 0),
        ("mass", [f"1.23457E+1{i}" for i in range(8)], "number", 0),
    ],
)
def test_identifiers_in_scientific_notation_stay_text(
    name: str, cells: list[str], kind: str, lost: int
) -> None:
    table = read(cells, name)
    assert table.column(name).kind == kind
    assert any("in scientific notation" in each or "no quantity" in each for each in table.guesses) == (
        kind == "text" and not cells[0].startswith("A")
    )
    found = [each for each in findings(cells, name=name) if each.metadata["check"] == "lost_digits"]
    assert [each.metadata["count"] for each in found] == [lost] * bool(lost)


@pytest.mark.parametrize(
    ("cells", "kind", "sentence"),
    [
        (["1.5", "2.5", "3.5", "left", "right"], "number", "read as numbers; 2 values could not be read"),
        (["2026-01-01", "2026-01-02", "week"], "time", "read as dates; 1 value could not be read as one."),
        (["yes", "no", "yes", "never", "seldom"], "boolean", "2 values could not be read as one."),
        (["1.5", "2.5", "left", "right"], "text", "kept as text: only 50% of its values are numbers."),
        (["2026-01-01", "2026-01-02", "a", "b"], "text", "kept as text: only 50% of its values are dates."),
        (["$5", "$6"], "text", "kept as text: 2 values cannot show whether it is a column of numbers."),
    ],
)
def test_three_of_five_values_decide_in_small_tables_too(cells: list[str], kind: str, sentence: str) -> None:
    table = read(cells)
    assert table.column("x").kind == kind
    assert sentence in sentence_about(table)


@pytest.mark.parametrize(
    ("cells", "first", "last"),
    [
        (["01/21/2026", "02/22/2026", "03/23/2026", "05.07.2026"], dt.date(2026, 1, 21), dt.date(2026, 7, 5)),
        (["21/01/2026", "22/02/2026", "23/03/2026", "05-07-2026"], dt.date(2026, 1, 21), dt.date(2026, 7, 5)),
    ],
)
def test_dates_with_dots_keep_their_order_and_mixed_signs_are_a_finding(
    cells: list[str], first: dt.date, last: dt.date
) -> None:
    cells = [*cells[:3] * 4, *cells[3:]]
    found = values(read(cells))
    assert (found[0], found[-1]) == (first, last)
    mixed = [each for each in findings(cells) if "mixes date formats" in each.description]
    assert [list(each.row_indices or []) for each in mixed] == [[12]]


def test_grouped_digits_that_may_be_codes_say_so() -> None:
    table = read([f"1 00{i} 000" for i in range(9)])
    assert sentence_about(table) == "x is kept as text: its digits may be codes, such as 1 000 000."


def test_the_example_of_a_date_shows_its_notation() -> None:
    table = read(["2026-01-05", "05.01.2026", "2026-01-07"] * 4)
    assert sentence_about(table) == "x: read as dates (05.01.2026 is 2026-01-05)."


def test_the_type_that_a_person_sets_counts() -> None:
    cells = ["yes", "no", "perhaps"]
    table = read(cells, types={"x": "boolean"})
    assert values(table) == [True, False, None]
    assert list(findings(cells, types={"x": "boolean"})[0].row_indices or []) == [2]
    assert read(["1", "2", "3"], types={"x": "text"}).column("x").kind == "text"
    assert values(read(["007", "b", "9"], types={"x": "number"})) == [7.0, None, 9.0]
    assert values(read(["20240131", "b", "c"], types={"x": "date"})) == [DAY, None, None]
    assert read(["a", "b"], types={"x": "date"}).column("x").kind == "text"


def test_words_that_a_person_names_are_missing_values() -> None:
    assert values(read(["5", "Unbekannt ", "7"], null_words=("unbekannt",))) == [5, None, 7]


def test_the_decimal_sign_that_a_person_sets_counts() -> None:
    assert values(read(["1,234", "2,345"], decimal=",")) == [1.234, 2.345]
    assert values(read(["1,234", "2,345"], decimal=".")) == [1234, 2345]


def test_the_type_of_a_repeated_column_is_set_by_the_name_it_gets() -> None:
    reading = Reading(types={"n (2)": "text"})
    table = read_table(b"n;n\n1;2\n3;4\n", "t.csv", reading=reading)
    assert (values(table, "n"), values(table, "n (2)")) == ([1, 3], ["2", "4"])


def test_a_decimal_comma_is_a_detected_setting() -> None:
    assert read(["12,5", "7,25"]).reading.decimal == ","
    assert read(["12.5", "7.25"]).reading.decimal is None


def sentence_about(table: Table, name: str = "x") -> str:
    return next(each for each in table.guesses if each.startswith(name))


@pytest.mark.parametrize(
    ("cells", "first", "second"),
    [
        (["true", "false", "true"], True, False),
        (["Y", "N", "Y"], True, False),
        (["no", "yes", "no"], False, True),
        (["ja", "nein", "ja"], True, False),
        (["on", "off", "off"], True, False),
    ],
)
def test_pairs_of_words_are_yes_no_values(cells: list[str], first: object, second: object) -> None:
    table = read(cells)
    assert (table.column("x").kind, values(table)[:2]) == ("boolean", [first, second])
    assert table.rows([0, 1])["x"].tolist() == cells[:2]
    assert "x: read as yes/no values" in sentence_about(table)


def test_a_word_that_is_not_of_the_pair_is_a_finding() -> None:
    cells = ["yes", "no"] * 12 + ["maybe"]
    (found,) = findings(cells)
    assert (found.ghost_type, found.row_indices) == ("type", [24])
    assert sentence_about(read(cells)).endswith("read as yes/no values; 1 value could not be read as one.")


@pytest.mark.parametrize(
    ("cells", "sentence"),
    [
        (["Yes", "no", "YES", "No"], "written in several ways, as 'Yes', 'YES', 'no' and 1 more."),
        (
            ["yes"] * 8 + ["no"] * 3 + [f"word {i}" for i in "abcdefghi"],
            "only 55% of its values are yes or no.",
        ),
        (["a", "b", "yes", "c"], ""),
        (["NO", "SE", "DK", "NO"], ""),
        (["yes", "yes", "yes"], ""),
    ],
)
def test_words_that_are_no_pair_stay_text(cells: list[str], sentence: str) -> None:
    table = read(cells)
    assert table.column("x").kind == "text"
    assert any(each.endswith(sentence) for each in table.guesses) if sentence else len(table.guesses) == 1


@pytest.mark.parametrize(
    ("name", "cells", "first"),
    [
        ("day", ["20240131", "20240201", "20240202"], dt.date(2024, 1, 31)),
        ("booked", [f"202401{i:02}" for i in range(1, 12)], dt.date(2024, 1, 1)),
        (
            "created_at",
            ["20240131093000", "20240201101530", "20240202000000"],
            dt.datetime(2024, 1, 31, 9, 30),
        ),
        ("order_date", ["45292", "45293", "45294"], dt.date(2024, 1, 1)),
        ("date", ["45292.5", "45293.25", "45294"], dt.datetime(2024, 1, 1, 12)),
    ],
)
def test_numbers_that_are_dates_are_dates(name: str, cells: list[str], first: dt.date) -> None:
    table = read(cells, name)
    assert values(table, name)[0] == first
    assert f"{name}: read as dates ({cells[0]} is {first})." in table.guesses
    assert table.rows([0])[name].tolist() == cells[:1]


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("order_no", [f"202401{i:02}" for i in range(1, 12)]),
        ("amount", ["20240131", "20240201", "20240202"]),
        ("booked", ["20240131", "20241399", *[f"202401{i:02}" for i in range(1, 12)]]),
        ("amount", ["45292", "45293", "45294"]),
        ("update_count", ["45292", "45293", "45294"]),
        ("date", ["1", "2", "3"]),
        ("year", ["2024", "2025", "2026"]),
    ],
)
def test_other_numbers_stay_numbers(name: str, cells: list[str]) -> None:
    assert read(cells, name).column(name).kind == "number"


def test_a_number_that_is_no_date_among_such_is_a_finding() -> None:
    cells = [f"202401{i:02}" for i in range(1, 31)] + ["20241399"]
    (found,) = [each for each in findings(cells, "day") if each.ghost_type == "type"]
    assert found.row_indices == [30]


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("zip", ["10115", "20095", "80331"]),
        ("PLZ", ["1010", "8020", "4020"]),
        ("customer_phone", ["4930123456", "4940123456", "4989123456"]),
        ("ean", ["4006381333931", "4006381333948", "4006381333955"]),
    ],
)
def test_digits_that_are_codes_by_their_name_stay_text(name: str, cells: list[str]) -> None:
    table = read(cells, name)
    assert values(table, name) == cells
    assert sentence_about(table, name) == (
        f"{name}: kept as text, because the name says that the digits are codes."
    )
    assert values(read(cells, name, types={name: "number"}), name) == [float(cell) for cell in cells]


@pytest.mark.parametrize(
    ("name", "cells"),
    [
        ("mobile", ["120", "4500", "77"]),
        ("phone", ["3", "1", "2"]),
        ("market_cap", ["123456", "7890", "45000"]),
    ],
)
def test_numbers_that_are_too_short_for_codes_are_numbers(name: str, cells: list[str]) -> None:
    assert read(cells, name).column(name).kind == "number"


def test_letters_of_a_postcode_are_no_unit() -> None:
    assert read(["1012 AB", "1013 AB", "1017 AB"]).column("x").kind == "text"
    assert values(read(["1012 KG", "1013 KG", "1017 KG"])) == [1012, 1013, 1017]


UTC_TIME = dt.datetime(2026, 1, 5, 9, 30, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    "cell",
    [
        "2026-01-05 10:30 CET",
        "2026-01-05 10:30:00 Europe/Berlin",
        "2026-01-05T10:30:00+01:00[Europe/Berlin]",
        "2026-01-05 04:30 EST",
        "05.01.2026 09:30 UTC",
        "Jan 5, 2026 9:30 AM GMT",
        "Mon, 05 Jan 2026 10:30:00 +0100",
        "05/Jan/2026:04:30:00 -0500",
    ],
)
def test_times_with_the_name_of_a_zone_are_converted(cell: str) -> None:
    assert values(read([cell, cell, cell])) == [UTC_TIME] * 3


def test_names_of_several_zones_are_converted_each() -> None:
    table = read(["2026-01-05 10:30 CET", "2026-01-05 04:30 EST", "2026-01-05 09:30 UTC"])
    assert values(table) == [UTC_TIME] * 3
    assert sentence_about(table) == "x: read as times in CET, EST, UTC, and converted to UTC."


def test_the_summer_time_of_a_zone_counts() -> None:
    summer, repeated, skipped = "2026-07-05 10:30", "2026-10-25 02:30", "2026-03-29 02:30"
    table = read([f"{each} Europe/Berlin" for each in (summer, summer, summer, repeated, skipped)])
    assert [each and each.hour for each in values(table)] == [8, 8, 8, 0, None]


def test_a_time_without_a_zone_among_those_with_an_offset_is_a_finding() -> None:
    cells = [*["2026-01-05 10:30:00+01:00"] * 4, "2026-01-05 10:30:00"]
    table = read(cells)
    assert values(table) == [*[UTC_TIME] * 4, None]
    assert sentence_about(table) == (
        "x: read as times in +01:00, and converted to UTC; 1 value could not be read as one."
    )
    (odd,) = findings(cells)
    assert list(odd.row_indices or []) == [4]


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        (
            ["2026-01-05 10:30:00+01:00", "2026-01-05 10:30:00"],
            "some of its times have a time zone, and others",
        ),
        (["14:30", "9:15", "8:05 pm"], "its times have no date"),
        (
            ["Mon Jan  5 10:30:00 2026", "Tue Jan  6 10:30:00 CET 2026"],
            "its times are in a notation that is not",
        ),
    ],
)
def test_times_that_are_not_read_are_named(cells: list[str], reason: str) -> None:
    table = read(cells * 4)
    assert table.column("x").kind == "text"
    assert sentence_about(table).startswith(f"x is kept as text: {reason}")


@pytest.mark.parametrize(
    ("cells", "sentence"),
    [
        (["1", "20", "3", "4", "x", "n/a", "inf"], "x: read as numbers; 3 values could not be read as one."),
        (
            ["1,5", "2,5", "1.300,5", "x", "y", "4,5", "5,5"],
            "(1.300,5 is 1300.5); 6 values could not be read",
        ),
    ],
)
def test_values_that_are_no_numbers_are_counted(cells: list[str], sentence: str) -> None:
    assert sentence in sentence_about(read(cells * 3))


def test_words_after_a_clock_are_no_zones() -> None:
    table = read(["Started 10:30 DONE", "Started 11:30 FAIL", "Started 12:30 DONE"])
    assert [guess for guess in table.guesses if guess.startswith("x")] == []


def test_a_name_that_means_several_zones_is_not_guessed() -> None:
    table = read(["2026-01-05 10:30 IST", "2026-01-05 11:30 IST", "2026-01-05 12:30 IST"])
    assert table.column("x").kind == "text"
    assert sentence_about(table) == "x is kept as text: it is not known which time zone IST means."


def test_a_column_that_nearly_is_of_dates_is_named() -> None:
    table = read([f"2026-01-{i:02}" for i in range(1, 11)] + [f"week {w}" for w in "abcdefgh"])
    assert sentence_about(table) == "x is kept as text: only 56% of its values are dates."


@pytest.mark.parametrize(
    "cells", [["1.5k", "20k", "3k"], ["$2M", "$1.5M", "$7M"], ["3 Mio.", "4 Mio.", "5 Mio."]]
)
def test_numbers_with_letters_of_several_meanings_stay_text_and_say_so(cells: list[str]) -> None:
    table = read(cells)
    assert table.column("x").kind == "text"
    assert sentence_about(table) == (
        f"x is kept as text: its numbers end in letters of several meanings, such as {cells[0]}."
    )


def test_months_of_another_language_are_a_format_of_their_own() -> None:
    cells = [*(f"{i + 1}. Mai 2024" for i in range(8)), "2024-05-09", "2024-05-10"]
    (mixed,) = findings(cells)
    assert list(mixed.row_indices or []) == [8, 9]
