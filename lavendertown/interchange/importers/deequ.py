"""Deequ and PyDeequ: check results as JSON, JSON lines or CSV. The constraint is the check."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lavendertown.core.findings import WHOLE_ROW
from lavendertown.interchange.formats import Content, ImportFormat, read_csv_rows, read_text
from lavendertown.interchange.json_stream import read_items
from lavendertown.interchange.runs import CheckResult, Failure, ImportedRun, RunBuilder
from lavendertown.interchange.sources import ResultFile
from lavendertown.interchange.wording import guess_ghost_type

_COLUMNS = ("check_level", "constraint", "constraint_status")
_ANALYZER = re.compile(r"(\w+)\((?:List\()?([^,()]*)")
_VALUE = re.compile(r"Value: (-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?) does not meet")
_SHARES = ("Completeness", "Compliance", "Uniqueness", "UniqueValueRatio", "Distinctness", "PatternMatch")
_GHOST_TYPES = {
    "Completeness": "null",
    "Uniqueness": "duplicate",
    "UniqueValueRatio": "duplicate",
    "Distinctness": "duplicate",
    "PatternMatch": "format",
    "DataType": "type",
    "MinLength": "format",
    "MaxLength": "format",
    "Minimum": "outlier",
    "Maximum": "outlier",
    "AnomalyConstraint": "drift",
}


def _is_check_results(content: Content) -> bool:
    outline = content.outline
    return set(_COLUMNS) <= set(content.columns) or any(
        outline.has(*(f"{prefix}{name}" for name in _COLUMNS)) for prefix in ("[]/", "")
    )


def _read_check_results(file: ResultFile, descriptions: Sequence[ResultFile]) -> list[ImportedRun]:
    run = RunBuilder("Deequ")
    for row in _iterate_rows(file):
        _add_row(run, row)
    return [run.finish()]


def _iterate_rows(file: ResultFile) -> Iterator[Mapping[str, Any]]:
    first = file.first_character()
    if first not in (b"[", b"{"):
        yield from read_csv_rows(file)
        return
    # Spark writes JSON lines, PyDeequ an array.
    for path, value in read_items(file, ["[]"] if first == b"[" else [""]):
        if isinstance(value, dict) and (path or first == b"{"):
            yield value


def _add_row(run: RunBuilder, row: Mapping[str, Any]) -> None:
    constraint = read_text(row.get("constraint"))
    name, column = _read_constraint(constraint)
    check_id = f"deequ:{read_text(row.get('check'))}:{constraint}"
    check = CheckResult(name, column, {}, check_id)
    status = read_text(row.get("constraint_status")).lower()
    message = read_text(row.get("constraint_message"))
    if status == "success":
        run.add_pass(check)
        return
    if status != "failure":
        run.add_not_run(check)
        return
    value = _VALUE.search(message)
    if value is None and message:
        # Deequ has no status for checks that crashed: their message has no value.
        run.add_error(check, message)
        return
    number = float(value[1]) if value else None
    share = 1 - number if number is not None and name in _SHARES and 0 <= number <= 1 else None
    ghost_type = _GHOST_TYPES.get(name) or guess_ghost_type(constraint)
    detail = ""
    if share is None and number is not None:
        subject = f" of {column}" if column != WHOLE_ROW else ""
        detail = f"The {_split_words(name)}{subject} is {number:,.10g}, outside its limits."
    severity = "warning" if read_text(row.get("check_level")).lower() == "warning" else "error"
    run.add_failure(Failure(check, ghost_type, severity, None, None, share, None, detail))


def _read_constraint(constraint: str) -> tuple[str, str]:
    """Return the analyzer and column of a constraint: ``CompletenessConstraint(Completeness(name,None))``."""
    found = [match for match in _ANALYZER.finditer(constraint) if not match[1].endswith("Constraint")]
    if not found:
        return re.split(r"\W", constraint, maxsplit=1)[0] or "constraint", WHOLE_ROW
    name, argument = found[0][1], found[0][2].strip()
    has_column = argument not in ("", "None") and name not in ("Size", "Compliance", "CustomSql")
    return name, argument if has_column else WHOLE_ROW


def _split_words(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).lower()


CHECK_RESULTS = ImportFormat("deequ", "the check results of Deequ", _is_check_results, _read_check_results)
