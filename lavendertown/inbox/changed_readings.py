"""Tell findings that appeared or vanished because a table is read differently from new and gone ones."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from lavendertown.core.run_readings import is_read_differently
from lavendertown.inbox.run_tables import RunTable
from lavendertown.records.identities import DatasetRuns, Identity, RunState


def find_reading_changes(
    runs: DatasetRuns | None, find_table: Callable[[str], RunTable]
) -> ReadingChanges | None:
    """Return how the runs of a dataset were read; None if no settings changed between them, as usual.

    Args:
        runs: The latest runs of a dataset.
        find_table: Returns what a report tells about its table.
    """
    if runs is None or len(set(runs.reading_digests) - {""}) < 2:
        return None
    return ReadingChanges(runs, find_table)


class ReadingChanges:
    """Compares how the latest runs of a dataset were read; :func:`find_reading_changes` makes it.

    Only runs that are listed can be compared: of a finding that was last seen before them, nothing is known.
    """

    def __init__(self, runs: DatasetRuns, find_table: Callable[[str], RunTable]) -> None:
        self._runs = runs
        self._find_table = find_table
        self._digests = dict(zip(runs.report_ids, runs.reading_digests, strict=False))

    def adjust_run_state(self, state: RunState, identity: Identity) -> RunState:
        """Return READING_CHANGED in place of a state that only the changed reading explains.

        A finding that came back after a fix only because of that is ongoing in later runs.
        """
        ids = self._runs.report_ids
        if state is RunState.NEW:
            is_changed = len(ids) > 1 and self._is_changed(identity.column, ids[1], ids[0])
        elif state is RunState.REGRESSED:
            place = self._place_of(identity.regressed_at)
            if place is None or place + 1 == len(ids):
                return state
            before, after = ids[place + 1], ids[place]
            if identity.finding_id in self._find_table(before).finding_ids:
                return state
            is_changed = self._is_changed(identity.column, before, after)
            if is_changed and place > 0:
                return RunState.ONGOING
        elif state in (RunState.PASSING, RunState.NOT_CHECKED):
            is_changed = self.is_changed_since_last_seen(identity, ids[0])
        else:
            return state
        return RunState.READING_CHANGED if is_changed else state

    def is_changed_since_last_seen(self, identity: Identity, report_id: str) -> bool:
        """Return whether a run read the column of a finding differently than the run that last had it."""
        place = self._place_of(identity.last_seen)
        if place is None:
            return False
        return self._is_changed(identity.column, self._runs.report_ids[place], report_id)

    def _place_of(self, at: dt.datetime | None) -> int | None:
        times = self._runs.run_times
        return times.index(at) if at is not None and at in times else None

    def _is_changed(self, column: str, before: str, after: str) -> bool:
        digests = self._digests.get(before), self._digests.get(after)
        if not all(digests) or digests[0] == digests[1]:
            return False
        return is_read_differently(column, self._find_table(before).reading, self._find_table(after).reading)
