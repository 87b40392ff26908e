"""``lavendertown db diagram``: the tables as a picture."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import click

from lavendertown.cli.db import url_option
from lavendertown.config import load_settings
from lavendertown.errors import InvalidInputError, StorageUnavailableError


@click.command()
@click.option(
    "--format",
    "kind",
    type=click.Choice(["svg", "dot"]),
    default="svg",
    show_default=True,
    help="A picture, or text for Graphviz.",
)
@click.option("--output", type=click.Path(path_type=Path), help="The file. Default: standard output.")
@click.option(
    "--graphviz", is_flag=True, help="Let Graphviz's program dot lay the SVG out, where it is there."
)
@url_option
def diagram(kind: str, output: Path | None, graphviz: bool, url: str | None) -> None:
    """Draw the database's tables: LavenderTown's own and an application's beside them.

    No other program is needed. Without a database, LavenderTown's own tables are drawn.

    \b
    Example:
      lavendertown db diagram --output tables.svg
      lavendertown db diagram --format dot --output tables.dot
    """
    try:
        from lavendertown.database import diagram as drawing
    except ImportError as error:
        from lavendertown.collaboration.database_storage import MISSING

        raise ImportError(MISSING) from error
    boxes = drawing.read_database(url or load_settings().database_url)
    if kind == "dot":
        text = drawing.dot(boxes)
    else:
        text = (_laid_out(drawing.dot(boxes)) if graphviz else None) or drawing.svg(boxes)
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        output.write_text(text, "utf-8")
    except OSError as error:
        raise InvalidInputError(
            f"{output} could not be written ({error.strerror}); choose another file with --output."
        ) from error
    click.echo(f"Drew {len(boxes)} tables into {output}.")


def _laid_out(text: str) -> str | None:
    """Return Graphviz's picture; None, said in a line, where Graphviz is not installed."""
    program = shutil.which("dot")
    if program is None:
        click.echo("Graphviz's program dot is not installed; LavenderTown drew the picture itself.", err=True)
        return None
    done = subprocess.run([program, "-Tsvg"], input=text, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        first = next(iter(done.stderr.splitlines()), "no reason given").rstrip(".")
        raise StorageUnavailableError(
            f"Graphviz could not draw the tables ({first}). Leave --graphviz out: LavenderTown draws "
            "them itself."
        )
    return done.stdout
