"""Rows of an application's own class, with audit: one batch against one by one, in one run.

python -m benchmarks.accessors [--rows 10000] [--postgres URL]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from lavendertown.database import ModelAccessor, application, starting


class Base(DeclarativeBase):
    pass


class Part(Base):
    __tablename__ = "bench_parts"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    price: Mapped[float]


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def measure(name: str, url: str, rows: int) -> None:
    """Print how long both ways take on one database."""
    starting.bootstrap(database_url=url)
    starting.create(application.get_engine(), Base.metadata)
    parts = ModelAccessor(Part, "parts")

    def made() -> list[Part]:
        return [Part(name=f"part {number}", price=number / 7) for number in range(rows)]

    one_by_one, batch = made(), made()
    parts.insert(Part(name="first", price=0.0))
    slow = _seconds(lambda: [parts.insert(part) for part in one_by_one])
    quick = _seconds(lambda: parts.insert_many(batch))
    assert len(parts.all()) == 2 * rows + 1
    print(
        f"{name}: {rows:,} rows with audit: one by one {slow:.2f} s, in one batch {quick:.2f} s: "
        f"{slow / quick:.1f}x (≥ 10x)"
    )


def main() -> None:
    """Measure on a SQLite file, and on PostgreSQL where a URL is given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--postgres")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure("SQLite", f"sqlite:///{Path(folder) / 'bench.db'}", chosen.rows)
        application.current().close()
    if chosen.postgres:
        measure("PostgreSQL", chosen.postgres, chosen.rows)


if __name__ == "__main__":
    main()
