"""What an inspection found, shown from the table at hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import streamlit as st

from lavendertown.models import GhostFinding
from lavendertown.tables import Table
from lavendertown.ui.components import charts, words
from lavendertown.ui.components.detail import rows_of

VALUES_OF = frozenset({"disguised_null", "type", "outlier", "format", "category", "date"})
"""Ghost types whose affected values tell something; an empty value looks like any other."""

MOST_VALUES = 6
MOST_COUNTED = 5_000


class Source(NamedTuple):
    """What to inspect: a file's name, its content or frame, and a file's size in bytes."""

    name: str
    data: Any
    size: int | None


class Result(NamedTuple):
    """What an inspection found, in which table, as which dataset, by which checks."""

    name: str
    findings: Sequence[GhostFinding]
    table: Table
    dataset: str
    coverage: dict[str, Any]


def sentence(coverage: dict[str, Any]) -> str:
    """Say what was looked at: rows, columns, checks, time and how many passed."""
    return (
        f"{words.count(coverage['rows'], 'row')} · {words.count(coverage['columns'], 'column')} · "
        f"{words.count(coverage['checks_run'], 'check')} in {coverage['seconds']:.1f} s · "
        f"{coverage['passed']:,} passed"
    )


def guesses(table: Table) -> None:
    """Show what reading the file had to guess."""
    if table.guesses:
        with st.expander(
            f"How the file was read :gray[{words.count(len(table.guesses), 'guess', 'guesses')}]",
            icon=":material/info:",
        ):
            for guess in table.guesses:
                st.markdown(f"- {words.plain(guess)}")


def findings(found: Sequence[GhostFinding], table: Table, prefix: str) -> None:
    """Show each finding as an expander; what is inside is made when it is opened."""
    with st.container(gap="xxsmall"):
        for place, finding in enumerate(found):
            _finding(finding, table, f"{prefix}:{place}")


def _finding(finding: GhostFinding, table: Table, key: str) -> None:
    label = (
        f"{words.severity_icon(finding.severity)} **{words.plain(finding.description)}**"
        f"  :gray[{words.plain(words.ghost(finding.ghost_type))}]"
    )
    with st.expander(label, key=key, on_change="rerun") as box:
        if box.open:
            _inside(finding, table, key)


def _inside(finding: GhostFinding, table: Table, key: str) -> None:
    check = finding.metadata.get("check_id") or finding.metadata.get("check")
    where = "whole rows" if finding.column == "*" else words.code(finding.column)
    kind = f"{words.severity_badge(finding.severity)} {where}"
    st.markdown(f"{kind} :gray[check] {words.code(str(check))}" if check else kind)
    positions = [int(position) for position in finding.row_indices or []]
    if not positions:
        st.caption("This finding is about the column as a whole; no particular rows are at fault.")
        return
    if finding.ghost_type in VALUES_OF and finding.column in table.columns:
        _values(finding, table, positions, key)
    rows_of(table, positions, finding.metadata.get("count"), finding.column)


def _values(finding: GhostFinding, table: Table, positions: list[int], key: str) -> None:
    """Draw the most frequent affected values, where any occurs more than once."""
    column = table.rows(positions, MOST_COUNTED)[finding.column]
    counted = Counter(str(value) for value in column).most_common(MOST_VALUES)
    if not counted or counted[0][1] < 2:
        return
    labels, counts = [value for value, _ in counted], [number for _, number in counted]
    among = "" if len(positions) <= MOST_COUNTED else f" among the first {MOST_COUNTED:,} rows"
    st.markdown(f"**Most frequent affected values** :small[:gray[rows{among}]]")
    alt = "; ".join(f"{label} {number:,}" for label, number in counted)
    with st.container(width=520):
        charts.draw(charts.parts(labels, counts, finding.severity), f"{key}:values", alt)
