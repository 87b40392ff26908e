"""Show the findings of the inbox as a list: one row each, several can be selected, and one is open.

The list is a component of its own (``ui/assets/finding_list.js``), because a click anywhere in a row of it
opens the finding, the open row is marked, and its headers sort all pages by the query. A data grid of
Streamlit can do none of these.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from lavendertown.core.findings import WHOLE_ROW
from lavendertown.ui import actions, queries
from lavendertown.ui.components.findings import inbox_filters
from lavendertown.ui.components.shared import person
from lavendertown.ui.components.shared.formatting import (
    RUN_STATES,
    SEVERITIES,
    STATUSES,
    format_relative_time,
    short_description,
)

FINDING = "finding"
_KEY = "desk:list"
_SELECTED = "desk:selected"
_TURN = "desk:list:turn"
_ASSETS = Path(__file__).parents[2] / "assets"
_HIDDEN = "desk:hidden columns"
_COLUMNS_MENU = "desk:columns"
_NARROW = ("severity", "finding", "where", "status")


@dataclass(frozen=True)
class ListColumn:
    """A column of the list.

    Attributes:
        label: Its header.
        kind: How its cells are drawn: text, number, chips, runs or finding.
        order: The order of the inbox that its header applies; empty for none.
    """

    label: str
    kind: str = "text"
    order: str = ""


COLUMNS = {
    "severity": ListColumn("Severity", "chips", "severity"),
    "finding": ListColumn("Finding", "finding"),
    "where": ListColumn("Column"),
    "rows": ListColumn("Rows", "number", "last_count"),
    "runs": ListColumn("Last 12 runs", "runs", "times_seen"),
    "seen": ListColumn("Trend", "chips"),
    "why": ListColumn("Needs attention"),
    "status": ListColumn("Status", "chips"),
    "first": ListColumn("First seen", "text", "first_seen"),
    "last": ListColumn("Last seen", "text", "last_seen"),
    "assignee": ListColumn("Assignee"),
    "incident": ListColumn("Incident"),
    "notes": ListColumn("Comments", "number", "comment_count"),
    "tags": ListColumn("Tags", "chips"),
}
"""The columns by name, in their order."""

_mount_list = st.components.v2.component(
    "lavendertown_finding_list",
    html='<div class="list"></div>',
    css=(_ASSETS / "finding_list.css").read_text("utf-8"),
    js=(_ASSETS / "finding_list.js").read_text("utf-8"),
)


def selected_ids() -> list[str]:
    """Return the ids of the selected findings on all pages."""
    return list(st.session_state.get(_SELECTED, ()))


def select_ids(ids: list[str]) -> None:
    """Select these findings."""
    st.session_state[_SELECTED] = ids


def clear_selection() -> None:
    """Clear the selection."""
    select_ids([])


def opened_finding() -> str:
    """Return the id of the open finding, or an empty string."""
    return str(st.query_params.get(FINDING, ""))


def open_finding(finding_id: str) -> None:
    """Open a finding; an empty id closes the open one."""
    if finding_id:
        st.query_params[FINDING] = finding_id
    else:
        st.query_params.pop(FINDING, None)


def draw_list(rows: list[queries.Row], *, narrow: bool, shows_reasons: bool = False) -> None:
    """Show the findings.

    Args:
        rows: The inbox rows.
        narrow: Show only the most important columns, as a finding is open next to the list.
        shows_reasons: Show why the findings need attention, instead of what the runs say.
    """
    ids = [row["finding_id"] for row in rows]
    names = _NARROW if narrow else _shown_columns(rows, shows_reasons=shows_reasons)
    chosen = set(selected_ids())
    _mount_list(
        key=_KEY,
        data={
            "caption": "Findings, one row each; open one by its sentence, select several by their boxes",
            "columns": [_column_data(name) for name in names],
            "rows": [
                {
                    "id": row["finding_id"],
                    "address": _address(row["finding_id"]),
                    "cells": {name: _cell(row, name) for name in names},
                }
                for row in rows
            ],
            "open": opened_finding(),
            "order": inbox_filters.chosen_order(),
            "selected": [name for name in ids if name in chosen],
            "turn": st.session_state.get(_TURN, 0),
            "narrow": narrow,
        },
        on_open_change=lambda: _take_opened(ids),
        on_select_change=lambda: _take_selection(ids),
        on_order_change=_take_order,
    )


def _shown_columns(rows: Sequence[queries.Row], *, shows_reasons: bool) -> list[str]:
    hidden = {"seen" if shows_reasons else "why", *hidden_columns()}
    if not any(row["incident_title"] for row in rows):
        hidden.add("incident")
    return [name for name in COLUMNS if name not in hidden]


def hidden_columns() -> list[str]:
    """Return the columns that the user hides."""
    if person.current_name():
        return queries.hidden_columns(person.current_name())
    return list(st.session_state.get(_HIDDEN, ()))


def draw_columns_menu() -> None:
    """Draw the menu that shows and hides columns, for this person on every device."""
    hidden = hidden_columns()
    st.menu_button(
        "Columns",
        [name for name in COLUMNS if name != "finding"],
        format_func=lambda name: f"{'' if name in hidden else ':material/check: '}{COLUMNS[name].label}",
        type="tertiary",
        icon=":material/view_column:",
        key=_COLUMNS_MENU,
        on_click=_toggle_column,
    )


def _toggle_column() -> None:
    name, hidden = st.session_state[_COLUMNS_MENU], hidden_columns()
    changed = [each for each in hidden if each != name] if name in hidden else [*hidden, name]
    if person.current_name():
        actions.save_hidden_columns(changed)
    else:
        st.session_state[_HIDDEN] = changed


def _column_data(name: str) -> dict[str, str]:
    column = COLUMNS[name]
    order_label = inbox_filters.ORDERS.get(column.order, "")
    return {
        "name": name,
        "label": column.label,
        "kind": column.kind,
        "order": column.order,
        "order_label": order_label,
    }


def _address(finding_id: str) -> str:
    query = {**st.query_params.to_dict(), FINDING: finding_id}
    return f"?{urlencode(query)}"


def _cell(row: queries.Row, name: str) -> Any:
    match name:
        case "severity":
            colour, _, label = SEVERITIES[row["severity"]]
            return [[label, colour]]
        case "finding":
            return short_description(row["description"])
        case "where":
            return format_column(row)
        case "rows":
            return "" if row["last_count"] is None else f"{row['last_count']:,}"
        case "runs":
            return list(row["runs"])
        case "seen":
            colour, label = RUN_STATES.get(row["seen"], ("gray", row["seen"]))
            return [[label, colour]]
        case "why":
            return row["attention_text"]
        case "status":
            colour, _, label = STATUSES.get(row["status"], ("gray", "", row["status"]))
            return [[label, colour]]
        case "first" | "last":
            return format_relative_time(row[f"{name}_seen"])
        case "assignee":
            return row["assignee"]
        case "incident":
            return row["incident_title"]
        case "notes":
            return f"{row['comment_count']:,}" if row["comment_count"] else ""
        case _:
            return [[tag, "gray"] for tag in row["tags"]]


def format_column(row: queries.Row) -> str:
    """Return the dataset and column of a finding."""
    return ".".join(
        part for part in (row["dataset"], "" if row["column"] == WHOLE_ROW else row["column"]) if part
    )


def _take_opened(ids: Sequence[str]) -> None:
    opened = st.session_state[_KEY].open
    if opened in ids:
        open_finding(opened)


def _take_selection(ids: Sequence[str]) -> None:
    sent = st.session_state[_KEY].select
    if (
        not isinstance(sent, dict)
        or not isinstance(sent.get("ids"), list)
        or type(sent.get("turn")) is not int
    ):
        return  # not from our script
    others = [name for name in selected_ids() if name not in ids]
    st.session_state[_SELECTED] = [*others, *(name for name in ids if name in sent["ids"])]
    st.session_state[_TURN] = sent["turn"]


def _take_order() -> None:
    order = st.session_state[_KEY].order
    if isinstance(order, str) and order in inbox_filters.ORDERS:
        inbox_filters.apply_order(order)
