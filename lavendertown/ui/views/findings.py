"""Findings screen (the inbox): all findings of all reports, each once, with their triage."""

from __future__ import annotations

from typing import Any

import streamlit as st

from lavendertown.core import clock
from lavendertown.ui import demo_store, queries
from lavendertown.ui.components.finding import finding_detail
from lavendertown.ui.components.findings import dialogs, finding_list, inbox_actions, inbox_filters
from lavendertown.ui.components.incidents import incident_list
from lavendertown.ui.components.inspect import inspection_state, upload_form
from lavendertown.ui.components.shared import (
    change_notifier,
    demo_prompt,
    download_menu,
    filters,
    large_store_hint,
    layout,
)
from lavendertown.ui.components.shared.formatting import escape_markdown, format_count, inline_code

PAGE_SIZE = 50
# The last page may be longer by these rows, so that no page has only a few.
PAGE_SLACK = 5

EMPTY_VIEWS = {
    "attention": ("check_circle", "All clear", "No finding needs attention now."),
    "open": ("check_circle", "All clear", "No finding is open."),
    "mine": ("person", "Nothing is assigned to you", "Findings that you are assigned to appear here."),
    "closed": ("task_alt", "No finding is closed yet", "Fixed, accepted and false alarms appear here."),
    "mentions": ("alternate_email", "No mentions", "Comments that name you with @ lead their findings here."),
    "snoozed": ("snooze", "Nothing is snoozed", "A snoozed finding waits here until its time or its size."),
    "twins": ("content_copy", "No possible duplicates", "No finding looks like another under a new name."),
}
_SHOWN = "desk:shown"


