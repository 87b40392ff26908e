"""Show the state of the storage and the schema diagram."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import streamlit as st

from lavendertown.ui.components.data import data_queries
from lavendertown.ui.components.shared import layout
from lavendertown.ui.components.shared.formatting import escape_markdown

if TYPE_CHECKING:
    from lavendertown.stores.sql.schema.schema_diagram import TableBox


def format_size(number: int | None) -> str:
    """Format a number of bytes, such as ``4.1 MB``."""
    if number is None:
        return "unknown"
    amount = float(number)
    for unit in ("bytes", "KB", "MB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:,.1f} GB"


def show_health() -> None:
    """Show the description and state of the storage."""
    facts = data_queries.read_storage_facts()
    state = ":green-badge[:material/check_circle: Healthy]"
    if not facts.is_healthy:
        state = ":orange-badge[:material/warning: Needs attention]"
    with st.container(border=True, gap="small"):
        st.markdown(f"{state} &ensp;**{escape_markdown(facts.description)}**")
        if facts.advice:
            st.warning(escape_markdown(facts.advice), icon=":material/build:")
        st.table(facts_rows(facts), border="horizontal", alt="State of the storage")
        for notice in data_queries.current_settings().notices:
            st.caption(escape_markdown(notice))


def facts_rows(facts: data_queries.StorageFacts) -> dict[str, str]:
    """Return the rows of the table about the storage."""
    took = "less than 1 ms" if facts.milliseconds < 1 else f"{facts.milliseconds:,.0f} ms"
    lines = {"Read latency": took, "Size": format_size(facts.size_bytes)}
    if facts.file_count is not None:
        lines["Files"] = f"{facts.file_count:,}"
    if facts.schema is not None:
        revision, expected = facts.schema
        lines["Schema"] = f"{escape_markdown(revision) or 'none'} (up to date)"
        if revision != expected:
            lines["Schema"] = f"{escape_markdown(revision) or 'none'} (this version needs {expected})"
    return lines


def show_schema() -> None:
    """Show the schema diagram in an expander; it is drawn when the expander is opened."""
    opened = st.expander("Schema", icon=":material/schema:", key="data:diagram", on_change="rerun")
    with opened:
        if not opened.open:
            return
        if not data_queries.uses_database():
            explain_database_only("A diagram of tables")
            return
        from lavendertown.stores.sql.schema import schema_diagram

        boxes = data_queries.read_table_boxes()
        palette = (
            schema_diagram.DARK_PALETTE if st.context.theme.type == "dark" else schema_diagram.LIGHT_PALETTE
        )
        # On a narrow screen the diagram scrolls: see shell.css.
        with st.container(key="schema-diagram"):
            st.graphviz_chart(
                schema_diagram.render_dot(boxes, palette),
                alt=f"Diagram of {len(boxes)} tables and their foreign keys, also listed below",
            )
        st.table(table_rows(boxes), border="horizontal", alt="Tables, their columns and references")
        dot = schema_diagram.render_dot(boxes)
        st.download_button("Download DOT", dot, "tables.dot", "text/vnd.graphviz", icon=":material/download:")


def table_rows(boxes: Sequence[TableBox]) -> list[dict[str, str]]:
    """Return the rows of the table that lists the content of the diagram."""
    return [
        {
            "Table": escape_markdown(box.name),
            "Columns": escape_markdown(", ".join(column.name for column in box.columns)),
            "Refers to": escape_markdown(", ".join(sorted(box.referenced_tables))),
        }
        for box in boxes
    ]


def explain_database_only(what: str) -> None:
    """Show that a feature needs a database, with a link to the migration."""
    st.markdown(f"{what} needs a database; your records are stored as files.")
    st.page_link(layout.MIGRATE, label="Migrate storage", icon=":material/local_shipping:")
