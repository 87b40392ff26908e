"""Missing values that are written out."""

from __future__ import annotations

import pytest

from lavendertown.detectors import DisguisedNulls

SIGNS = [
    "", " ", "\t", "N/A", "n/a", "NA", "na", "n.a.", "NaN", "nan", "NULL", "null", "None", "none", "nil",
    "-", "--", "?", "??", "#N/A", "<NA>", ".", "—", "unknown", "Missing", " n/a ", "undefined", "\\N",
]  # fmt: skip


@pytest.mark.parametrize("sign", SIGNS)
def test_a_stand_in_is_found(detect, sign: str) -> None:
    (finding,) = detect({"a": ["red", sign, "blue", "green", sign]}, DisguisedNulls())
    assert (finding.ghost_type, finding.row_indices, finding.metadata["count"]) == (
        "disguised_null",
        [1, 4],
        2,
    )
    assert finding.metadata["samples"] == [sign]


@pytest.mark.parametrize(
    "word", ["Nan Goldin", "Na", "Nan", "-5", "nonesuch", "A-", "N", "0", "no", "nothing", "x.", "1/a"]
)
def test_other_words_are_left_alone(detect, word: str) -> None:
    assert detect({"a": ["red", word, "blue"]}, DisguisedNulls()) == []


def test_na_among_country_codes_is_namibia(detect) -> None:
    assert detect({"country": ["NA", "DE", "FR", "US", "ZA", "BW"]}, DisguisedNulls()) == []
    (finding,) = detect({"country": ["NA", "DE", "FR", "US", "ZA", "-"]}, DisguisedNulls())
    assert finding.row_indices == [5]


def test_a_rare_word_may_be_a_title(detect) -> None:
    assert detect({"film": [f"Film {i}" for i in range(2000)] + ["Unknown"]}, DisguisedNulls()) == []


def test_the_sentence_names_what_was_met(detect) -> None:
    (one,) = detect({"sex": ["f", "m", "NA", "f"]}, DisguisedNulls())
    assert one.description == "sex has the placeholder 'NA' in 1 of 4 rows (25%)."
    (blank,) = detect({"sex": ["f", "m", " ", ""]}, DisguisedNulls())
    assert "has only spaces or empty text in 2 of 4 rows" in blank.description
