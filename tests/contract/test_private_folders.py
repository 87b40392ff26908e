"""Files of a data folder are as private as the folder."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from lavendertown.collaboration.storage import FileStorage
from tests.contract.builders import report


@pytest.mark.parametrize(("folder_mode", "file_mode"), [(0o700, 0o600), (0o755, 0o644)])
def test_what_is_saved_may_be_read_by_those_who_may_read_the_folder(
    tmp_path: Path, folder_mode: int, file_mode: int
) -> None:
    root = tmp_path / "data"
    root.mkdir()
    root.chmod(folder_mode)
    storage = FileStorage(root)
    storage.save_report(report("r1"))
    modes = {stat.S_IMODE(path.stat().st_mode) for path in root.glob("*/*") if path.is_file() and path.suffix}
    assert modes == {file_mode}
    assert stat.S_IMODE((root / "reports").stat().st_mode) == folder_mode
