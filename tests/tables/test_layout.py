"""Where the table begins in a file: titles, comments, delimiters, headers, totals, sheets, merged cells."""

from __future__ import annotations

import io
from typing import Any

import openpyxl
import pytest

from lavendertown.core.errors import InvalidInputError, UnreadableTableError
from lavendertown.inspector import Inspector
from lavendertown.tables import Reading, Table, read_table

ROWS = "\n".join(f"R{i},2026-{i % 12 + 1:02},{1000 + i}" for i in range(24))


def read(text: str, **settings: Any) -> Table:
    return read_table(text.encode(), "sales.csv", reading=Reading(**settings))


def values(table: Table, name: str) -> list[Any]:
    return table.frame.collect()[table.column(name).key].to_list()


def workbook(*sheets: tuple[str, list[list[Any]]], hidden: str = "", merged: str = "") -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets:
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
        sheet.sheet_state = "hidden" if name == hidden else "visible"
        if merged:
            sheet.merge_cells(merged)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


@pytest.mark.parametrize(
    "above",
    [
        "Monthly sales report\nGenerated 2026-11-01 by finance\n\n",
        "Monthly sales report\n",
        "Sales\nRegion: EMEA\nPage 1\n",
        "Monthly sales report,,\n,,\n",
        "# source: lab 4\n# unit: mm\n",
        "% made by hand\n",
        "\n\n",
    ],
)
def test_the_table_begins_below_titles_and_comments(above: str) -> None:
    table = read(f"{above}region,month,revenue\n{ROWS}\n")
    assert table.columns == ["region", "month", "revenue"]
    assert table.row_count == 24
    assert table.reading.header_row == above.count("\n") + 1


REMARKS = [
    "Sales report,North,2024\nPrepared by,Ana,\n\n",
    "Sales report,,\nPrepared by,Ana,\n",
    "Report for Berlin, Hamburg, and Kiel\nPrepared by Ana, Ben\n",
    "Report, 2024\n",
    "Export of orders, customers, returns\n",
    "orders,customers,returns\n\n",
]


@pytest.mark.parametrize("above", REMARKS)
def test_the_table_begins_below_remarks_of_several_cells(above: str) -> None:
    table = read(f"{above}region,month,revenue\n{ROWS}\n")
    assert (table.columns, table.row_count) == (["region", "month", "revenue"], 24)
    assert table.reading.header_row == above.count("\n") + 1


@pytest.mark.parametrize(
    "above", [[["Sales report", "North", "2024"], []], [["Report", "Sales"], ["Made on", "2026-01-02"]]]
)
def test_a_sheet_begins_below_remarks_of_several_cells(above: list[list[Any]]) -> None:
    rows = [line.split(",") for line in ROWS.splitlines()]
    sheet = [*above, ["region", "month", "revenue"], *([a, b, int(c)] for a, b, c in rows)]
    table = read_table(workbook(("S", sheet)), "sales.xlsx")
    assert (table.columns, table.row_count) == (["region", "month", "revenue"], 24)
    assert table.reading.header_row == 3


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        (f"region,month,revenue\ntext,month,EUR\n{ROWS}\n", ["region", "month", "revenue"]),
        (f"region,month,revenue\nNorth,unclear,abc\n{ROWS}\n", ["region", "month", "revenue"]),
        (f"region,month,revenue\nNorth,n/a,\n{ROWS}\n", ["region", "month", "revenue"]),
        ("x\n11\na11\n12\n13\n14\n15\n", ["x"]),
        (",Plan,\nstore,may,june\n" + "a,1,2\nb,2,3\nc,3,4\nd,4,5\n", ["store", "Plan may", "Plan june"]),
    ],
)
def test_a_first_row_that_may_name_the_columns_does(text: str, columns: list[str]) -> None:
    assert read(text).columns == columns


def test_what_stands_above_the_table_is_counted() -> None:
    table = read(f"Sales\nby region\n# draft\n\nregion,month,revenue\n{ROWS}\n")
    assert "3 lines of text above the header left out." in table.guesses
    table = read(f"# source\n# unit\nregion,month,revenue\n{ROWS}\n# end\n")
    assert "2 lines starting with '#' above the header left out." in table.guesses
    assert "1 line starting with '#' inside the table left out." in table.guesses
    assert table.row_count == 24


