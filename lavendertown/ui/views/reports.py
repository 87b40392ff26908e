"""Reports screen: the list, its filters, and charts of the last ten weeks."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import Any

import streamlit as st

from lavendertown.core import clock, statuses
from lavendertown.ui import queries
from lavendertown.ui.components.shared import (
    change_notifier,
    charts,
    demo_prompt,
    filters,
    large_store_hint,
    layout,
)
from lavendertown.ui.components.shared.formatting import (
    escape_markdown,
    format_count,
    format_relative_time,
    inline_code,
    reader_time_zone,
    severity_counts,
    status_badge,
    tag_badges,
)
from lavendertown.ui.components.shared.weeks import week_start

WEEKS = 10
MAX_SUMMARIES = 1000


def render_reports_page() -> None:
    """Draw the screen."""
    filters.restore_filters(is_first_run=layout.is_first_run())
    with layout.draw_page_header("Reports"):
        news = st.container(width="content")
        if st.button("New report", icon=":material/add:", type="primary"):
            layout.go_to(layout.INSPECT)
    change_notifier.set_baseline()
    with news:
        change_notifier.show_changes()
    show_unreadable()
    total = queries.count_reports({})
    if not total:
        show_no_reports()
        return
    chosen = filters.draw_filter_bar(queries.report_facets)
    left, right = st.columns([3.4, 1], gap="medium")
    with left:
        draw_list(chosen, total)
    with right:
        draw_sidebar(chosen)
    large_store_hint.show_large_store_hint()


def show_unreadable() -> None:
    """Show the stored items that cannot be read."""
    broken = queries.unreadable_items()
    if broken:
        text = f"**{format_count(len(broken), 'stored item')} cannot be read.** The rest is listed."
        with st.expander(text, icon=":material/broken_image:"):
            for item in broken:
                st.markdown(f"{inline_code(item['item'])} {escape_markdown(item['reason'])}")


def show_no_reports() -> None:
    """Show the empty state of a store without reports."""
    layout.show_empty_state(
        "description",
        "No reports yet",
        "A report keeps what a check found, so that colleagues can discuss it.",
        lambda: st.page_link(layout.INSPECT, label="Inspect a table", icon=":material/troubleshoot:"),
        demo_prompt.draw_button,
    )


def draw_list(chosen: dict[str, Any], total: int) -> None:
    """Show one page of the matching reports."""
    matching = queries.count_reports(chosen) if chosen else total
    with st.container(
        horizontal=True,
        vertical_alignment="center",
        horizontal_alignment="distribute",
        key="count-line",
    ):
        if chosen:
            st.caption(f"{matching:,} of {format_count(total, 'report')}", width="content")
            draw_clear_button("filters:clear")
        else:
            st.caption(f"{format_count(total, 'report')}, newest first", width="content")
    if not matching:
        why = f"Nothing is lost: {format_count(total, 'report')} behind the filters."
        if filters.is_reversed():
            why = filters.REVERSED
        layout.show_empty_state(
            "filter_alt",
            "No report matches these filters",
            why,
            lambda: draw_clear_button("filters:clear again", "secondary"),
        )
        return
    pages = -(-matching // queries.PAGE_SIZE)
    rows = st.container(border=True, gap="xsmall")
    number = 1
    if pages > 1:
        # Drawn before the rows, as the widget reads the page from the URL on a first visit.
        number = st.pagination(
            pages, key=filters.PAGE, width="content", bind="query-params", persist_state="session"
        )
    with rows:
        for row in queries.list_reports(
            chosen, queries.PAGE_SIZE, (min(number, pages) - 1) * queries.PAGE_SIZE
        ):
            draw_report_row(row)


def draw_clear_button(key: str, kind: Any = "tertiary") -> None:
    """Draw the button that clears all filters."""
    st.button(
        "Clear filters", type=kind, icon=":material/filter_alt_off:", key=key, on_click=filters.clear_filters
    )


def draw_report_row(row: dict[str, Any]) -> None:
    """Show one report on one line."""
    state = summarize_discussion(row["id"])
    meta = (
        " · ".join(escape_markdown(part) for part in (row["dataset"], row["author"]) if part)
        + f" · {format_relative_time(row['created_at'])}"
    )
    if state["comments"]:
        meta += f" · :material/chat_bubble: {state['comments']}"
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.page_link(
            layout.REPORT,
            label=f"**{escape_markdown(row['title']) or 'Untitled'}** &ensp;:small[:gray[{meta}]]",
            query_params={"report": row["id"]},
            width="stretch",
        )
        if row["tags"]:
            st.markdown(tag_badges(row["tags"], limit=1), width="content")
        with st.container(horizontal=True, width="content", gap="xsmall"):
            st.markdown(severity_counts(row), width=128)
            st.markdown(status_badge(state["status"]) if state["status"] else "&nbsp;", width=128)


def summarize_discussion(report_id: str) -> dict[str, Any]:
    """Return the number of comments on the findings of a report, and their most urgent status."""
    rows = queries.list_findings(report_id)
    found = {row["status"] for row in rows}
    most_urgent = next((status for status in statuses.NAMES_BY_URGENCY if status in found), "")
    return {"comments": sum(row["comment_count"] for row in rows), "status": most_urgent}


def draw_sidebar(chosen: dict[str, Any]) -> None:
    """Show findings per week and the noisiest datasets of the matching reports in the last ten weeks."""
    today = clock.now().astimezone(reader_time_zone()).date()
    first = week_start(today) - dt.timedelta(weeks=WEEKS - 1)
    since = clock.day_start(first, reader_time_zone())
    start = max(since, chosen.get("start_date", since))
    rows = queries.list_reports({**chosen, "start_date": start}, MAX_SUMMARIES)
    with st.container(border=True, gap="small"):
        st.markdown("**Findings per week**")
        weeks = count_by_week(rows, first)
        if not any(errors or others for _, errors, others in weeks):
            st.caption("None in the last ten weeks.")
            return
        alt = "Bar chart of findings per week in the last ten weeks, errors below: " + "; ".join(
            f"{label} {errors} and {others}" for label, errors, others in weeks
        )
        charts.draw_chart(charts.findings_per_week(weeks), "reports:weeks", alt)
    noisy = Counter[str]()
    for row in rows:
        noisy[row["dataset"]] += row["finding_count"]
    if noisy.total():
        with st.container(border=True, gap="small"):
            st.markdown("**Noisiest datasets**")
            for name, number in noisy.most_common(5):
                with st.container(
                    horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"
                ):
                    if name:
                        layout.draw_dataset_link(name)
                    else:
                        st.caption("no dataset", width="content")
                    st.markdown(f"{number:,}", width="content")


def count_by_week(rows: list[dict[str, Any]], first: dt.date) -> list[tuple[str, int, int]]:
    """Count errors and other findings by the week of the report, in the user's time zone."""
    errors, others = [0] * WEEKS, [0] * WEEKS
    for row in rows:
        day = row["created_at"].astimezone(reader_time_zone()).date()
        week = min(max(0, (day - first).days // 7), WEEKS - 1)
        errors[week] += row["error_count"]
        others[week] += row["finding_count"] - row["error_count"]
    labels = [clock.format_short_day(first + dt.timedelta(weeks=week)) for week in range(WEEKS)]
    return list(zip(labels, errors, others, strict=True))


render_reports_page()
