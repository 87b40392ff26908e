"""Example tables for the pages of the checks, each with an error that its check finds."""

from __future__ import annotations

import csv
import datetime as dt
import io
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import xlsxwriter

from lavendertown.core.findings import GhostFinding
from lavendertown.inspector import Inspector

Columns = Mapping[str, Sequence[Any]]

WITHOUT_PICTURE = frozenset(("row_count",))
"""Checks whose findings have neither rows nor a chart."""

N = 300
START = dt.date(2026, 1, 5)
FIRST_NAMES = (
    "Ada",
    "Ben",
    "Cleo",
    "Dan",
    "Eva",
    "Finn",
    "Gina",
    "Hugo",
    "Ida",
    "Kim",
    "Leo",
    "Mia",
    "Nils",
    "Pia",
    "Rosa",
    "Tom",
)
LAST_NAMES = (
    "Adler",
    "Baumann",
    "Costa",
    "Dubois",
    "Engel",
    "Fischer",
    "Garcia",
    "Hansen",
    "Ito",
    "Keller",
    "Lopez",
)
CITIES = {"10115": "Berlin", "20095": "Hamburg", "50667": "Köln", "80331": "München", "01067": "Dresden"}
DEPARTMENTS = ("Support", "Sales", "Finance", "Logistics")
NOTES = (
    "Customer asked for a later delivery because the office is closed until Monday.",
    "Parcel was left with the neighbour on the second floor, no signature required.",
    "Invoice goes to the head office and the goods go to the warehouse in the north.",
    "Called twice.",
    "The lid is missing.",
    "Wants the blue one instead and pays the difference on the next order in May.",
)


@dataclass(frozen=True)
class Example:
    """A table with an error.

    Attributes:
        check: The name of the check that finds it.
        name: The name of the file.
        content: The file.
    """

    check: str
    name: str
    content: bytes

    def inspect(self) -> Inspector:
        """Return the table, to be checked with all checks."""
        return Inspector((self.content, self.name), dataset=self.check)

    def find(self) -> GhostFinding:
        """Run all checks, and return the only finding of this check.

        Raises:
            ValueError: The check has no finding here, or several.
        """
        found = [each for each in self.inspect().detect() if each.metadata["check"] == self.check]
        if len(found) != 1:
            raise ValueError(f"{self.name} has {len(found)} findings of {self.check}, not one.")
        return found[0]


def list_examples(check: str) -> list[Example]:
    """Return the examples of a check; the first is the one in the picture.

    Raises:
        KeyError: The check has no example.
    """
    examples = []
    for make_columns in EXAMPLES[check]:
        made = make_columns(Random(check))
        name = make_columns.__name__.removeprefix("_")
        if isinstance(made, bytes):
            examples.append(Example(check, f"{name}.xlsx", made))
        else:
            examples.append(Example(check, f"{name}.csv", write_csv(made)))
    return examples


