"""Evidence: column profiles and samples, masked and limited before they are stored."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

from lavendertown.core.errors import InvalidInputError
from lavendertown.core.settings import load_settings
from lavendertown.inspector import Inspector
from lavendertown.models import GhostFinding
from lavendertown.profile import measure
from lavendertown.profile.evidence import Evidence
from lavendertown.profile.masking import (
    MASKED_VALUE,
    mask_evidence,
    mask_finding,
    mask_sentences,
    prepare_evidence,
    remove_samples,
)

CSV = (
    "A delivery of May\n\norder_id,customer_name,amount,shipped\n"
    + "".join(f"o{n},Name {n % 3},{10 + n % 7},2024-05-{1 + n % 28:02d}\n" for n in range(98))
    + 'o98,Name 1,"n/a",2024-05-03\no99,Name 2,99999,2024-05-04\n'
)


def inspect(text: str = CSV, **options: object) -> Inspector:
    return Inspector((text.encode(), "orders.csv"), dataset="orders", **options)


def test_rows_that_are_read_at_once_give_the_same_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = pl.DataFrame(
        {
            "id": range(40),
            "whole": [None if i == 7 else i % 5 for i in range(40)],
            "part": [float("inf") if i == 3 else i / 8 for i in range(40)],
            "day": [None if i % 9 == 0 else dt.date(2024, 1, 1 + i % 28) for i in range(40)],
            "flag": [None if i == 2 else i % 2 == 0 for i in range(40)],
            "word": ["-" if i == 5 else "red" for i in range(40)],
        }
    )
    for data in (frame, frame.to_pandas(), (frame.write_csv().encode(), "t.csv")):
        inspector = Inspector(data)
        assert len(inspector.detect()) > 5
        at_once = inspector.evidence().to_dict()
        with monkeypatch.context() as patch:
            patch.setattr(measure, "_SHORT_TABLE_ROWS", 0)
            assert inspector.evidence().to_dict() == at_once


def test_a_profile_describes_every_column() -> None:
    evidence = inspect().evidence()
    assert [profile.name for profile in evidence.columns] == [
        "order_id",
        "customer_name",
        "amount",
        "shipped",
    ]
    amount, shipped = evidence.column("amount"), evidence.column("shipped")
    assert amount is not None
    assert shipped is not None
    assert (amount.kind, amount.count, amount.distinct) == ("number", 100, 8)
    assert (amount.minimum, amount.maximum) == (10, 99999)
    assert amount.histogram is not None
    assert (amount.histogram.start, amount.histogram.above) == (10.0, 1)
    assert sum(amount.histogram.counts) + amount.histogram.above == 99
    assert (shipped.minimum, shipped.maximum) == ("2024-05-01", "2024-05-28")
    name = evidence.column("customer_name")
    assert name is not None
    assert {(each.value, each.count) for each in name.top} == {("Name 0", 33), ("Name 1", 34), ("Name 2", 33)}


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("order_id,amount\n" + "".join(f"o{n % 98},{n}.5\n" for n in range(100)), ["amount"]),
        ("order_id,amount\n" + "".join(f"o{n % 98},{n % 9}.5\n" for n in range(100)), ["order_id"]),
        ("order_id,amount\n" + "".join(f"o{n % 50},{n % 9}.5\n" for n in range(100)), []),
        ("remark,amount\n" + "".join(f"o{n % 98},{n % 9}.5\n" for n in range(100)), []),
    ],
)
def test_the_key_is_a_unique_column_or_an_identifier_with_few_repetitions(text: str, key: list[str]) -> None:
    assert inspect(text).evidence().key == key


@pytest.mark.parametrize("source", ["csv", "parquet"])
def test_whole_numbers_next_to_missing_ones_stay_whole(source: str, tmp_path: Path) -> None:
    frame = pl.DataFrame({"id": range(40), "size": [None if n % 9 == 0 else 7 for n in range(40)]})
    frame = pl.concat([frame, frame.head(2)])
    file = tmp_path / f"t.{source}"
    frame.write_csv(file) if source == "csv" else frame.write_parquet(file)
    inspector = Inspector(file)
    copies = next(n for n, each in enumerate(inspector.detect()) if each.column == "*")
    rows = inspector.evidence().samples[str(copies)].rows
    assert [repr(row.values["size"]) for row in rows] == ["None", "7"]


def test_samples_have_the_key_the_written_value_and_the_row_as_the_source_counts() -> None:
    inspector = inspect()
    evidence = inspector.evidence()
    assert (evidence.key, evidence.first_row) == (["order_id"], 4)
    findings = inspector.findings or []
    position = next(i for i, each in enumerate(findings) if each.row_indices == [98])
    (row,) = evidence.samples[str(position)].rows
    assert row.values == {"order_id": "o98", "amount": "n/a"}
    assert [(each.value, each.count) for each in evidence.samples[str(position)].frequent] == [("n/a", 1)]


def test_a_person_chooses_the_key() -> None:
    evidence = inspect(key=["customer_name", "shipped"]).evidence()
    assert evidence.key == ["customer_name", "shipped"]
    rows = [row for samples in evidence.samples.values() for row in samples.rows]
    assert all({"customer_name", "shipped"} <= row.values.keys() for row in rows)
    with pytest.raises(InvalidInputError, match="no column 'order'"):
        inspect(key=["order"])


def test_evidence_survives_json_and_gets_the_ids_of_its_findings() -> None:
    inspector = inspect()
    evidence = inspector.evidence()
    assert Evidence.from_dict(json.loads(json.dumps(evidence.to_dict()))) == evidence
    named = evidence.named(["same", "same", *map(str, range(len(inspector.findings or [])))])
    assert "same" in named.samples


def test_masked_columns_keep_counts_only() -> None:
    inspector = inspect()
    masked = mask_evidence(inspector.evidence(), ["ORDER_*", "amount"])
    text = json.dumps(masked.to_dict(), ensure_ascii=False)
    assert "o98" not in text
    assert "99999" not in text
    assert "n/a" not in text
    amount = masked.column("amount")
    assert amount is not None
    assert amount.masked
    assert (amount.count, amount.distinct, amount.minimum, amount.histogram) == (100, 8, None, None)
    values = [row.values for samples in masked.samples.values() for row in samples.rows]
    assert {"order_id": MASKED_VALUE, "amount": MASKED_VALUE} in values
    name = masked.column("customer_name")
    assert name is not None
    assert name.top


def test_a_masked_finding_keeps_its_identity_and_no_value() -> None:
    from lavendertown.collaboration.storage import get_finding_id

    for finding in inspect().detect():
        masked = mask_finding(finding, ["amount"])
        assert get_finding_id(masked, "orders") == get_finding_id(finding, "orders")
        if finding.column == "amount":
            text = json.dumps(masked.to_dict(), ensure_ascii=False)
            assert "99999" not in text
            assert "n/a" not in text
            assert masked.metadata["count"] == finding.metadata["count"]
        else:
            assert masked == finding


def test_a_finding_without_a_count_says_some_rows() -> None:
    finding = GhostFinding("rule", "email", "error", "a@x.org is twice", None, {"check_id": "dbt.unique"})
    assert "some rows" in mask_finding(finding, ["EMAIL"]).description


def test_sentences_about_masked_columns_are_left_out() -> None:
    sentences = ["amount and total: read as numbers, such as $5.", "Read as UTF-8.", "amounts: text."]
    assert mask_sentences(sentences, ["amount", "id"], ["amo*"]) == sentences[1:]


def test_without_samples_nothing_of_the_table_is_left() -> None:
    settings = replace(load_settings(), evidence_samples=False)
    evidence = prepare_evidence(inspect().evidence(), settings)
    text = json.dumps(evidence.to_dict())
    assert "99999" not in text
    assert "o98" not in text
    assert "Name" not in text
    assert evidence.samples == {}
    assert len(evidence.columns) == 4
    finding = GhostFinding(
        "null", "a", "error", "d", None, {"samples": [1], "spellings": {"a": "b"}, "count": 2}
    )
    assert remove_samples(finding).metadata == {"count": 2}


def test_large_evidence_loses_top_values_first_then_histograms_then_samples() -> None:
    numbers = np.random.default_rng(1).normal(size=(60, 400))
    table = pd.DataFrame({f"c{n}": numbers[:, n] for n in range(400)})
    table["text"] = [f"{n} " + "x" * 150 for n in range(60)]
    inspector = Inspector(table)
    inspector.detect()
    evidence = inspector.evidence()
    assert evidence.limited() is evidence or evidence.limited().size() <= 256_000
    sizes = [evidence.size() - 1]
    first = evidence.limited(sizes[-1])
    assert first.omitted == ["top values"]
    second = evidence.limited(first.size() - 1)
    assert second.omitted == ["top values", "histograms"]
    assert evidence.limited(10).omitted == ["top values", "histograms", "samples", "profiles"]


@pytest.mark.parametrize(
    "values",
    [
        [],
        [None, None],
        [float("inf"), float("-inf"), 1.0],
        [2**70, -(2**70)],
        [True, False, None],
        [dt.date(1, 1, 1), dt.date(9999, 12, 31)],
        [dt.datetime(2024, 5, 1, tzinfo=dt.UTC), None],
        [dt.timedelta(days=2), dt.timedelta(hours=1)],
        [dt.time(3), dt.time(4)],
        [b"\xff\x00", b"a"],
        [{"a": 1}, {"a": 2}],
        [[1, 2], [3]],
        ["\x00", "é"],
        [1, "one", None],
    ],
    ids=[
        *("no-rows", "all-missing", "infinite", "huge-integers", "booleans", "far-dates", "zoned-times"),
        *("durations", "times-of-day", "bytes", "structs", "lists", "control-characters", "mixed"),
    ],
)
def test_every_kind_of_column_has_a_profile_that_can_be_stored(values: list[object]) -> None:
    inspector = Inspector(pd.DataFrame({"a": pd.Series(values, dtype=object), "b": range(len(values))}))
    inspector.detect()
    evidence = inspector.evidence()
    assert [profile.count for profile in evidence.columns] == [len(values)] * 2
    assert Evidence.from_dict(json.loads(json.dumps(evidence.to_dict(), allow_nan=False))) == evidence


def test_missing_values_are_counted_in_forty_parts_of_the_table() -> None:
    lines = [f"{n},{'' if 40 <= n < 60 else n % 7}\n" for n in range(400)]
    inspector = inspect("id,amount\n" + "".join(lines))
    findings = inspector.detect()
    samples = inspector.evidence().samples[str([each.ghost_type for each in findings].index("null"))]
    assert samples.rows_by_part == [0] * 4 + [10, 10] + [0] * 34
    stored = Evidence(samples={"f": replace(samples, rows_by_part=[])}).to_dict()
    assert list(stored["samples"]["f"]) == ["column", "rows", "frequent"], "as evidence was stored before"
    with pytest.raises(
        InvalidInputError, match="The rows by part of a finding are not a list of whole numbers"
    ):
        Evidence.from_dict({"samples": {"f": {"rows_by_part": [1.5]}}})


def test_whole_numbers_among_decimals_are_shown_as_in_the_file() -> None:
    rows = "".join(f"{number},{50 + number % 20 + 0.25}\n" for number in range(300))
    inspector = Inspector((f"id,price\n{rows}300,5006\n301,5006\n".encode(), "prices.csv"))
    (finding,) = [each for each in inspector.detect() if each.column == "price"]
    (samples,) = inspector.evidence().samples.values()
    assert finding.ghost_type == "outlier"
    assert [repr(row.values["price"]) for row in samples.rows] == ["5006", "5006"]
    assert [(each.value, each.count) for each in samples.frequent] == [("5006", 2)]
