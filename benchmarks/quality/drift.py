"""Plant drift between two deliveries of a clean table, and changes that are none; score what is found.

``make bench-drift`` prints the kinds one by one.
"""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TypeAlias

from benchmarks.quality.clean_tables import CLEAN_TABLES, make_table
from benchmarks.quality.sheets import Sheet, row_count, rows_where, sheet_csv
from lavendertown.core.findings import GhostFinding
from lavendertown.drift import Baseline, ProfileBaseline, TableBaseline, compare_datasets
from lavendertown.profile.measure import measure_table
from lavendertown.tables import Table, read_table

MODES = ("table", "profile")
"""Compared with all rows of the delivery before, or with the profile that its report stored."""

_SEEDS = range(3)
_ROWS = (600, 1_500, 4_000)
_NEXT = 1_000


@dataclass(frozen=True)
class Expected:
    """What a comparison should find.

    Attributes:
        checks: The names of the checks, one of which should report it.
        column: The column.
        rows: The rows; None if the finding has none.
        segment: The column and the value that explain it, where all rows are known.
    """

    checks: Sequence[str]
    column: str
    rows: Sequence[int] | None = None
    segment: tuple[str, str] | None = None


Change: TypeAlias = Callable[[Sheet, Random], Expected]
Harmless: TypeAlias = Callable[[Sheet, Random], None]


@dataclass(frozen=True)
class DriftKind:
    """A kind of drift.

    Attributes:
        name: Its name.
        table: The clean table that it is planted in.
        change: Changes the later delivery and returns what should be found.
    """

    name: str
    table: str
    change: Change


def _map(sheet: Sheet, column: str, change: Callable[[str], str], rows: Sequence[int] | None = None) -> None:
    for row in range(row_count(sheet)) if rows is None else rows:
        if sheet[column][row]:
            sheet[column][row] = change(sheet[column][row])


def _some(sheet: Sheet, random: Random, share: float) -> list[int]:
    return [row for row in range(row_count(sheet)) if random.random() < share]


def _scale(column: str, factor: float) -> Change:
    def change(sheet: Sheet, random: Random) -> Expected:
        _map(sheet, column, lambda cell: f"{float(cell) * factor:.2f}")
        return Expected(["drift_distribution"], column)

    return change


def _move(column: str, distance: float) -> Change:
    def change(sheet: Sheet, random: Random) -> Expected:
        _map(sheet, column, lambda cell: f"{float(cell) + distance:.1f}")
        return Expected(["drift_distribution"], column)

    return change


def _scale_segment(column: str, by: str, value: str, factor: float) -> Change:
    def change(sheet: Sheet, random: Random) -> Expected:
        rows = rows_where(sheet, by, lambda cell: cell == value)
        _map(sheet, column, lambda cell: f"{float(cell) * factor:.2f}", rows)
        return Expected(["drift_distribution"], column, segment=(by, value))

    return change


def _empty(column: str, share: float) -> Change:
    def change(sheet: Sheet, random: Random) -> Expected:
        _map(sheet, column, lambda cell: "", _some(sheet, random, share))
        return Expected(["drift_missing"], column)

    return change


def _empty_segment(column: str, by: str, value: str) -> Change:
    def change(sheet: Sheet, random: Random) -> Expected:
        _map(sheet, column, lambda cell: "", rows_where(sheet, by, lambda cell: cell == value))
        return Expected(["drift_missing"], column, segment=(by, value))

    return change


def _fill(column: str, text: str) -> Change:
    def change(sheet: Sheet, random: Random) -> Expected:
        sheet[column] = [cell or text for cell in sheet[column]]
        return Expected(["drift_missing"], column)

    return change


def _add_category(column: str, value: str, share: float) -> Change:
    def change(sheet: Sheet, random: Random) -> Expected:
        rows = _some(sheet, random, share)
        for row in rows:
            sheet[column][row] = value
        return Expected(["drift_new_categories"], column, rows)

    return change


def _lose_category(column: str, value: str, other: str) -> Change:
    def change(sheet: Sheet, random: Random) -> Expected:
        _map(sheet, column, lambda cell: other if cell == value else cell)
        return Expected(["drift_lost_categories"], column)

    return change


def _favour(column: str, value: str, share: float) -> Change:
    def change(sheet: Sheet, random: Random) -> Expected:
        _map(sheet, column, lambda cell: value, _some(sheet, random, share))
        return Expected(["drift_category_shares"], column)

    return change


def _exceed(column: str, low: float, high: float, share: float) -> Change:
    def change(sheet: Sheet, random: Random) -> Expected:
        rows = _some(sheet, random, share)
        for row in rows:
            sheet[column][row] = f"{random.uniform(low, high):.1f}"
        return Expected(["drift_range"], column, rows)

    return change


def _spike(column: str, value: str, share: float) -> Change:
    def change(sheet: Sheet, random: Random) -> Expected:
        _map(sheet, column, lambda cell: value, _some(sheet, random, share))
        return Expected(["drift_distribution", "drift_range"], column)

    return change


