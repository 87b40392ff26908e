"""Define the options that say how a data file is read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from lavendertown.cli.errors import CommandError
from lavendertown.core.reading import DATE_ORDERS, MAX_HEADER_ROWS, ColumnType, DateOrder, Reading

CommandFunction = TypeVar("CommandFunction", bound=Callable[..., Any])
_SIGN_WORDS = {"tab": "\t", "\\t": "\t", "blank": " "}
_THOUSANDS_WORDS = {"none": "", "blank": " "}


def _parse_numbers(
    context: click.Context, parameter: click.Parameter, text: str | None
) -> tuple[int, ...] | None:
    try:
        return None if text is None else tuple(int(part) for part in text.split(","))
    except ValueError:
        raise click.BadParameter(f"{text!r} is not a list of whole numbers such as 1,6,30.") from None


def reading_options(function: CommandFunction) -> CommandFunction:
    """Add the options for reading; :func:`build_reading` takes their values."""
    for option in reversed(
        (
            click.option("--encoding", help="The encoding of text, such as cp1252. Default: detected."),
            click.option(
                "--delimiter", help="The character between fields; 'tab' for a tab. Default: detected."
            ),
            click.option(
                "--column-starts",
                metavar="LIST",
                callback=_parse_numbers,
                help="The positions in a line at which columns of fixed width start, such as 1,6,30. "
                "Default: detected.",
            ),
            click.option(
                "--comment",
                metavar="SIGN",
                help="The sign at the start of lines that are not data, such as #. Default: detected.",
            ),
            click.option(
                "--sheet", help="The sheet of a workbook. Default: the first visible sheet with a table."
            ),
            click.option(
                "--range",
                "cell_range",
                metavar="CELLS",
                help="The cells with the table and its column names, such as B4:H200; B4:H has no last row. "
                "Default: all cells of the sheet.",
            ),
            click.option(
                "--header-row",
                type=int,
                metavar="N",
                help="The line or row with the column names, counted from 1; 0 if there is none. "
                "Default: detected.",
            ),
            click.option(
                "--header-rows",
                type=click.IntRange(1, MAX_HEADER_ROWS),
                help="The number of rows that name the columns. Default: detected.",
            ),
            click.option(
                "--skip-lines",
                type=click.IntRange(0),
                metavar="N",
                help="The number of lines or rows above the table, if --header-row does not say it.",
            ),
            click.option(
                "--decimal", metavar="SIGN", help="The decimal sign, . or a comma. Default: either."
            ),
            click.option(
                "--thousands",
                metavar="SIGN",
                help="The thousands separator: a comma, ., ', 'blank' or 'none'. Default: any.",
            ),
            click.option(
                "--date-order",
                type=click.Choice(DATE_ORDERS),
                help="What dates such as 03/02/2018 start with. Default: detected.",
            ),
            click.option(
                "--types",
                "types_file",
                type=click.Path(exists=True, dir_okay=False, path_type=Path),
                metavar="FILE",
                help="A JSON or YAML file that maps column names to text, number, date or boolean.",
            ),
            click.option(
                "--null-word",
                "null_words",
                multiple=True,
                metavar="WORD",
                help="A word that stands for a missing value, such as unknown; can be repeated.",
            ),
        )
    ):
        function = option(function)
    return function


def build_reading(
    *,
    encoding: str | None,
    delimiter: str | None,
    column_starts: tuple[int, ...] | None,
    comment: str | None,
    sheet: str | None,
    cell_range: str | None,
    header_row: int | None,
    header_rows: int | None,
    skip_lines: int | None,
    decimal: str | None,
    thousands: str | None,
    date_order: DateOrder | None,
    types_file: Path | None,
    null_words: tuple[str, ...],
) -> Reading:
    """Return the settings for the values of :func:`reading_options`.

    Raises:
        InvalidInputError: A setting is not possible.
        CommandError: The file of types cannot be read.
    """
    return Reading(
        encoding=encoding,
        delimiter=_SIGN_WORDS.get(delimiter, delimiter) if delimiter else None,
        column_starts=column_starts,
        comment=comment,
        sheet=sheet,
        cell_range=cell_range,
        header_row=header_row,
        header_rows=header_rows,
        skip_lines=skip_lines,
        decimal=decimal,
        thousands=None if thousands is None else _THOUSANDS_WORDS.get(thousands, thousands),
        date_order=date_order,
        types=_read_types(types_file) if types_file else {},
        null_words=null_words or None,
    )


def _read_types(file: Path) -> dict[str, ColumnType]:
    from lavendertown.rules.ruleset_files import parse_yaml, read_text_file

    types = parse_yaml(read_text_file(file), file.name)
    if not isinstance(types, dict):
        raise CommandError(
            f"{file} does not map column names to types; write lines such as 'amount: number'."
        )
    return {str(name): column_type for name, column_type in types.items()}
