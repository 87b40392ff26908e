"""Read several files with the same columns as one table: a folder, a pattern, or a list of part files."""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from lavendertown.core.dataset_names import dataset_name
from lavendertown.core.errors import UnreadableTableError
from lavendertown.core.file_limits import DEFAULT_FILE_LIMITS, FileLimits
from lavendertown.core.reading import DETECT, Reading
from lavendertown.core.table_formats import FILE_ENDINGS
from lavendertown.tables import value_kinds
from lavendertown.tables.files import read_file, read_unpacked, unpack_file
from lavendertown.tables.frames import from_columns
from lavendertown.tables.reader_errors import translate_reader_errors
from lavendertown.tables.sources.archives import list_names
from lavendertown.tables.table import Column, Table
from lavendertown.tables.text_files import delimited
from lavendertown.tables.value_settings import applying_settings, note_unused_settings

_MAX_NOTES = 20
_PATTERN_SIGNS = "*?["
_GENERIC_NAMES = frozenset({"part", "data", "chunk"})
_KIND_NAMES = {
    "number": "number",
    "text": "text",
    "boolean": "yes/no",
    "time": "date",
    "other": value_kinds.NESTED,
}


def is_pattern(source: str) -> bool:
    """Return whether the text is a pattern such as ``orders/*.csv``, and not the path of an existing file."""
    return any(sign in source for sign in _PATTERN_SIGNS) and not os.path.exists(source)  # noqa: PTH110


def find_matching_files(pattern: str) -> list[Path]:
    """Return the files that match a pattern, sorted; ``**`` stands for any number of folders.

    Raises:
        UnreadableTableError: No file matches.
    """
    paths = [path for path in map(Path, sorted(glob.glob(pattern, recursive=True))) if path.is_file()]  # noqa: PTH207
    if not paths:
        raise UnreadableTableError(f"No file matches {pattern}; check the pattern and the folder.")
    return paths


def list_data_files(folder: Path) -> list[Path]:
    """Return the data files in a folder, sorted; others, hidden ones and subfolders are left out.

    Raises:
        UnreadableTableError: The folder has no data files, or cannot be listed.
    """
    try:
        files = sorted(path for path in folder.iterdir() if path.is_file())
    except OSError as error:
        raise UnreadableTableError(f"The folder {folder} cannot be listed; check its permissions.") from error
    data = [
        path
        for path in files
        if path.suffix.lower().lstrip(".") in FILE_ENDINGS and not path.name.startswith((".", "_"))
    ]
    if not data:
        raise UnreadableTableError(
            f"The folder {folder} has no data files; give a folder that has some, or a pattern such as "
            f"'{folder}/**/*.parquet'."
        )
    return data


def read_part_files(
    paths: Sequence[Path],
    limits: FileLimits = DEFAULT_FILE_LIMITS,
    reading: Reading = DETECT,
    *,
    names: Sequence[str] | None = None,
) -> Table:
    """Read files with the same columns as one table; the rows have the order of the files.

    Files of 0 bytes are left out. The table is named after the files if their names have one dataset, else
    after the folder of the first.

    Args:
        paths: The files in order.
        limits: The limits on the size of all files together.
        reading: Settings that are known; the others are detected.
        names: The names of the files, if their paths are others; the first one can name the table.

    Raises:
        FileLimitError: The files together exceed a limit.
        UnreadableTableError: A file cannot be read, or its format or columns differ from the first.
    """
    parts: list[_Part] = []
    empty: list[str] = []
    size = rows = 0
    first: _Part | None = None
    for path, name in zip(paths, names or [path.name for path in paths], strict=True):
        raw = read_file(path)
        if not raw:
            empty.append(name)
            continue
        raw, kind = unpack_file(raw, name, limits)
        size += len(raw)
        limits.check_size(size, f"The table in {len(paths):,} files")
        part = _read_part(raw, kind, name, limits, reading, first)
        first = first or part
        _refuse_other_columns(part, first)
        rows += part.height
        limits.check_shape(rows, len(part.columns), f"The table in {len(paths):,} files")
        parts.append(part)
    if first is None:
        raise UnreadableTableError(f"{list_names(empty)}: empty (0 bytes); give files with data.")
    if first.kind == "csv":
        merged = _merge_texts(parts, applying_settings(reading, "csv"))
        merged = note_unused_settings(merged, reading, "a CSV file", "csv")
    else:
        merged = _merge_tables(parts)
    common = common_name(paths) if names is None else names[0]
    guesses = [*_describe_parts(parts, empty), *merged.guesses]
    given = applying_settings(reading, first.kind)
    return replace(merged, name=common, guesses=guesses, given=given)


