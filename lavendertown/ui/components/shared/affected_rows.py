"""Show the affected rows of a finding, from a table or from the result files of an inspection."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePath
from typing import Final, Protocol

import pandas as pd
import streamlit as st

from lavendertown.core.errors import LavenderTownError
from lavendertown.inspection.affected_files import RowsFormat
from lavendertown.inspection.result_files import FIRST_ROWS, InspectionResult
from lavendertown.interchange.exports.formats import EXPORT_FORMATS
from lavendertown.profile.evidence import Evidence
from lavendertown.tables import Table
from lavendertown.ui import errors, inspections
from lavendertown.ui.components.shared.formatting import describe_row_numbers

_FORMATS: Final[dict[str, RowsFormat]] = {"CSV": "csv", "Excel": "excel"}


class AffectedRows(Protocol):
    """Source of affected rows: a table, or the result files of an inspection."""

    @property
    def evidence(self) -> Evidence:
        """The profiles of the columns, and the samples of the findings by their index."""

    def rows(self, positions: Sequence[int], limit: int = FIRST_ROWS) -> pd.DataFrame:
        """Return the first ``limit`` rows at these positions, indexed by position."""


@dataclass(frozen=True)
class TableRows:
    """Affected rows from a table."""

    table: Table
    evidence: Evidence

    def rows(self, positions: Sequence[int], limit: int = FIRST_ROWS) -> pd.DataFrame:
        """Return the first ``limit`` rows at these positions, indexed by position."""
        return self.table.rows(positions, limit)


def show_rows(
    affected: AffectedRows, index: int, positions: list[int], count: int | None, column: str, key: str
) -> None:
    """Show the first affected rows, with the finding's column first, and offer all rows as a file.

    Args:
        affected: The source of the rows.
        index: The index of the finding.
        positions: The positions of the first affected rows.
        count: The number of affected rows; None if unknown.
        column: The column of the finding.
        key: Prefix of the widget keys.
    """
    shown = affected.rows(positions, FIRST_ROWS)
    order = [column] + [c for c in shown.columns if c != column] if column in shown.columns else None
    shown = shown.set_axis(shown.index + affected.evidence.first_row, axis=0)
    shown.index.name = "Row"
    st.dataframe(shown, row_height=30, column_order=order, alt="Affected rows")
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        first = f"The first {len(shown):,} of {count:,} rows. " if count and count > len(shown) else ""
        st.caption(f"{first}{describe_row_numbers(affected.evidence.first_row)}", width="content")
        if isinstance(affected, InspectionResult):
            _offer_file(affected, index, key)


def _offer_file(result: InspectionResult, index: int, key: str) -> None:
    """Offer all affected rows as a file, which a worker writes on demand."""
    file: Path | None = st.session_state.get(key)
    if file is None or not file.exists():
        chosen = st.menu_button(
            "Download rows", list(_FORMATS), icon=":material/download:", type="tertiary", key=f"{key}:make"
        )
        # Streamlit accepts any text for a choice from the browser.
        if chosen not in _FORMATS:
            return
        status = st.empty()
        try:
            file = inspections.write_affected_rows(
                result,
                index,
                _FORMATS[chosen],
                lambda: status.caption("Reading the rows…", width="content"),
            )
        except LavenderTownError as error:
            errors.show_error(error)
            return
        st.session_state[key] = file
        st.rerun()
    finding = result.findings[index]
    name = "-".join(
        re.findall(r"[\w.]+", f"{PurePath(result.name).stem} {finding.column} {finding.ghost_type}")
    )
    saved = next(each for each in EXPORT_FORMATS if each.ending == file.suffix)
    with st.container(horizontal=True, gap="xsmall", width="content", vertical_alignment="center"):
        st.download_button(
            f"Save as {saved.label}",
            partial(file.open, "rb"),
            file_name=f"{name}{file.suffix}",
            mime=saved.media_type,
            type="primary",
            icon=":material/download:",
            on_click="ignore",
            key=f"{key}:save",
        )
        st.button(
            "Other format",
            type="tertiary",
            key=f"{key}:other",
            on_click=st.session_state.pop,
            args=(key, None),
        )
