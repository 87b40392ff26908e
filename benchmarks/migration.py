"""Measure the migration of a large file store to SQLite: findings per second, verification, memory.

    python -m benchmarks.migration [--reports 100000] [--folder DIR]

The folder is written file by file, with 20 findings per report, and kept for the next run.
"""

from __future__ import annotations

import argparse
import datetime as dt
import random
import resource
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

from benchmarks.common import CACHE
from lavendertown.core import clock
from lavendertown.core.findings import GhostFinding
from lavendertown.records.finding_conversion import finding_to_record
from lavendertown.records.record_classes import AuditEvent, ReportRecord
from lavendertown.records.summaries import summarize_record
from lavendertown.stores.files import formats, report_format
from lavendertown.stores.files.layout import Layout
from lavendertown.transfer.migrator import migrate_store
from lavendertown.transfer.values import MigrationProgress, MigrationRequest

FINDINGS = 20
START = dt.datetime(2024, 1, 1, 6, tzinfo=clock.UTC)


def fill(folder: Path, reports: int) -> None:
    """Write a file store with 400 datasets, each with many runs and different counts."""
    layout = Layout(folder)
    for each in (layout.reports_dir, layout.audit_dir):
        each.mkdir(parents=True)
    chance = random.Random(1)
    templates: dict[int, list[GhostFinding]] = {}
    for number in range(reports):
        report = _report(number, templates, chance)
        layout.report_file(report.id).write_bytes(report_format.write_report(report))
        event = AuditEvent(
            report.created_at, report.author, "report", report.id, "create", None, summarize_record(report)
        )
        with layout.audit_file(event.at).open("ab") as log:
            log.write(formats.write_event(event))


def _report(number: int, templates: dict[int, list[GhostFinding]], chance: random.Random) -> ReportRecord:
    dataset = number % 400
    created_at = START + dt.timedelta(minutes=10 * number)
    if dataset not in templates:
        templates[dataset] = [_finding(column) for column in range(FINDINGS)]
    findings = []
    for template in templates[dataset]:
        count = chance.randrange(1, 5000)
        metadata = {**template.metadata, "count": count, "share": count / 5000}
        ghost = replace(
            template,
            description=f"{template.column} is empty in {count} of 5000 rows",
            row_indices=[chance.randrange(5000) for _ in range(20)],
            metadata=metadata,
        )
        findings.append(finding_to_record(ghost, f"dataset {dataset}"))
    return ReportRecord(
        id=f"r-{number:07d}",
        title=f"Dataset {dataset}, run {number // 400}",
        author=f"person {number % 7}",
        dataset=f"dataset {dataset}",
        created_at=created_at,
        tags=("nightly",),
        metadata={"dataset": f"dataset {dataset}", "tags": ["nightly"], "run": number},
        ruleset=None,
        findings=tuple(findings),
        updated_at=created_at,
        version=1,
    )


def _finding(column: int) -> GhostFinding:
    metadata = {"check": "nulls", "params": {"column": column}, "total_count": 5000}
    return GhostFinding("null", f"column {column}", "warning", "", None, metadata)


def measure(folder: Path, target: Path) -> None:
    """Migrate the folder to a new SQLite database and print the results."""
    spans: dict[str, float] = {}
    last: tuple[float, str] = (time.perf_counter(), "reports")

    def record_phase(progress: MigrationProgress) -> None:
        nonlocal last
        now = time.perf_counter()
        spans[last[1]] = spans.get(last[1], 0.0) + now - last[0]
        last = (now, progress.phase)

    start = time.perf_counter()
    outcome = migrate_store(MigrationRequest(str(folder), f"sqlite:///{target}"), record_phase)
    total = time.perf_counter() - start
    verifying = spans.get("verifying", 0.0)
    copying = total - verifying
    findings = outcome.counts["findings"].written
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"reports {outcome.counts['reports'].written:,}, findings {findings:,}, verified {outcome.verified}"
    )
    print(f"copied in {copying:.1f} s: {findings / copying:,.0f} findings/s (≥ 20,000)")
    print(f"verified in {verifying:.1f} s: {verifying / copying:.2f} of the copying (≤ 1)")
    print(f"peak memory {peak:,.0f} MiB (≤ 1,024)")
    print("phases: " + ", ".join(f"{name} {seconds:.1f} s" for name, seconds in spans.items()))


def main() -> None:
    """Fill the folder if it is missing, then measure in a separate process, to measure its memory alone."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reports", type=int, default=100_000)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    folder = options.folder or CACHE / f"migration-{options.reports}"
    target = folder.with_name(f"{folder.name}-target")
    if options.measure:
        measure(folder, target / "target.db")
        return
    if not folder.exists():
        fill(folder, options.reports)
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    command = [sys.executable, "-m", "benchmarks.migration", "--measure", "--folder", str(folder)]
    subprocess.run(command, check=True)
    shutil.rmtree(target)


if __name__ == "__main__":
    main()
