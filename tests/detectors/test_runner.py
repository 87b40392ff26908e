"""The runner: order, caps, failures, progress, and the same answers on other engines."""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pytest

from lavendertown.detectors import (
    Aggregates,
    CategoryVariants,
    CountedValues,
    Detection,
    DetectionSteps,
    Detector,
    Nulls,
    Passed,
    Sample,
    Select,
    TextDamage,
    ValueCounts,
    default_detectors,
    runner,
    table_queries,
)
from lavendertown.detectors.columns import nulls
from lavendertown.detectors.runner import run_detectors
from lavendertown.inspector import Inspector
from lavendertown.models import SEVERITIES
from lavendertown.tables import ROW, Column, Table, from_frame


@dataclasses.dataclass(frozen=True)
class Broken(Detector):
    """Asks what no engine can answer, on one column."""

    check: ClassVar[str] = "broken"
    title: ClassVar[str] = "Broken"
    where: str = "b"

    def check_column(self, table: Table, column: Column | None) -> DetectionSteps:
        assert column is not None
        asked = nw.col("no such column") if column.name == self.where else nw.col(column.key)
        yield Aggregates({"n": asked.count()})
        return None


@dataclasses.dataclass(frozen=True)
class Raising(Broken):
    """Fails in its own code."""

    check: ClassVar[str] = "raising"

    def check_column(self, table: Table, column: Column | None) -> DetectionSteps:
        yield Aggregates({"n": nw.len()})
        raise ZeroDivisionError("nothing to divide by")


def messy(n: int = 400) -> pl.DataFrame:
    random = np.random.default_rng(3)
    amount = random.normal(50, 5, n)
    amount[7] = 9_000.0
    return pl.DataFrame(
        {
            "k": ["same"] * n,
            "amount": pl.Series(amount).set(pl.int_range(n, eager=True) % 50 == 1, None),
            "code": [str(i % 40) if i != 11 else "x" for i in range(n)],
            "note": [None if i % 2 else "-" if i % 3 else f"note {i}" for i in range(n)],
            "when": [f"2024-01-{i % 28 + 1:02}" for i in range(n)],
        }
    )


def test_a_failing_check_is_a_finding_and_the_others_run_on() -> None:
    data = pl.DataFrame({"a": [1, None], "b": [None, 2]})
    findings = Inspector(data, detectors=[Broken(), Nulls(), Raising()]).detect()
    kinds = [(f.ghost_type, f.column, f.metadata["check"]) for f in findings]
    assert kinds == [
        ("check_error", "a", "raising"),
        ("null", "a", "nulls"),
        ("check_error", "b", "broken"),
        ("check_error", "b", "raising"),
        ("null", "b", "nulls"),
    ]
    assert findings[0].metadata["error"] == "ZeroDivisionError"
    assert findings[0].description == "The check 'Broken' could not run on a: nothing to divide by"


def test_findings_come_by_severity_then_column_then_type() -> None:
    findings = Inspector(pl.concat([messy(), messy().head(3)])).detect()
    order = [*messy().columns]
    keys = [(-SEVERITIES.index(f.severity), order.index(f.column) if f.column != "*" else -1, f.ghost_type)
            for f in findings]  # fmt: skip
    assert keys == sorted(keys)
    assert {f.ghost_type for f in findings} >= {"duplicate", "constant", "outlier", "type", "null"}


def test_rows_are_capped_and_the_count_is_exact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "ROW_CAP", 10)
    (finding,) = Inspector(pl.DataFrame({"a": [None] * 25}), detectors=[Nulls()]).detect()
    assert finding.row_indices == list(range(10))
    assert (finding.metadata["count"], finding.metadata["rows_truncated"]) == (25, True)


def test_progress_names_check_and_column_and_ends_at_all() -> None:
    calls: list[tuple[int, int, str]] = []
    Inspector(messy(), progress=lambda *call: calls.append(call)).detect()
    done = [call[0] for call in calls]
    assert done == sorted(done)
    assert calls[-1][0] == calls[-1][1]
    assert "Outliers · amount" in [call[2] for call in calls]
    assert "Duplicates · whole rows" in [call[2] for call in calls]


def test_raising_from_progress_ends_the_run_and_keeps_nothing() -> None:
    class Cancelled(Exception):
        pass

    def cancel(done: int, total: int, text: str) -> None:
        if done == 3:
            raise Cancelled

    inspector = Inspector(messy(), progress=cancel)
    with pytest.raises(Cancelled):
        inspector.detect()
    assert (inspector.findings, inspector.checks) == (None, [])


@pytest.mark.parametrize("batch", [1, 3, 1_000])
def test_the_batch_changes_nothing(batch: int) -> None:
    table = from_frame(messy())
    assert run_detectors(table, default_detectors(), batch_size=batch) == run_detectors(
        table, default_detectors()
    )


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.12g}")
    return {k: _rounded(v) for k, v in value.items()} if isinstance(value, dict) else value


