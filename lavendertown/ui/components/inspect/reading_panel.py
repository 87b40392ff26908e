"""Draw the panel that shows how a file was read, with the settings as fields to correct."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd
import streamlit as st

from lavendertown.core.errors import InvalidInputError, LavenderTownError
from lavendertown.core.reading import COLUMN_TYPES, NO_DELIMITER, Reading
from lavendertown.inspection.result_files import InspectionResult
from lavendertown.ui import errors
from lavendertown.ui.components.inspect import reading_fields
from lavendertown.ui.components.shared import layout
from lavendertown.ui.components.shared.formatting import escape_markdown
from lavendertown.ui.components.shared.markdown import Markdown

_PLACE, _FALLBACK = "reading", "reading:fallback"
_DRAFT = "inspect:reading:draft"
_CHANGED = "inspect:reading:changed"
_MAX_SENTENCES = 5
_MAX_ROWS = 8
_ROW_HEIGHT = 32
_ABOVE_TABLE = ("header_row", "header_rows", "skip_lines")
_TYPES: Mapping[str, str] = {"detect": "Detect", **{each: each.capitalize() for each in COLUMN_TYPES}}
_KINDS = {"time": "Date", "other": "Nested"}


def show_reading(
    result: InspectionResult, read_again: Callable[[Reading], None], import_results: Callable[[], None]
) -> None:
    """Draw the panel, unless the table has no columns.

    Args:
        result: The inspection of the file.
        read_again: Starts to read the file again with the settings. It may raise a ``LavenderTownError``,
            which the panel shows; the result stays.
        import_results: Called if the table has results of checks.
    """
    layout.show_notice(_FALLBACK)
    if not result.columns:
        return
    attempt, given = _draft_of(result)
    count = f" :gray[({len(result.guesses):,} detected)]" if result.guesses else ""
    with st.expander(
        f"Reading settings{count}",
        icon=":material/info:",
        expanded=bool(attempt or given),
        key=f"inspect:reading:{result.folder.name}",
    ):
        if result.given and result.given == result.remembered:
            st.markdown(f"**Read as last time:** {_describe(result.given)}")
        _draw_list(result.guesses[:_MAX_SENTENCES])
        key = f"inspect:reading:{result.folder.name}:{attempt}"
        _draw_settings(result, given, key, read_again)
        if not result.source_name:
            st.button(
                "These are results of checks…",
                type="tertiary",
                key=f"{key}:results",
                help="Each row is a check of another tool: import them as findings.",
                on_click=import_results,
            )
        _draw_list(result.guesses[_MAX_SENTENCES:])


def _draw_list(sentences: Sequence[str]) -> None:
    if sentences:
        st.markdown("\n".join(f"- {escape_markdown(sentence)}" for sentence in sentences))


def _draft_of(result: InspectionResult) -> tuple[int, Mapping[str, Any]]:
    """Return the number of attempts to read this file again, and the settings of the last.

    The fields of the panel are not drawn while the file is read, and would forget what was entered.
    """
    folder, attempt, given = st.session_state.get(_DRAFT, ("", 0, {}))
    return (attempt, given) if folder == result.folder.name else (0, result.given)


def _draw_settings(
    result: InspectionResult, given: Mapping[str, Any], key: str, read_again: Callable[[Reading], None]
) -> None:
    """Draw the fields with the settings; a change reads the file again at once, unless it is not possible."""
    layout.show_notice(_PLACE)
    shown = {**result.reading, **given}
    if "encoding" in shown:
        shown.setdefault("delimiter", NO_DELIMITER if len(result.columns) == 1 else None)
    fields, table = st.columns(2, gap="medium")
    with fields, st.container(horizontal=True, gap="small"):
        chosen = reading_fields.draw_fields(result, shown, key)
    with table:
        types = _draw_types(result, shown, key)
    settings = _changed_settings(given, shown, chosen, types)
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
        is_reset_clicked = st.button(
            "Reset", icon=":material/refresh:", key=f"{key}:reset", help="Detect all settings again."
        )
        described = _describe(settings)
        st.caption(f"Set: {described}" if described else "A change reads the file again.", width="content")
    if is_reset_clicked:
        _try_reading(result, {}, read_again)
        return
    changed = [name for name, value in chosen.items() if value != shown.get(name)]
    if not changed and types == shown.get("types", {}):
        return
    if problem := _find_conflict(shown, chosen):
        st.markdown(f":small[:red[{escape_markdown(problem)}]]")
    elif not any(reading_fields.find_problem(name, chosen[name]) for name in changed):
        st.session_state[_CHANGED] = changed[0] if len(changed) == 1 else ""
        _try_reading(result, settings, read_again)


def _find_conflict(shown: Mapping[str, Any], chosen: Mapping[str, Any]) -> str:
    """Return why the header row and the lines above it cannot both be set as entered; empty if they can."""
    row, above = chosen.get("header_row"), chosen.get("skip_lines")
    if not row or row == shown.get("header_row") or above == shown.get("skip_lines") or above == row - 1:
        return ""
    return f"Row {row:,} has the column names, so {row - 1:,} are above it; change only one of the two."


def _describe(settings: Mapping[str, Any]) -> str:
    try:
        return escape_markdown(Reading.from_dict(settings).describe())
    except InvalidInputError:
        return ""  # Reading the file with them shows what is wrong.


def _draw_types(result: InspectionResult, shown: Mapping[str, Any], key: str) -> dict[str, str]:
    """Draw a table with the type of each column; return the types that are set."""
    set_types = shown.get("types", {})
    frame = pd.DataFrame(
        {
            "Column": result.columns,
            "Read as": [_KINDS.get(kind, kind.capitalize()) for kind in result.column_kinds],
            "Type": [_TYPES[set_types.get(name, "detect")] for name in result.columns],
        }
    )
    edited = st.data_editor(
        frame,
        hide_index=True,
        disabled=["Column", "Read as"],
        column_config={
            "Column": st.column_config.TextColumn(width="medium"),
            "Read as": st.column_config.TextColumn(width="small"),
            "Type": st.column_config.SelectboxColumn(
                options=list(_TYPES.values()), required=True, width="small"
            ),
        },
        row_height=_ROW_HEIGHT,
        height="content" if len(frame) <= _MAX_ROWS else int((_MAX_ROWS + 1.5) * _ROW_HEIGHT),
        key=f"{key}:types",
    )
    by_label = {label: name for name, label in _TYPES.items()}
    labels: Sequence[str] = edited["Type"].tolist()
    types = {
        name: by_label[label] for name, label in zip(result.columns, labels, strict=True) if label in by_label
    }
    return {name: column_type for name, column_type in types.items() if column_type != "detect"}


def _changed_settings(
    given: Mapping[str, Any], shown: Mapping[str, Any], chosen: Mapping[str, Any], types: Mapping[str, str]
) -> dict[str, Any]:
    """Return the settings that were given so far, with those that the user changed."""
    settings = dict(given)
    changed = {name for name, value in chosen.items() if value != shown.get(name)}
    if changed & {"sheet", "cell_range"}:
        # The row of the names was that of the other sheet or cells.
        for name in (*_ABOVE_TABLE, *(("cell_range",) if "sheet" in changed else ())):
            settings.pop(name, None)
    if "skip_lines" in changed and chosen.get("header_row"):
        settings.pop("header_row", None)
    elif "header_row" in changed:
        settings.pop("skip_lines", None)
    if "delimiter" in changed:
        settings.pop("column_starts", None)
    elif "column_starts" in changed:
        settings.pop("delimiter", None)
    settings |= {name: chosen[name] for name in changed}
    if "header_row" in settings and "delimiter" in chosen:
        # Detected below another row, the delimiter might be another than the one shown.
        settings["delimiter"] = chosen["delimiter"]
    return {name: value for name, value in {**settings, "types": dict(types)}.items() if value is not None}


def _try_reading(
    result: InspectionResult, settings: dict[str, Any], read_again: Callable[[Reading], None]
) -> None:
    attempt, _ = _draft_of(result)
    st.session_state[_DRAFT] = (result.folder.name, attempt + 1, settings)
    try:
        read_again(Reading.from_dict(settings))
    except LavenderTownError as error:
        show_problem(error)
    st.rerun()


def show_fallback(error: LavenderTownError) -> None:
    """Show above the panel why the stored settings of the dataset are not used."""
    text = Markdown(f"{errors.error_message(error)[0]} The settings were detected instead.")
    layout.queue_notice(text, "problem", place=_FALLBACK, lead="Not read as last time.")


def show_problem(error: LavenderTownError) -> None:
    """Show why the file could not be read again: below the field that was changed, if it is only one."""
    changed = st.session_state.pop(_CHANGED, "")
    place = reading_fields.field_place(changed) if changed else _PLACE
    layout.queue_notice(errors.error_message(error)[0], "problem", place=place)
