"""Tell findings that appeared or vanished because settings of their check changed from new and gone ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from lavendertown.core.fingerprints import ran_with_other_settings
from lavendertown.inbox.run_tables import RunTable
from lavendertown.records.identities import DatasetRuns, Identity, RunState


def find_appearance(state: RunState, identity: Identity, runs: DatasetRuns | None) -> int | None:
    """Return the position of the run in which a new or regressed finding appeared, if one is before it."""
    if runs is None or state not in (RunState.NEW, RunState.REGRESSED):
        return None
    appeared_at = runs.run_times[0] if state is RunState.NEW else identity.regressed_at
    return runs.run_times.index(appeared_at) if appeared_at in runs.run_times[:-1] else None


def adjust_run_state(
    state: RunState,
    identity: Identity,
    runs: DatasetRuns | None,
    executed: Mapping[str, frozenset[str]],
    find_table: Callable[[str], RunTable],
) -> RunState:
    """Return CHECK_CHANGED in place of a state that only changed settings of the check explain.

    A finding that came back after a fix only because of that is ongoing in later runs.

    Args:
        state: The state by :func:`lavendertown.records.identities.compute_run_state`.
        identity: The finding.
        runs: The latest runs of its dataset.
        executed: The keys of the completed checks by report, as far as they are known.
        find_table: Returns what a report tells about its table.
    """
    if runs is None:
        return state
    if state is RunState.NOT_CHECKED:
        is_changed = ran_with_other_settings(identity.check_key, runs.executed_check_keys)
        return RunState.CHECK_CHANGED if is_changed else state
    place = find_appearance(state, identity, runs)
    if place is None:
        return state
    before = runs.report_ids[place + 1]
    if (
        not ran_with_other_settings(identity.check_key, executed.get(before, frozenset()))
        or identity.finding_id in find_table(before).finding_ids
    ):
        return state
    return RunState.CHECK_CHANGED if place == 0 else RunState.ONGOING
