"""Show the details of one finding."""

from __future__ import annotations

import streamlit as st

from lavendertown.core.findings import WHOLE_ROW, column_label
from lavendertown.inbox.check_changes import describe_check_change
from lavendertown.inspection.result_files import FIRST_ROWS, InspectionResult
from lavendertown.records.identities import PRESENT_STATES
from lavendertown.ui import inspections, queries
from lavendertown.ui.components.finding import evidence, history, thread, triage_controls, worklist
from lavendertown.ui.components.shared import charts, layout
from lavendertown.ui.components.shared.affected_rows import show_rows
from lavendertown.ui.components.shared.formatting import (
    describe_row_numbers,
    escape_markdown,
    format_count,
    format_percent,
    format_relative_time,
    format_short_day,
    ghost_type_name,
    inline_code,
    run_state_badge,
    severity_badge,
    tag_badges,
)

MAX_RUNS = 12
_RESULTS = "inspect:results"
_MAX_RESULTS = 2


def keep_result(report_id: str, result: InspectionResult) -> None:
    """Keep the result of an inspection in this session, so that the report can show the affected rows."""
    results: dict[str, InspectionResult] = st.session_state.setdefault(_RESULTS, {})
    results[report_id] = result
    for oldest in list(results)[:-_MAX_RESULTS]:
        inspections.discard_result(results.pop(oldest))


def kept_result(report_id: str) -> InspectionResult | None:
    """Return the inspection result of a report, if it was inspected in this session."""
    results: dict[str, InspectionResult] = st.session_state.get(_RESULTS, {})
    return results.get(report_id)


def show_finding(row: queries.Row) -> None:
    """Show a finding of a report: badges, status, facts, history, rows, discussion and form."""
    st.markdown(f"## {escape_markdown(row['description'])}", anchors=False)
    inbox_row = next(iter(queries.inbox_rows((row["finding_id"],))), None)
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        layout.draw_dataset_link(_find_dataset(row, inbox_row))
        st.markdown(_format_badges(row, inbox_row), width="content")
    triage_controls.draw_controls(row, inbox_row)
    if inbox_row is not None and inbox_row["seen"] in ("not_checked", "check_changed"):
        _draw_check_change(row, inbox_row)
    past = queries.finding_history(row["finding_id"], MAX_RUNS)
    left, right = st.columns([1, 1.3], gap="medium", vertical_alignment="center")
    with left:
        st.table(_fact_rows(row), border="horizontal", alt="Facts about this finding")
    with right:
        _draw_run_history(row, past, inbox_row)
    evidence.show_evidence(row)
    _draw_affected_rows(row)
    worklist.draw_worklist(row, kept_result(row["report_id"]))
    name = row["finding_id"]
    discussion, past_tab = st.tabs(["Discussion", "History"], key="detail:tabs", on_change="rerun")
    with discussion:
        thread.show_thread(name)
        thread.draw_comment_form(name, row["status"])
    with past_tab:
        if past_tab.open:
            history.show_history(name)


def _find_dataset(row: queries.Row, inbox_row: queries.Row | None) -> str:
    # An adopted finding belongs to the adopting dataset, also in reports of the former dataset.
    is_adopted = inbox_row is not None and inbox_row["column"] == row["column"]
    return str(inbox_row["dataset"] if inbox_row is not None and is_adopted else row["dataset"])


def _format_badges(row: queries.Row, inbox_row: queries.Row | None) -> str:
    parts = [
        column_label(WHOLE_ROW) if row["column"] == WHOLE_ROW else inline_code(row["column"]),
        severity_badge(row["severity"]),
        run_state_badge(inbox_row["seen"]) if inbox_row else "",
        f":small[:gray[{escape_markdown(ghost_type_name(row['ghost_type']))}]]",
        tag_badges(row["tags"]),
    ]
    return " ".join(part for part in parts if part)


