"""Show errors on the screen as one sentence."""

from __future__ import annotations

import logging
import secrets
import threading

import streamlit as st
from streamlit.runtime.scriptrunner import add_script_run_ctx, get_script_run_ctx

from lavendertown.core import locks
from lavendertown.core.errors import (
    ConfigurationError,
    LavenderTownError,
    SchemaError,
    StorageUnavailableError,
)
from lavendertown.ui.components.shared.markdown import Markdown, as_markdown

log = logging.getLogger("lavendertown.ui")


def create_wait_notice() -> locks.ShowNotice:
    """Return a function that tells the current user, from any thread, that an action waits for a lock."""
    context = get_script_run_ctx(suppress_warning=True)

    def show_toast(text: str) -> None:
        if context is not None:  # Threads outside a session have no user to notify.
            add_script_run_ctx(threading.current_thread(), context)
            st.toast(as_markdown(text), icon=":material/hourglass_top:", duration="long")

    return show_toast


locks.set_notice_binder(create_wait_notice)


def show_error(error: Exception) -> bool:
    """Show an error as one sentence; return True, which tells Streamlit that it is handled.

    Errors of LavenderTown are shown with their message. Other errors are logged on the server under a
    short id, and the page shows this id instead of a traceback.
    """
    text, icon = error_message(error)
    if isinstance(error, StorageUnavailableError):
        st.warning(f"**Reports cannot be read or saved now.** {text}", icon=icon)
        st.caption("Saved data is not lost. This page works again as soon as the storage is available.")
        st.button("Try again", icon=":material/refresh:", key="problem:again")
    else:
        st.error(text, icon=icon)
    return True


def error_message(error: Exception) -> tuple[Markdown, str]:
    """Return the escaped message of an error and its icon; log an unexpected error."""
    if isinstance(error, (ConfigurationError, SchemaError)):
        return as_markdown(str(error)), ":material/settings_alert:"
    if isinstance(error, StorageUnavailableError):
        return as_markdown(str(error)), ":material/cloud_off:"
    if isinstance(error, LavenderTownError):
        return as_markdown(str(error)), ":material/error:"
    if isinstance(error, ImportError) and "pip install" in str(error):
        return as_markdown(str(error)), ":material/extension:"
    number = secrets.token_hex(4)
    log.error("Unexpected error %s", number, exc_info=error)
    text = (
        "**Something went wrong.** Saved data is kept. "
        f"Try again; if it keeps happening, give the number `{number}` to your administrator. "
        "The server log has the details."
    )
    return Markdown(text), ":material/bug_report:"
