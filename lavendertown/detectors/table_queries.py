"""Answer the queries of checks about a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, TypeAlias

import narwhals as nw
import pandas as pd
import polars as pl

from lavendertown.detectors.base import (
    Aggregates,
    ColumnAggregates,
    Count,
    CountedValues,
    Detection,
    Quantile,
    Query,
    RowCounts,
    Sample,
    Select,
    ValueCounts,
    count_where,
)
from lavendertown.detectors.sampled_rows import SampledRows
from lavendertown.tables import ROW, Table
from lavendertown.tables.engines.exact_quantiles import compute_quantiles
from lavendertown.tables.table import IN_MEMORY

SAMPLE_ROWS = 20_000
"""Maximum number of rows of a :class:`Sample`; fewer for a table with more than 100 columns."""

_SAMPLE_CELLS = 2_000_000
_MIN_SAMPLE_ROWS = 1_000

_MIN_STACKED = 10
"""How many columns of one type are stacked for their aggregates."""

SharedQuery: TypeAlias = Aggregates | ColumnAggregates | RowCounts
"""A query that the runner answers together with others."""

_MAX_QUERIES = 512
"""How many queries are one query of the engine: its planning grows faster than their number."""


_MAX_SAMPLED_ROWS = 1_000


@dataclass(frozen=True)
class AffectedRows:
    """The affected rows of a detection.

    Attributes:
        positions: Their positions, in ascending order.
        values: The values of its sample column in the first of them; empty without such a column.
    """

    positions: list[int]
    values: list[Any]


class TableQueries:
    """Answers queries about a table.

    Small tables are read into memory first. The distinct values of columns and the sampled rows are kept.
    """

    def __init__(self, table: Table, *, into_memory: bool) -> None:
        self._frame: nw.LazyFrame[Any] | nw.DataFrame[Any] = table.frame
        self._row_count = table.row_count
        self._is_in_memory = into_memory or table.engine.name == IN_MEMORY.name
        if into_memory and table.engine.name != IN_MEMORY.name:
            self._frame = nw.from_native(table.frame.collect().to_polars().sort(ROW))
        elif into_memory:
            self._frame = table.frame.collect()
        self._counted: dict[ValueCounts, CountedValues] = {}
        self._distinct: dict[str, pl.DataFrame] = {}
        self._sample: SampledRows | None = None
        native = nw.to_native(self._frame)
        self._is_large_polars = isinstance(native, pl.LazyFrame) and not into_memory

    @cached_property
    def _types(self) -> nw.Schema:
        return self._frame.collect_schema()

    def answer_query(self, query: Query) -> Any:
        """Return the answer to one query."""
        match query:
            case Aggregates() | ColumnAggregates() | RowCounts():
                return self.answer_aggregates([query])[0]
            case Count(condition):
                return self._count_rows(condition)
            case ValueCounts():
                return self._count_values(query)
            case Select(build):
                return _collect(build(self._frame.lazy()))
            case Sample():
                return self._sample_rows()

    def answer_aggregates(self, queries: Sequence[SharedQuery]) -> list[Mapping[str, Any]]:
        """Return the answers to queries that share passes over the table."""
        counted: list[Mapping[str, Any] | None] = [
            self._count_by_value(query)
            if isinstance(query, RowCounts) and self._has_distinct_texts(query.key)
            else None
            for query in queries
        ]
        others = [
            ColumnAggregates(query.key, _as_aggregates(query.build))
            if isinstance(query, RowCounts)
            else query
            for query, answer in zip(queries, counted, strict=True)
            if answer is None
        ]
        answers = self._answer_by_rows(others)
        return [next(answers) if answer is None else answer for answer in counted]

    def _answer_by_rows(
        self, queries: Sequence[Aggregates | ColumnAggregates]
    ) -> Iterator[Mapping[str, Any]]:
        stacked = self._stack_columns([query for query in queries if isinstance(query, ColumnAggregates)])
        single = [
            query.build(*map(nw.col, query.column_keys)) if isinstance(query, ColumnAggregates) else query
            for query in queries
            if not (isinstance(query, ColumnAggregates) and query in stacked)
        ]
        answers = (
            answer
            for i in range(0, len(single), _MAX_QUERIES)
            for answer in self._compute_together(single[i : i + _MAX_QUERIES])
        )
        for query in queries:
            yield (
                stacked[query] if isinstance(query, ColumnAggregates) and query in stacked else next(answers)
            )

    def _has_distinct_texts(self, key: str) -> bool:
        """Return whether the different values of a column are counted once for all queries.

        It pays for text in large Polars frames.
        """
        return self._is_large_polars and self._types[key] == nw.String

    def _count_by_value(self, query: RowCounts) -> Mapping[str, Any]:
        distinct = nw.from_native(self._distinct_values(query.key))
        rows = nw.col("count")
        conditions = query.build(nw.col("value")).items()
        row = distinct.select(
            (condition.fill_null(False).cast(nw.Int64) * rows).sum().alias(name)
            for name, condition in conditions
        )
        return dict(zip(row.columns, row.row(0), strict=True))

    def _distinct_values(self, key: str) -> pl.DataFrame:
        """Return the different values of a column with their counts, null included."""
        if key not in self._distinct:
            value = nw.col(key).alias("value")
            grouped = self._frame.select(value).group_by("value").agg(nw.len().cast(nw.Int64).alias("count"))
            self._distinct[key] = _collect(grouped).to_polars()
        return self._distinct[key]

    def select_rows(self, detections: Sequence[Detection], limit: int) -> list[AffectedRows]:
        """Return the first rows that meet the condition of each detection, in row order."""
        if not isinstance(self._frame, nw.DataFrame):
            return [self._select_rows_alone(each, limit) for each in detections]
        found = []
        positions = self._frame[ROW].to_numpy()
        for i in range(0, len(detections), _MAX_QUERIES):
            group = detections[i : i + _MAX_QUERIES]
            conditions = [each.row_condition for each in group if each.row_condition is not None]
            hits = self._frame.select(
                condition.fill_null(False).alias(str(j)) for j, condition in enumerate(conditions)
            )
            for detection, hit in zip(group, hits.iter_columns(), strict=True):
                places = hit.to_numpy().nonzero()[0][:limit]
                key = detection.sample_column
                values = self._frame[key][places[:_MAX_SAMPLED_ROWS]].to_list() if key is not None else []
                found.append(AffectedRows(positions[places].tolist(), values))
        return found

    def _select_rows_alone(self, detection: Detection, limit: int) -> AffectedRows:
        assert detection.row_condition is not None
        key = detection.sample_column
        columns = [ROW] if key is None else [ROW, key]
        hits = _collect(self._matching_rows(detection.row_condition, columns).sort(ROW).head(limit))
        values = hits[key].head(_MAX_SAMPLED_ROWS).to_list() if key is not None else []
        return AffectedRows(hits[ROW].to_list(), values)

    def keep_columns(self, keys: AbstractSet[str]) -> None:
        """Forget the distinct values of the other columns."""
        self._counted = {query: answer for query, answer in self._counted.items() if query.key in keys}
        self._distinct = {key: values for key, values in self._distinct.items() if key in keys}

    def _compute_together(self, queries: Sequence[Aggregates]) -> list[dict[str, Any]]:
        expressions = [
            expression.alias(f"{i}.{name}")
            for i, query in enumerate(queries)
            for name, expression in query.expressions.items()
        ]
        computed = self._compute_aggregates(
            expressions, [quantile for query in queries for quantile in query.quantiles.values()]
        )
        values, quantiles = map(iter, computed)
        return [
            {name: next(values) for name in query.expressions}
            | {name: next(quantiles) for name in query.quantiles}
            for query in queries
        ]

    def _compute_aggregates(
        self, expressions: Sequence[nw.Expr], quantiles: Sequence[Quantile]
    ) -> tuple[Sequence[Any], Sequence[Any]]:
        """Return the values of aggregates, and of quantiles."""
        if self._is_in_memory:
            inner = [
                each.value.quantile(each.level, "linear").alias(f"q{i}") for i, each in enumerate(quantiles)
            ]
            row = _collect(self._frame.select(*expressions, *inner)).row(0)
            return row[: len(expressions)], row[len(expressions) :]
        row = _collect(self._frame.select(*expressions)).row(0) if expressions else ()
        # Dask answers with the missing values of pandas.
        values = [None if pd.isna(each) else each for each in row]
        return values, self._compute_quantiles(quantiles)

    def _stack_columns(
        self, queries: Sequence[ColumnAggregates]
    ) -> dict[ColumnAggregates, Mapping[str, Any]]:
        """Return the answers of queries that several columns of one type share, for small tables.

        The columns are stacked into one, and its values are aggregated by column.
        """
        if not isinstance(self._frame, nw.DataFrame) or not self._row_count:
            return {}
        shared: dict[tuple[Any, ...], list[ColumnAggregates]] = {}
        for query in dict.fromkeys(queries):
            types = tuple(self._types[key] for key in query.column_keys)
            shared.setdefault((query.build, types), []).append(query)
        answers: dict[ColumnAggregates, Mapping[str, Any]] = {}
        for (build, types), group in shared.items():
            if len(group) < _MIN_STACKED or not all(map(_can_be_stacked, types)):
                continue
            names = [f"value {i}" for i in range(len(types))]
            aggregates = build(*map(nw.col, names))
            expressions = [each.alias(name) for name, each in aggregates.expressions.items()]
            for name, quantile in aggregates.quantiles.items():
                expressions.append(quantile.value.quantile(quantile.level, "linear").alias(name))
            parts = [
                self._stack([query.column_keys[i] for query in group], name) for i, name in enumerate(names)
            ]
            stacked = parts[0].with_columns(part[name] for part, name in zip(parts, names, strict=True))
            by_key = {query.key: query for query in group}
            for row in stacked.group_by("key").agg(*expressions).iter_rows(named=True):
                answers[by_key[row.pop("key")]] = row
        return answers

    def _stack(self, keys: Sequence[str], name: str) -> nw.DataFrame[Any]:
        """Return columns one below the other, with their keys."""
        assert isinstance(self._frame, nw.DataFrame)
        return self._frame.select(keys).unpivot(variable_name="key", value_name=name)

    def _compute_quantiles(self, quantiles: Sequence[Quantile]) -> Sequence[Any]:
        sample = self._sample_rows() if quantiles else None
        by_value: dict[int, list[int]] = {}
        for i, each in enumerate(quantiles):
            by_value.setdefault(id(each.value), []).append(i)
        found: list[float | None] = [None] * len(quantiles)
        for positions in by_value.values():
            assert sample is not None
            answers = compute_quantiles(
                self._frame.lazy(),
                quantiles[positions[0]].value,
                [quantiles[i].level for i in positions],
                sample.frame,
                is_complete=sample.is_complete,
            )
            for i, answer in zip(positions, answers, strict=True):
                found[i] = answer
        return found

    def _count_rows(self, condition: nw.Expr) -> int:
        """Return the number of rows that meet a condition."""
        return int(_collect(self._matching_rows(condition, [ROW]).select(nw.len())).row(0)[0])

    def _matching_rows(
        self, condition: nw.Expr, columns: Sequence[str]
    ) -> nw.LazyFrame[Any] | nw.DataFrame[Any]:
        # Not every engine allows window functions in a filter, so the condition becomes a column first.
        return self._frame.select(*columns, condition.alias("hit")).filter(nw.col("hit"))

    def _count_values(self, query: ValueCounts) -> CountedValues:
        """Return the distinct values of a column with their counts."""
        if query not in self._counted:
            if self._is_large_polars:
                counted = nw.from_native(self._most_frequent_values(query))
            else:
                grouped = self._group_values(query).sort("count", "value", descending=[True, False])
                counted = _collect(grouped.head(query.limit + 1))
            self._keep_counted(query, counted["value"].to_list(), counted["count"].to_list())
        return self._counted[query]

    def count_together(self, queries: Sequence[ValueCounts]) -> None:
        """Count the values of several columns of one type at once, and keep the answers, for small tables."""
        if not isinstance(self._frame, nw.DataFrame):
            return
        shared: dict[tuple[nw.dtypes.DType, int, bool], list[ValueCounts]] = {}
        for query in dict.fromkeys(queries):
            if query not in self._counted:
                shared.setdefault((self._types[query.key], query.limit, query.by_day), []).append(query)
        for (dtype, _, by_day), group in shared.items():
            if len(group) < _MIN_STACKED or not _can_be_stacked(dtype):
                continue
            stacked = self._stack([query.key for query in group], "value")
            value = nw.col("value").dt.truncate("1d") if by_day else nw.col("value")
            counted = stacked.with_columns(value).drop_nulls().group_by("key", "value").agg(count=nw.len())
            ordered = counted.sort("count", "value", descending=[True, False]).to_polars()
            by_key = ordered.group_by("key", maintain_order=True).agg("value", "count")
            found = {key: (values, counts) for key, values, counts in by_key.iter_rows()}
            for query in group:
                self._keep_counted(query, *found.get(query.key, ([], [])))

    def _keep_counted(self, query: ValueCounts, values: list[Any], counts: list[int]) -> None:
        is_complete = len(values) <= query.limit
        self._counted[query] = CountedValues(values[: query.limit], counts[: query.limit], is_complete)

    def _most_frequent_values(self, query: ValueCounts) -> pl.DataFrame:
        """Return the first values; only the least frequent ones of these are more than can be sorted fast."""
        if self._has_distinct_texts(query.key):
            grouped = self._distinct_values(query.key).drop_nulls()
        else:
            grouped = _collect(self._group_values(query)).to_polars()
        limit = query.limit + 1
        if len(grouped) > limit:
            least = grouped["count"].top_k(limit).min()
            frequent = grouped.filter(pl.col("count") > least)
            rare = grouped.filter(pl.col("count") == least).bottom_k(limit - len(frequent), by="value")
            grouped = pl.concat([frequent, rare])
        return grouped.sort("count", "value", descending=[True, False])

    def _group_values(self, query: ValueCounts) -> nw.LazyFrame[Any] | nw.DataFrame[Any]:
        if isinstance(self._frame, nw.DataFrame):
            column = self._frame.get_column(query.key)
            days = column.dt.truncate("1d") if query.by_day else column
            return days.drop_nulls().alias("value").value_counts(name="count")
        value = nw.col(query.key).dt.truncate("1d") if query.by_day else nw.col(query.key)
        grouped = self._frame.select(value.alias("value")).drop_nulls().group_by("value")
        return grouped.agg(nw.len().alias("count"))

    def _sample_rows(self) -> SampledRows:
        """Return every n-th row, at most :data:`SAMPLE_ROWS`."""
        if self._sample is None:
            fitting = _SAMPLE_CELLS // max(1, len(self._frame.collect_schema()))
            step = -(-self._row_count // min(SAMPLE_ROWS, max(_MIN_SAMPLE_ROWS, fitting)))
            frame = self._frame if step <= 1 else self._frame.filter(nw.col(ROW) % step == 0)
            self._sample = SampledRows(_collect(frame.sort(ROW)).to_polars(), is_complete=step <= 1)
        return self._sample


def _can_be_stacked(dtype: nw.dtypes.DType) -> bool:
    return dtype in (nw.String, nw.Boolean) or dtype.is_numeric() or dtype.is_temporal()


@lru_cache(1_000)
def _as_aggregates(build: Callable[[nw.Expr], Mapping[str, nw.Expr]]) -> Callable[[nw.Expr], Aggregates]:
    def count_all(value: nw.Expr) -> Aggregates:
        return Aggregates({name: count_where(condition) for name, condition in build(value).items()})

    return count_all


def _collect(frame: nw.LazyFrame[Any] | nw.DataFrame[Any]) -> nw.DataFrame[Any]:
    return frame.collect() if isinstance(frame, nw.LazyFrame) else frame
