"""Reports: the list, its filters, and what the last ten weeks looked like."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import Any

import streamlit as st

from lavendertown import clock
from lavendertown.ui import reads
from lavendertown.ui.components import charts, crowded, filters, frame, live, words

WEEKS = 10
MOST_HEADERS = 1000


def page() -> None:
    """Draw the screen."""
    filters.restore(arrived=frame.arrived())
    with frame.head("Reports"):
        news = st.container(width="content")
        if st.button("New report", icon=":material/add:", type="primary"):
            st.switch_page(frame.INSPECT)
    live.mark()
    with news:
        live.announce()
    damaged()
    total = reads.count_reports({})
    if not total:
        nothing_yet()
        return
    chosen = filters.bar(reads.facets)
    left, right = st.columns([3.4, 1], gap="medium")
    with left:
        listing(chosen, total)
    with right:
        aside(chosen)
    crowded.hint()


def damaged() -> None:
    """Name what the store cannot read; the rest is listed all the same."""
    broken = reads.damage()
    if broken:
        text = f"**{words.count(len(broken), 'stored item')} cannot be read.** The rest is listed."
        with st.expander(text, icon=":material/broken_image:"):
            for item in broken:
                st.markdown(f"{words.code(item['item'])} {words.plain(item['reason'])}")


def nothing_yet() -> None:
    """Say what a report is for and how to make the first."""
    frame.empty(
        "description",
        "No reports yet",
        "A report keeps what a check found, so that colleagues can discuss it.",
        lambda: st.page_link(frame.INSPECT, label="Inspect a table", icon=":material/troubleshoot:"),
    )


def listing(chosen: dict[str, Any], total: int) -> None:
    """Show one page of the reports that match."""
    matching = reads.count_reports(chosen) if chosen else total
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        if chosen:
            st.caption(f"{matching:,} of {words.count(total, 'report')}", width="content")
            clear_button("filters:clear")
        else:
            st.caption(f"{words.count(total, 'report')}, newest first", width="content")
    if not matching:
        why = f"Nothing is lost: {words.count(total, 'report')} behind the filters."
        frame.empty(
            "filter_alt",
            "No report matches these filters",
            why,
            lambda: clear_button("filters:clear again", "secondary"),
        )
        return
    pages = -(-matching // reads.PAGE_SIZE)
    rows = st.container(border=True, gap="xsmall")
    number = 1
    if pages > 1:
        # Before the rows: on a first visit the widget takes the page from the address.
        number = st.pagination(
            pages, key=filters.PAGE, width="content", bind="query-params", persist_state="session"
        )
    with rows:
        for row in reads.reports(chosen, reads.PAGE_SIZE, (min(number, pages) - 1) * reads.PAGE_SIZE):
            report_row(row)


def clear_button(key: str, kind: Any = "tertiary") -> None:
    """Offer to take every filter off."""
    st.button("Clear filters", type=kind, icon=":material/filter_alt_off:", key=key, on_click=filters.clear)


def report_row(row: dict[str, Any]) -> None:
    """Show one report on one line."""
    state = discussion(row["id"])
    meta = (
        " · ".join(words.plain(part) for part in (row["dataset"], row["author"]) if part)
        + f" · {words.ago(row['created_at'])}"
    )
    if state["comments"]:
        meta += f" · :material/chat_bubble: {state['comments']}"
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.page_link(
            frame.REPORT,
            label=f"**{words.plain(row['title']) or 'Untitled'}** &ensp;:small[:gray[{meta}]]",
            query_params={"report": row["id"]},
            width="stretch",
        )
        if row["tags"]:
            st.markdown(words.tag_badges(row["tags"], most=1), width="content")
        with st.container(horizontal=True, width="content", gap="xsmall"):
            st.markdown(words.severity_counts(row), width=128)
            st.markdown(words.status_badge(state["status"]) if state["status"] else "&nbsp;", width=128)


def discussion(report_id: str) -> dict[str, Any]:
    """Return how many comments a report's findings have and the status that presses most."""
    rows = reads.findings(report_id)
    statuses = {row["status"] for row in rows}
    pressing = next((status for status in words.PRESSING if status in statuses), "")
    return {"comments": sum(row["comment_count"] for row in rows), "status": pressing}


def aside(chosen: dict[str, Any]) -> None:
    """Show findings per week and the noisiest datasets of what matches, in the last ten weeks."""
    today = clock.now().astimezone(words.zone()).date()
    first = filters.week_start(today) - dt.timedelta(weeks=WEEKS - 1)
    since = clock.day_start(first, words.zone())
    start = max(since, chosen.get("start_date", since))
    rows = reads.reports({**chosen, "start_date": start}, MOST_HEADERS)
    with st.container(border=True, gap="small"):
        st.markdown("**Findings per week**")
        weeks = by_week(rows, first)
        if not any(errors or others for _, errors, others in weeks):
            st.caption("None in the last ten weeks.")
            return
        alt = "Bar chart of findings per week in the last ten weeks, errors below: " + "; ".join(
            f"{label} {errors} and {others}" for label, errors, others in weeks
        )
        charts.draw(charts.findings_per_week(weeks), "reports:weeks", alt)
    noisy = Counter[str]()
    for row in rows:
        noisy[row["dataset"] or "no dataset"] += row["finding_count"]
    if noisy.total():
        with st.container(border=True, gap="small"):
            st.markdown("**Noisiest datasets**")
            st.table(
                {words.code(name): f"{number:,}" for name, number in noisy.most_common(5) if number},
                border="horizontal",
                alt="Datasets with the most findings in the last ten weeks",
            )


def by_week(rows: list[dict[str, Any]], first: dt.date) -> list[tuple[str, int, int]]:
    """Sum errors and other findings by the week a report was made in, in the reader's zone."""
    errors, others = [0] * WEEKS, [0] * WEEKS
    for row in rows:
        day = row["created_at"].astimezone(words.zone()).date()
        week = min(max(0, (day - first).days // 7), WEEKS - 1)
        errors[week] += row["error_count"]
        others[week] += row["finding_count"] - row["error_count"]
    labels = [f"{first + dt.timedelta(weeks=week):%d %b}" for week in range(WEEKS)]
    return list(zip(labels, errors, others, strict=True))


page()
