"""Refuse the actions of a page that was drawn before a backup or an export replaced all data."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import streamlit as st

from lavendertown.collaboration.parts.audit import AuditTrail
from lavendertown.core.errors import ConflictError
from lavendertown.ui.components.shared.formatting import format_relative_time

REPLACING_OPERATIONS = ("restore", "import")
"""Operations of the component ``store`` in the audit log."""

_DRAWN = "frame:data drawn"
_drawn: ContextVar[dt.datetime | None] = ContextVar("drawn", default=None)


def remember_drawn_data(latest_change: dt.datetime) -> None:
    """Store the time of the latest change that the page shows."""
    st.session_state[_DRAWN] = latest_change


@contextmanager
def expect_drawn_data() -> Iterator[None]:
    """Refuse the writes in the block if all data was replaced since the page was drawn.

    Only the first such block of a page is refused: its error tells the person.
    """
    token = _drawn.set(st.session_state.get(_DRAWN))
    try:
        yield
    except ConflictError as error:
        if error.kind == "store":
            del st.session_state[_DRAWN]
        raise
    finally:
        _drawn.reset(token)


def refuse_replaced_data(audit: AuditTrail) -> None:
    """Raise an error in a block of :func:`expect_drawn_data` if the page shows replaced data.

    This runs just before a commit, because a write may have waited until the replacement was complete.

    Raises:
        ConflictError: The data was replaced.
    """
    drawn = _drawn.get()
    if drawn is None:
        return
    newest = audit.query("store", operation=REPLACING_OPERATIONS, since=drawn, limit=1)
    if newest and newest[0]["at"] > drawn:
        raise ConflictError(
            f"{newest[0]['actor']} replaced all data {format_relative_time(newest[0]['at'])}. "
            "Your input is kept; look at the new data, and submit it again if it still applies.",
            kind="store",
        )
