"""The example of the pytentd document runs, with this package's import path."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.orm import Mapped, mapped_column

from lavendertown.database import Base, TableMixin


class Tenant(TableMixin, Base):
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]

    def __init__(self, name: str) -> None:
        self.name = name


@pytest.mark.parametrize("path", [":memory:", "tent.db", "odd ? name #1 100%.db"])
def test_storing_a_user_in_the_database(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from lavendertown import database as dbm

    monkeypatch.chdir(tmp_path)
    config = {"driver": "sqlite", "path": path}
    engine = dbm.connect(config)
    dbm.install_tables(engine)
    session = dbm.open_session(engine)
    u = Tenant("Joe Public")
    session.add(u)
    session.commit()
    session.close()
    again = dbm.open_session(engine)
    assert [each.name for each in again.query(Tenant)] == ["Joe Public"]
    assert Tenant.__tablename__ == "tenants"
    again.close()
    engine.dispose()
    assert (tmp_path / path).exists() == (path != ":memory:")
