"""Recognize text with columns of fixed width, and split its lines into fields."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from itertools import pairwise

_MIN_LINES = 4
_SAMPLE_LINES = 200
_GAP = "  "
_PADDING = re.compile(r"\S {2,}\S")


def split_at_starts(text: str, column_starts: Sequence[int], separator: str) -> str:
    """Return the text with ``separator`` between the fields.

    Args:
        text: The lines.
        column_starts: The positions at which the columns start, in ascending order, counted from 1.
        separator: A sign that is not in the text.
    """
    fields = [(start - 1, end - 1) for start, end in pairwise([*column_starts, sys.maxsize])]
    return "\n".join(_split_line(line, fields, separator) for line in text.split("\n"))


def find_column_starts(text: str) -> tuple[int, ...] | None:
    """Return the positions at which columns of fixed width start, counted from 1; None if there are none.

    The columns are parted by positions that are blank in all lines. Each has a name in the first line and a
    value in another: ``2026-05-01 10:30`` below one name is one field, and so is ``first name`` above short
    values. Half of the lines must be padded with several
    blanks, which tells a table from prose.
    """
    lines = text.split("\n")
    sample = [line.rstrip() for line in lines[:_SAMPLE_LINES] if line.strip()]
    if len(sample) < _MIN_LINES or "\t" in text:
        return None
    padded = sum(1 for line in sample if _PADDING.search(line.strip()))
    if 2 * padded < len(sample) or len(_find_fields(sample)) < 2:
        return None
    written = [line.rstrip() for line in lines if line.strip()]
    fields: list[tuple[int, int]] = []
    for start, end in _find_fields(written):
        has_values = any(line[start:end].strip() for line in written[1:])
        follows_name = bool(fields) and start - fields[-1][1] == 1
        if written[0][start:end].strip() and (has_values or not follows_name):
            fields.append((start, end))
        elif fields:
            fields[-1] = (fields[-1][0], end)
    names = [written[0][start:end].strip() for start, end in fields]
    if len(fields) < 2 or any(_GAP in name for name in names):
        return None  # a line runs through the gap between two columns
    return tuple(start + 1 for start, _ in fields)


def _find_fields(lines: Sequence[str]) -> list[tuple[int, int]]:
    """Return the start and end of each column between the positions that are blank in all lines."""
    written: set[int] = set()
    for line in lines:
        written.update(position for position, sign in enumerate(line) if sign != " ")
    ends = [position + 1 for position in sorted(written) if position + 1 not in written]
    starts = [position for position in sorted(written) if position - 1 not in written]
    return list(zip(starts, ends, strict=True))


def _split_line(line: str, fields: Sequence[tuple[int, int]], separator: str) -> str:
    if not line.strip():
        return ""
    cells = [line[start:end].strip() for start, end in fields]
    return separator.join('"' + cell.replace('"', '""') + '"' if '"' in cell else cell for cell in cells)
