"""Serve RPC on the port of the dashboard, at ``/rpc``, and MCP at ``/mcp``."""

from __future__ import annotations

import logging
import threading

from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from lavendertown.core.errors import LavenderTownError
from lavendertown.mcp import NOT_INSTALLED
from lavendertown.rpc import is_missing_library
from lavendertown.ui import queries

log = logging.getLogger("lavendertown.ui")
_RPC_NOT_INSTALLED = "RPC is not installed on this server. Install it with: pip install lavendertown[rpc]"


class RpcMount:
    """Create the RPC app on the first request, so that a dashboard without RPC clients does not load it."""

    protocol = "RPC"
    not_installed = _RPC_NOT_INSTALLED

    def __init__(self) -> None:
        self._app: ASGIApp | None = None
        self._lock = threading.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            return
        app: ASGIApp
        try:
            app = await run_in_threadpool(self._load_app) if self._app is None else self._app
        except (ImportError, LavenderTownError) as error:
            log.error("%s cannot be served: %s", self.protocol, error)
            if isinstance(error, ImportError) and is_missing_library(error):
                app = JSONResponse({"code": "unimplemented", "message": self.not_installed}, 501)
            else:
                sentence = f"{self.protocol} is not configured correctly on this server; see the server log."
                app = JSONResponse({"code": "unavailable", "message": sentence}, 503)
        await app(scope, receive, send)

    def _load_app(self) -> ASGIApp:
        with self._lock:
            if self._app is not None:
                return self._app
            app = self._app = self._build_app()
            return app

    def _build_app(self) -> ASGIApp:
        from lavendertown.rpc.team.app import find_app

        return find_app(find_storage=queries.current_storage)


class McpMount(RpcMount):
    """Create the MCP app on the first request."""

    protocol = "MCP"
    not_installed = NOT_INSTALLED

    def _build_app(self) -> ASGIApp:
        from lavendertown.mcp.http_app import build_http_app

        return build_http_app(queries.current_storage)
