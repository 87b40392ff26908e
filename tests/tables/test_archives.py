"""Zip archives: the one table in them, members by name, and archives that are not read."""

from __future__ import annotations

import gzip
import io
import zipfile

import openpyxl
import pytest

from lavendertown.core.file_limits import FileLimits
from lavendertown.errors import FileLimitError, UnreadableTableError
from lavendertown.tables import read_table

CSV = b"id,x\n1,a\n2,b\n"


def pack(members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def refusal(members: dict[str, bytes], member: str | None = None) -> str:
    with pytest.raises(UnreadableTableError) as caught:
        read_table(pack(members), "delivery.zip", member=member)
    return str(caught.value)


def test_the_one_table_in_a_zip_archive_is_read() -> None:
    table = read_table(pack({"may/orders.csv": CSV}), "delivery-2026-05.zip")
    assert (table.name, table.columns, table.row_count) == ("delivery-2026-05.zip", ["id", "x"], 2)
    assert table.guesses[0] == "Read may/orders.csv in the zip archive delivery-2026-05.zip."


@pytest.mark.parametrize("other", ["manual.pdf", "readme.txt"])
def test_files_beside_the_table_are_left_out_and_named(other: str) -> None:
    table = read_table(pack({other: b"Remarks, and more.", "orders.csv": CSV}), "delivery.zip")
    assert table.columns == ["id", "x"]
    assert table.guesses[0] == f"Read orders.csv in the zip archive delivery.zip; left out: {other}."


def test_folders_and_files_of_the_operating_system_do_not_count() -> None:
    members = {
        "data/": b"",
        "data/orders.csv": CSV,
        "__MACOSX/data/._orders.csv": b"\x00",
        ".DS_Store": b"\x00",
    }
    table = read_table(pack(members), "delivery.zip")
    assert table.guesses[0] == "Read data/orders.csv in the zip archive delivery.zip."


def test_a_workbook_and_a_gzipped_file_in_an_archive_are_read() -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in (["a", "b"], [1, 2]):
        book.active.append(row)
    content = io.BytesIO()
    book.save(content)
    assert read_table(pack({"orders.xlsx": content.getvalue()}), "delivery.zip").columns == ["a", "b"]
    assert read_table(pack({"orders.csv.gz": gzip.compress(CSV)}), "delivery.zip").columns == ["id", "x"]


def test_of_several_tables_one_is_chosen_by_name() -> None:
    archive = pack({"orders.csv": CSV, "parts/items.csv": b"item\nbolt\nnut\n"})
    table = read_table(archive, "delivery.zip", member="parts/items.csv")
    assert (table.name, table.columns) == ("items.csv", ["item"])
    assert table.guesses[0] == "Read parts/items.csv in the zip archive delivery.zip."


def test_several_tables_are_listed() -> None:
    assert refusal({f"{month}.csv": CSV for month in ("jan", "feb", "mar", "apr", "may")}) == (
        "delivery.zip contains 5 files (jan.csv, feb.csv, mar.csv, apr.csv and 1 more); extract one of them, "
        "or on the command line name it as delivery.zip::jan.csv."
    )


@pytest.mark.parametrize(
    ("members", "member", "message"),
    [
        ({"a.csv": CSV}, "b.csv", "has no member b.csv; it contains a.csv"),
        ({"../orders.csv": CSV}, None, r"unsafe path \(\.\./orders\.csv\)"),
        ({"/etc/orders.csv": CSV}, None, r"unsafe path \(/etc/orders\.csv\)"),
        ({"..\\orders.csv": CSV}, None, "unsafe path"),
        ({"C:\\orders.csv": CSV}, None, "unsafe path"),
        ({"a.csv": CSV, "../b.csv": CSV}, "a.csv", "unsafe path"),
        ({"inner.zip": pack({"orders.csv": CSV})}, None, r"contains another archive \(inner\.zip\); extract"),
        ({"orders.csv.gz": gzip.compress(pack({"o.csv": CSV}))}, None, "its content is a zip file"),
        ({"orders.gz": gzip.compress(pack({"o.csv": CSV}))}, None, "contains another archive"),
        ({}, None, "is an empty zip archive"),
        ({"orders.csv": b""}, None, r"orders\.csv is empty"),
        ({"orders.db": b"SQLite format 3\x00" + bytes(90)}, None, "is a database, which is read only as"),
    ],
)
def test_an_archive_without_a_table_to_read_is_one_sentence(
    members: dict[str, bytes], member: str | None, message: str
) -> None:
    with pytest.raises(UnreadableTableError, match=message):
        read_table(pack(members), "delivery.zip", member=member)


def test_a_member_of_a_file_that_is_no_archive_is_refused() -> None:
    with pytest.raises(
        UnreadableTableError, match=r"neither a zip archive nor a database; leave out ::a\.csv"
    ):
        read_table(CSV, "orders.csv", member="a.csv")


def test_control_characters_in_a_member_name_are_not_repeated() -> None:
    message = refusal({"a\x1b[31m\n.csv": CSV, f"{'b' * 500}.csv": CSV})
    assert message.isprintable()
    assert len(message) < 300


def test_an_encrypted_member_is_refused() -> None:
    raw = bytearray(pack({"orders.csv": CSV}, zipfile.ZIP_STORED))
    raw[6] |= 1
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(UnreadableTableError, match=r"is encrypted; unpack it with its password"):
        read_table(bytes(raw), "delivery.zip")


def test_a_bomb_is_refused_while_it_is_unpacked() -> None:
    raw = bytearray(pack({"orders.csv": b"a,b\n" + b"1,2\n" * 1_000_000}))
    for start, field in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):  # the header claims 100 bytes
        at = raw.index(start) + field
        raw[at : at + 4] = (100).to_bytes(4, "little")
    with pytest.raises(UnreadableTableError, match="damaged"):  # no more than claimed is unpacked
        read_table(bytes(raw), "bomb.zip", FileLimits(uncompressed_bytes=1_000_000))
    honest = pack({"orders.csv": b"a,b\n" + b"1,2\n" * 1_000_000})
    with pytest.raises(FileLimitError, match=r"bomb\.zip unpacks to more than the limit"):
        read_table(honest, "bomb.zip", FileLimits(uncompressed_bytes=1_000_000))


def test_other_members_do_not_count_for_the_limit() -> None:
    archive = pack({"orders.csv": CSV, "picture.png": bytes(2_000_000)})
    assert read_table(archive, "delivery.zip", FileLimits(uncompressed_bytes=1_000_000)).row_count == 2


@pytest.mark.parametrize("cut", [30, 60, 90])
def test_a_damaged_archive_is_one_sentence(cut: int) -> None:
    raw = pack({"orders.csv": CSV * 50})
    with pytest.raises(UnreadableTableError, match="is a damaged zip archive"):
        read_table(raw[:cut], "delivery.zip")


def test_a_directory_that_points_before_the_file_is_one_sentence() -> None:
    raw = bytearray(pack({"orders.csv": CSV}))
    at = raw.rindex(b"PK\x05\x06") + 16
    raw[at : at + 4] = (5_000).to_bytes(4, "little")
    with pytest.raises(UnreadableTableError, match="is a damaged zip archive"):
        read_table(bytes(raw), "delivery.zip")


def test_a_damaged_member_is_one_sentence() -> None:
    raw = bytearray(pack({"orders.csv": CSV * 50}))
    raw[45:50] = b"\xff" * 5
    with pytest.raises(UnreadableTableError, match="is a damaged zip archive"):
        read_table(bytes(raw), "delivery.zip")
