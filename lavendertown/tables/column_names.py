"""Infer from a column name whether its numbers are labels, dates or coordinates."""

from __future__ import annotations

import re

_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+|[^\W\d_]+")
_IDENTIFIERS = re.compile(
    r"ids?|uid|uuid|guid|pk|fk|keys?|codes?|zip|zipcode|postcode|postal|plz|phone|telephone|mobile|fax"
    r"|isbn|ean|gtin|upc|sku|asin|iban|bic|ssn|vat|nr|no|num|number|index|idx|row|rownum|rowid|serial"
    r"|barcode|user|customer|account|invoice|ticket|hash"
)
_CALENDAR = re.compile(r"year|yr|month|week|weekday|quarter|day|hour|minute|date|timestamp|epoch")
_COORDINATE = re.compile(r"lat|latitude|lon|long|lng|longitude")
_LEADING = re.compile(r"zip|postal|phone|telephone")
_PERSON = re.compile(
    r"(?:(?:sur|last|first|fore|middle|maiden|family|given|full|nick|nach|vor)_?)?names?"
    r"|person|author|artist|contact|employee|player|director|actor|nom|prenom|apellidos?|cognome|title"
)


def is_identifier(name: str) -> bool:
    """Return whether the name suggests that the numbers are labels, not quantities."""
    words = _split_words(name)
    return bool(words) and bool(_IDENTIFIERS.fullmatch(words[-1]) or _LEADING.fullmatch(words[0]))


def is_calendar(name: str) -> bool:
    """Return whether the name suggests that the numbers are years, months or other parts of a date."""
    words = _split_words(name)
    return bool(words) and _CALENDAR.fullmatch(words[-1]) is not None


def is_coordinate(name: str) -> bool:
    """Return whether the name suggests that the numbers are coordinates."""
    words = _split_words(name)
    return bool(words) and _COORDINATE.fullmatch(words[-1]) is not None


def is_label(name: str) -> bool:
    """Return whether the name suggests that the numbers are labels, dates or coordinates: no quantities."""
    return is_identifier(name) or is_calendar(name) or is_coordinate(name)


def is_proper_name(name: str) -> bool:
    """Return whether the name suggests names of people or works, such as the surnames Null and Test."""
    words = _split_words(name)
    return bool(words) and _PERSON.fullmatch(words[-1]) is not None


def _split_words(name: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(name) if not word.isdecimal()]