def render_findings_page() -> None:
    """Draw the screen."""
    with layout.draw_page_header("Findings"):
        news = st.container(width="content")
        if queries.count_inbox({}):
            inbox_filters.draw_view_switcher()
    if not queries.count_inbox({}):
        show_no_findings()
        return
    if inbox_filters.current_view() == inbox_filters.INCIDENTS:
        change_notifier.set_baseline()
        with news:
            change_notifier.show_changes(also=("view",))
        incident_list.show_incidents()
        return
    chosen = inbox_filters.draw_filter_bar()
    matching = queries.count_inbox(chosen)
    if not matching and not finding_list.opened_finding():
        show_empty_view()
        dialogs.draw_open_dialog()
        return
    pages = max(1, -(-(matching - PAGE_SLACK) // PAGE_SIZE))
    number = min(int(st.session_state.get(filters.PAGE) or 1), pages)
    rows = read_list_rows(chosen, number, is_last=number == pages)
    with news:
        change_notifier.show_changes(on_show=inbox_filters.refresh_inbox, also=("view",))
    current = find_opened_row(rows)
    draw_list_and_detail(rows, current, matching)
    if pages > 1:
        st.pagination(pages, key=filters.PAGE, width="content", bind="query-params", persist_state="session")
    large_store_hint.show_large_store_hint()
    inbox_actions.draw_selection_bar(matching)
    dialogs.draw_open_dialog()


def read_list_rows(chosen: dict[str, Any], number: int, *, is_last: bool) -> list[queries.Row]:
    """Return the rows of a page; they stay the same until the user asks for other rows."""
    list_key = (
        demo_store.is_shown(),
        repr(chosen),
        inbox_filters.chosen_order(),
        (number, is_last),
        inbox_filters.refresh_token(),
    )
    shown = st.session_state.get(_SHOWN)
    if shown is None or shown[0] != list_key or layout.is_first_run():
        change_notifier.set_baseline()
        limit = PAGE_SIZE + (PAGE_SLACK if is_last else 0)
        rows = queries.inbox_page(chosen, inbox_filters.chosen_order(), limit, (number - 1) * PAGE_SIZE)
        st.session_state[_SHOWN] = (list_key, [row["finding_id"] for row in rows])
        return rows
    return queries.inbox_rows(tuple(shown[1]))


def find_opened_row(rows: list[queries.Row]) -> queries.Row | None:
    """Return the open finding, even if it is not in the list."""
    name = finding_list.opened_finding()
    if not name:
        return None
    found = next((row for row in rows if row["finding_id"] == name), None)
    others = [] if found else queries.inbox_rows((name,))
    if found is None and not others:
        st.warning(f"There is no finding {inline_code(name)} in any report.", icon=":material/search_off:")
    return found or next(iter(others), None)


def draw_list_and_detail(rows: list[queries.Row], current: queries.Row | None, matching: int) -> None:
    """Show the list, and next to it the open finding."""
    if current is None:
        draw_list(rows, matching, narrow=False)
        return
    left, right = st.columns([1, 1.05], gap="medium")
    with left.container(key="beside-finding"):
        draw_list(rows, matching, narrow=True)
    with right.container(border=True, key=f"open-finding-{current['finding_id']}"):
        with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
            draw_shortcuts(rows, current)
        occurrence = queries.find_finding(current["report_id"], current["finding_id"])
        if occurrence is not None:
            finding_detail.show_finding(occurrence)


def draw_list(rows: list[queries.Row], matching: int, *, narrow: bool) -> None:
    """Show the grid below a line with the number of findings and the order."""
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.caption(
            f"{format_count(matching, 'finding')} · rows counted in the latest run",
            width="content",
        )
        inbox_filters.draw_chart_selection()
        inbox_filters.draw_order_menu()
        if inbox_filters.is_filtered():
            draw_clear_button("desk:clear")
        if not narrow:
            finding_list.draw_columns_menu()
            draw_download_menu()
            draw_shortcuts(rows, None)
        _shortcut_button("Help", ":material/help:", "H", inbox_actions.open_dialog, "help", [])
    if rows:
        shows_reasons = inbox_filters.current_view() == "attention"
        finding_list.draw_list(rows, narrow=narrow, shows_reasons=shows_reasons)


def draw_download_menu() -> None:
    """Draw the menu that downloads all findings that match, in the order of the list."""
    chosen, order = inbox_filters.chosen_filters(), inbox_filters.chosen_order()
    title = inbox_filters.view_title()
    download_menu.draw_download_menu(
        "Download",
        "desk:download",
        f"findings-{clock.now():%Y-%m-%d}",
        lambda: queries.current_storage().exports.read_inbox(title, order, **chosen),
        is_tertiary=True,
    )


def draw_shortcuts(rows: list[queries.Row], current: queries.Row | None) -> None:
    """Draw the buttons that also have keys."""
    ids = [row["finding_id"] for row in rows]
    name = current["finding_id"] if current else ""
    place = ids.index(name) if name in ids else -1
    if current is not None:
        for label, icon, key, step in (
            ("Previous", ":material/keyboard_arrow_up:", "K", -1),
            ("Next", ":material/keyboard_arrow_down:", "J", 1),
        ):
            target = ids[(place + step) % len(ids)] if ids else name
            _shortcut_button(label, icon, key, finding_list.open_finding, target)
        _shortcut_button(
            "Close…", ":material/check_circle:", "X", inbox_actions.open_dialog, "reason:", [name]
        )
        _shortcut_button("Assign…", ":material/person:", "A", inbox_actions.open_dialog, "assign", [name])
        _shortcut_button(
            "Comment…", ":material/add_comment:", "M", inbox_actions.open_dialog, "comment", [name]
        )
        _shortcut_button("List", ":material/close_fullscreen:", "O", finding_list.open_finding, "")
    elif ids:
        _shortcut_button("Open the first", ":material/open_in_full:", "O", finding_list.open_finding, ids[0])


def _shortcut_button(label: str, icon: str, key: str, work: Any, *arguments: Any) -> None:
    st.button(
        label,
        icon=icon,
        type="tertiary",
        shortcut=key,
        key=f"desk:key:{key}",
        on_click=work,
        args=arguments,
    )


def draw_clear_button(key: str, kind: Any = "tertiary") -> None:
    """Draw the button that clears all filters."""
    st.button(
        "Clear filters",
        type=kind,
        icon=":material/filter_alt_off:",
        key=key,
        on_click=inbox_filters.clear_filters,
    )


def show_no_findings() -> None:
    """Show the empty state of a store without findings."""
    if demo_prompt.is_preparing():
        demo_prompt.show_progress()
        return
    st.markdown(
        "**No findings yet.** Drop a table here to see what the checks find. Saved as a report, each finding "
        "keeps its discussion from run to run."
    )
    inspection = inspection_state.current_inspection()
    if inspection is None:
        upload_form.ask_for_file()
    else:
        st.page_link(
            layout.INSPECT,
            label=f"Continue with {escape_markdown(inspection.upload.name)}",
            icon=":material/troubleshoot:",
        )
    demo_prompt.draw_card()


def show_empty_view() -> None:
    """Show the empty state of a view, and how to see more."""
    if inbox_filters.is_filtered():
        why = filters.REVERSED if filters.is_reversed() else "Clear the filters, or choose another view."
        layout.show_empty_state(
            "filter_alt",
            "No finding matches these filters",
            why,
            lambda: draw_clear_button("desk:clear again", "secondary"),
        )
        return
    view = inbox_filters.current_view()
    icon, title, why = EMPTY_VIEWS.get(view, ("check_circle", "All clear", "No finding is in this view."))
    layout.show_empty_state(
        icon,
        title,
        why,
        lambda: st.button("Show all findings", on_click=inbox_filters.show_all),
    )


render_findings_page()
