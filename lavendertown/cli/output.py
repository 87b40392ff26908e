"""Print results: JSON for programs, aligned columns for people."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click

from lavendertown.cli.errors import CommandError
from lavendertown.core import json_codec
from lavendertown.core.atomic_files import write_atomically


def print_json(value: Any) -> None:
    """Print a value as JSON, with times in ISO 8601."""
    click.echo(json_codec.dumps(json_codec.to_jsonable(value), indent=True))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]], empty: str) -> None:
    """Print rows under headings; without rows, print the message ``empty``."""
    lines = [[format_cell(value) for value in row] for row in rows]
    if not lines:
        click.echo(empty)
        return
    widths = [max(map(len, column)) for column in zip(columns, *lines, strict=True)]
    for line in ([name.upper() for name in columns], *lines):
        padded = [text.ljust(width) for text, width in zip(line, widths, strict=True)]
        click.echo("  ".join(padded).rstrip())


def format_cell(value: Any) -> str:
    """Return a value as one line without control characters."""
    if value is None:
        return "-"
    if isinstance(value, dt.datetime):
        return f"{value.astimezone():%Y-%m-%d %H:%M}"
    if isinstance(value, (list, tuple)):
        return ", ".join(format_cell(each) for each in value)
    return "".join(c if c.isprintable() else " " for c in str(value))


def format_count(number: int, one: str, many: str | None = None) -> str:
    """Return ``"1 finding"`` or ``"1,234 findings"``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def write_file(target: Path, data: bytes) -> None:
    """Write a file completely, or leave what was there.

    Raises:
        CommandError: The file cannot be written.
    """
    try:
        with write_atomically(target) as temporary:
            temporary.write_bytes(data)
    except OSError as error:
        reason = error.strerror or error
        raise CommandError(f"{target} cannot be written: {reason}. Choose another file.") from error


def refuse_existing(target: Path, *, force: bool) -> None:
    """Refuse to overwrite a file, unless ``--force`` is given.

    Raises:
        CommandError: The file exists.
    """
    if target.exists() and not force:
        raise CommandError(f"{target} already exists. Choose another file, or overwrite it with --force.")
