"""Read tables that are drawn with bars and lines, as Markdown and database consoles print them."""

from __future__ import annotations

import re
from itertools import pairwise

_LINE = re.compile(r"[ \t]*[+|]?[ \t]*:?-{2,}[-+|: \t]*")
"""A line that only draws: ``|---|:--|``, ``+----+----+``, ``----+----``."""

_UNDERLINE = re.compile(r"[ \t]*-{2,}(?:[ \t]+-{2,})+[ \t]*")
"""A line below the names of columns of fixed width: ``--- -----``."""

_BAR = "|"
_FIRST_LINES = 20
_BLANKS_AROUND_BARS = re.compile(r"[ \t]*\|[ \t]*")


def clear_drawn_table(text: str) -> tuple[str, int]:
    """Return the text without what draws a table, and the number of lines that only draw.

    These lines become blank, which keeps the numbers of the others; bars at the start and end of lines, and
    the blanks around bars, are removed. Other text is returned unchanged.
    """
    first = [line for line in text.split("\n", _FIRST_LINES)[:_FIRST_LINES] if line.strip()]
    if not first:
        return text, 0
    has_line = any(_draws(b) and (_BAR in a or a is b) for a, b in pairwise([first[0], *first]))
    has_bars = has_line or (len(first) > 1 and all(map(_is_framed, first)))
    draws = _draws if has_bars else _underlines
    if not has_bars and not any(map(draws, first)):
        return text, 0
    lines = ["" if draws(line) else line for line in text.split("\n")]
    count = sum(1 for line in text.split("\n") if draws(line))
    return "\n".join(_without_bars(line) if has_bars else line for line in lines), count


def _draws(line: str) -> bool:
    return _LINE.fullmatch(line.rstrip("\r")) is not None and bool({"+", _BAR} & set(line))


def _underlines(line: str) -> bool:
    return _UNDERLINE.fullmatch(line.rstrip("\r")) is not None


def _is_framed(line: str) -> bool:
    return len(line.strip()) > 1 and line.strip().startswith(_BAR) and line.strip().endswith(_BAR)


def _without_bars(line: str) -> str:
    cells = line.strip()[1:-1] if _is_framed(line) else line
    return _BLANKS_AROUND_BARS.sub(_BAR, cells).strip(" \t")
