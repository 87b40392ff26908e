"""How answers are written: plain JSON for programs, aligned columns for people."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

import click

from lavendertown import codec


def print_json(value: Any) -> None:
    """Write one JSON object or array to standard output, times as ISO 8601."""
    click.echo(codec.dumps(codec.plain(value), indent=True))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], empty: str) -> None:
    """Write rows under headings, or the sentence that there are none."""
    lines = [[cell(value) for value in row] for row in rows]
    if not lines:
        click.echo(empty)
        return
    widths = [max(map(len, column)) for column in zip(columns, *lines, strict=True)]
    for line in ([name.upper() for name in columns], *lines):
        padded = [text.ljust(width) for text, width in zip(line, widths, strict=True)]
        click.echo("  ".join(padded).rstrip())


def cell(value: Any) -> str:
    """Return a value as one line that cannot steer the terminal."""
    if value is None:
        return "-"
    if isinstance(value, dt.datetime):
        return f"{value.astimezone():%Y-%m-%d %H:%M}"
    if isinstance(value, (list, tuple)):
        return ", ".join(cell(each) for each in value)
    return "".join(c if c.isprintable() else " " for c in str(value))


def count(number: int, one: str, many: str | None = None) -> str:
    """Return ``"1 finding"`` or ``"1,234 findings"``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
