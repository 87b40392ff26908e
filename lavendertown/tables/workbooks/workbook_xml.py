"""Read from a workbook what the workbook reader does not tell: merged cells, and the first day."""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from dataclasses import dataclass
from xml.etree import ElementTree

_MERGED = re.compile(
    rb"""<(?:\w+:)?mergeCell\s[^>]*?ref=["']([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})["']"""
)
_FROM_1904 = re.compile(rb"""<(?:\w+:)?workbookPr\s[^>]*?date1904=["'](?:1|true)["']""")
_NAMESPACE = re.compile(r"\{[^}]*\}")
_MAX_RANGES = 100_000
_CHUNK = 1 << 20
_LONGEST_TAG = 4_096


@dataclass(frozen=True)
class MergedRange:
    """Cells that are merged into one; rows and columns counted from 0, the last ones included."""

    first_row: int
    last_row: int
    first_column: int
    last_column: int


def read_merged_ranges(raw: bytes, sheet: str) -> list[MergedRange]:
    """Return the merged ranges of a sheet of an ``.xlsx`` workbook; none for other formats.

    Call this only for workbooks whose unpacked size was checked.
    """
    if not raw.startswith(b"PK"):
        return []
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        part = _find_part(archive, sheet)
        if part is None:
            return []
        ranges: list[MergedRange] = []
        rest = b""
        with archive.open(part) as opened:
            while chunk := opened.read(_CHUNK):
                text = rest + chunk
                cut = text.rfind(b"<")
                rest = text[cut:] if cut >= 0 and len(text) - cut < _LONGEST_TAG else b""
                found = _MERGED.findall(text, 0, len(text) - len(rest))
                ranges += [_make_range(*each) for each in found[: _MAX_RANGES - len(ranges)]]
    return ranges


def counts_days_from_1904(raw: bytes) -> bool:
    """Return whether an ``.xlsx`` workbook counts days from 1904 instead of 1900, as old ones of Macs do.

    Call this only for workbooks whose unpacked size was checked.
    """
    if not raw.startswith(b"PK"):
        return False
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        try:
            return _FROM_1904.search(archive.read("xl/workbook.xml")) is not None
        except KeyError:
            return False


def _find_part(archive: zipfile.ZipFile, sheet: str) -> str | None:
    try:
        book = ElementTree.fromstring(archive.read("xl/workbook.xml"))
        relations = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    except (KeyError, ElementTree.ParseError):
        return None
    targets = {each.get("Id"): each.get("Target", "") for each in relations}
    for element in book.iter():
        if _NAMESPACE.sub("", element.tag) == "sheet" and element.get("name") == sheet:
            ids = [value for key, value in element.attrib.items() if _NAMESPACE.sub("", key) == "id"]
            target = targets.get(ids[0], "") if ids else ""
            part = posixpath.normpath(posixpath.join("xl", target)).lstrip("/")
            part = target.lstrip("/") if target.startswith("/") else part
            return part if part in archive.namelist() else None
    return None


def _make_range(left: bytes, top: bytes, right: bytes, bottom: bytes) -> MergedRange:
    return MergedRange(int(top) - 1, int(bottom) - 1, column_number(left) - 1, column_number(right) - 1)


def column_number(letters: bytes) -> int:
    """Return the number of a column, counted from 1: 28 for ``AB``."""
    number = 0
    for letter in letters:
        number = 26 * number + letter - ord("A") + 1
    return number
