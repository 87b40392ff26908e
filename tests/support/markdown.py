"""Remove the escapes of Markdown."""

from __future__ import annotations

import re


def shown_text(markdown: str) -> str:
    """Return the displayed text of escaped Markdown."""
    return re.sub(r"\\(.)", r"\1", markdown)
