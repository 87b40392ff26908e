"""Name the findings that concern nearly the same rows: often one cause with several effects."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from pyroaring import BitMap

from lavendertown.core.findings import GhostFinding

_MIN_COMMON_SHARE = 0.9
_MAX_SHARE_OF_TABLE = 0.5
"""Findings in more rows than this overlap whatever their cause."""

_MAX_COMPARED = 200
_MAX_NAMED = 20


def name_related_findings(findings: Sequence[GhostFinding]) -> None:
    """Add ``metadata["related"]`` to findings with nearly the same rows: a list of ``{check, column}``.

    Rows are nearly the same if they have 90% in common. Findings whose rows are not listed completely are
    left out, as are those in more than half of the table.
    """
    same_rows: defaultdict[bytes, list[GhostFinding]] = defaultdict(list)
    bitmaps: dict[bytes, BitMap] = {}
    for finding in findings:
        if finding.row_indices and _is_compared(finding):
            bitmap = BitMap(finding.row_indices)
            key = bitmap.serialize()
            bitmaps[key] = bitmap
            same_rows[key].append(finding)
    near = {key: [key] for key in same_rows}
    compared = list(bitmaps)[:_MAX_COMPARED]
    for i, one in enumerate(compared):
        for other in compared[:i]:
            if bitmaps[one].jaccard_index(bitmaps[other]) >= _MIN_COMMON_SHARE:
                near[one].append(other)
                near[other].append(one)
    for key, group in same_rows.items():
        for finding in group:
            others = [each for near_key in near[key] for each in same_rows[near_key] if each is not finding]
            if others:
                finding.metadata["related"] = [
                    {"check": each.metadata["check"], "column": each.column} for each in others[:_MAX_NAMED]
                ]


def _is_compared(finding: GhostFinding) -> bool:
    complete = not finding.metadata.get("rows_truncated")
    return complete and float(finding.metadata["share"]) <= _MAX_SHARE_OF_TABLE
