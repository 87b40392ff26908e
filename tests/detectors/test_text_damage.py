"""Damaged text, and text that is right although it is unusual."""

from __future__ import annotations

import pytest

from lavendertown.detectors import CategoryVariants, TextDamage

NOTES = [f"{word} {i} times" for i in range(20) for word in ("called", "paid", "Über", "wrote", "naïve")]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("MÃ¼ller", "mojibake"),
        ("donâ€™t", "mojibake"),
        ("Wi\u00c5\u203aniewski", "mojibake"),
        ("\u00f0\u0178\u02dc\u20ac ok", "mojibake"),
        ("Zo\ufffd", "replacement signs"),
        ("Ann\u200bLee", "invisible signs"),
        ("\ufeffAnn", "invisible signs"),
        ("a\x07b", "control signs"),
        ("Tom &amp; Ann", "entities"),
        ("a&nbsp;b", "entities"),
        ("<p>well</p>", "tags"),
        ("one\\nTwo", "escapes"),
        ("a%20b", "escapes"),
        ("M\u043eskva", "letters of two scripts"),
        (" Ann", "outer blanks"),
        ("Ann\t", "outer blanks"),
        ("Ann\u00a0", "outer blanks"),
        ("Ann  Lee", "double blanks"),
    ],
)
def test_damage_is_found_with_its_rows(detect, text: str, kind: str) -> None:
    (finding,) = detect({"a": [*NOTES, text, text]}, TextDamage())
    assert (finding.ghost_type, finding.row_indices) == ("format", [100, 101])
    assert finding.metadata["damage"] == {kind: 2}
    assert finding.severity == ("info" if "blanks" in kind else "warning")


@pytest.mark.parametrize(
    "text",
    [
        "SÃO PAULO",
        "Ângela",
        "CAFÉ” and À…",
        "R&D; AT&T",
        "Tom & Ann",
        "a < b",
        "C:\\new\\temp",
        "50 % off",
        "50%",
        "Well.  Next",
        "naïve",
        "“quoted”",
        "Why?",
        "שלום\u200f",
        "👩\u200d🚀",
        "Москва",
        "5 µm",
        "Ω",
        "x²",
    ],
)
def test_unusual_text_is_left_alone(detect, text: str) -> None:
    assert detect({"a": [*NOTES, text]}, TextDamage()) == []


def test_what_is_usual_in_a_column_is_left_alone(detect) -> None:
    assert detect({"a": [f"<p>{note}</p> &amp;" for note in NOTES]}, TextDamage()) == []
    assert detect({"a": [f"{note}  " for note in NOTES]}, TextDamage()) == []


def test_a_question_mark_stands_for_a_letter_of_another_value(detect) -> None:
    (finding,) = detect({"a": ["München"] * 9 + ["M?nchen", "Wien?", "Bern"]}, TextDamage())
    assert finding.row_indices == [9]


def test_several_kinds_are_one_finding(detect) -> None:
    (finding,) = detect({"a": [*NOTES, "MÃ¼ller", " x"]}, TextDamage(), CategoryVariants())
    assert finding.row_indices == [100, 101]
    assert finding.description.endswith("in 2 of 102 rows (2%): mojibake, outer blanks.")
