"""Texts in another format than their column, and columns that have no format."""

from __future__ import annotations

import random

import pytest

from benchmarks.quality.clean_tables import make_table
from lavendertown.detectors import CategoryVariants, Placeholders, Shapes, TextDamage
from lavendertown.detectors.text.validators import is_article_number, is_iban

N = 200
DRAWN = random.Random(8)
STATIONS, EMPLOYEES, EVENTS = (make_table(name, 3, N) for name in ("stations", "employees", "events"))
COLUMNS: dict[str, list[str]] = {
    "sku": [f"AB-{DRAWN.randrange(1000, 9999)}" for _ in range(N)],
    "mail": EMPLOYEES["email"],
    "iban": EMPLOYEES["iban"],
    "url": STATIONS["url"],
    "ip": EVENTS["ip"],
    "device": STATIONS["device"],
    "country": EVENTS["country"],
    "currency": [DRAWN.choice(["EUR", "CHF", "GBP"]) for _ in range(N)],
    "phone": [f"+49 {DRAWN.randrange(30, 999)} {DRAWN.randrange(10**5, 10**8)}" for _ in range(N)],
    "start": EMPLOYEES["start_time"],
    "zip": [f"{DRAWN.randrange(1000, 99000):05}" for _ in range(N)],
    "size": [f"{DRAWN.randrange(9, 900)}x{DRAWN.randrange(9, 900)}" for _ in range(N)],
    "diagnosis": [DRAWN.choice(["E11.9", "I10", "J45.0", "M54.5", "F32.1"]) for _ in range(N)],
    "city": [DRAWN.choice(["Bern", "Genf", "St. Gallen"]) for _ in range(N)],
}


@pytest.mark.parametrize(
    ("name", "odd"),
    [
        ("sku", "AB1234"),
        ("sku", "ab-1234"),
        ("sku", "AB-123"),
        ("sku", "AB-123O"),
        ("mail", "anna at web.de"),
        ("mail", "anna@web"),
        ("mail", "a@@web.de"),
        ("iban", "DE02120300000000202052"),
        ("diagnosis", "M545"),
        ("url", "http:/web.de"),
        ("ip", "10.0.0.256"),
        ("device", "4f9e-1"),
        ("country", "XX"),
        ("country", "Germany"),
        ("currency", "EURO"),
        ("phone", "see mail"),
        ("start", "25:10"),
        ("zip", "1067"),
        ("size", "20 by 30"),
        ("city", "17"),
    ],
)
def test_another_format_is_found_with_its_rows(detect, name: str, odd: str) -> None:
    values = [odd if i in (4, 90) else value for i, value in enumerate(COLUMNS[name])]
    (finding,) = detect({name: values}, Shapes())
    assert (finding.ghost_type, finding.severity, finding.row_indices) == ("format", "warning", [4, 90])


@pytest.mark.parametrize("name", COLUMNS)
def test_a_column_of_one_format_has_no_finding(detect, name: str) -> None:
    assert detect({name: COLUMNS[name]}, Shapes()) == []


@pytest.mark.parametrize(
    "values",
    [
        [f"u{i}" for i in range(60, 1030)],  # The numbers go on: u99, u100; u999, u1000.
        [f"tt{i * 9_000:07}" for i in range(1111)] + ["tt13364334"],
        [f"{DRAWN.choice(['Desk', 'Sofa'])} {i % 7}" for i in range(N)] + ["Smart TV 43 inch"] * 9,
        [f"on {i} May she called us again" for i in range(N)] + ["ok"],
        ["v1.2"] * 90 + ["v1.3"] * 90 + ["v2.0-rc1"] * 20,
        [f"{DRAWN.choice(['carla', 'daniel', 'emil'])}{i % 90:02}" for i in range(N)] + ["ann07"],
        ["TRUE", "FALSE"] * 90 + ["FALSE"],
        ["AL", "CA", "NA", "DE", "GA", "IL", "MA", "MI", "NY"] * 20,
        ["200", "404"] * 90 + ["5xx"] * 20,
        [f"{DRAWN.random():.3f}" for _ in range(N)] + ["high"],  # Types reports it.
    ],
)
def test_columns_without_a_fixed_format_are_left_alone(detect, values: list[str]) -> None:
    assert detect({"a": values}, Shapes()) == []


def test_values_of_other_checks_are_not_reported_again(detect) -> None:
    values = [*COLUMNS["sku"], "TBD", "N/A", "AB-1234 ", "AB-\ufffd234"]
    checks = detect({"a": values}, Shapes(), TextDamage(), CategoryVariants())
    assert [finding.metadata["check"] for finding in checks] == ["text_damage"]
    assert detect({"a": [*COLUMNS["sku"], "TBD"]}, Placeholders(), Shapes())[0].row_indices == [N]


def test_a_wrong_check_digit_of_a_number_is_found(detect) -> None:
    codes = [int(code) for code in make_table("products", 3, N)["ean"]]
    codes[7] += 1
    (finding,) = detect({"ean": codes}, Shapes())
    assert finding.row_indices == [7]
    assert detect({"n": [DRAWN.randrange(10**12, 10**13) for _ in range(N)]}, Shapes()) == []


def test_checksums() -> None:
    assert is_iban("GB82 WEST 1234 5698 7654 32")
    assert not is_iban("GB82 WEST 1234 5698 7654 33")
    assert not is_iban("gb82 west 1234 5698 7654 32")
    assert not is_iban("DE3636805531281361908")  # The checksum is right by chance, but a digit is missing.
    assert is_article_number("4006381333931")
    assert not is_article_number("4006381333930")


def test_the_coverage_is_a_parameter(detect) -> None:
    values = COLUMNS["sku"][:97] + [f"X{i}Y" for i in range(10, 13)]
    assert detect({"a": values}, Shapes())[0].row_indices == [97, 98, 99]
    assert detect({"a": values}, Shapes(min_coverage=0.99)) == []


def test_digits_of_other_forms_are_compared(detect) -> None:
    values = [f"m{2 + number % 2}" for number in range(150)] + ["m\u00b2"] * 2
    assert not any(finding.ghost_type == "check_error" for finding in detect({"unit": values}, Shapes()))


def test_a_code_that_usual_forms_continue_in_several_ways_is_no_other_format(detect) -> None:
    random.seed(1)
    numbers = [
        f"N{random.randrange(100, 1_000)}{random.choice('AB')}{random.choice('CD')}" for _ in range(300)
    ]
    numbers += [f"N{random.randrange(50_000, 52_000)}" for _ in range(60)]
    numbers += [f"N{random.randrange(1_000, 10_000)}A" for _ in range(40)]
    short = [f"N{random.randrange(1_000, 10_000)}" for _ in range(3)]
    assert detect({"tail": [*numbers, *short]}, Shapes()) == []
    (finding,) = detect({"tail": [*numbers, *short, "N-1602", "16-02A"]}, Shapes())
    assert finding.row_indices == [403, 404]
    (finding,) = detect({"tail": [*numbers[:300], "N160A"]}, Shapes())
    assert finding.row_indices == [300]