@dataclass
class _Part:
    """One file: its rows as text if it is delimited text, else its table."""

    name: str
    kind: str
    rows: delimited.TextRows | None = None
    table: Table | None = None

    @property
    def columns(self) -> list[str]:
        if self.rows is not None:
            return self.rows.labels
        assert self.table is not None
        return self.table.columns

    @property
    def height(self) -> int:
        if self.rows is not None:
            return self.rows.data.height
        assert self.table is not None
        return self.table.row_count


def _read_part(
    raw: bytes, kind: str, name: str, limits: FileLimits, reading: Reading, first: _Part | None
) -> _Part:
    if first is not None and kind != first.kind:
        raise UnreadableTableError(
            f"{name} has another format than {first.name}; give files of one format, for example with a "
            "pattern such as '*.csv'."
        )
    if kind != "csv":
        return _Part(name, kind, table=read_unpacked(raw, kind, name, limits, reading))
    if first is not None and first.rows is not None:
        # A part may be too short to tell its delimiter and header.
        reading = reading.fill_from(replace(first.rows.found, encoding=None))
    with translate_reader_errors(name, "CSV"):
        used = applying_settings(reading, "csv")
        return _Part(name, kind, rows=delimited.read_text_rows(raw, name, limits, used))


def _refuse_other_columns(part: _Part, first: _Part) -> None:
    if sorted(part.columns) == sorted(first.columns):
        return
    missing = [column for column in first.columns if column not in part.columns]
    added = [column for column in part.columns if column not in first.columns]
    if missing:
        what = f"{part.name} has no column {list_names(missing[:1])}, which {first.name} has"
    elif added:
        what = f"{part.name} has a column {list_names(added[:1])}, which {first.name} does not have"
    else:
        what = f"{part.name} has other columns of equal name than {first.name}"
    raise UnreadableTableError(f"{what}; check files with different columns one by one.")


def _merge_texts(parts: Sequence[_Part], reading: Reading) -> Table:
    """Join the rows as text, so that the type of a column is inferred from all files."""
    all_rows = [part.rows for part in parts if part.rows is not None]
    first = all_rows[0]
    places = [_places_of(rows.labels, first.labels) for rows in all_rows]
    data = pl.concat(
        [
            rows.data.select([pl.nth(place).alias(f"f{i}") for i, place in enumerate(order)])
            for rows, order in zip(all_rows, places, strict=True)
        ]
    )
    notes = _join_notes([(part.name, part.rows.notes) for part in parts if part.rows is not None])
    return delimited.build_text_table(replace(first, data=data, notes=notes), parts[0].name, reading)


def _places_of(columns: Sequence[str], wanted: Sequence[str]) -> list[int]:
    """Return the position of each wanted column; equal names keep their order."""
    left = list(enumerate(columns))
    places = []
    for name in wanted:
        found = next(each for each in left if each[1] == name)
        left.remove(found)
        places.append(found[0])
    return places


def _merge_tables(parts: Sequence[_Part]) -> Table:
    tables = [part.table for part in parts if part.table is not None]
    frames: list[pl.DataFrame] = [table.frame.collect().to_native() for table in tables]
    names = tables[0].columns
    errors: list[pl.Series | None] = []
    columns: list[pl.Series | value_kinds.ClassifiedColumn] = []
    for name in names:
        cells = [(table.column(name), frame) for table, frame in zip(tables, frames, strict=True)]
        columns.append(_merge_column(cells))
        errors.append(_join_series(cells, lambda column: column.errors_key))
    may_hold_errors = any(column.may_hold_errors for table in tables for column in table.schema)
    return from_columns(
        names,
        columns,
        height=sum(table.row_count for table in tables),
        guesses=_join_notes([(part.name, part.table.guesses) for part in parts if part.table is not None]),
        declared=[column.declared for column in tables[0].schema],
        errors=errors if may_hold_errors else None,
        reading=tables[0].reading,
    )


