"""A finding's history: every run that found it, and everything that was said and decided about it."""

from __future__ import annotations

import datetime as dt
from typing import Any

import streamlit as st

from lavendertown import clock
from lavendertown.ui import reads
from lavendertown.ui.components import activity_words, event_words, frame, words

RUNS = 50
EVENTS = 100


def history(finding_id: str) -> None:
    """Show what happened to a finding, newest first."""
    runs = reads.history(finding_id, RUNS)
    events = reads.activity({"finding_id": finding_id}, EVENTS + 1)
    told: list[tuple[Any, Any]] = [(run["seen_at"], run) for run in runs]
    told += [(_when(event), event) for event in events[:EVENTS]]
    with st.container(gap="xsmall"):
        for _, each in sorted(told, key=lambda pair: pair[0], reverse=True):
            if "operation" in each:
                _event(each, finding_id)
            else:
                _run(each, first=len(runs) < RUNS and each is runs[-1])
    if len(runs) == RUNS or len(events) > EVENTS:
        st.caption(f"The last {RUNS} runs and {EVENTS} changes. Activity has all changes.")


def _when(event: reads.Row) -> dt.datetime:
    """Return when something was said; a store that reports were brought into wrote it down later."""
    made = (event["after"] or {}).get("created_at")
    told = event["component"] == "annotation" and event["operation"] == "create" and made
    return clock.parse(str(made)) if told else event["at"]


def _event(event: reads.Row, finding_id: str) -> None:
    st.markdown(
        f":small[{activity_words.icon(event)} **{words.plain(event['actor'])}** "
        f"{sentence(event, finding_id)} :gray[· {words.moment(_when(event))}]]"
    )


def sentence(event: reads.Row, finding_id: str) -> str:
    """Say what was done, without who did it."""
    if event["component"] == "annotation":
        return event_words.said(event, "it")
    if event["record_id"] == finding_id:
        return event_words.decided(event, "it")
    if (event["after"] or {}).get("merged_into"):
        return "merged another finding into it"
    return event_words.decided(event, "the finding that was merged into it later")


def _run(run: reads.Row, *, first: bool) -> None:
    count = "" if run["row_count"] is None else f": {words.count(run['row_count'], 'row')}"
    label = "Seen first" if first else "Seen"
    st.page_link(
        frame.REPORT,
        label=f":small[{label}{count} :gray[· {words.moment(run['seen_at'])}]]",
        icon=":material/description:",
        query_params={"report": run["report_id"], "finding": run["finding_id"]},
        help="Open the report of that run",
    )
