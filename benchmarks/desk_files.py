"""The first pages over a data folder: in a fresh process, again, and after somebody wrote.

``python -m benchmarks.desk --only files`` fills the folder and prints the figures. Each first look is a
process of its own, which has imported everything and read nothing.
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

from lavendertown import clock
from lavendertown.collaboration.models import Annotation
from lavendertown.collaboration.storage import FileStorage, Storage

COLD, AFTER = 400, 20
PROCESSES, TIMES = 5, 9
LAW = f"DESIGN 7: first page ≤ {COLD} ms cold, ≤ {AFTER} ms after"
Figures = dict[str, float]


def reports_page(storage: Storage) -> int:
    """Ask for what the screen Reports shows first; return how many there are."""
    storage.query_reports(limit=50)
    storage.report_facets()
    return storage.count_reports()


def findings_page(storage: Storage) -> int:
    """Ask for what the screen Findings shows first; return how many there are."""
    storage.query_desk(limit=50)
    storage.desk_facets()
    return storage.count_desk()


PAGES: dict[str, Callable[[Storage], int]] = {"Reports": reports_page, "Findings": findings_page}


def measure(folder: Path) -> None:
    """Print all figures of a filled folder."""
    held = {path.name: _files(path) for path in folder.iterdir() if path.is_dir()}
    count = sum(path.stat().st_size for files in held.values() for path in files)
    storage = FileStorage(folder)
    print(
        f"Files, {storage.count_reports():,} reports, {storage.count_desk():,} identities, "
        f"{len(held['annotations']):,} threads, {count / 1e6:.0f} MB; {LAW}"
    )
    for page in PAGES:
        _print_page(folder, page)


def _print_page(folder: Path, page: str) -> None:
    print(f"  {page}, the medians of {PROCESSES} processes")
    looks = [_fresh(folder, page, "cached") for _ in range(PROCESSES)]
    evicted = [_fresh(folder, page, "evicted") for _ in range(PROCESSES)]
    _line("first look, fresh process", _median(looks, "first"), COLD)
    _line("first look, files not in memory", _median(evicted, "first"), COLD)
    _line("the same again", _median(looks, "again"), AFTER)
    _line("after this process annotated", _median(looks, "after own"), AFTER)
    _line("after another process annotated", _median(looks, "after other"), AFTER)


def _median(looks: list[Figures], name: str) -> float:
    return statistics.median(look[name] for look in looks)


def _line(label: str, took: float, limit: int) -> None:
    print(f"    {label:<32} {took:7.1f} ms {'' if took <= limit else f'> {limit}, MISSED'}", flush=True)


def _fresh(folder: Path, page: str, files: str) -> Figures:
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
    """Have the system forget what it keeps of these files; only written pages can be forgotten."""
    os.sync()
    for path in _files(folder):
        handle = os.open(path, os.O_RDONLY)
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(handle)


def look(folder: Path, page: str) -> Figures:
    """Measure one page in this process, in ms."""
    ask = PAGES[page]
    with tempfile.TemporaryDirectory() as empty:
        ask(FileStorage(empty))  # What is imported late is imported now.
    # As the dashboard does when it starts, see ui/health.py.
    gc.collect()
    gc.freeze()
    start = time.perf_counter()
    storage = FileStorage(folder)
    ask(storage)
    figures = {"first": (time.perf_counter() - start) * 1000}
    figures["again"] = statistics.median(_timed(ask, storage) for _ in range(TIMES))
    finding = str(storage.query_desk(limit=1)[0]["finding_id"])
    ask(storage)
    storage.save_annotation(_annotation(finding))
    figures["after own"] = _timed(ask, storage)
    _run(str(folder), "annotate", finding)
    figures["after other"] = _timed(ask, storage)
    return figures


def _timed(ask: Callable[[Storage], int], storage: Storage) -> float:
    start = time.perf_counter()
    ask(storage)
    return (time.perf_counter() - start) * 1000


def _annotation(finding: str) -> Annotation:
    now = clock.now()
    return Annotation(f"fresh {now:%H%M%S%f} {os.getpid()}", finding, "Person 1", now, "Seen", [], "reviewed")


def main() -> None:
    """Measure one page, or annotate for another process that measures."""
    folder, what, *finding = sys.argv[1:]
    if what == "annotate":
        FileStorage(folder).save_annotation(_annotation(finding[0]))
    else:
        print(json.dumps(look(Path(folder), what)))


if __name__ == "__main__":
    main()
