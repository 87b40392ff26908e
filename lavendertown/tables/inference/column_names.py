"""Infer from a column name whether its numbers are labels, dates or coordinates."""

from __future__ import annotations

import re

import polars as pl

_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+|[^\W\d_]+")
_IDENTIFIERS = re.compile(
    r"ids?|identifiers?|uid|uuid|guid|pk|fk|keys?|codes?|zip|zipcode|postcode|postal|plz|postleitzahl|pincode"
    r"|postnummer|phone|telephone|telefon|telefono|telefone|handy|mobile|cellphone|fax"
    r"|isbn|ean|gtin|upc|sku|asin|iban|bic|ssn|vat|nr|no|num|number|index|idx|row|rownum|rowid|serial"
    r"|barcode|user|customer|account|invoice|ticket|hash"
)
_CALENDAR = re.compile(r"year|yr|month|week|weekday|quarter|day|hour|minute|date|timestamp|epoch")
_COORDINATE = re.compile(r"lat|latitude|lon|long|lng|longitude")
_UNIQUE = re.compile(
    r"uuid|guid|ssn|vin|imei|isbn|ean|gtin|upc|barcode|passport|mrn|serial|pk|rowid|hash|key|sku|invoice|ticket"
)
_COUNTED = re.compile(
    r"qty|quantity|count|counts|children|kids|persons|people|passengers|visits|visitors|orders|items|units|pieces"
    r"|rooms|bedrooms|beds|floors|seats|staff|employees|members|students|guests|nights|clicks|views|sales|stock"
    r"|inventory|logins|sessions|calls|tickets|copies|pages|goals|headcount|population|votes|siblings|cylinders"
)
_MEASURED = re.compile(
    r"age|ages|price|prices|height|weight|length|width|depth|size|distance|duration|area|speed|salary|wage|income"
    r"|mileage|volume|mass|capacity|kwh|km|kg|cm|mm|ml|bytes|hours|minutes|seconds|ms|tenure|horsepower|rent|fare"
)
_CODE_DIGITS = (
    (re.compile(r"zip|zipcode|postcode|postcodes|postal|plz|postleitzahl|pincode|postnummer"), 4, 9),
    (re.compile(r"phones?|telephone|telefon|telefono|telefone|tel|handy|mobile|cellphone|fax"), 7, 15),
    (re.compile(r"isbn|ean|gtin|upc|barcode|iban|ssn|imei|vat"), 8, 15),
)
_LEADING = re.compile(r"zip|postal|phone|telephone")
_PERSON = re.compile(
    r"(?:(?:sur|last|first|fore|middle|maiden|family|given|full|nick|nach|vor)_?)?names?"
    r"|person|author|artist|contact|employee|player|director|actor|nom|prenom|apellidos?|cognome|title"
)


def is_identifier(name: str) -> bool:
    """Return whether the name suggests that the numbers are labels, not quantities."""
    words = split_words(name)
    return bool(words) and bool(_IDENTIFIERS.fullmatch(words[-1]) or _LEADING.fullmatch(words[0]))


def is_code(name: str, digits: pl.Series) -> bool:
    """Return whether digits are codes, such as postcodes and phone numbers: the name says so, and they fit.

    Args:
        name: The column's name.
        digits: The values as written, all of digits.
    """
    words = split_words(name)
    for pattern, least, most in _CODE_DIGITS:
        if words and (pattern.fullmatch(words[-1]) or pattern.fullmatch(words[0])):
            lengths = digits.str.strip_chars().str.len_chars().drop_nulls()
            return bool(lengths.is_between(least, most).all())
    return False


def is_calendar(name: str) -> bool:
    """Return whether the name suggests that the numbers are years, months or other parts of a date."""
    words = split_words(name)
    return bool(words) and _CALENDAR.fullmatch(words[-1]) is not None


def is_coordinate(name: str) -> bool:
    """Return whether the name suggests that the numbers are coordinates."""
    words = split_words(name)
    return bool(words) and _COORDINATE.fullmatch(words[-1]) is not None


def is_label(name: str) -> bool:
    """Return whether the name suggests that the numbers are labels, dates or coordinates: no quantities."""
    return is_identifier(name) or is_calendar(name) or is_coordinate(name)


def is_proper_name(name: str) -> bool:
    """Return whether the name suggests names of people or works, such as the surnames Null and Test."""
    words = split_words(name)
    return bool(words) and _PERSON.fullmatch(words[-1]) is not None


def is_unique_identifier(name: str) -> bool:
    """Return whether the name suggests that each thing of the world has a value of its own."""
    words = split_words(name)
    return any(_UNIQUE.fullmatch(word) for word in words[-2:])


def is_count(name: str) -> bool:
    """Return whether the name suggests whole numbers of things."""
    words = split_words(name)
    if words[:2] in (["number", "of"], ["no", "of"], ["num", "of"]) or words[:1] in (["n"], ["num"]):
        return len(words) > 1
    return any(_COUNTED.fullmatch(word) for word in (words[-1:] + words[:1]))


def is_never_negative(name: str) -> bool:
    """Return whether the name suggests a quantity, age, price or count, which cannot be below zero."""
    words = split_words(name)
    signed = {
        "change",
        "diff",
        "difference",
        "delta",
        "balance",
        "adjustment",
        "net",
        "gain",
        "loss",
        "growth",
    }
    if signed & set(words):
        return False
    return is_count(name) or any(_MEASURED.fullmatch(word) for word in words)


def split_words(name: str) -> list[str]:
    """Return the words of a column name in lower case, without numbers: ``orderNo2`` is ``order, no``."""
    return [word.lower() for word in _WORD.findall(name) if not word.isdecimal()]
