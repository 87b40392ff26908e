"""Edit a worklist in LibreOffice, as a person does; run by a Python that has LibreOffice's module ``uno``.

Arguments: the socket of a running LibreOffice, the file to open, and the files to write by their endings.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import uno  # type: ignore[import-not-found]
from com.sun.star.beans import PropertyValue  # type: ignore[import-not-found]
from com.sun.star.table import TableSortField  # type: ignore[import-not-found]

FILTERS = {".xlsx": "Calc MS Excel 2007 XML", ".ods": "calc8", ".csv": "Text - txt - csv (StarCalc)"}
WAIT_SECONDS = 60


def connect(port: str) -> Any:
    """Return LibreOffice's desktop, once it listens."""
    context = uno.getComponentContext()
    resolver = context.ServiceManager.createInstanceWithContext("com.sun.star.bridge.UnoUrlResolver", context)
    address = f"uno:socket,host=127.0.0.1,port={port};urp;StarOffice.ComponentContext"
    for _ in range(WAIT_SECONDS * 4):
        try:
            remote = resolver.resolve(address)
            return remote.ServiceManager.createInstanceWithContext("com.sun.star.frame.Desktop", remote)
        except Exception:
            time.sleep(0.25)
    raise SystemExit("LibreOffice does not listen.")


def name_value(name: str, value: Any) -> Any:
    """Return a property."""
    found = PropertyValue()
    found.Name, found.Value = name, value
    return found


def used_range(sheet: Any) -> Any:
    """Return the cells of a sheet that are used."""
    cursor = sheet.createCursor()
    cursor.gotoEndOfUsedArea(False)
    return sheet.getCellRangeByPosition(0, 0, cursor.RangeAddress.EndColumn, cursor.RangeAddress.EndRow)


def find_column(sheet: Any, name: str) -> int:
    """Return the position of a column by its heading, the last one of this name."""
    return max(i for i in range(30) if sheet.getCellByPosition(i, 0).String == name)


def fill(sheet: Any) -> None:
    """Answer the first, third and fifth row."""
    done, cannot, reason = (find_column(sheet, name) for name in ("done", "cannot", "reason"))
    sheet.getCellByPosition(done, 1).String = "x"
    sheet.getCellByPosition(cannot, 3).String = "X"
    sheet.getCellByPosition(reason, 3).String = "Supplier closed"
    sheet.getCellByPosition(done, 5).Formula = "=TRUE()"
    sheet.getCellByPosition(reason, 5).String = "by phone"


def rearrange(sheet: Any) -> None:
    """Sort, filter, add and delete columns, and delete a row without an answer."""
    sheet.Rows.removeByIndex(2, 1)
    sheet.Columns.removeByIndex(find_column(sheet, "finding"), 1)
    sheet.Columns.insertByIndex(0, 2)
    sheet.getCellByPosition(0, 0).String = "my notes"
    sheet.getCellByPosition(0, 2).String = "call again"
    area = used_range(sheet)
    field = TableSortField()
    field.Field, field.IsAscending = find_column(sheet, "row"), False
    fields = uno.Any("[]com.sun.star.table.TableSortField", (field,))
    uno.invoke(area, "sort", ((name_value("SortFields", fields), name_value("ContainsHeader", True)),))
    # The rows that a filter hides stay in the file.
    sheet.Rows.getByIndex(1).IsVisible = False
    sheet.Rows.insertByIndex(1, 1)


def main(port: str, source: str, *targets: str) -> None:
    """Edit a file and write it in several formats."""
    desktop = connect(port)
    document = desktop.loadComponentFromURL(Path(source).as_uri(), "_blank", 0, (name_value("Hidden", True),))
    sheet = document.Sheets.getByName("Rows")
    fill(sheet)
    rearrange(sheet)
    for target in targets:
        wanted = name_value("FilterName", FILTERS[Path(target).suffix])
        document.storeToURL(Path(target).as_uri(), (wanted,))
    document.close(True)
    desktop.terminate()


main(*sys.argv[1:])
