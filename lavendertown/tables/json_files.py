"""JSON files: a list of records, records by line, or columns by name."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import polars as pl

from lavendertown import codec
from lavendertown.errors import UnreadableTableError
from lavendertown.tables import census, infer
from lavendertown.tables.frames import from_columns
from lavendertown.tables.table import Table
from lavendertown.tables.text import decode

DECLARED = frozenset({"number"})
"""JSON has numbers, but no dates: a date in text is no fault here."""


def read(raw: bytes, name: str, *, by_line: bool = False) -> Table:
    """Read a JSON file; ``by_line`` says that each line is a record of its own.

    Raises:
        UnreadableTableError: It is no JSON, or none that makes a table; the message names the line
            where it is known.
    """
    text, _ = decode(raw, name)
    if not text.strip():
        raise UnreadableTableError(f"{name} is empty: it has no records.")
    if by_line or _looks_by_line(text):
        return _from_records(_lines(text, name), name, ["Read as JSON lines: one record a line."])
    whole = _parsed(text, name, 1)
    if isinstance(whole, list):
        return _from_records(whole, name, ["Read as a JSON list of records."])
    if isinstance(whole, dict):
        return _from_mapping(whole, name)
    raise UnreadableTableError(f"{name} holds a single value, not records.")


def _looks_by_line(text: str) -> bool:
    lines = [line for line in text.strip().split("\n", 2)[:2] if line.strip()]
    return len(lines) == 2 and all(line.strip()[0] == "{" and line.strip()[-1] == "}" for line in lines)


def _parsed(text: str, name: str, line: int) -> Any:
    try:
        return codec.loads(text)
    except ValueError:
        pass  # Python's reader also knows NaN, and the line of an error.
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        where = line + error.lineno - 1
        raise UnreadableTableError(
            f"{name}, line {where:,}: not valid JSON ({error.msg}, column {error.colno})."
        ) from error


def _lines(text: str, name: str) -> list[Any]:
    return [_parsed(line, name, i) for i, line in enumerate(text.split("\n"), 1) if line.strip()]


def _from_mapping(whole: dict[str, Any], name: str) -> Table:
    lists = [key for key, value in whole.items() if isinstance(value, list)]
    lengths = {len(whole[key]) for key in lists}
    if lists and len(lists) == len(whole) and len(lengths) == 1:
        if len(lists) == 1 and all(isinstance(item, dict) for item in whole[lists[0]]):
            return _from_records(whole[lists[0]], name, [f"The records stand under '{lists[0]}'."])
        return _made(whole, lengths.pop(), name, ["Read as JSON columns by name."])
    holders = [key for key in lists if whole[key] and all(isinstance(item, dict) for item in whole[key])]
    if len(holders) == 1:
        return _from_records(whole[holders[0]], name, [f"The records stand under '{holders[0]}'."])
    if not lists and whole:
        return _from_records([whole], name, ["Read as a single JSON record."])
    raise UnreadableTableError(f"{name} holds an object without one list of records; give such a list.")


def _from_records(records: Sequence[Any], name: str, guesses: list[str]) -> Table:
    for i, record in enumerate(records):
        if not isinstance(record, dict):
            raise UnreadableTableError(f"{name}: record {i + 1:,} is no object with named values.")
    names = list(dict.fromkeys(key for record in records for key in record))
    columns = {key: [record.get(key) for record in records] for key in names}
    return _made(columns, len(records), name, guesses)


def _made(columns: dict[str, Any], height: int, name: str, guesses: list[str]) -> Table:
    series: list[pl.Series | census.Census] = []
    days: list[str] = []
    for label, values in columns.items():
        taken = census.take(values)
        if taken.kinds is None and not taken.nested and taken.values.dtype == pl.String:
            read_as, sentence = infer.dates(label, taken.values)
            days += [label] if read_as.dtype != pl.String and not sentence else []
            guesses += [sentence] if sentence else []
            taken = census.Census(read_as)
        series.append(taken)
    if days:
        guesses.append(f"{infer.listed(days)}: read as dates, year first.")
    return from_columns(
        list(columns), series, height=height, name=name, guesses=guesses, declared=[DECLARED] * len(series)
    )
