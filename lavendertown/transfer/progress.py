"""Report the progress, rate and remaining time of a migration."""

from __future__ import annotations

import time
from collections.abc import Callable

from lavendertown.transfer.values import MigrationProgress, ProgressCallback

_REPORT_SECONDS = 0.2


class ProgressReporter:
    """Counts processed records and reports progress at most five times a second.

    Args:
        on_progress: Called with the progress; None to report nothing.
        passes: How many times all records are read: once to copy, once more to verify.
        clock: Returns the time in seconds.
    """

    def __init__(
        self, on_progress: ProgressCallback | None, passes: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._on_progress = on_progress
        self._passes = passes
        self._clock = clock
        self._started = self._phase_started = clock()
        self._reported_at = 0.0
        self._phase = "reports"
        self._total: int | None = None
        self._done = 0
        self._findings = 0

    @property
    def elapsed_seconds(self) -> float:
        """Return the seconds since the start."""
        return self._clock() - self._started

    def set_total(self, records: int) -> None:
        """Set the number of records of one pass."""
        self._total = records * self._passes

    def start_phase(self, phase: str) -> None:
        """Begin a phase and report it."""
        self._phase, self._findings, self._phase_started = phase, 0, self._clock()
        self._report_progress(force=True)

    def add_done(self, records: int, findings: int = 0) -> None:
        """Add to the number of processed records and findings."""
        self._done += records
        self._findings += findings
        self._report_progress(force=False)

    def _report_progress(self, force: bool) -> None:
        now = self._clock()
        if self._on_progress is None or not (force or now - self._reported_at >= _REPORT_SECONDS):
            return
        self._reported_at = now
        rate = self._done / max(now - self._started, 1e-9)
        findings_rate = self._findings / max(now - self._phase_started, 1e-9)
        total = max(self._total, self._done) if self._total is not None else None
        seconds_left = (total - self._done) / rate if total is not None and self._done else None
        self._on_progress(
            MigrationProgress(
                self._phase, self._done, total, self._findings, rate, findings_rate, seconds_left
            )
        )
