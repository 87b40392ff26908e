"""Dataset screen: the latest run of one dataset, its open findings, trend, columns and settings."""

from __future__ import annotations

from collections import Counter
from typing import Any

import streamlit as st

from lavendertown.core.errors import InvalidInputError
from lavendertown.core.statuses import StatusCategory
from lavendertown.inbox.attention import AttentionReason
from lavendertown.ui import queries
from lavendertown.ui.components.shared import change_notifier, charts, column_profiles, layout
from lavendertown.ui.components.shared.formatting import (
    attention_name,
    escape_markdown,
    format_count,
    format_percent,
    format_relative_time,
    severity_counts,
    severity_icon,
    short_description,
)
from lavendertown.ui.components.trends import trend_charts, trend_steps

DATASET = "dataset"
MAX_FINDINGS = 8
MAX_RUNS = 8
NOBODY = "Nobody"


def render_dataset_page() -> None:
    """Draw the screen."""
    dataset = st.query_params.get(DATASET, "")
    runs = queries.list_reports({"dataset": dataset}, MAX_RUNS) if dataset else []
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.page_link(layout.REPORTS, label="Reports", icon=":material/arrow_back:")
        news = st.container(width="content")
    if not runs:
        show_missing_dataset(dataset)
        return
    change_notifier.set_baseline()
    with news:
        change_notifier.show_changes(also=("dataset_settings", "ruleset"))
    total = queries.count_reports({"dataset": dataset})
    age, author = format_relative_time(runs[0]["created_at"]), escape_markdown(runs[0]["author"])
    meta = f":small[:gray[{format_count(total, 'run')} · the latest {age} by {author}]]"
    with layout.draw_page_header(escape_markdown(dataset), meta):
        draw_links(dataset)
    coverage = queries.report_metadata(runs[0]["id"]).get("coverage") or {}
    draw_metrics(dataset, runs, coverage)
    left, right = layout.draw_two_columns([1.4, 1])
    with left:
        draw_findings(dataset)
        draw_columns(runs[0], coverage)
    with right:
        draw_trend(dataset)
        draw_runs(runs, total, dataset)
        draw_settings(dataset)


def show_missing_dataset(dataset: str) -> None:
    """Show that no report is of this dataset."""
    layout.show_empty_state(
        "search_off",
        f"No report of {dataset}" if dataset else "No dataset chosen",
        "Its reports may have been deleted, or the address is incomplete.",
        lambda: st.page_link(layout.REPORTS, label="Reports", icon=":material/description:"),
        lambda: st.page_link(layout.INSPECT, label="Inspect a table", icon=":material/troubleshoot:"),
    )


def draw_links(dataset: str) -> None:
    """Draw the links to the screens that show more of the dataset."""
    for screen, label, icon in (
        (layout.FINDINGS, "Findings", ":material/inbox:"),
        (layout.REPORTS, "Reports", ":material/description:"),
        (layout.TRENDS, "Trends", ":material/monitoring:"),
    ):
        st.page_link(screen, label=label, icon=icon, query_params={DATASET: dataset})


def draw_metrics(dataset: str, runs: list[queries.Row], coverage: dict[str, Any]) -> None:
    """Show the numbers of open findings, and those of the latest run with their change."""
    opened = queries.count_inbox({"dataset": dataset, "state": (StatusCategory.OPEN,)})
    attention = queries.count_inbox({"dataset": dataset, "attention": tuple(AttentionReason)})
    known = queries.count_inbox({"dataset": dataset})
    before = runs[1] if len(runs) > 1 else None
    rows = coverage.get("rows")
    rows_before = (
        (queries.report_metadata(before["id"]).get("coverage") or {}).get("rows") if before else None
    )
    with st.grid(4, min_column_width=150, gap="small"):
        _draw_metric("Open findings", f"{opened:,}", f"of {known:,} known")
        _draw_metric("Need attention", f"{attention:,}", f"of {known:,} known")
        _draw_metric(
            "Findings in the latest run",
            f"{runs[0]['finding_count']:,}",
            _describe_change(runs[0]["finding_count"], before["finding_count"] if before else None),
        )
        _draw_metric(
            "Rows in the latest run",
            "unknown" if rows is None else f"{rows:,}",
            _describe_row_change(rows, rows_before, is_first=before is None),
        )