@pytest.mark.parametrize("engine", ["pandas", "pyarrow"])
def test_other_engines_give_the_same_findings(engine: str) -> None:
    table = from_frame(pl.concat([messy(), messy().head(3)]))
    native = table.frame.collect().to_native()
    other = native.to_pandas() if engine == "pandas" else native.to_arrow()
    findings, checks = run_detectors(
        dataclasses.replace(table, frame=nw.from_native(other).lazy()), default_detectors()
    )
    expected, expected_checks = run_detectors(table, default_detectors())
    assert checks == expected_checks
    assert [_rounded(f.to_dict()) for f in findings] == [_rounded(f.to_dict()) for f in expected]


def test_pandas_and_polars_give_the_same_findings() -> None:
    data = pl.concat([messy(), messy().head(3)])
    frame = data.to_pandas()
    frame.index = pd.Index([0] * len(frame))
    assert Inspector(frame).detect() == Inspector(data).detect()


@dataclasses.dataclass(frozen=True)
class Asking(Detector):
    """Sends one query about each column and keeps the answers."""

    check: ClassVar[str] = "asking"
    title: ClassVar[str] = "Asking"
    answers: dict[str, Any] = dataclasses.field(default_factory=dict, compare=False)
    limit: int = 3

    def check_column(self, table: Table, column: Column | None) -> DetectionSteps:
        assert column is not None
        self.answers[column.name] = yield ValueCounts(column.key, self.limit)
        return None


