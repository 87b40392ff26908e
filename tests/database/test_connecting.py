"""connect, install_tables and open_session: on files, in memory and on PostgreSQL."""

from __future__ import annotations

import gc
import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from lavendertown.database import connections
from lavendertown.database.base import Base, TableMixin
from lavendertown.database.connections import connect, install_tables, open_session
from lavendertown.errors import ConfigurationError, StorageUnavailableError
from lavendertown.stores.sql.connection.engine import read_url
from tests.support import mariadb

ROOT = Path(__file__).parents[2]
ODD_NAMES = (
    *("a?b.db", "100%.db", "%41.db", "a#b.db", "two words.db", " blank ", "Größe äöü.db", "a&b=c;d.db"),
    *("file:x.db", "a'b\"c.db", "a+b.db", ":memory:.db", "日本.db", "C:\\x.db", "~.db"),
)
SERVERS = [pytest.param("postgres", marks=pytest.mark.postgres), *mariadb.PARAMS]
MEMORY = {"driver": "sqlite", "path": ":memory:"}


class TentUser(TableMixin, Base):
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(sa.String(100), unique=True)
    visits: Mapped[int] = mapped_column(default=0)
    profiles: Mapped[list[TentProfile]] = relationship(back_populates="user")

    def __init__(self, name: str) -> None:
        self.name = name
        self.visits = 0


class TentProfile(TableMixin, Base):
    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(sa.ForeignKey("tent_users.id"))
    user: Mapped[TentUser] = relationship(back_populates="profiles")


def server_config(url: str) -> dict[str, Any]:
    made = sa.make_url(url)
    parts = {
        "host": made.host,
        "port": made.port,
        "name": made.database,
        "user": made.username,
        "password": made.password,
    }
    return {"driver": made.get_backend_name()} | {
        key: value for key, value in parts.items() if value is not None
    }


@pytest.fixture(params=["file", "memory", *SERVERS])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sa.Engine]:
    """A new database of each kind, with the tables made."""
    if request.param in ("postgres", "mariadb"):
        config = server_config(request.getfixturevalue(f"{request.param}_url"))
    else:
        config = MEMORY if request.param == "memory" else {"driver": "sqlite", "path": tmp_path / "app.db"}
    engine = connect(config)
    install_tables(engine)
    yield engine
    engine.dispose()


def names_in(engine: sa.Engine) -> list[str]:
    with open_session(engine) as session:
        return sorted(user.name for user in session.query(TentUser))


def add(engine: sa.Engine, name: str = "Joe Public") -> None:
    with open_session(engine) as session:
        session.add(TentUser(name))
        session.commit()


def test_the_sample_of_the_document_runs() -> None:
    config = {"driver": "sqlite", "path": ":memory:"}
    engine = connect(config)
    install_tables(engine)
    session = open_session(engine)

    u = TentUser("Joe Public")
    session.add(u)
    session.commit()
    session.close()
    assert (u.id, u.name, TentUser.__tablename__) == (1, "Joe Public", "tent_users")
    assert names_in(engine) == ["Joe Public"]
    engine.dispose()


def test_a_session_serves_query_and_exec(engine: sa.Engine) -> None:
    add(engine)
    with open_session(engine) as session:
        (user,) = session.exec(sa.select(TentUser)).all()
        assert session.query(TentUser).filter_by(name="Joe Public").one() is user
        assert session.exec(sa.select(TentUser.name, TentUser.visits)).all() == [("Joe Public", 0)]
        assert session.exec(sa.select(sa.func.count(TentUser.id))).one() == 1
        assert session.exec(sa.update(TentUser).values(visits=3)).rowcount == 1


def test_what_was_not_committed_is_undone_when_a_session_closes(engine: sa.Engine) -> None:
    with open_session(engine) as session:
        session.add(TentUser("Joe Public"))
        session.flush()
    assert names_in(engine) == []


def test_after_a_commit_nobody_has_to_wait_for_who_reads_on(engine: sa.Engine) -> None:
    with open_session(engine) as session:
        user = TentUser("Joe Public")
        session.add(user)
        session.commit()
        assert user.name == "Joe Public"
        add(engine, "Ann")
    assert names_in(engine) == ["Ann", "Joe Public"]


def test_foreign_keys_are_watched(engine: sa.Engine) -> None:
    with open_session(engine) as session:
        session.add(TentProfile(user_id=7))
        with pytest.raises(sa.exc.IntegrityError):
            session.commit()


