"""Spellings of categories, and categories that only look alike."""

from __future__ import annotations

import pytest

from lavendertown.detectors import CategoryVariants, TextDamage

DEPARTMENTS = ["Engineering"] * 60 + ["Finance"] * 40 + ["Public sector"] * 30 + ["Legal"]


@pytest.mark.parametrize(
    "spelling",
    [
        "engineering", "FINANCE", "Finanec", "Enginering", "Public  Sector", "Public-sector", "Finance.",
        "\uff26inance", "Publik sector", "Enginereeing",
    ],
)  # fmt: skip
def test_another_spelling_is_found_with_its_rows(detect, spelling: str) -> None:
    (finding,) = detect({"a": [spelling, *DEPARTMENTS, spelling]}, CategoryVariants())
    assert (finding.ghost_type, finding.severity, finding.row_indices) == ("category", "warning", [0, 132])
    assert list(finding.metadata["spellings"]) == [spelling]


def test_stray_blanks_belong_to_the_spellings_if_there_are_others(detect) -> None:
    values = [*DEPARTMENTS, "finance", "Finance "]
    (finding,) = detect({"a": values}, CategoryVariants(), TextDamage())
    assert (finding.metadata["check"], finding.row_indices) == ("category_variants", [131, 132])
    (finding,) = detect({"a": [*DEPARTMENTS, "Finance "]}, CategoryVariants(), TextDamage())
    assert (finding.metadata["check"], finding.row_indices) == ("text_damage", [131])


@pytest.mark.parametrize(
    "values",
    [
        DEPARTMENTS,
        ["  negative"] * 9 + [" negative"] * 3 + ["  positive"] * 8,
        ["Item 1"] * 50 + ["Item 2"] * 2,
        ["Berlin"] * 50 + ["Bern"] * 2,
        ["Assistant II"] * 50 + ["Assistant III"] * 2,
        ["Consultant A"] * 50 + ["Consultant B"],
        ["typical"] * 50 + ["atypical"],
        ["A+"] * 50 + ["A-"] * 2,
        ["0+"] * 50 + ["0-"] * 2,
        ["C++"] * 50 + ["C"] * 2,
        ["Hamburg"] * 30 + ["Homburg", "Aachen", "Siegen", "Trier", "Plauen"] * 2,
        [f"Title {i}" for i in range(50)] + ["the kid", "The Kid"],
    ],
)
def test_different_categories_are_left_alone(detect, values: list[str]) -> None:
    assert detect({"a": values}, CategoryVariants()) == []


def test_names_of_people_may_be_close(detect) -> None:
    values = ["Hansen"] * 50 + ["Hanson"] * 2
    assert detect({"surname": values}, CategoryVariants()) == []
    assert detect({"surname": [*values, "HANSEN"]}, CategoryVariants())[0].row_indices == [52]


def test_identifiers_are_left_alone(detect) -> None:
    assert detect({"user_id": ["aB3"] * 3 + ["Ab3"] + [f"x{i}" for i in range(20)]}, CategoryVariants()) == []


def test_other_words_for_yes_and_no(detect) -> None:
    (finding,) = detect({"a": ["yes", "no"] * 30 + ["Y", "true"]}, CategoryVariants())
    assert finding.row_indices == [60, 61]
    assert detect({"a": ["yes", "no"] * 30 + ["n/k"]}, CategoryVariants()) == []


def test_words_that_differ_in_case_are_one_category_however_frequent(detect) -> None:
    values = ["Berlin"] * 13 + ["BERLIN"] * 11 + ["berlin"] * 11 + ["Lyon"] * 7
    (finding,) = detect({"city": values}, CategoryVariants())
    assert finding.row_indices == list(range(13, 35))
    assert detect({"unit": ["mm"] * 10 + ["MM"] * 9 + ["cm"] * 12}, CategoryVariants()) == []
