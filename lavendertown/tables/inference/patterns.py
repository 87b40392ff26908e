"""Regular expressions for numbers, dates and missing values written as text.

The expressions use only syntax that the engines of Rust, RE2 and Java share: no look-around and no back
references. They use ``[0-9]`` because ``\\d`` also matches digits that parsers reject.
"""

from __future__ import annotations

_DAY_IN_MONTH = (
    r"(?:(?:0?[13578]|1[02]){s}(?:0?[1-9]|[12][0-9]|3[01])"
    r"|(?:0?[469]|11){s}(?:0?[1-9]|[12][0-9]|30)|0?2{s}(?:0?[1-9]|[12][0-9]))"
)
_TIME = (
    r"(?:[T ]+(?:[01]?[0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:[.,][0-9]+)?)?"
    r"(?: ?(?:Z|UTC|[+-][0-9]{2}:?[0-9]{2}))?)?"
)
_MONTH = r"(?i:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"

PLAIN_NUMBER = r"^\s*[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?\s*$"
WHOLE_NUMBER = r"^\s*[+-]?[0-9]+\s*$"
GROUPED_NUMBER = r"^\s*[+-]?(?:[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.[0-9]+)?\s*$"
"""A number whose thousands may be separated by commas: 1,204,318.5."""

COMMA_NUMBER = r"^\s*[+-]?(?:[0-9]+|[0-9]{1,3}(?:\.[0-9]{3})+)(?:,[0-9]+)?\s*$"
"""A number with a decimal comma: 1.204.318,5."""

TWO_POINTS = r"^\s*[+-]?[0-9]{1,3}\.[0-9]{3}\.[0-9]{3}\s*$"
"""A number whose points separate thousands: 1.204.318. Three points may be those of an IP address."""

SURE_COMMA_NUMBER = r"^\s*[+-]?[0-9.]+,(?:[0-9]{1,2}|[0-9]{4,})\s*$|" + TWO_POINTS
"""A number of a country that writes a decimal comma."""

POINT_OR_GROUP = r"^\s*[+-]?[1-9][0-9]{0,2}\.[0-9]{3}\s*$"
"""A number whose point may separate thousands or decimals: 1.204."""

SURE_GROUPED_NUMBER = r"^\s*[+-]?[0-9]{1,3}(?:,[0-9]{3})+(?:,[0-9]{3}|\.[0-9]+)\s*$"
"""A number whose comma cannot be a decimal comma."""

NUMBER = "|".join((PLAIN_NUMBER, GROUPED_NUMBER, COMMA_NUMBER))

SEPARATOR = r"[0-9][.,' \u2019\u00a0\u2009\u202f][0-9]"
"""A sign between digits that may part thousands."""

INFINITE = r"^\s*[+-]?(?i:inf|infinity)\s*$"
"""An infinite number written out."""

CODE = r"^\s*[+-]?0[0-9]+\s*$|^\s*\+[0-9]{7,}\s*$|^\s*[0-9]{16,}\s*$"
"""Digits that are not a quantity: a leading zero, a phone number, or 16 and more digits."""

LONG_NUMBER = r"^\s*[+-]?0*[1-9][0-9]{15,}\.?[0-9]*\s*$"
"""A number with more integer digits than a float represents exactly."""

SHORTENED_NUMBER = r"^\s*[0-9](?:[.,][0-9]+)?[eE]\+?(?:0?[7-9]|[1-9][0-9])\s*$"
"""A long number in scientific notation: 4.00638E+12, or 4,00638E+12."""

SPREADSHEET_NUMBER = r"^\s*[0-9](?:[.,][0-9]+)?E\+(?:0[7-9]|[1-9][0-9])\s*$"
"""A long number as spreadsheets shorten it, with a sign and two digits: 4.00638E+12."""

SCIENTIFIC_NUMBER = r"^\s*[+-]?[0-9]+(?:[.,](?P<decimals>[0-9]+))?[eE](?P<exponent>[+-]?[0-9]{1,3})\s*$"
"""Any number in scientific notation: 2E5, 1.5e-3."""

LONG_DIGITS = r"^\s*[0-9]{8,}\s*$"

ISO_DAY = r"^\s*[0-9]{4}-" + _DAY_IN_MONTH.format(s="-") + r"\s*$"
ISO_DATE = r"^\s*[0-9]{4}-" + _DAY_IN_MONTH.format(s="-") + _TIME + r"\s*$"
PARTS_DATE = r"^\s*(?:0?[1-9]|[12][0-9]|3[01])[./-](?:0?[1-9]|[12][0-9]|3[01])[./-][0-9]{4}" + _TIME + r"\s*$"
"""Day and month in either order, then a year."""

DATE = "|".join(
    (
        ISO_DATE,
        PARTS_DATE,
        r"^\s*[0-9]{4}[./]" + _DAY_IN_MONTH.format(s="[./]") + _TIME + r"\s*$",
        r"^\s*[0-9]{1,2}/[0-9]{1,2}/[0-9]{2}\s*$",
        r"^\s*[0-9]{1,2}[ -]" + _MONTH + r"[ ,-]+(?:[0-9]{4}|[0-9]{2})" + _TIME + r"\s*$",
        r"^\s*" + _MONTH + r" [0-9]{1,2},? [0-9]{4}" + _TIME + r"\s*$",
    )
)

DATE_FORMATS = {
    "2024-01-31": r"^\s*[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[T ,].*)?$",
    "2024/01/31": r"^\s*[0-9]{4}/[0-9]{1,2}/[0-9]{1,2}(?:[T ,].*)?$",
    "2024.01.31": r"^\s*[0-9]{4}\.[0-9]{1,2}\.[0-9]{1,2}(?:[T ,].*)?$",
    "20240131": r"^\s*(?:19|20)[0-9]{6}\s*$",
    "31.01.2024": r"^\s*[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{2,4}(?:[T ,].*)?$",
    "31/01/2024": r"^\s*[0-9]{1,2}/[0-9]{1,2}/[0-9]{2,4}(?:[T ,].*)?$",
    "31-01-2024": r"^\s*[0-9]{1,2}-[0-9]{1,2}-[0-9]{2,4}(?:[T ,].*)?$",
    "31 Jan 2024": r"^\s*[0-9]{1,2}\.?[ -][^0-9 .,-]{3,10}\.?[ ,-]+[0-9]{2,4}.*$",
    "Jan 31, 2024": r"^\s*" + _MONTH + r" [0-9]{1,2},? [0-9]{4}.*$",
}
"""Formats of dates by an example; a date matches at most one."""

NUMBER_OR_DATE_START = r"^\s*[+-]?\.?[0-9]|^\s*" + _MONTH + r" [0-9]"
"""The start of every number and date; a cheap test before the exact ones."""

NULL_SIGN = (
    r"^\s*(?:|NA|na|NaN|nan|NAN|NaT|\\N)\s*$"
    r"|^(?i:\s*(?:#?n/a!?|n\.a\.?|#na|<na>|\(null\)|<null>|not available|not applicable"
    "|-+|\u2013+|\u2014+"
    r"|\?+|\.+)\s*)$"
)
"""Placeholders that always mean a missing value. Not "Na" and "Nan": sodium and a city."""

NULL_WORD = r"^(?i:\s*(?:null|none|nil|undefined|missing|unknown)\s*)$"
"""Placeholders that are also ordinary words, such as the title of a film."""

DISGUISED_NULL = f"{NULL_SIGN}|{NULL_WORD}"
