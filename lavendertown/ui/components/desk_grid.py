"""The findings of the desk as a grid: several can be selected, and one opened, each by its id."""

from __future__ import annotations

import hashlib
from typing import Any

import pandas as pd
import streamlit as st

from lavendertown.ui import reads
from lavendertown.ui.components import charts, words

FINDING = "finding"
_SELECTED = "desk:selected"
_TURN = "desk:grid:turn"


def selected() -> list[str]:
    """Return the ids of the findings that are selected, on any page."""
    return list(st.session_state.get(_SELECTED, ()))


def select(ids: list[str]) -> None:
    """Select these findings; the grid takes a selection only when it is new."""
    st.session_state[_SELECTED] = ids
    st.session_state[_TURN] = st.session_state.get(_TURN, 0) + 1


def clear() -> None:
    """Select nothing."""
    select([])


def opened() -> str:
    """Return the id of the finding that is open, empty where none is."""
    return str(st.query_params.get(FINDING, ""))


def open_finding(finding_id: str) -> None:
    """Open a finding; an empty id closes the one that is open."""
    if finding_id:
        st.query_params[FINDING] = finding_id
    else:
        st.query_params.pop(FINDING, None)
    st.session_state[_TURN] = st.session_state.get(_TURN, 0) + 1


def grid(rows: list[reads.Row], *, narrow: bool) -> None:
    """Show the findings.

    Args:
        rows: As the desk lists them.
        narrow: A finding is open beside the list, so it shows the most important columns only.
    """
    ids = [row["finding_id"] for row in rows]
    same = hashlib.sha256("\n".join([str(narrow), *ids]).encode()).hexdigest()[:12]
    key = f"desk:grid:{same}:{st.session_state.get(_TURN, 0)}"
    chosen = set(selected())
    marked = [place for place, name in enumerate(ids) if name in chosen]
    columns = _columns()
    wide = list(columns)
    st.dataframe(
        _frame(rows),
        key=key,
        hide_index=True,
        on_select=lambda: _take_selection(key, ids),
        selection_mode="multi-row",
        selection_default={"selection": {"rows": marked}},
        row_height=34,
        height="content",
        placeholder="",
        column_order=["severity", "finding", "seen", "status"] if narrow else wide,
        column_config=columns | {"finding": _finding_column(ids, same, narrow=narrow)},
        alt="Findings, one row each; open one by its sentence, select several by their boxes",
    )


def _finding_column(ids: list[str], same: str, *, narrow: bool) -> Any:
    # Of these rows alone: a late click on others must not open one of these.
    key = f"desk:opened:{same}"

    def take() -> None:
        open_finding(ids[st.session_state[key].row])

    return st.column_config.ButtonColumn(
        "Finding", width=216 if narrow else 196, type="tertiary", alignment="left", key=key, on_click=take
    )


def _columns() -> dict[str, Any]:
    config = st.column_config
    return {
        "severity": config.MultiselectColumn(
            "Severity",
            width=76,
            options=[name for _, _, name in words.SEVERITIES.values()],
            color=["red", "orange", "blue"],
        ),
        "finding": None,
        "where": config.TextColumn("Where", width=118),
        "rows": config.NumberColumn("Rows", format="localized", width=58),
        "runs": config.BarChartColumn("12 runs", width=70, y_min=0, color=charts.ink()["soft"]),
        "seen": config.MultiselectColumn(
            "Seen",
            width=92,
            options=[name for _, name in words.SEEN.values()],
            color=[colour for colour, _ in words.SEEN.values()],
        ),
        "first": config.DatetimeColumn("First", format="distance", width=90),
        "last": config.DatetimeColumn("Last", format="distance", width=90),
        "status": config.MultiselectColumn(
            "Status",
            width=100,
            options=[name for _, _, name in words.STATUSES.values()],
            color=[colour for colour, _, _ in words.STATUSES.values()],
        ),
        "assignee": config.TextColumn("Assignee", width=84),
        "notes": config.NumberColumn("Notes", width=46),
        "tags": config.MultiselectColumn("Tags", width=90, options=reads.known_tags(), color="gray"),
    }


def _frame(rows: list[reads.Row]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "severity": [[words.SEVERITIES[row["severity"]][2]] for row in rows],
            "finding": [words.headline(row["description"]) for row in rows],
            "where": [where(row) for row in rows],
            "rows": pd.array([row["last_count"] for row in rows], dtype="Int64"),
            "runs": [[count if count is not None else 1 for count in row["runs"]] for row in rows],
            "seen": [[words.seen_name(row["seen"])] for row in rows],
            "first": [row["first_seen"] for row in rows],
            "last": [row["last_seen"] for row in rows],
            "status": [[words.status_name(row["status"])] for row in rows],
            "assignee": [row["assignee"] for row in rows],
            "notes": pd.array([row["comment_count"] or None for row in rows], dtype="Int64"),
            "tags": [row["tags"] for row in rows],
        }
    )


def where(row: reads.Row) -> str:
    """Return dataset and column of a finding."""
    return ".".join(part for part in (row["dataset"], "" if row["column"] == "*" else row["column"]) if part)


def _take_selection(key: str, ids: list[str]) -> None:
    marked = [ids[place] for place in st.session_state[key].selection.rows if place < len(ids)]
    others = [name for name in selected() if name not in ids]
    st.session_state[_SELECTED] = [*others, *marked]
