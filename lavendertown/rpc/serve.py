"""Run an RPC app in a process of its own."""

from __future__ import annotations

import uvicorn
from starlette.types import ASGIApp

_GRACE_SECONDS = 5


def run_server(app: ASGIApp, host: str, port: int) -> None:
    """Serve an app until the process gets SIGINT or SIGTERM."""
    uvicorn.run(
        app,
        host=host,
        port=port,
        # The caller's address decides what is allowed, so no header may replace it.
        proxy_headers=False,
        server_header=False,
        # Streams of changes never end by themselves.
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
