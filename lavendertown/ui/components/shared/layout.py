"""Common layout of the screens: paths, navigation, page headers, notices, empty states."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lavendertown.ui.components.shared.markdown import Markdown, as_markdown, escape_text

ASSETS = Path(__file__).parents[2] / "assets"
FINDINGS = "views/findings.py"
REPORTS = "views/reports.py"
REPORT = "views/report.py"
DATASET = "views/dataset.py"
INSPECT = "views/inspect_.py"
PERSON = "views/person.py"
MIGRATE = "views/migrate.py"
DATA = "views/data.py"
OWNERS = "views/owners.py"
ACTIVITY = "views/activity.py"
TRENDS = "views/trends.py"
RULES = "views/rules.py"
INCIDENT = "views/incident.py"
MISSING = "views/missing.py"
_LINK = "go-now"
_NEXT = "frame:next"
_TOAST_SECONDS = 6
PAGE = "page"
"""The place of notices about the whole page."""


def track_screen(screen: str) -> None:
    """Record which screen this run draws, and whether the user came from another screen."""
    st.session_state["frame:arrived"] = st.session_state.get("frame:screen") != screen
    st.session_state["frame:screen"] = screen
    if is_first_run():
        _withdraw_questions()


def current_screen() -> str | None:
    """Return the screen that :func:`track_screen` recorded last; None before the first."""
    return st.session_state.get("frame:screen")


def is_first_run() -> bool:
    """Return whether this is the first run since the user opened the screen."""
    return bool(st.session_state.get("frame:arrived", True))


class ScreenLeft(BaseException):
    """Ends a run that opens another screen; :func:`lavendertown.ui.main.main` catches it."""


def go_to(screen: str, **query: str | list[str]) -> NoReturn:
    """Open another screen through a link in the browser, and end this run.

    ``st.switch_page`` changes the screen only on the server. A timed refresh that the browser sends before it
    learns of the change still names the old screen; Streamlit's front end then drops the elements of the new
    screen, and the page is blank. A link stops the refreshes first. ``assets/shell.js`` clicks it.

    Nor does this use ``st.stop``, after which Streamlit keeps the fragments of the previous run: a refresh
    that the browser has sent already would draw into elements that are gone, and the page would be blank.

    Raises:
        ScreenLeft: Always.
    """
    with st.container(key=_LINK):
        st.page_link(screen, label="Continue", query_params=query)
    raise ScreenLeft


def queue_navigation(screen: str, **query: str) -> None:
    """Make the next run of the whole page open another screen.

    Dialogs and fragments must use this followed by ``st.rerun()`` instead of navigating: their elements can
    reach the browser after it dropped their page, and the new page would be blank.
    """
    st.session_state[_NEXT] = (screen, query)


def has_queued_navigation() -> bool:
    """Return whether the next run of the whole page opens another screen."""
    return _NEXT in st.session_state


def follow_queued_navigation() -> None:
    """Open the screen queued by :func:`queue_navigation`. Call this before drawing anything."""
    if has_queued_navigation():
        screen, query = st.session_state.pop(_NEXT)
        go_to(screen, **query)


def draw_two_columns(shares: Sequence[float]) -> Sequence[DeltaGenerator]:
    """Draw two columns with these shares of the width; in a window below 1100 px, one below the other."""
    with st.container(key="stack-when-narrow"):
        return st.columns(shares, gap="medium")


@dataclass(frozen=True)
class Notice:
    """A notice that is shown once in the next run, or a question.

    Attributes:
        text: The text.
        kind: ``"done"``, ``"problem"``, ``"conflict"`` or ``"question"``.
        undo: Reverts the action; called by the Undo button.
        form: Draws a question instead of the text, in each run until it is withdrawn.
        retry: Repeats an action that failed; called by the button Send again.
        shown: When it was shown as a toast for the first time, by ``time.monotonic()``.
    """

    text: Markdown
    kind: str = "done"
    undo: Callable[[], None] | None = None
    form: Callable[[], None] | None = None
    retry: Callable[[], None] | None = None
    shown: float | None = None


def queue_notice(
    text: str,
    kind: str = "done",
    undo: Callable[[], None] | None = None,
    place: str = PAGE,
    *,
    lead: str = "",
    retry: Callable[[], None] | None = None,
) -> None:
    """Queue a notice for the next run of this session, at the top of the page or at a named place.

    Args:
        text: Plain text, which is escaped, or :class:`Markdown`.
        kind: ``"done"``, ``"problem"`` or ``"conflict"``.
        undo: Reverts the action; called by the Undo button.
        place: The place on the page.
        lead: Plain text in bold before the text.
        retry: Repeats an action that failed; called by the button Send again.
    """
    start = f"**{escape_text(lead)}** " if lead else ""
    notice = Notice(Markdown(start + as_markdown(text)), kind, undo, retry=retry)
    if undo is not None:
        _dismiss_undo_notices()
    st.session_state[f"frame:notice:{place}"] = notice


def _dismiss_undo_notices() -> None:
    """Dismiss the notices with an undo button: there is one place for them over the page."""
    for key in [str(key) for key in st.session_state]:
        notice = st.session_state[key] if key.startswith("frame:notice:") else None
        if isinstance(notice, Notice) and notice.undo is not None:
            del st.session_state[key]


def queue_question(form: Callable[[], None], place: str = PAGE) -> None:
    """Show a question instead of a notice until it is withdrawn or the user leaves the screen."""
    st.session_state[f"frame:notice:{place}"] = Notice(Markdown(""), "question", form=form)


def has_question(place: str) -> bool:
    """Return whether a question is shown at a place."""
    notice: Notice | None = st.session_state.get(f"frame:notice:{place}")
    return notice is not None and notice.form is not None


def withdraw_question(place: str) -> None:
    """Remove the question at a place."""
    if has_question(place):
        del st.session_state[f"frame:notice:{place}"]


def _withdraw_questions() -> None:
    for key in [str(key) for key in st.session_state]:
        if key.startswith("frame:notice:"):
            withdraw_question(key.removeprefix("frame:notice:"))


def show_notice(place: str = PAGE) -> None:
    """Show the queued notice once; one with Undo or Send again stays until it is dismissed or replaced."""
    notice: Notice | None = st.session_state.get(f"frame:notice:{place}")
    if notice is None:
        return
    if notice.form is not None:
        # Over the page, like a notice; in a dialog at its place, which the dialog scrolls to.
        with st.container(key=f"question-over-page:{place}"):
            notice.form()
        return
    if notice.undo is None and notice.kind == "done":
        _show_toast(notice, place)
        return
    if notice.undo is None and notice.retry is None:
        del st.session_state[f"frame:notice:{place}"]
    # Over the page, see ``assets/shell.css``: it appears and disappears without moving anything.
    with st.container(key=f"notice-over-page:{place}"):
        _draw_notice(notice, place)


def _show_toast(notice: Notice, place: str) -> None:
    """Send a toast in each run of its first seconds: the browser drops it if the page changes at once.

    A toast that is still on screen is not shown twice; Streamlit's front end compares them.
    """
    now = time.monotonic()
    shown = now if notice.shown is None else notice.shown
    if now - shown < _TOAST_SECONDS:
        st.session_state[f"frame:notice:{place}"] = replace(notice, shown=shown)
        st.toast(notice.text, icon=":material/check:")
    else:
        del st.session_state[f"frame:notice:{place}"]


def _draw_notice(notice: Notice, place: str) -> None:
    if notice.kind == "problem":
        st.error(notice.text, icon=":material/error:")
        if notice.retry is not None:
            _retry_buttons(place)
    elif notice.kind == "conflict":
        st.error(notice.text, icon=":material/sync_problem:")
    else:
        _draw_undo_buttons(notice, place)


def _draw_undo_buttons(notice: Notice, place: str) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f":green[:material/check:] {notice.text}", width="content")
        st.button(
            "Undo",
            type="tertiary",
            icon=":material/undo:",
            key=f"frame:undo:{place}",
            on_click=_run_undo,
            args=(place,),
        )
        st.button(
            "Dismiss", type="tertiary", key=f"frame:dismiss:{place}", on_click=_dismiss_notice, args=(place,)
        )


def _retry_buttons(place: str) -> None:
    with st.container(horizontal=True, gap="small"):
        st.button(
            "Send again",
            icon=":material/refresh:",
            key=f"frame:retry:{place}",
            on_click=_retry,
            args=(place,),
        )
        st.button(
            "Dismiss", type="tertiary", key=f"frame:dismiss:{place}", on_click=_dismiss_notice, args=(place,)
        )


def _retry(place: str) -> None:
    notice: Notice | None = st.session_state.pop(f"frame:notice:{place}", None)
    if notice is not None and notice.retry is not None:
        notice.retry()


def _run_undo(place: str) -> None:
    # A second click may arrive before the screen without the button does.
    notice: Notice | None = st.session_state.pop(f"frame:notice:{place}", None)
    if notice is not None and notice.undo is not None:
        notice.undo()


def _dismiss_notice(place: str) -> None:
    st.session_state.pop(f"frame:notice:{place}", None)


def draw_page_header(title: str, meta: str | None = None) -> DeltaGenerator:
    """Draw the title and meta line of a page, both Markdown; return the container for its actions."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        if meta is None:
            st.title(title, anchor=False, width="content")
        else:
            with st.container(gap=None, width="content"):
                st.title(title, anchor=False)
                st.markdown(meta)
        return st.container(horizontal=True, width="content", gap="xsmall", vertical_alignment="center")


def draw_dataset_link(dataset: str) -> None:
    """Draw a link to the page of a dataset; nothing for reports without one."""
    if dataset:
        st.page_link(
            DATASET, label=escape_text(dataset), icon=":material/table:", query_params={"dataset": dataset}
        )


def show_empty_state(icon: str, title: str, why: str, *actions: Callable[[], object]) -> None:
    """Show an empty state: an icon, a title, a reason or next step, and actions.

    Title and reason are plain text, unless they are :class:`Markdown`.
    """
    with st.container(border=True, horizontal_alignment="center", gap="small"):
        st.space("small")
        st.markdown(f"## :violet[:material/{icon}:]", text_alignment="center", anchors=False)
        st.markdown(f"**{as_markdown(title)}**", text_alignment="center")
        st.caption(as_markdown(why), text_alignment="center", width=460)
        with st.container(
            horizontal=True, horizontal_alignment="center", vertical_alignment="center", gap="xsmall"
        ):
            for action in actions:
                action()
        st.space("small")
