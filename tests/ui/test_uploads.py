"""Uploaded files: private, within limits, and gone with their session."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from lavendertown.errors import FileLimitError
from lavendertown.ui.server.uploads import GRACE_SECONDS, MAX_SECONDS, UploadFolders, remove_leftovers

MEBIBYTE = 1024**2


@pytest.fixture
def folders(monkeypatch: pytest.MonkeyPatch) -> Iterator[UploadFolders]:
    monkeypatch.setenv("LAVENDERTOWN_LIMITS_UPLOAD_MB", "1")
    monkeypatch.setenv("LAVENDERTOWN_LIMITS_UPLOADS_MB", "2")
    folders = UploadFolders()
    yield folders
    folders.close()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def kept_at(folders: UploadFolders, path: Path) -> float:
    return next(folder.uploads[path] for folder in folders._folders.values() if path in folder.uploads)


def test_an_upload_is_readable_by_this_user_alone(folders: UploadFolders) -> None:
    upload = folders.write_upload("s1", "orders.csv", b"a\n1\n")
    assert upload.path.read_bytes() == b"a\n1\n"
    assert [mode(path) for path in (upload.path, *list(upload.path.parents)[:2])] == [0o600, 0o700, 0o700]


def test_a_file_over_the_limit_is_refused(folders: UploadFolders) -> None:
    with pytest.raises(FileLimitError, match=r"orders\.csv is larger than 1 MB.*limits\.upload_mb"):
        folders.write_upload("s1", "orders.csv", bytes(MEBIBYTE + 1))


def test_uploads_of_all_sessions_have_one_limit_together(folders: UploadFolders) -> None:
    first = folders.write_upload("s1", "a.csv", bytes(MEBIBYTE))
    folders.write_upload("s2", "b.csv", bytes(MEBIBYTE))
    with pytest.raises(FileLimitError, match=r"c\.csv was not stored.*limits\.uploads_mb"):
        folders.write_upload("s3", "c.csv", b"1")
    folders.delete_path("s1", first.path)
    folders.write_upload("s3", "c.csv", b"1")


def test_the_folder_of_a_session_that_is_over_is_deleted(folders: UploadFolders) -> None:
    ended: list[str] = []
    gone, stays = folders.write_upload("s1", "a.csv", b"1"), folders.write_upload("s2", "b.csv", b"1")
    folders.on_session_end("s1", lambda: ended.append("s1"))
    now = kept_at(folders, gone.path)
    folders.delete_expired(lambda session: session == "s2", now + GRACE_SECONDS - 1)
    assert gone.path.exists()
    folders.delete_expired(lambda session: session == "s2", now + GRACE_SECONDS + 1)
    assert (gone.path.parent.exists(), stays.path.exists(), ended) == (False, True, ["s1"])


def test_an_old_file_is_deleted_while_its_session_lasts(folders: UploadFolders) -> None:
    upload = folders.write_upload("s1", "a.csv", b"1")
    folders.delete_expired(lambda session: True, kept_at(folders, upload.path) + MAX_SECONDS + 1)
    assert not upload.path.exists()


def test_nothing_is_left_when_the_server_stops(folders: UploadFolders) -> None:
    upload = folders.write_upload("s1", "a.csv", b"1")
    folders.close()
    assert not upload.path.parents[1].exists()


def test_what_a_killed_server_left_is_deleted_a_day_later(tmp_path: Path) -> None:
    old, young, other = (tmp_path / f"{name}-1" for name in ("lavendertown-uploads", "x", "y"))
    for folder in (old, young, other):
        folder.mkdir()
    young = young.rename(tmp_path / "lavendertown-uploads-2")
    os.utime(old, (0, 0))
    os.utime(other, (0, 0))
    remove_leftovers(tmp_path, before=1_000.0)
    assert [folder.exists() for folder in (old, young, other)] == [False, True, True]


def test_part_files_lie_in_one_folder_without_their_names_and_count_together(folders: UploadFolders) -> None:
    parts = [("../../a.csv", b"x" * 600_000), ("b.csv", b"y" * 400_000)]
    upload = folders.write_parts("s1", parts)
    assert (upload.name, upload.parts, upload.size) == (
        "../../a.csv and 1 more",
        ("a.csv", "b.csv"),
        1_000_000,
    )
    assert sorted(path.name for path in upload.path.iterdir()) == ["0", "1"]
    assert (mode(upload.path), folders.total_bytes()) == (0o700, 1_000_000)
    with pytest.raises(FileLimitError, match=r"a\.csv and 1 more is larger than 1 MB"):
        folders.write_parts("s1", [("a.csv", bytes(MEBIBYTE)), ("b.csv", b"1")])
    folders.delete_path("s1", upload.path)
    assert (upload.path.exists(), folders.total_bytes()) == (False, 0)
