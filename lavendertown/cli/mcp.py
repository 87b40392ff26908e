"""``lavendertown mcp``: let an agent work on findings, over standard input and output."""

from __future__ import annotations

import signal

import click

from lavendertown.cli.errors import CommandError
from lavendertown.mcp import MISSING
from lavendertown.rpc import is_missing_library


@click.command()
def mcp_command() -> None:
    """Let an agent search findings, comment and decide, by MCP on standard input and output.

    An agent starts this command itself. Its token is read from LAVENDERTOWN_RPC_TOKEN, see lavendertown rpc
    token; the token's actor is the actor of every write. The same is served by streamable HTTP at /mcp, on
    the port of the dashboard and on that of the RPC server.

    \b
    Example:
      lavendertown rpc token create --actor triage-bot --role writer
      LAVENDERTOWN_RPC_TOKEN=lt_… lavendertown mcp
    """
    try:
        from connectrpc.errors import ConnectError

        from lavendertown.mcp.stdio import run_stdio_server
    except ImportError as error:
        if is_missing_library(error):
            raise ImportError(MISSING) from error
        raise
    # The thread that waits for standard input cannot be interrupted, and Python would wait for it.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        run_stdio_server()
    except ConnectError as error:
        raise CommandError(error.message) from error
