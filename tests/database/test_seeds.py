"""Seeds: each once, in one transaction, in order, whatever ends the process."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.pool import NullPool

from lavendertown.collaboration.database_storage import DatabaseStorage
from lavendertown.database import application, seeds
from lavendertown.database.seeds import SeedState
from lavendertown.demo.seeds import SHIPPED_SEEDS, starter_rulesets, to_database_seed
from lavendertown.errors import ConfigurationError, InvalidInputError, StorageError
from lavendertown.stores.sql.connection.engine import read_url
from tests.database.project_files import forget, write
from tests.support import mariadb
from tests.support.fork_server import run_python

MODELS = """
from sqlalchemy import String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from lavendertown.database import ModelAccessor

class Base(DeclarativeBase):
    pass

class Plant(Base):
    __tablename__ = "plants"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(50), unique=True)

plants = ModelAccessor(Plant, "plants")
"""
FIRST = """
from models.plants import Plant

def seed_first(db):
    '''Two plants.'''
    db.add(Plant(name="sage"))
    db.commit()
    db.add(Plant(name="thyme"))
    db.commit()
"""
NEXT = """
def seed_next(db):
    db.add(Plant(name="lavender"))

def no_seed(db):
    raise ValueError
"""
NOVENTA = """
# migrations/seed/initial_users.py
from sqlalchemy.orm import Session
from components.user.user_models import User

def seed_users(db: Session):
    # Create initial users
    admin = User(email="admin@example.com", name="Admin")
    db.add(admin)
    db.commit()
"""


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Path]:
    write(tmp_path, {"models/plants.py": MODELS, "migrations/seed/10_plants.py": FIRST + NEXT})
    yield tmp_path
    forget(tmp_path)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres), *mariadb.PARAMS])
def url(request: pytest.FixtureRequest, project: Path) -> Iterator[str]:
    """A database of each kind with the project's table."""
    made = f"sqlite:///{project / 'app.db'}"
    if request.param != "sqlite":
        made = request.getfixturevalue(f"{request.param}_url")
    application.set_database_url(made)
    application.current_database().prepare_schema()
    with application.get_engine().begin() as connection:
        name = sa.Column("name", sa.String(50), unique=True)
        table = sa.Table("plants", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True), name)
        table.create(connection)
    yield made
    application.current_database().close()


def plants(url: str) -> list[str]:
    engine = sa.create_engine(read_url(url), poolclass=NullPool)
    with engine.connect() as connection:
        return list(connection.scalars(sa.text("SELECT name FROM plants ORDER BY name")))


def run(project: Path, url: str) -> list[str]:
    return [found.state.value for found in seeds.run_seeds(seeds.find_seeds(project), url)]


def test_each_seed_runs_once_in_order(url: str, project: Path) -> None:
    write(project, {"migrations/seed/2_early.py": "def seed_z(db): pass\ndef seed_a(db): pass\n"})
    write(project, {"migrations/seed/all.py": "def seed_last(db): pass\n", "migrations/seed/_own.py": "1/0"})
    found = seeds.find_seeds(project)
    assert [(seed.name, seed.about) for seed in found] == [
        ("early.seed_z", ""),
        ("early.seed_a", ""),
        ("plants.seed_first", "Two plants."),
        ("plants.seed_next", ""),
        ("all.seed_last", ""),
    ]
    assert run(project, url) == ["ran"] * 5
    assert run(project, url) == ["done"] * 5
    assert plants(url) == ["lavender", "sage", "thyme"]


def test_a_look_changes_nothing_and_says_when(url: str, project: Path) -> None:
    assert [found.state for found in seeds.inspect_seeds(seeds.find_seeds(project), url)] == [
        SeedState.PENDING
    ] * 2
    assert plants(url) == []
    ran = list(seeds.run_seeds(seeds.find_seeds(project), url))
    assert seeds.inspect_seeds(seeds.find_seeds(project), url) == [
        seeds.SeedStatus(found.seed, SeedState.DONE, found.applied_at) for found in ran
    ]


def test_a_look_makes_no_file(project: Path) -> None:
    seeds.inspect_seeds(seeds.find_seeds(project), f"sqlite:///{project / 'none.db'}")
    assert not (project / "none.db").exists()


def test_a_changed_seed_is_said_and_not_run_again(url: str, project: Path) -> None:
    run(project, url)
    changed = FIRST.replace("sage", "mint") + NEXT + "def seed_more(db): pass\n"
    write(project, {"migrations/seed/10_plants.py": changed})
    assert run(project, url) == ["changed", "done", "ran"]
    assert plants(url) == ["lavender", "sage", "thyme"]


