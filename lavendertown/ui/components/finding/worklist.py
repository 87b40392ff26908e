"""Show how many rows of a finding are answered, give its rows out as a file, and read filled files."""

from __future__ import annotations

from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from lavendertown.collaboration.parts.worklist_answers import AnswersPreview
from lavendertown.core.errors import LavenderTownError
from lavendertown.core.settings import load_settings
from lavendertown.inspection.result_files import InspectionResult
from lavendertown.interchange.worklists.answers import FilledRows, describe_answer
from lavendertown.interchange.worklists.worklist_file import UNASSIGNED, Worklist, write_worklist
from lavendertown.profile.masking import is_masked
from lavendertown.records.validation import MAX_WORKLIST_ROWS
from lavendertown.ui import errors, inspections, queries, worklist_actions
from lavendertown.ui.components.shared import layout, person
from lavendertown.ui.components.shared.formatting import escape_markdown, format_count

_PLACE = "worklist"
_READ_PLACE = "worklist:read"
_MADE, _READ, _DONE = "worklist:made", "worklist:filled", "worklist:done"
_MAX_SHOWN = 50
_MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_MAX_UPLOAD_MB = 20
_THIS, _ALL = "This finding", "All open findings"


def draw_worklist(row: queries.Row, result: InspectionResult | None) -> None:
    """Draw the section about the worklist of a finding, unless it has none and its data is not at hand.

    Args:
        row: The finding in a report.
        result: The inspection that the report was saved from, if it is in this session.
    """
    counts = queries.count_answers(row["report_id"]).get(row["finding_id"])
    if counts is None and (result is None or not row["row_count"]):
        return
    if counts is not None:
        st.markdown(f":small[:material/checklist:&ensp;{describe_counts(counts)}]")
    # With another label, the browser would take it for another expander, which is closed.
    with st.expander(
        "Row worklist",
        icon=":material/checklist:",
        key=f"worklist:{row['report_id']}:{row['position']}",
        on_change="rerun",
    ) as box:
        if box.open:
            _draw_content(row, result, counts)


def describe_counts(counts: queries.Row) -> str:
    """Return how many rows are answered: ``14 of 23 rows answered: 12 done, 2 cannot``."""
    text = f"{counts['answered_count']:,} of {format_count(counts['row_count'], 'row')} answered"
    if not counts["answered_count"]:
        return text
    return f"{text}: {counts['done_count']:,} done, {counts['cannot_count']:,} cannot"


def _draw_content(row: queries.Row, result: InspectionResult | None, counts: queries.Row | None) -> None:
    if counts is not None and counts["reasons"]:
        _draw_reasons(counts["reasons"])
    layout.show_notice(_PLACE)
    made: list[Worklist] = st.session_state.get(_MADE, {}).get(_made_key(row), [])
    if made:
        _draw_downloads(made)
    elif result is not None:
        _draw_key_fields(row, result)
    else:
        st.caption("The rows were given out as Excel files. Read a filled file to see its answers here.")
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
        if counts is not None and st.button(
            "Read a filled file…", icon=":material/upload_file:", key="worklist:open-read"
        ):
            _open_read_dialog()
        if made:
            _draw_discard_buttons(made)
        elif result is not None:
            _draw_make_button(row, result)


def _draw_reasons(reasons: list[dict[str, Any]]) -> None:
    shown = [
        {
            "Row": each["row"],
            "Key": each["key"],
            "Answer": each["answer"],
            "Reason": each["reason"],
            "By": each["by"],
        }
        for each in reasons[:_MAX_SHOWN]
    ]
    frame = pd.DataFrame(shown)
    if not any(each["key"] for each in reasons):
        frame = frame.drop(columns="Key")
    st.dataframe(frame, hide_index=True, row_height=30, height="content", alt="Reasons of answers")
    if len(reasons) > _MAX_SHOWN:
        st.caption(f"The first {_MAX_SHOWN} of {len(reasons):,} reasons.")


def _draw_key_fields(row: queries.Row, result: InspectionResult) -> None:
    st.caption(
        "An Excel file for each assignee, with a row per failing row and columns to answer: done, or cannot "
        "and the reason."
    )
    st.segmented_control("Rows of", [_THIS, _ALL], default=_THIS, required=True, key=_scope_key(row))
    chosen = st.multiselect(
        "Key columns",
        result.columns,
        default=[name for name in result.evidence.key if name in result.columns],
        placeholder="Columns that identify a row",
        key=_columns_key(row),
    )
    masked = [name for name in chosen if is_masked(name, load_settings().evidence_mask)]
    if masked:
        st.caption(
            f"The file has the values of {escape_markdown(', '.join(masked))}, masked elsewhere, to find the "
            "rows. They are not stored."
        )


def _draw_make_button(row: queries.Row, result: InspectionResult) -> None:
    scope, key = (st.session_state.get(name) for name in (_scope_key(row), _columns_key(row)))
    st.button(
        "Make worklist",
        icon=":material/checklist:",
        key="worklist:make",
        type="primary",
        disabled=layout.has_question(_PLACE),
        on_click=person.run_with_name,
        args=(_PLACE, _create, row, result, scope or _THIS, list(key or ())),
        help=f"At most {MAX_WORKLIST_ROWS:,} rows",
    )


def _scope_key(row: queries.Row) -> str:
    return f"worklist:scope:{_made_key(row)}"