def _draw_check_change(row: queries.Row, inbox_row: queries.Row) -> None:
    """Say so if the latest run does not have the finding because its check was changed."""
    latest = queries.list_reports({"dataset": inbox_row["dataset"]}, 1)
    coverage = queries.report_metadata(latest[0]["id"]).get("coverage") if latest else None
    change = describe_check_change(coverage or {}, row["metadata"], row["column"])
    if not change and inbox_row["seen"] == "check_changed":
        change = "Check changed: it ran with other settings in the run before, and found nothing."
    if change:
        st.markdown(f":small[:gray[:material/rule: {escape_markdown(change)}]]")


def _fact_rows(row: queries.Row) -> dict[str, str]:
    rows = "unknown" if row["row_count"] is None else f"**{row['row_count']:,}**"
    if row["row_count"] and row["share"]:
        rows += f" of {round(row['row_count'] / row['share']):,}"
    facts = {"Rows": rows, "Share": format_percent(row["share"])}
    check = row["metadata"].get("check_id") or row["metadata"].get("check")
    if check:
        facts["Check"] = inline_code(str(check))
    settings = row["metadata"].get("settings")
    if settings:
        facts["Settings"] = escape_markdown(", ".join(f"{name} {value}" for name, value in settings.items()))
    facts["First seen"] = format_relative_time(row["first_seen"])
    facts["Last seen"] = format_relative_time(row["last_seen"])
    facts["Seen in"] = format_count(row["times_seen"], "report")
    return facts


def _draw_run_history(row: queries.Row, past: list[queries.Row], inbox_row: queries.Row | None) -> None:
    runs = [run for run in reversed(past) if run["row_count"] is not None]
    if len(runs) < 2:
        st.caption(_explain_missing_history(past, inbox_row))
        return
    labels = [format_short_day(run["seen_at"]) for run in runs]
    counts = [run["row_count"] for run in runs]
    alt = f"Affected rows in the last {len(runs)} runs: " + ", ".join(
        f"{label} {number:,}" for label, number in zip(labels, counts, strict=True)
    )
    charts.draw_chart(charts.run_history(labels, counts), f"history:{row['finding_id']}", alt)


def _explain_missing_history(past: list[queries.Row], inbox_row: queries.Row | None) -> str:
    if len(past) > 1:
        return "No history: fewer than two of its runs say how many rows are affected."
    if inbox_row is not None and inbox_row["seen"] not in PRESENT_STATES:
        return "No history: only one run has found it."
    return "This is the first run that found it. The next ones draw a history here."


def _draw_affected_rows(row: queries.Row) -> None:
    count = "unknown" if row["row_count"] is None else f"{row['row_count']:,}"
    with st.expander(
        f"Affected rows  ·  {count}",
        icon=":material/table_rows:",
        key=f"rows:{row['report_id']}:{row['position']}",
        on_change="rerun",
    ) as box:
        if box.open:
            show_affected_rows(row)


def show_affected_rows(row: queries.Row) -> None:
    """Show the first affected rows of a finding, or their positions if the data is not available."""
    positions = queries.list_row_positions(row["report_id"], row["position"], FIRST_ROWS)
    result = kept_result(row["report_id"])
    if not positions:
        st.caption("Which rows are affected is not recorded for this finding.")
    elif result is None:
        stored = queries.load_evidence(row["report_id"])
        first = stored.first_row if stored is not None else 0
        shown = ", ".join(f"{position + first:,}" for position in positions)
        st.markdown(f":small[{shown}{' …' if len(positions) == FIRST_ROWS else ''}]")
        numbers = describe_row_numbers(first) if first else "Row positions, counted from 0."
        st.caption(
            f"{numbers} The complete rows stay with the person who inspected the file; the report keeps "
            "samples at most."
        )
    else:
        key = f"rows:{row['report_id']}:{row['position']}:file"
        show_rows(result, row["position"], positions, row["row_count"], row["column"], key)
