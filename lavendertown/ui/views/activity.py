"""Activity: who did what to what, by day, with what became of each field."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

import streamlit as st

from lavendertown.ui import reads
from lavendertown.ui.components import activity_filters, activity_words, frame, live, words

PART = 30
# The menus offer who and what is in so many of the latest changes. Streamlit would show this as a docstring.
LATEST = 500


def page() -> None:
    """Draw the screen."""
    with frame.head("Activity"):
        news = st.container(width="content")
    live.mark()
    with news:
        live.announce()
    latest = reads.activity({}, LATEST)
    if not latest:
        frame.empty(
            "history",
            "Nothing has happened yet",
            "Every report, comment, decision and restore is written down here, with who did it and when.",
            lambda: st.page_link(frame.INSPECT, label="Inspect a table", icon=":material/troubleshoot:"),
        )
        return
    chosen = activity_filters.bar(
        {
            "person": {event["actor"] for event in latest},
            "kind": {event["component"] for event in latest} | {"report", "annotation", "ruleset", "finding"},
            "operation": {event["operation"] for event in latest} | {"create", "update", "delete", "restore"},
        }
    )
    feed(chosen)


def feed(chosen: dict[str, Any]) -> None:
    """Show one part of the changes that match."""
    number = activity_filters.part()
    found = reads.activity(chosen, PART + 1, (number - 1) * PART)
    events, more = found[:PART], len(found) > PART
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.caption(_where(number, len(events), more), width="content")
        if chosen:
            clear_button("activity:clear")
    if not events:
        frame.empty(
            "filter_alt",
            "No change matches" if number == 1 else "Nothing on this page",
            "Nothing is lost: other changes are behind the filters, or on the newer pages.",
            lambda: clear_button("activity:clear again", "secondary"),
        )
        return
    for day, of_day in itertools.groupby(
        events, key=lambda event: event["at"].astimezone(words.zone()).date()
    ):
        st.markdown(f"**{activity_words.day(day)}**")
        rows(of_day)
    turning(number, more)


def _where(number: int, shown: int, more: bool) -> str:
    if number == 1 and not more:
        return f"{words.count(shown, 'change')}, newest first"
    first = (number - 1) * PART + 1
    return f"Changes {first:,}–{first + shown - 1:,}, newest first" if shown else "No changes"


def clear_button(key: str, kind: Any = "tertiary") -> None:
    """Offer to take every filter off."""
    st.button(
        "Clear filters", type=kind, icon=":material/filter_alt_off:", key=key, on_click=activity_filters.clear
    )


def rows(events: Iterable[dict[str, Any]]) -> None:
    """Show changes, one line each; a line opens to what became of each field."""
    events = list(events)
    names = finding_names(events)
    with st.container(gap="xsmall"):
        for event in events:
            time = f"{event['at'].astimezone(words.zone()):%H:%M}"
            icon = activity_words.icon(event)
            with st.expander(f":gray[{time}] {icon} {activity_words.sentence(event, names)}"):
                detail(event)


def finding_names(events: Iterable[dict[str, Any]]) -> dict[str, str]:
    """Return what to call the findings that changes are about, by the ids that the changes name."""
    ids = tuple(sorted({activity_words.about(event) for event in events} - {""}))
    return {name: words.headline(row["description"]) for name, row in reads.desk_named(ids).items()}


def detail(event: dict[str, Any]) -> None:
    """Show a change's fields, and the way to what it is about."""
    fields = activity_words.changes(event)
    link(event)
    st.caption(
        f"{words.moment(event['at'])} · {words.plain(activity_words.kind(event['component']))} "
        f"{words.code(event['record_id'])}"
    )
    if not fields:
        st.caption("No field changed.")
        return
    if event["before"]:
        found = {name: f"{before} → {after}" for name, before, after in fields}
    else:
        found = {name: after for name, _, after in fields}
    st.table(found, border="horizontal", alt="The fields of this change, before and after")


def link(event: dict[str, Any]) -> None:
    """Link to the report or finding that a change is about, where there is one."""
    if event["component"] == "report":
        st.page_link(
            frame.REPORT,
            label="Open the report",
            icon=":material/description:",
            query_params={"report": event["record_id"]},
        )
        return
    finding_id = activity_words.about(event)
    if finding_id in reads.desk_named((finding_id,)):
        st.page_link(
            frame.FINDINGS,
            label="Open the finding",
            icon=":material/inbox:",
            query_params={"finding": finding_id},
        )


def turning(number: int, more: bool) -> None:
    """Offer the newer and the older part."""
    if number == 1 and not more:
        return
    with st.container(horizontal=True, gap="xsmall"):
        turn = activity_filters.turn
        st.button("Newer", key="activity:newer", disabled=number == 1, on_click=turn, args=(number - 1,))
        st.button("Older", key="activity:older", disabled=not more, on_click=turn, args=(number + 1,))


page()
