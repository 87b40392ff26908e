"""Draw the menu on Inspect that compares the file with the last report of its dataset or another file."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

import streamlit as st

from lavendertown.core.errors import LavenderTownError
from lavendertown.core.settings import load_settings
from lavendertown.inspection.result_files import InspectionResult
from lavendertown.ui import errors, queries
from lavendertown.ui.components.shared import layout
from lavendertown.ui.components.shared.formatting import escape_markdown
from lavendertown.ui.inspections import Comparison
from lavendertown.ui.server import uploads

_PLACE = "inspect:compare"
_ROUND = "inspect:compare:round"
_WIDTH = 360

Compare = Callable[[Comparison | None], None]


class _Choice(Enum):
    NOTHING = "Nothing"
    REPORT = "The last report of this dataset"
    FILE = "Another file"


def draw_menu(result: InspectionResult, current: Comparison | None, compare: Compare) -> None:
    """Draw the menu.

    Args:
        result: The inspection of the file.
        current: What the file is compared with now; None for nothing.
        compare: Starts to inspect the file again and to compare it. It may raise a ``LavenderTownError``.
    """
    key = f"{_PLACE}:{result.folder.name}:{st.session_state.get(_ROUND, 0)}"
    menu = st.popover("Compare with", icon=":material/compare_arrows:", key=key, on_change="rerun")
    if menu.open:
        with menu, st.container(width=_WIDTH):
            _draw_choices(result, current, compare, key)


def describe(result: InspectionResult) -> str:
    """Return what the file was compared with, for the line below its name; empty if with nothing."""
    compared = result.coverage.get("compared_to")
    return f" · compared with {escape_markdown(compared['name'])}" if compared else ""


def show_problem(error: LavenderTownError) -> None:
    """Show above the results why the file could not be compared."""
    layout.queue_notice(errors.error_message(error)[0], "problem", place=_PLACE, lead="Not compared.")


def show_notice() -> None:
    """Show the queued problem once."""
    layout.show_notice(_PLACE)


def _draw_choices(result: InspectionResult, current: Comparison | None, compare: Compare, key: str) -> None:
    dataset = queries.choose_dataset(tuple(result.columns), file=result.name).name
    baseline = queries.load_baseline(dataset)
    choices = [each for each in _Choice if each is not _Choice.REPORT or baseline is not None]
    now = _current_choice(current)
    captions = {_Choice.REPORT: escape_markdown(baseline.name) if baseline else ""}
    choice = st.radio(
        "Compare with",
        choices,
        index=choices.index(now) if now in choices else 0,
        format_func=lambda each: each.value,
        captions=[captions.get(each, "") for each in choices] if baseline else None,
        key=f"{key}:choice",
    )
    if baseline is None:
        st.caption("This dataset has no earlier report with column profiles.")
    file = None
    if choice is _Choice.FILE:
        file = st.file_uploader(
            "The file to compare with",
            max_upload_size=load_settings().limits_upload_mb,
            key=f"{key}:file",
        )
        if current is not None and current.upload is not None and file is None:
            st.caption(f"Compared with {escape_markdown(current.name)}.")
    is_ready = file is not None if choice is _Choice.FILE else choice is not now
    if st.button("Compare", type="primary", disabled=not is_ready, key=f"{key}:start"):
        try:
            comparison = None
            if choice is _Choice.FILE and file is not None:
                comparison = Comparison(file.name, uploads.keep_uploads([file]))
            elif choice is _Choice.REPORT and baseline is not None:
                comparison = Comparison(baseline.name, baseline=baseline)
            compare(comparison)
        except LavenderTownError as error:
            show_problem(error)
        st.session_state[_ROUND] = st.session_state.get(_ROUND, 0) + 1  # closes the menu
        st.rerun()


def _current_choice(current: Comparison | None) -> _Choice:
    if current is None:
        return _Choice.NOTHING
    return _Choice.FILE if current.upload is not None else _Choice.REPORT
