"""Pandera: the table of failure cases (CSV, or JSON by records), and the message of ``SchemaErrors``.

Pandera lists only failures, so no finding passes because of such a file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lavendertown.core.findings import WHOLE_ROW
from lavendertown.interchange.formats import (
    Content,
    ImportFormat,
    read_csv_rows,
    read_list,
    read_mapping,
    read_text,
    read_value,
)
from lavendertown.interchange.json_stream import read_items
from lavendertown.interchange.runs import CheckResult, Failure, ImportedRun, RunBuilder
from lavendertown.interchange.sources import ResultFile
from lavendertown.interchange.wording import guess_ghost_type
from lavendertown.profile.evidence import SampleRow

_COLUMNS = {"schema_context", "check", "failure_case"}
_GHOST_TYPES = {
    "not_nullable": "null",
    "field_uniqueness": "duplicate",
    "multiple_fields_uniqueness": "duplicate",
    "column_in_dataframe": "rule",
    "column_in_schema": "rule",
    "column_ordered": "rule",
}
_CRASHES = ("CHECK_ERROR",)
_CRASH = re.compile(r"[A-Za-z_]\w*(?:Error|Exception|Warning)\(.*\)", re.DOTALL)
"""The failure case of a check that crashed: the exception, as Python writes it."""


def _is_table(content: Content) -> bool:
    outline = content.outline
    return set(content.columns) >= _COLUMNS or any(
        outline.has(*(f"{prefix}{name}" for name in _COLUMNS)) for prefix in ("[]/", "")
    )


def _is_message(content: Content) -> bool:
    return any(
        path.startswith(("SCHEMA/", "DATA/")) and path.endswith("/[]/check") for path in content.outline.paths
    )


def _read_table(file: ResultFile, descriptions: Sequence[ResultFile]) -> list[ImportedRun]:
    run = RunBuilder("Pandera")
    seen: set[tuple[str, int]] = set()
    for row in _iterate_rows(file):
        name = str(row.get("check") or "check without a name")
        named = column = str(row.get("column") or WHOLE_ROW)
        if row.get("schema_context") == "DataFrameSchema":
            # The column is the name of the schema here.
            column = str(row.get("failure_case")) if name.startswith("column_in_") else WHOLE_ROW
        positions = _read_position(row.get("index"))
        check = CheckResult(f"pandera:{name}", column)
        if name.startswith("column_in_"):
            run.add_failure(_describe_schema_failure(check, name))
            continue
        crash = _CRASH.match(str(row.get("failure_case"))) if positions is None else None
        if crash is not None:
            run.add_error(check, crash[0])
            continue
        rows = [SampleRow(each, {named: read_value(row.get("failure_case"))}) for each in positions or []]
        count = 1
        if column == WHOLE_ROW and positions:
            # A check of whole rows lists each cell of a failing row.
            place = (name, positions[0])
            count, positions = (0, []) if place in seen else (1, positions)
            seen.add(place)
        ghost_type = _GHOST_TYPES.get(name) or guess_ghost_type(name)
        run.add_failure(Failure(check, ghost_type, count=count, positions=positions, sample_rows=rows))
    return [run.finish()]


def _iterate_rows(file: ResultFile) -> Iterator[Mapping[str, Any]]:
    first = file.first_character()
    if first not in (b"[", b"{"):
        yield from read_csv_rows(file)
        return
    for path, value in read_items(file, ["[]"] if first == b"[" else [""]):
        if isinstance(value, dict) and (path or "check" in value):
            # DataFrame.to_json() writes columns of cells by default.
            yield from _transpose(value) if isinstance(value.get("check"), dict) else [value]


def _transpose(columns: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for key in read_mapping(columns.get("check")):
        yield {name: read_mapping(cells).get(key) for name, cells in columns.items()}


def _read_position(index: Any) -> list[int] | None:
    text = str(index).removesuffix(".0") if index is not None else ""
    return [int(text)] if text.isdecimal() and len(text) < 16 else None


def _read_message(file: ResultFile, descriptions: Sequence[ResultFile]) -> list[ImportedRun]:
    run = RunBuilder("Pandera")
    for path, value in read_items(file, ["SCHEMA/*", "DATA/*"]):
        for entry in map(read_mapping, read_list(value)):
            name = read_text(entry.get("check")) or "check without a name"
            column = read_text(entry.get("column"))
            run.dataset = run.dataset or read_text(entry.get("schema"))
            if column == read_text(entry.get("schema")) and not name.startswith("column_in_"):
                column = WHOLE_ROW
            check = CheckResult(f"pandera:{name}", column or WHOLE_ROW)
            if path[1] in _CRASHES:
                run.add_error(check, read_text(entry.get("error")))
            elif name.startswith("column_in_"):
                run.add_failure(_describe_schema_failure(check, name))
            else:
                run.add_failure(Failure(check, _GHOST_TYPES.get(name) or guess_ghost_type(name)))
    return [run.finish()]


def _describe_schema_failure(check: CheckResult, name: str) -> Failure:
    is_missing = name == "column_in_dataframe"
    detail = f"The column {check.column} is {'missing' if is_missing else 'not in the schema'}."
    return Failure(check, "rule", detail=detail)


FAILURE_CASES = ImportFormat("pandera", "a table of Pandera's failure cases", _is_table, _read_table)
MESSAGE = ImportFormat("pandera", "a message of Pandera's SchemaErrors", _is_message, _read_message)
