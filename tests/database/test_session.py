"""The session of one request: its own unit of work, ended in any case, and nobody else's business."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from lavendertown.collaboration.database_storage import DatabaseStorage
from lavendertown.database.startup import create_missing_tables
from tests.contract.builders import report
from tests.support import mariadb


class Base(DeclarativeBase):
    pass


class Owner(Base):
    __tablename__ = "owners"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres), *mariadb.PARAMS])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DatabaseStorage]:
    url = f"sqlite:///{tmp_path / 'x.db'}"
    if request.param != "sqlite":
        url = request.getfixturevalue(f"{request.param}_url")
    opened = DatabaseStorage(url)
    create_missing_tables(opened.store.engine, Base.metadata)  # type: ignore[attr-defined]
    yield opened
    opened.close()


def names(storage: DatabaseStorage) -> list[str]:
    with storage.session() as db:
        return [owner.name for owner in db.query(Owner).order_by(Owner.name)]


def add(storage: DatabaseStorage, *wanted: str, fail: bool = False) -> None:
    with storage.session() as db:
        db.add_all([Owner(name=name) for name in wanted])
        db.flush()
        if fail:
            raise RuntimeError("The page broke.")


def test_what_a_request_adds_is_committed(storage: DatabaseStorage) -> None:
    add(storage, "Ana", "Ben")
    assert names(storage) == ["Ana", "Ben"]


def test_a_request_that_fails_leaves_nothing_and_poisons_nobody(storage: DatabaseStorage) -> None:
    with pytest.raises(RuntimeError, match="The page broke"):
        add(storage, "Ana", fail=True)
    add(storage, "Ben")
    with pytest.raises(sa.exc.IntegrityError):
        add(storage, "Ben")
    for number in range(10):
        add(storage, f"Owner {number}")
    assert len(names(storage)) == 11


def test_the_session_is_closed_in_any_case(storage: DatabaseStorage) -> None:
    left: list[Any] = []
    for fail in (False, True):
        try:
            with storage.session() as db:
                left.append(db)
                db.add(Owner(name=f"{fail}"))
                if fail:
                    raise RuntimeError
        except RuntimeError:
            pass
    assert [db.in_transaction() for db in left] == [False, False]
    pool = storage.store.engine.pool  # type: ignore[attr-defined]
    assert pool.checkedout() == 0


@pytest.mark.postgres
def test_nobody_sees_what_is_not_committed(postgres_url: str) -> None:
    mine, other = DatabaseStorage(postgres_url), DatabaseStorage(postgres_url)
    create_missing_tables(mine.store.engine, Base.metadata)  # type: ignore[attr-defined]
    with mine.session() as db:
        db.add(Owner(name="Ana"))
        db.flush()
        assert names(other) == []
    assert names(other) == ["Ana"]
    idle = sa.text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND state LIKE 'idle in transaction%'"
    )
    with other.session() as db:
        assert db.scalar(idle) == 0
    mine.close()
    other.close()


def test_a_session_inside_another_is_a_part_of_it(storage: DatabaseStorage) -> None:
    with storage.session() as outer:
        outer.add(Owner(name="Ana"))
        with pytest.raises(RuntimeError):
            add(storage, "Ben", fail=True)
        add(storage, "Cy")
    assert names(storage) == ["Ana", "Cy"]


def test_reports_and_rows_of_ones_own_live_side_by_side(storage: DatabaseStorage) -> None:
    storage.save_report(report("r1"))
    add(storage, "Ana")
    with storage.session() as db:
        (title,) = db.execute(sa.text("SELECT title FROM reports")).scalars()
    assert (title, names(storage)) == ("Week 12", ["Ana"])


def test_an_inner_session_that_is_refused_at_its_end_leaves_the_outer_one_usable(
    storage: DatabaseStorage,
) -> None:
    with storage.session() as db:
        db.add(Owner(name="Ana"))
        with pytest.raises(sa.exc.IntegrityError), storage.session() as inner:
            inner.add(Owner(name="Ana"))
        db.add(Owner(name="Ben"))
    assert names(storage) == ["Ana", "Ben"]
