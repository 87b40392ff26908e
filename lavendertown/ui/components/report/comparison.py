"""Compare a report with an earlier run: the findings of both in one table, in place of the list."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Any

import pandas as pd
import streamlit as st

from lavendertown.core.findings import column_label
from lavendertown.ui import queries
from lavendertown.ui.components.report import finding_list
from lavendertown.ui.components.shared import layout
from lavendertown.ui.components.shared.formatting import (
    SEVERITIES,
    format_count,
    format_percent,
    format_time,
    short_description,
    status_name,
)

COMPARE = "compare"
"""Query parameter with the run to compare with; ``before`` means the previous run."""

BEFORE = "before"
MAX_RUNS = 30
MAX_ROWS = 500
CHANGES = {
    "new": ("violet", "New"),
    "back": ("red", "Regressed"),
    "worse": ("orange", "Worse"),
    "better": ("green", "Better"),
    "same": ("gray", "The same"),
    "gone": ("green", "Gone"),
    "not_checked": ("gray", "Not run"),
    "reading_changed": ("blue", "Reading changed"),
    "check_changed": ("blue", "Check changed"),
}
"""Change of a finding → colour and name."""
_HELP = "With an earlier run of the dataset"
_ELSEWHERE = "compare:elsewhere"
_SHOWN = "compare:shown"


def compared_report() -> str:
    """Return the run to compare the report with, empty for none."""
    return str(st.query_params.get(COMPARE, ""))


def draw_compare_button(report: queries.Row) -> None:
    """Draw the Compare button, enabled if the dataset has another run."""
    others = len(queries.list_reports({"dataset": report["dataset"]}, 2)) if report["dataset"] else 0
    now = compared_report()
    st.button(
        "Stop comparing" if now else "Compare",
        icon=":material/close:" if now else ":material/compare_arrows:",
        key="compare:toggle",
        disabled=not now and others < 2,
        help=None if now else _HELP if others > 1 else "There is no other run of this dataset.",
        on_click=_toggle_comparison,
    )


def _toggle_comparison() -> None:
    if compared_report():
        st.query_params.pop(COMPARE, None)
    else:
        st.query_params[COMPARE] = BEFORE
    st.session_state.pop(_SHOWN, None)


def find_comparison(report: queries.Row) -> queries.Row | None:
    """Return the comparison that the address asks for; None without one, or without an earlier run."""
    other = compared_report()
    found = queries.compare_reports(report["id"], None if other == BEFORE else other) if other else None
    return found if found is not None and found["before"] is not None else None


def sort_by_change(rows: list[queries.Row], compared: queries.Row) -> list[queries.Row]:
    """Return the findings of the report in the order in which the comparison lists them."""
    places = {row["finding_id"]: place for place, row in enumerate(_with_same_last(compared["findings"]))}
    return sorted(rows, key=lambda row: places.get(row["finding_id"], len(places)))


def draw_comparison(report: queries.Row, compared: queries.Row | None) -> None:
    """Show the findings of the report and of an earlier run in one table, with what changed.

    Args:
        report: The report.
        compared: As :func:`find_comparison` returns it.
    """
    if elsewhere := st.session_state.pop(_ELSEWHERE, None):
        layout.go_to(layout.FINDINGS, finding=elsewhere)
    _draw_run_choice(report, compared["before"] if compared else None)
    if compared is None:
        st.caption("This is the first run of the dataset. The next one can be compared with it.")
        return
    rows = _filter_rows(compared["findings"])
    if rows:
        _draw_grid(rows[:MAX_ROWS])
    if len(rows) > MAX_ROWS:
        st.caption(f"The first {MAX_ROWS:,} of {format_count(len(rows), 'finding')}.")


def _draw_run_choice(report: queries.Row, before: queries.Row | None) -> None:
    runs = [
        run
        for run in queries.list_reports({"dataset": report["dataset"]}, MAX_RUNS)
        if run["id"] != report["id"]
    ]
    if before is not None and before["id"] not in {run["id"] for run in runs}:
        runs.append(before)
    names = {run["id"]: f"{format_time(run['created_at'])} · {run['title']}" for run in runs}
    if not names:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.markdown("**Compared with**", width="content")
        # The run is part of the key: a value set here would be reverted by a browser with the old state.
        key = f"compare:with:{before['id'] if before else ''}"
        st.selectbox(
            "Compared with",
            list(names),
            index=list(names).index(before["id"]) if before else None,
            format_func=lambda name: names[name],
            key=key,
            width="stretch",
            label_visibility="collapsed",
            on_change=_compare_with,
            args=(key,),
        )


def _compare_with(key: str) -> None:
    st.query_params[COMPARE] = str(st.session_state[key])


def _filter_rows(rows: list[queries.Row]) -> list[queries.Row]:
    counts = Counter(row["change"] for row in rows)
    present = [name for name in CHANGES if counts[name]]
    shown = st.session_state.get(_SHOWN)
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
        for name in present:
            colour, label = CHANGES[name]
            here = name == shown
            text = f":{colour}[**{counts[name]:,}**] {label}"
            st.button(
                f"**{text}**" if here else text,
                type="secondary" if here else "tertiary",
                key=f"compare:only:{name}",
                help="Show all again" if here else f"Show only: {label}",
                on_click=_show_only,
                args=(None if here else name,),
            )
    if shown in present:
        return [row for row in rows if row["change"] == shown]
    return _with_same_last(rows)


def _with_same_last(rows: list[queries.Row]) -> list[queries.Row]:
    return sorted(rows, key=lambda row: row["change"] == "same")


def _show_only(name: str | None) -> None:
    st.session_state[_SHOWN] = name


def _draw_grid(rows: list[queries.Row]) -> None:
    # The key depends on the rows, so that a delayed click on other rows does not open one of these.
    ids = "\n".join(row["finding_id"] for row in rows)
    key = f"compare:opened:{hashlib.sha256(ids.encode()).hexdigest()[:12]}"
    config = st.column_config
    colours = [colour for colour, _ in CHANGES.values()]
    st.dataframe(
        _build_frame(rows),
        hide_index=True,
        row_height=34,
        placeholder="",
        height="content" if len(rows) <= 12 else 460,
        alt="What changed since the run before, one finding a row; open one by its sentence",
        column_config={
            "change": config.MultiselectColumn(
                "Change", width=124, options=[name for _, name in CHANGES.values()], color=colours
            ),
            "severity": config.MultiselectColumn(
                "Severity",
                width=84,
                options=[name for _, _, name in SEVERITIES.values()],
                color=["red", "orange", "blue"],
            ),
            "finding": config.ButtonColumn(
                "Finding",
                width=220,
                type="tertiary",
                alignment="left",
                key=key,
                on_click=lambda: _open_finding(rows, key),
            ),
            "was": config.NumberColumn("Rows before", format="localized", width=92),
            "is": config.NumberColumn("Rows now", format="localized", width=78),
            "share before": config.TextColumn("Share before", width=100, alignment="right"),
            "share now": config.TextColumn("Share now", width=90, alignment="right"),
            "column": config.TextColumn("Column", width=130),
            "status": config.TextColumn("Status", width=100),
        },
    )


def _open_finding(rows: list[queries.Row], key: str) -> None:
    row = rows[st.session_state[key].row]
    if not row["is_present"]:
        st.session_state[_ELSEWHERE] = row["finding_id"]
    else:
        st.query_params[finding_list.FINDING] = row["finding_id"]
        finding_list.refresh_selection()


def _build_frame(rows: list[queries.Row]) -> pd.DataFrame:
    here = [row["is_present"] for row in rows]
    return pd.DataFrame(
        {
            "change": [[CHANGES[row["change"]][1]] for row in rows],
            "severity": [[_severity_name(row)] for row in rows],
            "finding": [short_description(row["description"]) for row in rows],
            "was": pd.array([row["before_count"] for row in rows], dtype="Int64"),
            "is": pd.array(
                [row["row_count"] if now else None for row, now in zip(rows, here, strict=True)],
                dtype="Int64",
            ),
            "share before": [_format_share(row["before_share"]) for row in rows],
            "share now": [
                _format_share(row["share"] if now else None) for row, now in zip(rows, here, strict=True)
            ],
            "column": [column_label(row["column"]) for row in rows],
            "status": [status_name(row["status"]) for row in rows],
        }
    )


def _severity_name(row: queries.Row) -> str:
    return SEVERITIES[row["severity"]][2]


def _format_share(share: Any) -> str:
    return "" if share is None else format_percent(share)
