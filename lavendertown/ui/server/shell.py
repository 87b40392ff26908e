"""Add a title, a style sheet and a script to Streamlit's HTML start page.

Streamlit has no setting for the texts of its connection dialog, the title before the first run, or the
focus of a field. This middleware also serves the two added files.
"""

from __future__ import annotations

import re
from pathlib import Path

import streamlit as st
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import FileResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

ASSETS = Path(__file__).parents[1] / "assets"
FOLDER = "_lavendertown"
FILES = {"shell.js": "text/javascript", "shell.css": "text/css"}
NOT_FOUND = "not-found"
"""A URL without a screen, for which the dashboard shows "Page not found"."""

HOME = "findings"
_ROOT = b'<div id="root">'
_NOSCRIPT = re.compile(r"<noscript>.*?</noscript>", re.DOTALL)
_UNCONDITIONAL = {b"accept-encoding", b"if-none-match", b"if-modified-since", b"range"}


def adapt_page(page: str) -> str:
    """Return Streamlit's start page with the title, hint, style sheet and script of LavenderTown."""
    page = page.replace("<title>Streamlit</title>", "<title>LavenderTown</title>")
    page = _NOSCRIPT.sub("<noscript><p>LavenderTown needs JavaScript in your browser.</p></noscript>", page)
    files = f'<link rel="stylesheet" href="./{FOLDER}/shell.css"><script src="./{FOLDER}/shell.js"></script>'
    return page.replace("</head>", f"{files}</head>", 1)


class ShellMiddleware:
    """Serve the two added files, adapt Streamlit's start page, and redirect nested URLs."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request, or pass it on."""
        if scope["type"] != "http" or scope["method"] != "GET":
            await self.app(scope, receive, send)
            return
        folder, _, name = scope["path"].rpartition("/")
        if folder.endswith(f"/{FOLDER}") and name in FILES:
            headers = {"Cache-Control": "no-cache"}
            file = FileResponse(ASSETS / name, media_type=FILES[name], headers=headers)
            await file(scope, receive, send)
        elif "text/html" in Headers(scope=scope).get("accept", ""):
            await _PageResponse(self.app, scope, receive, send).send_page()
        else:
            await self.app(scope, receive, send)


class _PageResponse:
    """The response to a page load; responses other than the start page pass unchanged."""

    def __init__(self, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [pair for pair in scope["headers"] if pair[0].lower() not in _UNCONDITIONAL]
        self.app, self.receive, self.send = app, receive, send
        self.scope = {**scope, "headers": headers}
        self.start: Message | None = None
        self.body = b""

    async def send_page(self) -> None:
        await self.app(self.scope, self.receive, self._collect_message)

    async def _collect_message(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_html(message):
            self.start = message
        elif self.start is None:
            await self.send(message)
        else:
            self.body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._send_adapted_page(self.start)

    async def _send_adapted_page(self, start: Message) -> None:
        if _ROOT not in self.body:
            await self.send(start)
            await self.send({"type": "http.response.body", "body": self.body})
            return
        target = _redirect_target(self.scope["path"])
        if target is not None:
            query = self.scope["query_string"].decode("latin-1")
            target += f"?{query}" if query else ""
            await RedirectResponse(target, 307)(self.scope, self.receive, self.send)
            return
        page = adapt_page(self.body.decode()).encode()
        headers = MutableHeaders(raw=list(start["headers"]))
        for name in ("etag", "last-modified", "content-length"):
            del headers[name]
        headers["content-length"] = str(len(page))
        await self.send({**start, "headers": headers.raw})
        await self.send({"type": "http.response.body", "body": page})


def _is_html(start: Message) -> bool:
    content = Headers(raw=start["headers"]).get("content-type", "")
    return start["status"] == 200 and content.startswith("text/html")


def _redirect_target(path: str) -> str | None:
    """Return the redirect target relative to a URL, or None if Streamlit handles the URL.

    Findings, the home screen, is at the root. Nested URLs do not belong to any screen.
    """
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    inner = path.strip("/").removeprefix(base).strip("/")
    if inner == HOME:
        return "../" if path.endswith("/") else "./"
    extra_parts = inner.count("/")
    return "../" * extra_parts + NOT_FOUND if extra_parts else None
