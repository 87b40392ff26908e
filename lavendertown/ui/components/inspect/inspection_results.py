"""Show the findings of an inspection."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import streamlit as st

from lavendertown.core.findings import WHOLE_ROW, GhostFinding
from lavendertown.profile.finding_charts import choose_chart
from lavendertown.ui.components.finding.evidence_chart import draw_evidence_chart
from lavendertown.ui.components.shared.affected_rows import AffectedRows, show_rows
from lavendertown.ui.components.shared.drift_picture import draw_picture, make_picture
from lavendertown.ui.components.shared.formatting import (
    escape_markdown,
    format_count,
    ghost_type_name,
    inline_code,
    severity_badge,
    severity_icon,
)


def describe_coverage(coverage: dict[str, Any]) -> str:
    """Describe the coverage: rows, columns, checks, duration and passed checks."""
    return (
        f"{format_count(coverage['rows'], 'row')} · {format_count(coverage['columns'], 'column')} · "
        f"{format_count(coverage['checks_run'], 'check')} in {coverage['seconds']:.1f} s · "
        f"{coverage['passed']:,} passed"
    )


def show_guesses(sentences: Sequence[str]) -> None:
    """Show what was guessed while reading the file."""
    if sentences:
        with st.expander(
            f"Reading settings :gray[({len(sentences):,} detected)]",
            icon=":material/info:",
        ):
            for guess in sentences:
                st.markdown(f"- {escape_markdown(guess)}")


def show_findings(
    findings: Sequence[GhostFinding],
    affected: AffectedRows,
    prefix: str,
    shown: Sequence[int] | None = None,
    draw_actions: Callable[[int], None] | None = None,
) -> None:
    """Show each finding as an expander, whose content is drawn when it is opened.

    Args:
        findings: All findings.
        affected: The source of their rows.
        prefix: The prefix of the keys.
        shown: The positions of the findings to show; None for all.
        draw_actions: Draws buttons for the finding at a position; None for none.
    """
    with st.container(gap="xxsmall"):
        for index in range(len(findings)) if shown is None else shown:
            _draw_finding(findings[index], index, affected, f"{prefix}:{index}", draw_actions)


def _draw_finding(
    finding: GhostFinding,
    index: int,
    affected: AffectedRows,
    key: str,
    draw_actions: Callable[[int], None] | None,
) -> None:
    label = (
        f"{severity_icon(finding.severity)} **{escape_markdown(finding.description)}**"
        f"  :gray[{escape_markdown(ghost_type_name(finding.ghost_type))}]"
    )
    with st.expander(label, key=key, on_change="rerun") as box:
        if box.open:
            if draw_actions is not None:
                draw_actions(index)
            _draw_finding_body(finding, index, affected, key)


def _draw_finding_body(finding: GhostFinding, index: int, affected: AffectedRows, key: str) -> None:
    check = finding.metadata.get("check_id") or finding.metadata.get("check")
    where = inline_code(finding.column)
    if finding.column == WHOLE_ROW:
        where = "whole rows" if finding.row_indices else "whole table"
    kind = f"{severity_badge(finding.severity)} {where}"
    st.markdown(f"{kind} :gray[check] {inline_code(str(check))}" if check else kind)
    picture = make_picture(finding.metadata)
    if picture is not None:
        with st.container(width=560):
            draw_picture(picture, f"{key}:picture")
    positions = [int(position) for position in finding.row_indices or []]
    if not positions:
        what = "table" if finding.column == WHOLE_ROW else "column"
        st.caption(f"This finding is about the {what} as a whole; no particular rows are at fault.")
        return
    count = finding.metadata.get("count")
    if picture is None:
        _draw_chart(finding, index, affected, key)
    show_rows(affected, index, positions, count, finding.column, f"{key}:rows")


def _draw_chart(finding: GhostFinding, index: int, affected: AffectedRows, key: str) -> None:
    """Draw the chart that the report will show, if there is one."""
    evidence = affected.evidence
    chart = choose_chart(
        evidence.column(finding.column),
        evidence.samples.get(str(index)),
        finding.ghost_type,
        finding.metadata.get("count") or len(finding.row_indices or []),
        finding.metadata,
        evidence.first_row,
    )
    if chart is not None:
        with st.container(width=520):
            draw_evidence_chart(chart, finding.severity, f"{key}:values")
