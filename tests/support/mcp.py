"""Call an MCP server with the SDK's own client."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx2
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult

from tests.support.dashboard import ROOT

TIMEOUT = 60.0


class ToolRefused(Exception):
    """What a tool answered in place of a result."""


class McpClient:
    """Calls tools, each in a connection of its own."""

    def __init__(self, server: StdioServerParameters | str, token: str = "", mode: str = "auto") -> None:
        self._server = server
        self._token = token
        self._mode: Any = mode

    def call(self, tool: str, **arguments: Any) -> Any:
        """Return a tool's result.

        Raises:
            ToolRefused: The tool answered with an error.
        """
        [result] = self.call_all((tool, arguments))
        [content] = result.content
        text = getattr(content, "text", "")
        if result.is_error:
            raise ToolRefused(text)
        assert result.structured_content == json.loads(text)
        return result.structured_content

    def call_all(
        self, *calls: tuple[str, dict[str, Any]], between: Callable[[], object] = lambda: None
    ) -> list[CallToolResult]:
        """Make calls in one connection; ``between`` is called after each."""

        async def work() -> list[CallToolResult]:
            results = []
            async with self._connection() as client:
                for tool, arguments in calls:
                    results.append(await client.call_tool(tool, arguments))
                    between()
            return results

        return asyncio.run(work())

    def list_tools(self) -> list[Any]:
        """Return what the server says of its tools."""

        async def work() -> list[Any]:
            async with self._connection() as client:
                return (await client.list_tools()).tools

        return asyncio.run(work())

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[Client]:
        headers = {"Authorization": f"Bearer {self._token}"} if self._token else {}
        # No server under test has a certificate, and to load the system's takes longer than a call.
        async with httpx2.AsyncClient(headers=headers, timeout=TIMEOUT, verify=False) as http:
            server: Any = self._server
            if isinstance(server, str):
                server = streamable_http_client(server, http_client=http)
            async with Client(server, mode=self._mode, read_timeout_seconds=TIMEOUT) as client:
                yield client


def stdio_server(folder: Path, **environ: str) -> StdioServerParameters:
    """Return how ``lavendertown mcp`` is started in a folder."""
    settings = {name: value for name, value in os.environ.items() if name.startswith("LAVENDERTOWN_")}
    return StdioServerParameters(
        command=sys.executable,
        args=["-m", "lavendertown", "mcp"],
        cwd=folder,
        env={**settings, "PYTHONPATH": str(ROOT), **environ},
    )


@contextmanager
def no_running_loop() -> Iterator[None]:
    """Hide the event loop that Playwright keeps running in this thread once a browser test was here."""
    running = asyncio._get_running_loop()
    asyncio._set_running_loop(None)
    try:
        yield
    finally:
        asyncio._set_running_loop(running)
