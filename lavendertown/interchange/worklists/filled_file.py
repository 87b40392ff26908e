"""Read the answers in worklists that people filled in: Excel files, or CSV saved from them.

A row is recognized by its row id, wherever it is. Whatever else is in the file may have been moved, changed,
added or deleted.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from lavendertown.core.errors import InvalidInputError, UnreadableTableError
from lavendertown.core.file_limits import DEFAULT_FILE_LIMITS, MEGABYTE, FileLimits
from lavendertown.interchange.worklists.answers import (
    FilledRows,
    RowAnswer,
    RowProblem,
    drop_contradictions,
    join_filled_rows,
)
from lavendertown.interchange.worklists.worklist_file import (
    ANSWER_COLUMNS,
    CANNOT,
    DONE,
    MAX_REASON,
    REASON,
    looks_like_token,
    parse_token,
)
from lavendertown.tables.inference.yes_no_words import YES_NO
from lavendertown.tables.text_files.text_encoding import decode_text
from lavendertown.tables.workbooks.excel import read_cell_texts

MAX_BYTES = 20 * MEGABYTE
_WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")
_MARKS = frozenset(
    {
        *(word for word, is_yes in YES_NO.items() if is_yes),
        *("✓", "✔", "✅", "☑", "☒", "×", "ok", "okay", "done", "fixed", "cannot", "can't", "1.0"),
    }
)
_NO_MARKS = frozenset({"", "-", "–", "0.0", *(word for word, is_yes in YES_NO.items() if not is_yes)})
_HEAD_ENDS = re.compile(r"[\s?:.!*]+$")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")


def read_filled_file(raw: bytes, name: str, limits: FileLimits = DEFAULT_FILE_LIMITS) -> FilledRows:
    """Read the answers in a filled worklist.

    Args:
        raw: The content of the file.
        name: Its name, for messages.
        limits: The limits on its size when it is unpacked.

    Raises:
        FileLimitError: The file unpacks to more than a limit.
        InvalidInputError: It is no worklist, or its answer columns are missing or doubled.
        UnreadableTableError: It cannot be read.
    """
    if len(raw) > MAX_BYTES:
        raise UnreadableTableError(
            f"{name} is larger than {MAX_BYTES // MEGABYTE} MB, which no worklist is. Choose another file."
        )
    if raw.startswith(_WORKBOOKS):
        sheets = read_cell_texts(raw, name, limits)
    else:
        sheets = {"": (0, _read_csv(raw, name))}
    found = [
        _read_sheet(rows, first_row, f"{name}, sheet {sheet}" if len(sheets) > 2 else name)
        for sheet, (first_row, rows) in sheets.items()
        if _find_id_column(rows) is not None
    ]
    if not found:
        raise InvalidInputError(
            f"{name} is not a worklist: no column has the row ids of one. Choose the filled file, with its "
            "column 'row id'."
        )
    return join_filled_rows(found)


def _read_csv(raw: bytes, name: str) -> list[list[str]]:
    """Return the cells of a CSV file, with the delimiter that sets the row ids apart."""
    text, _, _ = decode_text(raw, name)
    best: list[list[str]] = []
    failure: csv.Error | None = None
    for delimiter in (",", ";", "\t"):
        try:
            # Otherwise an open quote swallows all rows below it.
            rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
        except csv.Error as error:
            failure = error
            continue
        if _find_id_column(rows) is not None:
            if _count_answer_heads(rows):
                return rows
            best = best or rows
    if failure is not None and not best:
        raise UnreadableTableError(
            f"{name} cannot be read as CSV: {failure}. Save the worklist again, as an Excel file."
        ) from failure
    return best


def _count_answer_heads(rows: Sequence[Sequence[str]]) -> int:
    return max((len(_answer_places(row)) for row in rows), default=0)


def _find_id_column(rows: Sequence[Sequence[str]]) -> int | None:
    """Return the column with the most row ids; None without any."""
    counts = Counter(
        place for row in rows for place, cell in enumerate(row) if cell and looks_like_token(cell)
    )
    return counts.most_common(1)[0][0] if counts else None


def _answer_places(row: Sequence[str]) -> list[tuple[str, int]]:
    named = ((_HEAD_ENDS.sub("", cell or "").strip().lower(), place) for place, cell in enumerate(row))
    return [(name, place) for name, place in named if name in ANSWER_COLUMNS]


def _find_answer_columns(rows: Sequence[Sequence[str]], id_column: int, place: str) -> dict[str, int]:
    """Return the answer columns by name, from the row that names most of them."""
    heads = [
        _answer_places(row)
        for row in rows
        if not (id_column < len(row) and looks_like_token(row[id_column] or ""))
    ]
    best = max(heads, key=len, default=[])
    names = Counter(name for name, _ in best)
    doubled = [name for name, count in names.items() if count > 1]
    if doubled:
        raise InvalidInputError(
            f"{place}: {names[doubled[0]]} columns are named '{doubled[0]}'. Rename those that you added, "
            "and read the file again."
        )
    missing = [name for name in ANSWER_COLUMNS if name not in names]
    if missing:
        # With one of them renamed, its answers would be lost without notice.
        raise InvalidInputError(
            f"{place}: no column is named '{missing[0]}'. The answers are in done, cannot and reason; "
            "name them so, and read the file again."
        )
    return dict(best)


def _read_sheet(rows: Sequence[Sequence[str]], first_row: int, name: str) -> FilledRows:
    id_column = _find_id_column(rows)
    assert id_column is not None
    columns = _find_answer_columns(rows, id_column, name)
    answers: list[RowAnswer] = []
    problems: list[RowProblem] = []
    seen: set[tuple[str, int]] = set()
    for place, token, cells in _iterate_rows(rows, first_row, name, id_column, columns):
        row = parse_token(token)
        if row is None:
            what = f"The row id {token[:60]!r} was changed." if token else "An answered row has no row id."
            problems.append(RowProblem(place, f"{what} Copy it from the original file."))
            continue
        seen.add(row)
        found = _read_answer(row, cells, place)
        if isinstance(found, RowAnswer):
            answers.append(found)
        elif found is not None:
            problems.append(found)
    return FilledRows(tuple(drop_contradictions(answers, problems)), tuple(problems), frozenset(seen))


def _iterate_rows(
    rows: Sequence[Sequence[str]], first_row: int, name: str, id_column: int, columns: dict[str, int]
) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Yield the place, the row id and the answer cells of each row with a row id or a mark."""
    for number, row in enumerate(rows, first_row + 1):
        token = (row[id_column] or "").strip() if id_column < len(row) else ""
        cells = {
            column: (row[place] or "").strip() if place < len(row) else ""
            for column, place in columns.items()
        }
        if looks_like_token(token) or _is_marked(row, cells):
            yield f"{name}, row {number:,}", token, cells


