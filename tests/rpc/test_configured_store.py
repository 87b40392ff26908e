"""The store that the settings name, opened once for RPC and MCP."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from lavendertown.core.errors import InvalidInputError
from lavendertown.core.settings import Settings
from lavendertown.rpc.team.records import ConfiguredStore


@dataclass
class Opened:
    data_dir: str
    is_closed: bool = False

    def close(self) -> None:
        self.is_closed = True


def test_a_store_is_opened_once_and_again_after_the_settings_name_another_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def open_store(settings: Settings) -> Opened:
        if settings.data_dir.name == "refused":
            raise InvalidInputError("refused")
        return Opened(settings.data_dir.name)

    find_store = ConfiguredStore(open_store)
    first = find_store()
    assert find_store() is first
    monkeypatch.setenv("LAVENDERTOWN_DATA_DIR", str(tmp_path / "refused"))
    with pytest.raises(InvalidInputError):
        find_store()
    assert not first.is_closed
    monkeypatch.setenv("LAVENDERTOWN_DATA_DIR", str(tmp_path / "second"))
    second = find_store()
    assert (first.is_closed, second.data_dir, second.is_closed) == (True, "second", False)
