"""The demo team's store: one per server, in a temporary folder, for the sessions that want to look at it."""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from lavendertown.demo.tasks import WRITE_DEMO
from lavendertown.worker import Worker

_SHOWN = "demo:shown"
_lock = threading.Lock()
_folder: tempfile.TemporaryDirectory[str] | None = None
_worker: Worker | None = None


def prepare() -> Worker:
    """Return the worker that writes the demo data; started by the first call, and again if it failed."""
    global _folder, _worker
    with _lock:
        if _worker is None or _worker.state in ("failed", "stopped"):
            if _folder is not None:
                _folder.cleanup()
            _folder = tempfile.TemporaryDirectory(prefix="lavendertown-demo-")
            _worker = Worker.spawn()
            _worker.run_task(WRITE_DEMO, {"folder": _folder.name})
        return _worker


def stop() -> None:
    """End the worker and remove the demo data, as the server ends."""
    global _folder, _worker
    with _lock:
        if _worker is not None:
            _worker.stop()
        if _folder is not None:
            _folder.cleanup()
        _folder = _worker = None


def is_shown() -> bool:
    """Return whether this session shows the demo team's store."""
    return get_script_run_ctx(suppress_warning=True) is not None and bool(st.session_state.get(_SHOWN))


def show() -> None:
    """Make this session show the demo team's store, which must be ready."""
    st.session_state[_SHOWN] = True


def leave() -> None:
    """Make this session show the configured store again."""
    st.session_state.pop(_SHOWN, None)


def shown_folder() -> Path | None:
    """Return the folder of the demo data if this session shows them."""
    return Path(_folder.name) if _folder is not None and is_shown() else None
