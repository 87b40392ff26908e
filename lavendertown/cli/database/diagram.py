"""``lavendertown db diagram``: write a diagram of the schema as DOT or SVG."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import click

from lavendertown.cli.database.schema import url_option
from lavendertown.cli.output import write_file
from lavendertown.core.errors import InvalidInputError, StorageUnavailableError
from lavendertown.core.settings import load_settings
from lavendertown.transfer.locations import database_libraries

_NO_GRAPHVIZ = (
    "An SVG needs Graphviz, and its program dot is not installed. Install Graphviz, write the diagram as "
    "text with --format dot, or open the screen Data in the dashboard, which shows the diagram."
)


@click.command()
@click.option(
    "--format",
    "kind",
    type=click.Choice(["svg", "dot"]),
    help="The output format: an image made by Graphviz, or DOT text. Default: dot if --output ends in "
    ".dot or .gv, else svg.",
)
@click.option(
    "--output", type=click.Path(path_type=Path), help="The file to write. Default: standard output."
)
@click.option("--graphviz", is_flag=True, hidden=True, help="Has no effect: Graphviz draws every SVG.")
@url_option
def diagram_command(kind: str | None, output: Path | None, graphviz: bool, url: str | None) -> None:
    """Draw the tables of the database, including those of an application.

    An SVG needs Graphviz (https://graphviz.org); DOT does not. If there is no database, the diagram shows
    LavenderTown's own tables.

    \b
    Example:
      lavendertown db diagram --output tables.svg
      lavendertown db diagram --output tables.dot
    """
    with database_libraries():
        from lavendertown.stores.sql.schema import schema_diagram
    if kind is None:
        kind = "dot" if output is not None and output.suffix in (".dot", ".gv") else "svg"
    program = shutil.which("dot")
    if kind == "svg" and program is None:
        raise InvalidInputError(_NO_GRAPHVIZ)
    boxes = schema_diagram.read_database_boxes(url or load_settings().database_url)
    text = schema_diagram.render_dot(boxes)
    if kind == "svg":
        text = _render_svg(text, program or "dot")
    if output is None:
        click.echo(text, nl=False)
        return
    write_file(output, text.encode("utf-8"))
    click.echo(f"Wrote a diagram of {len(boxes)} tables to {output}.")


def _render_svg(text: str, program: str) -> str:
    result = subprocess.run([program, "-Tsvg"], input=text, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        reason = next(iter(result.stderr.splitlines()), "no reason given").rstrip(".")
        raise StorageUnavailableError(
            f"Graphviz could not draw the diagram ({reason}). Write it as text with --format dot."
        )
    return result.stdout
