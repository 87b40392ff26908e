"""Guess the dataset that a file belongs to from the file's name.

A file name is a table name with a prefix or suffix that distinguishes deliveries: a date, a week, a
sequence number, a part number. The table name itself is kept in full, including its dots.
"""

from __future__ import annotations

import re
from pathlib import PurePath

from lavendertown.core.table_formats import FILE_ENDINGS

UNNAMED_DATASET = "data"
"""The dataset name for a file with an empty name."""

MAX_NAME_LENGTH = 255
"""The longest name that is searched for dates; no file system allows longer names."""

_OTHER_FORMATS = (
    "geojson xml yaml yml sas7bdat xpt sav zsav dta rds rdata sqlite sqlite3 duckdb dbf hdf5 h5 pkl pickle"
)
_COMPRESSION_FORMATS = "gz gzip bz2 xz zst zstd lz4 lzma snappy br zip 7z rar tar tgz tbz tbz2 txz"
_COMPRESSION_ENDINGS = frozenset(_COMPRESSION_FORMATS.split())
_FINAL_ENDINGS = frozenset(["txt", "tab", "dat", "data", "log", "text", "out", "db", "bak", "tmp"])
"""Endings that are removed only at the very end of a name, because tables have such names too."""

_ENDINGS = frozenset([*FILE_ENDINGS, *_OTHER_FORMATS.split(), *_COMPRESSION_ENDINGS]) - _FINAL_ENDINGS

_YEAR = r"(?:19|20)\d\d"
_MONTH = r"(?:0?[1-9]|1[0-2])"
_DAY = r"(?:0?[1-9]|[12]\d|3[01])"
_MONTH_NAME = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    r"|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_GAP = r"[\W_]?"
_TIME = (
    rf"(?:T|{_GAP})(?:[01]\d|2[0-4]){_GAP}[0-5]\d(?:{_GAP}[0-5]\d(?:[.,_]?\d{{3,9}})?)?"
    r"(?:Z|UTC|[+-]\d\d:?\d\d)?"
)
_FULL_DATE = (
    rf"(?:{_YEAR}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
    rf"|{_YEAR}[\W_]{_MONTH}[\W_]{_DAY}|{_DAY}[\W_]{_MONTH}[\W_]{_YEAR})"
)
_WEEK = rf"(?:{_YEAR}{_GAP}(?:cw|kw|wk|week|w){_GAP}\d\d?(?:-?[1-7])?)"
_DATES = (
    rf"{_FULL_DATE}(?:{_TIME})?",
    _WEEK,
    rf"{_YEAR}{_GAP}[QH][1-4]",
    rf"[QH][1-4]{_GAP}{_YEAR}",
    rf"{_YEAR}{_GAP}{_MONTH_NAME}(?:{_GAP}{_DAY})?",
    rf"(?:{_DAY}{_GAP})?{_MONTH_NAME}{_GAP}(?:{_DAY}{_GAP},?{_GAP})?(?:{_YEAR}|\d\d)",
)
"""Dates that are removed before and after a name."""
_NUMBERS = r"\d[\d\W_]*"
_ATTACHED_DATES = (
    rf"{_FULL_DATE}(?:{_TIME})?",
    _WEEK,
    rf"{_YEAR}{_GAP}[QH][1-4]",
    rf"{_YEAR}(?:[\W_]?{_MONTH})?",
)
"""Dates that begin with a digit, which are removed directly after a letter too: ``orders2025``."""
_SUFFIX_PATTERNS = (
    *_DATES,
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?:-c\d+)?",
    r"(?:part|chunk|shard)[\W_]?\d+",
    r"(?:part[\W_]?)?\d+[\W_]?of[\W_]?\d+",
    r"(?:v|ver|version|rev)[\W_]?\d+(?:[._]\d+)*",
    r"[qh][1-4]|(?:cw|kw|wk|week)[\W_]?\d\d?|w\d\d",
    r"T?\d{2,9}Z",
    _NUMBERS,
)
"""Suffixes that are removed if a separator precedes them."""

_ONLY_DATE = re.compile(rf"(?:{'|'.join((*_DATES, _NUMBERS))})[\W_]*", re.IGNORECASE)
_SUFFIX = re.compile(
    rf"(?:(?<![\W_])[\W_]++(?:{'|'.join(_SUFFIX_PATTERNS)})|(?<=[^\W\d_])(?:{'|'.join(_ATTACHED_DATES)}))[\W_]*+$",
    re.IGNORECASE,
)
_DATE_PREFIX = re.compile(rf"^[\W_]*(?:{'|'.join((*_DATES, _NUMBERS))})[\W_]+(?=[^\W_])", re.IGNORECASE)


def dataset_name(file: str) -> str:
    """Return the dataset of a file: its name without endings, dates and sequence numbers.

    ``orders-2026-11-21.csv`` and ``20261128_orders.csv.gz`` are both deliveries of ``orders``, so next
    week's findings keep their history; ``public.orders.csv`` and ``public.customers.csv`` are two
    datasets. Weeks, quarters, months, timestamps, versions and part numbers are removed as well. The
    result is never empty, and a name that consists only of a date is kept unchanged.
    """
    name = _without_endings(PurePath(file).name)
    if not name.strip():
        return UNNAMED_DATASET
    while len(name) <= MAX_NAME_LENGTH and not _ONLY_DATE.fullmatch(name):
        shorter = _without_endings(_DATE_PREFIX.sub("", _SUFFIX.sub("", name)), last=False)
        if shorter == name or not re.search(r"[^\W_]", shorter):
            break
        name = shorter
    return name


def _without_endings(name: str, last: bool = True) -> str:
    """Return a file name without its endings; a name that consists only of an ending is kept."""
    while True:
        stem, _, ending = name.rpartition(".")
        ending = ending.lower()
        if not stem or not (ending in _ENDINGS or (last and ending in _FINAL_ENDINGS)):
            return name
        last = last and ending in _COMPRESSION_ENDINGS
        name = stem


def former_dataset_name(file: str) -> str:
    """Return the dataset name that versions before 0.8 gave a file: the name up to its first dot.

    Stored findings are identified by these names, so a dataset may continue under its former name; see
    :mod:`lavendertown.collaboration.parts.datasets`.
    """
    stem = PurePath(file).name.split(".")[0] or file
    name = re.sub(r"^\d[\d\W_]*[\W_]", "", stem)
    return re.sub(r"[\W_]*\d[\d\W_]*$", "", name) or stem