def test_another_number_and_blank_lines_are_no_change(url: str, project: Path) -> None:
    run(project, url)
    (project / "migrations/seed/10_plants.py").unlink()
    write(project, {"migrations/seed/1-plants.py": FIRST + "\n\n" + NEXT})
    assert run(project, url) == ["done", "done"]


def test_a_raise_after_a_commit_undoes_both_and_names_the_line(url: str, project: Path) -> None:
    write(project, {"migrations/seed/10_plants.py": FIRST + "    raise ValueError('no more')\n" + NEXT})
    sentence = r"plants\.seed_first \(migrations/seed/10_plants\.py, line 10\) failed: ValueError: no more\."
    with pytest.raises(InvalidInputError, match=sentence) as raised:
        run(project, url)
    assert "It was undone, including its own commits" in str(raised.value)
    assert plants(url) == []
    assert [found.state for found in seeds.inspect_seeds(seeds.find_seeds(project), url)] == [
        SeedState.PENDING
    ] * 2


@pytest.mark.parametrize("last", ["import sys; sys.exit(0)", "db.add(Plant(name='sage'))"])
def test_what_ends_a_seed_otherwise_undoes_it_too(url: str, project: Path, last: str) -> None:
    write(project, {"migrations/seed/10_plants.py": FIRST + f"    {last}\n"})
    with pytest.raises(InvalidInputError, match=r"plants\.seed_first .*failed: (SystemExit|IntegrityError)"):
        run(project, url)
    assert plants(url) == []


def test_those_before_a_failed_one_stay(url: str, project: Path) -> None:
    write(project, {"migrations/seed/11_bad.py": "def seed_bad(db): 1 / 0\n"})
    with pytest.raises(InvalidInputError, match="ZeroDivisionError"):
        run(project, url)
    assert plants(url) == ["lavender", "sage", "thyme"]
    write(project, {"migrations/seed/11_bad.py": "def seed_bad(db): pass\n"})
    assert run(project, url) == ["done", "done", "ran"]


def test_a_rollback_inside_does_not_take_the_ledger_back(url: str, project: Path) -> None:
    write(project, {"migrations/seed/10_plants.py": FIRST + "    db.rollback()\n    db.close()\n"})
    assert run(project, url) + run(project, url) == ["ran", "done"]
    assert plants(url) == ["sage", "thyme"]


def test_an_accessor_takes_part_and_is_audited_as_the_seed(url: str, project: Path) -> None:
    text = "from models.plants import Plant, plants\ndef seed_audited(db):\n"
    text += "    plants.insert(Plant(name='mint'))\n    plants.insert(Plant(name='rue'), actor='Ana')\n"
    write(project, {"migrations/seed/10_plants.py": text + "    1 / 0\n"})
    with pytest.raises(InvalidInputError):
        run(project, url)
    assert plants(url) == []
    write(project, {"migrations/seed/10_plants.py": text})
    run(project, url)
    storage = DatabaseStorage(url)
    events = storage.audit_log(component="plants")
    storage.close()
    assert {event["actor"] for event in events} == {"seed:plants.seed_audited", "Ana"}


def test_the_document_s_seed_runs(project: Path) -> None:
    from tests.database.project_files import USER_MODELS

    files = {"components/user/user_models.py": USER_MODELS, "migrations/seed/initial_users.py": NOVENTA}
    write(project, files)
    (project / "migrations/seed/10_plants.py").unlink()
    url = f"sqlite:///{project / 'app.db'}"
    with pytest.raises(InvalidInputError, match="lavendertown db upgrade"):
        run(project, url)
    from components.user.user_models import Base, User  # type: ignore[import-not-found]

    Base.metadata.create_all(application.get_engine())
    assert run(project, url) == ["ran"]
    with application.transaction() as db:
        assert [user.email for user in db.query(User)] == ["admin@example.com"]
    application.current_database().close()


