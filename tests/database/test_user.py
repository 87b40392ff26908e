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
from lavendertown.stores.sql.connection.engine import make_engine


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
    assert database.people.list_known() == [
        {"name": "Ana Bell", "mail": "ana@example.org", "initials": "AB1"},
        {"name": "Joe Public", "mail": "", "initials": "JP"},
    ]


def test_somebody_known_is_a_user(database: DatabaseStorage) -> None:
    database.people.save("Ana", mail="ana@example.org")
    with database.session() as session:
        (found,) = session.scalars(sa.select(User))
        assert (found.name, found.profile) == ("Ana", Profile("ana@example.org", ""))
        found.profile = Profile("bell@example.org", "A")
    assert database.people.list_known()[0] == {"name": "Ana", "mail": "bell@example.org", "initials": "A"}
    database.people.save("Ana", initials="AB")


def test_a_name_is_taken_once(database: DatabaseStorage) -> None:
    database.people.save("Ana")
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


@pytest.mark.parametrize("backend", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_a_database_that_install_tables_made_is_accepted_and_complete(
    backend: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = f"sqlite:///{tmp_path / 'app.db'}"
    url = url if backend == "sqlite" else request.getfixturevalue("postgres_url")
    engine = make_engine(url)
    dbm.install_tables(engine)
    with dbm.open_session(engine) as session:
        session.add(User("Joe Public"))
        session.commit()
    dbm.install_tables(engine)
    engine.dispose()
    dbm.bootstrap(database_url=url)
    with closing(DatabaseStorage(url)) as storage:
        assert [each["name"] for each in storage.people.list_known()] == ["Joe Public"]
