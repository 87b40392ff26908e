"""MCP on standard input and output, for an agent that starts the server itself."""

from __future__ import annotations

import os

import anyio
from mcp.server.stdio import stdio_server

from lavendertown.collaboration.storage import get_storage_backend
from lavendertown.core.settings import load_settings
from lavendertown.mcp.server import build_server
from lavendertown.rpc.access import AccessRules
from lavendertown.rpc.client import TOKEN_VARIABLE
from lavendertown.rpc.team.records import ConfiguredStore


def run_stdio_server() -> None:
    """Serve until standard input ends. The token is read from ``LAVENDERTOWN_RPC_TOKEN``.

    Raises:
        ConfigurationError: A setting is wrong.
        ConnectError: There is no valid token.
    """
    rules = AccessRules.from_settings(load_settings())
    token = os.environ.get(TOKEN_VARIABLE, "").strip()
    rules.identify_process(token)
    # Each call asks again, since a token may be revoked or expire.
    server = build_server(ConfiguredStore(get_storage_backend), lambda context: rules.identify_process(token))

    async def serve() -> None:
        async with stdio_server() as (incoming, outgoing):
            await server.run(incoming, outgoing, server.create_initialization_options())

    anyio.run(serve)
