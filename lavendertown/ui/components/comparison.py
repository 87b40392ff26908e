"""A report beside an earlier run: what is new, back, worse, better and gone."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import Any

import pandas as pd
import streamlit as st

from lavendertown.ui import reads
from lavendertown.ui.components import frame, listing, words

COMPARE = "compare"
"""The query parameter that holds which run is compared with; ``before`` is the one before."""
BEFORE = "before"
RUNS = 30
MOST_ROWS = 500
CHANGES = {
    "new": ("violet", "New"),
    "back": ("red", "Back again"),
    "worse": ("orange", "Worse"),
    "better": ("green", "Better"),
    "same": ("gray", "The same"),
    "gone": ("green", "Gone"),
    "not_checked": ("gray", "Not checked"),
}
"""What became of a finding → colour and name."""
_HELP = "With an earlier run of the dataset"
ABSENT = ("gone", "not_checked")
_ELSEWHERE = "compare:elsewhere"
_SHOWN = "compare:shown"


def asked() -> str:
    """Return which run the report is to be compared with, empty for none."""
    return str(st.query_params.get(COMPARE, ""))


def button(report: reads.Row) -> None:
    """Offer the comparison, where there is something to compare with."""
    others = len(reads.reports({"dataset": report["dataset"]}, 2)) if report["dataset"] else 0
    now = asked()
    st.button(
        "Stop comparing" if now else "Compare",
        icon=":material/close:" if now else ":material/compare_arrows:",
        key="compare:toggle",
        disabled=not now and others < 2,
        help=None if now else _HELP if others > 1 else "There is no other run of this dataset.",
        on_click=_toggle,
    )


def _toggle() -> None:
    if asked():
        st.query_params.pop(COMPARE, None)
    else:
        st.query_params[COMPARE] = BEFORE
    st.session_state.pop(_SHOWN, None)


def panel(report: reads.Row) -> None:
    """Show what changed since an earlier run."""
    if elsewhere := st.session_state.pop(_ELSEWHERE, None):
        st.switch_page(frame.FINDINGS, query_params={"finding": elsewhere})
    other = asked()
    compared = reads.compared(report["id"], None if other == BEFORE else other)
    with st.container(border=True, gap="small"):
        _choice(report, compared["before"] if compared else None)
        if compared is None or compared["before"] is None:
            st.caption("This is the first run of the dataset. The next one can be compared with it.")
            return
        rows = _filtered(compared["findings"])
        if rows:
            _grid(rows[:MOST_ROWS])
        if len(rows) > MOST_ROWS:
            st.caption(f"The first {MOST_ROWS:,} of {words.count(len(rows), 'finding')}.")


def _choice(report: reads.Row, before: reads.Row | None) -> None:
    runs = [run for run in reads.reports({"dataset": report["dataset"]}, RUNS) if run["id"] != report["id"]]
    if before is not None and before["id"] not in {run["id"] for run in runs}:
        runs.append(before)
    names = {run["id"]: f"{words.moment(run['created_at'])} · {run['title']}" for run in runs}
    if not names:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.markdown("**Compared with**", width="content")
        # The run is part of the key: set from here, a late browser would turn it back.
        key = f"compare:with:{before['id'] if before else ''}"
        st.selectbox(
            "Compared with",
            list(names),
            index=list(names).index(before["id"]) if before else None,
            format_func=lambda name: names[name],
            key=key,
            width=420,
            label_visibility="collapsed",
            on_change=_choose,
            args=(key,),
        )


def _choose(key: str) -> None:
    st.query_params[COMPARE] = str(st.session_state[key])


def _filtered(rows: list[reads.Row]) -> list[reads.Row]:
    counts = Counter(row["change"] for row in rows)
    present = [name for name in CHANGES if counts[name]]
    shown = st.session_state.get(_SHOWN)
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
        for name in present:
            colour, label = CHANGES[name]
            here = name == shown
            text = f":{colour}[**{counts[name]:,}**] {label}"
            st.button(
                f"**{text}**" if here else text,
                type="secondary" if here else "tertiary",
                key=f"compare:only:{name}",
                help="Show all again" if here else f"Show only: {label}",
                on_click=_show_only,
                args=(None if here else name,),
            )
    if shown in present:
        return [row for row in rows if row["change"] == shown]
    # What stayed as it was is counted, and shown when asked for.
    return [row for row in rows if row["change"] != "same"] or rows


def _show_only(name: str | None) -> None:
    st.session_state[_SHOWN] = name


def _grid(rows: list[reads.Row]) -> None:
    # Of these rows alone: a late click on others must not open one of these.
    ids = "\n".join(row["finding_id"] for row in rows)
    key = f"compare:opened:{hashlib.sha256(ids.encode()).hexdigest()[:12]}"
    config = st.column_config
    colours = [colour for colour, _ in CHANGES.values()]
    st.dataframe(
        _frame(rows),
        hide_index=True,
        row_height=34,
        placeholder="",
        height="content" if len(rows) <= 12 else 460,
        alt="What changed since the run before, one finding a row; open one by its sentence",
        column_config={
            "change": config.MultiselectColumn(
                "Change", width=104, options=[name for _, name in CHANGES.values()], color=colours
            ),
            "severity": config.MultiselectColumn(
                "Severity",
                width=84,
                options=[name for _, _, name in words.SEVERITIES.values()],
                color=["red", "orange", "blue"],
            ),
            "finding": config.ButtonColumn(
                "Finding",
                width=300,
                type="tertiary",
                alignment="left",
                key=key,
                on_click=lambda: _open(rows, key),
            ),
            "column": config.TextColumn("Column", width=130),
            "was": config.NumberColumn("Rows before", format="localized", width=96),
            "is": config.NumberColumn("Rows now", format="localized", width=86),
            "share before": config.TextColumn("Share before", width=100, alignment="right"),
            "share now": config.TextColumn("Share now", width=90, alignment="right"),
            "status": config.TextColumn("Status", width=100),
        },
    )


def _open(rows: list[reads.Row], key: str) -> None:
    row = rows[st.session_state[key].row]
    if row["change"] in ABSENT:
        st.session_state[_ELSEWHERE] = row["finding_id"]
    else:
        st.query_params[listing.FINDING] = row["finding_id"]
        listing.moved()


def _frame(rows: list[reads.Row]) -> pd.DataFrame:
    here = [row["change"] not in ABSENT for row in rows]
    return pd.DataFrame(
        {
            "change": [[CHANGES[row["change"]][1]] for row in rows],
            "severity": [[_severity(row)] for row in rows],
            "finding": [words.headline(row["description"]) for row in rows],
            "column": ["whole row" if row["column"] == "*" else row["column"] for row in rows],
            "was": pd.array([row["before_count"] for row in rows], dtype="Int64"),
            "is": pd.array(
                [row["row_count"] if now else None for row, now in zip(rows, here, strict=True)],
                dtype="Int64",
            ),
            "share before": [_share(row["before_share"]) for row in rows],
            "share now": [_share(row["share"] if now else None) for row, now in zip(rows, here, strict=True)],
            "status": [words.status_name(row["status"]) for row in rows],
        }
    )


def _severity(row: reads.Row) -> str:
    return words.SEVERITIES[row["severity"]][2]


def _share(share: Any) -> str:
    return "" if share is None else words.percent(share)
