"""Activity screen: audit events by day, with the changed fields."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from typing import Any

import streamlit as st

from lavendertown.records.record_classes import RecordKind
from lavendertown.ui import actions, check_actions, queries, triage_actions
from lavendertown.ui.components.activity import activity_filters, acts
from lavendertown.ui.components.shared import audit_text, change_notifier, filters, layout, person
from lavendertown.ui.components.shared.formatting import (
    escape_markdown,
    format_count,
    format_time,
    format_time_of_day,
    inline_code,
    reader_time_zone,
    short_description,
)

PAGE_SIZE = 100
MAX_SHOWN = 10
# The menus offer the values of this number of latest events. (Streamlit would display a docstring here.)
RECENT_EVENTS = 500


def render_activity_page() -> None:
    """Draw the screen."""
    with layout.draw_page_header("Activity"):
        news = st.container(width="content")
    change_notifier.set_baseline()
    with news:
        change_notifier.show_changes(also=tuple(RecordKind))
    latest = queries.audit_events({}, RECENT_EVENTS)
    if not latest:
        layout.show_empty_state(
            "history",
            "No activity yet",
            "Every report, comment, status change and restore appears here, with who did it and when.",
            lambda: st.page_link(layout.INSPECT, label="Inspect a table", icon=":material/troubleshoot:"),
        )
        return
    chosen = activity_filters.draw_filter_bar(
        {
            "person": {event["actor"] for event in latest},
            "kind": {event["component"] for event in latest} | {"report", "annotation", "ruleset", "finding"},
            "operation": {event["operation"] for event in latest} | {"create", "update", "delete", "restore"},
        }
    )
    show_feed(chosen)


def show_feed(chosen: dict[str, Any]) -> None:
    """Show one page of the matching events."""
    number = activity_filters.current_page()
    results = queries.audit_events(chosen, PAGE_SIZE + 1, (number - 1) * PAGE_SIZE)
    events, more = results[:PAGE_SIZE], len(results) > PAGE_SIZE
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.caption(_describe_range(number, len(events), more), width="content")
        if chosen:
            draw_clear_button("activity:clear")
    if not events:
        title, why = "No change matches", "Clear the filters to see all changes."
        if number > 1:
            title, why = "Nothing on this page", "Clear the filters, or go back to newer pages."
        elif activity_filters.is_reversed():
            why = filters.REVERSED
        layout.show_empty_state(
            "filter_alt",
            title,
            why,
            lambda: draw_clear_button("activity:clear again", "secondary"),
        )
        return
    for day, of_day in itertools.groupby(
        events, key=lambda event: event["at"].astimezone(reader_time_zone()).date()
    ):
        st.markdown(f"**{audit_text.day_name(day)}**")
        show_events(of_day)
    draw_pager(number, more)


def _describe_range(number: int, shown: int, more: bool) -> str:
    if number == 1 and not more:
        return f"{format_count(shown, 'change')}, newest first"
    first = (number - 1) * PAGE_SIZE + 1
    return f"Changes {first:,}–{first + shown - 1:,}, newest first" if shown else "No changes"


def draw_clear_button(key: str, kind: Any = "tertiary") -> None:
    """Draw the button that clears all filters."""
    st.button(
        "Clear filters",
        type=kind,
        icon=":material/filter_alt_off:",
        key=key,
        on_click=activity_filters.clear_filters,
    )


def show_events(events: Iterable[dict[str, Any]]) -> None:
    """Show one expander for everything that a person did at once, with the changed fields."""
    events = list(events)
    names = finding_names(events)
    with st.container(gap="xsmall"):
        for act in acts.group_events(events):
            time = format_time_of_day(act.at)
            icon = audit_text.operation_icon(act.events[0])
            line = f":gray[{time}] {icon} {acts.describe_act(act, names)}"
            with st.expander(line, key=f"activity:{act.key}", on_change="rerun") as box:
                if box.open:
                    show_act(act)


def show_act(act: acts.Act) -> None:
    """Show the changes of an act, with a button to undo a decision."""
    if act.is_undoable:
        st.button(
            "Undo",
            type="tertiary",
            icon=":material/undo:",
            key=f"activity:undo:{act.key}",
            on_click=person.run_with_name,
            # The list may have only a part of the commit's events.
            args=("page", triage_actions.undo_commit, act.at, act.actor),
        )
    elif act.imported_bundle:
        st.button(
            "Undo",
            type="tertiary",
            icon=":material/undo:",
            key=f"activity:undo:{act.key}",
            on_click=person.run_with_name,
            args=("page", actions.undo_bundle, act.imported_bundle),
        )
    elif len(act.events) == 1 and check_actions.is_newest_change(act.events[0]):
        st.button(
            "Undo",
            type="tertiary",
            icon=":material/undo:",
            key=f"activity:undo:{act.key}",
            on_click=person.run_with_name,
            args=("page", check_actions.undo_event, act.events[0]),
        )
    for event in act.events[:MAX_SHOWN]:
        show_change(event)
    if len(act.events) > MAX_SHOWN:
        st.caption(f"And {format_count(len(act.events) - MAX_SHOWN, 'change')} of the same act.")


def finding_names(events: Iterable[dict[str, Any]]) -> dict[str, str]:
    """Return the names of the findings and incidents that events concern, by the ids in the events."""
    ids = tuple(sorted({audit_text.finding_of_event(event) for event in events} - {""}))
    names = {
        name: short_description(row["description"]) for name, row in queries.find_inbox_rows(ids).items()
    }
    incidents = ((name, queries.find_incident(name)) for name in ids if name not in names)
    return names | {name: incident["title"] for name, incident in incidents if incident is not None}


def show_change(event: Mapping[str, Any]) -> None:
    """Show the changed fields of an event, and a link to its record."""
    fields = audit_text.changed_fields(event)
    link_to_record(event)
    st.caption(
        f"{format_time(event['at'])} · {escape_markdown(audit_text.component_name(event['component']))} "
        f"{inline_code(event['record_id'])}"
    )
    if not fields:
        st.caption("No field changed.")
        return
    if event["before"]:
        rows = {name: f"{before} → {after}" for name, before, after in fields}
    else:
        rows = {name: after for name, _, after in fields}
    st.table(rows, border="horizontal", alt="The fields of this change, before and after")


def link_to_record(event: Mapping[str, Any]) -> None:
    """Draw a link to the report, finding or incident of an event, if it exists."""
    if event["component"] == "report":
        st.page_link(
            layout.REPORT,
            label="Open the report",
            icon=":material/description:",
            query_params={"report": event["record_id"]},
        )
        return
    finding_id = audit_text.finding_of_event(event)
    incident_id = event["record_id"] if event["component"] == "incident" else finding_id
    if incident_id and queries.find_incident(incident_id) is not None:
        st.page_link(
            layout.INCIDENT,
            label="Open the incident",
            icon=":material/hub:",
            query_params={"id": incident_id},
        )
    elif finding_id in queries.find_inbox_rows((finding_id,)):
        st.page_link(
            layout.FINDINGS,
            label="Open the finding",
            icon=":material/inbox:",
            query_params={"finding": finding_id},
        )


def draw_pager(number: int, more: bool) -> None:
    """Draw the buttons for the newer and the older page."""
    if number == 1 and not more:
        return
    with st.container(horizontal=True, gap="xsmall"):
        turn = activity_filters.show_page
        st.button("Newer", key="activity:newer", disabled=number == 1, on_click=turn, args=(number - 1,))
        st.button("Older", key="activity:older", disabled=not more, on_click=turn, args=(number + 1,))


render_activity_page()
