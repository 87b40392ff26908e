"""Show the evidence of a finding: sample rows with the affected value, and the distribution of its column."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from lavendertown.profile.evidence import Evidence, FindingSamples
from lavendertown.profile.finding_charts import choose_chart
from lavendertown.ui import queries
from lavendertown.ui.components.finding.evidence_chart import draw_evidence_chart
from lavendertown.ui.components.shared.drift_picture import draw_picture, make_picture
from lavendertown.ui.components.shared.formatting import describe_row_numbers, format_cell, format_count

SHOWN_ROWS = 5
_ROW_COLUMN = "Row"


def show_evidence(row: queries.Row) -> None:
    """Show the samples and the distribution that were saved with a report, if there are any.

    Args:
        row: The finding in a report.
    """
    evidence = queries.load_evidence(row["report_id"])
    picture = make_picture(row["metadata"])
    if evidence is None:
        if picture is not None:
            draw_picture(picture, _chart_key(row))
        return
    findings = queries.current_storage().findings
    samples = findings.find_samples(evidence, row["finding_id"], row["column"])
    chart = choose_chart(
        evidence.column(row["column"]),
        samples,
        row["ghost_type"],
        row["row_count"],
        row["metadata"],
        evidence.first_row,
    )
    has_samples = samples is not None and bool(samples.rows)
    is_pair = has_samples and (picture is not None or chart is not None)
    left, right = st.columns([1.3, 1], gap="medium") if is_pair else (st.container(), st.container())
    if samples is not None and has_samples:
        with left:
            _draw_samples(evidence, samples, row)
    if picture is not None:
        with right:
            draw_picture(picture, _chart_key(row))
    elif chart is not None:
        with right:
            draw_evidence_chart(chart, row["severity"], _chart_key(row))
    if evidence.omitted:
        st.caption(f"To keep the evidence small, it was stored without {', '.join(evidence.omitted)}.")


def _draw_samples(evidence: Evidence, samples: FindingSamples, row: queries.Row) -> None:
    st.markdown("**Sample rows**")
    show_all = st.session_state.get(_all_key(row), False)
    shown = samples.rows if show_all else samples.rows[:SHOWN_ROWS]
    frame = pd.DataFrame(
        [
            {_ROW_COLUMN: f"{sample.position + evidence.first_row:,}", **_to_cells(sample.values)}
            for sample in shown
        ]
    )
    st.dataframe(frame, hide_index=True, row_height=30, height="content", alt="Sample rows")
    count = row["row_count"]
    some = f"{len(shown):,} of {format_count(count, 'row')}. " if count and count > len(shown) else ""
    st.caption(f"{some}{describe_row_numbers(evidence.first_row)}")
    if len(samples.rows) > SHOWN_ROWS:
        st.toggle(f"Show {len(samples.rows)} rows", key=_all_key(row))


def _all_key(row: queries.Row) -> str:
    return f"samples:{row['report_id']}:{row['position']}"


def _to_cells(values: dict[str, Any]) -> dict[str, str]:
    """Return the values as text: one column can have numbers and words."""
    return {name: format_cell(value) for name, value in values.items()}


def _chart_key(row: queries.Row) -> str:
    return f"evidence:{row['report_id']}:{row['position']}"
