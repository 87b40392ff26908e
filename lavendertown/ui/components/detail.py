"""One finding, with everything known about it."""

from __future__ import annotations

import streamlit as st

from lavendertown.tables import Table
from lavendertown.ui import reads
from lavendertown.ui.components import charts, decided, history, thread, words

FIRST_ROWS = 100
RUNS = 12
_TABLES = "inspect:tables"
_KEPT_TABLES = 2


def keep_table(report_id: str, table: Table) -> None:
    """Keep a table in this visitor's session, so that the report can show its affected rows."""
    tables: dict[str, Table] = st.session_state.setdefault(_TABLES, {})
    tables[report_id] = table
    for oldest in list(tables)[:-_KEPT_TABLES]:
        del tables[oldest]


def kept_table(report_id: str) -> Table | None:
    """Return the table a report was made from, where this visitor has it at hand."""
    tables: dict[str, Table] = st.session_state.get(_TABLES, {})
    return tables.get(report_id)


def detail(row: reads.Row) -> None:
    """Show a finding of a report: badges, status, facts, history, rows, discussion and form."""
    st.markdown(f"### {words.plain(row['description'])}", anchors=False)
    held = next(iter(reads.desk_rows((row["finding_id"],))), None)
    st.markdown(_badges(row, held))
    decided.controls(row, held)
    past = reads.history(row["finding_id"], RUNS)
    left, right = st.columns([1, 1.3], gap="medium", vertical_alignment="center")
    with left:
        st.table(_facts(row), border="horizontal", alt="Facts about this finding")
    with right:
        _history(row, past)
    _rows(row)
    name = row["finding_id"]
    discussion, past_tab = st.tabs(["Discussion", "History"], key="detail:tabs", on_change="rerun")
    with discussion:
        thread.thread(name)
        thread.form(name, row["status"])
    with past_tab:
        if past_tab.open:
            history.history(name)


def _badges(row: reads.Row, held: reads.Row | None) -> str:
    where = ".".join(p for p in (row["dataset"], "" if row["column"] == "*" else row["column"]) if p)
    parts = [
        words.severity_badge(row["severity"]),
        words.seen_badge(held["seen"]) if held else "",
        words.code(where),
        f":small[:gray[{words.plain(words.ghost(row['ghost_type']))}]]",
        words.tag_badges(row["tags"]),
    ]
    return " ".join(part for part in parts if part)


def _facts(row: reads.Row) -> dict[str, str]:
    rows = "unknown" if row["row_count"] is None else f"**{row['row_count']:,}**"
    if row["row_count"] and row["share"]:
        rows += f" of {round(row['row_count'] / row['share']):,}"
    facts = {"Rows": rows, "Share": words.percent(row["share"])}
    check = row["metadata"].get("check_id") or row["metadata"].get("check")
    if check:
        facts["Check"] = words.code(str(check))
    facts["First seen"] = words.ago(row["first_seen"])
    facts["Last seen"] = words.ago(row["last_seen"])
    facts["Seen in"] = words.count(row["times_seen"], "report")
    return facts


def _history(row: reads.Row, past: list[reads.Row]) -> None:
    runs = [run for run in reversed(past) if run["row_count"] is not None]
    if len(runs) < 2:
        st.caption("This is the first run that found it. The next ones draw a history here.")
        return
    labels = [f"{run['seen_at'].astimezone(words.zone()):%d %b}" for run in runs]
    counts = [run["row_count"] for run in runs]
    alt = f"Affected rows in the last {len(runs)} runs: " + ", ".join(
        f"{label} {number:,}" for label, number in zip(labels, counts, strict=True)
    )
    charts.draw(charts.run_history(labels, counts), f"history:{row['finding_id']}", alt)


def _rows(row: reads.Row) -> None:
    count = "unknown" if row["row_count"] is None else f"{row['row_count']:,}"
    with st.expander(
        f"Affected rows  ·  {count}",
        icon=":material/table_rows:",
        key=f"rows:{row['report_id']}:{row['position']}",
        on_change="rerun",
    ) as box:
        if box.open:
            affected_rows(row)


def affected_rows(row: reads.Row) -> None:
    """Show a finding's first affected rows, or their positions where the data is not at hand."""
    positions = reads.finding_rows(row["report_id"], row["position"], FIRST_ROWS)
    table = kept_table(row["report_id"])
    if not positions:
        st.caption("Which rows are affected is not recorded for this finding.")
    elif table is None:
        shown = ", ".join(f"{position:,}" for position in positions)
        st.markdown(f":small[{shown}{' …' if len(positions) == FIRST_ROWS else ''}]")
        st.caption(
            "Row positions, counted from 0. The data itself stays with whoever inspected it and is "
            "not part of the report."
        )
    else:
        rows_of(table, positions, row["row_count"], row["column"])


def rows_of(table: Table, positions: list[int], count: int | None, column: str) -> None:
    """Show the first affected rows of a table at hand, the finding's column first."""
    shown = table.rows(positions, FIRST_ROWS)
    order = [column] + [c for c in shown.columns if c != column] if column in shown.columns else None
    st.dataframe(shown, row_height=30, column_order=order, alt="Affected rows")
    if count is not None and count > len(shown):
        st.caption(f"The first {len(shown):,} of {count:,} rows. Positions are counted from 0.")
    else:
        st.caption("Positions are counted from 0.")
