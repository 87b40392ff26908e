"""Every setting for reading as an option of analyze, and as stored settings of a dataset."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from lavendertown.cli import options
from lavendertown.core.reading import Reading
from tests.cli.conftest import Run
from tests.tables.test_excel import workbook

Answer = Callable[..., Any]
OPTIONS: list[tuple[list[str], dict[str, Any]]] = [
    (["--encoding", "cp1252"], {"encoding": "cp1252"}),
    (["--delimiter", "tab"], {"delimiter": "\t"}),
    (["--column-starts", "1,9"], {"column_starts": [1, 9]}),
    (["--comment", "!"], {"comment": "!"}),
    (["--skip-lines", "1"], {"skip_lines": 1}),
    (["--header-row", "2"], {"header_row": 2}),
    (["--header-rows", "2"], {"header_rows": 2}),
    (["--sheet", "May"], {"sheet": "May"}),
    (["--range", "B4:H200"], {"cell_range": "B4:H200"}),
    (["--decimal", ","], {"decimal": ","}),
    (["--thousands", "none"], {"thousands": ""}),
    (["--date-order", "day"], {"date_order": "day"}),
    (["--types", "types.yaml"], {"types": {"amount": "text"}}),
    (["--null-word", "unknown", "--null-word", "-9"], {"null_words": ["unknown", "-9"]}),
]


@pytest.mark.parametrize(("arguments", "settings"), OPTIONS, ids=lambda each: str(next(iter(each))))
def test_an_option_is_stored_and_used_for_the_next_file_of_the_dataset(
    run: Run, folder: Path, arguments: list[str], settings: dict[str, Any]
) -> None:
    (folder / "types.yaml").write_text("amount: text\n")
    save = ("analyze", "orders.csv", "--dataset", "sales", "--save", "--author", "Ana")
    result = run(*save, *arguments)
    assert result.exit_code == 0, result.stderr
    with options.open_storage() as storage:
        assert storage.dataset_settings.load("sales", "reading") == settings
    again = run(*save)
    assert again.stderr.startswith(f"Read as last time: {Reading.from_dict(settings).describe()}")


def test_every_setting_has_an_option() -> None:
    assert {name for _, settings in OPTIONS for name in settings} == {each.name for each in fields(Reading)}


def test_a_range_of_a_sheet_is_read(answer: Answer, folder: Path) -> None:
    rows = [["Report"], [None, "id", "n"], [None, 1, 2], [None, "sum", 2]]
    (folder / "sales.xlsx").write_bytes(workbook(Data=rows))
    found = answer("analyze", "sales.xlsx", "--range", "B2:C3")
    assert (found["coverage"]["column_names"], found["coverage"]["rows"]) == (["id", "n"], 1)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--range", "everything"], "'everything' is not a range of cells; give one such as B4:H200"),
        (["--thousands", "x"], "thousands must be '' or ',' or '.' or ' ' or \"'\", but it is 'x'."),
        (["--column-starts", "1,x"], "'1,x' is not a list of whole numbers such as 1,6,30"),
        (["--column-starts", "6,1"], "column_starts must be two or more ascending positions"),
        (["--decimal", "x"], "decimal must be '.' or ',', but it is 'x'."),
        (["--decimal", ",", "--thousands", ","], "The decimal sign and the thousands separator are both ','"),
    ],
)
def test_a_value_that_is_not_possible_is_refused(run: Run, arguments: list[str], message: str) -> None:
    result = run("analyze", "orders.csv", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr


def test_settings_for_values_count_for_a_database_and_others_are_named(answer: Answer, shop: Path) -> None:
    arguments = ("shop.db", "--null-word", "NL", "--delimiter", ";")
    guesses = answer("analyze", *arguments)["coverage"]["guesses"]
    assert "Not used, because a database has no such setting: delimiter ';'." in guesses
    found = answer("analyze", *arguments)["findings"]
    (country,) = [each for each in found if each["column"] == "country" and each["ghost_type"] == "null"]
    assert country["metadata"]["count"] == 3
