"""Clean tables, drawn from a seed: what a check reports here is false."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable
from random import Random

from benchmarks.quality import words
from benchmarks.quality.clean_ledgers import LEDGERS
from benchmarks.quality.sheets import Sheet

_DAY = dt.timedelta(days=1)
_START = dt.datetime(2023, 1, 1)
_IBAN_LENGTH = 18


def _note(random: Random) -> str:
    if random.random() < 0.3:
        return ""
    return " ".join(random.choice(part) for part in (words.SUBJECTS, words.VERBS, words.ENDS))


def _date(random: Random, start: dt.datetime = _START, days: int = 700) -> dt.datetime:
    return start + _DAY * random.randrange(days)


def _ean(random: Random) -> str:
    digits = [4, *(random.randrange(10) for _ in range(11))]
    total = sum(digit * (3 if i % 2 else 1) for i, digit in enumerate(digits))
    return "".join(map(str, digits)) + str(-total % 10)


def make_iban(random: Random) -> str:
    """Return a German IBAN with a correct checksum."""
    account = "".join(str(random.randrange(10)) for _ in range(_IBAN_LENGTH))
    return f"DE{98 - int(account + '131400') % 97:02}{account}"


def _email(first: str, last: str, i: int) -> str:
    plain = f"{first}.{last}".lower().encode("ascii", "ignore").decode().replace("'", "")
    return f"{plain}{i % 97}@{('example.org', 'mail.example.com', 'web.example.net')[i % 3]}"


def make_customers(random: Random, n: int) -> Sheet:
    """People with addresses, mail, phones, and surnames such as Null."""
    people = [(random.choice(words.FIRST_NAMES), random.choice(words.SURNAMES)) for _ in range(n)]
    cities = random.choices(list(words.CITIES), [30, 20, 18, 12, 6, 5, 1, 4, 3, 3, 1], k=n)
    birth = [_date(random, dt.datetime(1938, 1, 1), 25_000) for _ in range(n)]
    return {
        "customer_id": [f"C-{i + 1:05}" for i in range(n)],
        "first_name": [first for first, _ in people],
        "surname": [last for _, last in people],
        "email": [_email(first, last, i) for i, (first, last) in enumerate(people)],
        "phone": [f"+49 {random.randrange(30, 999)} {random.randrange(10**5, 10**8)}" for _ in range(n)],
        "country": [random.choice(words.COUNTRIES) for _ in range(n)],
        "city": cities,
        "zip": [words.CITIES[city][1] for city in cities],
        "birth_date": [f"{day:%Y-%m-%d}" for day in birth],
        "segment": [random.choice(words.SEGMENTS) for _ in range(n)],
        "newsletter": [random.choice(["yes", "no"]) for _ in range(n)],
        "orders": [str(int(random.expovariate(0.3))) for _ in range(n)],
        "age": [str(min(95, max(18, int(random.gauss(45, 16))))) for _ in range(n)],
        "note": [_note(random) for _ in range(n)],
    }


def make_orders(random: Random, n: int) -> Sheet:
    """Orders with skewed prices, exact totals, and a delivery that may still be open."""
    days = sorted(_date(random) for _ in range(n))
    prices = [round(random.lognormvariate(3, 1.1), 2) for _ in range(n)]
    quantities = [min(40, 1 + int(random.expovariate(0.6))) for _ in range(n)]
    discounts = [random.choice([0, 0, 0, 0.05, 0.1]) for _ in range(n)]
    shipped = ["" if random.random() < 0.08 else f"{d + _DAY * random.randrange(9):%Y-%m-%d}" for d in days]
    return {
        "order_no": [f"2024-{100_000 + i}" for i in range(n)],
        "customer_id": [f"C-{random.randrange(1, 2 + n // 3):05}" for _ in range(n)],
        "product": [f"{random.choice(words.GOODS)} {random.randrange(1, 9)}" for _ in range(n)],
        "sku": [
            f"{random.choice('ABCDE')}{random.choice('XYZ')}-{random.randrange(1000, 9999)}" for _ in range(n)
        ],
        "ordered": [f"{day:%Y-%m-%d}" for day in days],
        "shipped": shipped,
        "qty": [str(each) for each in quantities],
        "price": [f"{each:.2f}" for each in prices],
        "discount": [str(each) for each in discounts],
        "total": [f"{q * p * (1 - d):.2f}" for q, p, d in zip(quantities, prices, discounts, strict=True)],
        "currency": [random.choice(["EUR"] * 9 + ["CHF", "GBP", "SEK"]) for _ in range(n)],
        "status": [random.choice(words.STATUSES) for _ in range(n)],
        "channel": [random.choice(words.CHANNELS) for _ in range(n)],
        "paid": [random.choice(["true", "true", "true", "false"]) for _ in range(n)],
    }


def make_sensors(random: Random, n: int) -> Sheet:
    """A time series every ten minutes of three stations."""
    temperature, pressure = [12.0] * 3, [1013.0] * 3
    rows = []
    for i in range(n):
        station = i % 3
        temperature[station] += random.gauss(0, 0.4) - 0.02 * (temperature[station] - 12)
        pressure[station] += random.gauss(0, 0.3) - 0.02 * (pressure[station] - 1013)
        at = dt.datetime(2024, 3, 1) + dt.timedelta(minutes=10) * (i // 3)
        rows.append((at, station, round(temperature[station], 2), round(pressure[station], 1)))
    return {
        "time": [f"{at:%Y-%m-%d %H:%M:%S}" for at, *_ in rows],
        "station": [f"ST{station + 1:02}" for _, station, *_ in rows],
        "temperature": [str(value) for *_, value, _ in rows],
        "humidity": [str(min(100, max(5, int(random.gauss(65, 15))))) for _ in rows],
        "pressure": [str(value) for *_, value in rows],
        "rain_mm": [str(0 if random.random() < 0.85 else round(random.expovariate(0.5), 1)) for _ in rows],
        "wind_deg": [str(random.randrange(360)) for _ in rows],
        "battery": [f"{random.uniform(3.3, 4.1):.2f}" for _ in rows],
        "state": [random.choice(["ok"] * 60 + ["warn"]) for _ in rows],
    }


def make_stations(random: Random, n: int) -> Sheet:
    """Places with coordinates, addresses in the network, and codes."""
    cities = [random.choice(list(words.CITIES)) for _ in range(n)]
    places = [words.CITIES[city] for city in cities]
    return {
        "code": [f"{place[0]}{i + 1:04}" for i, place in enumerate(places)],
        "name": [f"{city} {random.choice(['Nord', 'Süd', 'Ost', 'West', 'Mitte'])}" for city in cities],
        "lat": [f"{place[2] + random.gauss(0, 0.1):.5f}" for place in places],
        "lon": [f"{place[3] + random.gauss(0, 0.1):.5f}" for place in places],
        "elevation_m": [str(int(random.lognormvariate(4.8, 0.8))) for _ in places],
        "opened": [f"{_date(random, dt.datetime(1975, 1, 1), 17_000):%d.%m.%Y}" for _ in places],
        "operator": [random.choice(words.OPERATORS) for _ in places],
        "url": [f"https://stations.example.org/{city.lower()}/{i}" for i, city in enumerate(cities)],
        "ip": [
            f"10.{random.randrange(4)}.{random.randrange(256)}.{random.randrange(1, 255)}" for _ in places
        ],
        "device": [str(uuid.UUID(int=random.getrandbits(128), version=4)) for _ in places],
        "firmware": [random.choice(["1.4.2", "1.4.3", "1.5.0", "2.0.0"]) for _ in places],
        "mac": [":".join(f"{random.randrange(256):02x}" for _ in range(6)) for _ in places],
    }


def make_employees(random: Random, n: int) -> Sheet:
    """Staff with salaries, accounts and managers; "None" is a level."""
    people = [(random.choice(words.FIRST_NAMES), random.choice(words.SURNAMES)) for _ in range(n)]
    return {
        "emp_no": [str(10_000 + 7 * i) for i in range(n)],
        "name": [f"{last}, {first}" for first, last in people],
        "department": [random.choice(words.DEPARTMENTS) for _ in range(n)],
        "title": [random.choice(words.TITLES) for _ in range(n)],
        "salary": [str(int(random.lognormvariate(10.9, 0.35) / 50) * 50) for _ in range(n)],
        "hired": [f"{_date(random, dt.datetime(2005, 1, 1), 7_000):%Y-%m-%d}" for _ in range(n)],
        "iban": [make_iban(random) for _ in range(n)],
        "email": [_email(first, last, i) for i, (first, last) in enumerate(people)],
        "clearance": [random.choice(["None", "None", "Low", "High"]) for _ in range(n)],
        "hours": [random.choice(["40"] * 9 + ["35", "20", "32"]) for _ in range(n)],
        "sex": [random.choice(["F"] * 30 + ["M"] * 30 + ["X"]) for _ in range(n)],
        "start_time": [f"{random.randrange(6, 11):02}:{random.choice((0, 15, 30, 45)):02}" for _ in range(n)],
    }


def make_products(random: Random, n: int) -> Sheet:
    """Articles with bar codes, sizes and descriptions."""
    return {
        "ean": [_ean(random) for _ in range(n)],
        "name": [
            f"{random.choice(words.GOODS)} {random.choice(['Oslo', 'Rom', 'Nizza', 'Århus', 'Test'])} "
            f"{random.randrange(1, 60)}"
            for _ in range(n)
        ],
        "category": [random.choice(words.CATEGORIES) for _ in range(n)],
        "size": [
            f"{random.randrange(20, 90)}x{random.randrange(20, 240)}x{random.randrange(5, 90)}"
            for _ in range(n)
        ],
        "weight_kg": [f"{random.lognormvariate(1, 0.8):.2f}" for _ in range(n)],
        "price": [f"{random.choice((1, 4, 9, 19, 49, 99, 199, 999)) + 0.99:.2f}" for _ in range(n)],
        "colour": [random.choice(words.COLOURS) for _ in range(n)],
        "stock": [str(0 if random.random() < 0.3 else random.randrange(1, 400)) for _ in range(n)],
        "rating": [random.choice(["3", "4", "4", "5", "5", "5", "1", "2"]) for _ in range(n)],
        "launched": [f"{_date(random, dt.datetime(2012, 1, 1), 4_500):%Y-%m-%d}" for _ in range(n)],
        "vat": [random.choice(["19%"] * 9 + ["7%"]) for _ in range(n)],
        "description": [f"{_note(random)} {_note(random)}".strip() or "Solid wood." for _ in range(n)],
    }


def make_events(random: Random, n: int) -> Sheet:
    """A log with heavy-tailed sizes and rare status codes."""
    at = dt.datetime(2024, 5, 1)
    times = []
    for _ in range(n):
        at += dt.timedelta(seconds=random.expovariate(0.02))
        times.append(at)
    paths = [random.choice(words.PATHS).format(n=random.randrange(500), w="null") for _ in range(n)]
    return {
        "event_id": [str(uuid.UUID(int=random.getrandbits(128), version=4)) for _ in range(n)],
        "at": [f"{each:%Y-%m-%dT%H:%M:%S}Z" for each in times],
        "user": [f"u{random.randrange(1, 1 + n // 4)}" for _ in range(n)],
        "ip": [
            ".".join(str(random.randrange(1, 255)) for _ in range(4))
            if random.random() < 0.95
            else "127.0.0.1"
            for _ in range(n)
        ],
        "path": paths,
        "status": [random.choice(["200"] * 80 + ["304"] * 8 + ["404"] * 3 + ["500"]) for _ in range(n)],
        "bytes": [str(int(200 * random.paretovariate(1.1))) for _ in range(n)],
        "duration_ms": [str(int(random.lognormvariate(4, 1))) for _ in range(n)],
        "agent": [random.choice(words.AGENTS) for _ in range(n)],
        "country": [random.choice(words.COUNTRIES) for _ in range(n)],
        "version": [random.choice(["v1.2", "v1.3", "v2.0-rc1", "v2.0"]) for _ in range(n)],
    }


def make_patients(random: Random, n: int) -> Sheet:
    """Hospital stays."""
    days = [_date(random) for _ in range(n)]
    return {
        "mrn": [f"{random.randrange(10**7):08}" for _ in range(n)],
        "sex": [random.choice(["F"] * 40 + ["M"] * 38 + ["D"]) for _ in range(n)],
        "admitted": [f"{day:%d/%m/%Y}" for day in days],
        "discharged": [f"{day + _DAY * (1 + int(random.expovariate(0.2))):%d/%m/%Y}" for day in days],
        "diagnosis": [random.choice(words.DIAGNOSES) for _ in range(n)],
        "blood_type": [random.choice(words.BLOOD_TYPES) for _ in range(n)],
        "height_cm": [str(int(random.gauss(171, 9))) for _ in range(n)],
        "weight_kg": [f"{random.gauss(76, 13):.1f}" for _ in range(n)],
        "temperature": [f"{random.gauss(36.9, 0.5):.1f}" for _ in range(n)],
        "ward": [random.choice("ABCDEF") + str(random.randrange(1, 5)) for _ in range(n)],
        "remark": [_note(random) for _ in range(n)],
    }


CLEAN_TABLES: dict[str, Callable[[Random, int], Sheet]] = {
    "customers": make_customers,
    "orders": make_orders,
    "sensors": make_sensors,
    "stations": make_stations,
    "employees": make_employees,
    "products": make_products,
    "events": make_events,
    "patients": make_patients,
    **LEDGERS,
}


def make_table(name: str, seed: int, rows: int) -> Sheet:
    """Return a clean table, the same for the same seed and number of rows."""
    return CLEAN_TABLES[name](Random(f"{name} {seed}"), rows)