@pytest.mark.parametrize(
    ("text", "columns", "rows"),
    [
        ("name\nSmith, John\nDoe, Jane\nRoe, Ann\n", ["name"], 3),
        ("#chrom,start,end\nx1,1,2\nx2,3,4\nx3,5,6\n", ["#chrom", "start", "end"], 3),
        ("note\n#1 priority\n#2 priority\nother\n", ["note"], 3),
        ("city name\nNew York\nLos Angeles\nSan Jose\n", ["city name"], 3),
        (
            "h;x\n18,446,744;1.5\n18,446,745;1.5\n18,446,746;1.5\n18,446,747;2.5\n18,446,748;3.5\n",
            ["h", "x"],
            5,
        ),
    ],
)
def test_a_table_that_begins_at_the_first_line_is_left_alone(
    text: str, columns: list[str], rows: int
) -> None:
    table = read(text)
    assert (table.columns, table.row_count) == (columns, rows)


@pytest.mark.parametrize("delimiter", ["^", " ", "   "])
def test_carets_and_blanks_part_fields(delimiter: str) -> None:
    lines = ["id x y", "1 2.5 3", "2 2.6 4", "3 2.7 5", "4 2.8 6"]
    table = read("\n".join(line.replace(" ", delimiter) for line in lines))
    assert table.columns == ["id", "x", "y"]
    assert values(table, "x") == [2.5, 2.6, 2.7, 2.8]


def test_group_names_are_joined_with_the_names_below() -> None:
    body = "".join(f"S{i},{i},{i + 1},{i + 2},{i + 3}\n" for i in range(6))
    table = read(f"store,2025,,2026,\n,plan,actual,plan,actual\n{body}")
    assert table.columns == ["store", "2025 plan", "2025 actual", "2026 plan", "2026 actual"]
    assert table.row_count == 6
    assert table.reading.header_rows == 2


@pytest.mark.parametrize("total", ["Total", "Grand total:", "Summe", "Total of 2026"])
def test_a_last_row_with_the_sums_is_left_out(total: str) -> None:
    body = "".join(f"S{i},{i},{i}.5\n" for i in range(6))
    table = read(f"store,n,x\n{body}{total},15,18.00\n")
    assert table.row_count == 6
    assert "The last row holds the totals of the others and is left out." in table.guesses
    assert read(f"store,n,x\n{body}{total},16,18.00\n").row_count == 7


@pytest.mark.parametrize(
    ("below", "left_out"),
    [
        ("Total,15,18.00\n\nSource: ERP\n", 2),
        ("Average,2.5,3.00\n", 1),
        (",,\nTotal,15,18.00\nMean,2.5,3\n* preliminary,,\n", 4),
        ("Total,16,18.00\nSource: ERP,,\n", 1),
        ("Source,,\n", 0),
        ("S7,,\n", 0),
    ],
)
def test_totals_averages_and_remarks_below_the_table_are_left_out(below: str, left_out: int) -> None:
    body = "".join(f"S{i},{i},{i}.5\n" for i in range(6))
    table = read(f"store,n,x\n{body}{below}")
    given = sum(1 for line in below.splitlines() if line)
    assert table.row_count == 6 + given - left_out
    assert any("left out" in each for each in table.guesses) == bool(left_out)


def test_given_settings_count_instead_of_the_detected_ones() -> None:
    text = "a;b\n1;2\n3;4\n"
    assert read(text, delimiter=",").columns == ["a;b"]
    assert read(text, header_row=2).columns == ["1", "2"]
    assert read(text, header_row=0).row_count == 3
    assert read(text, skip_lines=1, header_row=0).row_count == 2
    assert read("a,b\nx,y\n1,2\n", header_rows=2).columns == ["a x", "b y"]
    latin = "name,n\nJos\xe9,1\n".encode("latin-1")
    assert values(read_table(latin, "a.csv", reading=Reading(encoding="cp1250")), "name") == ["José"]
    assert read(f"sep=;\n{text}", header_row=2).columns == ["a", "b"]


