"""Measure detection against DuckDB's SUMMARIZE: ``python -m benchmarks.detect [ratio] [growth] [memory]``.

Each figure is measured in a process of its own. CPU counts all its threads, and peak memory the whole
process, of which importing LavenderTown takes a part that is printed, too.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

ROWS = 1_000_000
GROWTH = (10_000, 100_000, 1_000_000, 5_000_000)
MEMORY_MB = 512
"""The memory limit that a Parquet set of twice its size is checked with."""

_CITIES = np.array([f"City {i}" for i in range(300)])
_START = np.datetime64("2022-01-01T00:00:00", "us")

_SUMMARIZE = """
import duckdb, sys
duckdb.sql("SET enable_progress_bar = false")
duckdb.sql(f"SUMMARIZE FROM '{sys.argv[1]}'").fetchall()
"""
_IMPORT = "import lavendertown.inspector, duckdb"
DETECT = """
import sys
from lavendertown.core.file_limits import FileLimits
from lavendertown.inspector import Inspector
limits = FileLimits(memory_bytes=int(sys.argv[3]) * 1024**2)
inspector = Inspector(sys.argv[1], engine=sys.argv[2], limits=limits)
findings = inspector.detect()
not_run = inspector.coverage().get("not_run", [])
assert not any(finding.ghost_type == "check_error" for finding in findings)
print(f"{len(findings)} findings, {len(inspector.checks)} checks, {len(not_run)} not run")
"""
_MEASURE = """
import json, resource, subprocess, sys, time
start = time.perf_counter()
answer = subprocess.run([sys.executable, "-c", *sys.argv[1:]], capture_output=True, text=True)
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps({
    "cpu": used.ru_utime + used.ru_stime, "wall": time.perf_counter() - start,
    "peak": used.ru_maxrss / 1024, "text": answer.stdout.strip(), "error": answer.stderr[-500:],
    "code": answer.returncode,
}))
"""


def make_orders(rows: int, seed: int = 1) -> pl.DataFrame:
    """Return a table of 20 columns of all kinds: keys, categories, mail addresses, amounts, times, places."""
    random = np.random.default_rng(seed)
    customers = random.integers(1, max(2, rows // 8), rows)
    quantity, price = random.integers(1, 20, rows), np.round(random.lognormal(3, 1, rows), 2)
    discount = random.choice([0.0, 0.05, 0.1, 0.2], rows)
    return pl.DataFrame(
        {
            "order_id": np.arange(rows) + 100_000 + seed * 10**8,
            "customer": customers,
            "city": _CITIES[random.zipf(1.5, rows) % len(_CITIES)],
            "country": random.choice(["DE", "FR", "US", "GB", "IT"], rows),
            "status": random.choice(["open", "paid", "shipped", "returned"], rows, p=[0.2, 0.3, 0.45, 0.05]),
            "email": np.char.add(np.char.add("user", customers.astype(str)), "@example.org"),
            "qty": quantity,
            "price": price,
            "discount": discount,
            "created": _START + random.integers(0, 3 * 365 * 86_400, rows).astype("timedelta64[s]"),
            "lat": random.normal(50, 2, rows),
            "lon": random.normal(9, 3, rows),
            "age": np.clip(random.normal(45, 15, rows), 18, 95).astype(int),
            "height": np.round(random.normal(172, 9, rows), 1),
            "flag": random.random(rows) < 0.3,
            "code": np.char.add("AB-", random.integers(1_000, 9_999, rows).astype(str)),
            "note": np.char.add("Note about item ", random.integers(0, 5_000, rows).astype(str)),
            "score": random.normal(0, 1, rows),
            "weight": np.round(random.gamma(4, 20, rows), 1),
            "total": np.round(quantity * price * (1 - discount), 2),
            "empty": random.random(rows) < 0.6,
        }
    ).select(
        pl.all().exclude("note", "empty"),
        pl.when(pl.col("empty")).then(None).otherwise(pl.col("note")).alias("note"),
    )


def measure(code: str, *arguments: str, python: str = sys.executable) -> dict[str, Any]:
    """Run code in a process of its own, and return its CPU and wall seconds, peak memory and output."""
    command = [python, "-c", _MEASURE, code, *arguments]
    answer: dict[str, Any] = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return answer


def print_ratio(folder: Path) -> None:
    """Print the CPU of all default checks as a ratio to SUMMARIZE, on Parquet and CSV."""
    frame = make_orders(ROWS)
    imported = measure(_IMPORT)
    print(
        f"{ROWS:,} rows × {frame.width} columns; imports: {imported['cpu']:.1f} s, {imported['peak']:,.0f} MB"
    )
    frame.write_parquet(folder / "orders.parquet")
    frame.write_csv(folder / "orders.csv")
    for name, engines in (("orders.parquet", ("polars", "duckdb")), ("orders.csv", ("polars",))):
        path = str(folder / name)
        base = measure(_SUMMARIZE, path)
        print(f"{name:16}{'SUMMARIZE':>10}{base['cpu']:>8.1f} s CPU{base['peak']:>8,.0f} MB")
        for engine in engines:
            _print_run(name, engine, measure(DETECT, path, engine, "2000"), base, imported)


def print_growth(folder: Path) -> None:
    """Print CPU and memory from few to many rows, on both engines."""
    for rows in GROWTH:
        path = folder / f"orders-{rows}.parquet"
        make_orders(rows).write_parquet(path)
        base = measure(_SUMMARIZE, str(path))
        for engine in ("polars", "duckdb"):
            _print_run(f"{rows:,} rows", engine, measure(DETECT, str(path), engine, "2000"), base, None)
        path.unlink()


def print_memory(folder: Path) -> None:
    """Check a Parquet set of twice the memory limit on DuckDB, and print the peak memory."""
    parts = folder / "parts"
    parts.mkdir()
    size = count = 0
    while size < 2 * MEMORY_MB * 1024**2:
        frame = make_orders(ROWS, count + 1)
        frame.write_parquet(parts / f"{count}.parquet")
        size += int(frame.estimated_size())
        count += 1
    print(f"{count:,} files, {count * ROWS:,} rows, {size / 1024**2:,.0f} MB in memory; limit {MEMORY_MB} MB")
    imported = measure(_IMPORT)
    print(f"imports: {imported['peak']:,.0f} MB")
    _print_run("set", "duckdb", measure(DETECT, str(parts), "duckdb", str(MEMORY_MB)), None, None)


def _print_run(
    name: str,
    engine: str,
    run: dict[str, Any],
    base: dict[str, Any] | None,
    imported: dict[str, Any] | None,
) -> None:
    cpu = run["cpu"] - (imported["cpu"] if imported else 0.0)
    ratio = f" = {cpu / base['cpu']:.1f} × SUMMARIZE" if base else ""
    outcome = run["text"] if not run["code"] else f"FAILED: {run['error']}"
    print(f"{name:16}{engine:>10}{cpu:>8.1f} s CPU{run['peak']:>8,.0f} MB{ratio}; {outcome}", flush=True)


PARTS = {"ratio": print_ratio, "growth": print_growth, "memory": print_memory}


def main(chosen: list[str]) -> None:
    """Print the chosen parts, or all."""
    for name, part in PARTS.items():
        if not chosen or name in chosen:
            with tempfile.TemporaryDirectory(prefix="lavendertown-detect-") as folder:
                part(Path(folder))


if __name__ == "__main__":
    main(sys.argv[1:])
