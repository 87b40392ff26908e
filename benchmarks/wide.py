"""Measure a CSV of 10 rows and 5,000 columns: ``python -m benchmarks.wide [--columns N] [--rows N] [KIND]``.

Prints the processor time of reading, of all default checks, and of the evidence, for tables of one kind of
values and of all kinds in turn: without faults, with a missing value in each column, and with a wrong one.
Each table is read in a process of its own, after a table of few columns.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import tempfile
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path

from benchmarks.detect import measure

GOAL = 10.0
"""The seconds for all three steps together."""

_MEASURE = """
import json, sys, time
from lavendertown.inspector import Inspector
for path in sys.argv[1:]:
    times = [time.process_time()]
    inspector = Inspector(path)
    times.append(time.process_time())
    findings = inspector.detect()
    times.append(time.process_time())
    inspector.evidence()
    times.append(time.process_time())
assert not any(finding.ghost_type == "check_error" for finding in findings)
print(json.dumps([times, len(findings)]))
"""


def _make_date(chance: random.Random) -> str:
    return str(date(2020, 1, 1) + timedelta(days=chance.randrange(1_500)))


KINDS: dict[str, Callable[[random.Random], str]] = {
    "whole numbers": lambda chance: str(chance.randrange(1_000)),
    "decimals": lambda chance: f"{chance.gauss(10, 3):.3f}",
    "words": lambda chance: chance.choice(["red", "green", "blue", "yellow"]),
    "dates": _make_date,
    "codes": lambda chance: f"v{chance.randrange(10)}",
}
MIXED = "mixed"
FAULTS = {"none": None, "missing": "", "wrong": "#7x"}


def write_table(path: Path, kind: str, rows: int, columns: int, fault: str | None = None) -> None:
    """Write a CSV file.

    Args:
        path: The file.
        kind: A name of :data:`KINDS`, or :data:`MIXED` for all of them in turn.
        rows: The number of rows.
        columns: The number of columns.
        fault: What stands in one row of each column in place of its value.
    """
    chance = random.Random(1)
    makers = list(KINDS.values()) if kind == MIXED else [KINDS[kind]]
    cells = [[makers[i % len(makers)](chance) for i in range(columns)] for _ in range(rows)]
    if fault is not None:
        for i in range(columns):
            cells[chance.randrange(rows)][i] = fault
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([[f"c{i}" for i in range(columns)], *cells])


def main() -> None:
    """Print the seconds of each step for each kind of table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kinds", nargs="*", help=f"of: {', '.join([*KINDS, MIXED])}")
    parser.add_argument("--columns", type=int, default=5_000)
    parser.add_argument("--rows", type=int, default=10)
    options = parser.parse_args()
    print(f"CSV of {options.rows:,} rows and {options.columns:,} columns, seconds of processor time")
    print(f"{'kind':14} {'faults':8} {'reading':>8} {'checks':>8} {'evidence':>9} {'together':>9}")
    with tempfile.TemporaryDirectory(prefix="lavendertown-wide-") as folder:
        small, path = Path(folder, "small.csv"), Path(folder, "wide.csv")
        for kind in options.kinds or [*KINDS, MIXED]:
            write_table(small, kind, options.rows, 20)
            for name, fault in FAULTS.items():
                write_table(path, kind, options.rows, options.columns, fault)
                run = measure(_MEASURE, str(small), str(path))
                if run["code"]:
                    print(f"{kind:14} {name:8} FAILED: {run['error']}")
                    continue
                times, findings = json.loads(run["text"])
                reading, checks, evidence = (times[i + 1] - times[i] for i in range(3))
                total = times[-1] - times[0]
                print(
                    f"{kind:14} {name:8} {reading:8.1f} {checks:8.1f} {evidence:9.1f} {total:9.1f}"
                    f"{'' if total <= GOAL else '  over ' + str(GOAL)}  {findings:,} findings",
                    flush=True,
                )


if __name__ == "__main__":
    main()
