"""Functions for a project's own pages: the visitor's name, and the errors of writes beside their form."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from functools import partial
from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import RerunException, StopException, get_script_run_ctx
from streamlit.runtime.scriptrunner_utils.script_run_context import RunLocation, ThreadState

from lavendertown.records import write_path
from lavendertown.ui import errors
from lavendertown.ui.components.shared import layout, person

UNNAMED = "visitor"
"""The actor of a write by a visitor whose name is unknown."""
_SCREEN = "plugins:screen"
_page_session: ContextVar[Any] = ContextVar("lavendertown_page_session", default=None)
_place: ContextVar[str] = ContextVar("lavendertown_page_place", default="")


def visitor_name() -> str:
    """Return the visitor's name, empty if they have not entered one."""
    return person.current_name()


def run_with_name(write: Callable[..., object], *args: Any) -> None:
    """Run a write; if the visitor's name is unknown, ask for it first.

    The question appears after the enclosing :func:`show_errors` block, without one at the top of the page.
    The write then runs when the name was entered, before the page is drawn again: it must use accessors or
    a ``transaction()`` of its own, because the page's session has ended by then.

    Args:
        write: The write, including follow-up actions.
        *args: The arguments of the write.
    """
    if person.current_name():
        write(*args)
        return
    place = _place.get() or "page"
    person.ask_name(place, partial(_run_queued, place, partial(write, *args)))
    if place == "page":
        # The top of the page is drawn already.
        st.rerun()


@contextlib.contextmanager
def show_errors(key: str = "form") -> Iterator[None]:
    """Show the refusal of a write in the block as one sentence after it; the page goes on.

    What the block wrote through the page's session is rolled back, what the page wrote before is kept. Other
    errors are raised. In a callback, the sentence is shown at the top of the page.

    Args:
        key: Identifies the block; must differ if a page has several.
    """
    session, place = _page_session.get(), f"page:{key}"
    if session is not None:
        # An earlier change that the database refuses would end the whole transaction.
        session.flush()
    token = _place.set("" if _is_callback() else place)
    try:
        with _open_block(session):
            yield
    except Exception as error:
        refusal = errors.find_refusal(error)
        if refusal is None:
            raise
        if _is_callback():
            _queue_error("page", refusal)
        else:
            errors.show_error(refusal)
    finally:
        _place.reset(token)
    if not _is_callback():
        layout.show_notice(place)


@contextlib.contextmanager
def use_page_session(session: Any) -> Iterator[None]:
    """Make a session that of the page that runs in the block, and attribute its writes to the visitor."""
    st.session_state[_SCREEN] = layout.current_screen()
    token = _page_session.set(session)
    try:
        yield
    finally:
        _page_session.reset(token)


@contextlib.contextmanager
def _open_block(session: Any) -> Iterator[None]:
    """Open a savepoint in the page's session; keep what was written if Streamlit ends the run."""
    if session is None:
        yield
        return
    from lavendertown.database.application import open_savepoint

    ending: BaseException | None = None
    with open_savepoint(session):
        try:
            yield
        except (StopException, RerunException) as end:
            ending = end
    if ending is not None:
        raise ending


def _run_queued(place: str, write: Callable[[], object]) -> None:
    """Run a write that waited for the name; queue its refusal as a notice."""
    try:
        write()
    except Exception as error:
        _queue_error(place, errors.find_refusal(error) or error)


def _queue_error(place: str, error: Exception) -> None:
    layout.queue_notice(errors.error_message(error)[0], "problem", place=place)


def _is_callback() -> bool:
    return ThreadState.get().run_location is RunLocation.CALLBACK


def _find_visitor() -> str:
    """Return the actor of a write by a project page, also in its callbacks and fragments; else nothing."""
    if get_script_run_ctx(suppress_warning=True) is None or _SCREEN not in st.session_state:
        return ""
    # Dashboard screens name the actor of each write.
    if st.session_state[_SCREEN] != layout.current_screen():
        return ""
    return person.current_name() or UNNAMED


write_path.set_actor_source(_find_visitor)