def _add_column(sheet: Sheet, random: Random) -> Expected:
    sheet["referrer"] = [random.choice(["web", "mail"]) for _ in range(row_count(sheet))]
    return Expected(["drift_column_added"], "referrer")


def _remove_column(column: str) -> Change:
    def change(sheet: Sheet, random: Random) -> Expected:
        del sheet[column]
        return Expected(["drift_column_removed"], column)

    return change


def _write_as_text(column: str) -> Change:
    def change(sheet: Sheet, random: Random) -> Expected:
        _map(sheet, column, lambda cell: f"about {cell} each")
        return Expected(["drift_type"], column)

    return change


def _keep_rows(share: float) -> Change:
    def change(sheet: Sheet, random: Random) -> Expected:
        kept = int(share * row_count(sheet))
        for column in sheet:
            sheet[column] = sheet[column][:kept]
        return Expected(["drift_row_count"], "*")

    return change


KINDS = [
    DriftKind("unit changed", "people", _scale("height", 0.01)),
    DriftKind("currency changed", "orders", _scale("price", 25)),
    DriftKind("numbers grown by half", "employees", _scale("salary", 1.5)),
    DriftKind("numbers moved", "people", _move("weight", 12)),
    DriftKind("temperatures moved", "patients", _move("temperature", 1.5)),
    DriftKind("numbers grown in a segment", "orders", _scale_segment("price", "channel", "shop", 8)),
    DriftKind("numbers replaced by one value", "people", _spike("income", "0", 0.15)),
    DriftKind("missing values", "people", _empty("height", 0.08)),
    DriftKind("many missing values", "orders", _empty("price", 0.5)),
    DriftKind("missing in a segment", "orders", _empty_segment("discount", "channel", "phone")),
    DriftKind("no missing values any more", "customers", _fill("note", "none given")),
    DriftKind("new category", "orders", _add_category("status", "on hold", 0.05)),
    DriftKind("new frequent category", "customers", _add_category("segment", "Public", 0.25)),
    DriftKind("new spelling", "people", _add_category("city", "HAMBURG", 0.06)),
    DriftKind("lost category", "orders", _lose_category("channel", "phone", "web")),
    DriftKind("category more frequent", "orders", _favour("status", "cancelled", 0.3)),
    DriftKind("true more frequent", "orders", _favour("paid", "true", 0.6)),
    DriftKind("beyond the range", "people", _exceed("fitness_percent", 140, 180, 0.05)),
    DriftKind("below the range", "people", _exceed("weight", 1, 9, 0.05)),
    DriftKind("column added", "events", _add_column),
    DriftKind("column removed", "orders", _remove_column("currency")),
    DriftKind("type changed", "employees", _write_as_text("salary")),
    DriftKind("rows lost", "people", _keep_rows(0.3)),
]


def _move_dates(*columns: str) -> Harmless:
    def change(sheet: Sheet, random: Random) -> None:
        for column in columns:
            _map(sheet, column, lambda cell: f"{dt.date.fromisoformat(cell) + dt.timedelta(days=731)}")

    return change


def _continue_numbers(column: str) -> Harmless:
    def change(sheet: Sheet, random: Random) -> None:
        last = max(int(cell) for cell in sheet[column])
        sheet[column] = [str(last + 1 + row) for row in range(row_count(sheet))]

    return change


def _add_counter(sheet: Sheet, random: Random) -> None:
    sheet["reading"] = [f"{90_000 + 3.5 * row:.1f}" for row in range(row_count(sheet))]


def _add_rows(sheet: Sheet, random: Random) -> None:
    rows = range(row_count(sheet) // 3)
    for column in sheet:
        sheet[column] = sheet[column] + [sheet[column][row] for row in rows]


def _shuffle(sheet: Sheet, random: Random) -> None:
    order = random.sample(range(row_count(sheet)), row_count(sheet))
    columns = [(name, [sheet[name][row] for row in order]) for name in reversed(sheet)]
    sheet.clear()
    sheet.update(columns)


def _keep_few(sheet: Sheet, random: Random) -> None:
    for column in sheet:
        sheet[column] = sheet[column][:40]


def _add_rare_values(sheet: Sheet, random: Random) -> None:
    for row in random.sample(range(row_count(sheet)), 3):
        sheet["city"][row] = "Bremerhaven"


def _grow_slightly(sheet: Sheet, random: Random) -> None:
    _map(sheet, "income", lambda cell: f"{float(cell) * 1.02:.0f}")


def _name_batch(sheet: Sheet, random: Random) -> None:
    sheet["firmware"] = ["1.6.0" if random.random() < 0.5 else cell for cell in sheet["firmware"]]


def _empty_a_little(sheet: Sheet, random: Random) -> None:
    _map(sheet, "note", lambda cell: "", _some(sheet, random, 0.03))


HARMLESS: list[tuple[str, str, Harmless]] = [
    *((f"another delivery of {name}", name, lambda sheet, random: None) for name in CLEAN_TABLES),
    ("later dates", "people", _move_dates("joined", "last_visit")),
    ("numbers continue", "people", _continue_numbers("member")),
    ("account numbers continue", "employees", _continue_numbers("emp_no")),
    ("a third more rows", "customers", _add_rows),
    ("another order of rows and columns", "orders", _shuffle),
    ("few new values", "customers", _add_rare_values),
    ("slight growth", "people", _grow_slightly),
    ("next version", "stations", _name_batch),
    ("slightly more missing values", "customers", _empty_a_little),
]
"""Changes from one delivery to the next that are no drift: a name, the table, the change."""

_MOVING = frozenset({"quotes"})
"""Tables whose numbers walk at random, so that another delivery of them has other prices."""


@dataclass
class DriftScore:
    """How often a kind was found.

    Attributes:
        rows: The rows that are right, reported and planted, in the tables where it was found.
    """

    name: str
    tables: int = 0
    found: int = 0
    segments: int = 0
    segments_found: int = 0
    rows: list[int] = field(default_factory=lambda: [0, 0, 0])
    missed: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)