def _draw_metric(label: str, value: str, about: str) -> None:
    st.metric(label, value, about, delta_color="gray", delta_arrow="off", border=True)


def _describe_row_change(now: int | None, before: int | None, *, is_first: bool) -> str:
    if now is None:
        return "not stored"
    return (
        _describe_change(now, before) if is_first or before is not None else "not stored in the previous run"
    )


def _describe_change(now: int, before: int | None) -> str:
    if before is None:
        return "first run"
    return f"{now - before:+,} since the previous run" if now != before else "same as the previous run"


def draw_findings(dataset: str) -> None:
    """Show the findings that need attention and the most severe open ones, with a link to all open ones."""
    needy = queries.inbox_page(
        {"dataset": dataset, "attention": tuple(AttentionReason)}, "severity", MAX_FINDINGS
    )
    chosen = {"dataset": dataset, "state": (StatusCategory.OPEN,)}
    opened, count = queries.inbox_page(chosen, "severity", MAX_FINDINGS), queries.count_inbox(chosen)
    listed = {row["finding_id"]: row for row in (*needy, *opened)}
    rows = list(listed.values())[:MAX_FINDINGS]
    st.markdown("## Findings :small[:gray[that need attention or are open]]", anchors=False)
    if not rows:
        st.caption("None.")
        return
    with st.container(border=True, gap="xxsmall"):
        for row in rows:
            facts = [format_count(row["last_count"], "row")] if row["last_count"] is not None else []
            if row["last_share"]:
                facts[-1:] = [f"{format_percent(row['last_share'])} of rows"]
            facts += [attention_name(reason).lower() for reason in row["attention"]]
            if row["assignee"]:
                facts.append(escape_markdown(row["assignee"]))
            if row["comment_count"]:
                facts.append(f":material/chat_bubble: {row['comment_count']}")
            what = (
                f"{severity_icon(row['severity'])} {escape_markdown(short_description(row['description']))}"
            )
            st.page_link(
                layout.FINDINGS,
                label=f"{what} &ensp;:small[:gray[{' · '.join(facts)}]]",
                query_params={"finding": row["finding_id"], DATASET: dataset},
                width="stretch",
            )
    if count > sum(row in opened for row in rows):
        st.page_link(
            layout.FINDINGS,
            label=f"All {count:,} open findings",
            icon=":material/arrow_forward:",
            query_params={DATASET: dataset, "view": "open"},
        )


def draw_columns(run: queries.Row, coverage: dict[str, Any]) -> None:
    """Show the columns of the latest run, as they were measured then."""
    st.markdown("## Columns :small[:gray[in the latest run]]", anchors=False)
    evidence = queries.load_evidence(run["id"])
    if evidence is None or not evidence.columns:
        st.caption(
            "The latest run was saved without evidence, so its columns are unknown. Evidence is stored with "
            "reports from Inspect and from lavendertown analyze."
        )
        return
    counts = Counter(
        name
        for row in queries.list_findings(run["id"], None)
        for name in row["metadata"].get("columns") or [row["column"]]
    )
    total = max(len(evidence.columns), int(coverage.get("columns") or 0))
    column_profiles.draw_columns(evidence.columns, counts, total, "dataset:columns", is_selectable=False)


