"""Errors in a single column: stand-ins, spellings, shapes, dates and damaged text."""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Callable, Sequence
from random import Random

from benchmarks.quality import words
from benchmarks.quality.sheets import (
    Kind,
    Plant,
    Planted,
    Sheet,
    change_cells,
    choose_rows,
    rows_where,
)

_PLACES = [
    "customers.note",
    "customers.surname",
    "products.description",
    "employees.name",
    "patients.remark",
    "stations.name",
    "customers.city",
]


def _in_columns(
    name: str, places: Sequence[str], change: Callable[[str, Random], str], share: float = 0.015
) -> list[Kind]:
    """Return a kind that changes cells of one of these columns, written ``table.column``."""
    by_table: dict[str, list[str]] = {}
    for place in places:
        table, column = place.split(".")
        by_table.setdefault(table, []).append(column)

    def plant(sheet: Sheet, random: Random) -> Planted:
        here = next(columns for columns in by_table.values() if all(column in sheet for column in columns))
        column = random.choice(here)
        filled = rows_where(sheet, column, lambda cell: len(cell) > 1)
        rows = sorted(random.sample(filled, max(3, round(share * len(filled)))))
        return change_cells(sheet, column, rows, lambda cell: change(cell, random))

    return [Kind(name, list(by_table), plant)]


def _stand_in(name: str, places: Sequence[str], *words_: str, share: float = 0.03) -> list[Kind]:
    return _in_columns(name, places, lambda cell, random: random.choice(words_), share)


def _swap_letters(cell: str, random: Random) -> str:
    at = random.randrange(1, len(cell) - 1)
    return random.choice([cell[:at] + cell[at + 1] + cell[at] + cell[at + 2 :], cell[:at] + cell[at + 1 :]])


def _break_encoding(cell: str, random: Random) -> str:
    word = random.choice(["für", "Müller", "naïve", "l\u2019été", "Café", "10 €", "São"])
    return f"{cell} {word}".encode().decode("cp1252", "replace")


def _insert(text: str) -> Callable[[str, Random], str]:
    def insert(cell: str, random: Random) -> str:
        at = random.randrange(1, len(cell)) if len(cell) > 1 else 1
        return cell[:at] + text + cell[at:]

    return insert


def _date_in(format: str, *values: str) -> Callable[[str, Random], str]:
    def change(cell: str, random: Random) -> str:
        return dt.date.fromisoformat(random.choice(values)).strftime(format)

    return change


def _reformat(*formats: str) -> Callable[[str, Random], str]:
    def change(cell: str, random: Random) -> str:
        return dt.date.fromisoformat(cell[:10]).strftime(formats[0]) + cell[10:] if cell else cell

    return change


def _shift_years(years: int) -> Callable[[str, Random], str]:
    def change(cell: str, random: Random) -> str:
        return f"{int(cell[:4]) + years}{cell[4:]}".replace("-02-29", "-02-28")

    return change


def _plant_truncated(sheet: Sheet, random: Random) -> Planted:
    column = "note" if "note" in sheet else "description" if "description" in sheet else "remark"
    long = [cell if len(cell) > 12 else f"{cell} {cell}" for cell in sheet[column]]
    sheet[column] = [cell[:30] for cell in long]
    return Planted([column], [row for row, cell in enumerate(long) if len(cell) > 30])


def _plant_swapped_coordinates(sheet: Sheet, random: Random) -> Planted:
    rows = choose_rows(sheet, random)
    for row in rows:
        sheet["lat"][row], sheet["lon"][row] = sheet["lon"][row], sheet["lat"][row]
    return Planted(["lat", "lon", "*"], rows)


def _plant_zero_coordinates(sheet: Sheet, random: Random) -> Planted:
    rows = choose_rows(sheet, random)
    for row in rows:
        sheet["lat"][row] = sheet["lon"][row] = "0"
    return Planted(["lat", "lon", "*"], rows)


def _plant_lost_sign(sheet: Sheet, random: Random) -> Planted:
    rows = choose_rows(sheet, random)
    sheet["lon"] = [f"-{cell}" for cell in sheet["lon"]]
    for row in rows:
        sheet["lon"][row] = sheet["lon"][row][1:]
    return Planted(["lat", "lon", "*"], rows)


def _plant_lost_point(sheet: Sheet, random: Random) -> Planted:
    rows = choose_rows(sheet, random)
    for row in rows:
        sheet["lat"][row] = sheet["lat"][row].replace(".", "")
    return Planted(["lat", "lon", "*"], rows)


