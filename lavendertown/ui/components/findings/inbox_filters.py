"""Views, filters and order of the inbox. They are stored in the URL, so that a link shows the same list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from lavendertown.collaboration import view_filters
from lavendertown.collaboration.chart_selection import ChartSelection
from lavendertown.ui import queries, triage_actions
from lavendertown.ui.components.shared import filters, person
from lavendertown.ui.components.shared.formatting import escape_markdown
from lavendertown.ui.components.trends import trend_steps

_LABELS = {
    "severity": "Severity",
    "dataset": "Dataset",
    "type": "Type",
    "seen": "Trend",
    "attention": "Attention",
    "due": "Due",
    "status": "Status",
    "assignee": "Assignee",
    "author": "Commented by",
    "tag": "Tags",
}
FACETS = {name: (view_filter, _LABELS[name]) for name, view_filter in view_filters.FACET_FILTERS.items()}
"""Query parameter → argument of the storage, label."""

ORDERS = {
    "severity": "Most severe first",
    "last_seen": "Last seen first",
    "first_seen": "Newest first",
    "last_count": "Most rows first",
    "times_seen": "Seen most often first",
    "comment_count": "Most discussed first",
}
VIEW, SORT, COUNTED = view_filters.VIEW, view_filters.SORT, view_filters.COUNTED
_NAMES = {
    "attention": "Needs attention",
    "open": "Open",
    "mine": "Mine",
    "closed": "Closed",
    "all": "All",
    "incidents": "Incidents",
    "mentions": "Mentions me",
    "snoozed": "Snoozed",
    "twins": "Possible duplicates",
}
INCIDENTS = "incidents"
_MORE = ("mentions", "snoozed", "twins", INCIDENTS)
_ALWAYS = ("attention", "open", "mine", "closed", "all")
_MENU = "desk:views"
_SAVE = "Save this view…"
_DELETE = "Delete this view"
_REFRESH_TOKEN = "desk:turn"


def refresh_token() -> int:
    """Return a number that changes if the list must be read again."""
    return int(st.session_state.get(_REFRESH_TOKEN, 0))


def refresh_inbox() -> None:
    """Make the next run read the list again; otherwise it stays unchanged when others make changes."""
    st.session_state[_REFRESH_TOKEN] = refresh_token() + 1


def current_view() -> str:
    """Return the current view."""
    requested = st.query_params.get(VIEW, view_filters.DEFAULT_VIEW)
    return requested if requested in _NAMES else view_filters.DEFAULT_VIEW


def view_title() -> str:
    """Return a title for the list: the view, and whether it is filtered."""
    return f"Findings: {_NAMES[current_view()]}{', filtered' if is_filtered() else ''}"


def chart_selection() -> str:
    """Return the chart bar whose findings are listed, empty for none."""
    return str(st.query_params.get(COUNTED, ""))


def chosen_filters() -> dict[str, Any]:
    """Return the current view and filters as arguments of the storage."""
    base = view_filters.base_view_filters(current_view(), person.current_name())
    chosen = view_filters.select_within_view(base, {name: st.query_params.get_all(name) for name in FACETS})
    if chart_selection():
        chosen["counted"] = chart_selection()
    chosen |= filters.chosen_text_and_days()
    return {key: list(v) if isinstance(v, tuple) else v for key, v in chosen.items()}


def chosen_order() -> str:
    """Return the current order of the list."""
    requested = st.query_params.get(SORT, "severity")
    return requested if requested in ORDERS else "severity"


def draw_view_switcher() -> None:
    """Draw buttons for the main views with their counts, and a menu with the other views."""
    now = current_view()
    shown = (*_ALWAYS, INCIDENTS) if queries.list_incidents() else _ALWAYS
    for name in shown if now in shown else (*shown, now):
        count = f"{_count_view(name):,}"
        here = name == now
        st.button(
            f":violet[**{_NAMES[name]} {count}**]" if here else f"{_NAMES[name]} :gray[{count}]",
            type="secondary" if here else "tertiary",
            key=f"desk:view:{name}",
            on_click=open_view,
            args=(name,),
        )
    saved = [row["name"] for row in queries.saved_views()]
    options = [*(_NAMES[name] for name in _MORE if name not in shown), *saved, _SAVE]
    if st.session_state.get("desk:saved") in saved:
        options.append(_DELETE)
    st.menu_button(
        "Views",
        options,
        format_func=escape_markdown,
        type="tertiary",
        icon=":material/bookmark:",
        key=_MENU,
        on_click=_handle_view_menu,
    )


def _count_view(name: str) -> int:
    """Return the number of findings in a view; of the view of incidents, how many are open."""
    return (
        len(queries.list_incidents("open"))
        if name == INCIDENTS
        else queries.count_inbox(view_filters.base_view_filters(name, person.current_name()))
    )


def open_view(name: str) -> None:
    """Open a view."""
    st.query_params[VIEW] = name
    st.session_state.pop("desk:saved", None)
    filters.go_to_first_page()
    refresh_inbox()


def _handle_view_menu() -> None:
    picked = st.session_state[_MENU]
    if picked == _SAVE:
        st.session_state["desk:dialog"] = ("view", ())
    elif picked == _DELETE:
        person.run_with_name("page", _delete_view, st.session_state["desk:saved"])
    elif picked in (more := {_NAMES[name]: name for name in _MORE}):
        open_view(more[picked])
    else:
        _apply_saved_view(next(row for row in queries.saved_views() if row["name"] == picked))


def _delete_view(name: str) -> None:
    st.session_state.pop("desk:saved", None)
    triage_actions.delete_view(name)


def inbox_query() -> dict[str, list[str]]:
    """Return the whole list for a saved view: the query parameters, also those with their defaults."""
    names = (COUNTED, *FACETS)
    query = {name: st.query_params.get_all(name) for name in names if st.query_params.get_all(name)}
    query |= {VIEW: [current_view()], SORT: [chosen_order()]}
    if st.session_state.get(filters.TEXT):
        query[filters.TEXT] = [str(st.session_state[filters.TEXT])]
    days = zip((filters.FIRST_DAY, filters.LAST_DAY), filters.chosen_days(), strict=True)
    return query | {name: [day.isoformat()] for name, day in days if day}


def _apply_saved_view(saved: queries.Row) -> None:
    """Show exactly what was saved. A view that was saved without a base view or order has the defaults."""
    clear_filters()
    for name in (VIEW, SORT):
        st.query_params.pop(name, None)
    for name, values in saved["query"].items():
        if name in (VIEW, SORT, COUNTED, *FACETS) and isinstance(values, list):
            st.query_params[name] = [str(value) for value in values]
    st.session_state[filters.TEXT] = str((saved["query"].get(filters.TEXT) or [""])[0])
    filters.set_days(view_filters.parse_days(saved["query"]))
    st.session_state["desk:saved"] = saved["name"]
    refresh_inbox()


def clear_filters() -> None:
    """Clear all filters; keep the view."""
    for name in (COUNTED, *FACETS):
        st.query_params.pop(name, None)
    st.session_state[filters.TEXT] = ""
    filters.set_days((None, None))
    filters.go_to_first_page()


def draw_filter_bar() -> dict[str, Any]:
    """Draw the filter row; return the current view and filters."""
    menus = filters.draw_text_and_days("Search findings", "Search findings and comments", "Last seen", FACETS)
    # After the widgets above, which read their values from the URL on a first visit.
    chosen = chosen_filters()
    counts = queries.inbox_facets(chosen)
    with menus:
        for name, (key, label) in FACETS.items():
            filters.draw_filter_menu(
                name, label, _label_counts(name, counts[key]), "No finding has any.", filters.go_to_first_page
            )
    return chosen


def _label_counts(name: str, counts: Mapping[str, int]) -> dict[str, int]:
    if name != "assignee":
        return dict(counts)
    return {value or filters.NOBODY_KEY: count for value, count in counts.items()}


def draw_order_menu() -> None:
    """Draw the menu with the order of the list."""
    now = chosen_order()
    st.menu_button(
        ORDERS[now],
        list(ORDERS),
        format_func=lambda name: f"{':material/check: ' if name == now else ''}{ORDERS[name]}",
        type="tertiary",
        icon=":material/sort:",
        key="desk:sort",
        on_click=_apply_chosen_order,
    )


def apply_order(order: str) -> None:
    """Sort the list, on all pages."""
    st.query_params[SORT] = order
    filters.go_to_first_page()


def _apply_chosen_order() -> None:
    apply_order(st.session_state["desk:sort"])


def draw_chart_selection() -> None:
    """Show the selected chart bar, with a button to clear it."""
    if chart_selection():
        st.button(
            f":violet[**{trend_steps.describe_selection(ChartSelection.parse(chart_selection()))}**]",
            type="tertiary",
            icon=":material/close:",
            key="desk:counted",
            help="Show all again",
            on_click=_clear_chart_selection,
        )


def _clear_chart_selection() -> None:
    st.query_params.pop(COUNTED, None)
    filters.go_to_first_page()


def is_filtered() -> bool:
    """Return whether any filter is set."""
    return bool(
        st.session_state.get(filters.TEXT)
        or any(filters.chosen_days())
        or chart_selection()
        or any(st.query_params.get_all(name) for name in FACETS)
    )


def show_all() -> None:
    """Clear all filters and show all findings."""
    clear_filters()
    open_view("all")
