"""Match new findings with likely predecessors: a changed check or column gives a finding another id.

The match is only a suggestion; people decide whether the two are the same finding. What is certain was merged
when the report was saved (:mod:`lavendertown.collaboration.parts.adoption`).
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import pairwise

from lavendertown.inbox.identity_passes import Candidate, match_findings
from lavendertown.inbox.run_tables import RunTable
from lavendertown.records.identities import DatasetRuns, Identity


def match_renamed(
    appeared: Iterable[Identity],
    disappeared: Iterable[Identity],
    runs: DatasetRuns,
    read_table: Callable[[str], RunTable],
) -> dict[str, str]:
    """Match findings of one dataset that appeared in the run in which a similar one disappeared.

    Both have the same type, and the same column or one that the table has in its place, and the check of the
    one that disappeared no longer runs. If there are several, those with the same severity, the most similar
    wording and the most similar number of affected rows are matched.

    Args:
        appeared: Findings in the dataset's latest run.
        disappeared: Findings that are not in it and whose checks did not run.
        runs: The dataset's latest runs.
        read_table: Reads what a report tells about its table.

    Returns:
        The id of each matched finding, with the id of its predecessor.
    """
    appeared_at: dict[dt.datetime, list[Candidate]] = defaultdict(list)
    disappeared_after: dict[dt.datetime, list[Candidate]] = defaultdict(list)
    for finding in appeared:
        appeared_at[finding.first_seen].append(_to_candidate(finding))
    for finding in disappeared:
        disappeared_after[finding.last_seen].append(_to_candidate(finding))
    # Of runs with the same time, the last one.
    reports = dict(reversed(list(zip(runs.run_times, runs.report_ids, strict=True))))
    predecessors: dict[str, str] = {}
    for later, earlier in pairwise(sorted(reports, reverse=True)):
        old, new = disappeared_after.get(earlier, []), appeared_at.get(later, [])
        if not old or not new:
            continue
        before = after = RunTable()
        if {each.column for each in old} - {each.column for each in new}:
            before, after = read_table(reports[earlier]), read_table(reports[later])
        matches = match_findings(old, new, before, after)
        predecessors |= {match.finding_id: match.vanished_id for match in matches}
    return predecessors


def _to_candidate(finding: Identity) -> Candidate:
    return Candidate(
        finding.finding_id,
        finding.ghost_type,
        finding.column,
        finding.severity,
        finding.description,
        finding.last_count,
    )
