"""Check the size of a workbook before its cells are loaded.

The workbook reader allocates the rectangle around all cells of a sheet. Two cells in opposite corners need
550 GB, which kills the process. Therefore the sheets are scanned first, in chunks.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from lavendertown.core.errors import UnreadableTableError
from lavendertown.core.file_limits import FileLimits
from lavendertown.tables.workbooks.workbook_xml import column_number

_CHUNK = 1 << 20
_LONGEST_TAG = 4_096
_EXCEL_CELL = re.compile(rb"""<(?:\w+:)?c\s[^>]*?\br=["']([A-Z]{1,3})([0-9]{1,7})["'][^>]*(?<!/)>""")
"""The opening tag of an Excel cell with content; an empty cell has a self-closing tag."""

_ODS_PART = re.compile(rb"<table:(table-row|(?:covered-)?table-cell|table)\b([^>]*)>")
_REPEATED = re.compile(rb"""number-(?:rows|columns)-repeated=["']([0-9]{1,9})["']""")


def check_workbook(raw: bytes, name: str, limits: FileLimits) -> None:
    """Raise if a workbook is too large when unpacked or has cells too far apart.

    Sheets of the older binary format (``.xls``) cannot exceed the limits.

    Raises:
        FileLimitError: The workbook exceeds a limit.
        UnreadableTableError: The workbook is a damaged zip archive.
    """
    if not raw.startswith(b"PK"):
        return
    unpacked = 0
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            for part in archive.infolist():
                extent = _extent_of(part.filename)
                for chunk in _read_chunks(archive, part):
                    unpacked += len(chunk)
                    limits.check_size(unpacked, name)
                    if extent is not None:
                        extent.add_chunk(chunk)
                        limits.check_shape(extent.rows, extent.columns, name)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise UnreadableTableError(
            f"{name} cannot be opened as a workbook: it is damaged or has a different format."
        ) from error


def _read_chunks(archive: zipfile.ZipFile, part: zipfile.ZipInfo) -> Iterator[bytes]:
    with archive.open(part) as opened:
        while chunk := opened.read(_CHUNK):
            yield chunk


def _extent_of(part: str) -> _ExcelExtent | _BinaryExtent | _OdsExtent | None:
    if part.startswith("xl/worksheets/") and part.endswith(".xml"):
        return _ExcelExtent()
    if part.startswith("xl/worksheets/") and part.endswith(".bin"):
        return _BinaryExtent()
    return _OdsExtent() if part == "content.xml" else None


_ROW_RECORD = 0
_CELL_RECORDS = range(2, 12)
"""Records of ``.xlsb`` cells with content; type 1 is an empty cell."""


@dataclass
class _Extent:
    """The rectangle around the cells with content, in the chunks added so far."""

    rows: int = 0
    columns: int = 0
    _corner: tuple[int, int] | None = None
    _rest: bytes = b""

    def _include_cell(self, row: int, column: int) -> None:
        top, left = self._corner or (row, column)
        last_row, last_column = top + self.rows - 1, left + self.columns - 1
        self._corner = min(top, row), min(left, column)
        self.rows = max(last_row, row) - self._corner[0] + 1
        self.columns = max(last_column, column) - self._corner[1] + 1

    def _complete_tags(self, pattern: re.Pattern[bytes], chunk: bytes) -> Iterator[re.Match[bytes]]:
        """Return the complete tags; a tag cut off at the end is kept for the next chunk."""
        text = self._rest + chunk
        cut = text.rfind(b"<", max(0, len(text) - _LONGEST_TAG))
        if cut < 0 or b">" in text[cut:]:
            cut = len(text)
        self._rest = text[cut:]
        yield from pattern.finditer(text, 0, cut)


class _ExcelExtent(_Extent):
    def add_chunk(self, chunk: bytes) -> None:
        for cell in self._complete_tags(_EXCEL_CELL, chunk):
            self._include_cell(int(cell[2]), column_number(cell[1]))


class _BinaryExtent(_Extent):
    """A sheet of an ``.xlsb`` file: records of a type, a length and that many bytes.

    Types and lengths are given in groups of 7 bits, lowest first; the highest bit says that another follows
    (sections 2.1.4 and 2.5.1 of the format's description, MS-XLSB).
    """

    def __init__(self) -> None:
        super().__init__()
        self._row = self._skipped = 0

    def add_chunk(self, chunk: bytes) -> None:
        data = self._rest + chunk[self._skipped :]
        self._skipped -= min(self._skipped, len(chunk))
        start = 0
        while (found := _read_record_header(data, start)) is not None:
            kind, length, body = found
            if len(data) < body + min(length, 4):
                break
            number = int.from_bytes(data[body : body + min(length, 4)], "little")
            if kind == _ROW_RECORD:
                self._row = number
            elif kind in _CELL_RECORDS:
                self._include_cell(self._row, number)
            start = body + length
        self._rest = data[start:]
        self._skipped += max(0, start - len(data))


def _read_record_header(data: bytes, start: int) -> tuple[int, int, int] | None:
    """Return the type and length of a record and where its content starts; None if it is cut off."""
    kind = _read_groups(data, start, 2)
    length = _read_groups(data, kind[1], 4) if kind is not None else None
    return (kind[0], *length) if kind is not None and length is not None else None


def _read_groups(data: bytes, start: int, most: int) -> tuple[int, int] | None:
    number = 0
    for place, byte in enumerate(data[start : start + most]):
        number |= (byte & 0x7F) << 7 * place
        if byte < 0x80 or place == most - 1:
            return number, start + place + 1
    return None


class _OdsExtent(_Extent):
    def __init__(self) -> None:
        super().__init__()
        self._row = self._row_repeats = self._column = 0

    def add_chunk(self, chunk: bytes) -> None:
        for tag in self._complete_tags(_ODS_PART, chunk):
            repeated = _REPEATED.search(tag[2])
            repeats = int(repeated[1]) if repeated else 1
            if tag[1] == b"table":
                self._row = self._row_repeats = 0
            elif tag[1] == b"table-row":
                self._row += self._row_repeats
                self._row_repeats, self._column = repeats, 0
            else:
                self._column += repeats
                if not tag[2].endswith(b"/"):
                    self.rows = max(self.rows, self._row + self._row_repeats)
                    self.columns = max(self.columns, self._column)
