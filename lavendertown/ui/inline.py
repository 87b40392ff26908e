"""What ``Inspector.render()`` shows inside any Streamlit app."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from lavendertown.ui.components import found, words

if TYPE_CHECKING:
    from lavendertown.inspector import Inspector


def render(inspector: Inspector, key: str = "lavendertown") -> None:
    """Show an inspector's findings with their affected rows; runs the checks when that is not done.

    Args:
        inspector: What to show.
        key: Begins the keys of the widgets; give another where an app shows two inspectors.
    """
    findings = inspector.findings
    if findings is None:
        with st.spinner("Looking for ghosts…"):
            findings = inspector.detect()
    name = f" in {words.plain(inspector.table.name)}" if inspector.table.name else ""
    st.markdown(
        f"**{words.count(len(findings), 'finding')}**{name}  \n"
        f":small[:gray[{found.sentence(inspector.coverage())}]]"
    )
    found.guesses(inspector.table)
    if findings:
        found.findings(findings, inspector.table, key)
    else:
        st.success("No ghosts in this table.", icon=":material/task_alt:")
