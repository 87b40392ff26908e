"""Measure a worklist of 5,000 rows: creating it, writing its file, reading the filled file, and the answers.

    python -m benchmarks.worklist [--rows 5000] [--postgres URL]

The table has twenty times as many rows. Half of the rows are filled in as done, a quarter as cannot.
"""

from __future__ import annotations

import argparse
import io
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from openpyxl import load_workbook  # type: ignore[import-untyped]

from lavendertown import Inspector
from lavendertown.collaboration.api import create_shareable_report
from lavendertown.collaboration.database_storage import DatabaseStorage
from lavendertown.collaboration.storage import FileStorage, Storage
from lavendertown.inspection.worklist_rows import ReportedTable, collect_rows_of_report
from lavendertown.interchange.worklists.filled_file import read_filled_file
from lavendertown.interchange.worklists.worklist_file import write_worklist
from lavendertown.tables import read_table

LIMIT = 5.0
"""The seconds for all steps of a worklist of 5,000 rows together."""


def make_table(rows: int) -> bytes:
    """Return a CSV file in which one price in twenty is missing, as many as the worklist has rows."""
    lines = [f"A-{n},{'' if n % 20 == 0 else n % 97},Town {n % 50}" for n in range(rows * 20)]
    return "\n".join(["order_id,price,town", *lines]).encode()


def fill(content: bytes) -> bytes:
    """Return the file of a worklist as a person fills it."""
    book = load_workbook(io.BytesIO(content))
    sheet = book["Rows"]
    heads = [cell.value for cell in sheet[1]]
    done, cannot, reason = (heads.index(name) + 1 for name in ("done", "cannot", "reason"))
    for row in range(2, sheet.max_row + 1):
        if row % 4 < 2:
            sheet.cell(row, done, "x")
        elif row % 4 == 2:
            sheet.cell(row, cannot, "x")
            sheet.cell(row, reason, f"The supplier of row {row} is closed.")
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def measure(name: str, open_storage: Callable[[], Storage], rows: int) -> None:
    """Print the time of each step on one storage."""
    table = read_table(make_table(rows), "orders.csv")
    inspector = Inspector(table, dataset="orders")
    findings = [each for each in inspector.detect() if each.column == "price"]
    metadata = {"dataset": "orders", "coverage": inspector.coverage()}
    report = create_shareable_report(title="Orders", author="Ana", findings=findings, metadata=metadata)
    storage = open_storage()
    storage.save_report(report)
    seconds: dict[str, float] = {}

    @contextmanager
    def step(what: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        seconds[what] = time.perf_counter() - start

    with step("collect"):
        chosen = storage.worklists.choose_findings(report.id)
        reported = ReportedTable("orders", inspector.coverage(), None)
        found = collect_rows_of_report(table, "orders.csv", reported, chosen, ["order_id"], (), True)
    with step("store"):
        (made,) = storage.worklists.create(report.id, found, actor="Ana")
    with step("write"):
        content = write_worklist(made)
    filled_file = fill(content)
    with step("read"):
        filled = read_filled_file(filled_file, made.file_name)
    with step("preview"):
        storage.worklists.preview(filled, author="Ben")
    with step("save"):
        saved = storage.worklists.save_answers(filled, author="Ben")
    with step("count"):
        counts = storage.worklists.count_answers(report.id)
    with step("undo"):
        undone = storage.worklists.undo(dict(saved.versions), actor="Ben")
    storage.close()
    assert made.row_count == rows
    assert saved.saved == undone
    assert [each["row_count"] for each in counts.values()] == [rows]
    total, limit = sum(seconds.values()), LIMIT * rows / 5000
    steps = ", ".join(f"{what} {each:.2f} s" for what, each in seconds.items())
    print(
        f"{name}: {rows:,} rows, {saved.saved:,} answers, file of {len(content) / 1e3:,.0f} kB: {steps}; "
        f"together {total:.2f} s (≤ {limit:g} s{'' if total <= limit else ', MISSED'})"
    )


def main() -> None:
    """Measure on files and SQLite, and on PostgreSQL if a URL is given."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=5_000)
    parser.add_argument("--postgres")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'bench.db'}"
        measure("files", lambda: FileStorage(Path(folder) / "store"), options.rows)
        measure("SQLite", lambda: DatabaseStorage(url), options.rows)
        if options.postgres:
            measure("PostgreSQL", lambda: DatabaseStorage(options.postgres), options.rows)


if __name__ == "__main__":
    main()