def write_csv(columns: Columns) -> bytes:
    """Return columns as a CSV file."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return file.getvalue().encode()


def _orders(first: int = 5001, n: int = N) -> list[int]:
    return list(range(first, first + n))


def _amounts(random: Random, n: int = N) -> list[float]:
    return [round(random.lognormvariate(4, 0.4), 2) for _ in range(n)]


def _choices(random: Random, values: Sequence[Any], n: int = N) -> list[Any]:
    return [random.choice(values) for _ in range(n)]


def _replace(values: Sequence[Any], new: Mapping[int, Any]) -> list[Any]:
    """Return the values with others at some positions."""
    return [new.get(i, value) for i, value in enumerate(values)]


def _people(random: Random, n: int = N) -> list[str]:
    return [f"{random.choice(FIRST_NAMES)} {random.choice(LAST_NAMES)}" for _ in range(n)]


def _days(random: Random, n: int = N) -> list[dt.date]:
    return sorted(START + dt.timedelta(days=random.randrange(200)) for _ in range(n))


def _hours(n: int) -> list[str]:
    start = dt.datetime(2026, 3, 2)
    return [(start + dt.timedelta(hours=i)).isoformat(" ", "minutes") for i in range(n)]


def _temperatures(random: Random, n: int) -> list[float]:
    return [round(8 + 5 * math.sin(i / 24 * 2 * math.pi) + random.gauss(0, 0.6), 2) for i in range(n)]


def _no_orders(random: Random) -> Columns:
    return {"order": [], "amount": []}


def _payments(random: Random) -> Columns:
    methods = ["cash" if random.random() < 0.15 else random.choice(["card", "transfer"]) for _ in range(N)]
    references = ["" if method == "cash" else f"R-{random.randrange(10**6):06}" for method in methods]
    return {"order": _orders(), "method": methods, "reference": references}


def _late_payments(random: Random) -> Columns:
    amounts: list[Any] = _amounts(random)
    empty = {i: "" for i in range(N) if i >= 220 and random.random() < 0.3}
    return {"order": _orders(), "paid": _replace(amounts, empty)}


def _budget(random: Random) -> bytes:
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True})
    sheet = book.add_worksheet("Budget")
    sheet.write_row(0, 0, ["project", "planned", "spent", "ratio"])
    for row in range(1, 81):
        planned, spent = random.randrange(20, 90) * 100, random.randrange(20, 90) * 90
        sheet.write_row(row, 0, [f"P-{row:03}", 0 if row in (12, 31, 57) else planned, spent])
        formula = f"=C{row + 1}/B{row + 1}"
        value = "#DIV/0!" if row in (12, 31, 57) else round(spent / planned, 2)
        sheet.write_formula(row, 3, formula, None, value)
    book.close()
    return file.getvalue()


def _contacts(random: Random) -> Columns:
    cities = _choices(random, list(CITIES.values()))
    empty = {i: random.choice(["N/A", "N/A", "-"]) for i in range(N) if random.random() < 0.06}
    return {"contact": _orders(1), "name": _people(random), "city": _replace(cities, empty)}


def _patients(random: Random) -> Columns:
    ages = [min(92, max(18, round(random.gauss(51, 15)))) for _ in range(N)]
    return {"patient": _orders(1001), "age": _replace(ages, dict.fromkeys((17, 80, 131, 190, 222, 260), -1))}


def _tasks(random: Random) -> Columns:
    people = _people(random)
    unknown = {i: random.choice(["TBD", "TBD", "xxx"]) for i in range(N) if random.random() < 0.03}
    return {"task": _orders(1), "owner": _replace(people, unknown)}


def _contracts(random: Random) -> Columns:
    ends = [START + dt.timedelta(days=random.randrange(900)) for _ in range(N)]
    open_ends = {i: "9999-12-31" for i in range(N) if random.random() < 0.04}
    return {"contract": _orders(301), "ends": _replace(ends, open_ends)}


def _stock(random: Random) -> Columns:
    counts = [random.randrange(1, 400) for _ in range(N)]
    return {
        "article": [f"A-{i}" for i in _orders(2001)],
        "pieces": _replace(counts, {41: "about 20", 120: "12 boxes", 233: "none left"}),
    }


def _visits(random: Random) -> Columns:
    days = _days(random)
    others = {i: days[i].strftime("%d.%m.%Y") for i in (30, 77, 78, 150, 251)}
    return {"visit": _orders(1), "day": _replace([day.isoformat() for day in days], others)}


def _articles(random: Random) -> Columns:
    numbers = [f"40063{random.randrange(10**8):08}" for _ in range(N)]
    shortened = dict.fromkeys((55, 56, 57, 200), "4.00638E+12")
    return {"line": _orders(1), "article": _replace(numbers, shortened), "price": _amounts(random)}


def _customers(random: Random) -> Columns:
    names = _choices(random, ["Jürgen Müller", "André Dubois", "Zoë Costa", "Peter Keller", "Ida Hansen"])
    names = [f"{name} {random.choice(LAST_NAMES)}" for name in names]
    with_accents = [i for i, name in enumerate(names) if not name.isascii()]
    broken = {i: names[i].encode().decode("latin-1") for i in with_accents[5::30]}
    return {"customer": _orders(1), "name": _replace(names, broken)}


def _calls(random: Random) -> Columns:
    notes = [
        f"{random.choice(FIRST_NAMES)} {random.choice(LAST_NAMES)}: {random.choice(NOTES)}"[:60].rstrip()
        for _ in range(N)
    ]
    return {"call": _orders(1), "note": notes}


def _tickets(random: Random) -> Columns:
    departments = _choices(random, DEPARTMENTS)
    support = [i for i, department in enumerate(departments) if department == "Support"]
    sales = [i for i, department in enumerate(departments) if department == "Sales"]
    spelt = {support[9]: "Suport", support[30]: "Suport", support[50]: "Supprot"}
    spelt |= {sales[i]: "SALES" for i in (3, 17, 18, 40)}
    return {"ticket": _orders(9001), "department": _replace(departments, spelt)}


def _products(random: Random) -> Columns:
    codes = [f"{random.choice(['AB', 'CD', 'EF'])}-{random.randrange(1000, 9999)}" for _ in range(N)]
    return {
        "sku": _replace(codes, {33: "AB4711", 140: "CD-471", 222: "ef-2045"}),
        "price": _amounts(random),
    }


def _subscribers(random: Random) -> Columns:
    mails = [f"{name.replace(' ', '.').lower()}{i}@example.org" for i, name in enumerate(_people(random))]
    return {"email": _replace(mails, {12: "eva.maier(at)example.org", 205: "tom.lopez@example"}),
            "since": _days(random)}  # fmt: skip


def _places(random: Random) -> Columns:
    lats = [round(random.uniform(47.5, 54.5), 4) for _ in range(N)]
    lons = [round(random.uniform(6.5, 14.5), 4) for _ in range(N)]
    swapped = (60, 61, 170)
    return {
        "shop": [f"S-{i}" for i in _orders(101)],
        "lat": _replace(lats, {**{i: lons[i] for i in swapped}, 240: 0}),
        "lon": _replace(lons, {**{i: lats[i] for i in swapped}, 240: 0}),
    }


def _shipments(random: Random) -> Columns:
    days = _days(random)
    return {
        "shipment": _orders(701),
        "shipped": _replace(days, {90: days[90].replace(year=2062), 211: days[211].replace(year=2126)}),
    }


def _events(random: Random) -> Columns:
    times = [
        f"{day}T{random.randrange(8, 20):02}:{random.randrange(60):02}:00+01:00" for day in _days(random)
    ]
    return {"event": _orders(1), "at": _replace(times, {i: times[i][:-6] for i in (18, 144, 145)})}


def _exports(random: Random) -> Columns:
    return {"order": _orders(), "currency": ["EUR"] * N, "amount": _amounts(random)}


def _ratios(random: Random) -> Columns:
    ratios: list[Any] = [round(random.uniform(0.2, 2.4), 2) for _ in range(N)]
    return {
        "shop": [f"S-{i}" for i in _orders(101)],
        "sales_per_visit": _replace(ratios, {45: "inf", 199: "inf"}),
    }


def _salaries(random: Random) -> Columns:
    salaries = [round(random.gauss(4200, 500), -1) for _ in range(N)]
    return {"employee": _orders(1), "salary": _replace(salaries, {70: 98000, 188: 42000})}


def _parcels(random: Random) -> Columns:
    weights = [round(random.lognormvariate(1.2, 0.3), 2) for _ in range(N)]
    grams = {i: round(weights[i] * 1000) for i in (14, 92, 93, 180, 241, 277)}
    return {"parcel": _orders(1), "weight_kg": _replace(weights, grams)}


def _prices(random: Random) -> Columns:
    prices = _amounts(random)
    return {
        "product": [f"P-{i}" for i in _orders(1)],
        "price": _replace(prices, {66: -prices[66], 201: -49.0}),
    }


def _baskets(random: Random) -> Columns:
    pieces: list[Any] = [random.randrange(1, 30) for _ in range(N)]
    return {"basket": _orders(1), "quantity": _replace(pieces, {88: 2.5, 161: 0.5})}


def _weather(random: Random) -> Columns:
    humidity = [round(random.gauss(62, 11)) for _ in range(N)]
    days = [START + dt.timedelta(days=i) for i in range(N)]
    return {"day": days, "humidity": _replace(humidity, {104: 104, 105: 107, 250: 102})}


def _answers(random: Random) -> Columns:
    return {
        "answer": _orders(1),
        "rating": _replace(_choices(random, (1, 2, 3, 4, 5, 4, 5)), {51: 6, 207: 0}),
    }


def _repeated_orders(random: Random) -> Columns:
    columns: Columns = {"order": _orders(), "customer": _people(random), "amount": _amounts(random)}
    return {name: [*values, *values[100:104]] for name, values in columns.items()}


def _invoices(random: Random) -> Columns:
    numbers: list[Any] = [f"R-{i}" for i in _orders(4001)]
    return {
        "invoice": _replace(numbers, {81: numbers[80], 230: numbers[12]}),
        "customer": _people(random),
        "amount": _amounts(random),
    }


def _takings(random: Random) -> Columns:
    shops = [f"Shop {letter}" for letter in "ABCDEF"]
    days = [START + dt.timedelta(days=i) for i in range(50)]
    rows = [(shop, day) for day in days for shop in shops]
    rows += [rows[124], rows[204]]
    return {
        "shop": [shop for shop, _ in rows],
        "day": [day for _, day in rows],
        "takings": [round(random.lognormvariate(6, 0.4), 2) for _ in rows],
    }


def _members(random: Random) -> Columns:
    people, days = _people(random), _days(random)
    streets = [f"{random.choice(LAST_NAMES)}str. {random.randrange(1, 120)}" for _ in range(N)]
    for copy, of in ((151, 20), (222, 199)):
        people[copy], streets[copy], days[copy] = people[of].upper(), streets[of].replace(".", ""), days[of]
    return {"member": _orders(1), "name": people, "street": streets, "joined": days}


def _addresses(random: Random) -> Columns:
    zips = _choices(random, list(CITIES))
    cities = [CITIES[each] for each in zips]
    wrong = {i: "München" if zips[i] != "80331" else "Berlin" for i in (40, 147, 263)}
    return {"customer": _orders(1), "zip": zips, "city": _replace(cities, wrong)}


def _order_lines(random: Random) -> Columns:
    quantities = [random.randrange(1, 12) for _ in range(N)]
    prices = [round(random.uniform(3, 90), 2) for _ in range(N)]
    totals = [round(quantity * price, 2) for quantity, price in zip(quantities, prices, strict=True)]
    wrong = {i: round(totals[i] + random.choice([10, -7.5, 100]), 2) for i in (22, 118, 250)}
    return {"line": _orders(1), "quantity": quantities, "price": prices, "total": _replace(totals, wrong)}


def _stays(random: Random) -> Columns:
    admitted = _days(random)
    discharged = [day + dt.timedelta(days=random.randrange(1, 20)) for day in admitted]
    wrong = {i: admitted[i] - dt.timedelta(days=random.randrange(2, 40)) for i in (36, 150, 275)}
    return {"patient": _orders(1), "admitted": admitted, "discharged": _replace(discharged, wrong)}


def _rentals(random: Random) -> Columns:
    pickups = _days(random)
    lengths = [random.randrange(1, 25) for _ in range(N)]
    returned = [day + dt.timedelta(days=length) for day, length in zip(pickups, lengths, strict=True)]
    return {
        "rental": _orders(1),
        "pickup": pickups,
        "dropoff": returned,
        "days": _replace(lengths, {i: lengths[i] + 3 for i in (48, 166, 251)}),
    }


def _sales(random: Random) -> Columns:
    regions, months, units = [], [], []
    for region in ("North", "South", "East", "West"):
        sold = [random.randrange(5, 80) for _ in range(12)]
        regions += [region] * len(sold) + [f"{region} total"]
        months += [*(f"2025-{month:02}" for month in range(1, 13)), ""]
        units += [*sold, sum(sold)]
    return {"region": regions, "month": months, "units": units}


def _readings(random: Random) -> Columns:
    kept = [i for i in range(260) if not 90 <= i < 97 and not 180 <= i < 200]
    temperatures = _temperatures(random, 260)
    hours = _hours(260)
    return {"time": [hours[i] for i in kept], "temperature": [temperatures[i] for i in kept]}


def _meter(random: Random) -> Columns:
    hours, temperatures = _hours(250), _temperatures(random, 250)
    for at in (70, 151):
        hours.insert(at, hours[at])
        temperatures.insert(at, round(temperatures[at] + 0.4, 2))
    return {"time": hours, "temperature": temperatures}


def _sensor(random: Random) -> Columns:
    temperatures = _temperatures(random, 250)
    stuck = dict.fromkeys(range(120, 150), temperatures[120])
    return {"time": _hours(250), "temperature": _replace(temperatures, stuck)}


def _scale(random: Random) -> Columns:
    weights = [round(500 + random.gauss(0, 2), 2) for _ in range(250)]
    moved = {i: round(weights[i] + 25, 2) for i in range(160, 250)}
    return {"time": _hours(250), "grams": _replace(weights, moved)}


EXAMPLES: Mapping[str, Sequence[Callable[[Random], Columns | bytes]]] = {
    "row_count": (_no_orders,),
    "nulls": (_late_payments, _payments),
    "error_cells": (_budget,),
    "disguised_nulls": (_contacts,),
    "placeholders": (_patients, _contracts, _tasks),
    "types": (_stock, _visits),
    "lost_digits": (_articles,),
    "text_damage": (_customers,),
    "cut_text": (_calls,),
    "category_variants": (_tickets,),
    "shapes": (_products, _subscribers),
    "coordinates": (_places,),
    "dates": (_shipments, _events),
    "constants": (_exports,),
    "infinite_values": (_ratios,),
    "outliers": (_salaries, _parcels, _prices, _baskets),
    "ranges": (_weather, _answers),
    "duplicates": (_repeated_orders,),
    "keys": (_invoices, _takings),
    "near_duplicates": (_members,),
    "dependencies": (_addresses,),
    "arithmetic": (_order_lines,),
    "date_order": (_stays,),
    "durations": (_rentals,),
    "totals": (_sales,),
    "time_gaps": (_readings,),
    "repeated_times": (_meter,),
    "stuck_values": (_sensor,),
    "level_shifts": (_scale,),
}
"""Functions that make the tables, by check; the first one of each is pictured."""
