"""The inspector: looks at a table and says what haunts it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lavendertown import codec, tables
from lavendertown.detectors import Detector, default_detectors
from lavendertown.detectors.runner import Check, Progress, run
from lavendertown.identity import dataset_name
from lavendertown.models import GhostFinding
from lavendertown.tables import Table


class Inspector:
    """Runs checks on a frame or a data file.

    Args:
        data: A pandas or Polars frame, an Arrow table, a :class:`~lavendertown.tables.Table`, the
            path of a CSV, Parquet, Excel or JSON file, or a pair ``(file or bytes, file name)``.
        dataset: What the data is a delivery of; findings keep their identity within it. Default:
            the file's name without its ending, dates and running numbers; None for frames.
        detectors: The checks; default: all of them.
        progress: Called as ``progress(done, total, text)`` while checks run; what it raises ends
            the run and passes through, and nothing is kept of it.

    Attributes:
        table: The data as it was read, with ``guesses``, ``columns``, ``row_count`` and ``rows()``.
        dataset: See above.
        findings: What the last :meth:`detect` found, None before.
        checks: The checks the last :meth:`detect` ran, with their outcomes.

    Raises:
        UnreadableTableError: The file cannot be read as a table.
        InvalidInputError: ``data`` is nothing that can be inspected.
    """

    def __init__(
        self,
        data: Any,
        *,
        dataset: str | None = None,
        detectors: Sequence[Detector] | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.table: Table = _table(data)
        name = self.table.name
        self.dataset = dataset if dataset is not None else (dataset_name(name) if name else None)
        self.findings: list[GhostFinding] | None = None
        self.checks: list[Check] = []
        self._detectors = list(default_detectors() if detectors is None else detectors)
        self._progress = progress
        self._seconds = 0.0

    def detect(self) -> list[GhostFinding]:
        """Run the checks and return the findings, the most severe first."""
        start = time.perf_counter()
        findings, checks = run(self.table, self._detectors, self._progress, dataset=self.dataset)
        self.findings, self.checks = findings, checks
        self._seconds = time.perf_counter() - start
        return findings

    def coverage(self) -> dict[str, Any]:
        """Return what was checked, as plain JSON for a report's metadata.

        Keys: ``rows``, ``columns``, ``checks_run``, ``passed``, ``failed``, ``seconds``, ``guesses``
        and ``ran``, a list of ``{check, column, params, outcome}``. Runs the checks first when
        :meth:`detect` was not called yet.
        """
        if self.findings is None:
            self.detect()
        outcomes = [check.outcome for check in self.checks]
        made = {
            "rows": self.table.row_count,
            "columns": len(self.table.columns),
            "checks_run": len(outcomes),
            "passed": outcomes.count("passed"),
            "failed": outcomes.count("failed"),
            "seconds": round(self._seconds, 3),
            "guesses": self.table.guesses,
            "ran": [vars(check) for check in self.checks],
        }
        return codec.plain(made, "coverage")  # type: ignore[no-any-return]

    def render(self) -> None:
        """Show the findings inside the Streamlit app that calls this."""
        from lavendertown.ui.inline import render

        render(self)


def _table(data: Any) -> Table:
    if isinstance(data, Table):
        return data
    if isinstance(data, tuple) and len(data) == 2:
        return tables.read_table(data[0], str(data[1]))
    if isinstance(data, (str, Path, bytes)) or hasattr(data, "read"):
        return tables.read_table(data)
    return tables.from_frame(data)
