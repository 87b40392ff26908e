"""Report: what one run found, in numbers, charts and a list, with each finding's discussion."""

from __future__ import annotations

from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from lavendertown.ui import reads
from lavendertown.ui.components import (
    charts,
    comparison,
    desk_bulk,
    detail,
    frame,
    listing,
    live,
    manage,
    words,
)

RUNS = 8
CHARTED = 1000


def page() -> None:
    """Draw the screen."""
    report_id = st.query_params.get("report", "")
    report = reads.report(report_id) if report_id else None
    deleted = report is not None and report["deleted_at"] is not None
    if deleted and st.session_state.get("manage:more") == manage.DELETE:
        st.switch_page(frame.REPORTS)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.page_link(frame.REPORTS, label="Reports", icon=":material/arrow_back:")
        news = st.container(width="content")
    if report is None or deleted:
        manage.trash(report_id, report)
        return
    live.mark()
    rows, place = listing.choose(report) if report["finding_count"] else ([], 0)
    draw(report, rows, place, news)
    manage.dialogs(report, rows[place]["finding_id"] if rows else None)
    desk_bulk.dialogs()


def draw(report: reads.Row, rows: list[reads.Row], place: int, news: DeltaGenerator) -> None:
    """Show a report that is there, with one of its findings open."""
    metadata = reads.report_metadata(report["id"])
    with frame.head(words.plain(report["title"]) or "Untitled", meta_line(report, metadata)):
        comparison.button(report)
        manage.menus(report)
    if metadata.get("note"):
        st.markdown(words.comment(f"> {metadata['note']}"), anchors=False)
    ids = tuple(row["finding_id"] for row in rows)
    with news:
        live.announce(report["id"], ids, ids[place] if ids else "")
    if not rows:
        clean(metadata)
        if comparison.asked():
            comparison.panel(report)
        return
    if comparison.asked():
        comparison.panel(report)
    else:
        figures(report, rows)
    left, right = st.columns([1, 1.05], gap="medium")
    with left:
        listing.heading(rows, place)
        listing.grid(report, rows, place)
        listing.pager(report, rows)
    with right.container(border=True):
        detail.detail(rows[place])


def figures(report: reads.Row, rows: list[reads.Row]) -> None:
    """Show the report's numbers and charts."""
    before = previous(report)
    charted = rows if report["finding_count"] <= len(rows) else reads.findings(report["id"], CHARTED)
    metrics(report, charted, before)
    two_charts(charted, before)


def meta_line(report: reads.Row, metadata: dict[str, Any]) -> str:
    """Return the line under the title: dataset, author, time, what was checked, id, tags."""
    coverage = metadata.get("coverage") or {}
    parts = [words.plain(report["author"]), words.moment(report["created_at"])]
    if coverage.get("rows") is not None:
        checked = words.count(coverage["rows"], "row")
        if coverage.get("checks_run"):
            checked += f", {words.count(coverage['checks_run'], 'check')}"
        if coverage.get("seconds") is not None:
            checked += f" in {coverage['seconds']:.1f} s"
        parts.append(checked)
    parts.append(words.plain(report["id"]))
    meta = f"{words.code(report['dataset'])} :gray[{' · '.join(parts)}] {words.tag_badges(report['tags'])}"
    return f":small[{meta.strip()}]"


def clean(metadata: dict[str, Any]) -> None:
    """Say that nothing was found, and by how many checks."""
    coverage = metadata.get("coverage") or {}
    ran = "It was saved without findings."
    if coverage.get("checks_run"):
        ran = f"{words.count(coverage['checks_run'], 'check')} ran and all passed."
    frame.empty("task_alt", "No ghosts in this table", f"{ran} A clean run is part of the history.")


def previous(report: reads.Row) -> list[reads.Row]:
    """Return the dataset's runs up to this one, newest first, this one included."""
    if not report["dataset"]:
        return [report]
    found = reads.runs(report["dataset"], report["created_at"], RUNS)
    return found if any(run["id"] == report["id"] for run in found) else [report, *found][:RUNS]


def metrics(report: reads.Row, rows: list[reads.Row], runs: list[reads.Row]) -> None:
    """Show four numbers, each with its last runs where there are any."""
    many = len(runs) > 1
    height: Any = 160 if many else "content"
    oldest_first = runs[::-1]
    top = max(rows, key=lambda row: row["share"] or 0)
    still_open = sum(row["status"] == "open" for row in rows)
    quiet = sum(row["status"] == "open" and not row["comment_count"] for row in rows)
    past = [run["share"] * 100 for run in reads.history(top["finding_id"], RUNS)[::-1] if run["share"]]
    with st.grid(4, min_column_width=150, gap="small"):
        for label, field, colour in (
            ("Findings", "finding_count", "violet"),
            ("Errors", "error_count", "red"),
        ):
            st.metric(
                label,
                f"{report[field]:,}",
                since(runs, field) if many else "the first run",
                delta_color=colour if many else "gray",  # type: ignore[arg-type]
                delta_arrow="auto" if many and runs[1][field] != report[field] else "off",
                chart_data=[run[field] for run in oldest_first] if many else None,
                border=True,
                height=height,
            )
        st.metric(
            "Largest share of rows",
            words.percent(top["share"]),
            charts.short(top["column"], 24) if top["column"] != "*" else "whole row",
            delta_color="gray",
            delta_arrow="off",
            chart_data=past if len(past) > 1 else None,
            border=True,
            height=height,
        )
        st.metric(
            "Open",
            f"{still_open:,}",
            f"of {len(rows):,}, {quiet:,} without a comment",
            delta_color="gray",
            delta_arrow="off",
            border=True,
            height=height,
        )


def since(runs: list[reads.Row], field: str) -> str:
    """Say how a number changed since the run before."""
    change = runs[0][field] - runs[1][field]
    day = f"{runs[1]['created_at'].astimezone(words.zone()):%d %b}".lstrip("0")
    return f"{change:,} since {day}" if change else f"as on {day}"


def two_charts(rows: list[reads.Row], runs: list[reads.Row]) -> None:
    """Show the findings by column and severity, and the share of affected rows by column."""
    columns = charts.columns_by_gravity(rows)
    every = len({row["column"] for row in rows})
    which = "" if every <= len(columns) else f", the {len(columns)} gravest of {every:,} columns"
    now = largest_share(rows)
    before = largest_share(reads.findings(runs[1]["id"])) if len(runs) > 1 else {}
    left, right = st.columns(2, gap="small")
    with left.container(border=True, gap="xsmall", height="stretch"):
        st.markdown(f"**Severity by column** :small[:gray[findings{which}]]")
        alt = "Number of findings by column and severity: " + "; ".join(
            f"{column} {sum(row['column'] == column for row in rows)}" for column in columns
        )
        charts.draw(charts.severity_by_column(rows, columns), "report:severity", alt)
    with right.container(border=True, gap="xsmall", height="stretch"):
        compared = "percent, this run and the run before" if before else "percent"
        st.markdown(f"**Share of affected rows** :small[:gray[{compared}]]")
        alt = "Largest share of affected rows by column: " + "; ".join(
            f"{column} {words.percent(now.get(column))}" for column in columns
        )
        charts.draw(charts.share_by_column(columns, now, before), "report:share", alt)


def largest_share(rows: list[reads.Row]) -> dict[str, float]:
    """Return the largest share of affected rows for each column that has one."""
    found: dict[str, float] = {}
    for row in rows:
        if row["share"] is not None:
            found[row["column"]] = max(found.get(row["column"], 0.0), row["share"])
    return found


page()
