"""The way into the demo team's store from an empty one, and back."""

from __future__ import annotations

import streamlit as st

from lavendertown import demo
from lavendertown.core.errors import InvalidInputError
from lavendertown.ui import demo_store, errors
from lavendertown.ui.components.shared import layout
from lavendertown.ui.components.shared.formatting import escape_markdown

_PREPARING = "demo:preparing"
_POLL_SECONDS = 0.1


def draw_card() -> None:
    """Draw a card that explains the demo and opens it, unless it is open; without its tables, say so."""
    if not demo.is_available():
        st.caption("A sample table and a demo team come with `pip install lavendertown[demo]`.")
    elif not demo_store.is_shown():
        with st.container(border=True, width=760):
            st.markdown("## See how a team works with it", anchors=False)
            st.caption(
                "Ten weeks of deliveries of three public datasets, with findings, comments and decisions by "
                "five people, in a store of its own."
            )
            draw_button()


def draw_button() -> None:
    """Draw the button that opens the demo, if its tables are installed and it is not open."""
    if demo.is_available() and not demo_store.is_shown():
        st.button("Look at a demo team", icon=":material/groups:", on_click=_start)


def is_preparing() -> bool:
    """Return whether this session waits for the demo."""
    return bool(st.session_state.get(_PREPARING))


def show_progress() -> None:
    """Show the progress until the demo is ready, then open it."""
    worker = demo_store.prepare()
    with st.container(border=True):
        st.markdown("**Preparing the demo: three datasets, ten weeks, a team of five**")
        bar = st.progress(0.0, "Starting")
        st.button("Cancel", on_click=_cancel)
    while not worker.wait(_POLL_SECONDS):
        if worker.progress is not None:
            bar.progress(worker.progress["share"], escape_markdown(worker.progress["text"]))
    _cancel()
    if worker.state == "done":
        demo_store.show()
        st.rerun()
    errors.show_error(
        InvalidInputError(
            worker.error or "The demo could not be prepared. Try again; the server log has details."
        )
    )


def draw_banner() -> None:
    """Say that the demo is shown, and offer the way out."""
    if not demo_store.is_shown():
        return
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(
            ":violet[:material/groups:] **This is a demo team.** "
            ":gray[What you change here does not reach your own data, and is gone when the server stops.]",
            width="stretch",
        )
        st.button("Leave the demo", icon=":material/logout:", on_click=_leave)


def _start() -> None:
    st.session_state[_PREPARING] = True
    if layout.current_screen():
        layout.queue_navigation(layout.FINDINGS)


def _cancel() -> None:
    st.session_state.pop(_PREPARING, None)


def _leave() -> None:
    demo_store.leave()
    layout.queue_navigation(layout.FINDINGS)
