"""Compare inserting application rows with audit one by one and in one batch.

python -m benchmarks.accessors [--rows 10000] [--postgres URL]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from lavendertown.database import ModelAccessor, application, startup


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
    """Print the duration of both ways on one database."""
    startup.bootstrap(database_url=url)
    startup.create_missing_tables(application.get_engine(), Base.metadata)
    parts = ModelAccessor(Part, "parts")

    def make_parts() -> list[Part]:
        return [Part(name=f"part {number}", price=number / 7) for number in range(rows)]

    one_by_one, batch = make_parts(), make_parts()
    parts.insert(Part(name="first", price=0.0))
    slow = _seconds(lambda: [parts.insert(part) for part in one_by_one])
    fast = _seconds(lambda: parts.insert_many(batch))
    assert len(parts.all()) == 2 * rows + 1
    print(
        f"{name}: {rows:,} rows with audit: one by one {slow:.2f} s, in one batch {fast:.2f} s: "
        f"{slow / fast:.1f}x (≥ 10x)"
    )


def main() -> None:
    """Measure on a SQLite file, and on PostgreSQL if a URL is given."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--postgres")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measure("SQLite", f"sqlite:///{Path(folder) / 'bench.db'}", options.rows)
        application.current_database().close()
    if options.postgres:
        measure("PostgreSQL", options.postgres, options.rows)


if __name__ == "__main__":
    main()
