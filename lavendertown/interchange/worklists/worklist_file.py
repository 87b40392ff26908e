"""Write a worklist: an Excel file with a row per finding and failing row, and columns for the answer."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lavendertown.core.spreadsheet_cells import escape_formula
from lavendertown.interchange.exports.tables import MAX_EXCEL_TEXT

if TYPE_CHECKING:
    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

ID_COLUMN = "row id"
DONE, CANNOT, REASON = "done", "cannot", "reason"
ANSWER_COLUMNS = (DONE, CANNOT, REASON)
MARK = "x"
MAX_REASON = 1_000
UNASSIGNED = "unassigned"

_LEADING = (ID_COLUMN, "finding", "dataset", "row")
_WIDTHS = {ID_COLUMN: 22, "finding": 50, "row": 9, "value": 28, DONE: 8, CANNOT: 8, REASON: 40}
_MAX_NAME = 60
_TOKEN = re.compile(r"(w-[0-9a-f]{12})-([0-9]{1,6})-([a-z]{2})", re.IGNORECASE)
_MAX_EXACT_NUMBER = 10**15
"""Excel keeps 15 digits; longer numbers are written as text."""

_ABOUT = (
    "Each row of the sheet Rows is one row of the data that a check found faulty.",
    "Write x under 'done' when you have corrected the row, or write x under 'cannot' and say why under "
    "'reason'; leave the others empty.",
    "You may sort, filter, delete and add rows and columns, but leave 'row id' and the three names of the "
    "answer columns as they are; then send the file back to the person who gave it to you.",
)


@dataclass(frozen=True)
class FindingRows:
    """The affected rows of one finding, as a worklist gives them out.

    Attributes:
        finding_id: The id of the finding.
        description: What the check found.
        dataset: The dataset.
        column: The affected column; the names of several are joined by commas.
        positions: The positions of the rows.
        first_row: The number that the source counts for the row at position 0.
        keys: The key of each row for the file, by column.
        stored_keys: The key of each row as the store keeps it; empty if its values are not stored.
        values: The affected value of each row, or several as text.
    """

    finding_id: str
    description: str
    dataset: str
    column: str
    positions: Sequence[int]
    first_row: int = 1
    keys: Sequence[Mapping[str, Any]] = ()
    stored_keys: Sequence[str] = ()
    values: Sequence[Any] = ()


@dataclass(frozen=True)
class Worklist:
    """The rows that one person gets as a file.

    Attributes:
        id: The id of the worklist.
        owner: Who works on the rows; empty for the rows of unassigned findings.
        findings: The findings with their rows; rows are numbered from 1 through all of them.
    """

    id: str
    owner: str
    findings: Sequence[FindingRows] = field(default_factory=tuple)

    @property
    def row_count(self) -> int:
        """The number of rows."""
        return sum(len(each.positions) for each in self.findings)

    @property
    def file_name(self) -> str:
        """A name for the file, with the owner and the id."""
        owner = "-".join(re.findall(r"\w+", self.owner))[:_MAX_NAME]
        return f"worklist-{owner or UNASSIGNED}-{self.id.removeprefix('w-')}.xlsx"


def make_token(worklist_id: str, number: int) -> str:
    """Return the text that identifies a row of a worklist in its file.

    It ends in letters that follow from the rest, so that a row id changed by mistake, such as by filling
    cells downwards, is noticed. A spreadsheet takes it for text.
    """
    digest = hashlib.sha256(f"{worklist_id}-{number}".encode()).digest()
    letters = "".join(chr(ord("a") + byte % 26) for byte in digest[:2])
    return f"{worklist_id}-{number}-{letters}"


def looks_like_token(text: str) -> bool:
    """Return whether a text has the form of a row id."""
    return _TOKEN.fullmatch(text.strip()) is not None


def parse_token(text: str) -> tuple[str, int] | None:
    """Return the worklist and the row number of a row id; None if it was changed."""
    found = _TOKEN.fullmatch(text.strip())
    if found is None:
        return None
    worklist_id, number = found[1].lower(), int(found[2])
    return (worklist_id, number) if make_token(worklist_id, number) == text.strip().lower() else None


def write_worklist(worklist: Worklist) -> bytes:
    """Return a worklist as an Excel file with the sheets Rows and About.

    Texts that a spreadsheet program would run as a formula begin with an apostrophe, because the file may be
    saved as CSV.
    """
    import xlsxwriter

    key_columns = list(dict.fromkeys(name for each in worklist.findings for key in each.keys for name in key))
    columns = [*_LEADING, *_free_names(key_columns), "column", "value", *ANSWER_COLUMNS]
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        sheet = book.add_worksheet("Rows")
        _write_head(book, sheet, columns)
        plain = book.add_format({"valign": "top", "text_wrap": True})
        faint = book.add_format({"valign": "top", "font_color": "#8A8594", "font_size": 9})
        answer = book.add_format(
            {"valign": "top", "bg_color": "#FFFBE6", "border": 1, "border_color": "#E5DFC0"}
        )
        number = 0
        for number, cells in enumerate(_list_rows(worklist, key_columns), 1):
            for place, value in enumerate(cells):
                _write_cell(sheet, number, place, value, faint if place == 0 else plain)
            for place in range(len(cells), len(columns)):
                sheet.write_blank(number, place, None, answer)
        _finish_sheet(sheet, number, len(columns))
        about = book.add_worksheet("About")
        about.set_column(0, 0, 100, book.add_format({"text_wrap": True, "valign": "top"}))
        about.write_column(0, 0, [f"Worklist of {worklist.owner or 'unassigned findings'}", *_ABOUT])
    return out.getvalue()


def _free_names(key_columns: Sequence[str]) -> list[str]:
    """Return headings for the key columns that differ from those of all other columns."""
    taken = {name.lower() for name in (*_LEADING, "column", "value", *ANSWER_COLUMNS)}
    return [
        str(escape_formula(f"{name} (key)" if name.strip().lower() in taken else name))
        for name in key_columns
    ]


def _list_rows(worklist: Worklist, key_columns: Sequence[str]) -> Iterator[list[Any]]:
    number = 0
    for each in worklist.findings:
        for place, position in enumerate(each.positions):
            number += 1
            key = each.keys[place] if each.keys else {}
            yield [
                make_token(worklist.id, number),
                each.description,
                each.dataset,
                position + each.first_row,
                *(key.get(name) for name in key_columns),
                each.column,
                each.values[place] if each.values else None,
            ]


def _write_head(book: Workbook, sheet: Worksheet, columns: Sequence[str]) -> None:
    head = book.add_format({"bold": True, "bg_color": "#EEE9FA", "bottom": 1, "valign": "top"})
    asked = book.add_format({"bold": True, "bg_color": "#FBE9A9", "bottom": 1, "valign": "top"})
    for place, name in enumerate(columns):
        is_answer = place >= len(columns) - len(ANSWER_COLUMNS)
        sheet.write_string(0, place, name[:MAX_EXCEL_TEXT], asked if is_answer else head)
        sheet.set_column(place, place, _WIDTHS.get(name, 16))


def _finish_sheet(sheet: Worksheet, rows: int, columns: int) -> None:
    """Freeze the head, add the filter, and let the marks be chosen from a list."""
    sheet.freeze_panes(1, 1)
    sheet.autofilter(0, 0, max(rows, 1), columns - 1)
    for place in (columns - 3, columns - 2):
        sheet.data_validation(
            1,
            place,
            max(rows, 1),
            place,
            {
                "validate": "list",
                "source": [MARK],
                "error_type": "information",
                "error_title": "done or cannot",
                "error_message": f"Write {MARK}, or leave the cell empty.",
            },
        )


def _write_cell(sheet: Worksheet, row: int, column: int, value: Any, cell_format: Any) -> None:
    if value is None:
        sheet.write_blank(row, column, None, cell_format)
    elif isinstance(value, bool):
        sheet.write_boolean(row, column, value, cell_format)
    elif isinstance(value, (int, float)) and abs(value) < _MAX_EXACT_NUMBER:
        sheet.write_number(row, column, value, cell_format)
    else:
        text = str(escape_formula(str(value)))
        sheet.write_string(row, column, text[:MAX_EXCEL_TEXT], cell_format)