def test_settings_that_do_not_fit_the_file_are_refused_in_a_sentence() -> None:
    with pytest.raises(UnreadableTableError, match=r"has 3 lines, but its table is said to start at line 9"):
        read("a;b\n1;2\n3;4\n", header_row=9)
    with pytest.raises(UnreadableTableError, match="is not valid ascii"):
        read("a;b\né;2\n", encoding="ascii")
    with pytest.raises(UnreadableTableError, match="is not valid undefined"):
        read("a;b\n1;2\n", encoding="undefined")


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"delimiter": "||"}, "not a delimiter"),
        ({"encoding": "klingon"}, "no text encoding"),
        ({"encoding": "rot13"}, "no text encoding"),
        ({"header_row": -1}, "whole number"),
        ({"header_rows": 4}, "from 1 to 3"),
        ({"decimal": "x"}, "decimal must be"),
        ({"decimal": ",", "thousands": ","}, "both"),
        ({"types": {"a": "money"}}, "not a type"),
        ({"types": {1: "text"}}, "must be text"),
        ({"types": ["a"]}, "must map column names to types"),
        ({"header_row": True}, "whole number"),
        ({"sheet": ["a"]}, "sheet must be text"),
        ({"comment": 1}, "comment must be text"),
        ({"thousands": {}}, "thousands must be text"),
        ({"null_words": "none"}, "list of words"),
        ({"null_words": [1]}, "list of words"),
    ],
)
def test_an_impossible_setting_is_named(setting: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message):
        Reading.from_dict(setting)


def test_settings_survive_the_way_through_json() -> None:
    reading = Reading(delimiter=";", types={"a": "text"}, null_words=("none",))
    assert Reading.from_dict(reading.to_dict()) == reading
    with pytest.raises(InvalidInputError, match="no reading setting 'colour'"):
        Reading.from_dict({"colour": "red"})


def test_settings_are_described_in_words() -> None:
    assert Reading().describe() == ""
    reading = Reading(delimiter="\t", header_row=0, types={"a": "text"}, null_words=("none", "x"))
    assert reading.describe() == "header row none, delimiter tab, missing-value words none x, a as text"
    assert Reading(decimal=",", thousands="").describe() == "decimal sign ',', thousands separator none"
    many = Reading(header_row=3, types=dict.fromkeys("abcde", "date"))
    assert many.describe() == "header row 3, a as date, b as date, c as date, the types of 2 more columns"


ORDERS = [["order", "amount"], *[[f"o{i}", i] for i in range(8)]]


def test_the_visible_sheet_with_a_table_is_read() -> None:
    prose = [["This workbook holds the orders of May."], ["Ask Ana before you change a row."]]
    raw = workbook(
        ("lookup", [["code", "label"], ["a", "b"]]), ("Read me", prose), ("Orders", ORDERS), hidden="lookup"
    )
    table = read_table(raw, "orders.xlsx")
    assert table.columns == ["order", "amount"]
    assert "(of 3: 'Read me' is text; 'lookup' is hidden)" in table.guesses[0]
    assert read_table(raw, "orders.xlsx", reading=Reading(sheet="lookup")).columns == ["code", "label"]
    with pytest.raises(
        UnreadableTableError, match="has no sheet 'May'; its sheets are lookup, Read me, Orders"
    ):
        read_table(raw, "orders.xlsx", reading=Reading(sheet="May"))


def test_merged_cells_count_for_their_rows() -> None:
    rows = [["region", "n"], *[["North" if i == 0 else None, i] for i in range(4)], ["South", 4]]
    table = read_table(workbook(("Data", rows), merged="A2:A5"), "regions.xlsx")
    assert values(table, "region") == ["North"] * 4 + ["South"]
    assert "region: each merged cell counts for all of its rows." in table.guesses


