"""The regular expressions of rules, bound to a place of a text."""

from __future__ import annotations

import re


def bound_pattern(pattern: str, place: str, *, start: str = r"\A", end: str = r"\z") -> str:
    """Return a pattern that matches only at a place of a text, for tools that search it anywhere.

    Args:
        pattern: A regular expression; its leading flags such as ``(?i)`` stay in front.
        place: ``"start"``, ``"anywhere"`` or ``"full"``.
        start, end: What the tool calls the start and the end of a text.
    """
    if place == "anywhere":
        return pattern
    flags, inner = split_flags(pattern)
    return f"{flags}{start}(?:{inner}){end if place == 'full' else ''}"


def split_flags(pattern: str) -> tuple[str, str]:
    """Return the leading flags of a pattern, which must come first, and the rest."""
    found = re.match(r"\(\?[aiLmsux]+\)", pattern)
    flags = found[0] if found else ""
    return flags, pattern[len(flags) :]
