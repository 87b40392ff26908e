"""Escape external text for Streamlit's Markdown.

Streamlit's front end extends CommonMark. It replaces icon names, emoji names, arrows, links and mail
addresses in text that is already parsed, so a backslash does not prevent it. An empty directive between two
characters does: it splits the searched text and is invisible.
"""

from __future__ import annotations

import re
import unicodedata

_BREAK = ":small[]"
_MARKDOWN = re.compile(r"[\\`*_{}\[\]()<>#+\-!|~$:&=]")
_ORDERED = re.compile(r"^(\d+)\.")
_BREAK_BEHIND = re.compile(
    r":(?=[\w+\-/])"  # :smile:, :material_star:, http://
    r"|(?<=[\w.+\-])@(?=[\w\-])"  # ana@example.org
    r"|www(?=\.)"
    r"|[<>=~\-](?=[<>=~\-])",  # arrows and dashes
    re.IGNORECASE,
)
# Invisible letters and marks that Unicode does not classify as format characters.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_JOINERS = frozenset("\u200c\u200d")
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
MAX_MARKS = 6
"""Maximum number of consecutive combining marks shown; all scripts need fewer."""


class Markdown(str):
    """A text that is already Markdown, with external parts escaped."""

    __slots__ = ()


def as_markdown(text: str) -> Markdown:
    """Return Markdown unchanged, and other text escaped."""
    return text if isinstance(text, Markdown) else Markdown(escape_text(text))


def escape_text(text: object) -> str:
    """Escape a text for Markdown, on one line, with invisible characters named."""
    line = show_hidden_characters(" ".join(str(text).split()))
    parts = []
    start = 0
    for match in _BREAK_BEHIND.finditer(line):
        parts.append(_MARKDOWN.sub(r"\\\g<0>", line[start : match.end()]))
        start = match.end()
    parts.append(_MARKDOWN.sub(r"\\\g<0>", line[start:]))
    return _ORDERED.sub(r"\1\\.", _BREAK.join(parts))


def code_span(text: object) -> str:
    """Return a text as inline code on one line, with invisible characters named; empty for no text."""
    line = show_hidden_characters(" ".join(str(text).split()))
    if ":material/" in line:
        # The front end replaces icon names in the source before it parses code.
        return escape_text(line)
    if not line:
        return ""
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", line)), default=0))
    pad = " " if "`" in (line[0], line[-1]) else ""
    return f"{fence}{pad}{line}{pad}{fence}"


def show_hidden_characters(text: str) -> str:
    """Name the invisible characters of a text (``⟨U+202E⟩``) and cut long runs of combining marks."""
    if text.isascii() and text.isprintable():
        return text
    shown: list[str] = []
    marks = 0
    for index, char in enumerate(text):
        kind = unicodedata.category(char)
        marks = marks + 1 if kind in ("Mn", "Me") else 0
        if char in ("\n", "\t") or (char in _JOINERS and _is_needed_joiner(text, index)):
            shown.append(char)
        elif kind in _HIDDEN or char in _BLANK:
            shown.append(f"⟨U+{ord(char):04X}⟩")
        elif marks == MAX_MARKS + 1:
            shown.append("…")
        elif marks <= MAX_MARKS:
            shown.append(char)
    return "".join(shown)


def _is_needed_joiner(text: str, index: int) -> bool:
    """Return whether a joiner is between two visible non-ASCII characters, such as letters or emoji."""
    neighbours = text[max(0, index - 1) : index], text[index + 1 : index + 2]
    return all(
        each and not each.isascii() and unicodedata.category(each) not in _HIDDEN for each in neighbours
    )
