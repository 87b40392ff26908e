"""Health check ``/healthz``, and the start and stop of the server."""

from __future__ import annotations

import gc
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

from lavendertown.core.errors import LavenderTownError
from lavendertown.mcp import PATH as MCP_PATH
from lavendertown.ui import demo_store, inspections, migration_jobs, queries
from lavendertown.ui.server import name_cookie, uploads
from lavendertown.ui.server.rpc_mount import McpMount, RpcMount
from lavendertown.ui.server.ticker import ticker

log = logging.getLogger("lavendertown.ui")


async def answer_health_check(request: Request) -> JSONResponse:
    """Return 200 if a read from the store succeeds, else 503. The log and the Data screen show the reason."""
    return await run_in_threadpool(_check_storage)


def _check_storage() -> JSONResponse:
    try:
        queries.current_storage().check()
    except Exception as error:  # any error means unavailable
        expected = isinstance(error, LavenderTownError | ImportError)
        log.error("The health check failed: %s", error, exc_info=None if expected else error)
        return JSONResponse({"status": "unavailable"}, status_code=503)
    return JSONResponse({"status": "ok"})


@asynccontextmanager
async def lifespan(app: st.App) -> AsyncIterator[dict[str, Any]]:
    """Preload the libraries of the screens on start, and release all resources on stop."""
    await run_in_threadpool(_load_libraries)
    uploads.apply_upload_limit()
    uploads.upload_folders.start_sweeping()
    ticker.start()
    gc.collect()
    gc.freeze()
    yield {}
    ticker.stop()
    inspections.end_all_inspections()
    uploads.upload_folders.close()
    migration_jobs.end_all_jobs()
    queries.close_storages()
    demo_store.stop()


def _load_libraries() -> None:
    # Two concurrent first requests saw a half-imported pandas in plotly, so import both here.
    import_module("pandas")
    import_module("plotly.graph_objects")


ROUTES = [
    Route("/healthz", answer_health_check),
    name_cookie.create_route(),
    Mount("/rpc", RpcMount()),
    Route(MCP_PATH, McpMount()),
]
