"""The sentences that describe imported findings, and the ghost types of well-known check names."""

from __future__ import annotations

import re

from lavendertown.core.findings import WHOLE_ROW

MAX_MESSAGE = 200
"""The maximum number of characters of a tool's message in a description."""

_SENTENCES = {
    "null": "{column} is empty in {rows}.",
    "disguised_null": "{column} has placeholders for missing values in {rows}.",
    "type": "{column} has values of the wrong type in {rows}.",
    "format": "{column} does not have the required format in {rows}.",
    "category": "{column} has values that are not allowed in {rows}.",
    "duplicate": "{column} has duplicate values in {rows}.",
    "outlier": "{column} is outside the accepted range in {rows}.",
    "date": "{column} has invalid dates in {rows}.",
    "dependency": "{column} does not agree with related data in {rows}.",
    "drift": "{column} has drifted from its reference.",
}

_TYPE_WORDS = (
    ("drift", "drift|kldivergence|chisquare|wasserstein|kolmogorov"),
    ("date", "strftime|dateutil|dateformat|dateparse|timestampformat|freshness"),
    (
        "dependency",
        "relationship|foreignkey|reference|columnpair|multicolumn|equalrowcount|correlation|mutualinformation",
    ),
    ("duplicate", "duplicat|unique|distinctness|primarykey"),
    ("null", "null|missing|completeness|notempty|required|blank"),
    (
        "category",
        "acceptedvalues|inset|isin|notin|containedin|inlist|allowedvalues|enum|newcategor|valuelist|outoflist",
    ),
    ("type", "oftype|intypelist|dtype|datatype|typeerror|coerce"),
    ("format", "regex|like|match|pattern|format|json|length|email|invalid|startswith|endswith"),
    ("outlier", "between|range|greater|less|minimum|maximum|positive|negative|zscore|outlier"),
)
"""Words in the names of checks, without separators; the first type that matches is taken."""
_TYPE_PATTERNS = tuple((ghost_type, re.compile(words)) for ghost_type, words in _TYPE_WORDS)


def guess_ghost_type(check: str, default: str = "rule") -> str:
    """Return the ghost type that a check's name suggests, such as ``null`` for ``not_null_orders_id``."""
    name = re.sub(r"[\W_]+", "", re.split(r"[(\[<>=]", check, maxsplit=1)[0]).lower()
    return next((kind for kind, pattern in _TYPE_PATTERNS if pattern.search(name)), default)


def describe_failure(
    ghost_type: str, check: str, column: str, count: int | None, total: int | None, share: float | None
) -> str:
    """Return one sentence about a failed check, with the number and share of affected rows if known."""
    sentence = _SENTENCES.get(ghost_type)
    if sentence is None or (column == WHOLE_ROW and ghost_type != "duplicate"):
        subject = f"The check {shorten(check)}" + (f" on {column}" if column != WHOLE_ROW else "")
        return f"{subject} failed" + (f" for {_rows(count, total, share)}." if count else ".")
    name = "The table" if column == WHOLE_ROW else column
    return sentence.format(column=name, rows=_rows(count, total, share))


def describe_crash(check: str, column: str, message: str) -> str:
    """Return one sentence about a check that crashed, with the first line of the tool's message."""
    subject = f"The check {shorten(check)}" + (f" on {column}" if column != WHOLE_ROW else "")
    reason = first_line(message.partition("Traceback (most recent call last)")[0])
    return f"{subject} could not run: {reason}" if reason else f"{subject} could not run."


def first_line(message: str) -> str:
    """Return the first line of a message that has text, shortened, ending in a full stop."""
    line = next((line.strip() for line in message.splitlines() if line.strip()), "")
    line = shorten(line)
    return line if not line or line[-1] in ".!?…" else f"{line}."


def shorten(text: str, length: int = MAX_MESSAGE) -> str:
    """Return a text of at most ``length`` characters on one line."""
    text = " ".join(text.split())
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _rows(count: int | None, total: int | None, share: float | None) -> str:
    if count is None:
        return "some rows" if not share else f"{format_percent(share)} of the rows"
    if total is None or total < count:
        percent = f" ({format_percent(share)})" if share else ""
        return f"{count:,} {'row' if count == 1 else 'rows'}{percent}"
    percent = format_percent(count / total if total else 0.0)
    return f"{count:,} of {total:,} {'row' if total == 1 else 'rows'} ({percent})"


def format_percent(share: float) -> str:
    """Return a share as a percentage, in which few rows are not none and most are not all."""
    percent = 100 * share
    if 0 < percent < 0.1:
        return "under 0.1%"
    if 99.9 < percent < 100:
        return "over 99.9%"
    return f"{percent:.1f}".removesuffix(".0") + "%"
