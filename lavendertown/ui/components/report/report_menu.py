"""Menus and dialogs for a whole report: link, rename, tags, delete, export."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import quote

import streamlit as st

from lavendertown.interchange.exports import ExportContent
from lavendertown.transfer.bundles.writing import export_bundle
from lavendertown.ui import actions, queries
from lavendertown.ui.components.shared import download_menu, layout, person
from lavendertown.ui.components.shared.formatting import format_time

_OPEN = "manage:open"
_DONE = "manage:done"
_DIALOG = "manage:dialog"
DELETED = "manage:deleted"
"""Session key of the last report that the user deleted; its page then opens the list."""

LINK, RENAME, TAGS, DELETE = "Copy link", "Rename…", "Edit tags…", "Delete report"


def draw_menus(report: queries.Row) -> None:
    """Draw the Export and More menus."""
    download_menu.draw_download_menu(
        "Export",
        "report:export",
        export_file_name(report),
        lambda: read_report(report["id"]),
        read_bundle=lambda: read_bundle(report["id"]),
    )
    st.menu_button(
        "More",
        [LINK, RENAME, TAGS, DELETE],
        icon=":material/more_horiz:",
        type="tertiary",
        key="manage:more",
        on_click=_handle_menu,
        args=(report,),
    )


def open_dialogs(report: queries.Row, finding_id: str | None) -> None:
    """Open the requested dialog. Call this at the end of a page, as a dialog is one of its elements."""
    requested = st.session_state.pop(_OPEN, None)
    if requested == LINK:
        _link_dialog(report, finding_id)
    elif requested == RENAME:
        _rename_dialog(report)
    elif requested == TAGS:
        _tags_dialog(report)


def _handle_menu(report: queries.Row) -> None:
    requested = st.session_state["manage:more"]
    if requested == DELETE:
        person.run_with_name("page", _delete_report, report)
    else:
        layout.withdraw_question(_DIALOG)
        st.session_state[_OPEN] = requested


def _delete_report(report: queries.Row) -> None:
    if actions.delete_report(report["id"], report["title"]):
        st.session_state[DELETED] = report["id"]


@st.dialog("Link to this report", icon=":material/link:")
def _link_dialog(report: queries.Row, finding_id: str | None) -> None:
    base = (st.context.url or "").split("?")[0]
    address = f"{base}?report={quote(report['id'], safe='')}"
    st.caption("Whoever can open this dashboard can open the link.")
    st.code(address, language=None, wrap_lines=True)
    if finding_id:
        st.caption("The same, with the finding that is open:")
        st.code(f"{address}&finding={quote(finding_id, safe='')}", language=None, wrap_lines=True)


@st.dialog("Rename report", icon=":material/edit:")
def _rename_dialog(report: queries.Row) -> None:
    with st.container(key="focus-title"):
        st.text_input("Title", value=report["title"], key="manage:title")
    _submit_button("Rename", _save_title, report)
    _close_when_done()


def _submit_button(label: str, write: Callable[[queries.Row], None], report: queries.Row) -> None:
    layout.show_notice()
    layout.show_notice(_DIALOG)
    st.button(
        label,
        type="primary",
        disabled=layout.has_question(_DIALOG),
        on_click=person.run_with_name,
        args=(_DIALOG, write, report),
    )


def _save_title(report: queries.Row) -> None:
    st.session_state[_DONE] = actions.rename_report(
        report["id"], _version_to_save(report), str(st.session_state["manage:title"])
    )


@st.dialog("Tags of this report", icon=":material/label:")
def _tags_dialog(report: queries.Row) -> None:
    options = list(dict.fromkeys([*report["tags"], *queries.known_tags()]))
    st.multiselect(
        "Tags",
        options,
        default=report["tags"],
        accept_new_options=True,
        select_all=False,
        key="manage:tags",
    )
    _submit_button("Save tags", _save_tags, report)
    _close_when_done()


def _save_tags(report: queries.Row) -> None:
    st.session_state[_DONE] = actions.retag_report(
        report["id"], _version_to_save(report), st.session_state["manage:tags"]
    )


def _version_to_save(report: queries.Row) -> int:
    """Return the version to overwrite: the displayed one, or the newest after a conflict."""
    if st.session_state.get(_DONE) is False:
        now = queries.find_report(report["id"])
        return int((now or report)["version"])
    return int(report["version"])


def _close_when_done() -> None:
    if st.session_state.get(_DONE):
        del st.session_state[_DONE]
        st.rerun()


def export_file_name(report: queries.Row) -> str:
    """Return a file name for a report: its title in ASCII letters, and its id."""
    title = re.sub(r"[^A-Za-z0-9]+", "-", report["title"]).strip("-").lower()[:60]
    return f"{title}-{report['id']}" if title else str(report["id"])


def read_report(report_id: str) -> ExportContent:
    """Return what is exported of a report.

    Raises:
        NotFoundError: The report was deleted.
    """
    return queries.current_storage().exports.read_report(report_id)


def read_bundle(report_id: str) -> bytes:
    """Return the bundle of a report.

    Raises:
        NotFoundError: The report was deleted.
    """
    return export_bundle(queries.current_storage().store, [report_id])


def _restore_report(report_id: str) -> None:
    actions.restore_report(report_id)


def show_missing_report(report_id: str, report: queries.Row | None) -> None:
    """Show that a report does not exist, and offer to restore it if it is in the trash."""
    offers: list[Callable[[], object]] = [
        lambda: st.page_link(layout.REPORTS, label="All reports", icon=":material/description:")
    ]
    why = "Check the link; it may have been cut short, or the report is in another store."
    if report is not None:
        gone = queries.find_deletion(report_id)
        who = f" by {gone['actor']} on {format_time(gone['at'])}" if gone else ""
        why = f"“{report['title']}” was deleted{who}. It is in the trash; nothing of it is lost."
        offers.insert(
            0,
            lambda: st.button(
                "Restore it",
                icon=":material/restore_from_trash:",
                on_click=person.run_with_name,
                args=("page", _restore_report, report_id),
            ),
        )
    layout.show_empty_state(
        "search_off", f"No report “{report_id}”" if report_id else "No report chosen", why, *offers
    )
