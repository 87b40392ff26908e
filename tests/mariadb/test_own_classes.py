"""An application's own classes on MariaDB."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from lavendertown.database import application, startup
from lavendertown.database.connections import connect
from lavendertown.database.model_accessor import _HOOKS, ModelAccessor
from lavendertown.errors import ConflictError
from lavendertown.stores.sql.copies.export import export_database


class Base(DeclarativeBase):
    pass


class Badge(Base):
    __tablename__ = "badges"
    __table_args__ = (sa.UniqueConstraint("house", "number"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    house: Mapped[str]
    number: Mapped[int]
    issued: Mapped[dt.datetime | None]
    deleted_at: Mapped[dt.datetime | None]


@pytest.fixture
def badges(mariadb_url: str) -> Iterator[ModelAccessor[Badge]]:
    startup.bootstrap(database_url=mariadb_url)
    startup.create_missing_tables(application.get_engine(), Base.metadata)
    yield ModelAccessor(Badge, "badges")
    application.current_database().close()
    _HOOKS.clear()


def badge(house: str = "a", number: int = 1) -> Badge:
    return Badge(house=house, number=number, issued=dt.datetime(2026, 1, 2, 3, 4, 5, 678_901))


def test_live_rows_collide_and_deleted_ones_do_not(badges: ModelAccessor[Badge]) -> None:
    first = badges.insert(badge())
    with pytest.raises(ConflictError):
        badges.insert(badge())
    for _ in range(2):
        badges.delete(first.id)
        first = badges.insert(badge())
    assert len(badges.all(include_deleted=True)) == 3
    assert len(badges.all()) == 1


def test_upper_and_lower_case_and_blanks_are_different_values(badges: ModelAccessor[Badge]) -> None:
    for house in ("a", "A", "a ", "ä", "🏠"):
        badges.insert(badge(house))
    assert [each.house for each in badges.all()] == ["a", "A", "a ", "ä", "🏠"]


def test_the_column_behind_it_is_nobodys_business(badges: ModelAccessor[Badge], tmp_path: Any) -> None:
    badges.insert(badge())
    with application.get_engine().connect() as connection:
        row = connection.exec_driver_sql("SELECT * FROM badges").mappings().one()
    assert set(row) == {"id", "house", "number", "issued", "deleted_at"}
    assert row["issued"].microsecond == 678_901
    url = application.current_database().url.render_as_string(hide_password=False)
    assert export_database(url, tmp_path / "all.zip").rows["badges"] == 1


def test_tables_that_are_there_stay_as_they_are(badges: ModelAccessor[Badge]) -> None:
    badges.insert(badge())
    startup.create_missing_tables(application.get_engine(), Base.metadata)
    assert len(badges.all()) == 1


def test_threads_that_make_the_tables_wait_for_each_other(mariadb_url: str) -> None:
    url = sa.make_url(mariadb_url)
    config = {
        "driver": "mysql",
        "host": url.host,
        "port": url.port,
        "name": url.database,
        "user": url.username,
    }
    failed: list[BaseException] = []

    def install() -> None:
        engine = connect(config)
        try:
            startup.create_missing_tables(engine, Base.metadata)
        except BaseException as error:
            failed.append(error)
        finally:
            engine.dispose()

    threads = [threading.Thread(target=install) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(100)
    assert failed == []
