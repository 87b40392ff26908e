"""Trends: how findings and the work on them change; every bar leads to the findings it counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

import streamlit as st

from lavendertown.ui import reads
from lavendertown.ui.components import charts, filters, frame, live, trend_charts, trend_steps, words
from lavendertown.ui.components.trend_charts import Mark
from lavendertown.ui.components.trend_steps import Step

PERIOD, DATASET = "period", "dataset"
MOST_DATASETS = 6


def page() -> None:
    """Draw the screen."""
    with frame.head("Trends"):
        news = st.container(width="content")
    live.mark()
    with news:
        live.announce()
    if not reads.count_reports({}):
        frame.empty(
            "monitoring",
            "Nothing to draw yet",
            "With two reports of a dataset, what they found is drawn here over time.",
            lambda: st.page_link(frame.INSPECT, label="Inspect a table", icon=":material/troubleshoot:"),
        )
        return
    steps = trend_steps.steps(choose())
    dataset = tuple(st.query_params.get_all(DATASET))
    found = reads.severity_trend(tuple(edges(steps)), dataset)
    closings = reads.closings(steps[0].start, steps[-1].end, dataset)
    by_status = trend_charts.statuses(reads.status_trend(tuple(edges(steps)), dataset), steps)
    summary(found, by_status, closings, steps)
    left, right = st.columns(2, gap="small")
    with left:
        by_severity(found, steps)
        to_close(closings, steps)
    with right:
        open_and_closed(by_status)
        by_author(found, closings, steps)
    if not dataset:
        by_dataset(found, steps)


def edges(steps: Sequence[Step]) -> list[Any]:
    """Return the bounds of the steps."""
    return [*(step.start for step in steps), steps[-1].end]


def choose() -> str:
    """Show the period and the dataset to choose; return the period."""
    named = st.query_params.get(PERIOD, trend_steps.USUAL)
    now = named if named in trend_steps.PERIODS else trend_steps.USUAL
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
        st.menu_button(
            trend_steps.PERIODS[now][0],
            list(trend_steps.PERIODS),
            format_func=lambda name: trend_steps.PERIODS[name][0],
            icon=":material/date_range:",
            key="trends:period",
            on_click=lambda: st.query_params.update({PERIOD: st.session_state["trends:period"]}),
        )
        filters.menu(DATASET, "Dataset", reads.facets({})["dataset"], "No report has any.", lambda: None)
        st.caption("Click a bar to see the findings it counts.", width="content")
    return now


def summary(
    found: list[reads.Row],
    by_status: dict[str, list[Mark]],
    closings: list[reads.Row],
    steps: Sequence[Step],
) -> None:
    """Show where things stand, beside where they stood when the period began."""
    marks = trend_charts.severities(found, steps)
    seen = [sum(of[place].value for of in marks.values()) for place in range(len(steps))]
    opened = [mark.value for mark in by_status["open"]]
    took = [mark.value for mark in trend_charts.times_to_close(closings, steps)]
    closed = [_count(closings, step) for step in steps]
    first = steps[0].label
    with st.grid(4, min_column_width=150, gap="small"):
        figure("In the latest runs", f"{seen[-1]:,}", seen, f"{seen[-1] - seen[0]:+,} since {first}")
        figure("Not closed", f"{opened[-1]:,}", opened, f"{opened[-1] - opened[0]:+,} since {first}")
        figure("Closed", f"{sum(closed):,}", closed, f"since {first}")
        median = trend_charts.days(trend_charts.median_days(closings))
        figure("Median time to close", median, took, f"closed since {first}")


def figure(label: str, value: str, course: Sequence[float], about: str) -> None:
    """Show a number with how it came about."""
    st.metric(
        label,
        value,
        about,
        delta_color="gray",
        delta_arrow="off",
        chart_data=course if any(course) else None,
        border=True,
        height=160,
    )


def by_severity(found: list[reads.Row], steps: Sequence[Step]) -> None:
    """Draw what the latest runs had found."""
    marks = trend_charts.severities(found, steps)
    totals = [
        Mark(
            step.label,
            sum(each[n].value for each in marks.values()),
            marks["error"][n].counted._replace(which=""),
        )
        for n, step in enumerate(steps)
    ]
    chart(
        "Findings in the latest runs",
        "by severity, one run a dataset",
        "severity",
        trend_charts.over_time(trend_charts.severity_traces(marks)),
        totals,
    )


def open_and_closed(by_status: dict[str, list[Mark]]) -> None:
    """Draw how many findings were open and closed."""
    figure = trend_charts.over_time(trend_charts.status_traces(by_status))
    chart(
        "Open and closed",
        "as decided by then; what is reviewed is open",
        "status",
        figure,
        by_status["open"],
        "open",
    )


def to_close(closings: list[reads.Row], steps: Sequence[Step]) -> None:
    """Draw how long findings were open that were closed."""
    marks = trend_charts.times_to_close(closings, steps)
    trace = trend_charts.bars("Median", "strong", marks, "%{y:.1f} days")
    figure = trend_charts.over_time([trace], legend=False)
    closed = [Mark(m.label, _count(closings, s), m.counted) for m, s in zip(marks, steps, strict=True)]
    chart("Time to close", "median days from open to closed", "closing", figure, closed, "closed")


def _count(closings: list[reads.Row], step: Step) -> int:
    return len({row["finding_id"] for row in closings if step.start <= row["at"] < step.end})


def by_author(found: list[reads.Row], closings: list[reads.Row], steps: Sequence[Step]) -> None:
    """Draw who reported findings, and who closed them."""
    reported = trend_charts.finders(found, steps)
    closed = trend_charts.closers(closings, steps)
    drawn = trend_charts.people(reported, closed)
    marks = [
        *(mark._replace(label=f"{mark.label}, closed") for mark in closed),
        *(mark._replace(label=f"{mark.label}, reported") for mark in reported),
    ]
    chart("By author", "reported in the latest runs, and closed", "people", drawn, marks, "findings")


def by_dataset(found: list[reads.Row], steps: Sequence[Step]) -> None:
    """Draw what the latest runs of each of the noisiest datasets had found."""
    last = {row["dataset"]: sum(row[name] for name in words.SEVERITIES) for row in found}
    names = sorted((name for name in last if name), key=lambda name: (-last[name], name))
    if len(names) < 2:
        return
    more = f", the {MOST_DATASETS} with most of {len(names):,}" if len(names) > MOST_DATASETS else ""
    st.markdown(f"**By dataset** :small[:gray[findings in the latest run{more}]]")
    with st.grid(3, min_column_width=260, gap="small"):
        for name in names[:MOST_DATASETS]:
            rows = [row for row in found if row["dataset"] == name]
            traces = trend_charts.severity_traces(trend_charts.severities(rows, steps))
            with st.container(border=True, gap="xsmall"):
                st.markdown(f"{words.code(name)} :small[:gray[{last[name]:,} now]]")
                drawn = trend_charts.over_time(traces, 130, legend=False)
                follow(drawn, f"dataset:{name}", f"Findings of {name} over time: now {last[name]}", name)


def chart(
    title: str, about: str, key: str, figure: charts.Figure, marks: Sequence[Mark], noun: str = "found"
) -> None:
    """Show a chart with its title, and a menu that leads where its bars lead."""
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.markdown(f"**{title}** :small[:gray[{about}]]", width="content")
            counted = [mark for mark in marks if mark.value]
            if counted:
                look = st.menu_button(
                    "Findings",
                    list(reversed(counted)),
                    format_func=lambda mark: f"{words.plain(mark.label)}: {mark.value:,.0f} {noun}",
                    type="tertiary",
                    icon=":material/inbox:",
                    key=f"trends:look:{key}",
                )
                if look is not None:
                    open_findings(str(look.counted), tuple(st.query_params.get_all(DATASET)))
        if not counted:
            st.caption("Nothing in this time.")
            return
        alt = f"{title}, {about}: " + "; ".join(f"{mark.label} {mark.value:,.0f}" for mark in marks)
        follow(figure, key, alt)


def follow(figure: charts.Figure, key: str, alt: str, dataset: str = "") -> None:
    """Draw a chart whose bars lead to what they count."""
    event: Any = st.plotly_chart(
        figure,
        key=f"trends:{key}",
        config={"displayModeBar": False},
        alt=alt,
        on_select="rerun",
        selection_mode="points",
    )
    for point in event["selection"]["points"][:1]:
        open_findings(
            str(point["customdata"][0]), (dataset,) if dataset else tuple(st.query_params.get_all(DATASET))
        )


def open_findings(counted: str, dataset: tuple[str, ...]) -> NoReturn:
    """Go to the findings that a bar counts."""
    query: dict[str, Any] = {"view": "all", "counted": counted}
    st.switch_page(frame.FINDINGS, query_params={**query, **({DATASET: list(dataset)} if dataset else {})})


page()
