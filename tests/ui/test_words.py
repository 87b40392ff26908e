"""The words of the screens."""

from __future__ import annotations

import pytest

from lavendertown.ui.components import words


@pytest.mark.parametrize(
    ("description", "short"),
    [
        ("email is empty in 41,188 of 1,204,318 rows (3.4 %).", "email is empty"),
        (
            "Released holds dates stored as text: 17,472 of 17,472 rows (100 %).",
            "Released holds dates stored as text",
        ),
        ("Region is 'Anvers' in every row (94).", "Region is 'Anvers' in every row"),
        ("Column 'a' has 3 outliers", "Column 'a' has 3 outliers"),
        ("", ""),
    ],
)
def test_a_headline_leaves_the_counts_to_their_own_column(description: str, short: str) -> None:
    assert words.headline(description) == short