def _merge_column(cells: Sequence[tuple[Column, pl.DataFrame]]) -> value_kinds.ClassifiedColumn:
    """Join the cells of a column in several files; if their kinds differ, each cell keeps its kind."""
    series = [frame[column.key] for column, frame in cells]
    filled = [
        (column, values)
        for (column, _), values in zip(cells, series, strict=True)
        if values.null_count() < len(values)
    ]
    texts = _join_series(cells, lambda column: column.text_key, lambda column: column.key)
    dtypes = {values.dtype for _, values in filled} or {series[0].dtype}
    nested = [column.kind == "other" for column, _ in filled]
    if len(dtypes) == 1 and not any(column.kinds_key for column, _ in filled) and len(set(nested)) < 2:
        dtype = dtypes.pop()
        joined = pl.concat([values if values.dtype == dtype else values.cast(dtype) for values in series])
        return value_kinds.ClassifiedColumn(joined, nested=any(nested), texts=texts)
    if not any(column.kinds_key or column.kind == "other" for column, _ in filled):
        found = value_kinds.classify_values([value for values in series for value in values])
        return replace(found, texts=texts)
    kinds = [
        frame[column.kinds_key]
        if column.kinds_key
        else pl.select(
            pl.when(frame[column.key].is_not_null()).then(pl.lit(_KIND_NAMES[column.kind]))
        ).to_series()
        for column, frame in cells
    ]
    joined = pl.concat([values.cast(pl.String) for values in series])
    return value_kinds.ClassifiedColumn(joined, pl.concat(kinds), texts=texts)


def _join_series(
    cells: Sequence[tuple[Column, pl.DataFrame]],
    key_of: Callable[[Column], str | None],
    default_of: Callable[[Column], str] | None = None,
) -> pl.Series | None:
    """Join the text columns with these keys; None if no file has one. Others have the default, or nulls."""
    if not any(key_of(column) for column, _ in cells):
        return None
    found = []
    for column, frame in cells:
        key = key_of(column) or (default_of(column) if default_of else None)
        empty = pl.Series([None] * frame.height, dtype=pl.String)
        found.append(frame[key].cast(pl.String).rename("") if key else empty)
    return pl.concat(found)


def _join_notes(notes: Sequence[tuple[str, Sequence[str]]]) -> list[str]:
    """Return each sentence once if it is true of all files, else with the file's name."""
    shared = [note for note in notes[0][1] if all(note in others for _, others in notes)]
    own = [f"{name}: {note}" for name, each in notes for note in each if note not in shared]
    more = [f"{len(own) - _MAX_NOTES:,} more notes on single files."] if len(own) > _MAX_NOTES else []
    return [*shared, *own[:_MAX_NOTES], *more]


def _describe_parts(parts: Sequence[_Part], empty: Sequence[str]) -> list[str]:
    places, start = [], 0
    for part in parts:
        end = start + part.height - 1
        places.append(f"{part.name} (rows {start}–{end})" if part.height else f"{part.name} (no rows)")
        start += part.height
    count = "1 file" if len(parts) == 1 else f"{len(parts):,} files"
    notes = [f"Read {count} as one table: {list_names(places)}."]
    if empty:
        notes.append(f"Left out, because they are empty: {list_names(empty)}.")
    return notes


def common_name(paths: Sequence[Path]) -> str:
    """Return the name of the table in several files: that of the first, or of the folder."""
    datasets = {dataset_name(path.name) for path in paths}
    folder = paths[0].resolve().parent.name
    if len(datasets) == 1 and not datasets & _GENERIC_NAMES:
        return paths[0].name
    return folder or paths[0].name
