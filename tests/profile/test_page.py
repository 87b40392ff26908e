"""The page docs/evidence.md works as written."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lavendertown.core.settings import SETTINGS

PAGE = Path(__file__).parents[2] / "docs" / "evidence.md"
CSV = "order,placed,email\n1,2024-05-01,a@example.org\n2,2024-05-01,\n3,2024-05-02,b@example.org\n"


def test_the_samples_of_the_page_run_one_after_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LAVENDERTOWN_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("LAVENDERTOWN_EVIDENCE_MASK", "email,*_name")
    (tmp_path / "orders.csv").write_text(CSV, "utf-8")
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    assert len(blocks) == 2
    names: dict[str, object] = {}
    for block in blocks:
        exec(block, names)
    stored = b"".join(path.read_bytes() for path in (tmp_path / "data").rglob("*.json"))
    assert b'"order"' in stored
    assert b"example.org" not in stored


def test_the_page_names_settings_that_exist() -> None:
    named = set(re.findall(r"LAVENDERTOWN_EVIDENCE_\w+", PAGE.read_text("utf-8")))
    assert named == {each.environment_variable for each in SETTINGS if each.name.startswith("evidence.")}