def _is_marked(row: Sequence[str], cells: Mapping[str, str]) -> bool:
    """Return whether a row has a mark; the headings, one of which is a mark, have none."""
    is_heading = len(_answer_places(row)) == len(ANSWER_COLUMNS)
    return not is_heading and any(cells.get(column, "").lower() in _MARKS for column in (DONE, CANNOT))


def _read_answer(row: tuple[str, int], cells: dict[str, str], place: str) -> RowAnswer | RowProblem | None:
    marked = []
    for column in (DONE, CANNOT):
        mark = cells.get(column, "")
        if mark.lower() in _MARKS:
            marked.append(column)
        elif mark.lower() not in _NO_MARKS:
            return RowProblem(
                place, f"{mark[:60]!r} under '{column}' is not understood. Write x, or leave the cell empty."
            )
    reason = _CONTROL.sub(" ", cells.get(REASON, "").replace("\r\n", "\n").replace("\r", "\n")).strip()
    if len(reason) > MAX_REASON:
        return RowProblem(place, f"The reason has more than {MAX_REASON:,} characters. Shorten it.")
    if len(marked) == 2:
        return RowProblem(place, "Both 'done' and 'cannot' are marked. Clear one of them.")
    if not marked:
        if reason:
            return RowProblem(
                place, "There is a reason, but neither 'done' nor 'cannot' is marked. Mark one."
            )
        return None
    if marked == [CANNOT] and not reason:
        return RowProblem(place, "'cannot' is marked without a reason. Write why under 'reason'.")
    return RowAnswer(*row, marked[0], reason, place)
