"""Text that was cut at a maximum length."""

from __future__ import annotations

import random

import pytest

from lavendertown.detectors import CutText

DRAWN = random.Random(5)
WORDS = ["the", "customer", "called", "about", "delivery", "an", "invoice", "again", "on", "Monday", "refund"]
NOTES = [f"{' '.join(DRAWN.choices(WORDS, k=DRAWN.randrange(2, 14)))}." for _ in range(200)]


def test_text_of_the_maximum_length_is_found(detect) -> None:
    cut = [note[:40] for note in NOTES]
    (finding,) = detect({"a": cut}, CutText())
    expected = [i for i, note in enumerate(cut) if len(note) == 40 and not note.endswith(".")]
    assert (finding.ghost_type, finding.severity, finding.row_indices) == ("format", "info", expected)
    assert "the maximum length of 40 characters" in finding.description


@pytest.mark.parametrize(
    "values",
    [
        NOTES,
        [f"DE{DRAWN.randrange(10**19, 10**20)}" for _ in range(200)],
        [f"Room {DRAWN.choice('ABC')} in house {i % 10}" for i in range(200)],
        ["Delivery to the neighbour of the house"] * 50 + NOTES[:20],
    ],
)
def test_text_with_an_end_is_left_alone(detect, values: list[str]) -> None:
    values = [value for value in values if not (values[0].startswith("Deliv") and len(value) > 38)]
    assert detect({"a": values}, CutText()) == []
