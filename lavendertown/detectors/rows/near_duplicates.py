"""Detect rows that repeat an earlier row in other writing, or under another key."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, ClassVar

import narwhals as nw
import numpy as np
import polars as pl

from lavendertown.detectors.base import (
    NOT_CHECKED,
    Detection,
    DetectionSteps,
    Detector,
    Sample,
    Select,
    format_row_share,
)
from lavendertown.detectors.rows.arithmetic import find_derived_columns
from lavendertown.detectors.sampled_rows import (
    SampledRows,
    combine_codes,
    count_codes,
    count_pairs,
    share_of_pairs,
)
from lavendertown.tables import ROW, Column, Table
from lavendertown.tables.inference.column_names import is_identifier

_MIN_ROWS = 20
_MAX_SHARE = 0.03
_MAX_GROUP = 4
_MAX_PAIRS_OF_CHANCE = 0.01
_MIN_UNIQUE = 0.97
_DEPENDENT, _RARE = 3.0, 0.03
_MIN_SPELT, _SPELT_ALIKE = 5, 0.8
_MAX_TELLING = 20
_FEW_SUSPECTS = 1_000.0
_MARKS = r"[\s\p{P}\p{S}]+"

_MAX_SUSPECTS = 100_000
"""Rows of a large table that are compared at most; with more, the table is not checked."""


@dataclass(frozen=True)
class NearDuplicates(Detector):
    """Rows that equal an earlier row but for case, blanks and punctuation, one misspelt text, or their key.

    The key is a column of unique numbers or codes. Rows that independent columns would repeat by chance
    are left out, and exact copies are left to the check for duplicates. In a table of more than 20,000 rows,
    only case and punctuation of columns that tell little may differ, and no text may be misspelt.
    """

    check: ClassVar[str] = "near_duplicates"
    title: ClassVar[str] = "Near duplicates"

    def columns_to_check(self, table: Table) -> Sequence[Column | None]:
        """Return whole rows (None) if there are at least two columns."""
        return [None] if len(table.schema) > 1 and table.row_count >= _MIN_ROWS else []

    def check_column(self, table: Table, column: Column | None) -> DetectionSteps:
        """Find the rows that nearly equal an earlier row."""
        sample: SampledRows = yield Sample()
        compared = [each for each in table.schema if not _is_row_key(each, sample)]
        if not compared:
            return NOT_CHECKED
        keys = [each.text_key or each.key for each in compared]
        known = sample.frame
        if not sample.is_complete:
            telling, _ = _choose_telling(compared, sample, np.ones(len(sample), dtype=bool))
            known = (yield Select(_select_suspects(_fewest_telling(telling, sample, table)))).to_polars()
            if len(known) > _MAX_SUSPECTS:
                return NOT_CHECKED
        found = _find_repeated(known, keys)
        if sample.is_complete:
            found = sorted({*found, *_find_misspelt(known, compared)})
        if not found or len(found) > _MAX_SHARE * table.row_count:
            return None
        others = ~sample.frame[ROW].is_in(found).to_numpy() & _is_no_copy(sample)
        derived = find_derived_columns(table, sample)
        given = [each for each in compared if each.key not in derived]
        _, pairs = _choose_telling(given, sample, others)
        if pairs * (table.row_count / len(sample)) ** 2 > _MAX_PAIRS_OF_CHANCE:
            return NOT_CHECKED
        count = len(found)
        verb = "is" if count == 1 else "are"
        return Detection(
            "duplicate",
            "warning",
            f"{format_row_share(count, table.row_count)} {verb} nearly the same as an earlier row: they "
            "differ only in case, blanks, punctuation, spelling or their key.",
            count,
            metadata={"total_count": table.row_count},
            rows=found,
        )


def _is_no_copy(sample: SampledRows) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Return whether a row is not an exact copy of an earlier one."""
    hashes = sample.frame.select(pl.struct(pl.exclude(ROW)).hash().alias("hash"))["hash"]
    return hashes.is_first_distinct().to_numpy()


def _is_row_key(column: Column, sample: SampledRows) -> bool:
    counts = count_codes(sample.codes(column.key))
    if len(counts) < _MIN_UNIQUE * len(sample):
        return False
    is_code = column.kind == "text" or (column.kind == "number" and column.integer)
    return is_code and (column.position == 0 or is_identifier(column.name))


