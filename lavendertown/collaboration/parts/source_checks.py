"""Regular checks of configured sources: which ones failed, and when they are tried again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lavendertown.collaboration.conflict_retries import retry_on_conflict
from lavendertown.collaboration.parts.context import StorageContext, StoragePart
from lavendertown.collaboration.parts.dataset_settings import DatasetSettings
from lavendertown.collaboration.parts.notifications import RETRY_MINUTES
from lavendertown.collaboration.parts.triage import AUTOMATIC_ACTOR
from lavendertown.core import clock

TEAM_SOURCES = "team:sources"
"""The name of the settings that have the failed checks, a part for each source; no dataset is called so."""
_MAX_PROBLEM = 500


@dataclass(frozen=True, slots=True)
class FailedCheck:
    """A source that could not be checked, and was not checked since.

    Attributes:
        source: The name of the source.
        attempts: How often it failed in a row.
        failed_at: When it failed last.
        problem: Why, as a sentence.
    """

    source: str
    attempts: int
    failed_at: dt.datetime
    problem: str

    @property
    def next_attempt_at(self) -> dt.datetime:
        """When it is tried again: after the pauses of deliveries, and then once a day."""
        pause = RETRY_MINUTES[min(self.attempts, len(RETRY_MINUTES)) - 1]
        return self.failed_at + dt.timedelta(minutes=pause)


class SourceChecks(StoragePart):
    """The failed checks of configured sources."""

    def __init__(self, context: StorageContext, dataset_settings: DatasetSettings) -> None:
        super().__init__(context)
        self._dataset_settings = dataset_settings

    def find_failed(self, source: str) -> FailedCheck | None:
        """Return the failed check of a source; None if the last one succeeded or there was none."""
        stored = self._dataset_settings.load(TEAM_SOURCES, source)
        return _read_failed(source, stored) if stored else None

    def save_failure(self, source: str, problem: str, now: dt.datetime) -> FailedCheck:
        """Store that a source could not be checked, and return that.

        Args:
            source: The name of the source.
            problem: Why, as a sentence.
            now: When it failed.
        """

        def save_attempt() -> FailedCheck:
            former = self.find_failed(source)
            attempts = former.attempts + 1 if former is not None else 1
            failed = FailedCheck(source, attempts, now, problem[:_MAX_PROBLEM])
            self._save(source, _to_json(failed))
            return failed

        return retry_on_conflict(save_attempt)

    def clear_failure(self, source: str) -> None:
        """Store that a source was checked."""
        retry_on_conflict(lambda: self._save(source, {}))

    def _save(self, source: str, values: Mapping[str, Any]) -> None:
        self._dataset_settings.save(TEAM_SOURCES, source, values, actor=AUTOMATIC_ACTOR)


def _to_json(failed: FailedCheck) -> dict[str, Any]:
    return {
        "attempts": failed.attempts,
        "failed_at": failed.failed_at.isoformat(),
        "problem": failed.problem,
    }


def _read_failed(source: str, stored: Mapping[str, Any]) -> FailedCheck:
    failed_at = clock.parse_time(str(stored["failed_at"]), clock.UTC)
    return FailedCheck(source, int(stored["attempts"]), failed_at, str(stored["problem"]))
