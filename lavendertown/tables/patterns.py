"""How values look when they are written as text.

The expressions use what Rust's, RE2's and Java's engines share: no look-around, no back references,
``[0-9]`` because ``\\d`` also means digits that no parser reads.
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

SURE_COMMA_NUMBER = r"^\s*[+-]?[0-9.]+,(?:[0-9]{1,2}|[0-9]{4,})\s*$"
"""A number whose comma cannot separate thousands."""

SURE_GROUPED_NUMBER = r"^\s*[+-]?[0-9]{1,3}(?:,[0-9]{3})+(?:,[0-9]{3}|\.[0-9]+)\s*$"
"""A number whose comma cannot be a decimal comma."""

NUMBER = "|".join((PLAIN_NUMBER, GROUPED_NUMBER, COMMA_NUMBER))

CODE = r"^\s*[+-]?0[0-9]+\s*$|^\s*\+[0-9]{7,}\s*$|^\s*[0-9]{16,}\s*$"
"""Digits that are no quantity: a leading zero, a dialled number, or too long for one."""

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

NUMBER_OR_DATE_START = r"^\s*[+-]?\.?[0-9]|^\s*" + _MONTH + r" [0-9]"
"""What every number and every date begins with; cheap, so it is asked first."""

NULL_SIGN = (
    r"^\s*(?:|NA|na|NaN|nan|NAN|NaT|\\N)\s*$"
    r"|^(?i:\s*(?:#?n/a!?|n\.a\.?|#na|<na>|\(null\)|<null>|not available|not applicable"
    "|-+|\u2013+|\u2014+"
    r"|\?+|\.+)\s*)$"
)
"""Signs that stand for a missing value wherever they are met. Not Na, nor Nan: sodium and a city."""

NULL_WORD = r"^(?i:\s*(?:null|none|nil|undefined|missing|unknown)\s*)$"
"""Words that stand for a missing value, but are also words: a film may be called so."""

DISGUISED_NULL = f"{NULL_SIGN}|{NULL_WORD}"
