"""One calm line for colleagues while somebody moves the store they work in."""

from __future__ import annotations

import streamlit as st

from lavendertown.ui import moves
from lavendertown.ui.components import person, words

EVERY = "3s"


@st.fragment(run_every=EVERY)
def line() -> None:
    """Say who is moving the store in use, and where to, as long as that runs."""
    work = moves.current()
    if work is None or not work.in_use or work.job.state != "running":
        return
    who = "You are" if work.who == person.me() else f"{words.plain(work.who)} is"
    st.caption(
        f":violet[:material/local_shipping:] {who} moving everything to {words.plain(work.target)}. "
        "Go on working; what you write is carried over."
    )
