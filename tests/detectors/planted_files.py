"""Parquet files with a fault for every check, for tests of engines."""

from __future__ import annotations

import datetime as dt
import decimal
from pathlib import Path
from random import Random

import polars as pl

from benchmarks.quality.clean_tables import make_table
from benchmarks.quality.score import KINDS
from benchmarks.quality.sheets import sheet_csv
from lavendertown.tables import read_table

KIND_NAMES = (
    "truncated",
    "key of two repeated: store_days",
    "copies with a new key: orders",
    "date in the future",
    "stuck: sensors",
    "impossible sign: orders",
    "stand-in -999",
    "category case",
    "coordinates swapped",
    "date month first",
    "copies: orders",
    "time repeated: meter",
)
"""Planted errors that together have a finding of nearly every check."""

BY_HAND = "by hand"
EMPTY = "no rows"
FILE_NAMES = (*KIND_NAMES, BY_HAND, EMPTY)


def write_planted(name: str, folder: Path, rows: int = 600) -> Path:
    """Write the file with planted errors of this name, and return its path."""
    path = folder / "planted.parquet"
    if name == BY_HAND:
        frame = frame_by_hand()
    elif name == EMPTY:
        frame = frame_by_hand().drop("tags").head(0)
    else:
        frame = _planted_frame(name, rows)
    frame.write_parquet(path)
    return path


def _planted_frame(name: str, rows: int) -> pl.DataFrame:
    kind = next(kind for kind in KINDS if kind.name == name)
    sheet = make_table(kind.tables[0], 3, rows)
    kind.plant(sheet, Random(kind.name))
    table = read_table(sheet_csv(sheet), "t.csv")
    native: pl.DataFrame = table.frame.collect().to_native()
    return native.select([pl.col(column.key).alias(column.name) for column in table.schema])


def frame_by_hand() -> pl.DataFrame:
    """Return a frame with faults that no kind plants, odd names, and all types of columns."""
    random, n = Random(7), 400
    start = [dt.date(2024, 1, 1) + dt.timedelta(days=random.randrange(300)) for _ in range(n)]
    days = [random.randrange(1, 60) for _ in range(n)]
    amounts = [float(random.randrange(1, 500)) for _ in range(n - 1)]
    return pl.DataFrame(
        {
            "row": [f"N-{i}" for i in range(n)],
            "c0": pl.Series([random.choice("ab\u00e9\u6f22") for _ in range(n)], dtype=pl.Categorical),
            "start": start,
            "end": [first + dt.timedelta(days=length) for first, length in zip(start, days, strict=True)],
            "days": [99 if i in (3, 50) else length for i, length in enumerate(days)],
            "region": [*(random.choice(["North", "South"]) for _ in range(n - 1)), "Total"],
            "amount": [*amounts, sum(amounts)],
            "article": [
                "4.00638E+12" if i % 50 == 7 else str(4006381000000 + random.randrange(999999))
                for i in range(n)
            ],
            "rate": [
                float("inf") if i == 9 else float("nan") if i % 40 == 1 else i % 17 / 8 for i in range(n)
            ],
            "price": [decimal.Decimal(random.randrange(100, 9999)) / 100 for _ in range(n)],
            "constant": ["x"] * n,
            "empty": [None] * n,
            'Flag "1"': [random.choice([True, False, None]) for _ in range(n)],
            "moment": [
                dt.datetime(2024, 1, 1, tzinfo=dt.UTC) + dt.timedelta(hours=random.randrange(9_000))
                for _ in range(n)
            ],
            "time": [dt.time(random.randrange(24), 5) for _ in range(n)],
            "place": [
                {"city": random.choice(["Ulm", "ulm", "Bonn"]), "zip": 80_000 + i % 90} for i in range(n)
            ],
            "tags": [[i % 3, 1] for i in range(n)],
            "small": pl.Series([i % 200 for i in range(n)], dtype=pl.UInt8),
        }
    )
