"""Find the rows that name the columns, the lines above them, and a row of totals below the data."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence

import polars as pl

from lavendertown.tables.inference import patterns

Record = Sequence[str | None]
"""The cells of a row as text; None or empty for an empty cell."""

MAX_ROWS_ABOVE = 30
_MIN_BODY_ROWS = 3
_TYPED_SHARE = 0.9
_YEARS = range(1800, 2101)
_TOTAL = re.compile(
    r"\W*(?:(?:grand|sub|overall)[ -]?)?"
    r"(?:totals?|sum|summe|gesamt(?:summe)?|insgesamt|totale|suma|som)\b.{0,60}",
    re.IGNORECASE,
)
_MEAN = re.compile(r"\W*(?:averages?|avg|mean|durchschnitt|mittelwert|moyenne|media|promedio)\b.{0,60}", re.I)
_REMARK = re.compile(
    r"\W*(?:sources?|notes?|remarks?|quelle|anmerkung|hinweis|stand|remarque|fuente|fonte|nota) ?:.*"
    r"|(?:data|figures) as of .+|stand (?:vom )?[0-9].+"
    r"|(?:generated|exported|printed|created|downloaded|updated) (?:on|at|by|from) .+"
    r"|(?:erstellt|erzeugt|exportiert|gedruckt|generiert|abgerufen|aktualisiert) (?:am|um|von|aus) .+"
    r"|(?:généré|exporté|imprimé|créé|generado|exportado|impreso|creado) (?:le|par|el|por) .+"
    r"|\([0-9,]+ rows?\)|[0-9,]+ rows? in set.*"
    r"|-*\W?end of (?:report|file|data)\b.*|[*\u2020\u00a9].+",
    re.IGNORECASE,
)
_MAX_TYPED_LENGTH = 200
_MISSING = re.compile(patterns.DISGUISED_NULL)
_NUMBER, _DATE = re.compile(patterns.NUMBER), re.compile(patterns.DATE)
MAX_ROWS_BELOW = 10


def is_title_row(record: Record, width: int) -> bool:
    """Return whether a row above the table is a title or a remark rather than the names of columns.

    It is blank, has only its first cell, or, in a table of at least four columns, only a name and a value.
    """
    filled = [place for place, cell in enumerate(record) if cell and cell.strip()]
    return not filled or filled == [0] or (filled == [0, 1] and width >= 4)


def find_header(records: Sequence[Record], width: int) -> int:
    """Return the index of the row that names the columns: the first that is not a title or a remark."""
    for i, record in enumerate(records[:MAX_ROWS_ABOVE]):
        if not is_title_row(record, width):
            return i
    return 0


def find_header_above_data(records: Sequence[Record], set_off: Collection[int]) -> int | None:
    """Return the index of a header below remarks of several cells: the last row without a number or date.

    Unlike :func:`find_header`, this looks at the data: from the row below on, most columns of numbers and
    dates have one. None if the first row may be the header, or no row can be.

    Args:
        records: The rows, without blank ones.
        set_off: The indexes of the rows below a blank one.
    """
    if len(records) < _MIN_BODY_ROWS + 2:
        return None
    body = records[min(len(records) // 2, MAX_ROWS_ABOVE) :]
    width = Counter(len(record) for record in body).most_common(1)[0][0]
    columns = _columns(body, width)
    typed = {i: kind for i, values in enumerate(columns) if (kind := value_type(values)) != "text"}
    shares = [_typed_share(each, typed) for each in records[: MAX_ROWS_ABOVE + _MIN_BODY_ROWS]]
    runs = (i for i in range(MAX_ROWS_ABOVE) if min(shares[i : i + _MIN_BODY_ROWS], default=0.0) >= 0.5)
    place = next(runs, 0) - 1
    if place < 1 or shares[place] > 0 or not _is_complete(records[place], width):
        return None
    attached = [i for i in range(place) if not any(i < each <= place for each in set_off)]
    if any(shares[i] == 1.0 or _may_be_header(records, i, place, width) for i in attached):
        return None
    return place


def _typed_share(record: Record, typed: Mapping[int, str]) -> float:
    """Return the share of the columns of numbers and dates that have one in this row."""
    fitting = [i for i, kind in typed.items() if i < len(record) and value_type([record[i]]) == kind]
    return len(fitting) / max(1, len(typed))


def _is_complete(record: Record, width: int) -> bool:
    names = [(cell or "").strip() for cell in record]
    return len(names) == width and all(names) and len(set(names)) == width


def _may_be_header(records: Sequence[Record], place: int, header: int, width: int) -> bool:
    """Return whether a row above the presumed header may be a row of names, too, rather than a remark."""
    if len(records[place]) != width:
        return False
    cells = [cell or "" for cell in records[place]]
    # A title with commas, cut at them, has a blank at the start of its later cells.
    if any(cell[:1] == " " for cell in cells[1:]) and not any(
        (cell or "")[:1] == " " for cell in records[header]
    ):
        return False
    filled = [i for i, cell in enumerate(cells) if cell.strip()]
    # A remark is a name and its value at the start; group names stand above other columns, too.
    return filled not in ([0], [0, 1]) or (filled == [0, 1] and width < 4 and header == 1)


def names_columns(head: Record, body: Sequence[Record]) -> bool:
    """Return whether a row names the columns: True unless it looks like the rows below."""
    columns = _columns(body, len(head))
    typed = [i for i, values in enumerate(columns) if value_type(values) != "text"]
    if not typed or any(value_type([head[i]]) != value_type(columns[i]) for i in typed):
        return True
    return all(_is_year(head[i]) and not all(map(_is_year, columns[i])) for i in typed)


def differs_in_type(head: Record, body: Sequence[Record]) -> bool:
    """Return whether some column has numbers or dates in the body, but not in this row."""
    columns = _columns(body, len(head))
    return any(
        value_type(values) != "text" and value_type([head[i]]) == "text" for i, values in enumerate(columns)
    )


def has_second_header(records: Sequence[Record]) -> bool:
    """Return whether the second row names the columns too: below group names, or with units.

    Group names span several columns: their row leaves the other cells empty, or repeats the name. The second
    row has text where the rows below have numbers or dates; a row of units has none where these have text.
    """
    if len(records) < 2 + _MIN_BODY_ROWS:
        return False
    groups, names, body = records[0], records[1], records[2:]
    columns = _columns(body, len(groups))
    typed = [i for i, values in enumerate(columns) if value_type(values) != "text"]
    named = [i for i in typed if names[i] and value_type([names[i]]) == "text"]
    if len(named) < 2 or len(named) < len([i for i in typed if names[i]]):
        return False
    dated = [i for i in typed if value_type(columns[i]) == "date"]
    return _has_groups(groups) or _has_units(names, typed, dated)


def join_header_rows(rows: Sequence[Record]) -> list[str]:
    """Return one name a column; a group name counts for the empty cells to its right."""
    *groups, last = [[(cell or "").strip() for cell in row] for row in rows]
    names = []
    for i, name in enumerate(last):
        parts = [_spanning_name(group, i, named=bool(name)) for group in groups]
        names.append(" ".join(part for part in (*parts, name) if part))
    return names


def find_rows_below(last: Sequence[Record]) -> list[Record]:
    """Return the rows at the end that may be no data: totals, averages and remarks, by their labels.

    One row without a label, in which only numbers follow an empty first cell, may be totals, too. A row with
    only the first cell may be a remark in any words.

    Args:
        last: The last rows of the table; more than ten are not looked at.
    """
    count, sums = 0, 0
    for row in reversed(last[-MAX_ROWS_BELOW:]):
        is_summary = _TOTAL.fullmatch(_label(row)) or _MEAN.fullmatch(_label(row))
        may_be_sum = not sums and not _has_label(row)
        sums += may_be_sum
        if not (_is_blank(row) or _has_only_first(row) or is_summary or may_be_sum):
            break
        count += 1
    return list(last[len(last) - count :])


def count_rows_below(below: Sequence[Record], numbers: Mapping[int, pl.Series]) -> tuple[int, str]:
    """Return how many of the last rows are no data, and a sentence that says so.

    A row of totals counts if it holds the sums of the data, a row of averages if it holds their means. A row
    with only the first cell counts if it is worded as a remark, or is below a row that counts.

    Args:
        below: The rows that :func:`find_rows_below` returns.
        numbers: The number columns without these rows, by position.
    """
    count, pending, remarks = 0, 0, 0
    summaries: list[str] = []
    for place, row in enumerate(reversed(below), 1):
        if _is_remark(row):
            remarks, pending = remarks + pending + 1, 0
        elif not _is_blank(row):
            if _summarizes(row, numbers):
                summaries.append("averages" if _MEAN.fullmatch(_label(row)) else "totals")
                remarks, pending = remarks + pending, 0
            elif _has_only_first(row):
                pending += 1
            else:
                break
        if not pending:
            count = place
    if not summaries and not remarks:
        return 0, ""
    if len(summaries) == 1 and not remarks:
        return count, f"The last row holds the {summaries[0]} of the others and is left out."
    kinds = " or ".join(sorted(set(summaries), reverse=True))
    parts = [f"{len(summaries)} of {kinds}"] * bool(summaries) + [f"{remarks} of remarks"] * bool(remarks)
    return count, f"The rows below the table are left out: {' and '.join(parts)}."


def _is_blank(row: Record) -> bool:
    return not any(cell and cell.strip() for cell in row)


def _label(row: Record) -> str:
    return next((cell.strip() for cell in row if cell and cell.strip()), "")


def _has_label(row: Record) -> bool:
    first, *rest = [(cell or "").strip() for cell in row]
    return bool(first) or not any(rest) or not all(_NUMBER.search(cell) for cell in rest if cell)


def _is_remark(row: Record) -> bool:
    """Return whether a row of several cells has only the first, and that is a remark such as a source."""
    return _has_only_first(row) and _REMARK.fullmatch((row[0] or "").strip()) is not None


def _has_only_first(row: Record) -> bool:
    """Return whether a row of several cells has only the first."""
    return len(row) > 1 and _is_blank(row[1:]) and not _is_blank(row[:1])


def _summarizes(row: Record, numbers: Mapping[int, pl.Series]) -> bool:
    filled = [(i, cell) for i, cell in enumerate(row) if cell and cell.strip()]
    present = {i: cell for i, cell in (filled[1:] if _has_label(row) else filled) if i in numbers}
    summarize = _mean if _MEAN.fullmatch(_label(row)) else _sum
    return bool(present) and all(_may_equal(cell, summarize(numbers[i])) for i, cell in present.items())


def _sum(numbers: pl.Series) -> float:
    return float(numbers.sum())


def _mean(numbers: pl.Series) -> float:
    return _sum(numbers) / max(1, len(numbers.drop_nulls()))


def _may_equal(cell: str, number: float) -> bool:
    """Return whether a cell equals a number in any notation, up to the digits that it shows."""
    digits = re.sub(r"[^0-9.,+-]", "", cell)
    for plain in (digits, digits.replace(",", ""), digits.replace(".", "").replace(",", ".")):
        try:
            value = float(plain)
        except ValueError:
            continue
        decimals = len(plain.partition(".")[2])
        if abs(value - number) <= 0.5 * 10**-decimals + 1e-9 * abs(number):
            return True
    return False


def _has_groups(record: Record) -> bool:
    cells = [(cell or "").strip() for cell in record]
    after_first = cells[next((i for i, cell in enumerate(cells) if cell), 0) :]
    present = [cell for cell in cells if cell]
    return "" in after_first or len(set(present)) < len(present)


def _has_units(record: Record, typed: Sequence[int], dated: Sequence[int]) -> bool:
    """Return whether a row has only units: in all columns of numbers, but not in those of text.

    The first column and columns of dates may have none.
    """
    cells = [(cell or "").strip() for cell in record]
    units = [cells[i] for i in typed if cells[i] or not (i == 0 or i in dated)]
    others = [cell for i, cell in enumerate(cells) if i not in typed]
    return all(units) and not any(map(_MISSING.search, units)) and not any(cell.strip("-") for cell in others)


def _spanning_name(group: Sequence[str], place: int, *, named: bool) -> str:
    if group[place] or not named:
        return group[place]
    return next((name for name in reversed(group[:place]) if name), "")


def _columns(body: Sequence[Record], width: int) -> list[list[str]]:
    return [[record[i] or "" for record in body if len(record) == width] for i in range(width)]


def value_type(values: Sequence[str | None]) -> str:
    """Return ``number`` or ``date`` if more than nine of ten present values are one, otherwise ``text``."""
    # The cut limits the time of the regular expressions: no number or date is as long.
    present = [value.strip()[:_MAX_TYPED_LENGTH] for value in values if value]
    for name, pattern in (("number", _NUMBER), ("date", _DATE)):
        if sum(1 for value in present if pattern.search(value)) > _TYPED_SHARE * len(present):
            return name
    return "text"


def _is_year(value: str | None) -> bool:
    return bool(value) and str(value).isdecimal() and int(str(value)) in _YEARS
