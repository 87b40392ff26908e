"""Measure the gate of ``lavendertown import --fail-on``: how long it takes to judge the findings of a file.

    python -m benchmarks.gate [--findings 10000] [--postgres URL]

The file is a Soda scan with as many failed checks, and half as many passed ones. The storage has the run of
the day before, with slightly smaller findings, and decisions on four tenths of them: snoozed, accepted, false
alarm, fixed.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from lavendertown.collaboration.database_storage import DatabaseStorage
from lavendertown.collaboration.parts.gate import FailOn, GateResult
from lavendertown.collaboration.parts.triage import Decision
from lavendertown.collaboration.storage import FileStorage, Storage
from lavendertown.core import clock
from lavendertown.core.file_limits import limits_from_settings
from lavendertown.core.settings import load_settings
from lavendertown.interchange import ReadRun, read_runs

LIMIT = 1.0
"""The seconds within which 10,000 findings are judged."""
ROUNDS = 5
FAIL_ON = (FailOn.NEW, FailOn.REGRESSED, FailOn.WORSE, FailOn.ERROR)
DECISIONS = (
    Decision(snooze_until=clock.now() + dt.timedelta(days=7)),
    Decision(status="accepted", reason="agreed"),
    Decision(status="false_positive", reason="by design"),
    Decision(status="fixed", reason="loader repaired"),
)
Open = Callable[[], Storage]


def write_scan(file: Path, findings: int, day: int) -> None:
    """Write the scan of a day; later scans have larger findings, and one new finding in a hundred."""
    checks, metrics = [], []
    for number in range(findings * 3 // 2):
        has_failed = number < findings
        is_replaced = has_failed and number % 100 == 99
        column = f"column_{number}_{day}" if is_replaced else f"column_{number}"
        metric = f"metric-scan-warehouse-orders-{column}-missing_count"
        metrics.append({"identity": metric, "metricName": "missing_count", "value": number % 50 + day})
        checks.append(
            {
                "identity": f"check-{column}",
                "name": f"missing_count({column}) = 0",
                "definition": f"missing_count({column}) = 0",
                "table": "orders",
                "column": column,
                "metrics": [metric],
                "outcome": "fail" if has_failed else "pass",
                "diagnostics": {"value": number % 50 + day},
            }
        )
    scan: dict[str, Any] = {
        "definitionName": "orders_daily",
        "scanStartTimestamp": f"2026-11-{day:02}T06:00:00+00:00",
        "hasFailures": True,
        "metrics": metrics,
        "checks": checks,
    }
    file.write_text(json.dumps(scan))


def read_scan(file: Path) -> list[ReadRun]:
    """Read the runs of a file as ``lavendertown import`` does."""
    with file.open("rb") as stream:
        return read_runs([(stream, file.name)], limits=limits_from_settings(load_settings()))


def fill(storage: Storage, file: Path) -> None:
    """Save the baseline and the decisions about its findings."""
    storage.imports.save(read_scan(file))
    names = [row["finding_id"] for row in storage.inbox.query(None, 0, "severity")]
    for number, decision in enumerate(DECISIONS):
        storage.triage.decide(names[number::10], decision, actor="Ana")


def judge(open_storage: Open, runs: Sequence[ReadRun]) -> list[GateResult]:
    """Judge runs as ``lavendertown import --fail-on`` does, with a storage that was not used before."""
    storage = open_storage()
    try:
        return [storage.gate.judge_run(storage.imports.build_run(each), FAIL_ON) for each in runs]
    finally:
        storage.close()


def measure(name: str, open_storage: Open, folder: Path, findings: int) -> None:
    """Print the time to judge a file, the shortest of several rounds, and its ratio to reading the file."""
    before, after = folder / "before.json", folder / "after.json"
    write_scan(before, findings, 1)
    write_scan(after, findings, 2)
    storage = open_storage()
    fill(storage, before)
    storage.close()
    reading, judging, results = [], [], []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        runs = read_scan(after)
        reading.append(time.perf_counter() - start)
        start = time.perf_counter()
        results = judge(open_storage, runs)
        judging.append(time.perf_counter() - start)
    (result,) = results
    assert len(result.judgements) == findings
    assert result.failures
    assert result.spared
    seconds, read = min(judging), min(reading)
    limit = LIMIT * findings / 10_000
    print(
        f"{name}: {findings:,} findings judged in {seconds:.2f} s (≤ {limit:g} s"
        f"{'' if seconds <= limit else ', MISSED'}), file read in {read:.2f} s, ratio {seconds / read:.2f}; "
        f"{len(result.failures):,} fail, {len(result.spared):,} spared"
    )


def main() -> None:
    """Measure on files and SQLite, and on PostgreSQL if a URL is given."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--findings", type=int, default=10_000)
    parser.add_argument("--postgres")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        measure("files", lambda: FileStorage(folder / "store"), folder, options.findings)
        url = f"sqlite:///{folder / 'bench.db'}"
        measure("SQLite", lambda: DatabaseStorage(url), folder, options.findings)
        if options.postgres:
            measure("PostgreSQL", lambda: DatabaseStorage(options.postgres), folder, options.findings)


if __name__ == "__main__":
    main()
