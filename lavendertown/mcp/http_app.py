"""MCP over streamable HTTP, with the tokens and access rules of RPC."""

from __future__ import annotations

from typing import Any

from connectrpc.code import Code
from connectrpc.errors import ConnectError
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from lavendertown.core.settings import Settings, load_settings
from lavendertown.mcp.server import build_server
from lavendertown.rpc.access import HTTP_STATUS, AccessRules
from lavendertown.rpc.app import MAX_REQUEST_BYTES
from lavendertown.rpc.protocol.schema import Caller
from lavendertown.rpc.team.records import FindStorage
from lavendertown.rpc.threads import run_in_thread

_CALLER = "lavendertown.caller"
_INVALID_REQUEST = -32600
_ONLY_POST = "This server answers POST only: it keeps no sessions, and sends nothing unasked."
_CORS_HEADERS = (
    *("Authorization", "Content-Type"),
    *("Mcp-Method", "Mcp-Name", "Mcp-Protocol-Version", "Mcp-Session-Id"),
)
# The access rules check origins and host names, for proxies and other sites too.
_SECURITY = TransportSecuritySettings(enable_dns_rebinding_protection=False)


def build_http_app(find_storage: FindStorage, settings: Settings | None = None) -> ASGIApp:
    """Return the ASGI app that answers MCP requests, mounted at any path.

    Args:
        find_storage: Returns the storage, and is called with each call.
        settings: Access; the configured one by default.

    Raises:
        ConfigurationError: A setting is wrong.
    """
    rules = AccessRules.from_settings(settings or load_settings())
    app: ASGIApp = _HttpApp(find_storage, rules)
    if rules.allowed_origins:
        app = CORSMiddleware(
            app,
            allow_origins=rules.allowed_origins,
            allow_methods=("POST",),
            allow_headers=_CORS_HEADERS,
            max_age=3600,
        )
    return app


class _HttpApp:
    def __init__(self, find_storage: FindStorage, rules: AccessRules) -> None:
        self._rules = rules
        self._server = build_server(find_storage, _request_caller)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        try:
            caller = await run_in_thread(self._rules.identify_caller, scope)
        except ConnectError as error:
            await _answer_refusal(error)(scope, receive, send)
            return
        if scope["method"] != "POST":
            answer = _answer_error(_ONLY_POST, 405, {"Allow": "POST"})
            await answer(scope, receive, send)
            return
        # Without sessions nothing outlives a request, so a manager for each needs no lifespan of the server.
        manager = StreamableHTTPSessionManager(
            self._server,
            json_response=True,
            stateless=True,
            security_settings=_SECURITY,
            max_request_body_size=MAX_REQUEST_BYTES,
        )
        async with manager.run():
            await manager.handle_request({**scope, _CALLER: caller}, receive, send)


def _request_caller(context: Any) -> Caller:
    caller = context.request_context.request.scope[_CALLER]
    assert isinstance(caller, Caller)
    return caller


def _answer_refusal(error: ConnectError) -> JSONResponse:
    headers = {"WWW-Authenticate": "Bearer"} if error.code is Code.UNAUTHENTICATED else None
    return _answer_error(error.message, HTTP_STATUS[error.code], headers)


def _answer_error(message: str, status: int, headers: dict[str, str] | None = None) -> JSONResponse:
    body = {"jsonrpc": "2.0", "id": None, "error": {"code": _INVALID_REQUEST, "message": message}}
    return JSONResponse(body, status, headers)
