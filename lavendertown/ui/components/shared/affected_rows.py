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
from lavendertown.core.findings import GhostFinding
from lavendertown.inspection.affected_files import RowsFormat
from lavendertown.inspection.result_files import FIRST_ROWS, InspectionResult
from lavendertown.interchange.exports.formats import EXPORT_FORMATS
from lavendertown.profile.evidence import ColumnProfile, Evidence, ValueCount
from lavendertown.profile.measure import first_row_number, frequent_values
from lavendertown.tables import Table
from lavendertown.ui import errors, inspections
from lavendertown.ui.components.shared.formatting import describe_row_numbers

_FORMATS: Final[dict[str, RowsFormat]] = {"CSV": "csv", "Excel": "excel"}


class AffectedRows(Protocol):
    """Source of affected rows and values: a table, or the result files of an inspection."""

    @property
    def columns(self) -> list[str]:
        """The column names in order."""

    @property
    def first_row(self) -> int:
        """The number that the source counts for the row at position 0."""

    def rows(self, positions: Sequence[int], limit: int = FIRST_ROWS) -> pd.DataFrame:
        """Return the first ``limit`` rows at these positions, indexed by position."""

    def frequent_values(self, index: int) -> list[ValueCount]:
        """Return the most frequent affected values of a finding by its index."""

    def spread(self, index: int) -> list[int]:
        """Return the affected rows by part of the table, as :attr:`FindingSamples.spread` has them."""

    def find_profile(self, column: str) -> ColumnProfile | None:
        """Return the profile of a column; None for whole rows."""


@dataclass(frozen=True)
class TableRows:
    """Affected rows and values from a table."""

    table: Table
    findings: Sequence[GhostFinding]
    evidence: Evidence

    @property
    def columns(self) -> list[str]:
        """The column names in order."""
        return self.table.columns

    @property
    def first_row(self) -> int:
        """The number that the source counts for the row at position 0."""
        return first_row_number(self.table)

    def rows(self, positions: Sequence[int], limit: int = FIRST_ROWS) -> pd.DataFrame:
        """Return the first ``limit`` rows at these positions, indexed by position."""
        return self.table.rows(positions, limit)

    def frequent_values(self, index: int) -> list[ValueCount]:
        """Return the most frequent affected values of a finding by its index."""
        return frequent_values(self.table, self.findings[index])

    def spread(self, index: int) -> list[int]:
        """Return the affected rows by part of the table, as :attr:`FindingSamples.spread` has them."""
        samples = self.evidence.samples.get(str(index))
        return samples.spread if samples else []

    def find_profile(self, column: str) -> ColumnProfile | None:
        """Return the profile of a column; None for whole rows."""
        return self.evidence.column(column)


@dataclass(frozen=True)
class ResultRows:
    """Affected rows and values from the result files of an inspection."""

    result: InspectionResult

    @property
    def columns(self) -> list[str]:
        """The column names in order."""
        return self.result.columns

    @property
    def first_row(self) -> int:
        """The number that the source counts for the row at position 0."""
        return self.result.evidence.first_row

    def rows(self, positions: Sequence[int], limit: int = FIRST_ROWS) -> pd.DataFrame:
        """Return the first ``limit`` rows at these positions, indexed by position."""
        return self.result.rows(positions, limit)

    def frequent_values(self, index: int) -> list[ValueCount]:
        """Return the most frequent affected values of a finding by its index."""
        return self.result.frequent_values(index)

    def spread(self, index: int) -> list[int]:
        """Return the affected rows by part of the table, as :attr:`FindingSamples.spread` has them."""
        samples = self.result.evidence.samples.get(str(index))
        return samples.spread if samples else []

    def find_profile(self, column: str) -> ColumnProfile | None:
        """Return the profile of a column; None for whole rows."""
        return self.result.evidence.column(column)


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
    shown = shown.set_axis(shown.index + affected.first_row, axis=0)
    shown.index.name = "Row"
    st.dataframe(shown, row_height=30, column_order=order, alt="Affected rows")
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        first = f"The first {len(shown):,} of {count:,} rows. " if count and count > len(shown) else ""
        st.caption(f"{first}{describe_row_numbers(affected.first_row)}", width="content")
        if isinstance(affected, ResultRows):
            _offer_file(affected.result, index, key)


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
