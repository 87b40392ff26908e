"""Run the checks on clean and damaged tables, and score what they find."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

from benchmarks.quality import kinds_tables, kinds_text
from benchmarks.quality.clean_tables import CLEAN_TABLES, make_table
from benchmarks.quality.sheets import Kind, Planted, Sheet, sheet_csv
from lavendertown.inspector import Inspector
from lavendertown.models import GhostFinding

KINDS: list[Kind] = [*kinds_text.KINDS, *kinds_tables.KINDS]
_LEAST_RECALL, _LEAST_PRECISION = 0.8, 0.8
_EXPECTED = {"null", "constant"}
"""True everywhere: the clean tables have empty cells, which are no mistake of a check."""


@dataclass
class KindScore:
    """How often a kind was found, and the rows of the best finding in each table."""

    name: str
    tables: int = 0
    found: int = 0
    right_rows: int = 0
    reported_rows: int = 0
    planted_rows: int = 0
    missed: list[str] = field(default_factory=list)

    @property
    def precision(self) -> float:
        """The share of the reported rows that are damaged."""
        return self.right_rows / self.reported_rows if self.reported_rows else 1.0

    @property
    def recall(self) -> float:
        """The share of the damaged rows that are reported, where the error was found."""
        return self.right_rows / self.planted_rows if self.planted_rows else 0.0


def inspect_sheet(sheet: Sheet, name: str) -> list[GhostFinding]:
    """Return the findings of all default checks on the sheet as a CSV file."""
    return Inspector((sheet_csv(sheet), f"{name}.csv")).detect()


def score_kind(kind: Kind, seeds: Sequence[int], rows: Sequence[int]) -> KindScore:
    """Plant a kind once for each seed, in its tables and the row counts in turn."""
    score = KindScore(kind.name)
    for i, seed in enumerate(seeds):
        table = kind.tables[i % len(kind.tables)]
        sheet = make_table(table, seed, rows[i % len(rows)])
        planted = kind.plant(sheet, Random(f"{kind.name} {seed}"))
        score.tables += 1
        best = find_best(inspect_sheet(sheet, table), planted)
        if best is None:
            score.missed.append(f"{table} {seed}")
            continue
        right, reported, wanted = best
        score.found += 1
        score.right_rows += right
        score.reported_rows += reported
        score.planted_rows += wanted
    return score


def find_best(findings: Sequence[GhostFinding], planted: Planted) -> tuple[int, int, int] | None:
    """Return the rows (right, reported, planted) of the finding that reports the error best; None if none.

    A finding reports it if it lists at least 80% of the rows, and at most 20% others.
    """
    best: tuple[int, int, int] | None = None
    for finding in findings:
        named = {finding.column, *finding.metadata.get("columns", ())}
        if not named & set(planted.columns) and not any(c in finding.column for c in planted.columns):
            continue
        reported = set(finding.row_indices or ())
        for wanted in filter(None, (set(planted.rows), set(planted.or_rows or ()))):
            right = len(reported & wanted)
            fits = right >= _LEAST_RECALL * len(wanted) and right >= _LEAST_PRECISION * len(reported)
            if right and fits and (best is None or right / len(reported | wanted) > best[0] / best[1]):
                best = (right, len(reported), len(wanted))
    return best


def false_findings(seeds: Sequence[int], rows: Sequence[int]) -> Iterator[tuple[str, GhostFinding]]:
    """Yield the findings on clean tables, which are false."""
    for name in CLEAN_TABLES:
        for i, seed in enumerate(seeds):
            sheet = make_table(name, seed, rows[i % len(rows)])
            for finding in inspect_sheet(sheet, name):
                if finding.ghost_type not in _EXPECTED:
                    yield name, finding
