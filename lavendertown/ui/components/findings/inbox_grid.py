"""Show the findings of the inbox as a grid with a multi-row selection and one open finding."""

from __future__ import annotations

import hashlib
from typing import Any

import pandas as pd
import streamlit as st

from lavendertown.ui import queries
from lavendertown.ui.components.shared import charts
from lavendertown.ui.components.shared.formatting import (
    RUN_STATES,
    SEVERITIES,
    STATUSES,
    run_state_name,
    short_description,
    status_name,
)

FINDING = "finding"
_NARROW = ("severity", "finding", "where", "status")
_SELECTED = "desk:selected"
_SELECTION_TOKEN = "desk:grid:turn"


def selected_ids() -> list[str]:
    """Return the ids of the selected findings on all pages."""
    return list(st.session_state.get(_SELECTED, ()))


def select_ids(ids: list[str]) -> None:
    """Select these findings in a new grid, as a grid reads its selection only when it is created."""
    st.session_state[_SELECTED] = ids
    st.session_state[_SELECTION_TOKEN] = st.session_state.get(_SELECTION_TOKEN, 0) + 1


def clear_selection() -> None:
    """Clear the selection."""
    select_ids([])


def opened_finding() -> str:
    """Return the id of the open finding, or an empty string."""
    return str(st.query_params.get(FINDING, ""))


def open_finding(finding_id: str) -> None:
    """Open a finding; an empty id closes the open one."""
    if finding_id:
        st.query_params[FINDING] = finding_id
    else:
        st.query_params.pop(FINDING, None)
    st.session_state[_SELECTION_TOKEN] = st.session_state.get(_SELECTION_TOKEN, 0) + 1


def draw_grid(rows: list[queries.Row], *, narrow: bool, shows_reasons: bool = False) -> None:
    """Show the findings.

    Args:
        rows: The inbox rows.
        shows_reasons: Show why the findings need attention, instead of what the runs say.
        narrow: Show only the most important columns, as a finding is open next to the list.
    """
    ids = [row["finding_id"] for row in rows]
    digest = hashlib.sha256("\n".join([str(narrow), *ids]).encode()).hexdigest()[:12]
    key = f"desk:grid:{digest}:{st.session_state.get(_SELECTION_TOKEN, 0)}"
    chosen = set(selected_ids())
    selected_rows = [place for place, name in enumerate(ids) if name in chosen]
    columns = _column_config()
    hidden = "seen" if shows_reasons else "why"
    unused = {hidden} if any(row["incident_title"] for row in rows) else {hidden, "incident"}
    wide = [name for name in columns if name not in unused]
    st.dataframe(
        _build_frame(rows),
        key=key,
        hide_index=True,
        on_select=lambda: _take_selection(key, ids),
        selection_mode="multi-row",
        selection_default={"selection": {"rows": selected_rows}},
        row_height=34,
        height="content",
        placeholder="",
        column_order=[name for name in wide if not narrow or name in _NARROW],
        column_config=columns | {"finding": _finding_column(ids, digest, narrow=narrow)},
        alt="Findings, one row each; open one by its sentence, select several by their boxes",
    )


def _finding_column(ids: list[str], digest: str, *, narrow: bool) -> Any:
    # The key depends on the rows, so that a delayed click on other rows does not open one of these.
    key = f"desk:opened:{digest}"

    def take() -> None:
        open_finding(ids[st.session_state[key].row])

    return st.column_config.ButtonColumn(
        "Finding", width=216 if narrow else 196, type="tertiary", alignment="left", key=key, on_click=take
    )


def _column_config() -> dict[str, Any]:
    config = st.column_config
    return {
        "severity": config.MultiselectColumn(
            "Severity",
            width=76,
            options=[name for _, _, name in SEVERITIES.values()],
            color=["red", "orange", "blue"],
        ),
        "finding": None,
        "where": config.TextColumn("Column", width=118),
        "rows": config.NumberColumn("Rows", format="localized", width=58),
        "runs": config.BarChartColumn("Last 12 runs", width=88, y_min=0, color=charts.theme_colors()["soft"]),
        "seen": config.MultiselectColumn(
            "Trend",
            width=92,
            options=[name for _, name in RUN_STATES.values()],
            color=[colour for colour, _ in RUN_STATES.values()],
        ),
        "why": config.TextColumn("Needs attention", width=260),
        "status": config.MultiselectColumn(
            "Status",
            width=100,
            options=[name for _, _, name in STATUSES.values()],
            color=[colour for colour, _, _ in STATUSES.values()],
        ),
        "first": config.DatetimeColumn("First seen", format="distance", width=90),
        "last": config.DatetimeColumn("Last seen", format="distance", width=90),
        "assignee": config.TextColumn("Assignee", width=84),
        "incident": config.TextColumn("Incident", width=110),
        "notes": config.NumberColumn("Comments", width=76),
        "tags": config.MultiselectColumn("Tags", width=90, options=queries.known_tags(), color="gray"),
    }


def _build_frame(rows: list[queries.Row]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "severity": [[SEVERITIES[row["severity"]][2]] for row in rows],
            "finding": [_mark_open(row) + short_description(row["description"]) for row in rows],
            "where": [format_column(row) for row in rows],
            "rows": pd.array([row["last_count"] for row in rows], dtype="Int64"),
            "runs": [[count if count is not None else 1 for count in row["runs"]] for row in rows],
            "seen": [[run_state_name(row["seen"])] for row in rows],
            "why": [row["attention_text"] for row in rows],
            "first": [row["first_seen"] for row in rows],
            "last": [row["last_seen"] for row in rows],
            "status": [[status_name(row["status"])] for row in rows],
            "assignee": [row["assignee"] for row in rows],
            "incident": [row["incident_title"] for row in rows],
            "notes": pd.array([row["comment_count"] or None for row in rows], dtype="Int64"),
            "tags": [row["tags"] for row in rows],
        }
    )


def _mark_open(row: queries.Row) -> str:
    return "▸ " if row["finding_id"] == opened_finding() else ""


def format_column(row: queries.Row) -> str:
    """Return the dataset and column of a finding."""
    return ".".join(part for part in (row["dataset"], "" if row["column"] == "*" else row["column"]) if part)


def _take_selection(key: str, ids: list[str]) -> None:
    selected_rows = [ids[place] for place in st.session_state[key].selection.rows if place < len(ids)]
    others = [name for name in selected_ids() if name not in ids]
    st.session_state[_SELECTED] = [*others, *selected_rows]
