"""What can be done with a whole report: link, rename, tag, delete, export."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from urllib.parse import quote

import streamlit as st

from lavendertown import codec
from lavendertown.errors import NotFoundError
from lavendertown.ui import actions, reads
from lavendertown.ui.components import frame, words

_OPEN = "manage:open"
_DONE = "manage:done"
LINK, RENAME, TAGS, DELETE = "Copy link", "Rename…", "Edit tags…", "Delete report"


def menus(report: reads.Row) -> None:
    """Show the Export and More menus."""
    with st.popover("Export", icon=":material/download:"):
        name = file_name(report)
        st.download_button(
            "Report file (.json)",
            lambda: report_file(report["id"]),
            file_name=f"{name}.json",
            mime="application/json",
            type="tertiary",
            icon=":material/data_object:",
            on_click="ignore",
        )
        st.download_button(
            "Findings (.csv)",
            lambda: findings_csv(report["id"]),
            file_name=f"{name}.csv",
            mime="text/csv",
            type="tertiary",
            icon=":material/table:",
            on_click="ignore",
        )
    st.menu_button(
        "More",
        [LINK, RENAME, TAGS, DELETE],
        icon=":material/more_horiz:",
        type="tertiary",
        key="manage:more",
        on_click=_chosen,
        args=(report,),
    )


def dialogs(report: reads.Row, finding_id: str | None) -> None:
    """Open the dialog that was asked for. Belongs at a page's end: a dialog takes a place in it."""
    wanted = st.session_state.pop(_OPEN, None)
    if wanted == LINK:
        _link(report, finding_id)
    elif wanted == RENAME:
        _rename(report)
    elif wanted == TAGS:
        _retag(report)


def _chosen(report: reads.Row) -> None:
    wanted = st.session_state["manage:more"]
    if wanted == DELETE:
        actions.delete_report(report["id"], report["title"])
    else:
        st.session_state[_OPEN] = wanted


@st.dialog("Link to this report", icon=":material/link:")
def _link(report: reads.Row, finding_id: str | None) -> None:
    base = (st.context.url or "").split("?")[0]
    address = f"{base}?report={quote(report['id'], safe='')}"
    st.caption("Whoever can open this dashboard can open the link.")
    st.code(address, language=None, wrap_lines=True)
    if finding_id:
        st.caption("The same, with the finding that is open:")
        st.code(f"{address}&finding={quote(finding_id, safe='')}", language=None, wrap_lines=True)


@st.dialog("Rename report", icon=":material/edit:")
def _rename(report: reads.Row) -> None:
    frame.notice()
    st.text_input("Title", value=report["title"], key="manage:title")
    st.button("Rename", type="primary", on_click=_do_rename, args=(report,))
    _close_when_done()


def _do_rename(report: reads.Row) -> None:
    st.session_state[_DONE] = actions.rename(
        report["id"], _version(report), str(st.session_state["manage:title"])
    )


@st.dialog("Tags of this report", icon=":material/label:")
def _retag(report: reads.Row) -> None:
    frame.notice()
    options = list(dict.fromkeys([*report["tags"], *reads.known_tags()]))
    st.multiselect(
        "Tags",
        options,
        default=report["tags"],
        accept_new_options=True,
        select_all=False,
        key="manage:tags",
    )
    st.button("Save tags", type="primary", on_click=_do_retag, args=(report,))
    _close_when_done()


def _do_retag(report: reads.Row) -> None:
    st.session_state[_DONE] = actions.retag(report["id"], _version(report), st.session_state["manage:tags"])


def _version(report: reads.Row) -> int:
    """The version to save over: the one the dialog opened with, or after a refusal the newest."""
    if st.session_state.get(_DONE) is False:
        now = reads.report(report["id"])
        return int((now or report)["version"])
    return int(report["version"])


def _close_when_done() -> None:
    if st.session_state.get(_DONE):
        del st.session_state[_DONE]
        st.rerun()


def file_name(report: reads.Row) -> str:
    """Return a name for a report's files: its title in plain letters, and its id."""
    title = re.sub(r"[^A-Za-z0-9]+", "-", report["title"]).strip("-").lower()[:60]
    return f"{title}-{report['id']}" if title else str(report["id"])


def report_file(report_id: str) -> bytes:
    """Return the whole report as JSON, as ``import_report`` reads it.

    Raises:
        NotFoundError: It was deleted meanwhile.
    """
    report = reads.storage().load_report(report_id)
    if report is None:
        raise NotFoundError(f"No report {report_id!r}; it may have been deleted meanwhile.")
    return codec.dumps(codec.plain(report.to_dict(), "report"), indent=True)


def findings_csv(report_id: str) -> bytes:
    """Return a report's findings as CSV, UTF-8 with a mark so that spreadsheets read it right."""
    columns = ["severity", "ghost_type", "dataset", "column", "description", "row_count", "share"]
    columns += ["status", "tags", "comment_count", "first_seen", "last_seen", "finding_id"]
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(columns)
    for row in reads.findings(report_id, None):
        writer.writerow([_cell(row[column]) for column in columns])
    return out.getvalue().encode("utf-8-sig")


def _cell(value: object) -> object:
    """A spreadsheet runs what begins like a formula: such text gets a leading apostrophe."""
    if isinstance(value, list):
        value = ", ".join(value)
    text = value.isoformat() if hasattr(value, "isoformat") else value
    return f"'{text}" if isinstance(text, str) and text[:1] in "=+-@\t\r" and text else text


def _restore(report_id: str) -> None:
    actions.restore_report(report_id)


def trash(report_id: str, report: reads.Row | None) -> None:
    """Show that there is no such report, and where it is in the trash, the way back."""
    offers: list[Callable[[], object]] = [
        lambda: st.page_link(frame.REPORTS, label="All reports", icon=":material/description:")
    ]
    why = "Check the link; it may have been cut short, or the report is in another store."
    if report is not None:
        gone = reads.deletion(report_id)
        who = f" by {gone['actor']} on {words.moment(gone['at'])}" if gone else ""
        why = f"“{report['title']}” was deleted{who}. It is in the trash; nothing of it is lost."
        offers.insert(
            0,
            lambda: st.button(
                "Restore it",
                icon=":material/restore_from_trash:",
                on_click=_restore,
                args=(report_id,),
            ),
        )
    frame.empty("search_off", f"No report “{words.plain(report_id)}”", words.plain(why), *offers)
