"""Draw a field for each setting that says how a file is read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import streamlit as st

from lavendertown.core.errors import InvalidInputError
from lavendertown.core.reading import MAX_HEADER_ROWS, NO_DELIMITER, Reading
from lavendertown.inspection.result_files import InspectionResult
from lavendertown.ui.components.shared import layout
from lavendertown.ui.components.shared.formatting import escape_markdown

_OTHER, _DETECT = "other", "detect"
_FIELD_WIDTH = 190
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
    "|": "Pipe ( | )",
    "^": "Caret ( ^ )",
    "~": "Tilde ( ~ )",
    " ": "Spaces",
    NO_DELIMITER: "None (one column)",
    _OTHER: "Other…",
}
_DECIMALS = {None: _DETECTED, ".": "Point (1.5)", ",": "Comma (1,5)"}
_THOUSANDS = {
    None: _DETECTED,
    ",": "Comma (1,000)",
    ".": "Point (1.000)",
    " ": "Space (1 000)",
    "'": "Apostrophe (1'000)",
    "": "None (1000)",
}
_DATE_ORDERS = {None: _DETECTED, "day": "Day first", "month": "Month first", "year": "Year first"}
_HEADER_ROWS = {count: "1 row" if count == 1 else f"{count} rows" for count in range(1, MAX_HEADER_ROWS + 1)}


def field_place(name: str) -> str:
    """Return the place of the notice below the field of a setting."""
    return f"reading:field:{name}"


def draw_fields(result: InspectionResult, shown: Mapping[str, Any], key: str) -> dict[str, Any]:
    """Draw the fields that apply to the file; return the value of each setting, None to detect it.

    A value that is not possible has a sentence below its field.

    Args:
        result: The inspection of the file.
        shown: The settings to begin with.
        key: The start of the keys of the fields.
    """
    fields = _Fields(shown, key)
    if result.sheets:
        fields.draw_select("sheet", "Sheet", {sheet: sheet for sheet in result.sheets})
        fields.draw_text("cell_range", "Cells", "B4:H200", "The cells with the table and its column names.")
    elif "encoding" in shown:
        fields.draw_select("encoding", "Encoding", _ENCODINGS)
        fields.draw_delimiter()
        if fields.chosen["delimiter"] in (None, NO_DELIMITER):
            fields.draw_column_starts()
        fields.draw_text("comment", "Comment sign", "#", "The sign at the start of lines that are not data.")
    if "header_row" in shown:
        unit = "Rows" if result.sheets else "Lines"
        fields.draw_number(
            "header_row",
            "Header row",
            "The row of the file with the column names, counted from 1; 0 if no row has them.",
        )
        none = {} if shown.get("header_rows") else {None: "None"}
        fields.draw_select("header_rows", "Header rows", {**none, **_HEADER_ROWS})
        fields.draw_number(
            "skip_lines",
            f"{unit} above the table",
            f"{unit} that are left out above the column names, such as a title.",
        )
    fields.draw_select("decimal", "Decimal sign", _DECIMALS)
    fields.draw_select("thousands", "Thousands separator", _THOUSANDS)
    fields.draw_select("date_order", "Date order", _DATE_ORDERS)
    fields.draw_words()
    return fields.chosen


class _Fields:
    """The fields drawn so far.

    Attributes:
        chosen: The value of each setting, None to detect it.
    """

    def __init__(self, shown: Mapping[str, Any], key: str) -> None:
        self.chosen: dict[str, Any] = {}
        self._shown = shown
        self._key = key

    def draw_select(self, name: str, label: str, options: Mapping[Any, str]) -> None:
        """Draw a list of options; a value that is not among them is added."""
        with self._field(name):
            self.chosen[name] = _select(label, options, self._shown.get(name), f"{self._key}:{name}")

    def draw_delimiter(self) -> None:
        """Draw the list of delimiters, and a field for another one."""
        with self._field("delimiter"):
            options = _DELIMITERS if self._shown["delimiter"] else {None: _FIXED_WIDTH, **_DELIMITERS}
            delimiter = _select("Delimiter", options, self._shown["delimiter"], f"{self._key}:delimiter")
            if delimiter == _OTHER:
                delimiter = st.text_input("Other delimiter", max_chars=1, key=f"{self._key}:other")
            self.chosen["delimiter"] = delimiter

    def draw_column_starts(self) -> None:
        """Draw the field for the positions at which columns of fixed width start."""
        with self._field("column_starts"):
            known = self._shown.get("column_starts")
            starts = ", ".join(map(str, known or ()))
            typed = st.text_input(
                "Column starts",
                starts,
                placeholder="1, 6, 30",
                help="For columns of fixed width: the position in the line at which each column starts, "
                "counted from 1.",
                key=f"{self._key}:column_starts",
            )
            parts = [int(part) if part.isdecimal() else part for part in re.split(r"[\s,]+", typed) if part]
            self.chosen["column_starts"] = known if typed == starts else parts or None

    def draw_text(self, name: str, label: str, example: str, help_text: str) -> None:
        """Draw a field for text; empty to detect the setting."""
        with self._field(name):
            typed = st.text_input(
                label,
                self._shown.get(name) or "",
                placeholder=example,
                help=help_text,
                key=f"{self._key}:{name}",
            )
            self.chosen[name] = typed.strip() or None

    def draw_number(self, name: str, label: str, help_text: str) -> None:
        """Draw a field for a number of rows."""
        with self._field(name):
            self.chosen[name] = st.number_input(
                label,
                min_value=0,
                max_value=10**9,
                value=self._shown.get(name, 0),
                step=1,
                help=help_text,
                key=f"{self._key}:{name}",
            )

    def draw_words(self) -> None:
        """Draw the field for words that mean a missing value."""
        with self._field("null_words"):
            words = ", ".join(self._shown.get("null_words", ()))
            typed = st.text_input(
                "Missing-value words",
                words,
                placeholder="unknown, -9",
                help="Words that mean that a value is missing, separated by commas.",
                key=f"{self._key}:null_words",
            )
            parts = [word.strip() for word in typed.split(",") if word.strip()] or None
            self.chosen["null_words"] = self._shown.get("null_words") if typed == words else parts

    @contextmanager
    def _field(self, name: str) -> Iterator[None]:
        """Draw a field, and below it what is wrong with its value."""
        with st.container(width=_FIELD_WIDTH, gap="xxsmall"):
            yield
            layout.show_notice(field_place(name))
            if problem := find_problem(name, self.chosen[name]):
                st.markdown(f":small[:red[{escape_markdown(problem)}]]")


def _select(label: str, options: Mapping[Any, str], value: Any, key: str) -> Any:
    """Draw a list of options; None is shown as one of them, because Streamlit takes it for an empty list."""
    if value not in options:
        options = {value: str(value), **options}
    labels = {_DETECT if each is None else each: text for each, text in options.items()}
    chosen = st.selectbox(
        label,
        list(labels),
        index=list(options).index(value),
        format_func=lambda each: labels.get(each, str(each)),
        key=key,
    )
    return None if chosen == _DETECT else chosen


def find_problem(name: str, value: Any) -> str:
    """Return why a setting cannot have this value; empty if it can."""
    try:
        Reading.from_dict({} if value is None else {name: value})
    except InvalidInputError as error:
        return str(error)
    return ""