def _choose_telling(
    compared: Sequence[Column], sample: SampledRows, others: np.ndarray[Any, np.dtype[np.bool_]]
) -> tuple[list[Column], float]:
    """Return columns that do not depend on each other, and the pairs of equal rows that chance would give.

    Dependence is judged by the rows that repeat no other.
    """
    codes = {column.key: (sample.codes(column.key) + 1)[others] for column in compared}
    by_distinct = sorted(compared, key=lambda column: -len(count_codes(codes[column.key])))
    shares = {key: share_of_pairs(each) for key, each in codes.items()}
    n = int(others.sum())
    chosen: list[Column] = []
    for column in by_distinct[:_MAX_TELLING]:
        for other in chosen:
            together = count_pairs(count_codes(combine_codes(codes[other.key], codes[column.key])))
            expected = n * n / 2 * shares[column.key] * shares[other.key]
            if together > _DEPENDENT * max(expected, 1.0) or (together > 1 and expected < _RARE):
                break
        else:
            chosen.append(column)
    return chosen, len(sample) ** 2 / 2 * float(np.prod([shares[column.key] for column in chosen]))


def _fewest_telling(telling: Sequence[Column], sample: SampledRows, table: Table) -> list[Column]:
    """Return the first columns that leave few suspects: grouping by all is slow."""
    pairs = table.row_count**2 / 2
    fewest = []
    for column in telling:
        fewest.append(column)
        pairs *= share_of_pairs(sample.codes(column.key))
        if pairs < _FEW_SUSPECTS:
            break
    return fewest


def _select_suspects(
    telling: Sequence[Column],
) -> Callable[[nw.LazyFrame[Any]], nw.LazyFrame[Any]]:
    keys = [column.key for column in telling]

    def build(frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        groups = frame.select(*keys).drop_nulls().group_by(*keys).agg(nw.len().alias("size"))
        repeated = groups.filter(nw.col("size") > 1).drop("size")
        return frame.join(repeated, on=keys, how="inner").sort(ROW).head(_MAX_SUSPECTS + 1)

    return build


def _find_repeated(rows: pl.DataFrame, keys: Sequence[str]) -> list[int]:
    """Return the rows that equal an earlier row after normalisation, except exact copies of any row."""
    normal = rows.select(ROW, *(_normalise(rows[key]).alias(key) for key in keys))
    hashes = normal.select(ROW, hash=pl.struct(*keys).hash())
    suspects = hashes.filter(pl.len().over("hash") > 1)[ROW]
    if not len(suspects):
        return []
    cells = rows.filter(pl.col(ROW).is_in(suspects.implode()))
    groups: defaultdict[tuple[Any, ...], list[tuple[int, tuple[Any, ...]]]] = defaultdict(list)
    normal = normal.filter(pl.col(ROW).is_in(suspects.implode()))
    for row, key, values in zip(
        cells[ROW].to_list(), normal.drop(ROW).rows(), cells.drop(ROW).rows(), strict=True
    ):
        groups[key].append((row, values))
    found = []
    for group in groups.values():
        seen: set[tuple[Any, ...]] = set()
        if len(group) > _MAX_GROUP:
            continue
        for i, (row, values) in enumerate(group):
            if i and values not in seen:
                found.append(row)
            seen.add(values)
    return sorted(found)


def _find_misspelt(rows: pl.DataFrame, compared: Sequence[Column]) -> list[int]:
    """Return the rows that equal an earlier row in all columns but one text, which is spelt alike."""
    normal = {each.key: _normalise(rows[each.text_key or each.key]) for each in compared}
    hashes = {key: values.hash().to_numpy() for key, values in normal.items()}
    together = np.sum(list(hashes.values()), axis=0, dtype=np.uint64)
    positions = rows[ROW].to_list()
    found = set()
    for column in compared:
        texts = normal[column.key]
        if texts.dtype != pl.String or texts.str.len_chars().max() == 0:
            continue
        others = pl.DataFrame({"rest": together - hashes[column.key], "at": np.arange(len(rows))})
        groups = others.filter(pl.len().over("rest") == 2).group_by("rest").agg("at")["at"].to_list()
        for first, second in groups:
            if _are_spelt_alike(texts[first], texts[second]):
                found.add(positions[second])
    return sorted(found)


def _are_spelt_alike(one: str | None, other: str | None) -> bool:
    if not one or not other or one == other or min(len(one), len(other)) < _MIN_SPELT:
        return False
    if [c for c in one if c.isdigit()] != [c for c in other if c.isdigit()]:
        return False
    return SequenceMatcher(None, one, other, autojunk=False).ratio() >= _SPELT_ALIKE


def _normalise(values: pl.Series) -> pl.Series:
    if values.dtype != pl.String:
        return values
    return values.str.to_lowercase().str.replace_all(_MARKS, "")
