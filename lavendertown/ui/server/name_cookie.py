"""Store the user's name in a cookie.

Streamlit cannot set cookies, and the page runs no script that could. Instead the page shows an invisible
image with a random token in its URL; the response to it sets the cookie. Each token works once.
"""

from __future__ import annotations

import base64
import secrets
import threading
from collections import OrderedDict
from urllib.parse import quote

import streamlit as st
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

COOKIE = "lavendertown_person"
MAX_AGE_SECONDS = 365 * 24 * 3600
_PATH = "remember"
_MAX_WAITING = 10_000
_PIXEL = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
_lock = threading.Lock()
_waiting: OrderedDict[str, str] = OrderedDict()


def register_name(name: str) -> str:
    """Store a name until its image is fetched; return the token for the image URL."""
    token = secrets.token_urlsafe(32)
    with _lock:
        _waiting[token] = name
        while len(_waiting) > _MAX_WAITING:
            _waiting.popitem(last=False)
    return token


def is_waiting(token: str) -> bool:
    """Return whether the image with this token has not been fetched yet."""
    return token in _waiting


def show_image(token: str) -> None:
    """Show an invisible image that sets the cookie when the browser fetches it."""
    # A relative URL works for every screen, also behind a path prefix: all are one level below the root.
    st.html(f'<img src="{_PATH}/{token}" alt="" style="display: none">')


async def set_cookie(request: Request) -> Response:
    """Return an image, with the cookie if the token is known."""
    response = Response(_PIXEL, media_type="image/gif", headers={"Cache-Control": "no-store"})
    with _lock:
        name = _waiting.pop(request.path_params["token"], None)
    if name is not None:
        response.set_cookie(
            COOKIE,
            quote(name, safe=""),
            max_age=MAX_AGE_SECONDS,
            samesite="lax",
            secure=request.url.scheme == "https",
        )
    return response


def create_route() -> Route:
    """Return the route of the image below Streamlit's base path."""
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return Route(f"/{base}/{_PATH}/{{token}}" if base else f"/{_PATH}/{{token}}", set_cookie)
