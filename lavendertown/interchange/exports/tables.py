"""Tables with one row per finding: CSV, Excel and Parquet.

Text never becomes a formula: Excel cells are written as strings, and text in CSV that a spreadsheet program
would run begins with an apostrophe. Parquet has no formulas and keeps texts and times as they are.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from lavendertown.core.errors import InvalidInputError
from lavendertown.core.spreadsheet_cells import escape_formula
from lavendertown.interchange.exports.content import ExportContent, ExportedFinding

if TYPE_CHECKING:
    from xlsxwriter.format import Format
    from xlsxwriter.worksheet import Worksheet

COLUMNS = (
    *("severity", "ghost_type", "dataset", "column", "description", "row_count", "share"),
    *("status", "tags", "assignee", "due_at", "close_reason", "thread", "comment_count"),
    *("first_seen", "last_seen", "times_seen", "report_id", "finding_id"),
)
"""The columns in their order. Times are in UTC."""
SAMPLE_COLUMNS = ("finding_id", "dataset", "description", "row", "column", "value", "is_affected")
ANSWER_COLUMNS = ("finding_id", "dataset", "description", "rows", "done", "cannot", "reasons")

MAX_EXCEL_ROWS = 1_048_576
MAX_EXCEL_TEXT = 32_767
_WIDTHS = {
    "description": 60,
    "thread": 60,
    "dataset": 20,
    "column": 20,
    "close_reason": 30,
    "finding_id": 38,
    "reasons": 60,
}
EXCEL_START = dt.datetime(1900, 1, 1)


def finding_to_row(finding: ExportedFinding) -> dict[str, Any]:
    """Return a finding as a row with the columns of :data:`COLUMNS`."""
    computed = {
        "tags": list(finding.tags),
        "thread": finding.thread_text,
        "comment_count": sum(bool(each.get("comment")) for each in finding.annotations),
    }
    return {name: computed[name] if name in computed else getattr(finding, name) for name in COLUMNS}


def list_sample_rows(findings: Sequence[ExportedFinding]) -> list[tuple[Any, ...]]:
    """Return the values of all sample rows in the order of :data:`SAMPLE_COLUMNS`: one row per value.

    Row numbers are those of the source.
    """
    return [
        (
            finding.finding_id,
            finding.dataset,
            finding.description,
            sample.position + finding.first_row,
            column,
            value,
            column == finding.samples.column,
        )
        for finding in findings
        if finding.samples is not None
        for sample in finding.samples.rows
        for column, value in sample.values.items()
    ]


def list_answer_rows(findings: Sequence[ExportedFinding]) -> list[tuple[Any, ...]]:
    """Return the findings with rows in worklists, in the order of :data:`ANSWER_COLUMNS`."""
    return [
        (
            finding.finding_id,
            finding.dataset,
            finding.description,
            finding.answers["row_count"],
            finding.answers["done_count"],
            finding.answers["cannot_count"],
            "\n".join(
                f"row {each['row']}: {each['answer']}, {each['reason']} ({each['by']})"
                for each in finding.answers["reasons"]
            ),
        )
        for finding in findings
        if finding.answers is not None
    ]


def write_csv(content: ExportContent) -> bytes:
    """Return the findings as CSV, in UTF-8 with a byte order mark for spreadsheet programs."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for finding in content.findings:
        writer.writerow([_to_csv_cell(value) for value in finding_to_row(finding).values()])
    return out.getvalue().encode("utf-8-sig")


def _to_csv_cell(value: Any) -> object:
    if isinstance(value, list):
        value = ", ".join(value)
    return escape_formula(value.isoformat() if isinstance(value, dt.datetime) else value)


