"""The server around the screens: ``/healthz`` and what happens when it starts and stops."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from lavendertown.errors import LavenderTownError
from lavendertown.ui import moves, reads


async def health(request: Request) -> JSONResponse:
    """Answer 200 with the store's description when a real read works, else 503 with the sentence."""
    return await run_in_threadpool(_answer)


def _answer() -> JSONResponse:
    try:
        storage = reads.storage()
        storage.check()
        return JSONResponse({"status": "ok", "storage": storage.describe()})
    except (LavenderTownError, ImportError) as error:
        return JSONResponse({"status": "unavailable", "reason": str(error)}, status_code=503)


@asynccontextmanager
async def lifespan(app: st.App) -> AsyncIterator[dict[str, Any]]:
    """Load what every screen needs before the first visitor comes, and close the store at the end."""
    await run_in_threadpool(_load_libraries)
    gc.collect()
    gc.freeze()
    yield {}
    moves.end()
    reads.release()


def _load_libraries() -> None:
    # Two first visitors at once met a half-imported pandas inside plotly: load both here.
    import_module("pandas")
    import_module("plotly.graph_objects")


ROUTES = [Route("/healthz", health)]
