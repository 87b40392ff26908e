"""Print how many planted errors the checks find: ``python -m benchmarks.quality [kind …]``."""

from __future__ import annotations

import sys

from benchmarks.quality.clean_tables import CLEAN_TABLES
from benchmarks.quality.score import KINDS, false_findings, score_kind

_SEEDS = range(3)
_CLEAN_SEEDS = range(100, 104)
_ROWS = (300, 800, 2_000, 5_000)


def main(chosen: list[str]) -> None:
    """Print the score of each kind, and the false findings of each clean table."""
    tables = found = right = reported = planted = 0
    print(f"{'kind':28}{'found':>8}{'precision':>11}{'recall':>8}")
    for kind in KINDS:
        if chosen and kind.name not in chosen:
            continue
        score = score_kind(kind, _SEEDS, _ROWS)
        tables, found = tables + score.tables, found + score.found
        right, reported = right + score.right_rows, reported + score.reported_rows
        planted += score.planted_rows
        rows = f"{score.precision:11.2f}{score.recall:8.2f}" if score.found else ""
        print(f"{kind.name:28}{score.found:>4} of {score.tables}{rows:19}  {', '.join(score.missed)}")
    if tables:
        print(
            f"\nfound {found} of {tables} tables ({found / tables:.0%}), "
            f"row precision {right / max(1, reported):.3f}, recall {right / max(1, planted):.3f}"
        )
    if chosen:
        return
    false = list(false_findings(_CLEAN_SEEDS, _ROWS))
    clean = len(CLEAN_TABLES) * len(_CLEAN_SEEDS)
    warnings = [finding for _, finding in false if finding.severity != "info"]
    print(f"false findings per clean table {len(false) / clean:.2f}, warnings {len(warnings) / clean:.2f}")
    for name, finding in false:
        print(f"  {name}: {finding.severity} {finding.metadata['check']}: {finding.description}")


if __name__ == "__main__":
    main(sys.argv[1:])
