"""Draw the menu of configured sources, and the choice of a table in a file with several."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from lavendertown.core.configured_sources import ConfiguredSource
from lavendertown.ui.components.shared.formatting import escape_markdown, format_count

_SOURCE, _TABLE = "inspect:source", "inspect:table"


def draw_source_menu(sources: Sequence[ConfiguredSource], inspect: Callable[[str], None]) -> None:
    """Draw a menu of the sources that an administrator configured.

    Args:
        sources: The sources, at least one.
        inspect: Called with the name that the browser sends, which may be forged.
    """
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.selectbox(
            "Source",
            [source.name for source in sources],
            key=_SOURCE,
            width=360,
        )
        st.button("Inspect source", on_click=lambda: inspect(str(st.session_state.get(_SOURCE) or "")))


def draw_table_choice(name: str, tables: Sequence[str], read: Callable[[str], None]) -> None:
    """Ask which table of a file to read.

    Args:
        name: The file.
        tables: The names of its tables.
        read: Called with the name that the browser sends, which may be forged.
    """
    st.markdown(f"**{escape_markdown(name)}** has {format_count(len(tables), 'table')}.")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.selectbox("Table to inspect", tables, key=_TABLE, width=360)
        st.button(
            "Inspect table",
            type="primary",
            on_click=lambda: read(str(st.session_state.get(_TABLE) or "")),
        )
