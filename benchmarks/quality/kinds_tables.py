"""Errors over several columns or rows: keys, copies, dependencies, time, numbers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from random import Random

from benchmarks.quality.sheets import Kind, Plant, Planted, Sheet, change_cells, choose_rows, row_count


def _insert_copies(
    sheet: Sheet, random: Random, change: Callable[[dict[str, str], int], None] | None = None
) -> Planted:
    """Add changed copies of some rows at random places; the copies, or both, are the damaged rows."""
    rows = [dict(zip(sheet, cells, strict=True)) for cells in zip(*sheet.values(), strict=True)]
    tagged = [(row, -1) for row in rows]
    for number, position in enumerate(choose_rows(sheet, random, 0.01)):
        copy = dict(rows[position])
        if change:
            change(copy, number)
        tagged.append((copy, position))
    keep = list(range(len(rows)))
    order = [*keep]
    for i in range(len(rows), len(tagged)):
        order.insert(random.randrange(order.index(tagged[i][1]) + 1, len(order) + 1), i)
    place = {i: position for position, i in enumerate(order)}
    for name in sheet:
        sheet[name] = [tagged[i][0][name] for i in order]
    copies = sorted(place[i] for i in range(len(rows), len(tagged)))
    originals = sorted(place[tagged[i][1]] for i in range(len(rows), len(tagged)))
    return Planted(["*", *list(sheet)[:1]], copies, sorted({*copies, *originals}))


def _repeat_key(*columns: str) -> Plant:
    def plant(sheet: Sheet, random: Random) -> Planted:
        chosen = random.sample(range(row_count(sheet)), 2 * max(3, row_count(sheet) // 150))
        sources, rows = chosen[::2], chosen[1::2]
        for source, row in zip(sources, rows, strict=True):
            for column in columns:
                sheet[column][row] = sheet[column][source]
        return Planted([*columns, "*"], sorted(chosen), sorted(rows))

    return plant


def _number_again(column: str) -> Plant:
    def plant(sheet: Sheet, random: Random) -> Planted:
        digits = len(max(sheet[column], key=len).lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ-"))

        def change(copy: dict[str, str], number: int) -> None:
            prefix = copy[column][: len(copy[column]) - digits]
            copy[column] = prefix + str(10**digits - 1 - number)

        return _insert_copies(sheet, random, change)

    return plant


def _write_differently(sheet: Sheet, random: Random) -> Planted:
    def change(copy: dict[str, str], number: int) -> None:
        name = next(each for each in ("surname", "name", "product", "text") if each in copy)
        copy[name] = [copy[name].upper(), f"{copy[name]} ", copy[name].lower()][number % 3] or "."

    return _insert_copies(sheet, random, change)


def _swap_value(column: str) -> Plant:
    """Give some rows another value of the column."""

    def plant(sheet: Sheet, random: Random) -> Planted:
        values = sorted(set(sheet[column]))
        rows = choose_rows(sheet, random, 0.01)
        return change_cells(
            sheet, column, rows, lambda cell: random.choice([value for value in values if value != cell])
        )

    return plant


def _change_number(column: str, change: Callable[[float, Random], float], share: float = 0.01) -> Plant:
    def plant(sheet: Sheet, random: Random) -> Planted:
        decimals = max(len(cell.partition(".")[2]) for cell in sheet[column])
        rows = [row for row in choose_rows(sheet, random, share) if sheet[column][row]]
        return change_cells(
            sheet, column, rows, lambda cell: f"{change(float(cell), random):.{decimals}f}".removesuffix(".0")
        )

    return plant


def _reverse_dates(start: str, end: str, swap: bool) -> Plant:
    def plant(sheet: Sheet, random: Random) -> Planted:
        rows = [row for row in choose_rows(sheet, random, 0.01) if sheet[start][row] and sheet[end][row]]
        form = "%d/%m/%Y" if "/" in sheet[start][0] else "%Y-%m-%d"
        changed = []
        for row in rows:
            first = dt.datetime.strptime(sheet[start][row], form)
            second = dt.datetime.strptime(sheet[end][row], form)
            if swap and first != second:
                sheet[start][row], sheet[end][row] = sheet[end][row], sheet[start][row]
                changed.append(row)
            elif not swap:
                earlier = first - dt.timedelta(days=random.randrange(1, 40))
                sheet[end][row] = earlier.strftime(form)
                changed.append(row)
        return Planted([start, end, "*"], changed)

    return plant


def _cut_gap(column: str) -> Plant:
    def plant(sheet: Sheet, random: Random) -> Planted:
        n = row_count(sheet)
        start, size = random.randrange(n // 4, n // 2), random.randrange(12, 40)
        at = sheet[column][start]
        while sheet[column][start - 1] == at:
            start -= 1
        end = start + size
        while sheet[column][end] == sheet[column][end - 1]:
            end += 1
        entities = sum(cell == at for cell in sheet[column])
        for name in sheet:
            del sheet[name][start:end]
        return Planted([column, "*"], list(range(start - entities, start + entities)))

    return plant


def _repeat_time(column: str) -> Plant:
    def plant(sheet: Sheet, random: Random) -> Planted:
        rows = sorted(random.sample(range(10, row_count(sheet) - 10, 3), 3))
        for row in rows:
            sheet[column][row] = sheet[column][row - 1]
        both = sorted({*rows, *(row - 1 for row in rows)})
        return Planted([column, "*"], both, rows)

    return plant


def _stick(column: str) -> Plant:
    def plant(sheet: Sheet, random: Random) -> Planted:
        stations = sheet.get("station")
        rows = [i for i in range(row_count(sheet)) if not stations or stations[i] == "ST02"]
        start = random.randrange(len(rows) // 4, len(rows) // 2)
        stuck = rows[start : start + random.randrange(25, 45)]
        value = sheet[column][stuck[0]]
        for row in stuck:
            sheet[column][row] = value
        return Planted([column], stuck)

    return plant


def _shift_level(column: str, by: float, *, returns: bool) -> Plant:
    def plant(sheet: Sheet, random: Random) -> Planted:
        n = row_count(sheet)
        start = random.randrange(n // 3, n // 2)
        rows = range(start, start + n // 5 if returns else n)
        return change_cells(sheet, column, rows, lambda cell: f"{float(cell) + by:.2f}")

    return plant


def _empty_together(columns: Sequence[str]) -> Plant:
    def plant(sheet: Sheet, random: Random) -> Planted:
        rows = choose_rows(sheet, random, 0.03)
        for column in columns:
            for row in rows:
                sheet[column][row] = ""
        return Planted(columns, rows)

    return plant


def _kinds(name: str, plants: dict[str, Plant]) -> list[Kind]:
    """Return one kind for each table, so that each has its own columns."""
    return [Kind(f"{name}: {table}", [table.split("/")[0]], plant) for table, plant in plants.items()]


KINDS: list[Kind] = [
    *_kinds(
        "key repeated",
        {
            "customers": _repeat_key("customer_id"),
            "orders": _repeat_key("order_no"),
            "employees": _repeat_key("emp_no"),
            "events": _repeat_key("event_id"),
            "patients": _repeat_key("mrn"),
            "stations": _repeat_key("code"),
            "products": _repeat_key("ean"),
            "people": _repeat_key("member"),
            "ledger": _repeat_key("entry_no"),
        },
    ),
    *_kinds(
        "key of two repeated",
        {"store_days": _repeat_key("store", "day"), "sensors": _repeat_key("time", "station")},
    ),
    *_kinds("key of three repeated", {"enrolments": _repeat_key("student", "course", "term")}),
    *_kinds("copies", {"orders": _insert_copies, "people": _insert_copies, "sensors": _insert_copies}),
    *_kinds(
        "copies with a new key",
        {
            "customers": _number_again("customer_id"),
            "orders": _number_again("order_no"),
            "people": _number_again("member"),
            "ledger": _number_again("entry_no"),
            "employees": _number_again("emp_no"),
        },
    ),
    *_kinds(
        "copies written differently",
        {
            "customers": _write_differently,
            "employees": _write_differently,
            "orders": _write_differently,
            "people": _write_differently,
        },
    ),
    *_kinds(
        "dependency broken",
        {
            "customers": _swap_value("city"),
            "people": _swap_value("zip"),
            "ledger": _swap_value("account_name"),
            "store_days": _swap_value("weekday"),
            "enrolments": _swap_value("passed"),
        },
    ),
    *_kinds(
        "does not add up",
        {
            "orders": _change_number("total", lambda x, r: x * r.choice([0.5, 1.1, 2.0]) + 1),
            "ledger": _change_number("gross", lambda x, r: x + r.choice([-10, 9, 27])),
            "ledger/tax": _change_number("tax", lambda x, r: x + r.choice([-10, 9, 27])),
            "store_days": _change_number("margin", lambda x, r: x + r.choice([-90, 9, 270])),
            "store_days/visitors": _change_number("visitors", lambda x, r: x + r.choice([-9, 10, 27])),
        },
    ),
    *_kinds(
        "dates in reverse order",
        {
            "patients": _reverse_dates("admitted", "discharged", swap=False),
            "patients/swapped": _reverse_dates("admitted", "discharged", swap=True),
            "orders": _reverse_dates("ordered", "shipped", swap=False),
            "people": _reverse_dates("born", "joined", swap=True),
            "ledger": _reverse_dates("issued", "due", swap=True),
        },
    ),
    *_kinds(
        "gap in time", {"meter": _cut_gap("at"), "sensors": _cut_gap("time"), "quotes": _cut_gap("date")}
    ),
    *_kinds("time repeated", {"meter": _repeat_time("at"), "quotes": _repeat_time("date")}),
    *_kinds(
        "stuck",
        {
            "meter": _stick("temperature"),
            "meter/voltage": _stick("voltage"),
            "sensors": _stick("pressure"),
            "sensors/temperature": _stick("temperature"),
        },
    ),
    *_kinds(
        "level shift",
        {
            "meter": _shift_level("voltage", 9.0, returns=False),
            "meter/for a while": _shift_level("voltage", -12.0, returns=True),
            "meter/temperature": _shift_level("temperature", 25.0, returns=False),
        },
    ),
    *_kinds(
        "empty together",
        {
            "people": _empty_together(["height", "weight", "body_temperature"]),
            "sensors": _empty_together(["temperature", "pressure"]),
        },
    ),
    *_kinds(
        "unit mixed",
        {
            "people/inch": _change_number("height", lambda x, r: x / 2.54, 0.04),
            "people/metre": _change_number("height", lambda x, r: x / 100, 0.04),
            "people/pounds": _change_number("weight", lambda x, r: x * 2.2046, 0.03),
            "people/Fahrenheit": _change_number("body_temperature", lambda x, r: x * 1.8 + 32, 0.05),
            "people/share": _change_number("fitness_percent", lambda x, r: x / 100, 0.04),
            "patients/millimetres": _change_number("height_cm", lambda x, r: x * 10, 0.03),
            "people/metres": _change_number("distance_km", lambda x, r: x * 1000, 0.05),
            "employees/thousands": _change_number("salary", lambda x, r: x / 1000, 0.04),
            "sensors/Kelvin": _change_number("temperature", lambda x, r: x + 273.15, 0.04),
        },
    ),
    *_kinds(
        "impossible sign",
        {
            "customers": _change_number("age", lambda x, r: -x),
            "orders": _change_number("price", lambda x, r: -x),
            "orders/qty": _change_number("qty", lambda x, r: -x),
            "people": _change_number("visits", lambda x, r: -x - 1),
            "people/weight": _change_number("weight", lambda x, r: -x),
            "products": _change_number("stock", lambda x, r: -x - 1),
        },
    ),
    *_kinds(
        "fraction among integers",
        {
            "people": lambda sheet, random: change_cells(
                sheet, "children", choose_rows(sheet, random, 0.01), lambda cell: f"{cell}.37"
            ),
            "orders": lambda sheet, random: change_cells(
                sheet, "qty", choose_rows(sheet, random, 0.01), lambda cell: f"{cell}.5"
            ),
            "store_days": lambda sheet, random: change_cells(
                sheet, "staff", choose_rows(sheet, random, 0.01), lambda cell: f"{cell}.4"
            ),
        },
    ),
    *_kinds(
        "far outside",
        {
            "customers": _change_number("age", lambda x, r: x + 300, 0.005),
            "orders": _change_number("price", lambda x, r: x * 10_000, 0.005),
            "employees": _change_number("salary", lambda x, r: x * 100, 0.005),
            "people": _change_number("weight", lambda x, r: x * 10, 0.005),
            "sensors": _change_number("pressure", lambda x, r: x / 10, 0.005),
            "events": _change_number("duration_ms", lambda x, r: x * 5_000, 0.005),
            "people/income": _change_number("income", lambda x, r: 9e8 + x, 0.005),
        },
    ),
]