def _columns_key(row: queries.Row) -> str:
    return f"worklist:key:{_made_key(row)}"


def _made_key(row: queries.Row) -> str:
    return f"{row['report_id']}:{row['position']}"


def _create(row: queries.Row, result: InspectionResult, scope: str, key: list[str]) -> None:
    report = {"id": row["report_id"], "dataset": row["dataset"]}
    finding_ids = [row["finding_id"]] if scope == _THIS else []
    made = worklist_actions.create_worklists(result, report, finding_ids, key, _PLACE)
    if made:
        st.session_state[_MADE] = {_made_key(row): made}


def _draw_downloads(made: list[Worklist]) -> None:
    for each in made:
        st.download_button(
            f"{escape_markdown(each.owner) or UNASSIGNED.capitalize()}: "
            f"{format_count(each.row_count, 'row')} (.xlsx)",
            partial(write_worklist, each),
            file_name=each.file_name,
            mime=_MEDIA_TYPE,
            type="primary",
            icon=":material/download:",
            on_click="ignore",
            key=f"worklist:save:{each.id}",
        )


def _draw_discard_buttons(made: list[Worklist]) -> None:
    st.button("Make another", type="tertiary", key="worklist:another", on_click=_forget_made)
    st.button(
        "Discard",
        type="tertiary",
        key="worklist:discard",
        on_click=_discard,
        args=([each.id for each in made],),
        help="Moves what was just made to the trash",
    )


def _forget_made() -> None:
    st.session_state.pop(_MADE, None)


def _discard(worklist_ids: list[str]) -> None:
    _forget_made()
    worklist_actions.delete_worklists(worklist_ids)


def _open_read_dialog() -> None:
    for key in (_DONE, _READ):
        st.session_state.pop(key, None)
    layout.withdraw_question(_READ_PLACE)
    _draw_read_dialog()


@st.dialog("Read a filled worklist", icon=":material/upload_file:", width="medium")
def _draw_read_dialog() -> None:
    if st.session_state.pop(_DONE, False):
        # Only a run of the whole page closes the dialog.
        st.rerun()
    st.caption("Rows and columns may have been sorted, moved, added or deleted; each row is found by its id.")
    file = st.file_uploader(
        "Filled file",
        type=["xlsx", "xls", "ods", "csv"],
        max_upload_size=_MAX_UPLOAD_MB,
        key="worklist:file",
    )
    if file is None:
        return
    try:
        filled = _read_once(file.file_id, file.name, file.getvalue())
        preview = queries.current_storage().worklists.preview(filled, author=person.current_name())
    except LavenderTownError as error:
        errors.show_error(error)
        return
    _draw_preview(preview)
    layout.show_notice(_READ_PLACE)
    _draw_save_buttons(preview, filled)


def _read_once(file_id: str, name: str, content: bytes) -> FilledRows:
    """Return the answers in an upload, read once and not in each run of the dialog."""
    known: dict[str, FilledRows] = st.session_state.get(_READ, {})
    if file_id not in known:
        st.session_state[_READ] = known = {file_id: inspections.read_worklist(content, name)}
    return known[file_id]


def _draw_preview(preview: AnswersPreview) -> None:
    facts = [
        f"**{format_count(len(preview.changes), 'answer')}** to save",
        f"{preview.unchanged:,} known before",
        f"{format_count(preview.open_count, 'row')} open",
    ]
    st.markdown(" · ".join(facts))
    if preview.problems:
        _draw_list(
            "Not taken",
            [f"{each.place}: {each.text}" for each in preview.problems],
        )
    if preview.conflicts:
        _draw_list(
            "Conflicts",
            [
                f"Row {each.row:,}{f', key {each.row_key}' if each.row_key else ''}: the file has "
                f"{describe_answer(each.answer.answer, each.answer.reason)}, {each.stored.by} saved "
                f"{describe_answer(each.stored.answer, each.stored.reason)}."
                for each in preview.conflicts
            ],
        )


def _draw_list(heading: str, sentences: list[str]) -> None:
    st.markdown(f"**{heading}** :small[:gray[{len(sentences):,}]]")
    with st.container(border=True, gap="xsmall", height=220 if len(sentences) > 5 else "content"):
        for sentence in sentences[:_MAX_SHOWN]:
            st.markdown(f":small[{escape_markdown(sentence)}]")
        if len(sentences) > _MAX_SHOWN:
            st.caption(f"And {len(sentences) - _MAX_SHOWN:,} more.")


def _draw_save_buttons(preview: AnswersPreview, filled: FilledRows) -> None:
    with st.container(horizontal=True, gap="xsmall"):
        st.button(
            f"Save {format_count(len(preview.changes), 'answer')}",
            type="primary",
            key="worklist:save",
            disabled=not preview.changes or layout.has_question(_READ_PLACE),
            on_click=person.run_with_name,
            args=(_READ_PLACE, _save, filled, False),
        )
        if preview.conflicts:
            st.button(
                f"Save and overwrite {format_count(len(preview.conflicts), 'conflict')}",
                key="worklist:overwrite",
                disabled=layout.has_question(_READ_PLACE),
                on_click=person.run_with_name,
                args=(_READ_PLACE, _save, filled, True),
            )


def _save(filled: FilledRows, overwrite: bool) -> None:
    if worklist_actions.save_answers(filled, overwrite=overwrite, place=_READ_PLACE):
        st.session_state[_DONE] = True
