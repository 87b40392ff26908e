"""The one place where an error becomes a sentence on the screen."""

from __future__ import annotations

import logging
import secrets

import streamlit as st

from lavendertown.errors import (
    ConfigurationError,
    LavenderTownError,
    SchemaError,
    StorageUnavailableError,
)

log = logging.getLogger("lavendertown.ui")


def show(error: Exception) -> bool:
    """Show an error as one sentence and say that it has been shown.

    What LavenderTown raises on purpose is shown in its own words. Anything else is logged on the
    server under a short id, and the reader sees that id instead of a traceback.
    """
    text, icon = sentence(error)
    if isinstance(error, StorageUnavailableError):
        st.warning(f"**Reports cannot be read or saved now.** {text}", icon=icon)
        st.caption("Nothing that was saved is lost. This page works again as soon as the store does.")
        st.button("Try again", icon=":material/refresh:", key="problem:again")
    else:
        st.error(text, icon=icon)
    return True


def sentence(error: Exception) -> tuple[str, str]:
    """Return the words and the icon for an error; log it when nobody foresaw it."""
    if isinstance(error, (ConfigurationError, SchemaError)):
        return str(error), ":material/settings_alert:"
    if isinstance(error, StorageUnavailableError):
        return str(error), ":material/cloud_off:"
    if isinstance(error, LavenderTownError):
        return str(error), ":material/error:"
    if isinstance(error, ImportError) and "pip install" in str(error):
        return str(error), ":material/extension:"
    number = secrets.token_hex(4)
    log.error("Unforeseen error %s", number, exc_info=error)
    text = (
        "**That did not work, and we did not foresee it.** What was saved before is kept. "
        f"Try again; if it stays, give the number `{number}` to whoever runs this server: "
        "its log has the details."
    )
    return text, ":material/bug_report:"
