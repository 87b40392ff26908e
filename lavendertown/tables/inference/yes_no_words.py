"""Read columns of yes/no words as such values."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from lavendertown.tables.inference import patterns
from lavendertown.tables.inference.text_columns import TextColumn

PAIRS = (
    ("true", "false"),
    ("yes", "no"),
    ("y", "n"),
    ("t", "f"),
    ("on", "off"),
    ("ja", "nein"),
    ("oui", "non"),
    ("sí", "no"),
    ("si", "no"),
    ("wahr", "falsch"),
    ("vrai", "faux"),
)
YES_NO = {
    **{word: True for word, _ in PAIRS},
    **{word: False for _, word in PAIRS},
    **{"1": True, "x": True, "0": False},
}
"""The words that count in a column that a person set to yes/no values."""

_WORD = "^(?i:" + "|".join(sorted({word for pair in PAIRS for word in pair})) + r")\s*$"
_SAMPLE_SHARE = 0.35


@dataclass(frozen=True)
class YesNoWords:
    """A text column whose values are mostly a pair of words.

    Attributes:
        values: True, False, or null where the text is neither.
        present: The number of values that are not missing or stand-ins for missing ones.
        found: The number of values that are one of the words.
        spellings: How the words are written, the one for yes first.
    """

    values: pl.Series
    present: int
    found: int
    spellings: tuple[str, ...]


def find_yes_no_words(column: TextColumn) -> YesNoWords | None:
    """Return the values of a text column as yes or no, by the most frequent pair; None without both words."""
    if column.share_of_first(_WORD) < _SAMPLE_SHARE:
        return None
    words = column.values.str.strip_chars().str.to_lowercase()
    counts = dict(words.value_counts().iter_rows())
    both = [pair for pair in PAIRS if all(counts.get(word) for word in pair)]
    if not both:
        return None
    yes, no = max(both, key=lambda pair: sum(counts[word] for word in pair))
    values = words.replace_strict({yes: True, no: False}, default=None, return_dtype=pl.Boolean)
    spellings = {
        word: sorted(column.values.filter(words == word).unique().to_list(), key=str.swapcase)
        for word in (yes, no)
    }
    return YesNoWords(
        values,
        column.present - column.count_matches(patterns.DISGUISED_NULL),
        counts[yes] + counts[no],
        (*spellings[yes], *spellings[no]),
    )
