"""Report screen: the findings of one run as numbers, charts and a list, with discussions."""

from __future__ import annotations

from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lavendertown.core import statuses
from lavendertown.core.findings import column_label
from lavendertown.ui import queries
from lavendertown.ui.components.finding import finding_detail
from lavendertown.ui.components.findings import dialogs
from lavendertown.ui.components.report import comparison, finding_list, report_menu
from lavendertown.ui.components.shared import change_notifier, charts, comment_text, layout
from lavendertown.ui.components.shared.formatting import (
    comment_markdown,
    escape_markdown,
    format_count,
    format_percent,
    format_short_day,
    format_time,
    tag_badges,
)

MAX_RUNS = 2
MAX_CHARTED = 1000


def render_report_page() -> None:
    """Draw the screen."""
    report_id = st.query_params.get("report", "")
    report = queries.find_report(report_id) if report_id else None
    deleted = report is not None and report["deleted_at"] is not None
    if deleted and st.session_state.pop(report_menu.DELETED, None) == report_id:
        layout.go_to(layout.REPORTS)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        with st.container(horizontal=True, width="content", gap="xsmall"):
            st.page_link(layout.REPORTS, label="Reports", icon=":material/arrow_back:")
            layout.draw_dataset_link(report["dataset"] if report else "")
        news = st.container(width="content")
    if report is None or deleted:
        report_menu.show_missing_report(report_id, report)
        return
    change_notifier.set_baseline()
    rows, place = finding_list.read_selected_page(report) if report["finding_count"] else ([], 0)
    draw_report(report, rows, place, news)
    report_menu.open_dialogs(report, rows[place]["finding_id"] if rows else None)
    dialogs.draw_open_dialog()


def draw_report(report: queries.Row, rows: list[queries.Row], place: int, news: DeltaGenerator) -> None:
    """Show an existing report with one open finding."""
    metadata = queries.report_metadata(report["id"])
    with layout.draw_page_header(
        escape_markdown(report["title"]) or "Untitled", format_meta_line(report, metadata)
    ):
        comparison.draw_compare_button(report)
        report_menu.draw_menus(report)
    if metadata.get("note"):
        st.markdown(comment_text.quote_block(comment_markdown(str(metadata["note"]))), anchors=False)
    ids = tuple(row["finding_id"] for row in rows)
    with news:
        change_notifier.show_changes(report["id"], ids, ids[place] if ids else "")
    is_compared = bool(comparison.compared_report())
    compared = comparison.find_comparison(report)
    if not rows:
        show_clean_run(metadata)
        if is_compared:
            comparison.draw_comparison(report, compared)
        return
    if not is_compared:
        draw_figures(report, rows)
    left, right = st.columns([1, 1.05], gap="medium")
    with left:
        ordered = comparison.sort_by_change(rows, compared) if compared else rows
        finding_list.draw_heading(ordered, ordered.index(rows[place]))
        if is_compared:
            comparison.draw_comparison(report, compared)
        if compared is None:
            finding_list.draw_grid(report, rows, place)
            finding_list.draw_pager(report, rows)
    with right.container(border=True, key=f"open-finding-{ids[place]}"):
        finding_detail.show_finding(rows[place])


def draw_figures(report: queries.Row, rows: list[queries.Row]) -> None:
    """Show the numbers of the report in one strip; the charts wait below it until somebody opens them."""
    before = recent_runs(report)
    charted = (
        rows if report["finding_count"] <= len(rows) else queries.list_findings(report["id"], MAX_CHARTED)
    )
    draw_metrics(report, charted, before)
    label = "Charts by column"
    with st.expander(label, icon=":material/bar_chart:", key="report:charts", on_change="rerun") as box:
        if box.open:
            draw_charts(charted, before)


def format_meta_line(report: queries.Row, metadata: dict[str, Any]) -> str:
    """Return the line under the title: author, time, coverage, id, tags."""
    coverage = metadata.get("coverage") or {}
    parts = [escape_markdown(report["author"]), format_time(report["created_at"])]
    if coverage.get("rows") is not None:
        checked = format_count(coverage["rows"], "row")
        if coverage.get("checks_run"):
            checked += f", {format_count(coverage['checks_run'], 'check')}"
        if coverage.get("seconds") is not None:
            checked += f" in {coverage['seconds']:.1f} s"
        parts.append(checked)
    parts.append(escape_markdown(report["id"]))
    meta = f":gray[{' · '.join(parts)}] {tag_badges(report['tags'])}"
    return f":small[{meta.strip()}]"


