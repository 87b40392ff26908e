"""The command line's reference page, made from its own help: ``python -m lavendertown.cli.reference``."""

from __future__ import annotations

from collections.abc import Iterator

import click

from lavendertown.cli import cli

_HEAD = """# Command line

<!-- Made by `python -m lavendertown.cli.reference > docs/cli.md`; a test fails when it is stale. -->

Every command that prints data takes `--json`. Exit codes: 0 good, 1 the answer is "no", 2 wrong use or
refused; then one sentence on standard error says what and what next.
"""


def page() -> str:
    """Return the reference as Markdown: every command's help, as it prints it."""
    parts = [_HEAD]
    for path, command in commands(cli, "lavendertown"):
        with click.Context(command, info_name=path, terminal_width=100, **cli.context_settings) as context:
            parts.append(f"## {path}\n\n```text\n{command.get_help(context)}\n```\n")
    return "\n".join(parts)


def commands(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    """Return each command with its full name, groups before what they hold."""
    yield path, command
    if isinstance(command, click.Group):
        for name, child in command.commands.items():
            yield from commands(child, f"{path} {name}")


if __name__ == "__main__":
    click.echo(page(), nl=False)
