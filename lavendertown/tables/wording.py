"""Words of sentences about columns."""

from __future__ import annotations

from collections.abc import Sequence

_MAX_NAMES = 3


def join_names(names: Sequence[str]) -> str:
    """Join names for a sentence: ``a, b, c and 4 more``."""
    rest = len(names) - _MAX_NAMES
    shown = ", ".join(names[:_MAX_NAMES])
    return f"{shown} and {rest} more" if rest > 0 else shown
