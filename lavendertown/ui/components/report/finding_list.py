"""Show the findings of a report as a grid with one selected row."""

from __future__ import annotations

import hashlib

import pandas as pd
import streamlit as st

from lavendertown.ui import queries
from lavendertown.ui.components.shared.formatting import (
    SEVERITIES,
    STATUSES,
    inline_code,
    short_description,
    status_name,
)

FINDING = "finding"
_SELECTION_TOKEN = "findings:moves"


def sort_by_severity(rows: list[queries.Row]) -> list[queries.Row]:
    """Sort findings by severity, most severe first, then by affected rows."""
    order = list(SEVERITIES)
    return sorted(rows, key=lambda row: (order.index(row["severity"]), -(row["row_count"] or 0)))


def read_selected_page(report: queries.Row) -> tuple[list[queries.Row], int]:
    """Return the page of findings that contains the one in the URL, and its index on the page.

    The findings of a small report are sorted by severity; a large report keeps the order of the store.
    """
    requested = st.query_params.get(FINDING, "")
    selected = queries.find_finding(report["id"], requested) if requested else None
    if requested and selected is None:
        st.warning(
            f"This report has no finding {inline_code(requested)}; the first one is shown.",
            icon=":material/search_off:",
        )
    pages = max(1, -(-report["finding_count"] // queries.FINDINGS_PAGE))
    page = selected["position"] // queries.FINDINGS_PAGE if selected else 0
    rows = queries.list_findings(report["id"], queries.FINDINGS_PAGE, page * queries.FINDINGS_PAGE)
    if pages == 1:
        rows = sort_by_severity(rows)
    ids = [row["finding_id"] for row in rows]
    return rows, ids.index(selected["finding_id"]) if selected and selected["finding_id"] in ids else 0


def draw_heading(rows: list[queries.Row], index: int) -> None:
    """Draw the title of the list with the Previous and Next buttons, which also have keys."""
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.markdown("## Findings", width="stretch", anchors=False)
        for label, icon, key, step in (
            ("Previous", ":material/keyboard_arrow_up:", "K", -1),
            ("Next", ":material/keyboard_arrow_down:", "J", 1),
        ):
            target = rows[(index + step) % len(rows)]["finding_id"]
            st.button(
                label,
                icon=icon,
                type="tertiary",
                shortcut=key,
                key=f"findings:{label}",
                on_click=_go_to_finding,
                args=(target,),
            )


def _go_to_finding(finding_id: str) -> None:
    st.query_params[FINDING] = finding_id
    refresh_selection()


def refresh_selection() -> None:
    """Make the grid read its selection from the URL."""
    # A grid reads its selection only when it is created, so each move by key creates a new one.
    st.session_state[_SELECTION_TOKEN] = st.session_state.get(_SELECTION_TOKEN, 0) + 1


def draw_grid(report: queries.Row, rows: list[queries.Row], index: int) -> None:
    """Show the findings; selecting a row writes its id to the URL."""
    ids = [row["finding_id"] for row in rows]
    same_rows = hashlib.sha256("\n".join([report["id"], *ids]).encode()).hexdigest()[:12]
    key = f"findings:{same_rows}:{st.session_state.get(_SELECTION_TOKEN, 0)}"
    severities = [SEVERITIES[name][2] for name in SEVERITIES]
    statuses = [STATUSES[name][2] for name in STATUSES]
    config = st.column_config
    st.dataframe(
        _build_frame(rows),
        key=key,
        hide_index=True,
        on_select=lambda: _apply_selection(key, ids),
        selection_mode="single-row-required",
        selection_default={"selection": {"rows": [index]}},
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
                color=[colour for colour, _, _ in STATUSES.values()],
            ),
            "notes": config.NumberColumn("Comments", width=76),
        },
    )


def _build_frame(rows: list[queries.Row]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "severity": [[SEVERITIES[row["severity"]][2]] for row in rows],
            "finding": [short_description(row["description"]) for row in rows],
            "rows": pd.array([row["row_count"] for row in rows], dtype="Int64"),
            "status": [[status_name(row["status"])] for row in rows],
            "notes": pd.array([row["comment_count"] or None for row in rows], dtype="Int64"),
        }
    )


def _apply_selection(key: str, ids: list[str]) -> None:
    chosen = st.session_state[key].selection.rows
    if chosen:
        st.query_params[FINDING] = ids[chosen[0]]


def draw_pager(report: queries.Row, rows: list[queries.Row]) -> None:
    """Draw the page selector of a large report."""
    pages = -(-report["finding_count"] // queries.FINDINGS_PAGE)
    if pages < 2:
        st.caption("J and K move through the list.")
        return
    page = rows[0]["position"] // queries.FINDINGS_PAGE + 1
    # The page is part of the key: a value set here would be reverted by a browser with the old state.
    key = f"findings:page:{report['id']}:{page}"
    st.pagination(
        pages, default=page, key=key, width="content", on_change=_turn_page, args=(report["id"], key)
    )
    st.caption(f"{report['finding_count']:,} findings in the report's own order.")


def _turn_page(report_id: str, key: str) -> None:
    offset = (st.session_state[key] - 1) * queries.FINDINGS_PAGE
    first = queries.list_findings(report_id, 1, offset)
    if first:
        _go_to_finding(first[0]["finding_id"])
