"""How far a move is, how fast, and how long it will take."""

from __future__ import annotations

import time
from collections.abc import Callable

from lavendertown.migration.values import OnProgress, Progress

_EVERY = 0.2


class Meter:
    """Counts what was done and tells whoever wants to know, a few times a second.

    Args:
        tell: Is told.
        passes: How often all records are gone through: once to copy, once more to verify.
        clock: Seconds.
    """

    def __init__(
        self, tell: OnProgress | None, passes: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._tell = tell
        self._passes = passes
        self._clock = clock
        self._started = self._phase_started = clock()
        self._told = 0.0
        self._phase = "reports"
        self._total: int | None = None
        self._done = 0
        self._findings = 0

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return self._clock() - self._started

    def expect(self, records: int) -> None:
        """Say how many records one pass has."""
        self._total = records * self._passes

    def enter(self, phase: str) -> None:
        """Begin another phase."""
        self._phase, self._findings, self._phase_started = phase, 0, self._clock()
        self._say(True)

    def count(self, records: int, findings: int = 0) -> None:
        """Count what was just done."""
        self._done += records
        self._findings += findings
        self._say(False)

    def _say(self, always: bool) -> None:
        now = self._clock()
        if self._tell is None or not (always or now - self._told >= _EVERY):
            return
        self._told = now
        rate = self._done / max(now - self._started, 1e-9)
        findings_rate = self._findings / max(now - self._phase_started, 1e-9)
        total = max(self._total, self._done) if self._total is not None else None
        left = (total - self._done) / rate if total is not None and self._done else None
        self._tell(Progress(self._phase, self._done, total, self._findings, rate, findings_rate, left))
