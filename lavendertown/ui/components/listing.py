"""The findings of a report as a grid with one row selected, by the finding's id."""

from __future__ import annotations

import hashlib

import pandas as pd
import streamlit as st

from lavendertown.ui import reads
from lavendertown.ui.components import words

FINDING = "finding"
_MOVES = "findings:moves"


def by_gravity(rows: list[reads.Row]) -> list[reads.Row]:
    """Return findings with the gravest first, then the most affected rows."""
    order = list(words.SEVERITIES)
    return sorted(rows, key=lambda row: (order.index(row["severity"]), -(row["row_count"] or 0)))


def choose(report: reads.Row) -> tuple[list[reads.Row], int]:
    """Return the page of findings that holds the one the address names, and its place in it.

    A small report is ordered by gravity; a large one keeps the store's order, page by page.
    """
    wanted = st.query_params.get(FINDING, "")
    named = reads.finding(report["id"], wanted) if wanted else None
    if wanted and named is None:
        st.warning(
            f"This report has no finding {words.code(wanted)}; the first one is shown.",
            icon=":material/search_off:",
        )
    pages = max(1, -(-report["finding_count"] // reads.FINDINGS_PAGE))
    page = named["position"] // reads.FINDINGS_PAGE if named else 0
    rows = reads.findings(report["id"], reads.FINDINGS_PAGE, page * reads.FINDINGS_PAGE)
    if pages == 1:
        rows = by_gravity(rows)
    ids = [row["finding_id"] for row in rows]
    return rows, ids.index(named["finding_id"]) if named and named["finding_id"] in ids else 0


def heading(rows: list[reads.Row], place: int) -> None:
    """Show the list's title with the buttons, and keys, that move through it."""
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.markdown("### Findings", width="stretch", anchors=False)
        for label, icon, key, step in (
            ("Previous", ":material/keyboard_arrow_up:", "K", -1),
            ("Next", ":material/keyboard_arrow_down:", "J", 1),
        ):
            target = rows[(place + step) % len(rows)]["finding_id"]
            st.button(
                label,
                icon=icon,
                type="tertiary",
                shortcut=key,
                key=f"findings:{label}",
                on_click=_move,
                args=(target,),
            )


def _move(finding_id: str) -> None:
    st.query_params[FINDING] = finding_id
    moved()


def moved() -> None:
    """Have the grid take its selection from the address."""
    # The grid takes its selection only when it is new, so each move by key makes it new.
    st.session_state[_MOVES] = st.session_state.get(_MOVES, 0) + 1


def grid(report: reads.Row, rows: list[reads.Row], place: int) -> None:
    """Show the findings; selecting a row puts its id into the address."""
    ids = [row["finding_id"] for row in rows]
    same_rows = hashlib.sha256("\n".join([report["id"], *ids]).encode()).hexdigest()[:12]
    key = f"findings:{same_rows}:{st.session_state.get(_MOVES, 0)}"
    severities = [words.SEVERITIES[name][2] for name in words.SEVERITIES]
    statuses = [words.STATUSES[name][2] for name in words.STATUSES]
    config = st.column_config
    st.dataframe(
        _frame(rows),
        key=key,
        hide_index=True,
        on_select=lambda: _selected(key, ids),
        selection_mode="single-row-required",
        selection_default={"selection": {"rows": [place]}},
        row_height=36,
        height="content" if len(rows) <= 40 else 1480,
        placeholder="",
        alt="Findings of this report; select one to read and discuss it",
        column_config={
            "severity": config.MultiselectColumn(
                "Severity", width=76, options=severities, color=["red", "orange", "blue"]
            ),
            "finding": config.TextColumn("Finding", width=176),
            "rows": config.NumberColumn("Rows", format="compact", width=56),
            "status": config.MultiselectColumn(
                "Status",
                width=100,
                options=statuses,
                color=[colour for colour, _, _ in words.STATUSES.values()],
            ),
            "notes": config.NumberColumn("Notes", width=46),
        },
    )


def _frame(rows: list[reads.Row]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "severity": [[words.SEVERITIES[row["severity"]][2]] for row in rows],
            "finding": [words.headline(row["description"]) for row in rows],
            "rows": pd.array([row["row_count"] for row in rows], dtype="Int64"),
            "status": [[words.status_name(row["status"])] for row in rows],
            "notes": pd.array([row["comment_count"] or None for row in rows], dtype="Int64"),
        }
    )


def _selected(key: str, ids: list[str]) -> None:
    chosen = st.session_state[key].selection.rows
    if chosen:
        st.query_params[FINDING] = ids[chosen[0]]


def pager(report: reads.Row, rows: list[reads.Row]) -> None:
    """Below a large report's list, the way to its other pages."""
    pages = -(-report["finding_count"] // reads.FINDINGS_PAGE)
    if pages < 2:
        st.caption("J and K move through the list.")
        return
    page = rows[0]["position"] // reads.FINDINGS_PAGE + 1
    # The page is part of the key: set from here, a late browser would turn it back.
    key = f"findings:page:{report['id']}:{page}"
    st.pagination(pages, default=page, key=key, width="content", on_change=_turn, args=(report["id"], key))
    st.caption(f"{report['finding_count']:,} findings in the report's own order.")


def _turn(report_id: str, key: str) -> None:
    offset = (st.session_state[key] - 1) * reads.FINDINGS_PAGE
    first = reads.findings(report_id, 1, offset)
    if first:
        _move(first[0]["finding_id"])
