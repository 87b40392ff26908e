"""Measure the first pages over a data folder: in a new process, repeated, and after a write.

``python -m benchmarks.desk --only files`` fills the folder and prints the results. Each first page is
measured in a new process that has imported all modules but read no data.
"""

from __future__ import annotations

import gc
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from lavendertown.collaboration.models import Annotation
from lavendertown.collaboration.storage import FileStorage, Storage
from lavendertown.core import clock

COLD, AFTER = 400, 50
PROCESSES, TIMES = 5, 9
TARGETS = f"DESIGN 8: first page ≤ {COLD} ms cold, ≤ {AFTER} ms after a comment"
Figures = dict[str, float]


def reports_page(storage: Storage) -> int:
    """Run the queries of the first page of Reports; return the number of reports."""
    storage.query_reports(limit=50)
    storage.reports.count_by_value()
    return storage.count_reports()


def findings_page(storage: Storage) -> int:
    """Run the queries of the first page of Findings; return the number of findings."""
    storage.inbox.query(limit=50)
    storage.inbox.count_by_value()
    return storage.inbox.count()


PAGES: dict[str, Callable[[Storage], int]] = {"Reports": reports_page, "Findings": findings_page}


def measure(folder: Path) -> None:
    """Print all results for a filled folder."""
    files_by_folder = {path.name: _files(path) for path in folder.iterdir() if path.is_dir()}
    count = sum(path.stat().st_size for files in files_by_folder.values() for path in files)
    storage = FileStorage(folder)
    print(
        f"Files, {storage.count_reports():,} reports, {storage.inbox.count():,} identities, "
        f"{len(files_by_folder['annotations']):,} threads, {count / 1e6:.0f} MB; {TARGETS}"
    )
    for page in PAGES:
        _print_page(folder, page)


def _print_page(folder: Path, page: str) -> None:
    print(f"  {page}, the medians of {PROCESSES} processes")
    cached = [_measure_in_new_process(folder, page, "cached") for _ in range(PROCESSES)]
    evicted = [_measure_in_new_process(folder, page, "evicted") for _ in range(PROCESSES)]
    _print_line("first page, new process", _median(cached, "first"), COLD)
    _print_line("first page, files not in memory", _median(evicted, "first"), COLD)
    _print_line("the same again", _median(cached, "again"), AFTER)
    _print_line("after this process annotated", _median(cached, "after own"), AFTER)
    _print_line("after another process annotated", _median(cached, "after other"), AFTER)


def _median(cached: list[Figures], name: str) -> float:
    return statistics.median(figures[name] for figures in cached)


def _print_line(label: str, took: float, limit: int) -> None:
    print(f"    {label:<32} {took:7.1f} ms {'' if took <= limit else f'> {limit}, MISSED'}", flush=True)


def _measure_in_new_process(folder: Path, page: str, files: str) -> Figures:
    if files == "evicted":
        _evict(folder)
    printed = _run(str(folder), page)
    figures: Figures = json.loads(printed)
    return figures


def _run(*arguments: str) -> str:
    command = [sys.executable, "-m", "benchmarks.desk_files", *arguments]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def _evict(folder: Path) -> None:
    """Drop the files from the page cache of the system; only written pages can be dropped."""
    os.sync()
    for path in _files(folder):
        handle = os.open(path, os.O_RDONLY)
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(handle)


def measure_page(folder: Path, page: str) -> Figures:
    """Measure one page in this process, in ms."""
    query_page = PAGES[page]
    with tempfile.TemporaryDirectory() as empty:
        query_page(FileStorage(empty))  # Trigger lazy imports.
    # As on the start of the dashboard, see ui/server/health.py.
    gc.collect()
    gc.freeze()
    start = time.perf_counter()
    storage = FileStorage(folder)
    query_page(storage)
    figures = {"first": (time.perf_counter() - start) * 1000}
    figures["again"] = statistics.median(_timed(query_page, storage) for _ in range(TIMES))
    finding = str(storage.inbox.query(limit=1)[0]["finding_id"])
    query_page(storage)
    storage.save_annotation(_annotation(finding))
    figures["after own"] = _timed(query_page, storage)
    _run(str(folder), "annotate", finding)
    figures["after other"] = _timed(query_page, storage)
    return figures


def _timed(query_page: Callable[[Storage], int], storage: Storage) -> float:
    start = time.perf_counter()
    query_page(storage)
    return (time.perf_counter() - start) * 1000


def _annotation(finding: str) -> Annotation:
    now = clock.now()
    return Annotation(f"fresh {now:%H%M%S%f} {os.getpid()}", finding, "Person 1", now, "Seen", [], "reviewed")


def main() -> None:
    """Measure one page, or add an annotation for another measuring process."""
    folder, what, *finding = sys.argv[1:]
    if what == "annotate":
        FileStorage(folder).save_annotation(_annotation(finding[0]))
    else:
        print(json.dumps(measure_page(Path(folder), what)))


if __name__ == "__main__":
    main()
