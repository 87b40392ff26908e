"""Worklists that people fill in, sort, filter and rearrange in LibreOffice.

They need ``soffice`` and a Python with its module ``uno``, such as those of Debian's packages
``libreoffice-calc`` and ``python3-uno``; without them, the tests are skipped.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from lavendertown.interchange.worklists.worklist_file import write_worklist
from tests.interchange.test_worklist_files import EXPECTED, WORKLIST, answers, filled_sheet, read, saved
from tests.support.dashboard import free_port

SYSTEM_PYTHON = "/usr/bin/python3"
SCRIPT = Path(__file__).parents[1] / "support" / "libreoffice_edit.py"
TIMEOUT = 120


@pytest.fixture(scope="module")
def soffice(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """LibreOffice with a profile of its own, without a window."""
    program = shutil.which("soffice")
    if program is None:
        pytest.skip("LibreOffice is not installed: there is no program soffice.")
    profile = tmp_path_factory.mktemp("profile").as_uri()
    return [program, "--headless", "--norestore", f"-env:UserInstallation={profile}"]


def convert(soffice: list[str], source: Path, ending: str, folder: Path) -> Path:
    command = [*soffice, "--convert-to", ending, "--outdir", str(folder), str(source)]
    subprocess.run(command, check=True, capture_output=True, timeout=TIMEOUT)
    return folder / f"{source.stem}.{ending}"


def test_a_filled_file_survives_other_formats(soffice: list[str], tmp_path: Path) -> None:
    source = tmp_path / "ben.xlsx"
    source.write_bytes(saved(filled_sheet()[0]))
    ods = convert(soffice, source, "ods", tmp_path)
    back = convert(soffice, ods, "xlsx", tmp_path / "again")
    xls = convert(soffice, ods, "xls", tmp_path)
    table = convert(soffice, ods, "csv", tmp_path)
    for path in (ods, back, xls, table):
        assert answers(read(path.read_bytes(), path.name)) == EXPECTED, path.name


def test_answers_land_on_their_rows_after_work_in_libreoffice(soffice: list[str], tmp_path: Path) -> None:
    known = subprocess.run([SYSTEM_PYTHON, "-c", "import uno"], check=False, capture_output=True)
    if known.returncode:
        pytest.skip(f"{SYSTEM_PYTHON} has no module uno, which Debian's python3-uno has.")
    source = tmp_path / "ben.xlsx"
    source.write_bytes(write_worklist(WORKLIST))
    targets = [tmp_path / f"filled.{ending}" for ending in ("xlsx", "ods", "csv")]
    port = free_port()
    listen = f"--accept=socket,host=127.0.0.1,port={port};urp;"
    with subprocess.Popen([*soffice, listen], stderr=subprocess.DEVNULL) as program:
        try:
            command = [SYSTEM_PYTHON, str(SCRIPT), str(port), str(source), *map(str, targets)]
            subprocess.run(command, check=True, timeout=TIMEOUT)
            program.wait(TIMEOUT)
        finally:
            program.kill()
    for path in targets:
        found = read(path.read_bytes(), path.name)
        assert answers(found) == EXPECTED, path.name
        assert found.problems == (), path.name
        assert {number for _, number in found.rows} == {1, 3, 4, 5}, path.name
