"""Trends screen: charts over time; every bar opens the findings that it counts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

import streamlit as st

from lavendertown.ui import queries
from lavendertown.ui.components.shared import change_notifier, charts, demo_prompt, filters, layout
from lavendertown.ui.components.shared.formatting import SEVERITIES, escape_markdown
from lavendertown.ui.components.trends import column_trends, timeline_notes, trend_charts, trend_steps
from lavendertown.ui.components.trends.timeline_notes import NotesByStep
from lavendertown.ui.components.trends.trend_charts import DataPoint
from lavendertown.ui.components.trends.trend_steps import TimeStep

PERIOD, DATASET = "period", "dataset"
MAX_DATASETS = 6


def render_trends_page() -> None:
    """Draw the screen."""
    with layout.draw_page_header("Trends"):
        news = st.container(width="content")
    change_notifier.set_baseline()
    with news:
        change_notifier.show_changes(also=("dataset_settings",))
    if not queries.count_reports({}):
        layout.show_empty_state(
            "monitoring",
            "No trends yet",
            "Trends appear after two reports of a dataset.",
            lambda: st.page_link(layout.INSPECT, label="Inspect a table", icon=":material/troubleshoot:"),
            demo_prompt.draw_button,
        )
        return
    steps = trend_steps.period_steps(draw_menus())
    dataset = tuple(st.query_params.get_all(DATASET))
    notes = queries.timeline_notes(dataset, steps[0].start, steps[-1].end)
    by_step = timeline_notes.group_notes(notes, steps)
    severity_rows = queries.severity_trend(tuple(step_bounds(steps)), dataset)
    closings = queries.list_closings(steps[0].start, steps[-1].end, dataset)
    by_status = trend_charts.status_points(queries.status_trend(tuple(step_bounds(steps)), dataset), steps)
    if dataset and not severity_rows:
        show_no_runs()
        return
    draw_summary(severity_rows, by_status, closings, steps)
    left, right = st.columns(2, gap="small")
    with left:
        draw_by_severity(severity_rows, steps, by_step)
        draw_time_to_close(closings, steps, by_step)
    with right:
        draw_open_and_closed(by_status, by_step)
        draw_by_author(severity_rows, closings, steps)
    timeline_notes.draw_notes(notes)
    if not dataset:
        draw_by_dataset(severity_rows, steps)
    names = dataset or tuple(queries.report_facets({})["dataset"])
    if len(names) == 1:
        column_trends.draw_columns(names[0], steps)
    else:
        st.caption("Choose one dataset to see its columns over time.")


def show_no_runs() -> None:
    """Show the empty state of datasets without a run."""
    layout.show_empty_state(
        "monitoring",
        "No run of this dataset",
        "Its reports may have been deleted, or the address is incomplete.",
        lambda: st.button(
            "Show all datasets",
            icon=":material/filter_alt_off:",
            on_click=show_all_datasets,
        ),
    )


def show_all_datasets() -> None:
    """Clear the filter by dataset."""
    st.query_params.pop(DATASET, None)


def step_bounds(steps: Sequence[TimeStep]) -> list[Any]:
    """Return the start of each step and the end of the last."""
    return [*(step.start for step in steps), steps[-1].end]


def draw_menus() -> str:
    """Draw the menus for period and dataset; return the period."""
    named = st.query_params.get(PERIOD, trend_steps.DEFAULT_PERIOD)
    now = named if named in trend_steps.PERIODS else trend_steps.DEFAULT_PERIOD
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
        st.menu_button(
            trend_steps.PERIODS[now][0],
            list(trend_steps.PERIODS),
            format_func=lambda name: trend_steps.PERIODS[name][0],
            icon=":material/date_range:",
            key="trends:period",
            on_click=lambda: st.query_params.update({PERIOD: st.session_state["trends:period"]}),
        )
        filters.draw_filter_menu(
            DATASET, "Dataset", queries.report_facets({})["dataset"], "No report has any.", lambda: None
        )
        timeline_notes.draw_add_button()
        st.caption("Click a bar to see the findings it counts.", width="content")
    return now


def draw_summary(
    severity_rows: list[queries.Row],
    by_status: dict[str, list[DataPoint]],
    closings: list[queries.Row],
    steps: Sequence[TimeStep],
) -> None:
    """Show the current numbers and their change since the start of the period."""
    marks = trend_charts.severity_points(severity_rows, steps)
    seen = [sum(of[place].value for of in marks.values()) for place in range(len(steps))]
    opened = [mark.value for mark in by_status["open"]]
    took = [mark.value for mark in trend_charts.time_to_close_points(closings, steps)]
    closed = [_count_closed(closings, step) for step in steps]
    first, base = steps[0].label, find_first_run(severity_rows, steps)
    with st.grid(4, min_column_width=150, gap="small"):
        draw_metric("Current findings", f"{seen[-1]:,}", seen, describe_change(seen, steps, base))
        draw_metric("Open", f"{opened[-1]:,}", opened, describe_change(opened, steps, base))
        draw_metric("Closed", f"{sum(closed):,}", closed, f"since {first}")
        median = trend_charts.format_days(trend_charts.median_days(closings))
        about = f"closed since {first}" if closings else f"none closed since {first}"
        draw_metric("Median time to close", median, took, about)


def find_first_run(severity_rows: list[queries.Row], steps: Sequence[TimeStep]) -> int:
    """Return the first step by whose end there was a run; the last one if there is none."""
    ends = {row["at"] for row in severity_rows}
    return next((place for place, step in enumerate(steps) if step.end in ends), len(steps) - 1)


def describe_change(course: Sequence[float], steps: Sequence[TimeStep], base: int) -> str:
    """Describe the change of a number since the step of the first run, before which there is no number."""
    if base == len(steps) - 1:
        return "nothing to compare yet"
    change = int(course[-1] - course[base])
    return f"{change:+,} since {steps[base].label}" if change else f"unchanged since {steps[base].label}"


def draw_metric(label: str, value: str, course: Sequence[float], about: str) -> None:
    """Show a number with its course."""
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


def draw_by_severity(severity_rows: list[queries.Row], steps: Sequence[TimeStep], notes: NotesByStep) -> None:
    """Draw the findings in the latest runs by severity."""
    marks = trend_charts.severity_points(severity_rows, steps)
    totals = [
        DataPoint(
            step.label,
            sum(each[n].value for each in marks.values()),
            marks["error"][n].counted._replace(value=""),
        )
        for n, step in enumerate(steps)
    ]
    draw_chart(
        "Current findings",
        "by severity, one run per dataset",
        "severity",
        timeline_notes.mark_notes(trend_charts.stacked_bars(trend_charts.severity_traces(marks)), notes),
        totals,
    )


def draw_open_and_closed(by_status: dict[str, list[DataPoint]], notes: NotesByStep) -> None:
    """Draw the number of open and closed findings."""
    figure = trend_charts.stacked_bars(trend_charts.status_traces(by_status))
    timeline_notes.mark_notes(figure, notes)
    draw_chart(
        "Open and closed",
        "by status at the time; reviewed counts as open",
        "status",
        figure,
        by_status["open"],
        "open",
    )


def draw_time_to_close(closings: list[queries.Row], steps: Sequence[TimeStep], notes: NotesByStep) -> None:
    """Draw the median time to close."""
    marks = trend_charts.time_to_close_points(closings, steps)
    trace = trend_charts.bar_trace("Median", "strong", marks, "%{y:.1f} days")
    figure = timeline_notes.mark_notes(trend_charts.stacked_bars([trace], legend=False), notes)
    closed = [
        DataPoint(m.label, _count_closed(closings, s), m.counted) for m, s in zip(marks, steps, strict=True)
    ]
    draw_chart("Time to close", "median days from open to closed", "closing", figure, closed, "closed")


def _count_closed(closings: list[queries.Row], step: TimeStep) -> int:
    return len({row["finding_id"] for row in closings if step.start <= row["at"] < step.end})


def draw_by_author(
    severity_rows: list[queries.Row], closings: list[queries.Row], steps: Sequence[TimeStep]
) -> None:
    """Draw the reported and closed findings by person."""
    reported = trend_charts.reported_by_person(severity_rows, steps)
    closed = trend_charts.closed_by_person(closings, steps)
    drawn = trend_charts.people_chart(reported, closed)
    marks = [
        *(mark._replace(label=f"{mark.label}, closed") for mark in closed),
        *(mark._replace(label=f"{mark.label}, reported") for mark in reported),
    ]
    draw_chart("By author", "current findings, and closed", "people", drawn, marks, "findings")


def draw_by_dataset(severity_rows: list[queries.Row], steps: Sequence[TimeStep]) -> None:
    """Draw the findings in the latest runs of each of the noisiest datasets."""
    last = {row["dataset"]: sum(row[name] for name in SEVERITIES) for row in severity_rows}
    names = sorted((name for name in last if name), key=lambda name: (-last[name], name))
    if len(names) < 2:
        return
    more = f", top {MAX_DATASETS} of {len(names):,}" if len(names) > MAX_DATASETS else ""
    st.markdown(f"**By dataset** :small[:gray[findings in the latest run{more}]]")
    with st.grid(3, min_column_width=260, gap="small"):
        for name in names[:MAX_DATASETS]:
            rows = [row for row in severity_rows if row["dataset"] == name]
            traces = trend_charts.severity_traces(trend_charts.severity_points(rows, steps))
            with st.container(border=True, gap="xsmall"):
                with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
                    layout.draw_dataset_link(name)
                    st.caption(f"{last[name]:,} now", width="content")
                drawn = trend_charts.stacked_bars(traces, 130, legend=False)
                draw_clickable(
                    drawn, f"dataset:{name}", f"Findings of {name} over time: now {last[name]}", name
                )


def draw_chart(
    title: str, about: str, key: str, figure: charts.Figure, marks: Sequence[DataPoint], noun: str = "found"
) -> None:
    """Show a chart with its title, and a menu with the targets of its bars."""
    with st.container(border=True, gap="xsmall"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.markdown(f"**{title}** :small[:gray[{about}]]", width="content")
            counted = [mark for mark in marks if mark.value]
            if counted:
                choice = st.menu_button(
                    "Findings",
                    list(reversed(counted)),
                    format_func=lambda mark: f"{escape_markdown(mark.label)}: {mark.value:,.0f} {noun}",
                    type="tertiary",
                    icon=":material/inbox:",
                    key=f"trends:look:{key}",
                )
                if choice is not None:
                    open_findings(str(choice.counted), tuple(st.query_params.get_all(DATASET)))
        if not counted:
            st.caption("Nothing in this period.")
            return
        alt = f"{title}, {about}: " + "; ".join(f"{mark.label} {mark.value:,.0f}" for mark in marks)
        draw_clickable(figure, key, alt)


def draw_clickable(figure: charts.Figure, key: str, alt: str, dataset: str = "") -> None:
    """Draw a chart whose bars open the findings that they count."""
    counted = charts.draw_clickable_chart(figure, f"trends:{key}", alt)
    if counted is not None:
        open_findings(counted, (dataset,) if dataset else tuple(st.query_params.get_all(DATASET)))


def open_findings(counted: str, dataset: tuple[str, ...]) -> NoReturn:
    """Open the findings that a bar counts."""
    query: dict[str, str | list[str]] = {"view": "all", "counted": counted}
    if dataset:
        query[DATASET] = list(dataset)
    layout.go_to(layout.FINDINGS, **query)


render_trends_page()