def show_clean_run(metadata: dict[str, Any]) -> None:
    """Show that no check found anything, with the number of checks."""
    coverage = metadata.get("coverage") or {}
    ran = "It was saved without findings."
    if coverage.get("checks_run"):
        ran = f"{format_count(coverage['checks_run'], 'check')} ran and all passed."
    layout.show_empty_state("task_alt", "No problems found", f"{ran} A clean run is part of the history.")


def recent_runs(report: queries.Row) -> list[queries.Row]:
    """Return the runs of the dataset up to and including this one, newest first."""
    if not report["dataset"]:
        return [report]
    found = queries.runs_of_dataset(report["dataset"], report["created_at"], MAX_RUNS)
    return found if any(run["id"] == report["id"] for run in found) else [report, *found][:MAX_RUNS]


def draw_metrics(report: queries.Row, rows: list[queries.Row], runs: list[queries.Row]) -> None:
    """Show four numbers; the first two with their change since the run before."""
    many = len(runs) > 1
    top = max(rows, key=lambda row: row["share"] or 0)
    open_rows = [row for row in rows if not statuses.is_closed(row["status"])]
    still_open, quiet = len(open_rows), sum(not row["comment_count"] for row in open_rows)
    with st.grid(4, min_column_width=150, gap="small"):
        for label, field, more, fewer in (
            ("Findings", "finding_count", "violet", "violet"),
            ("Errors", "error_count", "red", "green"),
        ):
            change = report[field] - runs[1][field] if many else 0
            st.metric(
                label,
                f"{report[field]:,}",
                describe_change(runs, field) if many else "first run",
                delta_color=(more if change > 0 else fewer) if change else "gray",  # type: ignore[arg-type]
                delta_arrow="auto" if change else "off",
                border=True,
            )
        st.metric(
            "Worst column",
            format_percent(top["share"]),
            escape_markdown(charts.shorten_label(column_label(top["column"]), 24)),
            delta_color="gray",
            delta_arrow="off",
            border=True,
        )
        st.metric(
            "Open",
            f"{still_open:,}",
            f"{quiet:,} of {still_open:,} uncommented",
            delta_color="gray",
            delta_arrow="off",
            border=True,
        )


def describe_change(runs: list[queries.Row], field: str) -> str:
    """Describe the change of a number since the previous run."""
    change = runs[0][field] - runs[1][field]
    day = format_short_day(runs[1]["created_at"])
    return f"{change:+,} since {day}" if change else f"unchanged since {day}"


def draw_charts(rows: list[queries.Row], runs: list[queries.Row]) -> None:
    """Show the findings by column and severity, and the share of affected rows by column."""
    columns = charts.columns_by_severity(rows)
    every = len({row["column"] for row in rows})
    which = "" if every <= len(columns) else f", the {len(columns)} most severe of {every:,} columns"
    now = largest_share(rows)
    before = largest_share(queries.list_findings(runs[1]["id"])) if len(runs) > 1 else {}
    left, right = st.columns(2, gap="small")
    with left.container(border=True, gap="xsmall", height="stretch"):
        st.markdown(f"**Severity by column** :small[:gray[findings{which}]]")
        alt = "Number of findings by column and severity: " + "; ".join(
            f"{column} {sum(row['column'] == column for row in rows)}" for column in columns
        )
        charts.draw_chart(charts.severity_by_column(rows, columns), "report:severity", alt)
    with right.container(border=True, gap="xsmall", height="stretch"):
        compared = "percent, this run and the run before" if before else "percent"
        st.markdown(f"**Share of affected rows** :small[:gray[{compared}]]")
        alt = "Largest share of affected rows by column: " + "; ".join(
            f"{column} {format_percent(now.get(column))}" for column in columns
        )
        charts.draw_chart(charts.share_by_column(columns, now, before), "report:share", alt)


def largest_share(rows: list[queries.Row]) -> dict[str, float]:
    """Return the largest share of affected rows of each column with a known share."""
    found: dict[str, float] = {}
    for row in rows:
        if row["share"] is not None:
            found[row["column"]] = max(found.get(row["column"], 0.0), row["share"])
    return found


render_report_page()
