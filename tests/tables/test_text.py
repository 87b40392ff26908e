# ruff: noqa: RUF001
"""Encodings: found, told, and refused where they are broken."""

from __future__ import annotations

import pytest

from lavendertown.errors import UnreadableTableError
from lavendertown.tables.text_files.text_encoding import decode_text


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_unicode_encodings_are_sure(encoding: str) -> None:
    text = "name,city\nZoë,Köln\nIan,Cork\n"
    assert decode_text(text.encode(encoding), "f.csv")[0] == text


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Nom;Ville\nHélène;Orléans\nFrançois;Besançon\n", "cp1252"),
        ("name;x\nMüller;1\nGroß;2\n", "cp1252"),
        ("price;x\n5 €;“q”\n", "cp1252"),
        ("name,miasto\nŁukasz,Kraków\nŻaneta,Łódź\n", "cp1250"),
        ("имя,город\nАнна,Москва\nБорис,Тверь\n", "cp1251"),
        ("όνομα\nΓιώργος\nΕλένη\n", "cp1253"),
        ("名前,数\n田中,1\n鈴木,2\n", "shift_jis"),
        ("姓名,城市\n王伟,北京\n李娜,上海\n", "gb18030"),
    ],
)
def test_older_encodings_are_guessed_and_said_to_be(text: str, encoding: str) -> None:
    assert decode_text(text.encode(encoding), "f.csv") == (text, encoding, f"{encoding} (guessed)")


def test_one_broken_byte_in_utf8_does_not_spoil_the_rest() -> None:
    raw = "a,b\nä,1\nö,2\nü,3\né,4\n".encode() + b"\xff,5\n"
    with pytest.raises(UnreadableTableError, match=r"f\.csv, line 6: a byte is not valid UTF-8"):
        decode_text(raw, "f.csv")


def test_cut_off_utf16_is_refused() -> None:
    with pytest.raises(UnreadableTableError, match="UTF-16"):
        decode_text("a,b\n1,2\n".encode("utf-16")[:-1], "f.csv")