@pytest.mark.parametrize("engine", ["polars", "pandas", "pyarrow"])
@pytest.mark.parametrize("small", [True, False])
def test_distinct_values_come_by_frequency_then_in_order(
    engine: str, small: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not small:
        monkeypatch.setattr(runner, "SMALL_TABLE_CELLS", 0)
    table = from_frame(pl.DataFrame({"a": ["x", "b", None, "x", "a"], "n": [4, 3, 2, 1, 1]}))
    native = table.frame.collect().to_native()
    other = {"polars": lambda: native, "pandas": native.to_pandas, "pyarrow": native.to_arrow}[engine]()
    asking = Asking()
    run_detectors(dataclasses.replace(table, frame=nw.from_native(other).lazy()), [asking])
    assert asking.answers["a"] == CountedValues(["x", "a", "b"], [2, 1, 1], is_complete=True)
    assert asking.answers["n"] == CountedValues([1, 2, 3], [2, 1, 1], is_complete=False)


def test_a_query_may_derive_rows() -> None:
    @dataclasses.dataclass(frozen=True)
    class Longest(Asking):
        def columns_to_check(self, table: Table) -> list[Column | None]:
            return [None]

        def check_column(self, table: Table, column: Column | None) -> DetectionSteps:
            keys = [each.key for each in table.schema]
            pairs = yield Select(lambda frame: frame.select(*keys).unique().sort(*keys))
            self.answers["*"] = pairs.rows()
            return None

    longest = Longest()
    run_detectors(from_frame(pl.DataFrame({"a": [2, 1, 2], "b": ["x", "y", "x"]})), [longest])
    assert longest.answers == {"*": [(1, "y"), (2, "x")]}


@dataclasses.dataclass(frozen=True)
class Pairs(Detector):
    """Finds the first row in each pair of neighbouring columns, but not in the last pair."""

    check: ClassVar[str] = "pairs"
    title: ClassVar[str] = "Pairs"

    def columns_to_check(self, table: Table) -> list[Column | None]:
        return [None]

    def check_column(self, table: Table, column: Column | None) -> DetectionSteps:
        sample = yield Sample()
        names = table.columns
        rows = sample.frame[ROW].to_list()[:1]
        first = Detection("rule", "info", "Found.", 1, columns=names[:2], rows=rows)
        return [first, Passed(names[1:])]


def test_a_check_over_several_columns_gives_a_finding_for_each_set() -> None:
    inspector = Inspector(pl.DataFrame({"a": [1], "b": [2], "c": [3]}), detectors=[Pairs()])
    (finding,) = inspector.detect()
    assert (finding.column, finding.row_indices) == ("a, b", [0])
    assert finding.metadata["columns"] == ["a", "b"]
    assert [(c.column, c.outcome) for c in inspector.checks] == [("a, b", "found"), ("b, c", "passed")]


def test_a_sample_is_evenly_spaced_and_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(table_queries, "SAMPLE_ROWS", 100)
    table = from_frame(pl.DataFrame({"a": range(1_000)}))
    queries = table_queries.TableQueries(table, into_memory=False)
    sample = queries.answer_query(Sample())
    assert sample.frame["c0"].to_list() == list(range(0, 1_000, 10))
    assert not sample.is_complete
    assert queries.answer_query(Sample()) is sample


def wide(columns: int = 40) -> pl.DataFrame:
    random = np.random.default_rng(5)
    data: dict[str, Any] = {"flag": [True] * 30, "when": pl.Series(["2024-01-01"] * 30).str.to_date()}
    for i in range(columns):
        numbers = random.normal(50, 5, 30)
        numbers[i % 30] = [9_000.0, -999.0, float("inf")][i % 3]
        data[f"n{i}"] = pl.Series(numbers).set(pl.int_range(30, eager=True) == i, None)
        data[f"k{i}"] = random.integers(0, 5, 30)
        data[f"t{i}"] = [["red", "-", None, f"1{i}", "n/a", "blue"][j] for j in random.integers(0, 6, 30)]
        data[f"c{i}"] = ["1.5e+15" if j == i % 30 else f"{1_234_567_890_123_000 + j}" for j in range(30)]
        data[f"i{i}"] = ["inf" if j == i % 30 else f"{j}.5" for j in range(30)]
        data[f"e{i}"] = pl.Series([None] * 30, dtype=pl.Float64)
    return pl.DataFrame(data)


def test_stacked_columns_have_the_same_findings(monkeypatch: pytest.MonkeyPatch) -> None:
    stacked = [finding.to_dict() for finding in Inspector(wide()).detect()]
    assert {"nulls", "outliers", "disguised_nulls", "lost_digits", "constants", "infinite_values"} <= {
        finding["metadata"]["check"] for finding in stacked
    }
    monkeypatch.setattr(table_queries, "_MIN_STACKED", 10_000)
    assert [finding.to_dict() for finding in Inspector(wide()).detect()] == stacked


def wide_text(columns: int = 30) -> bytes:
    kinds = ("{i}", "{i}.5", "2024-01-{day}", "{day}.01.2024", "2024-01-{day} 10:00+02:00", "yes", "word {i}")
    names = [f"c{j}" for j in range(columns * len(kinds))]
    rows = [
        [
            "?!" if (i + j) % 31 == 0 else "" if (i + j) % 17 == 0 else kinds[j % len(kinds)]
            for j in range(len(names))
        ]
        for i in range(30)
    ]
    lines = [",".join(row).format(i=i, day=f"{i % 28 + 1:02}") for i, row in enumerate(rows)]
    return "\n".join([",".join(names), *lines]).encode()


def test_stacked_columns_with_their_text_have_the_same_findings(monkeypatch: pytest.MonkeyPatch) -> None:
    inspector = Inspector((wide_text(), "wide.csv"))
    stacked = [finding.to_dict() for finding in inspector.detect()]
    assert {"nulls", "types"} <= {finding["metadata"]["check"] for finding in stacked}
    assert sum(1 for column in inspector.table.schema if column.text_key) > 60
    monkeypatch.setattr(table_queries, "_MIN_STACKED", 10_000)
    assert [finding.to_dict() for finding in Inspector((wide_text(), "wide.csv")).detect()] == stacked


def test_many_columns_share_the_query_for_an_aggregate(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[nw.Expr] = []
    build = nulls._count_nulls
    monkeypatch.setattr(nulls, "_count_nulls", lambda value: built.append(value) or build(value))
    data = pl.DataFrame({f"c{i}": [1, None] for i in range(60)})
    assert len(Inspector(data, detectors=[Nulls()]).detect()) == 60
    assert len(built) == 1


def test_more_values_than_the_limit_are_named_as_capped() -> None:
    frame = pl.DataFrame(
        {"note": [" x", " x", *(f"note {i}" for i in range(100_000))], "few": ["a", "b"] * 50_001}
    )
    inspector = Inspector(frame, detectors=[Nulls(), TextDamage(), CategoryVariants()])
    (finding,) = inspector.detect()
    assert finding.metadata["values_capped"] is True
    capped = {
        (entry["check"], entry["column"]): entry.get("values_capped") for entry in inspector.coverage()["ran"]
    }
    assert {place for place, is_capped in capped.items() if is_capped} == {
        ("text_damage", "note"),
        ("category_variants", "note"),
    }


@pytest.mark.slow
@pytest.mark.parametrize("checks", [None, {"checks": {"near_duplicates": False}}])
def test_columns_that_are_too_many_to_compare_are_not_run(checks: dict[str, Any] | None) -> None:
    random = np.random.default_rng(1)
    days = pl.Series(np.datetime64("2026-01-01") + random.integers(0, 9, 200).astype("timedelta64[D]"))
    columns = {f"c{i}": random.choice(["a", "b", "c", "d"], 200) for i in range(45)}
    columns |= {f"n{i}": random.normal(size=200) for i in range(42)}
    columns |= {f"t{i}": days for i in range(41)}
    coverage = Inspector(pl.DataFrame(columns), checks=checks).coverage()
    reasons = {(each["check"], each["column"][:13]): each["reason"] for each in coverage["not_run"]}
    assert reasons == {
        ("dependencies", "t40, c0, c1, "): "Only 40 of 86 columns are compared.",
        ("arithmetic", "n40, n41"): "Only 40 of 42 columns are compared.",
        ("arithmetic", "n15, n16, n17"): "Only 15 of 40 columns are divided, or added up in threes.",
        ("keys", "t12, t13, t14"): "Only 12 of 86 columns are combined to keys of two or three.",
        ("date_order", "t40"): "Only 40 of 41 columns are compared.",
        ("durations", "t12, t13, t14"): "Only 12 of 41 columns are compared.",
        ("durations", "n24, n25, n26"): "Only 24 of 42 columns are compared.",
    }
    assert "dependencies" in {each["check"] for each in coverage["ran"]}