def test_a_sheet_that_begins_below_empty_rows_is_read_with_its_row_numbers() -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    for row, cells in enumerate(
        [["Orders"], [], ["order", "amount", "ok"], ["a", 1, True], ["b", "x", None]]
    ):
        for column, cell in enumerate(cells):
            sheet.cell(5 + row, 3 + column, cell)
    sheet.merge_cells("C8:C9")
    file = io.BytesIO()
    book.save(file)
    table = read_table(file.getvalue(), "orders.xlsx")
    assert table.columns == ["order", "amount", "ok"]
    assert "its row 7 names the columns" in table.guesses[0]
    assert values(table, "amount") == ["1", "x"]
    assert values(table, "order") == ["a", "a"]
    again = read_table(file.getvalue(), "orders.xlsx", reading=Reading(header_row=8))
    assert again.columns[0] == "a"


@pytest.mark.parametrize(
    "text",
    [
        "| id | name |\n|----|:----:|\n| 1 | a |\n| 2 | b |\n| 3 | c |\n",
        "Orders\n\n| id | name |\n|--|--|\n| 1 | a |\n| 2 | b |\n| 3 | c |\n",
        " id | name\n----+------\n  1 | a\n  2 | b\n  3 | c\n(3 rows)\n",
        "+----+------+\n| id | name |\n+----+------+\n| 1 | a |\n| 2 | b |\n| 3 | c |\n+----+------+\n",
        "| id | name |\n| 1 | a |\n| 2 | b |\n| 3 | c |\n",
        "id    name\n----  -----\n1     a\n2     b\n3     c\n",
    ],
)
def test_what_draws_a_table_is_no_data(text: str) -> None:
    table = read(text)
    assert table.columns == ["id", "name"]
    assert (values(table, "id"), values(table, "name")) == ([1, 2, 3], ["a", "b", "c"])


def test_dashes_in_other_text_stay() -> None:
    table = read("id,note\n1,--\n2,---\n---,x\n")
    assert values(table, "note") == ["--", "---", "x"]


@pytest.mark.parametrize("delimiter", ["~", "\x01", "\x1f"])
def test_tildes_and_control_characters_part_fields(delimiter: str) -> None:
    lines = ["id;name", "1;a, b", "2;c", "3;d"]
    assert read("\n".join(line.replace(";", delimiter) for line in lines)).columns == ["id", "name"]


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("id:name:qty\n1:a:2\n2:b:3\n3:c:4\n", "the sign :"),
        ("name city\nAnn Rome\nBob Bonn\nCyd Bern\n", "blanks"),
        ("time\n10:01\n10:02\n10:03\n", ""),
        ("2024-01-01\n2024-01-02\n2024-01-03\n2024-01-04\n", ""),
        ("full name\nAnn Lee\nBob\nCyd Ray\n", ""),
    ],
)
def test_a_single_column_that_a_sign_may_part_is_doubted(text: str, sign: str) -> None:
    table = read(text)
    doubts = [each for each in table.guesses if each.startswith("Only one column was found")]
    assert len(table.columns) == 1
    assert doubts == (
        [f"Only one column was found; set the delimiter if {sign} should separate the fields."]
        if sign
        else []
    )


def test_a_row_of_units_belongs_to_the_names() -> None:
    body = "".join(f"S{i},{i}.5,{i}\n" for i in range(6))
    table = read(f"station,temp,wind\n,degC,m/s\n{body}")
    assert (table.columns, table.row_count) == (["station", "temp degC", "wind m/s"], 6)
    assert read(f"station,temp,wind\nS9,n/a,n/a\n{body}").row_count == 7
    dated = "".join(f"{i},2026-05-{i + 1:02},{i},{i}.5\n" for i in range(6))
    table = read(f"no,day,temp,wind\n,,degC,m/s\n{dated}")
    assert (table.columns, table.row_count) == (["no", "day", "temp degC", "wind m/s"], 6)
    assert read(f"station,temp,wind\n,degC,\n{body}").row_count == 7


