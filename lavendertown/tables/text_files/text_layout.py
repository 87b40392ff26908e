"""Detect the layout of delimited text: lines above the table, comments, delimiter and header."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from lavendertown.core.errors import UnreadableTableError
from lavendertown.core.reading import NO_DELIMITER, Reading
from lavendertown.tables.text_files import header
from lavendertown.tables.text_files.drawn_tables import clear_drawn_table
from lavendertown.tables.text_files.fixed_width import find_column_starts, split_at_starts

BLANK = " "

DELIMITERS = {
    ",": "commas",
    ";": "semicolons",
    "\t": "tabs",
    "|": "bars",
    "^": "carets",
    "~": "tildes",
    "\x01": "control characters",
    "\x1f": "control characters",
    BLANK: "blanks",
}
COMMENT_SIGNS = ("#", "//", "%", "--")
_SAMPLE_CHARACTERS = 200_000
_SAMPLE_ROWS = 200
_MIN_RECORDS = 3
_SURE_RECORDS = 5
_POSSIBLE_DELIMITER = re.compile(r"[^\w\"']")
_MIN_SAME_RECORDS = 4
_BARS = re.compile(r"\|+")


@dataclass
class TextLayout:
    """The layout of a file, and its text from the first header row on.

    Attributes:
        name: The file's name.
        text: The text of the table; comment lines in it are blank.
        delimiter: One of :data:`DELIMITERS`, :data:`NO_DELIMITER`, or the one that the user gave.
        header_rows: The number of rows at the start of ``text`` that name the columns.
        first_line: The line of the file at which ``text`` starts, counted from 1.
        width: The number of columns.
        reading: The settings that led to this layout.
        notes: Sentences about the lines that are left out.
        doubt: A sentence that asks whether the delimiter is right; empty if it seems so.
    """

    name: str
    text: str
    delimiter: str
    header_rows: int
    first_line: int
    width: int
    reading: Reading
    notes: list[str] = field(default_factory=list)
    doubt: str = ""

    def open_records(self, *, strict: bool = False) -> Any:
        """Return a reader of the records of ``text``."""
        return _open_records(self.text, self.delimiter, strict=strict)

    def describe(self, encoding: str) -> str:
        """Return a sentence about encoding, delimiter and header."""
        between = DELIMITERS.get(self.delimiter, f"'{self.delimiter}'")
        fields = f"{between} between the fields" if self.width > 1 else "one column"
        if self.delimiter == NO_DELIMITER and self.width > 1:
            fields = "columns of fixed width"
        line = f"line {self.first_line}" if self.notes else "the first line"
        first = {
            0: "no line with column names",
            1: f"{line} names the columns",
        }.get(self.header_rows, f"{line} and the {self.header_rows - 1} below name the columns")
        return f"Read as {encoding} text: {fields}, {first}."


@dataclass
class _Candidate:
    """The table that a delimiter would give.

    Attributes:
        delimiter: The delimiter.
        line: The line that the table starts at, counted from 0.
        clear_start: Whether it starts at the first line, or is set off from the text above.
        width: The number of columns.
        consistency: The share of records with that many fields.
        records: The first records.
    """

    delimiter: str
    line: int
    clear_start: bool
    width: int
    consistency: float
    records: list[list[str]]


def detect_layout(text: str, name: str, reading: Reading) -> TextLayout:
    """Detect the layout of a text file; settings that are given count.

    Raises:
        UnreadableTableError: The text is empty or binary, or ends above the given header row.
    """
    text, declared, first_line = _split_declaration(text)
    if "\r" in text and "\n" not in text:
        text = text.replace("\r", "\n")
    text = text.rstrip("\r\n \x00")
    if not text.strip():
        raise UnreadableTableError(f"{name} is empty: it has no column names and no rows.")
    if "\x00" in text[:_SAMPLE_CHARACTERS]:
        raise UnreadableTableError(
            f"{name} contains binary data, not delimited text; choose a CSV, Excel, Parquet or JSON file."
        )
    text, drawn = clear_drawn_table(text) if reading.delimiter in (None, "|", BLANK) else (text, 0)
    text, was_doubled = _join_double_bars(text) if reading.delimiter in (None, "|") else (text, False)
    comment = reading.comment or _leading_comment(text)
    skipped = _lines_to_skip(text, comment, first_line, reading, name)
    start = _offset_of_line(text, skipped)
    delimiter = NO_DELIMITER if reading.column_starts else reading.delimiter or declared
    best = _choose_table(text[start:], delimiter, detect_start=not _sets_start(reading))
    start += _offset_of_line(text[start:], best.line)
    table, column_starts = text[start:], reading.column_starts
    if best.delimiter == NO_DELIMITER and delimiter is None:
        column_starts = find_column_starts(table)
    if column_starts:
        table = split_at_starts(table, column_starts, NO_DELIMITER)
        best = _find_table(table, NO_DELIMITER, detect_start=False)
    above = text[:start].count("\n")
    notes = _describe_skipped(text[:start], comment)
    if comment:
        table, removed = _blank_comments(table, comment, best)
        if removed:
            notes.append(f"{_count_lines(removed)} starting with '{comment}' inside the table left out.")
    if drawn:
        notes.append(
            f"{_count_lines(drawn)} that only {'draws' if drawn == 1 else 'draw'} the table left out."
        )
    if was_doubled:
        notes.append("Two bars in a row are one delimiter.")
    header_rows = _count_header_rows(best.records, reading)
    line = above + first_line
    found = Reading(
        delimiter=None if best.delimiter == NO_DELIMITER else best.delimiter,
        column_starts=column_starts,
        comment=comment,
        header_row=line if header_rows else 0,
        header_rows=header_rows or None,
        skip_lines=line - 1,
    )
    doubt = _doubt_one_column(best) if delimiter is None and not column_starts else ""
    return TextLayout(name, table, best.delimiter, header_rows, line, best.width, found, notes, doubt)


def _join_double_bars(text: str) -> tuple[str, bool]:
    """Return the text, with one bar for each two if ``||`` separates its fields, and whether it does."""
    lines = [line for line in text[:_SAMPLE_CHARACTERS].split("\n")[:_SAMPLE_ROWS] if line.strip()]
    runs = [len(run) for line in lines for run in _BARS.findall(line)]
    is_doubled = len(lines) > 1 and all("||" in line for line in lines) and all(n % 2 == 0 for n in runs)
    return (text.replace("||", "|"), True) if is_doubled else (text, False)


def _doubt_one_column(table: _Candidate) -> str:
    """Return a sentence if every line of a single column has the same number of a sign, also the first."""
    lines = [record[0].strip() for record in table.records]
    if table.width > 1 or len(lines) < _MIN_SAME_RECORDS or header.value_type(lines[1:]) != "text":
        return ""
    counts = {sign: lines[0].count(sign) for sign in _POSSIBLE_DELIMITER.findall(lines[0])}
    same = [sign for sign, count in counts.items() if all(line.count(sign) == count for line in lines)]
    if not same:
        return ""
    sign = max(same, key=lambda each: counts[each])
    shown = "blanks" if sign == BLANK else f"the sign {sign}"
    return f"Only one column was found; set the delimiter if {shown} should separate the fields."


def _split_declaration(text: str) -> tuple[str, str | None, int]:
    """Return the text below a ``sep=`` line, the delimiter that the line declares, and the first line."""
    if text[:4].lower() == "sep=" and text[4:5]:
        return text.partition("\n")[2], text[4] if text[4] in DELIMITERS else None, 2
    return text, None, 1


def _leading_comment(text: str) -> str | None:
    """Return the sign that the first lines start with, unless they look like the header of the table."""
    start = text.lstrip("\r\n")
    sign = next((sign for sign in COMMENT_SIGNS if start.startswith(sign)), None)
    if sign is None:
        return None
    lines = start[:_SAMPLE_CHARACTERS].splitlines()
    comments = next((i for i, line in enumerate(lines) if not line.startswith(sign)), len(lines))
    below = "\n".join(lines[comments:])
    if not below.strip():
        return None
    table = _choose_table(below, None, detect_start=False)
    last = _read_records(lines[comments - 1], table.delimiter)[0]
    is_header = len(last) == table.width and not header.names_columns(table.records[0], table.records[1:])
    return None if is_header or (table.width == 1 and comments == 1) else sign


def _sets_start(reading: Reading) -> bool:
    return reading.header_row is not None or reading.skip_lines is not None


def _lines_to_skip(text: str, comment: str | None, first_line: int, reading: Reading, name: str) -> int:
    """Return the number of lines above the table that are given or are blank or comments."""
    if reading.header_row:
        wanted = reading.header_row - first_line
    elif reading.skip_lines is not None:
        wanted = reading.skip_lines - first_line + 1
    else:
        wanted = 0
        for line in text[:_SAMPLE_CHARACTERS].splitlines():
            if line.strip() and not (comment and line.startswith(comment)):
                break
            wanted += 1
        return wanted
    lines = text.count("\n") + 1
    if wanted >= lines:
        raise UnreadableTableError(
            f"{name} has {lines:,} lines, but its table is said to start at line {wanted + first_line:,}; "
            "choose an earlier line."
        )
    return max(0, wanted)


def _offset_of_line(text: str, line: int) -> int:
    """Return where a line starts, counted from 0."""
    offset = 0
    for _ in range(line):
        offset = text.find("\n", offset) + 1
        if not offset:
            return len(text)
    return offset


def _choose_table(text: str, delimiter: str | None, *, detect_start: bool) -> _Candidate:
    """Return the table with the most consistent field count; then a clear start and the most fields count."""
    if delimiter is not None:
        return _find_table(text, delimiter, detect_start=detect_start)
    best = _find_table(text, NO_DELIMITER, detect_start=False)
    best_score = (0.0, False, 0)
    for candidate in DELIMITERS:
        table = _find_table(text, candidate, detect_start=detect_start)
        if table.width < 2 or (candidate == BLANK and not _are_sure_columns(table)):
            continue
        score = (round(table.consistency, 1), table.clear_start, table.width)
        if score > best_score:
            best, best_score = table, score
        if best.width > 1 and candidate == "^":
            return best
    return best


def _find_table(text: str, delimiter: str, *, detect_start: bool) -> _Candidate:
    """Return the table that a delimiter gives, below a title and remarks if ``detect_start``."""
    records = _read_sample(text, delimiter)
    start, clear_start, lines = 0, True, [line for line, _ in records]
    cells = [record for _, record in records]
    if detect_start and len(cells) > _MIN_RECORDS:
        start, clear_start = _find_start(cells, lines)
    width = len(cells[start])
    body = cells[start:]
    consistency = Counter(len(record) for record in body)[width] / len(body)
    return _Candidate(delimiter, lines[start], clear_start, width, consistency, body)


def _find_start(cells: Sequence[list[str]], lines: Sequence[int]) -> tuple[int, bool]:
    """Return the record that names the columns: the first, or the one below a title and remarks.

    Also return whether the start is clear.
    """
    width = Counter(len(record) for record in cells).most_common(1)[0][0]
    if width < 2:
        return 0, True
    set_off = {i for i in range(1, len(lines)) if lines[i] - lines[i - 1] > 1}
    below_remarks = header.find_header_above_data(cells, set_off)
    if below_remarks is not None and len(cells[below_remarks]) == width:
        return below_remarks, any(each <= below_remarks for each in set_off)
    # Above a blank line, shorter records of any length are remarks.
    first_full = next((i for i, record in enumerate(cells) if len(record) >= width - 1), 0)
    above = first_full if first_full in set_off and first_full <= header.MAX_ROWS_ABOVE else 0
    for record in cells[above : header.MAX_ROWS_ABOVE]:
        is_short = len(record) < width and len(record) <= max(1, width // 2)
        if not (is_short or header.is_title_row(record, width)):
            break
        above += 1
    if not above or above >= len(cells) - 1 or len(cells[above]) != width:
        return 0, True
    body = [record for record in cells[above + 1 :] if len(record) == width]
    same = len(body) / max(1, len(cells) - above - 1)
    blank_between = lines[above] - lines[above - 1] > 1
    padded = all(len(record) == width for record in cells[:above])
    clear = blank_between or padded
    sure = clear or header.differs_in_type(cells[above], body)
    if not sure and width > 2:
        sure = len(body) >= _SURE_RECORDS and same == 1.0
    return (above, clear) if sure and same >= 0.9 else (0, True)


def _are_sure_columns(table: _Candidate) -> bool:
    """Return whether blanks part columns rather than words: half of the columns are numbers or dates."""
    body = table.records[1:]
    if len(body) < _MIN_RECORDS - 1 or table.consistency < 1.0:
        return False
    columns = list(zip(*body, strict=True))
    typed = [i for i, values in enumerate(columns) if header.value_type(values) != "text"]
    return 2 * len(typed) >= len(columns)


def _read_sample(text: str, delimiter: str) -> list[tuple[int, list[str]]]:
    """Return the first records that are not blank, each with its line, counted from 0."""
    part = text[:_SAMPLE_CHARACTERS]
    if len(part) < len(text):
        # Cut at a line end: half a line would lack its last fields.
        part = part.rpartition("\n")[0] or text.partition("\n")[0]
    reader = _open_records(part, delimiter)
    records: list[tuple[int, list[str]]] = []
    try:
        start = 0
        for record in islice(reader, _SAMPLE_ROWS):
            if record:
                records.append((start, record))
            start = reader.line_num
    except csv.Error:
        return [(0, part.partition("\n")[0].split(delimiter))]
    return records or [(0, [""])]


def _read_records(text: str, delimiter: str) -> list[list[str]]:
    return [record for _, record in _read_sample(text, delimiter)]


def _open_records(text: str, delimiter: str, *, strict: bool = False) -> Any:
    blanks = delimiter == BLANK
    lines = io.StringIO(re.sub(r"(?m)^ +| +(?=\r?$)", "", text) if blanks else text, newline="")
    return csv.reader(lines, delimiter=delimiter, skipinitialspace=blanks, strict=strict)


def _blank_comments(text: str, comment: str, table: _Candidate) -> tuple[str, int]:
    """Make the comment lines of a table blank, which keeps the numbers of the others."""
    lines = text.split("\n")
    places = [
        i
        for i, line in enumerate(lines)
        if line.startswith(comment) and len(_read_records(line, table.delimiter)[0]) != table.width
    ]
    for i in places:
        lines[i] = ""
    return "\n".join(lines) if places else text, len(places)


def _count_header_rows(records: Sequence[list[str]], reading: Reading) -> int:
    if reading.header_row == 0:
        return 0
    if reading.header_rows is not None:
        return reading.header_rows
    if reading.header_row is None and not header.names_columns(records[0], records[1:]):
        return 0
    return 2 if header.has_second_header(_same_width(records)) else 1


def _same_width(records: Sequence[list[str]]) -> list[list[str]]:
    return [record for record in records if len(record) == len(records[0])]


def _describe_skipped(above: str, comment: str | None) -> list[str]:
    lines = [line for line in above.splitlines() if line.strip()]
    comments = sum(1 for line in lines if comment and line.startswith(comment))
    notes = []
    if comments:
        notes.append(f"{_count_lines(comments)} starting with '{comment}' above the header left out.")
    if len(lines) > comments:
        notes.append(f"{_count_lines(len(lines) - comments)} of text above the header left out.")
    return notes


def _count_lines(count: int) -> str:
    return "1 line" if count == 1 else f"{count:,} lines"
