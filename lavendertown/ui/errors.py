"""Show errors on the screen as one sentence."""

from __future__ import annotations

import logging
import secrets
import sys
import threading

import streamlit as st
from streamlit.runtime.scriptrunner import add_script_run_ctx, get_script_run_ctx

from lavendertown.core import locks
from lavendertown.core.errors import (
    ConfigurationError,
    ConflictError,
    InvalidInputError,
    LavenderTownError,
    NotFoundError,
    SchemaError,
    StorageUnavailableError,
    StoreMovedError,
    UnfinishedMigrationError,
)
from lavendertown.records import hooks
from lavendertown.ui.components.shared.markdown import Markdown, as_markdown

log = logging.getLogger("lavendertown.ui")

_EXPECTED = (
    InvalidInputError,
    NotFoundError,
    ConflictError,
    StorageUnavailableError,
    StoreMovedError,
    UnfinishedMigrationError,
)


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
    error = find_refusal(error) or error
    text, icon = error_message(error)
    if isinstance(error, StorageUnavailableError):
        st.warning(f"**Reports cannot be read or saved now.** {text}", icon=icon)
        st.caption("Saved data is not lost. This page works again as soon as the storage is available.")
        st.button("Try again", icon=":material/refresh:", key="problem:again")
    else:
        st.error(text, icon=icon)
    return True


def find_refusal(error: BaseException) -> LavenderTownError | None:
    """Return the error for the user if application code was refused a read or write; None if it failed.

    Refusals are the errors of LavenderTown that a user can act on, a hook's ``ValueError``, a unique value
    that is taken, and values that pydantic refuses.
    """
    if isinstance(error, LavenderTownError):
        return error if isinstance(error, _EXPECTED) else None
    pydantic = sys.modules.get("pydantic")
    if pydantic is not None and isinstance(error, pydantic.ValidationError):
        from lavendertown.database.model_records import describe_invalid_fields

        return InvalidInputError(f"{error.title} cannot be saved: {describe_invalid_fields(error)}.")
    if hooks.is_refusal(error):
        return InvalidInputError(" ".join(str(error).split()) or "The change was refused.")
    sqlalchemy = sys.modules.get("sqlalchemy")
    if sqlalchemy is not None and isinstance(error, sqlalchemy.exc.IntegrityError):
        from lavendertown.database.unique_violations import describe_violation

        return describe_violation(error)
    return None


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
