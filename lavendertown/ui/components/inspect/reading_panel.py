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
from lavendertown.ui.components.shared import layout
from lavendertown.ui.components.shared.formatting import escape_markdown, format_count
from lavendertown.ui.components.shared.markdown import Markdown

_PLACE, _FALLBACK = "reading", "reading:fallback"
_DRAFT = "inspect:reading:draft"
_OTHER = "other"
_FIELD_WIDTH = 190
_MAX_SENTENCES = 5
_MAX_ROWS = 8
_ROW_HEIGHT = 32
_DETECTED = "Detect in each column"
_ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-16": "UTF-16",
    "cp1252": "Western (Windows-1252)",
    "latin-1": "Western (ISO 8859-1)",
    "iso8859-15": "Western with € (ISO 8859-15)",
    "mac_roman": "Western (Mac Roman)",
    "cp437": "DOS (437)",
    "cp850": "DOS (850)",
    "cp1250": "Central European (Windows-1250)",
    "cp1251": "Cyrillic (Windows-1251)",
    "koi8_r": "Cyrillic (KOI8-R)",
    "cp1253": "Greek (Windows-1253)",
    "cp1254": "Turkish (Windows-1254)",
    "shift_jis": "Japanese (Shift JIS)",
    "euc_jp": "Japanese (EUC)",
    "gb18030": "Chinese (GB 18030)",
    "big5": "Chinese (Big5)",
    "euc_kr": "Korean (EUC)",
}
_FIXED_WIDTH = "None (fixed width)"
_DELIMITERS: Mapping[str | None, str] = {
    ",": "Comma ( , )",
    ";": "Semicolon ( ; )",
    "\t": "Tab",
    "|": "Bar ( | )",
    "^": "Caret ( ^ )",
    " ": "Blanks",
    NO_DELIMITER: "None (one column)",
    _OTHER: "Other…",
}
_DECIMALS = {None: _DETECTED, ".": "Point (1.5)", ",": "Comma (1,5)"}
_DATE_ORDERS = {None: _DETECTED, "day": "Day first", "month": "Month first", "year": "Year first"}
_TYPES: Mapping[str, str] = {"detect": "Detect", **{each: each.capitalize() for each in COLUMN_TYPES}}
_KINDS = {"time": "Date", "other": "Nested"}


def show_reading(result: InspectionResult, read_again: Callable[[Reading], None]) -> None:
    """Draw the panel, unless nothing was detected.

    Args:
        result: The inspection of the file.
        read_again: Starts to read the file again with the settings. It may raise a ``LavenderTownError``,
            which the panel shows; the result stays.
    """
    layout.show_notice(_FALLBACK)
    if not result.guesses and not result.reading:
        return
    attempt, given = _draft_of(result)
    count = format_count(len(result.guesses), "guess", "guesses")
    with st.expander(
        f"How this file was read :gray[{count}]",
        icon=":material/info:",
        expanded=bool(attempt or given),
        key=f"inspect:reading:{result.folder.name}",
    ):
        if result.given and result.given == result.remembered:
            st.markdown(f"**Read as last time:** {_describe(result.given)}")
        _draw_list(result.guesses[:_MAX_SENTENCES])
        if result.reading:
            _draw_settings(result, given, f"inspect:reading:{result.folder.name}:{attempt}", read_again)
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
    """Draw the fields with the settings, and the buttons that read the file again or reset the fields."""
    layout.show_notice(_PLACE)
    shown = {**result.reading, **given}
    if "encoding" in shown:
        shown.setdefault("delimiter", NO_DELIMITER if len(result.columns) == 1 else None)
    fields, table = st.columns(2, gap="medium")
    with fields, st.container(horizontal=True, gap="small"):
        chosen = _draw_fields(result, shown, key)
    with table:
        types = _draw_types(result, shown, key)
    settings = _changed_settings(given, shown, chosen, types)
    with st.container(horizontal=True, gap="xsmall", vertical_alignment="center"):
        is_read_clicked = st.button("Read again", icon=":material/refresh:", key=f"{key}:read")
        is_reset_clicked = st.button(
            "Reset", type="tertiary", key=f"{key}:reset", help="Detect all settings again."
        )
        if described := _describe(settings):
            st.caption(f"Set: {described}", width="content")
    if is_reset_clicked:
        _try_reading(result, {}, read_again)
    elif is_read_clicked:
        _try_reading(result, settings, read_again)


