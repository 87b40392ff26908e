"""Values that stand for a missing one, and values that only look like it."""

from __future__ import annotations

import datetime as dt
import random

import pytest

from lavendertown.detectors import DisguisedNulls, Outliers, Placeholders

N = 200
DRAWN = random.Random(4)
AGES = [DRAWN.randrange(18, 90) for _ in range(N)]
PRICES = [round(DRAWN.lognormvariate(3, 1), 2) for _ in range(N)]
DAYS = [dt.date(2021, 1, 1) + dt.timedelta(days=DRAWN.randrange(900)) for _ in range(N)]
PRODUCTS = [f"{DRAWN.choice(['Desk', 'Lamp'])} {DRAWN.choice('abcdefghij')}" for _ in range(N)]
PLACES = [3, 50, 51, 120]


def planted(values: list, stand_in) -> list:
    return [stand_in if i in PLACES else value for i, value in enumerate(values)]


@pytest.mark.parametrize(
    ("values", "stand_in"),
    [
        (AGES, -999), (AGES, -1), (AGES, 999), (AGES, 0), (PRICES, 99999.0), (PRICES, -1.0), (AGES, 250),
        (DAYS, dt.date(1900, 1, 1)), (DAYS, dt.date(9999, 12, 31)), (DAYS, dt.date(1970, 1, 1)),
        (PRODUCTS, "TBD"), (PRODUCTS, "xxx"), (PRODUCTS, "test"), (PRODUCTS, "n.n."),
        (PRODUCTS, "not specified"),
    ],
)  # fmt: skip
def test_a_stand_in_is_found_with_its_rows(detect, values: list, stand_in) -> None:
    (finding,) = detect({"a": planted(values, stand_in)}, Placeholders())
    assert (finding.ghost_type, finding.row_indices) == ("disguised_null", PLACES)
    assert "has the placeholder" in finding.description
    assert finding.metadata["count"] == len(PLACES)


def test_a_stand_in_is_not_reported_as_outlier_too(detect) -> None:
    values = planted(PRICES, 99999.0)[:190]
    assert [f.metadata["check"] for f in detect({"a": values}, Placeholders(), Outliers())] == [
        "placeholders"
    ]
    assert detect({"a": [*values, 91_234.5]}, Outliers())[0].row_indices == [190]


@pytest.mark.parametrize(
    "values",
    [
        AGES,
        PRICES,
        DAYS,
        [0 if i % 3 else AGES[i] for i in range(N)],  # Zero means none.
        [DRAWN.randrange(1, 15) if i % 12 else 0 for i in range(N)],
        [9.99, 99.99, 999.99, 19.99] * 50,  # Prices
        [1, 99, 999, 9999] * 50,
        [DRAWN.gauss(0, 1) for _ in range(N)] + [0.0] * 5,  # Zero lies among them.
        planted(PRODUCTS, "Testa"),
    ],
)
def test_values_that_do_not_stand_apart_are_left_alone(detect, values: list) -> None:
    assert detect({"a": values}, Placeholders()) == []


def test_a_positive_number_is_a_placeholder_from_three_rows_on(detect) -> None:
    for repeats, check in ((2, "outliers"), (3, "placeholders")):
        (finding,) = detect({"a": [*PRICES, *[999999.0] * repeats]}, Placeholders(), Outliers())
        assert (finding.metadata["check"], len(finding.row_indices)) == (check, repeats)


def test_surnames_levels_and_cameras_are_left_alone(detect) -> None:
    surnames = [DRAWN.choice(["Null", "Test", "Miller", "None", "Kim", *"ABCDEFGHIJKL"]) for _ in range(N)]
    levels = {"surname": surnames, "split": ["train", "test"] * 100, "part": ["II", "III", "XX", "XXX"] * 50}
    levels["state"] = ["AL", "AK", "CA", "DE", "FL", "GA", "HI", "IL", "KS", "MD", "ND", "NV", "NY"] * 16
    levels["state"] = levels["state"][:N]
    assert detect(levels, Placeholders(), DisguisedNulls()) == []
    assert detect({"level": ["None", "Low", "High", "Low"] * 50}, DisguisedNulls()) == []
    assert len(detect({"level": ["None", "low", "high", "low"] * 50}, DisguisedNulls())) == 1


def test_default_mails_and_phones_are_found(detect) -> None:
    mails = planted([f"u{i}@example.org" for i in range(N)], "test@test.com")
    phones = planted([f"+49 30 {DRAWN.randrange(10**6, 10**7)}" for _ in range(N)], "000-0000000")
    for column in (mails, phones):
        (finding,) = detect({"a": column}, Placeholders())
        assert finding.row_indices == PLACES


def test_a_code_of_nines_is_found_where_it_is_frequent(detect) -> None:
    codes = [f"{DRAWN.randrange(1000, 99000):05}" for _ in range(N)]
    (finding,) = detect({"zip": [*planted(codes, "99999"), "01234"]}, Placeholders())
    assert finding.row_indices == PLACES
    assert detect({"zip": [*codes, "99999", "01234"]}, Placeholders()) == []


def test_one_finding_reports_all_stand_ins_of_a_text_column(detect) -> None:
    values = planted(PRODUCTS, "TBD")
    values[0] = "N/A"
    (finding,) = detect({"a": values}, Placeholders(), DisguisedNulls())
    assert (finding.metadata["check"], finding.row_indices) == ("disguised_nulls", [0, *PLACES])


def test_the_end_of_the_calendar_is_a_stand_in_among_few_days(detect) -> None:
    days = [dt.date(2024, month, 1) for month in range(1, 6)] * 8
    values = [*days, *[dt.date(9999, 12, 31)] * 21]
    (finding,) = detect({"end": values}, Placeholders())
    assert finding.row_indices == list(range(40, 61))
    assert detect({"end": [*days, *[dt.date(9999, 12, 31)] * 41]}, Placeholders()) == []


def test_numbers_that_most_rows_have_are_no_default_phones(detect) -> None:
    assert not detect({"phone": [f"{2125550100 + i}" for i in range(20)]}, Placeholders())
    assert not detect({"card": [f"12345678901234{i:02}" for i in range(24)]}, Placeholders())
