"""Security headers of all responses, and the allowed host names of requests.

The Content-Security-Policy allows the page to load resources only from this server. The single inline
script, which is Streamlit's, is allowed by its hash.
"""

from __future__ import annotations

import base64
import hashlib
import logging
import re
from pathlib import Path

import streamlit as st
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lavendertown.core.errors import ConfigurationError
from lavendertown.core.settings import VARIABLE_PREFIX, load_settings
from lavendertown.ui.server import browser_session

LOOPBACK = ("localhost", "127.0.0.1", "::1", "[::1]")
_EVERYWHERE = ("0.0.0.0", "::", "*")
_NAME = re.compile(r"(\*\.)?[\w.-]+|[0-9a-f:.\[\]]+", re.ASCII | re.IGNORECASE)
log = logging.getLogger("lavendertown.ui")


def content_policy(frame_ancestors: str = "'none'") -> str:
    """Return the Content-Security-Policy for the installed Streamlit.

    Args:
        frame_ancestors: The pages that may embed the response in a frame.
    """
    directives = {
        "default-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
        "frame-ancestors": frame_ancestors,
        # Graphviz diagrams need WebAssembly; Streamlit loads scripts of Components v2 from blob: URLs.
        "script-src": f"'self' 'wasm-unsafe-eval' blob: {_inline_script_hashes()}",
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "connect-src": "'self'",
        "media-src": "'self' data: blob:",
        "frame-src": "'self'",
        "worker-src": "'self' blob:",
        "manifest-src": "'self'",
    }
    return "; ".join(f"{name} {sources}" for name, sources in directives.items())


def _inline_script_hashes() -> str:
    page = (Path(st.__file__).parent / "static" / "index.html").read_bytes()
    scripts = re.findall(rb"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", page, re.DOTALL)
    digests = (base64.b64encode(hashlib.sha256(script).digest()).decode() for script in scripts)
    return " ".join(f"'sha256-{digest}'" for digest in digests)


class SecurityHeaders:
    """Add security headers to every response, and the session cookie to page loads."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._headers = {
            "X-Content-Type-Options": "nosniff",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cross-Origin-Resource-Policy": "same-origin",
        }
        self._policy = content_policy()
        # Custom components (v1) are frames of the page.
        self._component_policy = content_policy(frame_ancestors="'self'")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers[name] = value
                is_component = "/component/" in scope["path"]
                headers["Content-Security-Policy"] = self._component_policy if is_component else self._policy
                if _opens_page(scope):
                    headers.append("Set-Cookie", _session_cookie(scope))
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _opens_page(scope: Scope) -> bool:
    """Return whether a browser without a session cookie requests a page."""
    headers = Headers(scope=scope)
    sent = cookie_parser(headers.get("cookie", "")).get(browser_session.COOKIE, "")
    return "text/html" in headers.get("accept", "") and not browser_session.is_key(sent)


def _session_cookie(scope: Scope) -> str:
    secure = "; Secure" if scope["scheme"] == "https" else ""
    key = browser_session.create_key()
    return f"{browser_session.COOKIE}={key}; Path=/; HttpOnly; SameSite=Lax{secure}"


def allowed_hosts() -> list[str]:
    """Return the host names that requests may use.

    These are loopback, the address that the server listens on, and the setting ``server_names``. If the
    settings cannot be read, only the first two apply; the screens show the error.
    """
    address = st.get_option("server.address")
    listening = () if not address or address in _EVERYWHERE else (str(address),)
    try:
        names = load_settings().server_names
    except ConfigurationError as error:
        log.error("Cannot read the setting server_names: %s", error)
        names = ()
    invalid = [name for name in names if not _NAME.fullmatch(name)]
    if invalid:
        log.error(
            "%sSERVER_NAMES has %r, which is not a host name; it is ignored.", VARIABLE_PREFIX, invalid[0]
        )
    return [*LOOPBACK, *listening, *(name for name in names if name not in invalid)]
