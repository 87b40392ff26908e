"""More clean tables: keys of several columns, sums, series and measures, with traps."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable
from random import Random

from benchmarks.quality import words
from benchmarks.quality.sheets import Sheet

_DAY = dt.timedelta(days=1)
_START = dt.datetime(2023, 1, 2)
_ACCOUNTS = {
    "4000": "Sales", "4100": "Services", "5000": "Materials", "5200": "Freight", "6000": "Wages",
    "6100": "Social security", "6300": "Rent", "6400": "Insurance", "6600": "Advertising", "6800": "Postage",
    "7000": "Interest", "7600": "Taxes",
}  # fmt: skip
_AMBIGUOUS_NAMES = dict(zip(words.FIRST_NAMES[3:30:5], (0.4, 0.3, 0.25, 0.1, 0.1, 0.05), strict=True))
_SEX_OF_NAMES = {name: "f" if name[-1] in "aeië" else "m" for name in words.FIRST_NAMES}


def _columns(rows: list[dict[str, object]]) -> Sheet:
    return {name: ["" if row[name] is None else str(row[name]) for row in rows] for name in rows[0]}


def make_store_days(random: Random, n: int) -> Sheet:
    """One row for each store and day: sums and differences of money; no column is a key alone."""
    stores = [f"S{i:02}" for i in range(1, 9)]
    rows: list[dict[str, object]] = []
    for i in range(n):
        day, store = _START + _DAY * (i // len(stores)), stores[i % len(stores)]
        revenue = round(random.lognormvariate(7, 0.4), 2)
        cost = round(revenue * random.uniform(0.4, 0.8), 2)
        parts = [random.randrange(1, 60) for _ in range(4)]
        rows.append(
            {
                "store": store,
                "day": f"{day:%Y-%m-%d}",
                "weekday": f"{day:%A}",
                "manager": words.SURNAMES[i % len(stores)] if random.random() < 0.9 else "Meyer",
                "morning": parts[0],
                "noon": parts[1],
                "afternoon": parts[2],
                "evening": parts[3],
                "visitors": sum(parts),
                "revenue": revenue,
                "cost": cost,
                "margin": round(revenue - cost, 2),
                "staff": random.randrange(3, 9),
            }
        )
    return _columns(rows)


def make_enrolments(random: Random, n: int) -> Sheet:
    """A key of student, course and term; grades may repeat and most are the same."""
    chosen: dict[tuple[int, str, str], None] = {}
    while len(chosen) < n:
        course = f"{random.choice(['MAT', 'PHY', 'BIO', 'LIT'])}{random.randrange(101, 109)}"
        term = random.choice(["2022W", "2023S", "2023W", "2024S"])
        chosen[(random.randrange(1, 8 + n // 12), course, term)] = None
    rows: list[dict[str, object]] = []
    for student, course, term in chosen:
        rows.append(
            {
                "student": 70_000 + student,
                "course": course,
                "term": term,
                "credits": {"MAT": 6, "PHY": 6, "BIO": 5, "LIT": 4}[course[:3]],
                "grade": random.choice(["1.0", "1.3", "1.7", "2.0", "2.3", "3.0", "4.0", "5.0"]),
                "passed": "",
            }
        )
        rows[-1]["passed"] = "no" if rows[-1]["grade"] == "5.0" else "yes"
    return _columns(rows)


def make_ledger(random: Random, n: int) -> Sheet:
    """Entries with tax and gross; refunds are negative; an invoice may be paid late."""
    rows: list[dict[str, object]] = []
    for i in range(n):
        account = random.choice(list(_ACCOUNTS))
        net = round(random.lognormvariate(4, 1.2), 2) * (-1 if random.random() < 0.04 else 1)
        rate = random.choice([0.19, 0.19, 0.07, 0])
        issued = _START + _DAY * (i * 700 // n)
        due = issued + _DAY * random.choice([14, 30])
        paid = due + _DAY * round(random.gauss(-6, 3))
        rows.append(
            {
                "entry_no": f"B{i + 1:06}",
                "account": account,
                "account_name": _ACCOUNTS[account],
                "text": random.choice(["", f"{random.choice(words.GOODS)} {random.randrange(1, 99)}"]),
                "issued": f"{issued:%Y-%m-%d}",
                "due": f"{due:%Y-%m-%d}",
                "paid": f"{paid:%Y-%m-%d}",
                "net": f"{net:.2f}",
                "tax_rate": rate,
                "tax": f"{round(net * rate, 2):.2f}",
                "gross": f"{net + round(net * rate, 2):.2f}",
                "method": random.choice(["card", "transfer", "transfer", "cash"]),
                "reference": None,
            }
        )
        rows[-1]["reference"] = (
            None if rows[-1]["method"] == "cash" else f"RF{random.randrange(10**9, 10**10)}"
        )
    return _columns(rows)


def make_meter(random: Random, n: int) -> Sheet:
    """One series every 15 minutes: sun is zero at night, a counter grows, the tariff changes in steps."""
    rows: list[dict[str, object]] = []
    counter, temperature = 120_000.0, 8.0
    for i in range(n):
        at = dt.datetime(2024, 2, 1) + dt.timedelta(minutes=15) * i
        day = math.sin((at.hour + at.minute / 60 - 6) / 12 * math.pi)
        temperature += random.gauss(0, 0.25) - 0.03 * (temperature - 8 - 4 * day)
        power = round(abs(random.gauss(2.2, 0.5)), 3)
        counter += power / 4
        rows.append(
            {
                "at": f"{at:%Y-%m-%d %H:%M}",
                "temperature": round(temperature, 2),
                "sun": round(max(0.0, day) * random.uniform(200, 700), 1),
                "power_kw": power,
                "counter_kwh": round(counter, 3),
                "tariff": 0.31 if 7 <= at.hour < 22 else 0.24,
                "voltage": round(random.gauss(230, 1.5), 1),
                "door_opens": max(0, round(random.gauss(-0.5, 1))),
            }
        )
    return _columns(rows)


def make_quotes(random: Random, n: int) -> Sheet:
    """Closing prices of working days: a random walk, so that its level moves."""
    rows: list[dict[str, object]] = []
    day, close = dt.datetime(2005, 1, 3), 40.0
    while len(rows) < n:
        if day.weekday() < 5 and (day.month, day.day) not in ((12, 25), (1, 1), (5, 1)):
            before, close = close, max(1.0, close * math.exp(random.gauss(0, 0.012)))
            spread = abs(random.gauss(0, 0.004))
            rows.append(
                {
                    "date": f"{day:%Y-%m-%d}",
                    "open": f"{before:.2f}",
                    "high": f"{max(before, close) * (1 + spread):.2f}",
                    "low": f"{min(before, close) * (1 - spread):.2f}",
                    "close": f"{close:.2f}",
                    "volume": int(random.lognormvariate(12, 0.6)),
                }
            )
        day += _DAY
    return _columns(rows)


def make_people(random: Random, n: int) -> Sheet:
    """Members: names repeat by chance, and the first name tells the sex only mostly."""
    rows: list[dict[str, object]] = []
    for i in range(n):
        first, city = random.choice(words.FIRST_NAMES), random.choice(list(words.CITIES))
        born = dt.datetime(1940, 1, 1) + _DAY * random.randrange(23_000)
        joined = _START + _DAY * random.randrange(600)
        sex = _SEX_OF_NAMES[first]
        rows.append(
            {
                "member": 5_000 + i,
                "first_name": first,
                "surname": random.choice(words.SURNAMES),
                "sex": sex if random.random() > _AMBIGUOUS_NAMES.get(first, 0.0) else random.choice("fmd"),
                "born": f"{born:%Y-%m-%d}",
                "joined": f"{joined:%Y-%m-%d}",
                "last_visit": f"{joined + _DAY * round(random.gauss(90, 60)):%Y-%m-%d}",
                "city": city,
                "zip": words.CITIES[city][1],
                "children": random.choice([0, 0, 1, 1, 2, 2, 3, 4]),
                "height": f"{random.gauss(172, 9):.1f}",
                "weight": f"{max(42.0, random.gauss(74, 12)):.1f}",
                "body_temperature": f"{random.gauss(36.8, 0.3):.1f}",
                "fitness_percent": f"{random.betavariate(5, 3) * 92 + 4:.1f}",
                "distance_km": f"{random.lognormvariate(1.5, 0.5):.1f}",
                "balance": f"{random.gauss(20, 60):.2f}",
                "fee": f"{random.choice([12, 18, 24, 36]) + random.choice([0, 0, 0, 0.5]):.2f}",
                "visits": int(random.lognormvariate(2.5, 0.7)),
                "income": int(2_000 * random.paretovariate(2.2)),
            }
        )
    return _columns(rows)


LEDGERS: dict[str, Callable[[Random, int], Sheet]] = {
    "store_days": make_store_days,
    "enrolments": make_enrolments,
    "ledger": make_ledger,
    "meter": make_meter,
    "quotes": make_quotes,
    "people": make_people,
}
