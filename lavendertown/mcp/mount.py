"""Serve MCP and an RPC app on one port."""

from __future__ import annotations

import logging

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from lavendertown.mcp import NOT_INSTALLED, PATH
from lavendertown.rpc import is_missing_library
from lavendertown.rpc.team.records import FindStorage

log = logging.getLogger("lavendertown.mcp")


def mount_mcp(rpc: ASGIApp, find_storage: FindStorage) -> ASGIApp:
    """Return an ASGI app that answers MCP at ``/mcp``, and the rest as the RPC app does.

    Where the SDK is not installed, ``/mcp`` answers with the sentence that says so.

    Raises:
        ConfigurationError: A setting is wrong.
    """
    mcp: ASGIApp
    try:
        from lavendertown.mcp.http_app import build_http_app

        mcp = build_http_app(find_storage)
    except ImportError as error:
        if not is_missing_library(error):
            raise
        log.info("MCP is not served: %s", error)
        mcp = JSONResponse({"code": "unimplemented", "message": NOT_INSTALLED}, 501)

    async def route(scope: Scope, receive: Receive, send: Send) -> None:
        app = mcp if scope["type"] == "http" and scope["path"] == PATH else rpc
        await app(scope, receive, send)

    return route
