"""Tell findings that appeared or vanished because settings of their check changed from new and gone ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from lavendertown.core.fingerprints import ran_with_other_settings
from lavendertown.inbox.run_tables import RunTable
from lavendertown.records.identities import DatasetRuns, Identity, RunState


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
        executed: The keys of the completed checks by report, as far as they are known, for the run before the
            latest.
        find_table: Returns what a report tells about its table.
    """
    if runs is None:
        return state
    ids, times = runs.report_ids, runs.run_times
    if state is RunState.NOT_CHECKED:
        is_changed = ran_with_other_settings(identity.check_key, runs.executed_check_keys)
    elif state is RunState.NEW:
        before = executed.get(ids[1]) if len(ids) > 1 else None
        is_changed = before is not None and ran_with_other_settings(identity.check_key, before)
    elif state is RunState.REGRESSED and identity.regressed_at in times[:-1]:
        place = times.index(identity.regressed_at)
        table = find_table(ids[place + 1])
        is_changed = identity.finding_id not in table.finding_ids and ran_with_other_settings(
            identity.check_key, table.check_keys
        )
        if is_changed and place > 0:
            return RunState.ONGOING
    else:
        return state
    return RunState.CHECK_CHANGED if is_changed else state
