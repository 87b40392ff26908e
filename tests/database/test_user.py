"""People as objects of a session are the people that LavenderTown knows."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from lavendertown import database as dbm
from lavendertown.collaboration.database_storage import DatabaseStorage
from lavendertown.database.user import Profile, User


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[DatabaseStorage]:
    url = f"sqlite:///{tmp_path / 'store.db'}"
    with closing(
        DatabaseStorage(url if request.param == "sqlite" else request.getfixturevalue("postgres_url"))
    ) as storage:
        yield storage


def test_a_user_that_is_stored_is_somebody_known(database: DatabaseStorage) -> None:
    with database.session() as session:
        session.add(User("Joe Public"))
        session.add(User("Ana Bell", Profile("ana@example.org", "AB1")))
    assert database.known_people() == [
        {"name": "Ana Bell", "mail": "ana@example.org", "initials": "AB1"},
        {"name": "Joe Public", "mail": "", "initials": "JP"},
    ]


def test_somebody_known_is_a_user(database: DatabaseStorage) -> None:
    database.save_person("Ana", mail="ana@example.org")
    with database.session() as session:
        (found,) = session.scalars(sa.select(User))
        assert (found.name, found.profile) == ("Ana", Profile("ana@example.org", ""))
        found.profile = Profile("bell@example.org", "A")
    assert database.known_people()[0] == {"name": "Ana", "mail": "bell@example.org", "initials": "A"}
    database.save_person("Ana", initials="AB")


def test_a_name_is_taken_once(database: DatabaseStorage) -> None:
    database.save_person("Ana")
    with pytest.raises(sa.exc.IntegrityError), database.session() as session:
        session.add(User("Ana"))


def test_the_documents_example() -> None:
    engine = dbm.connect({"driver": "sqlite", "path": ":memory:"})
    dbm.install_tables(engine)
    session = dbm.open_session(engine)
    u = User("Joe Public")
    session.add(u)
    session.commit()
    session.close()
    with dbm.open_session(engine) as again:
        assert [user.name for user in again.query(User)] == ["Joe Public"]
    engine.dispose()
