"""What store this is, whether it is well, and the picture of its tables."""

from __future__ import annotations

import streamlit as st

from lavendertown.ui import data_reads
from lavendertown.ui.components import frame, words


def size(number: int | None) -> str:
    """Return a number of bytes in words, such as ``4.1 MB``."""
    if number is None:
        return "unknown"
    amount = float(number)
    for unit in ("bytes", "KB", "MB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:,.1f} GB"


def health() -> None:
    """Say what store this is, and how it does."""
    found = data_reads.facts()
    state = ":green-badge[:material/check_circle: Well]"
    if not found.well:
        state = ":orange-badge[:material/warning: Needs attention]"
    with st.container(border=True, gap="small"):
        st.markdown(f"{state} &ensp;**{words.plain(found.words)}**")
        if found.sentence:
            st.warning(words.plain(found.sentence), icon=":material/build:")
        st.table(facts(found), border="horizontal", alt="How the store does")


def facts(found: data_reads.Facts) -> dict[str, str]:
    """Return the lines of the table about the store."""
    took = "less than 1 ms" if found.milliseconds < 1 else f"{found.milliseconds:,.0f} ms"
    lines = {"A real read took": took, "Size": size(found.bytes)}
    if found.files is not None:
        lines["Files"] = f"{found.files:,}"
    if found.schema is not None:
        revision, wanted = found.schema
        lines["Schema"] = f"{revision or 'none'}, as this version wants it"
        if revision != wanted:
            lines["Schema"] = f"{revision or 'none'}; this version wants {wanted}"
    return lines


def diagram() -> None:
    """Offer the picture of the tables; it is drawn once somebody opens it."""
    opened = st.expander(
        "Tables and how they belong together", icon=":material/schema:", key="data:diagram", on_change="rerun"
    )
    with opened:
        if not opened.open:
            return
        if not data_reads.on_database():
            only_databases("A diagram of tables")
            return
        from lavendertown.database import diagram as drawing

        boxes = data_reads.boxes()
        svg, dot = drawing.svg(boxes), drawing.dot(boxes)
        ways = ["Boxes and lines", "Laid out by Graphviz"]
        if st.radio("Drawing", ways, horizontal=True, label_visibility="collapsed") == ways[0]:
            st.image(svg, width="content", alt="The tables: " + ", ".join(box.name for box in boxes))
        else:
            st.graphviz_chart(dot, width="content")
        with st.container(horizontal=True, gap="xsmall"):
            st.download_button("SVG", svg, "tables.svg", "image/svg+xml", icon=":material/download:")
            st.download_button("DOT", dot, "tables.dot", "text/vnd.graphviz", icon=":material/download:")


def only_databases(what: str) -> None:
    """Say that files have no such thing, and where to go for it."""
    st.markdown(f"{what} exists only for databases; your records are kept as files.")
    st.page_link(frame.MIGRATE, label="Move to another store", icon=":material/local_shipping:")
