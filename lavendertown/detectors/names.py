"""What a column's name says about its values."""

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


def is_identifier(name: str) -> bool:
    """Tell whether a column's name says that its numbers are labels, not quantities."""
    words = _words(name)
    return bool(words) and bool(_IDENTIFIERS.fullmatch(words[-1]) or _LEADING.fullmatch(words[0]))


def is_calendar(name: str) -> bool:
    """Tell whether a column's name says that its numbers are years, months and the like."""
    words = _words(name)
    return bool(words) and _CALENDAR.fullmatch(words[-1]) is not None


def is_coordinate(name: str) -> bool:
    """Tell whether a column's name says that its numbers are places on a map."""
    words = _words(name)
    return bool(words) and _COORDINATE.fullmatch(words[-1]) is not None


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(name) if not word.isdecimal()]