def make_baseline(table: Table, mode: str) -> Baseline:
    """Return the delivery before as a table, or as the profile that its report stored."""
    if mode == "table":
        return TableBaseline(table, "before")
    return ProfileBaseline(measure_table(table, []), "before", columns=table.columns)


def read_sheet(sheet: Sheet, name: str) -> Table:
    """Return a sheet as a table read from CSV."""
    return read_table(sheet_csv(sheet), f"{name}.csv")


def score_kind(kind: DriftKind, seeds: Sequence[int], rows: Sequence[int], mode: str) -> DriftScore:
    """Plant a kind once for each seed, with the row counts in turn."""
    score = DriftScore(kind.name)
    for i, seed in enumerate(seeds):
        size = rows[i % len(rows)]
        before = read_sheet(make_table(kind.table, seed, size), kind.table)
        sheet = make_table(kind.table, seed + _NEXT, size)
        expected = kind.change(sheet, Random(f"{kind.name} {seed}"))
        found = compare_datasets(make_baseline(before, mode), read_sheet(sheet, kind.table))
        _add_to_score(score, found, expected, mode, f"{kind.table} {seed}")
    return score


def _add_to_score(
    score: DriftScore, found: Sequence[GhostFinding], expected: Expected, mode: str, name: str
) -> None:
    score.tables += 1
    right = [each for each in found if _is_expected(each, expected)]
    score.others += [
        f"{name}: {each.metadata['check']} {each.description}" for each in found if each not in right
    ]
    if not right:
        score.missed.append(name)
        return
    score.found += 1
    if expected.rows is not None:
        reported, planted = set(right[0].row_indices or ()), set(expected.rows)
        for position, count in enumerate((len(reported & planted), len(reported), len(planted))):
            score.rows[position] += count
    if expected.segment is not None and mode == "table":
        score.segments += 1
        cause = right[0].metadata.get("explained_by", {})
        score.segments_found += (cause.get("column"), cause.get("value")) == expected.segment


def _is_expected(finding: GhostFinding, expected: Expected) -> bool:
    return finding.column == expected.column and finding.metadata["check"] in expected.checks


def false_findings(
    seeds: Sequence[int], rows: Sequence[int], mode: str
) -> Iterator[tuple[str, GhostFinding]]:
    """Yield the findings about changes that are no drift."""
    for name, table, change in HARMLESS:
        if table in _MOVING:
            continue
        for i, seed in enumerate(seeds):
            size = rows[i % len(rows)]
            before = read_sheet(make_table(table, seed, size), table)
            sheet = make_table(table, seed + _NEXT, size)
            change(sheet, Random(f"{name} {seed}"))
            for finding in compare_datasets(make_baseline(before, mode), read_sheet(sheet, table)):
                yield name, finding


def main(chosen: list[str]) -> None:
    """Print the score of each kind, and the findings about changes that are none."""
    for mode in MODES:
        print(
            f"\ncompared with a {mode}\n{'kind':30}{'found':>8}{'segments':>10}  rows right/reported/planted"
        )
        tables = found = 0
        for kind in KINDS:
            if chosen and kind.name not in chosen:
                continue
            score = score_kind(kind, _SEEDS, _ROWS, mode)
            tables, found = tables + score.tables, found + score.found
            segments = f"{score.segments_found} of {score.segments}" if score.segments else ""
            rows = "/".join(map(str, score.rows)) if any(score.rows) else ""
            print(f"{kind.name:30}{score.found:>3} of {score.tables}{segments:>10}  {rows}")
            for line in [
                *(f"missed {each}" for each in score.missed),
                *(f"also {each}" for each in score.others),
            ]:
                print(f"    {line}")
        print(f"found {found} of {tables}")
        if not chosen:
            false = list(false_findings(_SEEDS, _ROWS, mode))
            print(f"{len(false)} findings about {len(HARMLESS) * len(_SEEDS)} changes that are no drift")
            for name, finding in false:
                print(f"    {name}: {finding.metadata['check']} {finding.description}")


if __name__ == "__main__":
    main(sys.argv[1:])