def test_installing_again_leaves_rows_and_other_tables_alone(
    engine: sa.Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    add(engine)
    with engine.begin() as connection:
        connection.execute(sa.text("CREATE TABLE elsewhere (n INTEGER)"))
        connection.execute(sa.text("INSERT INTO elsewhere VALUES (5)"))
        TentProfile.__table__.drop(connection)  # type: ignore[attr-defined]
    install_tables(engine)
    assert names_in(engine) == ["Joe Public"]
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT n FROM elsewhere")) == 5
        assert connection.scalar(sa.select(sa.func.count()).select_from(TentProfile)) == 0
    assert capsys.readouterr() == ("", "")


def together(works: list[Callable[[], object]]) -> None:
    """Let threads begin at the same moment; raise what any of them raised."""
    gate = threading.Barrier(len(works))

    def begin(work: Callable[[], object]) -> object:
        gate.wait(60)
        return work()

    with ThreadPoolExecutor(len(works)) as pool:
        for future in [pool.submit(begin, work) for work in works]:
            future.result()


def test_8_threads_with_25_increments_each_make_200(engine: sa.Engine) -> None:
    add(engine)

    def increment() -> None:
        for _ in range(25):
            with open_session(engine) as session:
                user = session.query(TentUser).with_for_update().one()
                user.visits += 1
                session.commit()

    together([increment] * 8)
    with open_session(engine) as session:
        assert session.query(TentUser).one().visits == 200


def test_threads_that_install_at_once_do_not_meet() -> None:
    tables: list[sa.Table] = []
    for n in range(300):
        columns = {
            "id": mapped_column(sa.Integer, primary_key=True),
            "mail": mapped_column(sa.String(50), unique=True),
            "deleted_at": mapped_column(sa.DateTime),
        }
        tables.append(type(f"Thing{n}x", (TableMixin, Base), columns | {"__module__": "app"}).__table__)
    engine = connect(MEMORY)
    usual = sys.getswitchinterval()
    # Let threads take turns after nearly every step, where meeting would do harm.
    sys.setswitchinterval(1e-6)
    try:
        together([lambda: install_tables(engine)] * 6)
    finally:
        sys.setswitchinterval(usual)
    for table in tables:
        assert [index["name"] for index in sa.inspect(engine).get_indexes(table.name)] == [
            f"uq_{table.name}_mail_live"
        ]
        Base.metadata.remove(table)
    engine.dispose()


INSTALL = """
import sys
import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column
from lavendertown.database.base import Base, TableMixin
from lavendertown.database.connections import connect, install_tables, open_session

for n in range(20):
    columns = {"__module__": "app", "id": mapped_column(sa.Integer, primary_key=True)}
    columns["mail"] = mapped_column(sa.String(50), unique=True)
    columns["deleted_at"] = mapped_column(sa.DateTime, nullable=True)
    last = type(f"Thing{n}x", (TableMixin, Base), columns)
print("ready", flush=True)
config = eval(sys.stdin.readline())
engine = connect(config)
install_tables(engine)
with open_session(engine) as session:
    session.add(last(mail=sys.argv[1]))
    session.commit()
"""


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["file", *SERVERS])
def test_six_processes_connect_and_install_at_once(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    config: dict[str, Any] = {"driver": "sqlite", "path": str(tmp_path / "new" / "app.db")}
    if kind != "file":
        config = server_config(request.getfixturevalue(f"{kind}_url"))
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    workers = [
        subprocess.Popen([sys.executable, "-c", INSTALL, str(n)], cwd=ROOT, text=True, **pipes)
        for n in range(6)
    ]
    for worker in workers:
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write(f"{config}\n")
        worker.stdin.flush()
    for worker in workers:
        _, err = worker.communicate(timeout=100)
        assert worker.returncode == 0, err
    engine = connect(config)
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT count(*) FROM thing19xes")) == 6
    engine.dispose()


def test_a_database_in_memory_outlives_its_connections() -> None:
    engine = connect(MEMORY)
    install_tables(engine)
    add(engine)
    engine.pool.dispose()
    assert names_in(engine) == ["Joe Public"]
    engine.dispose()


def test_each_database_in_memory_is_one_of_its_own() -> None:
    first, second = connect(MEMORY), connect(MEMORY)
    for engine in (first, second):
        install_tables(engine)
    add(first)
    assert names_in(second) == []
    first.dispose()
    second.dispose()


def test_a_database_in_memory_goes_with_its_engine() -> None:
    engine = connect(MEMORY)
    install_tables(engine)
    engine.dispose()
    with engine.connect() as connection:
        assert sa.inspect(connection).get_table_names() == []
    engine.dispose()
    gone = weakref.ref(engine)
    del engine, connection
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_characters_in_a_path_survive(name: str, tmp_path: Path) -> None:
    config = {"driver": "sqlite", "path": str(tmp_path / name)}
    for _ in range(2):
        engine = connect(config)
        install_tables(engine)
        if not names_in(engine):
            add(engine)
        engine.dispose()
    assert {path.name for path in tmp_path.iterdir()} <= {name, f"{name}-gate"}
    assert (tmp_path / name).read_bytes().startswith(b"SQLite format 3")


def test_a_file_is_set_up_for_several_writers(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    engine = connect({"driver": "sqlite", "path": tmp_path / "new" / "app.db"})
    with engine.connect() as connection:
        found = {
            pragma: connection.scalar(sa.text(f"PRAGMA {pragma}"))
            for pragma in ("journal_mode", "foreign_keys", "synchronous", "busy_timeout")
        }
    assert found == {"journal_mode": "wal", "foreign_keys": 1, "synchronous": 2, "busy_timeout": 10000}
    install_tables(engine)
    add(engine, "secret")
    assert capfd.readouterr() == ("", "")
    engine.dispose()


def test_a_relative_path_stays_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path)
    engine = connect({"driver": "sqlite", "path": "app.db"})
    monkeypatch.chdir(tmp_path / "other")
    install_tables(engine)
    add(engine)
    engine.dispose()
    assert (tmp_path / "app.db").is_file()
    assert list((tmp_path / "other").iterdir()) == []


@pytest.mark.parametrize("content", [b"These are notes, and no database. " * 40, None])
def test_what_is_no_database_is_refused_in_a_sentence(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    if content is None:
        path.mkdir()
    else:
        path.write_bytes(content)
    with pytest.raises(StorageUnavailableError, match=r"notes\.txt (is not a SQLite|cannot be opened)"):
        connect({"driver": "sqlite", "path": path})
    assert path.is_dir() or path.read_bytes() == content


def test_a_server_that_does_not_answer_is_named_without_the_password() -> None:
    config = {"driver": "postgresql", "host": "127.0.0.1", "port": 1, "name": "d", "user": "u"}
    with pytest.raises(StorageUnavailableError) as refused:
        connect(config | {"password": "hush"})
    assert "PostgreSQL at 127.0.0.1:1/d does not answer" in str(refused.value)
    assert "hush" not in str(refused.value)


@pytest.mark.parametrize("driver", ["mysql", "mariadb"])
def test_a_driver_that_is_missing_is_named_with_its_extra(
    driver: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Python's own way to say that a module cannot be imported.
    monkeypatch.setitem(sys.modules, "pymysql", None)
    with pytest.raises(ConfigurationError, match=rf"{driver} is not installed.*lavendertown\[mariadb\]"):
        connect({"driver": driver, "host": "h", "name": "d", "user": "u"})


@pytest.mark.parametrize("scheme", ["mysql", "mariadb", "mysql+pymysql", "mariadb+pymysql"])
def test_every_form_of_a_mariadb_url_means_pymysql(scheme: str) -> None:
    assert read_url(f"{scheme}://ana:p%40@db:3307/x") == sa.make_url("mariadb+pymysql://ana:p%40@db:3307/x")


PG = {"driver": "postgresql", "host": "h", "name": "d", "user": "u"}


@pytest.mark.parametrize(
    ("config", "words"),
    [
        ({}, ["lacks driver", "sqlite, postgresql, postgres, mysql, mariadb"]),
        ({"path": "x.db", "pfad": 1}, ["lacks driver", "unknown keys: pfad"]),
        ({"driver": "oracle", "path": "x"}, ["'oracle'", "sqlite, postgresql, postgres, mysql, mariadb"]),
        ({"driver": ["sqlite"]}, ["['sqlite']"]),
        ({"driver": "sqlite"}, ["lacks path", "The keys for sqlite are driver and path."]),
        ({"driver": "sqlite", "path": ""}, ["lacks path"]),
        ({"driver": "sqlite", "path": None}, ["lacks path"]),
        ({"driver": "sqlite", "file": "x", "mode": "ro"}, ["lacks path", "unknown keys: file, mode"]),
        ({"driver": "sqlite", "path": "x", 5: "y"}, ["unknown keys: 5"]),
        ({"driver": "sqlite", "path": 5}, ["an invalid path"]),
        ({"driver": "sqlite", "path": "a\0b"}, ["an invalid path"]),
        (
            {"driver": "postgresql"},
            ["lacks host, name and user", "optional keys are port, password, sslmode"],
        ),
        (PG | {"user": None, "path": "x", "db": "y"}, ["lacks user", "unknown keys: path, db"]),
        (PG | {"port": "5432"}, ["a port that is not a whole number from 1 to 65535"]),
        (PG | {"port": 0}, ["a port that"]),
        (PG | {"port": True}, ["a port that"]),
        (PG | {"password": 1234, "name": 7}, ["a password that is not text", "a name that is not text"]),
        ("sqlite:///x.db", ["not a mapping"]),
    ],
)
def test_everything_wrong_with_a_configuration_is_named_at_once(config: Any, words: list[str]) -> None:
    with pytest.raises(ConfigurationError) as refused:
        connect(config)
    for each in words:
        assert each in str(refused.value)
    assert "1234" not in str(refused.value)


@pytest.mark.parametrize("driver", ["postgresql", "mysql", "mariadb"])
def test_odd_characters_in_server_settings_survive(driver: str) -> None:
    odd = "p@s:w/o?r#d %41 ä"
    url = connections.url_from_config(
        PG | {"driver": driver, "password": odd, "user": odd, "name": odd, "port": 7}
    )
    assert (url.username, url.password, url.database, url.port) == (odd, odd, odd, 7)
    assert sa.make_url(url.render_as_string(hide_password=False)) == url