def write_parquet(content: ExportContent) -> bytes:
    """Return the findings as a Parquet file."""
    import polars as pl

    time = pl.Datetime("us", "UTC")
    types: dict[str, Any] = dict.fromkeys(COLUMNS, pl.String)
    types |= dict.fromkeys(("row_count", "comment_count", "times_seen"), pl.Int64)
    types |= dict.fromkeys(("due_at", "first_seen", "last_seen"), time)
    types |= {"share": pl.Float64, "tags": pl.List(pl.String)}
    rows = [finding_to_row(finding) for finding in content.findings]
    out = io.BytesIO()
    pl.DataFrame(rows, schema=types, orient="row").write_parquet(out)
    return out.getvalue()


def write_excel(content: ExportContent) -> bytes:
    """Return an Excel file with the sheets Findings, Samples and, if there are any, Worklists.

    Longer texts than Excel can hold are cut.

    Raises:
        InvalidInputError: There are more rows than a sheet can have.
    """
    import xlsxwriter

    samples = list_sample_rows(content.findings)
    most = max(len(content.findings), len(samples))
    if most >= MAX_EXCEL_ROWS:
        raise InvalidInputError(
            f"A sheet of Excel cannot have {most:,} rows; filter the findings, or export CSV or Parquet."
        )
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        head = book.add_format({"bold": True, "bg_color": "#EEE9FA", "bottom": 1, "valign": "top"})
        time = book.add_format({"num_format": "yyyy-mm-dd hh:mm", "valign": "top"})
        share = book.add_format({"num_format": "0.0%", "valign": "top"})
        text = book.add_format({"valign": "top", "text_wrap": True})
        formats = {"due_at": time, "first_seen": time, "last_seen": time, "share": share}
        _write_sheet(
            book.add_worksheet("Findings"),
            list(COLUMNS),
            [list(finding_to_row(finding).values()) for finding in content.findings],
            [formats.get(name, text) for name in COLUMNS],
            head,
        )
        _write_sheet(
            book.add_worksheet("Samples"), SAMPLE_COLUMNS, samples, [text] * len(SAMPLE_COLUMNS), head
        )
        answers = list_answer_rows(content.findings)
        if answers:
            sheet = book.add_worksheet("Worklists")
            _write_sheet(sheet, ANSWER_COLUMNS, answers, [text] * len(ANSWER_COLUMNS), head)
    return out.getvalue()


def _write_sheet(
    sheet: Worksheet,
    columns: Sequence[str],
    rows: Sequence[Sequence[Any]],
    formats: Sequence[Format],
    head: Format,
) -> None:
    for place, name in enumerate(columns):
        sheet.write_string(0, place, name, head)
        sheet.set_column(place, place, _WIDTHS.get(name, 14))
    for number, row in enumerate(rows, 1):
        for place, (value, cell_format) in enumerate(zip(row, formats, strict=True)):
            _write_cell(sheet, number, place, value, cell_format)
    sheet.freeze_panes(1, 0)
    sheet.autofilter(0, 0, max(len(rows), 1), len(columns) - 1)


def _write_cell(sheet: Worksheet, row: int, column: int, value: Any, cell_format: Format) -> None:
    if value is None:
        return
    if isinstance(value, bool):
        sheet.write_boolean(row, column, value, cell_format)
    elif isinstance(value, (int, float)):
        sheet.write_number(row, column, value, cell_format)
    elif isinstance(value, dt.datetime) and (moment := _to_excel_time(value)) is not None:
        sheet.write_datetime(row, column, moment, cell_format)
    else:
        sheet.write_string(row, column, to_excel_text(value), cell_format)


def _to_excel_time(value: dt.datetime) -> dt.datetime | None:
    """Return a time in UTC without its zone; None if Excel's calendar does not have it."""
    moment = value.astimezone(dt.UTC).replace(tzinfo=None)
    return moment if moment >= EXCEL_START else None


def to_excel_text(value: Any) -> str:
    """Return a value as text that a cell of Excel can hold; longer text is cut."""
    text = ", ".join(value) if isinstance(value, list) else str(value)
    return text if len(text) <= MAX_EXCEL_TEXT else f"{text[: MAX_EXCEL_TEXT - 1]}…"
