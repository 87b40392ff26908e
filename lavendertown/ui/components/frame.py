"""The frame of every screen: where the screens are, a page's head, notices, empty states."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

ASSETS = Path(__file__).parent.parent / "assets"
FINDINGS = "views/findings.py"
REPORTS = "views/reports.py"
REPORT = "views/report.py"
INSPECT = "views/inspect_.py"
PERSON = "views/person.py"
MIGRATE = "views/migrate.py"
DATA = "views/data.py"
ACTIVITY = "views/activity.py"
TRENDS = "views/trends.py"


def enter(screen: str) -> None:
    """Note which screen this run draws, and whether the visitor came from another."""
    st.session_state["frame:arrived"] = st.session_state.get("frame:screen") != screen
    st.session_state["frame:screen"] = screen


def arrived() -> bool:
    """Tell whether this run is the first since the visitor came to the screen."""
    return bool(st.session_state.get("frame:arrived", True))


@dataclass(frozen=True)
class Notice:
    """Something to say once, at the top of the next page.

    Attributes:
        text: Markdown.
        kind: ``"done"``, ``"problem"`` or ``"conflict"``.
        undo: What takes it back, called by the notice's Undo button.
    """

    text: str
    kind: str = "done"
    undo: Callable[[], None] | None = None


def say(text: str, kind: str = "done", undo: Callable[[], None] | None = None, place: str = "page") -> None:
    """Leave a notice for the next run of this session, at the top or at a named place."""
    st.session_state[f"frame:notice:{place}"] = Notice(text, kind, undo)


def notice(place: str = "page") -> None:
    """Show the notice that was left, once; one that can be undone stays until it is dismissed."""
    left: Notice | None = st.session_state.get(f"frame:notice:{place}")
    if left is None:
        return
    if left.undo is None:
        del st.session_state[f"frame:notice:{place}"]
    if left.kind == "problem":
        st.error(left.text, icon=":material/error:")
    elif left.kind == "conflict":
        st.error(left.text, icon=":material/sync_problem:")
    elif left.undo is None:
        st.toast(left.text, icon=":material/check:")
    else:
        _undoable(left, place)


def _undoable(left: Notice, place: str) -> None:
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f":green[:material/check:] {left.text}", width="content")
        st.button(
            "Undo",
            type="tertiary",
            icon=":material/undo:",
            key=f"frame:undo:{place}",
            on_click=_undo,
            args=(place,),
        )
        st.button("Dismiss", type="tertiary", key=f"frame:dismiss:{place}", on_click=_dismiss, args=(place,))


def _undo(place: str) -> None:
    left: Notice = st.session_state.pop(f"frame:notice:{place}")
    if left.undo is not None:
        left.undo()


def _dismiss(place: str) -> None:
    st.session_state.pop(f"frame:notice:{place}", None)


def head(title: str, meta: str | None = None) -> DeltaGenerator:
    """Open a page with its title and meta line; return the place at the right for its actions."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        if meta is None:
            st.title(title, anchor=False, width="content")
        else:
            with st.container(gap=None, width="content"):
                st.title(title, anchor=False)
                st.markdown(meta)
        return st.container(horizontal=True, width="content", gap="xsmall", vertical_alignment="center")


def empty(icon: str, title: str, why: str, *actions: Callable[[], object]) -> None:
    """Show an empty state: an icon, what is the case, why or what to do next, and the actions."""
    with st.container(border=True, horizontal_alignment="center", gap="small"):
        st.space("small")
        st.markdown(f"## :violet[:material/{icon}:]", text_alignment="center", anchors=False)
        st.markdown(f"**{title}**", text_alignment="center")
        st.caption(why, text_alignment="center", width=460)
        with st.container(horizontal=True, horizontal_alignment="center", gap="xsmall"):
            for action in actions:
                action()
        st.space("small")