def draw_trend(dataset: str) -> None:
    """Draw the findings in the latest runs of the last twelve weeks."""
    steps = trend_steps.period_steps(trend_steps.DEFAULT_PERIOD)
    edges = (*(step.start for step in steps), steps[-1].end)
    rows = queries.severity_trend(edges, (dataset,))
    points = trend_charts.severity_points(rows, steps)
    with st.container(border=True, gap="xsmall"):
        st.markdown("**Findings** :small[:gray[in the run of each week]]")
        if not rows:
            st.caption("No run in the last twelve weeks.")
            return
        totals = [sum(points[severity][n].value for severity in points) for n in range(len(steps))]
        alt = f"Findings of {dataset} in the last twelve weeks: " + "; ".join(
            f"{step.label} {total:,}" for step, total in zip(steps, totals, strict=True)
        )
        figure = trend_charts.stacked_bars(trend_charts.severity_traces(points), 190)
        charts.draw_chart(figure, "dataset:trend", alt)


def draw_runs(runs: list[queries.Row], total: int, dataset: str) -> None:
    """Show the newest reports of the dataset."""
    with st.container(border=True, gap="xxsmall"):
        st.markdown("**Runs**")
        for run in runs:
            with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
                st.page_link(
                    layout.REPORT,
                    label=f"{escape_markdown(run['title']) or 'Untitled'} "
                    f"&ensp;:small[:gray[{format_relative_time(run['created_at'])}]]",
                    query_params={"report": run["id"]},
                    width="stretch",
                )
                st.markdown(severity_counts(run), width="content")
        if total > len(runs):
            st.page_link(
                layout.REPORTS,
                label=f"All {total:,} runs",
                icon=":material/arrow_forward:",
                query_params={DATASET: dataset},
            )


def draw_settings(dataset: str) -> None:
    """Show the owners, rules and reading settings of the dataset."""
    counts = queries.inbox_facets({"dataset": dataset, "state": (StatusCategory.OPEN,)})["assignee"]
    people = ", ".join(
        f"{escape_markdown(name) or NOBODY} ({number:,})"
        for name, number in sorted(counts.items(), key=lambda each: (-each[1], each[0]))
        if number
    )
    with st.container(border=True, gap="xsmall"):
        st.markdown("**Settings**")
        st.table(
            {
                "Owner of new findings": escape_markdown(_describe_owners(dataset)),
                "Open findings assigned to": people or "nobody",
                "Rules": escape_markdown(_describe_checks(dataset)),
                "Reading": escape_markdown(_describe_reading(dataset)),
                "Row key": escape_markdown(_describe_row_key(dataset)),
            },
            border="horizontal",
            alt="Settings of this dataset",
        )
        st.page_link(
            layout.RULES,
            label="Rules and checks",
            icon=":material/rule:",
            query_params={DATASET: dataset},
        )


def _describe_owners(dataset: str) -> str:
    owners = []
    try:
        rules = queries.owner_rules()
    except InvalidInputError as error:
        return f"not usable: {error}"
    for rule in rules:
        if rule.matches_dataset(dataset):
            owners.append(f"{rule.owner} ({rule.column})" if rule.column else rule.owner)
            if not rule.column:
                break  # The first rule that matches counts.
    return ", ".join(owners) or "nobody"


def _describe_checks(dataset: str) -> str:
    try:
        checks = queries.checks_to_run(dataset)
    except InvalidInputError as error:
        return f"not usable: {error}"
    parts = [format_count(len(checks.rules), "rule")]
    if checks.checks:
        parts.append(f"{format_count(len(checks.checks), 'check')} set")
    if checks.columns:
        parts.append(f"{format_count(len(checks.columns), 'column')} with expectations")
    return ", ".join(parts)


def _describe_row_key(dataset: str) -> str:
    try:
        return ", ".join(queries.stored_row_key(dataset)) or "suggested for each file"
    except InvalidInputError as error:
        return f"not usable: {error}"


def _describe_reading(dataset: str) -> str:
    try:
        return queries.stored_reading(dataset).describe() or "detected for each file"
    except InvalidInputError as error:
        return f"not usable: {error}"


render_dataset_page()
