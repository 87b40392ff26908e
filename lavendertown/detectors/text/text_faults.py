"""Find damaged texts and spellings of the same value among the distinct values of a column.

Two checks share this module, so that one of them reports a value.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from lavendertown.detectors.base import CountedValues
from lavendertown.detectors.text.spellings import find_spellings

_SUSPECT = re.compile(r"[^ -~]|^\s|\s$|  |&[#a-zA-Z]|<[/a-zA-Z]|\\|%[0-9A-Fa-f]{2}|\"|\?")
_ZERO_WIDTH = re.compile("[\u200b\u200e\u200f\u2060\u00ad\ufeff]|(?<=[ -\u024f])[\u200c\u200d](?=[ -\u024f])")
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff]")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_ENTITY = re.compile(r"&(?:#[0-9]{1,6}|#x[0-9a-fA-F]{1,5}|[a-zA-Z]{2,8});")
_TAG = re.compile(
    r"</?(?:p|br|b|i|u|a|div|span|strong|em|li|ul|ol|td|tr|table|h[1-6]|font|img)(?:\s[^>]*)?/?>", re.I
)
_ESCAPE = re.compile(r"\\(?:[nrt](?![a-z]{3})|u[0-9a-fA-F]{4}|x[0-9a-fA-F]{2})|\\n")
_PERCENT = re.compile(r"%(?:20|2C|2F|3A|C3%[89AB][0-9A-F])", re.I)
_DRIVE = re.compile(r"[A-Za-z]:\\|^\\\\|\\\w+\\")
_DOUBLE = re.compile(r"[^\s.!?:][ \u00a0]{2,}\S")
_LOOKALIKES = (
    "\u0400-\u04ff\u0391\u0392\u0395-\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u03bf"
)
_MIXED_SCRIPTS = re.compile(f"[A-Za-z][{_LOOKALIKES}]|[{_LOOKALIKES}][A-Za-z]")
_QUOTED = re.compile(r"\"[^\"]+\"|'[^']+'")
_ODD_BLANK = re.compile("[\u00a0\u2000-\u200a\u202f\u205f\u3000\t\n\r]")

_CONTINUATION = (
    "\u0080-\u00bf\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122"
)
_BROKEN = re.compile(
    f"[\u00c2-\u00df][{_CONTINUATION}]|[\u00e0-\u00ef][{_CONTINUATION}]{{2}}|[\u00f0-\u00f4][{_CONTINUATION}]{{3}}"
)
_SURE_LEADS = "\u00c2\u00c3"
_BYTES = {bytes([byte]).decode("cp1252", "ignore"): byte for byte in range(0x80, 0xA0)}

_LIMITS = {
    "mojibake": 1.0,
    "replacement signs": 1.0,
    "invisible signs": 0.2,
    "control signs": 0.2,
    "entities": 0.2,
    "tags": 0.2,
    "escapes": 0.2,
    "letters of two scripts": 0.2,
    "question marks for letters": 0.2,
    "quotation marks": 0.05,
    "line breaks": 0.05,
    "outer blanks": 0.5,
    "double blanks": 0.05,
    "unusual blanks": 0.05,
    "split accents": 0.2,
}
"""The kinds of damage, and the share of the values up to which they are damage and not the usual notation."""

COSMETIC = frozenset(("outer blanks", "double blanks", "unusual blanks", "split accents", "line breaks"))
"""Kinds of damage that can be removed without a loss."""


@dataclass(frozen=True)
class TextFaults:
    """The faults of a text column.

    Attributes:
        damaged: The damaged values with the kind of damage.
        spellings: Other spellings with the usual one.
    """

    damaged: Mapping[str, str]
    spellings: Mapping[str, str]


def find_text_faults(name: str, counted: CountedValues) -> TextFaults:
    """Return the damaged values and the other spellings; each value is in one of them.

    Blanks are damage if other values are damaged or spellings differ in nothing else, otherwise a spelling.
    """
    return counted.derive("text faults", lambda: _find_text_faults(name, counted))


def _find_text_faults(name: str, counted: CountedValues) -> TextFaults:
    damaged = find_damage(counted)
    hard = {value for value, kind in damaged.items() if kind not in COSMETIC}
    spellings = {
        value: usual
        for value, usual in find_spellings(name, counted, hard).items()
        # Where most values have outer blanks, they are the usual notation.
        if value in damaged or value.strip() != usual.strip()
    }
    if hard or all(" ".join(value.split()) == usual for value, usual in spellings.items()):
        return TextFaults(damaged, {value: spellings[value] for value in spellings if value not in damaged})
    rest = {value: kind for value, kind in damaged.items() if value not in spellings}
    return TextFaults(rest, spellings)


def find_damage(counted: CountedValues) -> dict[str, str]:
    """Return the damaged values with the kind of damage, the worst if there are several."""
    suspects = [value for value in counted.values if _SUSPECT.search(value)]
    if not suspects:
        return {}
    counts = counted.by_value()
    total, lossy = sum(counts.values()), _lossy_forms(counted)
    kinds: dict[str, list[str]] = {}
    for value in suspects:
        for kind in _kinds_of_damage(value, counts, lossy):
            kinds.setdefault(kind, []).append(value)
    damaged: dict[str, str] = {}
    for kind, limit in _LIMITS.items():
        values = kinds.get(kind, [])
        if sum(counts[value] for value in values) <= limit * total and _is_certain(kind, values, counts):
            for value in values:
                damaged.setdefault(value, kind)
    return damaged


def _is_certain(kind: str, values: list[str], counts: Mapping[str, int]) -> bool:
    if kind == "quotation marks":
        quoted = set(values)
        return all(value[1:-1] in counts for value in values) or not any(
            '"' in value for value in counts if value not in quoted
        )
    if kind == "line breaks":
        lengths = sorted(map(len, counts))
        return lengths[len(lengths) * 9 // 10] <= 60
    return True


def _kinds_of_damage(value: str, counts: Mapping[str, int], lossy: Collection[str]) -> Iterator[str]:
    if not value.isascii():
        if is_mojibake(value):
            yield "mojibake"
        if "\ufffd" in value:
            yield "replacement signs"
        if _ZERO_WIDTH.search(value) and not _RIGHT_TO_LEFT.search(value):
            yield "invisible signs"
        if _MIXED_SCRIPTS.search(value):
            yield "letters of two scripts"
        if unicodedata.normalize("NFC", value) != value:
            yield "split accents"
    if _CONTROL.search(value):
        yield "control signs"
    if any(html.unescape(each) != each for each in _ENTITY.findall(value)):
        yield "entities"
    if _TAG.search(value):
        yield "tags"
    if (_ESCAPE.search(value) and not _DRIVE.search(value)) or (_PERCENT.search(value) and "/" not in value):
        yield "escapes"
    if value in lossy:
        yield "question marks for letters"
    if _QUOTED.fullmatch(value):
        yield "quotation marks"
    inner = value.strip()
    if inner != value and inner:
        yield "outer blanks"
    if "\n" in inner or "\r" in inner:
        yield "line breaks"
    if _DOUBLE.search(inner):
        yield "double blanks"
    if _ODD_BLANK.search(inner) and _ODD_BLANK.sub(" ", inner) in counts:
        yield "unusual blanks"


def is_mojibake(text: str) -> bool:
    """Return whether a part of the text is UTF-8 that was read as Windows-1252 or Latin-1.

    A capital with an accent before a quotation mark or a dash is not enough, unless it ends a lower-case
    word or occurs twice: it may be right.
    """
    found = [match for match in _BROKEN.finditer(text) if _is_decodable(match.group())]
    sure = [match for match in found if len(match.group()) > 2 or match.group()[0] in _SURE_LEADS]
    return (
        bool(sure)
        or len(found) > 1
        or any(text[match.start() - 1 : match.start()].islower() for match in found)
    )


def _is_decodable(text: str) -> bool:
    try:
        decoded = bytes(_BYTES.get(sign, ord(sign) & 0xFF) for sign in text).decode()
    except UnicodeDecodeError:
        return False
    return decoded.isprintable() or decoded == "\u00a0"


def _lossy_forms(counted: CountedValues) -> frozenset[str]:
    """Return texts in which a question mark stands for a letter of another value, such as M?nchen."""
    questioned = {value for value in counted.values if re.search(r"\w\?+\w|^\?\w|\w\?$", value)}
    if not questioned:
        return frozenset()
    return frozenset(_lose_letters(value) for value in counted.values if not value.isascii()) & questioned


def _lose_letters(text: str) -> str:
    return "".join(char if char.isascii() else "?" for char in text)
