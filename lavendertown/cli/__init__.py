"""Define the command line, ``lavendertown COMMAND``; each command has a module of its own."""

from __future__ import annotations

import click

from lavendertown import __version__
from lavendertown.cli.analyze import analyze_command
from lavendertown.cli.annotate import annotate_command
from lavendertown.cli.audit import audit_command
from lavendertown.cli.compare import compare_command
from lavendertown.cli.database.diagram import diagram_command
from lavendertown.cli.database.project_migrations import revision_command
from lavendertown.cli.database.schema import db_group
from lavendertown.cli.database.seed import seed_command
from lavendertown.cli.database.store_files import (
    backup_command,
    export_tables,
    import_tables,
    restore_command,
)
from lavendertown.cli.demo import demo_command
from lavendertown.cli.errors import ErrorHandlingGroup
from lavendertown.cli.export import export_command
from lavendertown.cli.findings import findings_group
from lavendertown.cli.import_results import import_command
from lavendertown.cli.incidents import incidents_group
from lavendertown.cli.mcp import mcp_command
from lavendertown.cli.migrate import migrate_command
from lavendertown.cli.notifications import notifications_group
from lavendertown.cli.owners import owners_group
from lavendertown.cli.report import report_group
from lavendertown.cli.rpc import rpc_group
from lavendertown.cli.rules import rules_group
from lavendertown.cli.tick import tick_command
from lavendertown.cli.ui import ui_command
from lavendertown.cli.worklist import worklist_group


@click.group(cls=ErrorHandlingGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="lavendertown")
def cli() -> None:
    """Find data-quality problems, share them as reports, discuss them and track them.

    Settings are read from the environment, .env, lavendertown.toml or lavendertown.yaml in the current
    folder, config.toml in the data folder, and the key database of config.yaml in the current folder. By
    default, records are files in .lavendertown.

    Exit codes: 0 success, 1 negative result, 2 usage error or failure. With LAVENDERTOWN_DEBUG=1, an error
    is printed with its traceback.

    \b
    Example:
      lavendertown analyze orders.csv --save --author Ana
      lavendertown ui
    """


for command in (
    ui_command,
    demo_command,
    analyze_command,
    compare_command,
    import_command,
    export_command,
    report_group,
    findings_group,
    incidents_group,
    worklist_group,
    owners_group,
    annotate_command,
    rules_group,
    audit_command,
    migrate_command,
    db_group,
    tick_command,
    notifications_group,
    rpc_group,
    mcp_command,
):
    cli.add_command(command)
for command in (
    backup_command,
    restore_command,
    export_tables,
    import_tables,
    diagram_command,
    revision_command,
    seed_command,
):
    db_group.add_command(command)


def main() -> None:
    """Run the command line with the arguments of this process, and exit."""
    cli(prog_name="lavendertown")


__all__ = ["cli", "main"]