def _plant_lost_zero(sheet: Sheet, random: Random) -> Planted:
    rows = rows_where(sheet, "zip", lambda cell: cell.startswith("0"))
    for row in rows[1::2]:
        sheet["zip"][row] = sheet["zip"][row][1:]
    return Planted(["zip"], rows[1::2])


def _plant_flat_spike(sheet: Sheet, random: Random) -> Planted:
    rows = choose_rows(sheet, random, 0.04)
    return change_cells(sheet, "temperature", rows, lambda cell: "0")


def _plant_decomposed(sheet: Sheet, random: Random) -> Planted:
    column = "operator" if "operator" in sheet else "city"
    rows = [
        row for row in rows_where(sheet, column, lambda cell: not cell.isascii()) if random.random() < 0.1
    ]
    return change_cells(sheet, column, rows, lambda cell: unicodedata.normalize("NFD", cell))


def _plant_homoglyph(sheet: Sheet, random: Random) -> Planted:
    column = "status" if "sku" in sheet else "department"
    rows = choose_rows(sheet, random)
    return change_cells(sheet, column, rows, lambda cell: cell.replace("e", "е").replace("a", "а"))  # noqa: RUF001


def _category(name: str, change: Callable[[str, Random], str]) -> list[Kind]:
    def plant(sheet: Sheet, random: Random) -> Planted:
        places = {
            "department": ("Engineering", "Support", "Finance", "Marketing"),
            "status": ("shipped", "cancelled"),
            "category": ("Furniture", "Kitchen", "Lighting"),
            "segment": ("Retail", "Business", "Public sector"),
            "operator": ("Nordwind GmbH", "Stadtwerke Süd"),
        }
        column = next(each for each in places if each in sheet and sheet[each][0] not in ("200", "304"))
        fitting = rows_where(sheet, column, lambda cell: cell in places[column])
        rows = sorted(random.sample(fitting, max(3, len(fitting) // 60)))
        return change_cells(sheet, column, rows, lambda cell: change(cell, random))

    return [Kind(name, ["employees", "orders", "products", "customers", "stations"], plant)]


def _simple(name: str, tables: str, plant: Plant) -> list[Kind]:
    return [Kind(name, tables.split(), plant)]


_NUMBERS = ["sensors.humidity", "patients.height_cm", "customers.age", "patients.weight_kg"]
_AMOUNTS = ["employees.salary", "sensors.pressure", "patients.temperature", "products.weight_kg"]
_DATES = ["orders.ordered", "employees.hired", "products.launched", "customers.birth_date"]
_ISO_DATES = ["orders.ordered", "orders.shipped", "employees.hired", "products.launched"]
_MAILS = ["customers.email", "employees.email"]

KINDS: list[Kind] = [
    *_stand_in("stand-in -999", _NUMBERS, "-999"),
    *_stand_in("stand-in -1", ["sensors.humidity", "customers.age", "patients.height_cm"], "-1"),
    *_stand_in("stand-in 9999", [*_NUMBERS, "sensors.pressure", "products.weight_kg"], "9999"),
    *_stand_in("stand-in 99999 of a zip", ["customers.zip"], "99999"),
    *_stand_in("stand-in 0", ["employees.salary", "patients.height_cm", "sensors.pressure"], "0"),
    *_stand_in("stand-in 999999", ["orders.price", "events.duration_ms", "products.price"], "999999"),
    *_stand_in("stand-in TBD", ["products.colour", "orders.product", "employees.title"], "TBD"),
    *_stand_in("stand-in xxx", ["customers.city", "products.name", "customers.phone"], "xxx", "XXXX"),
    *_stand_in(
        "stand-in unknown",
        ["products.colour", "customers.city", "employees.title", "orders.product"],
        "unknown",
        "Unbekannt",
        "not specified",
    ),
    *_stand_in("stand-in mail", _MAILS, "test@test.com", "noreply@example.com", "none@none.com"),
    *_stand_in("stand-in phone", ["customers.phone"], "0000000000", "123456789", "999-999-9999"),
    *_stand_in("stand-in of an id", ["orders.customer_id", "events.user"], "C-99999", "dummy"),
    *_stand_in(
        "stand-in 1900", ["customers.birth_date", "employees.hired", "products.launched"], "1900-01-01"
    ),
    *_stand_in("stand-in 1970", ["orders.shipped", "employees.hired", "customers.birth_date"], "1970-01-01"),
    *_stand_in(
        "stand-in 9999-12-31", ["orders.shipped", "employees.hired", "products.launched"], "9999-12-31"
    ),
    *_stand_in(
        "null word", ["customers.city", "products.colour", "orders.shipped", "patients.ward"], "N/A", "null"
    ),
    *_category("category case", lambda cell, random: random.choice([cell.upper(), cell.swapcase()])),
    *_category("category blanks", lambda cell, random: random.choice([f"{cell} ", f" {cell}"])),
    *_category("category spelling", _swap_letters),
    *_category(
        "category sign",
        lambda cell, random: f"{cell}." if random.random() < 0.5 else f"{cell[:4]}-{cell[4:]}",
    ),
    *_simple("category accents decomposed", "stations customers", _plant_decomposed),
    *_simple("category homoglyph", "orders employees", _plant_homoglyph),
    *_in_columns("city spelling", ["customers.city"], _swap_letters),
    *_in_columns("yes/no variants", ["customers.newsletter", "orders.paid"], lambda c, r: c[0].upper()),
    *_in_columns("code shape", ["customers.customer_id", "orders.sku"], lambda c, r: c.replace("-", "")),
    *_in_columns("code letter case", ["customers.customer_id", "orders.sku"], lambda c, r: c.lower()),
    *_in_columns("code digit lost", ["customers.customer_id", "orders.order_no"], lambda c, r: c[:-1]),
    *_in_columns(
        "code letter for digit",
        ["orders.order_no", "customers.customer_id", "stations.code"],
        lambda c, r: c[:-1] + r.choice("OlI"),
    ),
    *_in_columns("diagnosis shape", ["patients.diagnosis"], lambda c, r: f"{c[1:]}{c[0]}"),
    *_in_columns("mail without at", _MAILS, lambda c, r: c.replace("@", r.choice(["", " at ", "@@"]))),
    *_in_columns(
        "mail without domain", _MAILS, lambda c, r: c.split("@")[0] + r.choice(["@", "@example", "@.org"])
    ),
    *_in_columns(
        "url broken",
        ["stations.url"],
        lambda c, r: r.choice([c.replace("://", ":/"), c[8:], c.replace("/", " ", 3)]),
    ),
    *_in_columns(
        "ip out of range",
        ["events.ip", "stations.ip"],
        lambda c, r: c.rsplit(".", 1)[0] + r.choice([".256", ".999", ""]),
    ),
    *_in_columns(
        "uuid cut",
        ["events.event_id", "stations.device"],
        lambda c, r: r.choice([c[:-2], c.replace("-", "", 1) + "g"]),
    ),
    *_in_columns("mac broken", ["stations.mac"], lambda c, r: r.choice([c[:-1], c[:-2] + "zz"])),
    *_in_columns(
        "country code",
        ["customers.country", "events.country"],
        lambda c, r: r.choice(["XX", "DEU", "ZZ", "Germany"]),
    ),
    *_in_columns("country code lower", ["customers.country", "events.country"], lambda c, r: c.lower()),
    *_in_columns("currency code", ["orders.currency"], lambda c, r: r.choice(["EURO", "XXX", "€", "US$"])),
    *_in_columns("phone broken", ["customers.phone"], lambda c, r: r.choice([c[:6], "see mail", c + "x"])),
    *_in_columns("iban checksum", ["employees.iban"], lambda c, r: f"{c[:8]}{(int(c[8]) + 3) % 10}{c[9:]}"),
    *_in_columns("ean checksum", ["products.ean"], lambda c, r: f"{c[:5]}{(int(c[5]) + 3) % 10}{c[6:]}"),
    *_simple("zip zero lost", "customers", _plant_lost_zero),
    *_simple("coordinates swapped", "stations", _plant_swapped_coordinates),
    *_simple("coordinates 0/0", "stations", _plant_zero_coordinates),
    *_simple("coordinates sign lost", "stations", _plant_lost_sign),
    *_simple("coordinates point lost", "stations", _plant_lost_point),
    *_in_columns(
        "date in the future",
        ["orders.ordered", "employees.hired", "customers.birth_date"],
        _shift_years(100),
        0.008,
    ),
    *_in_columns("date of another century", _DATES, _shift_years(-200), 0.008),
    *_in_columns("date year 202", _ISO_DATES, lambda c, r: "0" + c[1:], 0.008),
    *_in_columns(
        "date impossible",
        _ISO_DATES,
        lambda c, r: c[:5] + r.choice(["02-30", "13-05", "04-31", "00-00"]),
        0.008,
    ),
    *_in_columns("date format mixed", _ISO_DATES, _reformat("%d.%m.%Y")),
    *_in_columns("date format US", ["employees.hired", "products.launched"], _reformat("%m/%d/%Y")),
    *_in_columns("date year short", ["stations.opened", "patients.admitted"], lambda c, r: c[:6] + c[8:]),
    *_in_columns("date in words", ["employees.hired", "products.launched"], _reformat("%d %b %Y")),
    *_in_columns(
        "date as serial",
        ["employees.hired", "orders.ordered"],
        lambda c, r: str((dt.date.fromisoformat(c) - dt.date(1899, 12, 30)).days),
    ),
    *_in_columns(
        "date month first",
        ["patients.admitted", "patients.discharged"],
        lambda c, r: c[3:6] + c[:3] + c[6:] if int(c[:2]) > 12 else c,
    ),
    *_in_columns("time zone mixed", ["events.at"], lambda c, r: c[:-1] + r.choice(["+02:00", "+0530"])),
    *_in_columns("time zone lost", ["events.at"], lambda c, r: c[:-1]),
    *_in_columns(
        "time impossible", ["employees.start_time"], lambda c, r: r.choice(["25:00", "08:75", "24:30"])
    ),
    *_in_columns("mojibake", _PLACES, _break_encoding),
    *_in_columns("replacement sign", _PLACES, _insert("\ufffd")),
    *_in_columns(
        "question mark for accent",
        ["customers.city", "stations.operator"],
        lambda c, r: "".join(x if x.isascii() else "?" for x in c),
        0.1,
    ),
    *_in_columns("zero-width", _PLACES, lambda c, r: _insert(r.choice(["\u200b", "\ufeff", "\u200d"]))(c, r)),
    *_in_columns("control sign", _PLACES, _insert("\x07")),
    *_in_columns(
        "entity", _PLACES, lambda c, r: _insert(r.choice(["&amp;", "&nbsp;", "&#39;", "&uuml;"]))(c, r)
    ),
    *_in_columns(
        "html tag",
        ["products.description", "customers.note"],
        lambda c, r: f"<p>{c}</p>" if r.random() < 0.5 else f"{c}<br/>",
    ),
    *_in_columns("stray blanks", _PLACES, lambda c, r: r.choice([f" {c}", f"{c} ", f"{c}\u00a0", f"\t{c}"])),
    *_in_columns(
        "double blanks",
        ["employees.name", "customers.note", "stations.name"],
        lambda c, r: c.replace(" ", "  "),
    ),
    *_in_columns("line break", ["employees.name", "stations.name", "customers.city"], _insert("\n")),
    *_in_columns("quotes left", ["customers.city", "stations.name", "products.name"], lambda c, r: f'"{c}"'),
    *_in_columns(
        "escaped",
        ["customers.note", "products.description"],
        lambda c, r: _insert(r.choice(["\\n", "\\u00fc", "%20"]))(c, r),
    ),
    *_simple("truncated", "customers products patients", _plant_truncated),
    *_in_columns(
        "text among numbers",
        [*_NUMBERS, *_AMOUNTS],
        lambda c, r: r.choice(["twelve", "ca. 30", "high", "error"]),
    ),
    *_in_columns(
        "number among text",
        ["customers.city", "products.colour", "employees.department"],
        lambda c, r: str(r.randrange(1000)),
    ),
    *_in_columns(
        "unit among numbers",
        ["patients.weight_kg", "products.weight_kg", "employees.salary"],
        lambda c, r: f"{c} {r.choice(['lb', 'kg'])}",
    ),
    *_in_columns(
        "currency among numbers",
        ["orders.price", "employees.salary", "orders.total"],
        lambda c, r: r.choice([f"${c}", f"{c} USD"]),
    ),
    *_in_columns(
        "decimal comma",
        ["orders.price", "patients.weight_kg", "sensors.temperature", "products.weight_kg"],
        lambda c, r: c.replace(".", ","),
    ),
    *_in_columns("thousands point", ["employees.salary"], lambda c, r: f"{c[:-3]}.{c[-3:]}"),
    *_in_columns(
        "range among numbers", ["customers.age", "patients.height_cm"], lambda c, r: f"{c}-{int(c) + 5}"
    ),
    *_in_columns(
        "letter among digits",
        ["customers.age", "employees.salary", "patients.height_cm"],
        lambda c, r: c.replace("0", "O").replace("1", "l"),
    ),
    *_in_columns("percent among shares", ["orders.discount"], lambda c, r: f"{float(c) * 100:.0f}%"),
    *_in_columns("size shape", ["products.size"], lambda c, r: c.replace("x", r.choice([" by ", "*"]))),
    *_in_columns(
        "cells of another column",
        ["customers.zip", "customers.birth_date"],
        lambda c, r: r.choice(words.DEPARTMENTS),
    ),
    *_simple("zeros among readings", "sensors", _plant_flat_spike),
]
