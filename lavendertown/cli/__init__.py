"""The command line: ``lavendertown COMMAND``. One command a file."""

from __future__ import annotations

import click

from lavendertown import __version__
from lavendertown.cli.analyze import analyze
from lavendertown.cli.annotate import annotate
from lavendertown.cli.audit import audit
from lavendertown.cli.db import db
from lavendertown.cli.db_diagram import diagram
from lavendertown.cli.db_files import backup, export_tables, import_tables, restore
from lavendertown.cli.db_project import revision
from lavendertown.cli.db_seed import seed
from lavendertown.cli.demo import demo
from lavendertown.cli.findings import findings
from lavendertown.cli.migrate import migrate
from lavendertown.cli.problems import SentenceGroup
from lavendertown.cli.report import report
from lavendertown.cli.ui import ui


@click.group(cls=SentenceGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="lavendertown")
def cli() -> None:
    """Find data-quality problems, share them as reports, discuss them and follow them.

    Settings come from the environment, .env, lavendertown.toml or lavendertown.yaml in this folder,
    and config.toml in the data folder; without any, everything is kept as files in .lavendertown.

    Exit codes: 0 good, 1 the answer is "no", 2 wrong use or refused. LAVENDERTOWN_DEBUG=1 shows where an
    error came from.

    \b
    Example:
      lavendertown analyze orders.csv --save --author Ana
      lavendertown ui
    """


for command in (ui, demo, analyze, report, findings, annotate, audit, migrate, db):
    cli.add_command(command)
for command in (backup, restore, export_tables, import_tables, diagram, revision, seed):
    db.add_command(command)


def main() -> None:
    """Run the command line on this process's arguments, and exit."""
    cli(prog_name="lavendertown")


__all__ = ["cli", "main"]
