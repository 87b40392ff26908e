"""Middleware of the server, in front of Streamlit."""

from __future__ import annotations

from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware

from lavendertown.ui.server.security import SecurityHeaders, allowed_hosts
from lavendertown.ui.server.shell import ShellMiddleware
from lavendertown.ui.server.timed_refreshes import RefreshFilter
from lavendertown.ui.server.uploads import UploadGuard

MIDDLEWARE = [
    Middleware(SecurityHeaders),
    Middleware(TrustedHostMiddleware, allowed_hosts=allowed_hosts(), www_redirect=False),
    Middleware(UploadGuard),
    Middleware(ShellMiddleware),
    Middleware(RefreshFilter),
]
"""The middleware for ``st.App``, outermost first."""
