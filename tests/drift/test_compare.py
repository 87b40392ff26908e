"""What the comparison of two tables finds, and what it leaves alone."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pandas as pd
import polars as pl
import pytest

from lavendertown import Inspector
from lavendertown.core import json_codec
from lavendertown.core.errors import InvalidInputError
from lavendertown.core.fingerprints import compute_fingerprint
from lavendertown.drift import MissingBaseline, ProfileBaseline, TableBaseline, compare_datasets
from lavendertown.drift.compare import compare_datasets as compare_datasets_of_0_7
from lavendertown.profile.masking import mask_finding, remove_samples
from lavendertown.profile.measure import measure_table
from lavendertown.tables import from_frame
from tests.drift.conftest import ROWS, Only, make_orders

EVERY_TENTH = pl.int_range(pl.len()) % 10 == 0


def profile_of(frame: pl.DataFrame) -> ProfileBaseline:
    table = from_frame(frame)
    return ProfileBaseline(measure_table(table, []), "orders, May", columns=table.columns, report_id="r-1")


@pytest.mark.parametrize("as_profile", [False, True])
def test_another_delivery_has_not_drifted(
    before: pl.DataFrame, after: pl.DataFrame, as_profile: bool
) -> None:
    assert compare_datasets(profile_of(before) if as_profile else before, after) == []


@pytest.mark.parametrize("as_profile", [False, True])
def test_a_moved_distribution_tells_both_numbers(
    before: pl.DataFrame, after: pl.DataFrame, only: Only, as_profile: bool
) -> None:
    moved = after.with_columns(pl.col("amount") * 8)
    finding = only(compare_datasets(profile_of(before) if as_profile else before, moved))
    assert finding.metadata["check"] == "drift_distribution"
    assert (finding.ghost_type, finding.column, finding.severity) == ("drift", "amount", "error")
    assert finding.description.startswith(
        "amount: the median is 168.4, was 19.84; 70% of the values are above"
    )
    assert finding.row_indices is None
    assert finding.metadata["psi"] > 1
    picture = finding.metadata["picture"]
    assert len(picture["before"]) == len(picture["after"])
    assert (sum(picture["before"]), sum(picture["after"])) == (ROWS, ROWS)


def test_the_segment_that_moved_is_named(before: pl.DataFrame, after: pl.DataFrame, only: Only) -> None:
    is_german = pl.col("country") == "DE"
    amount = pl.when(is_german).then(pl.col("amount") * 9).otherwise("amount")
    finding = only(compare_datasets(before, after.with_columns(amount=amount)))
    assert finding.description.endswith(" Mostly where country is 'DE'.")
    cause = finding.metadata["explained_by"]
    assert (cause["column"], cause["value"]) == ("country", "DE")


def test_no_segment_is_named_if_all_moved(before: pl.DataFrame, after: pl.DataFrame, only: Only) -> None:
    finding = only(compare_datasets(before, after.with_columns(pl.col("amount") * 8)))
    assert "explained_by" not in finding.metadata


def test_missing_values_in_a_segment(before: pl.DataFrame, after: pl.DataFrame, only: Only) -> None:
    is_lost = (pl.col("country") == "NL") & (pl.int_range(pl.len()) % 2 == 0)
    finding = only(compare_datasets(before, after.with_columns(amount=pl.when(~is_lost).then("amount"))))
    assert finding.metadata["check"] == "drift_missing"
    assert finding.description.startswith("amount is empty in ")
    assert finding.description.endswith("was 0% of 2,000. Mostly where country is 'NL'.")
    assert finding.metadata["change_type"] == "null_percentage"


def test_new_categories_have_their_rows(before: pl.DataFrame, after: pl.DataFrame, only: Only) -> None:
    changed = after.with_columns(status=pl.when(EVERY_TENTH).then(pl.lit("returned")).otherwise("status"))
    finding = only(compare_datasets(before, changed))
    assert finding.metadata["check"] == "drift_new_categories"
    assert finding.row_indices == list(range(0, ROWS, 10))
    assert finding.description == "status has 1 new value in 200 of 2,000 rows (10%): 'returned'."


def test_lost_categories(before: pl.DataFrame, after: pl.DataFrame, only: Only) -> None:
    changed = after.filter(pl.col("country") != "NL")
    found = compare_datasets(before, changed)
    finding = only([each for each in found if each.column == "country"])
    assert finding.description == "country has lost 1 value that 20.3% of the rows had before: 'NL'."
    assert finding.metadata["samples"] == ["NL"]


def test_few_new_values_may_be_chance(before: pl.DataFrame, after: pl.DataFrame) -> None:
    few = pl.int_range(pl.len()) < 6
    assert (
        compare_datasets(
            before, after.with_columns(status=pl.when(few).then(pl.lit("returned")).otherwise("status"))
        )
        == []
    )


def test_shares_of_categories(before: pl.DataFrame, after: pl.DataFrame, only: Only) -> None:
    half = pl.int_range(pl.len()) % 2 == 0
    changed = after.with_columns(status=pl.when(half).then(pl.lit("open")).otherwise("status"))
    finding = only(compare_datasets(before, changed))
    assert finding.metadata["check"] == "drift_category_shares"
    assert "'open' is 60.3% of the values, was 20.1%" in finding.description
    assert finding.metadata["picture"]["labels"] == ["paid", "open", "other values"]


def test_values_outside_the_range_have_their_rows(
    before: pl.DataFrame, after: pl.DataFrame, only: Only
) -> None:
    far = pl.int_range(pl.len()) % 50 == 7
    finding = only(
        compare_datasets(before, after.with_columns(items=pl.when(far).then(40).otherwise("items")))
    )
    assert finding.metadata["check"] == "drift_range"
    assert set(range(7, ROWS, 50)) <= set(finding.row_indices or [])
    assert "above the former maximum 11" in finding.description


def test_columns_and_types(before: pl.DataFrame, after: pl.DataFrame) -> None:
    changed = after.drop("gift").with_columns(
        channel=pl.lit("web"), items=pl.col("items").cast(str) + " pieces"
    )
    found = {(each.column, each.metadata["change_type"]): each for each in compare_datasets(before, changed)}
    assert {key: each.severity for key, each in found.items()} == {
        ("items", "type_change"): "error",
        ("gift", "column_removed"): "warning",
        ("channel", "column_added"): "info",
    }
    assert all(each.metadata["drift_type"] == "schema" for each in found.values())


def test_the_order_of_columns_means_nothing(before: pl.DataFrame, after: pl.DataFrame) -> None:
    assert compare_datasets(before, after.select(reversed(after.columns))) == []


def test_a_column_without_values_has_no_type(before: pl.DataFrame, after: pl.DataFrame) -> None:
    changed = after.with_columns(items=pl.lit(None, pl.String))
    assert {each.metadata["check"] for each in compare_datasets(before, changed)} == {"drift_missing"}


def test_true_and_false_may_be_written_as_text(before: pl.DataFrame, after: pl.DataFrame) -> None:
    written = after.with_columns(pl.col("gift").cast(pl.String))
    assert compare_datasets(before, written) == []
    assert compare_datasets(profile_of(written), before) == []
    changed = written.with_columns(gift=pl.lit("perhaps"))
    assert [each.metadata["check"] for each in compare_datasets(before, changed)] == ["drift_type"]


def test_values_that_cannot_be_stored_as_they_are(before: pl.DataFrame, after: pl.DataFrame) -> None:
    old = before.with_columns(
        status=pl.when(EVERY_TENTH).then(pl.lit("a\x00b")).otherwise("status"),
        amount=pl.col("amount").cast(pl.Decimal(12, 2)),
    )
    new = after.with_columns(
        status=pl.when(EVERY_TENTH).then(pl.lit("<b>" * 60)).otherwise("status"),
        amount=(pl.col("amount") * 8).cast(pl.Decimal(12, 2)),
    )
    for baseline in (old, profile_of(old)):
        found = compare_datasets(baseline, new)
        assert [(each.ghost_type, each.metadata["check"]) for each in found if each.column == "amount"] == [
            ("drift", "drift_distribution")
        ]
        assert "check_error" not in {each.ghost_type for each in found}
        assert {each.metadata["check"] for each in found if each.column == "status"} == {
            "drift_new_categories",
            "drift_lost_categories",
        }


def test_one_baseline_compares_with_several_tables(before: pl.DataFrame, after: pl.DataFrame) -> None:
    baseline = TableBaseline(from_frame(before), "orders")
    assert compare_datasets(baseline, after.with_columns(pl.col("amount") * 8)) != []
    assert compare_datasets(baseline, after) == []


def test_far_fewer_rows(before: pl.DataFrame, after: pl.DataFrame, only: Only) -> None:
    finding = only(compare_datasets(before, after.head(300)))
    assert (finding.severity, finding.description) == ("warning", "The table has 300 rows, was 2,000.")


def test_rows_may_grow_at_the_usual_pace(before: pl.DataFrame, after: pl.DataFrame) -> None:
    for counts, is_drift in (([250, 500, 1_000, 2_000], False), ([1_900, 1_950, 2_000, 2_000], True)):
        baseline = TableBaseline(from_frame(before), "orders")
        object.__setattr__(baseline, "row_counts", counts)
        grown = pl.concat([after, after])
        assert [each.metadata["check"] for each in compare_datasets(baseline, grown)] == (
            ["drift_row_count"] if is_drift else []
        )


def test_running_numbers_and_times_are_no_drift() -> None:
    start = dt.datetime(2026, 1, 1)
    frames = [
        pl.DataFrame(
            {
                "customer_id": range(first, first + 500),
                "belegnr_lfd": range(first, first + 500),
                "unsorted": [first + 7 * row % 500 for row in range(500)],
                "counter_kwh": [1.5 * (first + row) for row in range(500)],
                "placed": [start + dt.timedelta(hours=first + row) for row in range(500)],
                "created_at": [1_700_000_000 + 3600 * (first + row) for row in range(500)],
                "year": [2025 + first // 500] * 500,
                "batch": [f"batch-{first // 500}"] * 500,
            }
        )
        for first in (0, 500)
    ]
    assert compare_datasets(*frames) == []


def test_small_samples_are_no_drift() -> None:
    assert compare_datasets(make_orders(1, 20), make_orders(2, 20).with_columns(pl.col("amount") * 50)) == []


def test_identity_does_not_depend_on_the_data(before: pl.DataFrame, after: pl.DataFrame, only: Only) -> None:
    findings = [only(compare_datasets(before, after.with_columns(pl.col("amount") * n))) for n in (5, 8)]
    ids = {compute_fingerprint(each, "orders") for each in findings}
    ids.add(
        compute_fingerprint(
            only(compare_datasets(profile_of(before), after.with_columns(pl.col("amount") * 5))), "orders"
        )
    )
    assert len(ids) == 1


def test_a_threshold_is_a_setting_not_a_part_of_the_identity(
    before: pl.DataFrame, after: pl.DataFrame, only: Only
) -> None:
    moved = after.with_columns(pl.col("amount") * 8)
    found = compare_datasets(before, moved, distribution_threshold=1_000)
    assert [each.metadata["check"] for each in found] == ["drift_range"]
    finding = only(compare_datasets(before, moved, distribution_threshold=20))
    assert (finding.metadata["params"], finding.metadata["settings"]) == ({}, {"threshold": 0.2})


def test_the_same_tables_always_give_the_same_answer(before: pl.DataFrame, after: pl.DataFrame) -> None:
    moved = after.with_columns(pl.col("amount") * 3)
    assert compare_datasets(before, moved) == compare_datasets(before, moved)


def test_pandas_and_polars_give_the_same_answer(before: pl.DataFrame, after: pl.DataFrame) -> None:
    moved = after.drop("placed").with_columns(pl.col("amount") * 3)
    old = before.drop("placed")
    assert compare_datasets(old.to_pandas(), moved.to_pandas()) == compare_datasets(old, moved)


def test_the_types_of_comparison_of_0_7(before: pl.DataFrame, after: pl.DataFrame) -> None:
    changed = after.drop("gift").with_columns(pl.col("amount") * 8)
    by_type = {
        kind: {
            each.metadata["drift_type"]
            for each in compare_datasets_of_0_7(before, changed, comparison_type=kind)
        }
        for kind in ("full", "schema_only", "distribution_only")
    }
    assert by_type == {
        "full": {"schema", "distribution"},
        "schema_only": {"schema"},
        "distribution_only": {"distribution"},
    }


def test_impossible_arguments_are_refused(before: pl.DataFrame) -> None:
    with pytest.raises(InvalidInputError, match="'half' is unknown; use one of full, schema_only"):
        compare_datasets(before, before, "half")  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError, match="is not above 0"):
        compare_datasets(before, before, distribution_threshold=0)


def test_empty_tables() -> None:
    empty, full = pd.DataFrame(), pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    assert compare_datasets(empty, empty) == []
    assert {each.metadata["change_type"] for each in compare_datasets(empty, full)} == {"column_added"}
    assert {each.metadata["change_type"] for each in compare_datasets(full, empty)} == {"column_removed"}


def test_the_inspector_compares_with_its_other_checks(before: pl.DataFrame, after: pl.DataFrame) -> None:
    inspector = Inspector(after.with_columns(pl.col("amount") * 8), compare_to=before)
    assert "drift" in {each.ghost_type for each in inspector.detect()}
    coverage = inspector.coverage()
    ran = {(each["check"], each["column"]): each["outcome"] for each in coverage["ran"]}
    assert ran[("drift_distribution", "amount")] == "found"
    assert ran[("drift_distribution", "items")] == "passed"
    assert ran[("drift_column_removed", "items")] == "passed"
    assert ("drift_distribution", "order_id") not in ran
    assert coverage["compared_to"] == {"name": "the other table", "rows": ROWS}
    assert json_codec.to_jsonable(coverage) == coverage


def test_without_a_baseline_the_coverage_says_so(after: pl.DataFrame) -> None:
    coverage = Inspector(after, compare_to=MissingBaseline("There is no earlier report.")).coverage()
    assert coverage["not_run"] == [{"check": "drift", "reason": "There is no earlier report."}]
    assert "compared_to" not in coverage
    assert not any(each["check"].startswith("drift") for each in coverage["ran"])


def test_compare_with_baseline_of_0_7(before: pl.DataFrame, after: pl.DataFrame) -> None:
    inspector = Inspector(after.with_columns(pl.col("amount") * 8))
    findings = inspector.compare_with_baseline(baseline_df=before, distribution_threshold=15.0)
    assert findings[:-1] == inspector.detect()
    assert findings[-1].metadata["check"] == "drift_distribution"


def test_a_path_can_be_compared_with(tmp_path: Path, before: pl.DataFrame, after: pl.DataFrame) -> None:
    before.write_csv(tmp_path / "may.csv")
    inspector = Inspector(after.drop("gift"), compare_to=tmp_path / "may.csv")
    (finding,) = [each for each in inspector.detect() if each.ghost_type == "drift"]
    assert finding.metadata["compared_to"]["name"] == "may.csv"


def test_masked_and_withheld_values_leave_the_finding(
    before: pl.DataFrame, after: pl.DataFrame, only: Only
) -> None:
    amount = pl.when(pl.col("country") == "DE").then(pl.col("amount") * 9).otherwise("amount")
    finding = only(compare_datasets(before, after.with_columns(amount=amount)))
    masked = mask_finding(finding, ["country"])
    assert "DE" not in masked.description
    assert "explained_by" not in masked.metadata
    masked = mask_finding(finding, ["amount"])
    assert "168" not in str(masked.to_dict())
    assert masked.metadata["psi"] == finding.metadata["psi"]
    assert compute_fingerprint(masked, "orders") == compute_fingerprint(finding, "orders")
    withheld = remove_samples(finding).metadata
    assert {"picture", "baseline_value", "current_value"} & withheld.keys() == set()


def test_a_masked_profile_has_counts_only(before: pl.DataFrame, after: pl.DataFrame) -> None:
    evidence = measure_table(from_frame(before), []).without_samples()
    moved = after.with_columns(pl.col("amount") * 8, status=pl.lit("lost"), items=pl.lit(None, pl.Int64))
    found = compare_datasets(evidence, moved)
    assert [each.metadata["check"] for each in found] == ["drift_missing"]