@pytest.mark.parametrize(
    ("total", "rows"), [(",15,18.00\n", 6), (",15,18.00\n\nSource: ERP\n", 6), (",16,18.00\n", 7)]
)
def test_a_last_row_with_the_sums_needs_no_label(total: str, rows: int) -> None:
    body = "".join(f"S{i},{i},{i}.5\n" for i in range(6))
    assert read(f"store,n,x\n{body}{total}").row_count == rows


@pytest.mark.parametrize(
    ("below", "rows", "note"),
    [
        ("Total,15,18.00\nLicence: see the contract of 2026\n", 6, "1 of totals and 1 of remarks"),
        ("Summe,15,18.00\n\nErstellt am 03.05.2026 durch ERP\n", 6, "1 of totals and 1 of remarks"),
        ("Average,2.5,3.00\n", 6, "The last row holds the averages of the others"),
        ("Source: ERP\nAll rights reserved\n", 6, "2 of remarks"),
        ("Total,16,18.00\nAll rights reserved\n", 8, ""),
        ("All rights reserved\n", 7, ""),
    ],
)
def test_any_words_below_totals_are_a_remark(below: str, rows: int, note: str) -> None:
    table = read("store,n,x\n" + "".join(f"S{i},{i},{i}.5\n" for i in range(6)) + below)
    assert table.row_count == rows
    assert any(note in guess for guess in table.guesses) if note else not _says_left_out(table)


def test_remarks_of_several_fields_above_a_blank_line_are_left_out() -> None:
    names = "Region,Jan,,Feb,\n,Plan,Actual,Plan,Actual\n"
    body = "".join(f"R{i},{i},{i + 1},{i + 2},{i + 3}\n" for i in range(8))
    table = read(f"Sales\nGenerated 2026-05-03,by,ERP\n\n{names}{body}")
    assert table.columns == ["Region", "Jan Plan", "Jan Actual", "Feb Plan", "Feb Actual"]
    assert table.row_count == 8
    assert read("a,b\n\n1,2,\n3,4,\n5,6,\n7,8,\n").columns == ["a", "b"]


def _says_left_out(table: Table) -> bool:
    return any("left out" in guess for guess in table.guesses)


@pytest.mark.parametrize(
    "above",
    [
        [["This workbook holds the orders of May."], ["Ask Ana for questions."], ["Version", 2]],
        [["order", "The number of the order"], ["amount", "What was paid, in euros"]],
        [["ACME"], ["2026"]],
    ],
)
def test_a_sheet_of_explanations_is_no_table(above: list[list[Any]]) -> None:
    table = read_table(workbook(("About", above), ("Orders", ORDERS)), "orders.xlsx")
    assert table.columns == ["order", "amount"]
    assert "'About' is text" in table.guesses[0]


def test_columns_that_have_only_a_title_are_left_out() -> None:
    rows = [
        ["Orders of May"],
        [],
        *[[None, None, *row] for row in ORDERS],
        *[[]] * 9,
        [None, None, "Source: ERP"],
    ]
    table = read_table(workbook(("Data", rows)), "orders.xlsx")
    assert (table.columns, table.row_count) == (["order", "amount"], 8)
    assert not [each for each in Inspector(table).detect() if each.ghost_type == "null"]
    assert table.reading.header_row == 3


def test_a_sheet_without_column_names_keeps_its_first_row() -> None:
    table = read_table(workbook(("Data", [[i, f"x{i}", i + 0.5] for i in range(6)])), "orders.xlsx")
    assert (table.columns, table.row_count) == (["column 1", "column 2", "column 3"], 6)
    assert table.reading.header_row == 0


def test_two_bars_are_one_delimiter() -> None:
    table = read_table(b"id||name||amount\n1||Ana||3.5\n2||||4\n3||Cy||5\n", "orders.txt")
    assert table.columns == ["id", "name", "amount"]
    assert table.rows([1], 1, ["id", "amount"]).to_dict("records") == [{"id": 2, "amount": 4.0}]
    assert "Two bars in a row are one delimiter." in table.guesses
    # One of the two may be an empty field.
    table = read_table(b"id|name||amount\n1|Ana||3.5\n2|Ben||4\n3|Cy||5\n", "orders.txt")
    assert table.columns == ["id", "name", "column 3", "amount"]
