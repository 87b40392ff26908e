"""Detect the encoding of a file and decode it to text."""

from __future__ import annotations

import codecs
import re

from charset_normalizer import from_bytes

from lavendertown.core.errors import UnreadableTableError

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8"),
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
_CANDIDATES = ["cp1252", "cp1251", "cp1253", "koi8_r", "shift_jis", "euc_jp", "gb18030", "big5", "euc_kr"]
_CENTRAL_EUROPEAN = re.compile(
    r"[^\W\d_][\u00b9\u00b3\u00bf\u00be\u00bc][^\W\d_]|(?:^|\W)[\u00a3\u00af][a-z]"
)
"""Characters that appear inside words if Polish or Czech (cp1250) is decoded as Western (cp1252)."""

_OTHER_ALPHABETS = ("cp1251", "cp1253", "koi8_r")
_WORD = re.compile(r"[\u0370-\u04ff]{2}")
_MIXED_WORD = re.compile(r"[a-zA-Z][\u0370-\u04ff]|[\u0370-\u04ff][a-zA-Z]")

_SAMPLE = 200_000


def decode_text(raw: bytes, name: str, encoding: str | None = None) -> tuple[str, str, str]:
    """Return the decoded text, the Python name of its encoding, and the name to display.

    Args:
        raw: The bytes of the file.
        name: The file's name, for messages.
        encoding: The encoding; detected by default.

    Raises:
        UnreadableTableError: A byte is invalid in the encoding of the rest, or no encoding fits.
    """
    if encoding is not None:
        return _decode_as(raw, encoding, name), encoding, encoding
    for mark, marked, label in _BOMS:
        if raw.startswith(mark):
            return _decode_declared(raw, marked, label, name), marked, label
    without_mark = _utf16_without_mark(raw)
    if without_mark:
        return _decode_declared(raw, without_mark, "UTF-16", name), without_mark, "UTF-16"
    try:
        return raw.decode("utf-8"), "utf-8", "UTF-8"
    except UnicodeDecodeError as error:
        _refuse_broken_utf8(raw, error, name)
        return _decode_guessed(raw, name)


def _decode_as(raw: bytes, encoding: str, name: str) -> str:
    try:
        return raw.decode(encoding).removeprefix("\ufeff")
    except UnicodeError as error:
        # Some codecs, such as idna, do not give the position.
        line = raw[: getattr(error, "start", 0)].count(b"\n") + 1
        raise UnreadableTableError(
            f"{name}, line {line:,}: a character is not valid {encoding}. Choose another encoding, or "
            "leave it to be detected."
        ) from error


def _decode_declared(raw: bytes, encoding: str, label: str, name: str) -> str:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        line = raw[: error.start].decode(encoding, "ignore").count("\n") + 1
        raise UnreadableTableError(
            f"{name}, line {line:,}: a character is not valid {label}, although the file is marked as such. "
            "Export it again."
        ) from error


def _utf16_without_mark(raw: bytes) -> str | None:
    sample = raw[:2_000]
    if len(sample) < 4 or b"\x00" not in sample:
        return None
    half = len(sample) // 2
    if sample[1::2].count(0) > 0.7 * half and sample[::2].count(0) < 0.1 * half:
        return "utf-16-le"
    if sample[::2].count(0) > 0.7 * half and sample[1::2].count(0) < 0.1 * half:
        return "utf-16-be"
    return None


def _refuse_broken_utf8(raw: bytes, error: UnicodeDecodeError, name: str) -> None:
    """Raise if the file is UTF-8 except for a few bytes; a different encoding would garble the rest."""
    text = raw.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    valid = sum(not character.isascii() for character in text[: 10 * _SAMPLE]) - broken
    if valid > 3 * broken:
        line = raw[: error.start].count(b"\n") + 1
        raise UnreadableTableError(
            f"{name}, line {line:,}: a byte is not valid UTF-8, although the rest of the file is. "
            "Fix that line or export the file again."
        ) from error


def _decode_guessed(raw: bytes, name: str) -> tuple[str, str, str]:
    best = from_bytes(_non_ascii_lines(raw), cp_isolation=_CANDIDATES).best()
    first = best.encoding if best else "cp1252"
    if first in _OTHER_ALPHABETS and not _has_whole_words(raw.decode(first, "replace")):
        first = "cp1252"
    if first == "cp1252" and _CENTRAL_EUROPEAN.search(raw.decode("cp1252", "replace")):
        first = "cp1250"
    for encoding in dict.fromkeys([first, "cp1252", "latin-1"]):
        try:
            return raw.decode(encoding), encoding, f"{encoding} (guessed)"
        except UnicodeDecodeError:
            continue
    raise UnreadableTableError(f"Cannot detect the encoding of {name}; save it as UTF-8.")


def _has_whole_words(text: str) -> bool:
    """Return whether the text has Greek or Cyrillic words, none of them mixed with Latin letters."""
    return bool(_WORD.search(text)) and not _MIXED_WORD.search(text)


def _non_ascii_lines(raw: bytes) -> bytes:
    """Return the lines with non-ASCII bytes; only these help to detect the encoding."""
    lines = [line for line in raw.splitlines() if not line.isascii()]
    return b"\n".join(lines)[:_SAMPLE]