def _describe(settings: Mapping[str, Any]) -> str:
    try:
        return escape_markdown(Reading.from_dict(settings).describe())
    except InvalidInputError:
        return ""  # Reading the file with them shows what is wrong.


def _draw_fields(result: InspectionResult, shown: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Draw the fields that apply to the file; return the value of each setting, None to detect it."""
    chosen: dict[str, Any] = {}
    if result.sheets:
        sheets = {sheet: sheet for sheet in result.sheets}
        chosen["sheet"] = _select("Sheet", sheets, shown.get("sheet"), f"{key}:sheet")
    elif "encoding" in shown:
        chosen["encoding"] = _select("Encoding", _ENCODINGS, shown.get("encoding"), f"{key}:encoding")
        delimiters = _DELIMITERS if shown["delimiter"] else {None: _FIXED_WIDTH, **_DELIMITERS}
        chosen["delimiter"] = _select("Delimiter", delimiters, shown["delimiter"], f"{key}:delimiter")
        if chosen["delimiter"] == _OTHER:
            chosen["delimiter"] = st.text_input(
                "Other delimiter", max_chars=1, width=_FIELD_WIDTH, key=f"{key}:other"
            )
        chosen["decimal"] = _select("Decimal sign", _DECIMALS, shown.get("decimal"), f"{key}:decimal")
    if "header_row" in shown:
        chosen["header_row"] = st.number_input(
            "Header row",
            min_value=0,
            max_value=10**9,
            value=shown["header_row"],
            step=1,
            width=_FIELD_WIDTH,
            help="The row of the file with the column names, counted from 1; 0 if no row has them.",
            key=f"{key}:header_row",
        )
    chosen["date_order"] = _select("Date order", _DATE_ORDERS, shown.get("date_order"), f"{key}:date_order")
    words = ", ".join(shown.get("null_words", ()))
    typed = st.text_input(
        "Missing-value words",
        words,
        placeholder="unknown, -9",
        width=_FIELD_WIDTH,
        help="Words that mean that a value is missing, separated by commas.",
        key=f"{key}:null_words",
    )
    parts = [word.strip() for word in typed.split(",") if word.strip()] or None
    chosen["null_words"] = shown.get("null_words") if typed == words else parts
    return chosen


def _select(label: str, options: Mapping[Any, str], value: Any, key: str) -> Any:
    if value not in options:
        options = {value: str(value), **options}
    values = list(options)
    return st.selectbox(
        label,
        values,
        index=values.index(value),
        format_func=lambda each: options.get(each, str(each)),
        width=_FIELD_WIDTH,
        key=key,
    )


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
        name: by_label.get(label, label) for name, label in zip(result.columns, labels, strict=True) if label
    }
    return {name: column_type for name, column_type in types.items() if column_type != "detect"}


def _changed_settings(
    given: Mapping[str, Any], shown: Mapping[str, Any], chosen: Mapping[str, Any], types: Mapping[str, str]
) -> dict[str, Any]:
    """Return the settings that were given so far, with those that the user changed."""
    settings = dict(given)
    if shown.get("sheet") != chosen.get("sheet"):
        # The row of the names was that of the other sheet.
        for name in ("header_row", "header_rows", "skip_lines"):
            settings.pop(name, None)
    for name, value in chosen.items():
        if value != shown.get(name):
            settings[name] = value
    if "header_row" in settings and "delimiter" in chosen:
        # Detected below another row, the delimiter might be another than the one shown.
        settings["delimiter"] = chosen["delimiter"]
    return {name: value for name, value in {**settings, "types": dict(types)}.items() if value is not None}


def _try_reading(
    result: InspectionResult, settings: dict[str, Any], read_again: Callable[[Reading], None]
) -> None:
    attempt, _ = _draft_of(result)
    try:
        read_again(Reading.from_dict(settings))
        st.session_state[_DRAFT] = (result.folder.name, attempt + 1, settings)
    except LavenderTownError as error:
        show_problem(error)
    st.rerun()


def show_fallback(error: LavenderTownError) -> None:
    """Show above the panel why the stored settings of the dataset are not used."""
    text = Markdown(f"{errors.error_message(error)[0]} The settings were detected instead.")
    layout.queue_notice(text, "problem", place=_FALLBACK, lead="Not read as last time.")


def show_problem(error: LavenderTownError) -> None:
    """Show in the panel why the file could not be read again."""
    layout.queue_notice(errors.error_message(error)[0], "problem", place=_PLACE)
