"""Show what the import of a bundle changes, and import it."""

from __future__ import annotations

import streamlit as st

from lavendertown.core.errors import LavenderTownError
from lavendertown.records.record_classes import RecordKind
from lavendertown.transfer.bundles.importing import BundlePreview, BundleReport, DatasetEffect, preview_bundle
from lavendertown.transfer.bundles.merging import DeletionState, MergeState
from lavendertown.transfer.bundles.reading import Bundle
from lavendertown.ui import actions, errors, queries
from lavendertown.ui.components.inspect import inspection_state
from lavendertown.ui.components.shared import layout, person
from lavendertown.ui.components.shared.formatting import escape_markdown, format_count

_PLACE = "import"
_MAX_SHOWN = 20
_KINDS = {
    RecordKind.REPORT: "Reports",
    RecordKind.ANNOTATION: "Comments",
    RecordKind.TRIAGE: "Decisions",
    RecordKind.INCIDENT: "Incidents",
}
_STATES = {
    MergeState.NEW: "new",
    MergeState.CHANGED: "changed",
    MergeState.UNCHANGED: "unchanged",
    MergeState.KEPT: "newer here",
    MergeState.IN_TRASH: "in the trash",
}
_DELETION_STATES = {
    DeletionState.TRASHED: "moved to the trash",
    DeletionState.KEPT: "kept",
    DeletionState.GONE: "not here anyway",
}


def draw_bundle(bundle: Bundle) -> None:
    """Draw what a bundle would change, with the buttons to import or to discard it."""
    with st.container(border=True, width=760):
        count = format_count(len(bundle.content.reports), "report")
        st.markdown(f"**{escape_markdown(bundle.name)}** is a bundle of {count}.")
        preview = None
        try:
            preview = preview_bundle(queries.current_storage(), bundle)
        except LavenderTownError as error:
            errors.show_error(error)
        if preview is not None:
            _draw_preview(preview)
        layout.show_notice(_PLACE)
        with st.container(horizontal=True, gap="xsmall"):
            if preview is not None and not preview.changes_nothing:
                st.button(
                    "Import bundle",
                    type="primary",
                    icon=":material/download:",
                    disabled=layout.has_question(_PLACE),
                    on_click=person.run_with_name,
                    args=(_PLACE, _import, bundle),
                )
            st.button("Start over", type="tertiary", on_click=inspection_state.start_over)


def _draw_preview(preview: BundlePreview) -> None:
    for effect in preview.datasets[:_MAX_SHOWN]:
        _draw_effect(effect, [each for each in preview.reports if each.dataset == effect.dataset])
    if len(preview.datasets) > _MAX_SHOWN:
        st.caption(f"And {format_count(len(preview.datasets) - _MAX_SHOWN, 'more dataset')}.")
    rows = {label: _describe_states(preview, kind) for kind, label in _KINDS.items()}
    deleted = {_DELETION_STATES[state]: number for state, number in preview.deletions.items()}
    rows["Deletions"] = ", ".join(f"{number:,} {state}" for state, number in deleted.items() if number)
    st.table(
        {label: text for label, text in rows.items() if text},
        border="horizontal",
        alt="What an import changes, by kind of record",
    )
    if preview.count(MergeState.IN_TRASH):
        st.caption("What is in the trash here stays there.")
    if preview.deletions[DeletionState.KEPT]:
        st.caption("Reports and comments that were changed here, or did not come from a bundle, are kept.")
    if preview.changes_nothing:
        st.markdown(":material/check: Everything is here already, or newer here; an import changes nothing.")
    else:
        st.caption("Of two versions of a comment, a decision or an incident, the one changed last is kept.")


def _draw_effect(effect: DatasetEffect, reports: list[BundleReport]) -> None:
    joined = (
        f"{format_count(effect.report_count, 'report')} so far" if effect.report_count else "a new dataset"
    )
    with st.container(border=True):
        st.markdown(f"**{escape_markdown(effect.dataset or 'No dataset')}** :gray[{joined}]")
        for report in reports[:_MAX_SHOWN]:
            st.markdown(f"{escape_markdown(report.title)} :gray[{_STATES[report.state]}]")
        if len(reports) > _MAX_SHOWN:
            st.caption(f"And {format_count(len(reports) - _MAX_SHOWN, 'more report')}.")
        with st.container(horizontal=True, gap="medium"):
            st.metric("Findings new here", f"{effect.new:,}", width="content")
            st.metric("Findings known here", f"{effect.known:,}", width="content")


def _describe_states(preview: BundlePreview, kind: RecordKind) -> str:
    counted = [(state, preview.count(state, kind=kind)) for state in MergeState]
    return ", ".join(f"{number:,} {_STATES[state]}" for state, number in counted if number)


def _import(bundle: Bundle) -> None:
    merged = actions.import_bundle(bundle)
    if merged is None:
        return
    inspection_state.start_over()
    shown = [each for each in merged.reports if each.state is not MergeState.IN_TRASH]
    if len(shown) == 1:
        layout.queue_navigation(layout.REPORT, report=shown[0].report_id)
    else:
        layout.queue_navigation(layout.REPORTS)
