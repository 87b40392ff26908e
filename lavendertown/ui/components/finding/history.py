"""Show the history of a finding: runs, comments and decisions."""

from __future__ import annotations

import datetime as dt
from typing import Any

import streamlit as st

from lavendertown.core import clock
from lavendertown.ui import queries
from lavendertown.ui.components.shared import audit_text, event_text, layout
from lavendertown.ui.components.shared.formatting import escape_markdown, format_count, format_time

MAX_RUNS = 50
MAX_EVENTS = 100


def show_history(finding_id: str) -> None:
    """Show the runs and changes of a finding, newest first."""
    runs = queries.finding_history(finding_id, MAX_RUNS)
    events = queries.audit_events({"finding_id": finding_id}, MAX_EVENTS + 1)
    entries: list[tuple[Any, Any]] = [(run["seen_at"], run) for run in runs]
    entries += [(_event_time(event), event) for event in events[:MAX_EVENTS]]
    with st.container(gap="xsmall"):
        for _, each in sorted(entries, key=lambda pair: pair[0], reverse=True):
            if "operation" in each:
                _draw_event(each, finding_id)
            else:
                _draw_run(each, first=len(runs) < MAX_RUNS and each is runs[-1])
    if len(runs) == MAX_RUNS or len(events) > MAX_EVENTS:
        st.caption(f"The last {MAX_RUNS} runs and {MAX_EVENTS} changes. Activity has all changes.")


def _event_time(event: queries.Row) -> dt.datetime:
    """Return the time of an event; for an imported comment, the time when it was written."""
    created_at = (event["after"] or {}).get("created_at")
    is_comment = event["component"] == "annotation" and event["operation"] == "create" and created_at
    return clock.parse_time(str(created_at)) if is_comment else event["at"]


def _draw_event(event: queries.Row, finding_id: str) -> None:
    st.markdown(
        f":small[{audit_text.operation_icon(event)} **{escape_markdown(event['actor'])}** "
        f"{history_sentence(event, finding_id)} :gray[· {format_time(_event_time(event))}]]"
    )


def history_sentence(event: queries.Row, finding_id: str) -> str:
    """Describe an event without its actor."""
    if event["component"] == "annotation":
        return event_text.describe_annotation_event(event, "it")
    if event["record_id"] == finding_id:
        return event_text.describe_decision_event(event, "it")
    if (event["after"] or {}).get("merged_into"):
        return f"merged another finding into it{event_text.describe_adoption(event)}"
    return event_text.describe_decision_event(event, "the finding that was merged into it later")


def _draw_run(run: queries.Row, *, first: bool) -> None:
    count = "" if run["row_count"] is None else f": {format_count(run['row_count'], 'row')}"
    label = "Seen first" if first else "Seen"
    st.page_link(
        layout.REPORT,
        label=f":small[{label}{count} :gray[· {format_time(run['seen_at'])}]]",
        icon=":material/description:",
        query_params={"report": run["report_id"], "finding": run["finding_id"]},
        help="Open the report of that run",
    )