def test_a_database_of_another_program_is_refused(project: Path) -> None:
    url = f"sqlite:///{project / 'app.db'}"
    engine = sa.create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE reports (a)")
    with pytest.raises(StorageError, match="another program"):
        run(project, url)
    with pytest.raises(StorageError, match="another program"):
        seeds.inspect_seeds(seeds.find_seeds(project), url)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("def seed_x(db:\n", r"migrations/seed/bad\.py cannot be read: SyntaxError"),
        ("async def seed_x(db): pass\n", r"seed_x in migrations/seed/bad\.py is async"),
        ("def seed_x(db): pass\n" * 2, r"bad\.seed_x is defined 2 times, in migrations/seed/bad\.py"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(project: Path, text: str, sentence: str) -> None:
    write(project, {"migrations/seed/bad.py": text})
    with pytest.raises(ConfigurationError, match=sentence):
        seeds.find_seeds(project)


def test_a_file_that_cannot_be_imported_stops_all_before_the_first(url: str, project: Path) -> None:
    write(project, {"migrations/seed/bad.py": "import nothing_of_that_name\ndef seed_x(db): pass\n"})
    with pytest.raises(ConfigurationError, match=r"bad\.py cannot be imported: ModuleNotFoundError"):
        run(project, url)
    assert plants(url) == []


@pytest.mark.slow
def test_two_at_once_run_each_seed_once(url: str, project: Path) -> None:
    with ThreadPoolExecutor(3) as pool:
        done = list(pool.map(lambda _: run_python("-c", _RUN, url, str(project)), range(3)))
    said = [process.stdout.split() for process in done]
    assert sorted(state for states in said for state in states) == ["done"] * 4 + ["ran"] * 2
    assert plants(url) == ["lavender", "sage", "thyme"]


@pytest.mark.slow
@pytest.mark.parametrize("point", ["INSERT INTO plants", "RELEASE SAVEPOINT", "COMMIT"])
def test_a_killed_seed_left_nothing_and_runs_again(url: str, project: Path, point: str) -> None:
    done = run_python("-c", _KILLED + _RUN, url, str(project), point)
    assert done.returncode == -9, done.stderr
    assert plants(url) == []
    assert run(project, url) == ["ran", "ran"]
    assert plants(url) == ["lavender", "sage", "thyme"]


@pytest.mark.slow
def test_the_shipped_seeds_run_once_with_the_ledger(url: str) -> None:
    shipped = [to_database_seed(each) for each in SHIPPED_SEEDS]
    assert [found.state for found in seeds.run_seeds(shipped, url)] == [SeedState.RAN] * 2
    assert [found.state for found in seeds.run_seeds(shipped, url)] == [SeedState.DONE] * 2
    storage = DatabaseStorage(url)
    assert storage.load_ruleset("Starter: people") == starter_rulesets()[0]
    assert storage.count_reports() == 30
    assert all(each.is_applied_to(storage) for each in SHIPPED_SEEDS)
    storage.close()


def test_a_unit_of_work_in_a_storage_s_session_is_one_with_the_accessors(url: str, project: Path) -> None:
    from lavendertown.database.project.model_discovery import discover_models

    discover_models(project)
    from models.plants import Plant  # type: ignore[import-not-found]
    from models.plants import plants as accessor

    storage = DatabaseStorage(url)
    with storage.session() as db:
        accessor.insert(Plant(name="rue"))
        assert db.query(Plant).count() == 1
        db.rollback()
    assert plants(url) == []
    with pytest.raises(StorageError, match="has ended"):
        db.query(Plant).count()
    storage.close()


def test_a_second_unit_in_the_thread_that_has_one_is_refused_and_not_waited_for(project: Path) -> None:
    url = f"sqlite:///{project / 'app.db'}"
    one, other = application.Database(url), application.Database(url)
    with one.transaction():
        with pytest.raises(StorageError, match="open in this thread"), other.transaction():
            pass
        with pytest.raises(StorageError, match="already open"), one.atomic():
            pass
    with other.transaction():
        pass


_RUN = """
import sys
from pathlib import Path
from lavendertown.database import seeds
for found in seeds.run_seeds(seeds.find_seeds(Path(sys.argv[2])), sys.argv[1]):
    print(found.state)
"""
_KILLED = """
import os, signal, sys
import sqlalchemy as sa
from sqlalchemy.engine import Engine

armed = False

@sa.event.listens_for(Engine, "before_cursor_execute")
def before(connection, cursor, statement, *_):
    global armed
    armed = armed or "seed_runs" in statement and statement.startswith("INSERT")
    if armed and statement.startswith(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)

@sa.event.listens_for(Engine, "commit")
def commit(connection):
    if armed and sys.argv[3] == "COMMIT":
        os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_ledger_that_refuses_a_seed_is_an_error_and_no_race(url: str, project: Path) -> None:
    with application.get_engine().begin() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER closed BEFORE INSERT ON seed_runs BEGIN SELECT RAISE(ABORT, 'closed'); END"
        )
    with pytest.raises(StorageError, match="refused the change; nothing was written: closed"):
        run(project, url)
    assert plants(url) == []
